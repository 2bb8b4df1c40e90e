/* SPDX-License-Identifier: ISC */
/*
 * The formatter of log lines and of wisp_platform_format, one for both platforms: an application that was tried as a
 * process says the same as a guest.
 */
#ifndef WISP_PLATFORM_FORMAT_H
#define WISP_PLATFORM_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * As vsnprintf: at most size bytes with the final zero, the full length returned. It knows %s %d %i %u %x %X %o %c %p
 * and %%, the lengths hh h l ll z t j, the flags 0 and -, a width, and a precision for %s (integers ignore it), either
 * of which may be *. From anything else on (floating point among it) the format is written out as it stands.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 0)))
#endif
int wisp_vformat(char *text, size_t size, const char *format, va_list args);

#endif
