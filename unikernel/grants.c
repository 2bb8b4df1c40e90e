/* SPDX-License-Identifier: ISC */
/*
 * An entry is {flags, domain, frame}. Writing flags last opens it; Xen sets `reading` and `writing`
 * while the other domain uses it, so it is closed by a compare-and-swap from flags without those
 * two: if that fails the other side was there first. Free entries have flags 0, which Xen does not
 * look behind: their frame field holds the next free one, so the list costs no memory.
 */
#include "grants.h"
#include "layout.h"
#include "panic.h"
#include <stddef.h>
#include <xen/grant_table.h>

#define ENTRIES ((uint32_t)(WISP_GRANT_FRAMES * WISP_FRAME_SIZE / sizeof(grant_entry_v1_t)))

static unsigned char table_pages[WISP_GRANT_FRAMES * WISP_FRAME_SIZE] WISP_OWN_PAGE;
static uint32_t first_free, open_count;

static grant_entry_v1_t *entry_at(uint32_t reference)
{
    return (grant_entry_v1_t *)table_pages + reference;
}

WISP_BOOT void wisp_grants_init(const struct wisp_machine *machine)
{
    if (machine->map_grants(table_pages, WISP_GRANT_FRAMES) != 0) {
        wisp_panic("Xen gives no grant table of four frames (max_grant_frames=)");
    }
    first_free = GNTTAB_NR_RESERVED_ENTRIES;
    for (uint32_t i = first_free; i < ENTRIES; i++) {
        entry_at(i)->frame = i + 1;
    }
}

uint32_t wisp_grant_open(uint16_t domain, const void *page, bool writable)
{
    uint32_t reference = first_free;
    if (reference == ENTRIES) {
        return WISP_GRANT_FULL;
    }
    grant_entry_v1_t *entry = entry_at(reference);
    first_free = entry->frame;
    entry->frame = (uint32_t)wisp_frame_of(page);
    entry->domid = domain;
    /* Who and what must be visible before the flags that make the entry valid. */
    uint16_t flags = writable ? GTF_permit_access : GTF_permit_access | GTF_readonly;
    __atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
    open_count++;
    return reference;
}

bool wisp_grant_close(uint32_t reference)
{
    grant_entry_v1_t *entry = entry_at(reference);
    uint16_t flags =
        __atomic_load_n(&entry->flags, __ATOMIC_RELAXED) & (uint16_t) ~(GTF_reading | GTF_writing);
    if (!__atomic_compare_exchange_n(&entry->flags, &flags, 0, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_RELAXED)) {
        return false;
    }
    entry->frame = first_free;
    first_free = reference;
    open_count--;
    return true;
}

uint32_t wisp_grants_open(void)
{
    return open_count;
}
