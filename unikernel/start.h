/* SPDX-License-Identifier: ISC */
/* The parts of include/wisp/platform.h, to be opened in the order in which start.c does it. */
#ifndef WISP_UNIKERNEL_START_H
#define WISP_UNIKERNEL_START_H

#include <wisp/platform.h>

/* start.c: opens all, runs the application, ends the domain. */
_Noreturn void wisp_start(void);

/* arguments.c: reads the command line; a wrong one ends the guest. */
void wisp_arguments_init(void);
/* log.c: reads --log. */
void wisp_log_init(void);
/* memory.c: divides the pool. */
void wisp_memory_init(void);
/* seed.c: gathers entropy; without any, ends the guest. */
void wisp_seed_init(void);
/* start.c: ends the domain in order. */
_Noreturn void wisp_start_end(void);
/* start.c: what to call once before the end; how an image that opened devices leaves their backends
 * in order while one that did not holds no driver. */
void wisp_start_at_end(void (*close)(void));

#endif
