/* SPDX-License-Identifier: ISC */
/*
 * Says why, where and how it came there, and crashes the domain. Uses nothing that may be broken by
 * then: no memory, no formatting library, no xenstore. A panic within the panic ends at once.
 */
#include "panic.h"
#include "console.h"
#include "layout.h"
#include "shutdown.h"
#include <stdbool.h>
#include <stddef.h>

enum { BACKTRACE_MAX = 16 };

static void say(const char *text)
{
    size_t length = 0;
    while (text[length]) {
        length++;
    }
    wisp_console_write(text, length);
}

static void say_number(const char *label, uint64_t value)
{
    char digits[19] = "0x";
    unsigned at = 2;
    for (int shift = 60; shift >= 0; shift -= 4) {
        if (value >> shift || shift == 0) {
            digits[at++] = "0123456789abcdef"[value >> shift & 15];
        }
    }
    digits[at] = 0;
    say(label);
    say(digits);
}

/* Frame pointers lead up the stack; anything that is not on it, or does not go up, ends the walk.
 */
static void say_backtrace(uint64_t frame)
{
    say("\r\n  backtrace");
    for (unsigned depth = 0; depth < BACKTRACE_MAX; depth++) {
        if (frame & 7 || frame < (uintptr_t)wisp_stack_bottom ||
            frame > (uintptr_t)wisp_stack_top - 16) {
            break;
        }
        const uint64_t *at = (const uint64_t *)frame;
        say_number(" ", at[1]);
        if (at[0] <= frame) {
            break;
        }
        frame = at[0];
    }
    say("\r\n");
}

static void once(void)
{
    static bool panicking;
    if (panicking) {
        wisp_shutdown(WISP_SHUTDOWN_CRASH);
    }
    panicking = true;
}

static _Noreturn void end(uint64_t frame)
{
    say_backtrace(frame);
    wisp_console_drain();
    wisp_shutdown(WISP_SHUTDOWN_CRASH);
}

_Noreturn void wisp_panic(const char *reason)
{
    once();
    say("\r\npanic: ");
    say(reason);
    end((uintptr_t)__builtin_frame_address(0));
}

/* The C library's functions check their frames. */
_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
    wisp_panic("a buffer on the stack was overrun");
}

/* A library's assertion. The C library's own would print with stdio and end with a system call, and there is none. */
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line, const char *function);
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
    (void)file;
    (void)line;
    (void)function;
    wisp_panic(what);
}

_Noreturn void wisp_panic_number(const char *reason, uint64_t number)
{
    once();
    say("\r\npanic: ");
    say(reason);
    say_number(" ", number);
    end((uintptr_t)__builtin_frame_address(0));
}

_Noreturn void wisp_panic_trap(const struct wisp_trap_frame *frame, const char *what,
                               uint64_t address)
{
    once();
    say("\r\npanic: ");
    say(what);
    say_number(", address ", address);
    say_number("\r\n  rip ", frame->rip);
    say_number(" rsp ", frame->rsp);
    say_number(" rbp ", frame->rbp);
    say_number(" trap ", frame->vector);
    say_number(" error ", frame->error);
    say_number("\r\n  rax ", frame->rax);
    say_number(" rcx ", frame->rcx);
    say_number(" rdx ", frame->rdx);
    say_number(" rsi ", frame->rsi);
    say_number(" rdi ", frame->rdi);
    say_number(" rbx ", frame->rbx);
    end(frame->rbp);
}
