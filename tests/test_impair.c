/* SPDX-License-Identifier: ISC */
/* The fault injector and the rate limiter: chances are met, order and counts are kept, nothing leaks. */
#include "impair.h"
#include "link.h"
#include "rate.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct wisp_link *the_link;
static struct wisp_pool *pool[2];
static void *memory[5];

static void setup(void)
{
    struct wisp_link_config config = {.mtu = 1500, .packets = 64};
    for (int i = 0; i < 2; i++) {
        memory[2 * i] = aligned_alloc(WISP_PAGE_SIZE, 4096 * WISP_PAGE_SIZE);
        memory[2 * i + 1] = malloc(wisp_pool_size(4096));
        pool[i] =
            wisp_pool_init(memory[2 * i + 1], wisp_pool_size(4096), memory[2 * i], 4096, 0, false);
    }
    memory[4] = aligned_alloc(64, wisp_link_size(&config));
    the_link = calloc(1, sizeof(*the_link));
    ck_assert(wisp_link_init(the_link, &config, memory[4], wisp_link_size(&config), pool));
}

static void teardown(void)
{
    struct wisp_pool_stats stats;
    wisp_link_fini(the_link);
    for (int i = 0; i < 2; i++) {
        wisp_pool_stats(pool[i], &stats);
        ck_assert_uint_eq(stats.in_use, 0);
    }
    for (int i = 0; i < 5; i++) {
        free(memory[i]);
    }
    free(the_link);
}

static void inject(uint32_t number, uint32_t length)
{
    uint8_t frame[1514] = {0};
    memcpy(frame, &number, 4);
    ck_assert(wisp_link_inject(wisp_link_dev(the_link, 0), frame, length));
}

/* Takes what arrives at now; numbers go to out. */
static uint32_t take(struct wisp_netdev *dev, wisp_time now, uint32_t *out)
{
    struct wisp_pkt *pkt;
    uint32_t n = 0;
    while (dev->ops->receive(dev, &pkt, 1, now) == 1) {
        ck_assert(wisp_pkt_read(pkt, 0, &out[n++], 4));
        wisp_pkt_drop(pkt);
    }
    return n;
}

START_TEST(chances__ten_thousand_frames__are_met_within_a_fifth)
{
    static struct wisp_impair impair;
    struct wisp_impair_config config = {
        .loss = 100000, .duplicate = 50000, .corrupt = 50000, .seed = 7};
    wisp_impair_init(&impair, wisp_link_dev(the_link, 0), &config);
    uint32_t out[400];
    uint32_t total = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        inject(i, 100);
        total += take(&impair.dev, 0, out);
    }
    ck_assert_uint_eq(total, 10000 - impair.stats.lost + impair.stats.duplicated);
    ck_assert(impair.stats.lost > 800 && impair.stats.lost < 1200);
    ck_assert(impair.stats.duplicated > 350 && impair.stats.duplicated < 550);
    ck_assert(impair.stats.corrupted > 350 && impair.stats.corrupted < 550);
    wisp_impair_fini(&impair);
}
END_TEST

START_TEST(delay_and_jitter__no_reordering_asked__order_is_kept_and_deadlines_are_true)
{
    static struct wisp_impair impair;
    struct wisp_impair_config config = {.delay = WISP_MS(10), .jitter = WISP_MS(5), .seed = 9};
    wisp_impair_init(&impair, wisp_link_dev(the_link, 0), &config);
    uint32_t out[200];
    for (uint32_t i = 0; i < 100; i++) {
        inject(i, 60);
    }
    ck_assert_uint_eq(take(&impair.dev, 0, out), 0);
    uint32_t got = 0;
    while (got < 100) {
        wisp_time at = impair.dev.ops->deadline(&impair.dev, 0);
        ck_assert(at >= WISP_MS(10) && at <= WISP_MS(15));
        uint32_t n = take(&impair.dev, at, out + got);
        ck_assert_uint_gt(n, 0);
        got += n;
    }
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(out[i], i);
    }
    wisp_impair_fini(&impair);
}
END_TEST

START_TEST(reordering__some_frames__come_late_and_none_is_lost)
{
    static struct wisp_impair impair;
    struct wisp_impair_config config = {.reorder = 200000, .reorder_by = WISP_MS(2), .seed = 3};
    wisp_impair_init(&impair, wisp_link_dev(the_link, 0), &config);
    bool seen[100] = {false};
    uint32_t out[200];
    uint32_t late = 0;
    for (uint32_t i = 0; i < 100; i++) {
        inject(i, 60);
    }
    uint32_t n = take(&impair.dev, 0, out);
    n += take(&impair.dev, WISP_MS(2), out + n);
    ck_assert_uint_eq(n, 100);
    for (uint32_t i = 0; i < n; i++) {
        seen[out[i]] = true;
        late += i > 0 && out[i] < out[i - 1];
    }
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert(seen[i]);
    }
    ck_assert_uint_ge(late, 1);
    wisp_impair_fini(&impair);
}
END_TEST

START_TEST(same_seed__twice__same_fates)
{
    uint32_t out[2][400];
    uint32_t n[2];
    for (int run = 0; run < 2; run++) {
        static struct wisp_impair impair;
        struct wisp_impair_config config = {.loss = 300000, .duplicate = 200000, .seed = 11};
        wisp_impair_init(&impair, wisp_link_dev(the_link, 0), &config);
        for (uint32_t i = 0; i < 200; i++) {
            inject(i, 60);
        }
        n[run] = take(&impair.dev, 0, out[run]);
        wisp_impair_fini(&impair);
    }
    ck_assert_uint_eq(n[0], n[1]);
    ck_assert_mem_eq(out[0], out[1], n[0] * 4);
}
END_TEST

START_TEST(rate_of_eight_megabit__ten_frames_of_1000__one_each_millisecond_and_excess_dropped)
{
    static struct wisp_rate rate;
    uint32_t out[20];
    wisp_rate_init(&rate, wisp_link_dev(the_link, 0), 8000000, 10000);
    for (uint32_t i = 0; i < 15; i++) {
        inject(i, 1000);
    }
    ck_assert_uint_eq(take(&rate.dev, 0, out), 0);
    ck_assert_uint_eq(rate.dropped, 5);
    for (uint32_t i = 0; i < 10; i++) {
        wisp_time at = rate.dev.ops->deadline(&rate.dev, 0);
        ck_assert(at == WISP_MS(1 + i));
        ck_assert_uint_eq(take(&rate.dev, at, out), 1);
        ck_assert_uint_eq(out[0], i);
    }
    wisp_rate_fini(&rate);
}
END_TEST

static bool one_counter(const struct wisp_netdev *inner, uint32_t index,
                        struct wisp_counter *counter)
{
    *counter = (struct wisp_counter){"driver.events", inner->announce};
    return index == 0;
}

START_TEST(wrapped__driver_counts__both_wrappers_show_it)
{
    static struct wisp_impair impair;
    static struct wisp_rate rate;
    struct wisp_netdev *inner = wisp_link_dev(the_link, 0);
    struct wisp_counter counter;
    wisp_impair_init(&impair, inner, &(struct wisp_impair_config){.seed = 1});
    wisp_rate_init(&rate, &impair.dev, 1000000, 0);
    ck_assert(
        !rate.dev.ops->counter(&rate.dev, 0, &counter)); /* a link counts nothing of its own */
    struct wisp_netdev_ops counting = *inner->ops;
    counting.counter = one_counter;
    inner->ops = &counting;
    inner->announce = 9;
    ck_assert(rate.dev.ops->counter(&rate.dev, 0, &counter));
    ck_assert_str_eq(counter.name, "driver.events");
    ck_assert_uint_eq(counter.value, 9);
    ck_assert(!rate.dev.ops->counter(&rate.dev, 1, &counter));
    wisp_rate_fini(&rate);
    wisp_impair_fini(&impair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("impair");
    TCase *tcase = tcase_create("impair");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, chances__ten_thousand_frames__are_met_within_a_fifth);
    tcase_add_test(tcase,
                   delay_and_jitter__no_reordering_asked__order_is_kept_and_deadlines_are_true);
    tcase_add_test(tcase, reordering__some_frames__come_late_and_none_is_lost);
    tcase_add_test(tcase, same_seed__twice__same_fates);
    tcase_add_test(
        tcase, rate_of_eight_megabit__ten_frames_of_1000__one_each_millisecond_and_excess_dropped);
    tcase_add_test(tcase, wrapped__driver_counts__both_wrappers_show_it);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
