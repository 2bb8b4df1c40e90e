/* SPDX-License-Identifier: ISC */
/*
 * The PV machine: paging is on, the builder mapped the image and what it put behind it (frame list,
 * start_info, store and console rings, page tables, a stack we leave), each page at the address
 * that is its number. Every change of a table is a hypercall, and Xen maps no table writable; so
 * sealing is to make the right changes once and then to drop the calls.
 *
 * Invariants: a page becomes a table only after it was made read-only; the seal's last call also
 * unmaps the page it is made from, so it returns elsewhere (boot_pv.S).
 */
#include "console.h"
#include "hypercall.h"
#include "layout.h"
#include "machine.h"
#include "paging.h"
#include "panic.h"
#include "trap_entry.h"
#include <string.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#define UPDATES 64

extern unsigned char wisp_pv_trap_entries[];
void wisp_pv_boot_leave(multicall_entry_t *calls, unsigned count);

static struct {
    const start_info_t *info;
    uintptr_t mapped_end; /* what the builder mapped; the rest is ours to map */
    uintptr_t next_table; /* pages of the pool's start that became tables */
    mmu_update_t updates[UPDATES];
    unsigned update_count;
} pv;

static unsigned char shared_page[WISP_FRAME_SIZE] WISP_OWN_PAGE;

WISP_BOOT static uintptr_t address_of_frame(unsigned long frame)
{
    return machine_to_phys_mapping[frame] << WISP_FRAME_SHIFT;
}

WISP_BOOT static void require(bool good, const char *what)
{
    if (!good) {
        wisp_panic(what);
    }
}

/* The entry that maps page at level 1, or null where no table does. */
WISP_BOOT static uint64_t *entry_of(uintptr_t page, unsigned level)
{
    uint64_t *table = (uint64_t *)wisp_guest.tables_root;
    for (unsigned at = 4; at > level; at--) {
        uint64_t entry = table[wisp_pte_index(page, at)];
        if (!(entry & WISP_PTE_PRESENT)) {
            return NULL;
        }
        table = (uint64_t *)address_of_frame(wisp_pte_frame(entry));
    }
    return &table[wisp_pte_index(page, level)];
}

WISP_BOOT static void update_flush(void)
{
    if (pv.update_count) {
        require(wisp_hypercall_mmu_update(pv.updates, pv.update_count) == 0,
                "Xen refused a page-table update");
    }
    pv.update_count = 0;
}

WISP_BOOT static void update(uint64_t *entry, uint64_t value)
{
    mmu_update_t *u = &pv.updates[pv.update_count++];
    u->ptr = (wisp_frame_of(entry) << WISP_FRAME_SHIFT | ((uintptr_t)entry & 0xfff)) |
             MMU_NORMAL_PT_UPDATE;
    u->val = value;
    if (pv.update_count == UPDATES) {
        update_flush();
    }
}

WISP_BOOT static void map_own_page(unsigned char *page, uint64_t frame)
{
    uint64_t entry = frame << WISP_FRAME_SHIFT | WISP_PTE_DATA;
    require(wisp_hypercall_update_va_mapping((uintptr_t)page, entry, UVMF_INVLPG) == 0,
            "Xen refused a page of its own");
}

WISP_BOOT static void pv_init(const void *start)
{
    const start_info_t *info = start;
    struct wisp_guest *guest = &wisp_guest;
    pv.info = info;
    guest->mode = "PV";
    guest->frame_list = (const unsigned long *)info->mfn_list;
    guest->tables_root = info->pt_base;
    guest->memory_bytes = info->nr_pages << WISP_FRAME_SHIFT;
    guest->console = (struct xencons_interface *)address_of_frame(info->console.domU.mfn);
    guest->console_port = info->console.domU.evtchn;
    guest->store = (struct xenstore_domain_interface *)address_of_frame(info->store_mfn);
    guest->store_port = info->store_evtchn;
    memcpy(guest->cmdline, info->cmd_line, sizeof(guest->cmdline) - 1);
    map_own_page(shared_page, info->shared_info >> WISP_FRAME_SHIFT);
    guest->shared = (struct shared_info *)shared_page;
}

WISP_BOOT static void pv_open_traps(void)
{
    trap_info_t table[21];
    memset(table, 0, sizeof(table));
    for (unsigned i = 0; i < 20; i++) {
        table[i].vector = (uint8_t)i;
        table[i].cs = FLAT_KERNEL_CS;
        table[i].address = (unsigned long)wisp_pv_trap_entries + WISP_PV_TRAP_SIZE * i;
    }
    require(wisp_hypercall_set_trap_table(table) == 0, "Xen refused the trap table");
}

WISP_BOOT static long pv_map_grants(unsigned char *pages, unsigned count)
{
    xen_pfn_t frames[WISP_GRANT_FRAMES];
    gnttab_setup_table_t setup = {.dom = DOMID_SELF, .nr_frames = count};
    setup.frame_list.p = frames;
    long failed = wisp_hypercall_grant_table(GNTTABOP_setup_table, &setup, 1);
    if (failed || setup.status != GNTST_okay) {
        return failed ? failed : setup.status;
    }
    for (unsigned i = 0; i < count; i++) {
        map_own_page(pages + i * WISP_FRAME_SIZE, frames[i]);
    }
    return 0;
}

/* A page of the pool, empty, to be filled and then given to table_attach. */
WISP_BOOT static uint64_t *table_take(void)
{
    uint64_t *table = (uint64_t *)pv.next_table;
    pv.next_table += WISP_FRAME_SIZE;
    memset(table, 0, WISP_FRAME_SIZE);
    return table;
}

/* Xen takes a page as a table only when nothing maps it writable. */
WISP_BOOT static void table_attach(uint64_t *entry, const uint64_t *table)
{
    uint64_t frame = wisp_frame_of(table) << WISP_FRAME_SHIFT;
    require(wisp_hypercall_update_va_mapping((uintptr_t)table, frame | WISP_PTE_CONSTANT,
                                             UVMF_INVLPG) == 0,
            "Xen refused to make a table read-only");
    update(entry, frame | WISP_PTE_TABLE);
    update_flush();
}

/* Maps the 2 MiB at region, as far as there is memory. */
WISP_BOOT static void map_region(uintptr_t region)
{
    uint64_t *top = entry_of(region, 3);
    require(top != NULL, "no level-3 table");
    if (!(*top & WISP_PTE_PRESENT)) {
        table_attach(top, table_take());
    }
    uint64_t *table = table_take();
    for (unsigned i = 0; i < WISP_TABLE_ENTRIES; i++) {
        uintptr_t page = region + i * WISP_FRAME_SIZE;
        if (page < wisp_guest.memory_bytes) {
            table[i] = wisp_frame_of((void *)page) << WISP_FRAME_SHIFT | WISP_PTE_DATA;
        }
    }
    table_attach(entry_of(region, 2), table);
}

WISP_BOOT static uintptr_t end_of_builder_pages(void)
{
    uintptr_t list = pv.info->mfn_list + pv.info->nr_pages * sizeof(unsigned long);
    uintptr_t tables = pv.info->pt_base + (pv.info->nr_pt_frames << WISP_FRAME_SHIFT);
    uintptr_t end = list > tables ? list : tables;
    return (end + WISP_FRAME_SIZE - 1) & ~(WISP_FRAME_SIZE - 1);
}

WISP_BOOT static void pv_map_pool(void)
{
    uintptr_t end = wisp_guest.memory_bytes, at = 0;
    pv.next_table = end_of_builder_pages();
    while (at < end) {
        uint64_t *entry = entry_of(at, 1);
        if (!entry || !(*entry & WISP_PTE_PRESENT)) {
            break;
        }
        at += WISP_FRAME_SIZE;
    }
    pv.mapped_end = at;
    require(at >= end || at % WISP_REGION_SIZE == 0, "the builder mapped half a region");
    for (; at < end; at += WISP_REGION_SIZE) {
        map_region(at);
    }
    wisp_guest.pool_start = pv.next_table;
    wisp_guest.pool_end = end;
}

/* The builder's pages are for reading (Xen insists, for tables), but for the two rings. */
WISP_BOOT static enum wisp_access access_of(uintptr_t page)
{
    if (page >= wisp_guest.pool_start || page == (uintptr_t)wisp_guest.console ||
        page == (uintptr_t)wisp_guest.store) {
        return WISP_ACCESS_WRITE;
    }
    return page >= (uintptr_t)wisp_image_end ? WISP_ACCESS_READ : wisp_seal_access(page);
}

WISP_BOOT static void protect(uintptr_t page)
{
    uint64_t *entry = entry_of(page, 1);
    update(entry, wisp_pte_with_access(*entry, access_of(page)));
}

WISP_BOOT static _Noreturn void pv_seal(void)
{
    uintptr_t boot = (uintptr_t)wisp_boot_start, boot_end = (uintptr_t)wisp_boot_end;
    uintptr_t calls = (uintptr_t)wisp_hypercall_page;
    for (uintptr_t page = 0; page < pv.mapped_end; page += WISP_FRAME_SIZE) {
        if ((page < boot || page >= boot_end) && page != calls) {
            protect(page);
        }
    }
    update_flush();
    wisp_seal_hypercalls();

    protect(calls);
    for (uintptr_t page = boot; page < boot_end; page += WISP_FRAME_SIZE) {
        protect(page);
    }
    require(pv.update_count > 1, "the boot does not fit one update");
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    multicall_entry_t last[2] = {
        {.op = __HYPERVISOR_mmu_update,
         .args = {(unsigned long)pv.updates, pv.update_count, 0, DOMID_SELF}},
        {.op = __HYPERVISOR_mmuext_op, .args = {(unsigned long)&flush, 1, 0, DOMID_SELF}},
    };
    wisp_pv_boot_leave(last, 2);
    __builtin_unreachable();
}

WISP_BOOT_CONST const struct wisp_machine wisp_machine_pv = {
    .init = pv_init,
    .open_traps = pv_open_traps,
    .map_grants = pv_map_grants,
    .map_pool = pv_map_pool,
    .seal = pv_seal,
};
