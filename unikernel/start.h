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
/* device.c: leaves the backends in order. */
void wisp_devices_close(void);

#endif
