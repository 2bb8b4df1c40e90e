/* SPDX-License-Identifier: ISC */
/*
 * The hierarchical wheel. Level l has 64 slots of 64^l ticks each. A timer that falls due d ticks ahead lies
 * in the lowest level whose span covers d; when the wheel reaches a slot of a higher level, its timers are
 * put in again and land lower.
 *
 * Invariants: a timer's tick (its time rounded up) is >= wheel->tick; a slot's bit in used[] is set exactly
 * when its list is not empty; the slot that tick stands in at level l > 0 is empty once tick has entered it.
 *
 * A timer is due when its tick <= the tick that now has reached in full, so never early; at most one tick
 * late, plus what the caller's polling adds.
 */
#include "wheel.h"
#include <stddef.h>

#define SLOT_MASK (WISP_WHEEL_SLOTS - 1u)

static uint64_t tick_of(wisp_time at)
{
    return (at >> WISP_WHEEL_TICK_BITS) + ((at & ((1u << WISP_WHEEL_TICK_BITS) - 1)) != 0);
}

static void insert(struct wisp_wheel *wheel, struct wisp_timer *timer)
{
    uint64_t tick = tick_of(timer->at);
    if (tick < wheel->tick) {
        tick = wheel->tick;
    }
    unsigned level = 0;
    uint64_t ahead = tick ^ wheel->tick;
    while (level < WISP_WHEEL_LEVELS - 1 && ahead >> (WISP_WHEEL_BITS * (level + 1))) {
        level++;
    }
    uint64_t position = tick >> (WISP_WHEEL_BITS * level);
    uint64_t here = wheel->tick >> (WISP_WHEEL_BITS * level);
    if (position - here >= WISP_WHEEL_SLOTS) {
        /* beyond the last level: sorted again when that slot is reached */
        position = here + SLOT_MASK;
    }
    unsigned slot = (unsigned)(position & SLOT_MASK);
    struct wisp_timer **head = &wheel->slot[level][slot];
    timer->next = *head;
    timer->link = head;
    if (*head) {
        (*head)->link = &timer->next;
    }
    *head = timer;
    wheel->used[level] |= (uint64_t)1 << slot;
}

static void unlink_timer(struct wisp_wheel *wheel, struct wisp_timer *timer)
{
    struct wisp_timer **link = timer->link;
    *link = timer->next;
    if (timer->next) {
        timer->next->link = link;
    }
    timer->link = NULL;
    struct wisp_timer **first = &wheel->slot[0][0];
    struct wisp_timer **last = &wheel->slot[WISP_WHEEL_LEVELS - 1][SLOT_MASK];
    if (*link == NULL && link >= first && link <= last) {
        size_t index = (size_t)(link - first);
        wheel->used[index / WISP_WHEEL_SLOTS] &= ~((uint64_t)1 << (index % WISP_WHEEL_SLOTS));
    }
}

void wisp_wheel_init(struct wisp_wheel *wheel, wisp_time now)
{
    *wheel = (struct wisp_wheel){.tick = now >> WISP_WHEEL_TICK_BITS};
}

void wisp_wheel_clear(struct wisp_wheel *wheel, struct wisp_timer *timer)
{
    if (timer->link) {
        unlink_timer(wheel, timer);
    }
}

void wisp_wheel_set(struct wisp_wheel *wheel, struct wisp_timer *timer, wisp_time at)
{
    wisp_wheel_clear(wheel, timer);
    timer->at = at;
    insert(wheel, timer);
}

/* The first tick >= wheel->tick at which a slot of some level must be looked at; UINT64_MAX: none. */
static uint64_t next_tick(const struct wisp_wheel *wheel)
{
    uint64_t best = UINT64_MAX;
    for (unsigned level = 0; level < WISP_WHEEL_LEVELS; level++) {
        if (!wheel->used[level]) {
            continue;
        }
        unsigned shift = WISP_WHEEL_BITS * level;
        uint64_t here = wheel->tick >> shift;
        unsigned at = (unsigned)(here & SLOT_MASK);
        uint64_t turned =
            at ? wheel->used[level] >> at | wheel->used[level] << (64 - at) : wheel->used[level];
        uint64_t slot = here + (unsigned)__builtin_ctzll(turned);
        uint64_t tick = slot << shift;
        if (tick < wheel->tick) {
            tick = wheel->tick;
        }
        if (tick < best) {
            best = tick;
        }
    }
    return best;
}

/* The wheel now stands at a new tick: slots of higher levels that begin here are sorted finer. */
static void cascade(struct wisp_wheel *wheel)
{
    for (unsigned level = WISP_WHEEL_LEVELS - 1; level > 0; level--) {
        unsigned slot = (unsigned)(wheel->tick >> (WISP_WHEEL_BITS * level) & SLOT_MASK);
        struct wisp_timer *timer = wheel->slot[level][slot];
        wheel->slot[level][slot] = NULL;
        wheel->used[level] &= ~((uint64_t)1 << slot);
        while (timer) {
            struct wisp_timer *next = timer->next;
            insert(wheel, timer);
            timer = next;
        }
    }
}

struct wisp_timer *wisp_wheel_expire(struct wisp_wheel *wheel, wisp_time now)
{
    uint64_t reached = now >> WISP_WHEEL_TICK_BITS;
    for (;;) {
        struct wisp_timer *timer = wheel->slot[0][wheel->tick & SLOT_MASK];
        if (timer && wheel->tick <= reached) {
            unlink_timer(wheel, timer);
            return timer;
        }
        uint64_t next = next_tick(wheel);
        if (next > reached) {
            if (reached > wheel->tick) {
                wheel->tick = reached;
                cascade(wheel);
            }
            return NULL;
        }
        wheel->tick = next;
        cascade(wheel);
    }
}

wisp_time wisp_wheel_deadline(const struct wisp_wheel *wheel, wisp_time now)
{
    uint64_t tick = next_tick(wheel);
    if (tick > WISP_NEVER >> WISP_WHEEL_TICK_BITS) {
        return WISP_NEVER;
    }
    wisp_time at = tick << WISP_WHEEL_TICK_BITS;
    return at > now ? at : now + 1;
}
