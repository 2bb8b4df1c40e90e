/* SPDX-License-Identifier: ISC */
/*
 * Walks the tables the processor uses. Entries 256 to 271 of the top level belong to Xen on PV:
 * what it maps there the guest can neither change nor read through, and Xen maps nothing of the
 * guest's there.
 */
#include "seal_check.h"
#include "hypercall.h"
#include "layout.h"
#include "machine.h"
#include "paging.h"

static const uint64_t *table_at(uint64_t entry)
{
    unsigned long frame = wisp_pte_frame(entry);
    if (wisp_guest.frame_list) {
        frame = machine_to_phys_mapping[frame];
    }
    return (const uint64_t *)(frame << WISP_FRAME_SHIFT);
}

/* Sign extension makes the upper half's addresses. */
static uint64_t address_of(uint64_t above, unsigned index, unsigned level)
{
    uint64_t address = above | (uint64_t)index << (12 + 9 * (level - 1));
    return level == 4 && index >= 256 ? address | UINT64_C(0xffff) << 48 : address;
}

static bool is_code(uint64_t address)
{
    return (address >= (uintptr_t)wisp_text_start && address < (uintptr_t)wisp_text_end) ||
           address == (uintptr_t)wisp_hypercall_page;
}

static bool leaf(struct wisp_seal_report *report, uint64_t entry, uint64_t address, uint64_t pages)
{
    if (!(entry & WISP_PTE_NX)) {
        report->executable += pages;
        return is_code(address) && !(entry & WISP_PTE_WRITE);
    }
    *(entry & WISP_PTE_WRITE ? &report->writable : &report->constant) += pages;
    return true;
}

/* The entry that maps the page at address, followed from the top. */
static uint64_t mapping_of(uint64_t address)
{
    const uint64_t *table = (const uint64_t *)wisp_guest.tables_root;
    for (unsigned level = 4;; level--) {
        uint64_t entry = table[wisp_pte_index(address, level)];
        if (level == 1 || !(entry & WISP_PTE_PRESENT) || (level == 2 && entry & WISP_PTE_LARGE)) {
            return entry;
        }
        table = table_at(entry);
    }
}

static bool walk(struct wisp_seal_report *report, const uint64_t *table, unsigned level,
                 uint64_t above)
{
    report->tables++;
    report->first_bad = (uintptr_t)table;
    if (mapping_of((uintptr_t)table) & WISP_PTE_WRITE) {
        return false;
    }
    for (unsigned i = 0; i < WISP_TABLE_ENTRIES; i++) {
        uint64_t entry = table[i], address = address_of(above, i, level);
        if (!(entry & WISP_PTE_PRESENT) ||
            (level == 4 && i >= 256 && i < 272 && wisp_guest.frame_list)) {
            continue;
        }
        bool last = level == 1 || (level == 2 && entry & WISP_PTE_LARGE);
        if (last ? !leaf(report, entry, address, level == 1 ? 1 : WISP_TABLE_ENTRIES)
                 : !walk(report, table_at(entry), level - 1, address)) {
            report->first_bad = last ? address : report->first_bad;
            return false;
        }
    }
    return true;
}

bool wisp_seal_check(struct wisp_seal_report *report)
{
    *report = (struct wisp_seal_report){0};
    return walk(report, (const uint64_t *)wisp_guest.tables_root, 4, 0);
}
