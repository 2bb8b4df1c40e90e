/* SPDX-License-Identifier: ISC */
/* The sealed guest's start: opens what the application needs, runs it, and ends the domain. */
#ifndef WISP_UNIKERNEL_PLATFORM_H
#define WISP_UNIKERNEL_PLATFORM_H

_Noreturn void wisp_platform_start(void);

#endif
