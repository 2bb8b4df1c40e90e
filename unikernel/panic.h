/* SPDX-License-Identifier: ISC */
/* The end of a guest that cannot go on: the reason, where it happened, and how it came there, on
 * the console; then the domain crashes, and the toolstack does what on_crash= says. */
#ifndef WISP_UNIKERNEL_PANIC_H
#define WISP_UNIKERNEL_PANIC_H

#include <stdint.h>

/* One line with the reason, then the backtrace. */
_Noreturn void wisp_panic(const char *reason);
/* The same with a number behind the reason. */
_Noreturn void wisp_panic_number(const char *reason, uint64_t number);

/* The registers as trap_entry.S pushes them. */
struct wisp_trap_frame {
    uint64_t rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbx, r12, r13, r14, r15, rbp;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Noreturn void wisp_panic_trap(const struct wisp_trap_frame *frame, const char *what,
                               uint64_t address);

#endif
