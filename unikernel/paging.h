/* SPDX-License-Identifier: ISC */
/* Page-table entries, as both machines write them. */
#ifndef WISP_UNIKERNEL_PAGING_H
#define WISP_UNIKERNEL_PAGING_H

#include "machine.h"
#include <stdbool.h>
#include <stdint.h>

#define WISP_TABLE_ENTRIES 512u
#define WISP_REGION_SIZE   UINT64_C(0x200000) /* what one level-1 table maps */

#define WISP_PTE_PRESENT UINT64_C(0x001)
#define WISP_PTE_WRITE   UINT64_C(0x002)
#define WISP_PTE_USER    UINT64_C(0x004)
#define WISP_PTE_LARGE   UINT64_C(0x080)
#define WISP_PTE_NX      (UINT64_C(1) << 63)
#define WISP_PTE_FRAME   UINT64_C(0x000ffffffffff000)

/* Accessed and dirty are set ahead, so the processor never has to write to a table. User: PV's
 * kernel runs in ring 3; PVH leaves it out. */
#define WISP_PTE_TOUCHED  UINT64_C(0x060)
#define WISP_PTE_CODE     (WISP_PTE_PRESENT | WISP_PTE_USER | WISP_PTE_TOUCHED)
#define WISP_PTE_CONSTANT (WISP_PTE_CODE | WISP_PTE_NX)
#define WISP_PTE_DATA     (WISP_PTE_CONSTANT | WISP_PTE_WRITE)
#define WISP_PTE_TABLE    (WISP_PTE_CODE | WISP_PTE_WRITE)

/* Which entry of its table at level (1 to 4) maps address. */
static inline unsigned wisp_pte_index(uintptr_t address, unsigned level)
{
    return (unsigned)(address >> (12 + 9 * (level - 1))) & 511;
}

static inline unsigned long wisp_pte_frame(uint64_t entry)
{
    return (entry & WISP_PTE_FRAME) >> 12;
}

/* The entry for the same frame as entry, with access. */
static inline uint64_t wisp_pte_with_access(uint64_t entry, enum wisp_access access)
{
    uint64_t frame = entry & WISP_PTE_FRAME;
    switch (access) {
    case WISP_ACCESS_READ:
        return frame | WISP_PTE_CONSTANT;
    case WISP_ACCESS_WRITE:
        return frame | WISP_PTE_DATA;
    case WISP_ACCESS_EXECUTE:
        return frame | WISP_PTE_CODE;
    case WISP_ACCESS_NONE:
        break;
    }
    return 0;
}

#endif
