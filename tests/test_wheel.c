/* SPDX-License-Identifier: ISC */
/* The timer wheel against a plain list: never early, at most a tick late, whatever the steps of time. */
#include "suite.h"
#include "wheel.h"
#include <stdlib.h>

#define TICK (1u << WISP_WHEEL_TICK_BITS)

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

START_TEST(one_timer__time_passes__fires_once_and_not_early)
{
    static const wisp_time ats[] = {0,
                                    1,
                                    TICK,
                                    TICK + 1,
                                    WISP_MS(4),
                                    WISP_MS(5),
                                    WISP_SEC(1),
                                    WISP_SEC(3600),
                                    WISP_SEC(86400) * 100};
    for (size_t i = 0; i < sizeof(ats) / sizeof(ats[0]); i++) {
        struct wisp_wheel wheel;
        struct wisp_timer timer = {0};
        wisp_wheel_init(&wheel, 0);
        wisp_wheel_set(&wheel, &timer, ats[i]);
        wisp_time now = 0;
        int steps = 0;
        while (!wisp_wheel_expire(&wheel, now)) {
            wisp_time next = wisp_wheel_deadline(&wheel, now);
            ck_assert_msg(next > now, "row %zu", i);
            ck_assert_msg(next < ats[i] + TICK, "row %zu", i);
            now = next;
            ck_assert_int_lt(++steps, 100);
        }
        ck_assert_msg(now >= ats[i], "row %zu fired early", i);
        ck_assert(!wisp_timer_is_set(&timer));
        ck_assert_ptr_null(wisp_wheel_expire(&wheel, now + WISP_SEC(1)));
        ck_assert(wisp_wheel_deadline(&wheel, now + WISP_SEC(1)) == WISP_NEVER);
    }
}
END_TEST

#define TIMERS 300

START_TEST(many_timers__random_sets_clears_and_steps__agree_with_a_list)
{
    struct wisp_wheel *wheel = malloc(sizeof(*wheel));
    struct wisp_timer timer[TIMERS] = {{0}};
    bool set[TIMERS] = {false};
    wisp_time now = WISP_SEC(5);
    wisp_wheel_init(wheel, now);
    for (int round = 0; round < 3000; round++) {
        size_t i = random_next() % TIMERS;
        unsigned bits = (unsigned)(random_next() % 45);
        if (random_next() % 4 == 0) {
            wisp_wheel_clear(wheel, &timer[i]);
            set[i] = false;
        } else {
            wisp_wheel_set(wheel, &timer[i], now + (random_next() & (((uint64_t)1 << bits) - 1)));
            set[i] = true;
        }
        now += random_next() & (((uint64_t)1 << (random_next() % 30)) - 1);
        struct wisp_timer *fired;
        while ((fired = wisp_wheel_expire(wheel, now))) {
            size_t k = (size_t)(fired - timer);
            ck_assert(set[k] && fired->at <= now);
            set[k] = false;
        }
        wisp_time deadline = wisp_wheel_deadline(wheel, now);
        ck_assert(deadline > now);
        for (size_t k = 0; k < TIMERS; k++) {
            ck_assert(set[k] == wisp_timer_is_set(&timer[k]));
            if (set[k]) {
                ck_assert_msg(timer[k].at + TICK > now, "a timer is late");
                ck_assert_msg(deadline < timer[k].at + TICK, "the deadline is too late");
            }
        }
    }
    free(wheel);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wheel");
    TCase *tcase = tcase_create("wheel");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, one_timer__time_passes__fires_once_and_not_early);
    tcase_add_test(tcase, many_timers__random_sets_clears_and_steps__agree_with_a_list);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
