/* SPDX-License-Identifier: ISC */
/* Faults: each ends in the panic. There are no interrupts. */
#include "layout.h"
#include "libc.h"
#include "machine.h"
#include "panic.h"
#include <xen/xen.h>

_Noreturn void wisp_trap(const struct wisp_trap_frame *frame);

enum { NAMED = 20 };

/* Behind each other, each with its zero: pointers to them would take half as much again. */
static const char names[] = "division by zero\0"
                            "debug trap\0"
                            "NMI\0"
                            "breakpoint\0"
                            "overflow\0"
                            "bound\0"
                            "invalid instruction\0"
                            "no FPU\0"
                            "double fault\0"
                            "segment overrun\0"
                            "invalid TSS\0"
                            "no segment\0"
                            "stack segment fault\0"
                            "general protection fault\0"
                            "page fault\0"
                            "trap 15\0"
                            "x87 error\0"
                            "alignment check\0"
                            "machine check\0"
                            "SIMD error";

static const char *name_of(uint64_t vector)
{
    const char *name = names;
    for (; vector > 0; vector--) {
        name += strlen(name) + 1;
    }
    return name;
}

static uint64_t fault_address(void)
{
    uint64_t address;
    if (wisp_guest.frame_list) {
        return wisp_guest.shared->vcpu_info[0].arch.cr2;
    }
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    return address;
}

enum { ERROR_PRESENT = 1, ERROR_WRITE = 2, ERROR_FETCH = 16 };

static bool within(uint64_t address, const unsigned char *start, const unsigned char *end)
{
    return address >= (uintptr_t)start && address < (uintptr_t)end;
}

static const char *page_fault_name(uint64_t error, uint64_t address)
{
    if (within(address, wisp_stack_guard, wisp_stack_bottom)) {
        return "the stack is used up: access to its guard";
    }
    if (address < WISP_FRAME_SIZE) {
        return "null pointer";
    }
    if (error & ERROR_FETCH) {
        return "jump to data";
    }
    if (!(error & ERROR_WRITE)) {
        return "read of unmapped memory";
    }
    if (!(error & ERROR_PRESENT)) {
        return "write to unmapped memory";
    }
    return within(address, wisp_text_start, wisp_text_end) ? "write to code"
                                                           : "write to read-only memory";
}

_Noreturn void wisp_trap(const struct wisp_trap_frame *frame)
{
    uint64_t address = frame->vector == 14 ? fault_address() : 0;
    const char *what = frame->vector < NAMED ? name_of(frame->vector) : "unknown trap";
    if (frame->vector == 14) {
        what = page_fault_name(frame->error, address);
    }
    wisp_panic_trap(frame, what, address);
}
