/* SPDX-License-Identifier: ISC */
/*
 * Time, as every module takes it: an argument, never read from a clock inside the stack.
 *
 * A wisp_time is a count of nanoseconds since a start the caller chooses (boot, program start, the first
 * frame of a capture). It never runs backwards; 64 bits last 584 years, so plain comparison is safe.
 */
#ifndef WISP_CLOCK_H
#define WISP_CLOCK_H

#include <stdint.h>

typedef uint64_t wisp_time;

/* A deadline that never comes. */
#define WISP_NEVER UINT64_MAX

#define WISP_NS(n)  ((wisp_time)(n))
#define WISP_US(n)  (WISP_NS(n) * 1000u)
#define WISP_MS(n)  (WISP_NS(n) * 1000000u)
#define WISP_SEC(n) (WISP_NS(n) * 1000000000u)

/* The earlier of two times. */
static inline wisp_time wisp_time_min(wisp_time a, wisp_time b)
{
    return a < b ? a : b;
}

/* t + delta, staying at WISP_NEVER instead of wrapping. */
static inline wisp_time wisp_time_add(wisp_time t, wisp_time delta)
{
    wisp_time sum = t + delta;
    return sum < t ? WISP_NEVER : sum;
}

#endif
