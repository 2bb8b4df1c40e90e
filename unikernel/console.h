/* SPDX-License-Identifier: ISC */
/* The guest's console: a ring of 2 KiB that xenconsoled empties. */
#ifndef WISP_UNIKERNEL_CONSOLE_H
#define WISP_UNIKERNEL_CONSOLE_H

#include <stddef.h>

/* Writes text, waiting for room at most a tenth of a second in all: a console nobody reads must not
 * stop the guest. What finds no room is lost. */
void wisp_console_write(const char *text, size_t length);
/* Waits, at most a fifth of a second, until everything written has been taken. For the moment
 * before the end. */
void wisp_console_drain(void);

#endif
