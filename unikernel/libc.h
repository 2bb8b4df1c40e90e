/* SPDX-License-Identifier: ISC */
/* What the platform takes from musl beside the four functions of string.h. */
#ifndef WISP_UNIKERNEL_LIBC_H
#define WISP_UNIKERNEL_LIBC_H

#include <stddef.h>

size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

#endif
