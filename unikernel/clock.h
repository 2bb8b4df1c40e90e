/* SPDX-License-Identifier: ISC */
/* Time: nanoseconds since the boot, by the processor's counter as Xen scales it. */
#ifndef WISP_UNIKERNEL_CLOCK_H
#define WISP_UNIKERNEL_CLOCK_H

#include <wisp/clock.h>

/* Makes this moment zero. */
void wisp_clock_init(void);
/* Never less than the last answer. */
wisp_time wisp_clock_now(void);
/* The same moment on Xen's clock, for SCHEDOP_poll. */
uint64_t wisp_clock_system_time(wisp_time time);

#endif
