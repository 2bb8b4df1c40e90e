/* SPDX-License-Identifier: ISC */
/* What the C library finds at %fs: a pointer to itself and, at 0x28, the stack protector's canary.
 * Nothing of musl's that an image uses reads further than a few words. */
#ifndef WISP_UNIKERNEL_THREAD_H
#define WISP_UNIKERNEL_THREAD_H

#include <stdint.h>

struct wisp_thread {
    struct wisp_thread *self;
    uintptr_t unused[4];
    uintptr_t canary;
    uintptr_t rest[58];
};

extern struct wisp_thread wisp_thread;

#endif
