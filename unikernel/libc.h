/* SPDX-License-Identifier: ISC */
/* What the platform takes from musl beside the four functions of string.h. */
#ifndef WISP_UNIKERNEL_LIBC_H
#define WISP_UNIKERNEL_LIBC_H

#include <stdarg.h>
#include <stddef.h>

size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int vsnprintf(char *text, size_t size, const char *format, va_list args);

#endif
