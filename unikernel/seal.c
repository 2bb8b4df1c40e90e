/* SPDX-License-Identifier: ISC */
/*
 * What each page of the image may be used for, and which calls a sealed guest keeps. Part of the
 * boot: once the machine has applied it, this code is no longer mapped.
 */
#include "hypercall.h"
#include "layout.h"
#include "machine.h"
#include <string.h>

/* What keeps its entry: sched_op to block and to end, event_channel_op to speak with backends.
 * Grants are made by writing to the table, the time is read from the shared page. */
WISP_BOOT_CONST static const unsigned char kept[] = {__HYPERVISOR_sched_op,
                                                     __HYPERVISOR_event_channel_op};

struct range {
    const unsigned char *start, *end;
    enum wisp_access access;
};

WISP_BOOT_CONST static const struct range ranges[] = {
    {wisp_text_start, wisp_text_end, WISP_ACCESS_EXECUTE},
    {wisp_hypercall_page, wisp_hypercall_page + WISP_FRAME_SIZE, WISP_ACCESS_EXECUTE},
    {wisp_rodata_start, wisp_rodata_end, WISP_ACCESS_READ},
    {wisp_sealed_start, wisp_sealed_end, WISP_ACCESS_READ},
    {wisp_fault_guard, wisp_fault_stack_bottom, WISP_ACCESS_NONE},
    {wisp_stack_guard, wisp_stack_bottom, WISP_ACCESS_NONE},
    {wisp_data_start, wisp_image_end, WISP_ACCESS_WRITE},
};

WISP_BOOT enum wisp_access wisp_seal_access(uintptr_t page)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (page >= (uintptr_t)ranges[i].start && page < (uintptr_t)ranges[i].end) {
            return ranges[i].access;
        }
    }
    return WISP_ACCESS_NONE; /* the boot, and all below it */
}

WISP_BOOT static bool is_kept(unsigned number)
{
    for (size_t i = 0; i < sizeof(kept); i++) {
        if (kept[i] == number) {
            return true;
        }
    }
    return false;
}

WISP_BOOT void wisp_seal_hypercalls(void)
{
    for (unsigned number = 0; number < WISP_FRAME_SIZE / 32; number++) {
        unsigned char *entry = wisp_hypercall_page + number * 32;
        for (unsigned at = 0; at < 32 && !is_kept(number); at += 2) {
            entry[at] = 0x0f; /* ud2 */
            entry[at + 1] = 0x0b;
        }
    }
}
