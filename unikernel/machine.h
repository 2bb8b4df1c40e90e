/* SPDX-License-Identifier: ISC */
/* What differs between the two ways to be a Xen guest, PV and PVH, and what both tell the rest.
 *
 * boot_pv.S and boot_pvh.S call wisp_boot with their struct wisp_machine; all its functions are of
 * the boot and gone afterwards. What stays is struct wisp_guest: filled by the boot, read-only from
 * the seal on. */
#ifndef WISP_UNIKERNEL_MACHINE_H
#define WISP_UNIKERNEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shared_info;
struct xencons_interface;
struct xenstore_domain_interface;

enum { WISP_CMDLINE_MAX = 1024, WISP_GRANT_FRAMES = 4 };

struct wisp_guest {
    const char *mode;     /* "PV" or "PVH" */
    uint32_t xen_version; /* major << 16 | minor */
    struct shared_info *shared;
    struct xencons_interface *console;
    struct xenstore_domain_interface *store;
    uint32_t console_port, store_port;
    /* PV: the machine frame of each page; null on PVH, where Xen knows a page by its number. */
    const unsigned long *frame_list;
    uint64_t memory_bytes; /* all the toolstack gave */
    /* What of it neither the image nor the tables need; mapped, whole pages. */
    uintptr_t pool_start, pool_end;
    uintptr_t tables_root; /* the level-4 table, readable, for seal_check.c */
    char cmdline[WISP_CMDLINE_MAX];
};

extern struct wisp_guest wisp_guest;

/* How a page may be used. */
enum wisp_access { WISP_ACCESS_NONE, WISP_ACCESS_READ, WISP_ACCESS_WRITE, WISP_ACCESS_EXECUTE };

struct wisp_machine {
    /* Fills wisp_guest up to the pool from what the toolstack passed in its register. After it the
     * console works. */
    void (*init)(const void *info);
    /* Makes faults reach wisp_trap. */
    void (*open_traps)(void);
    /* Maps the grant table's frames to the pages of wisp_grant_table. 0, or Xen's refusal. */
    long (*map_grants)(unsigned char *pages, unsigned count);
    /* Maps all memory, sets wisp_guest's pool. */
    void (*map_pool)(void);
    /* Gives every page its final access, drops the calls that could change it, unmaps the boot and
     * goes to wisp_sealed_entry; does not return. */
    void (*seal)(void);
};

extern const struct wisp_machine wisp_machine_pv, wisp_machine_pvh;

/* The frame number that Xen knows a mapped page of ours by: what goes into a grant. */
static inline unsigned long wisp_frame_of(const void *page)
{
    uintptr_t number = (uintptr_t)page >> 12;
    return wisp_guest.frame_list ? wisp_guest.frame_list[number] : number;
}

/* The access a page of the image, of low memory or beyond has once sealed; below the pool's start
 * only. (The machines add what they alone know of: tables, what the toolstack left.) */
enum wisp_access wisp_seal_access(uintptr_t page);
/* Empties the hypercall page but for what a sealed guest needs. */
void wisp_seal_hypercalls(void);

_Noreturn void wisp_boot(const void *info, const struct wisp_machine *machine);
_Noreturn void wisp_sealed(void);

#endif
