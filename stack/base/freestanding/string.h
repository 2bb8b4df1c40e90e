/* SPDX-License-Identifier: ISC */
/* The four functions the stack needs from outside, for builds without a C library's headers. */
#ifndef WISP_FREESTANDING_STRING_H
#define WISP_FREESTANDING_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memcpy(void *__restrict to, const void *__restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#ifdef __cplusplus
}
#endif

#endif
