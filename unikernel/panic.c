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
#include <string.h>

enum { BACKTRACE_MAX = 32 };

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

static bool in_text(uint64_t address)
{
    return address >= (uintptr_t)wisp_text_start && address < (uintptr_t)wisp_text_end;
}

/* Does a call end at address? One to a fixed place must lead into .text; one by a pointer is ff /2,
 * of 2, 3 or 6 bytes. */
static bool follows_call(uint64_t address)
{
    const uint8_t *code = (const uint8_t *)address;
    int32_t distance;
    if (!in_text(address) || address - (uintptr_t)wisp_text_start < 6) {
        return false;
    }
    memcpy(&distance, code - 4, sizeof(distance));
    return (code[-5] == 0xe8 && in_text(address + (uint64_t)(int64_t)distance)) ||
           (code[-2] == 0xff && (code[-1] & 0x38) == 0x10) ||
           (code[-3] == 0xff && (code[-2] & 0x38) == 0x10) ||
           (code[-6] == 0xff && (code[-5] & 0x38) == 0x10);
}

/* Frame pointers would cost 2 % of an image, so the stack is searched, from where it stands
 * upwards, for words that follow a call: the way here, with now and then an older one in between.
 */
static void say_backtrace(uint64_t at)
{
    unsigned found = 0;
    if (at < (uintptr_t)wisp_stack_bottom || at > (uintptr_t)wisp_stack_top) {
        at = (uintptr_t)wisp_stack_bottom; /* the stack is used up, or lost */
    }
    at = (at + 7) & ~UINT64_C(7);
    say("\r\n  backtrace");
    for (; at < (uintptr_t)wisp_stack_top && found < BACKTRACE_MAX; at += 8) {
        uint64_t word = *(const uint64_t *)at;
        if (follows_call(word)) {
            say_number(" ", word);
            found++;
        }
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

static _Noreturn void end(uint64_t stack)
{
    say_backtrace(stack);
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
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line,
                             const char *function);
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line,
                             const char *function)
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
    end(frame->rsp);
}
