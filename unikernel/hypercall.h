/* SPDX-License-Identifier: ISC */
/* Calls to Xen. Each returns Xen's result: negative is minus an errno of xen/errno.h.
 *
 * The sealed guest has only sched_op and event_channel_op left; any other entry of the page is a
 * ud2 by then. */
#ifndef WISP_UNIKERNEL_HYPERCALL_H
#define WISP_UNIKERNEL_HYPERCALL_H

#include <stdint.h>
#include <xen/xen.h>

extern unsigned char wisp_hypercall_page[];

/* The number is part of the address called, so it must be a constant. */
#define WISP_HYPERCALL(number, a1, a2, a3, a4)                                                     \
    __extension__({                                                                                \
        long result_;                                                                              \
        uintptr_t arg1_ = (uintptr_t)(a1), arg2_ = (uintptr_t)(a2), arg3_ = (uintptr_t)(a3);       \
        register uintptr_t arg4_ __asm__("r10") = (uintptr_t)(a4);                                 \
        __asm__ volatile("call wisp_hypercall_page + %c[offset]"                                   \
                         : "=a"(result_), "+D"(arg1_), "+S"(arg2_), "+d"(arg3_), "+r"(arg4_)       \
                         : [offset] "i"((number)*32)                                               \
                         : "memory", "rcx", "r8", "r9", "r11", "cc");                              \
        result_;                                                                                   \
    })

static inline long wisp_hypercall_sched(unsigned cmd, void *arg)
{
    return WISP_HYPERCALL(__HYPERVISOR_sched_op, cmd, arg, 0, 0);
}

static inline long wisp_hypercall_event_channel(unsigned cmd, void *arg)
{
    return WISP_HYPERCALL(__HYPERVISOR_event_channel_op, cmd, arg, 0, 0);
}

static inline long wisp_hypercall_grant_table(unsigned cmd, void *arg, unsigned count)
{
    return WISP_HYPERCALL(__HYPERVISOR_grant_table_op, cmd, arg, count, 0);
}

static inline long wisp_hypercall_memory(unsigned cmd, void *arg)
{
    return WISP_HYPERCALL(__HYPERVISOR_memory_op, cmd, arg, 0, 0);
}

static inline long wisp_hypercall_hvm(unsigned cmd, void *arg)
{
    return WISP_HYPERCALL(__HYPERVISOR_hvm_op, cmd, arg, 0, 0);
}

static inline long wisp_hypercall_xen_version(unsigned cmd, void *arg)
{
    return WISP_HYPERCALL(__HYPERVISOR_xen_version, cmd, arg, 0, 0);
}

static inline long wisp_hypercall_set_trap_table(const trap_info_t *table)
{
    return WISP_HYPERCALL(__HYPERVISOR_set_trap_table, table, 0, 0, 0);
}

static inline long wisp_hypercall_mmu_update(const mmu_update_t *updates, unsigned count)
{
    return WISP_HYPERCALL(__HYPERVISOR_mmu_update, updates, count, 0, DOMID_SELF);
}

static inline long wisp_hypercall_update_va_mapping(uintptr_t va, uint64_t entry, unsigned flags)
{
    return WISP_HYPERCALL(__HYPERVISOR_update_va_mapping, va, entry, flags, 0);
}

#endif
