/* SPDX-License-Identifier: ISC */
/*
 * A hierarchical timer wheel: O(1) to set and to clear, however many timers there are. A timer is part of
 * what it times. Ticks are 2^16 ns (65.5 us); a timer fires in the first wisp_wheel_expire at or after its
 * time, never before.
 */
#ifndef WISP_BASE_WHEEL_H
#define WISP_BASE_WHEEL_H

#include <stdbool.h>
#include <wisp/clock.h>

#define WISP_WHEEL_TICK_BITS 16
#define WISP_WHEEL_BITS      6 /* 64 slots a level */
#define WISP_WHEEL_SLOTS     64
#define WISP_WHEEL_LEVELS    6 /* 4 ms, 268 ms, 17 s, 18 min, 19 h, 52 days; beyond: the last level */

struct wisp_timer {
    struct wisp_timer *next;
    struct wisp_timer **link; /* what points to this one; null: not set */
    wisp_time at;
};

struct wisp_wheel {
    uint64_t tick;                    /* all ticks before this one are done */
    uint64_t used[WISP_WHEEL_LEVELS]; /* a bit per slot that holds a timer */
    struct wisp_timer *slot[WISP_WHEEL_LEVELS][WISP_WHEEL_SLOTS];
};

void wisp_wheel_init(struct wisp_wheel *wheel, wisp_time now);

static inline bool wisp_timer_is_set(const struct wisp_timer *timer)
{
    return timer->link != 0;
}

/* Sets or moves a timer to time at. */
void wisp_wheel_set(struct wisp_wheel *wheel, struct wisp_timer *timer, wisp_time at);

/* Clears a timer; one that is not set stays so. */
void wisp_wheel_clear(struct wisp_wheel *wheel, struct wisp_timer *timer);

/* Takes one timer whose time has come off the wheel, or gives null when there is none at now. */
struct wisp_timer *wisp_wheel_expire(struct wisp_wheel *wheel, wisp_time now);

/*
 * When wisp_wheel_expire must be called next, so that no timer fires more than a tick late; later than now,
 * so ask once expire has given null. WISP_NEVER when no timer is set. A timer far ahead may be announced
 * early (its slot is then sorted finer).
 */
wisp_time wisp_wheel_deadline(const struct wisp_wheel *wheel, wisp_time now);

#endif
