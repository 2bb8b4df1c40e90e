/* SPDX-License-Identifier: ISC */
/*
 * The PVH machine: ring 0 of a container without devices. boot_pvh.S turned paging on with a
 * provisional map; here the final tables are built beside it: the image and the tables by 4 KiB
 * pages, each with its access, the rest of memory by 2 MiB pages, the two rings near 4 GiB. Loading
 * them is the last act of the boot: it makes the tables read-only, unmaps the boot's code (with the
 * only instructions that write control registers and MSRs), and goes on in .text.
 *
 * Leaves out: memory beyond the hole below 4 GiB.
 */
#include "console.h"
#include "hypercall.h"
#include "layout.h"
#include "machine.h"
#include "paging.h"
#include "panic.h"
#include "trap_entry.h"
#include <stdbool.h>
#include <string.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>

extern unsigned char wisp_pvh_trap_entries[];
_Noreturn void wisp_pvh_boot_leave(uintptr_t root);

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct __attribute__((packed)) task_state {
    uint32_t reserved0;
    uint64_t stack[3], reserved1, fault_stack[7], reserved2;
    uint16_t reserved3, io_map;
};

struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint64_t base;
};

enum { SELECTOR_CODE = 8, SELECTOR_TASK = 24, GATES = 20 };

static struct gate gates[GATES] WISP_SEALED;
static struct task_state task WISP_SEALED;
static uint64_t segments[5] WISP_SEALED;
static unsigned char shared_page[WISP_FRAME_SIZE] WISP_OWN_PAGE;
static uintptr_t tables_start, tables_end, next_table;

WISP_BOOT static void require(bool good, const char *what)
{
    if (!good) {
        wisp_panic(what);
    }
}

WISP_BOOT static void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(0));
}

/* Xen's leaves lie at 0x40000000, or higher where it pretends to be another hypervisor as well. */
WISP_BOOT static void open_hypercalls(void)
{
    for (uint32_t base = XEN_CPUID_FIRST_LEAF; base < XEN_CPUID_FIRST_LEAF + 0x10000;
         base += 0x100) {
        uint32_t r[4];
        cpuid(base, r);
        if (r[1] != XEN_CPUID_SIGNATURE_EBX || r[2] != XEN_CPUID_SIGNATURE_ECX ||
            r[3] != XEN_CPUID_SIGNATURE_EDX) {
            continue;
        }
        cpuid(base + 2, r);
        uintptr_t page = (uintptr_t)wisp_hypercall_page;
        __asm__ volatile("wrmsr"
                         :
                         : "c"(r[1]), "a"((uint32_t)page), "d"((uint32_t)(page >> 32))
                         : "memory");
        return;
    }
    __builtin_trap(); /* not on Xen: there is not even a console to say so on */
}

WISP_BOOT static void place(unsigned space, unsigned long index, const void *page)
{
    xen_add_to_physmap_t add = {.domid = DOMID_SELF,
                                .space = space,
                                .idx = index,
                                .gpfn = (uintptr_t)page >> WISP_FRAME_SHIFT};
    require(wisp_hypercall_memory(XENMEM_add_to_physmap, &add) == 0,
            "Xen refused a page of its own");
}

WISP_BOOT static uint64_t parameter(uint32_t index)
{
    xen_hvm_param_t param = {.domid = DOMID_SELF, .index = index};
    return wisp_hypercall_hvm(HVMOP_get_param, &param) == 0 ? param.value : 0;
}

/* The piece of RAM that holds the image. */
WISP_BOOT static uint64_t memory_end(const struct hvm_start_info *info)
{
    const struct hvm_memmap_table_entry *map = (const void *)info->memmap_paddr;
    uint64_t image = (uintptr_t)wisp_boot_start;
    for (uint32_t i = 0; info->version >= 1 && i < info->memmap_entries; i++) {
        if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM && map[i].addr <= image &&
            image - map[i].addr < map[i].size) {
            return map[i].addr + map[i].size;
        }
    }
    return 0;
}

WISP_BOOT static void pvh_init(const void *start)
{
    const struct hvm_start_info *info = start;
    struct wisp_guest *guest = &wisp_guest;
    open_hypercalls();
    guest->mode = "PVH";
    place(XENMAPSPACE_shared_info, 0, shared_page);
    guest->shared = (struct shared_info *)shared_page;
    if (info->cmdline_paddr) {
        for (size_t i = 0; i < sizeof(guest->cmdline) - 1; i++) {
            if (!(guest->cmdline[i] = ((const char *)info->cmdline_paddr)[i])) {
                break;
            }
        }
    }
    guest->memory_bytes = memory_end(info) & ~(WISP_FRAME_SIZE - 1);
    guest->console =
        (struct xencons_interface *)(parameter(HVM_PARAM_CONSOLE_PFN) << WISP_FRAME_SHIFT);
    guest->console_port = (uint32_t)parameter(HVM_PARAM_CONSOLE_EVTCHN);
    guest->store =
        (struct xenstore_domain_interface *)(parameter(HVM_PARAM_STORE_PFN) << WISP_FRAME_SHIFT);
    guest->store_port = (uint32_t)parameter(HVM_PARAM_STORE_EVTCHN);
}

WISP_BOOT static void set_gate(unsigned vector, uintptr_t entry)
{
    gates[vector] = (struct gate){.offset_low = (uint16_t)entry,
                                  .selector = SELECTOR_CODE,
                                  .stack = 1,
                                  .type = 0x8e, /* present, interrupt gate */
                                  .offset_middle = (uint16_t)(entry >> 16),
                                  .offset_high = (uint32_t)(entry >> 32)};
}

/* Each fault has the fault stack: a stack that ran into its guard cannot take the frame. */
WISP_BOOT static void pvh_open_traps(void)
{
    uint64_t base = (uintptr_t)&task;
    task.fault_stack[0] = (uintptr_t)wisp_fault_stack_top;
    task.io_map = sizeof(task);
    segments[1] = 0x00af9b000000ffff;
    segments[2] = 0x00cf93000000ffff;
    segments[3] = (sizeof(task) - 1) | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 |
                  (base >> 24 & 0xff) << 56;
    segments[4] = base >> 32;
    for (unsigned i = 0; i < GATES; i++) {
        set_gate(i, (uintptr_t)wisp_pvh_trap_entries + WISP_PVH_TRAP_SIZE * i);
    }
    struct table_register idt = {sizeof(gates) - 1, (uintptr_t)gates};
    struct table_register gdt = {sizeof(segments) - 1, (uintptr_t)segments};
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2" : : "m"(gdt), "m"(idt), "r"(SELECTOR_TASK));
}

WISP_BOOT static long pvh_map_grants(unsigned char *pages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        place(XENMAPSPACE_grant_table, i, pages + i * WISP_FRAME_SIZE);
    }
    return 0;
}

WISP_BOOT static uint64_t *table_take(void)
{
    uint64_t *table = (uint64_t *)next_table;
    require(next_table < tables_end, "too few pages for the tables");
    next_table += WISP_FRAME_SIZE;
    memset(table, 0, WISP_FRAME_SIZE);
    return table;
}

/* The entry for address at level, with the tables above it. */
WISP_BOOT static uint64_t *entry_of(uintptr_t address, unsigned level)
{
    uint64_t *table = (uint64_t *)wisp_guest.tables_root;
    for (unsigned at = 4; at > level; at--) {
        uint64_t *entry = &table[wisp_pte_index(address, at)];
        if (!*entry) {
            *entry = (uintptr_t)table_take() | (WISP_PTE_TABLE & ~WISP_PTE_USER);
        }
        table = (uint64_t *)(*entry & WISP_PTE_FRAME);
    }
    return &table[wisp_pte_index(address, level)];
}

WISP_BOOT static void map_page(uintptr_t page, enum wisp_access access)
{
    uint64_t entry = wisp_pte_with_access(page & WISP_PTE_FRAME, access);
    *entry_of(page, 1) = entry & ~WISP_PTE_USER;
}

WISP_BOOT static enum wisp_access access_of(uintptr_t page)
{
    if (page < (uintptr_t)wisp_image_end) {
        return wisp_seal_access(page);
    }
    return page < tables_end ? WISP_ACCESS_READ : WISP_ACCESS_WRITE;
}

/* Level 1 for what begins by small pages and for the last, incomplete region; level 2 for each GiB;
 * the rest of the eight: levels 4 and 3, and two chains of 2 and 1 for the rings. */
WISP_BOOT static uint64_t tables_needed(uint64_t memory)
{
    uint64_t small = ((uintptr_t)wisp_image_end >> 21) + 3;
    return small + 1 + (memory >> 30) + 1 + 8;
}

WISP_BOOT static void pvh_map_pool(void)
{
    uint64_t memory = wisp_guest.memory_bytes;
    tables_start = (uintptr_t)wisp_image_end;
    tables_end = tables_start + tables_needed(memory) * WISP_FRAME_SIZE;
    next_table = tables_start;
    require(memory > tables_end, "no memory map, or too little memory");
    wisp_guest.tables_root = (uintptr_t)table_take();
    for (uintptr_t at = 0; at < memory;) {
        if (at >= tables_end && at % WISP_REGION_SIZE == 0 && memory - at >= WISP_REGION_SIZE) {
            *entry_of(at, 2) = at | WISP_PTE_LARGE | (WISP_PTE_DATA & ~WISP_PTE_USER);
            at += WISP_REGION_SIZE;
        } else {
            map_page(at, access_of(at));
            at += WISP_FRAME_SIZE;
        }
    }
    map_page((uintptr_t)wisp_guest.console, WISP_ACCESS_WRITE);
    map_page((uintptr_t)wisp_guest.store, WISP_ACCESS_WRITE);
    wisp_guest.pool_start = tables_end;
    wisp_guest.pool_end = memory;
}

WISP_BOOT static _Noreturn void pvh_seal(void)
{
    wisp_seal_hypercalls();
    wisp_pvh_boot_leave(wisp_guest.tables_root);
}

WISP_BOOT_CONST const struct wisp_machine wisp_machine_pvh = {
    .init = pvh_init,
    .open_traps = pvh_open_traps,
    .map_grants = pvh_map_grants,
    .map_pool = pvh_map_pool,
    .seal = pvh_seal,
};
