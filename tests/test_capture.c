/* SPDX-License-Identifier: ISC */
/* The capture wrapper: shows every frame once, in both directions, and is otherwise not there. */
#include "capture.h"
#include "link.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

#define PAGES 64u

static struct {
    uint32_t sent, received;
    uint8_t first;
} shown;

static void show(void *context, const struct wisp_pkt *pkt, bool sent, wisp_time now)
{
    (void)now;
    ck_assert_ptr_eq(context, &shown);
    shown.sent += sent ? 1 : 0;
    shown.received += sent ? 0 : 1;
    shown.first = wisp_pkt_head(pkt)[0];
}

static void *memory[2], *meta[2], *packets;
static struct wisp_pool *pool[2];
static struct wisp_link link;
static struct wisp_capture capture;
static struct wisp_netdev *dev, *other;

static void setup(void)
{
    struct wisp_link_config config = {.mtu = 1500, .packets = 16};
    for (int i = 0; i < 2; i++) {
        memory[i] = aligned_alloc(WISP_PAGE_SIZE, PAGES * WISP_PAGE_SIZE);
        meta[i] = malloc(wisp_pool_size(PAGES));
        pool[i] = wisp_pool_init(meta[i], wisp_pool_size(PAGES), memory[i], PAGES, 2, false);
    }
    packets = aligned_alloc(64, wisp_link_size(&config));
    ck_assert(wisp_link_init(&link, &config, packets, wisp_link_size(&config), pool));
    other = wisp_link_dev(&link, 1);
    memset(&shown, 0, sizeof(shown));
    dev = wisp_capture_init(&capture, wisp_link_dev(&link, 0), show, &shown);
}

static void teardown(void)
{
    wisp_link_fini(&link);
    for (int i = 0; i < 2; i++) {
        struct wisp_pool_stats stats;
        wisp_pool_stats(pool[i], &stats);
        ck_assert_uint_eq(stats.in_use, 0);
        free(memory[i]);
        free(meta[i]);
    }
    free(packets);
}

static struct wisp_pkt *packet(struct wisp_netdev *from, uint8_t first)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(from->tx_pool);
    ck_assert_ptr_nonnull(pkt);
    memset(wisp_pkt_extend(pkt, 60), first, 60);
    return pkt;
}

START_TEST(wrapped__frame_sent__is_shown_once_and_arrives)
{
    struct wisp_pkt *pkt = packet(dev, 0x5a);
    struct wisp_pkt *got;
    ck_assert_uint_eq(dev->ops->transmit(dev, &pkt, 1, 0), 1);
    dev->ops->kick(dev, 0);
    ck_assert_uint_eq(shown.sent, 1);
    ck_assert_uint_eq(shown.received, 0);
    ck_assert_uint_eq(shown.first, 0x5a);
    ck_assert_uint_eq(dev->stats.tx_packets, 1);
    ck_assert_uint_eq(other->ops->receive(other, &got, 1, 0), 1);
    wisp_pkt_drop(got);
    ck_assert_uint_eq(dev->ops->completed(dev, &got, 1), 1);
    wisp_pkt_drop(got);
}
END_TEST

START_TEST(wrapped__frame_received__is_shown_once)
{
    struct wisp_pkt *pkt = packet(other, 0x3c);
    struct wisp_pkt *got;
    ck_assert_uint_eq(other->ops->transmit(other, &pkt, 1, 0), 1);
    ck_assert_uint_eq(dev->ops->deadline(dev, 5), 5);
    ck_assert_uint_eq(dev->ops->receive(dev, &got, 1, 0), 1);
    ck_assert_uint_eq(shown.received, 1);
    ck_assert_uint_eq(shown.first, 0x3c);
    wisp_pkt_drop(got);
    ck_assert_uint_eq(other->ops->completed(other, &got, 1), 1);
    wisp_pkt_drop(got);
}
END_TEST

START_TEST(wrapped__device_changes__wrapper_follows)
{
    struct wisp_netdev *inner = wisp_link_dev(&link, 0);
    inner->link = false;
    inner->announce = 7;
    inner->caps.mtu = 900;
    inner->caps.generation++;
    dev->ops->kick(dev, 0);
    ck_assert(!dev->link);
    ck_assert_uint_eq(dev->announce, 7);
    ck_assert_uint_eq(dev->caps.mtu, 900);
    ck_assert_uint_eq(dev->caps.generation, inner->caps.generation);
}
END_TEST

static bool one_counter(const struct wisp_netdev *inner, uint32_t index,
                        struct wisp_counter *counter)
{
    *counter = (struct wisp_counter){"driver.events", inner->announce};
    return index == 0;
}

START_TEST(wrapped__driver_counts__wrapper_shows_it)
{
    struct wisp_netdev *inner = wisp_link_dev(&link, 0);
    struct wisp_counter counter;
    ck_assert(!dev->ops->counter(dev, 0, &counter)); /* a link counts nothing of its own */
    struct wisp_netdev_ops counting = *inner->ops;
    counting.counter = one_counter;
    inner->ops = &counting;
    inner->announce = 9;
    ck_assert(dev->ops->counter(dev, 0, &counter));
    ck_assert_str_eq(counter.name, "driver.events");
    ck_assert_uint_eq(counter.value, 9);
    ck_assert(!dev->ops->counter(dev, 1, &counter));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("capture");
    TCase *tc = tcase_create("capture");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, wrapped__frame_sent__is_shown_once_and_arrives);
    tcase_add_test(tc, wrapped__frame_received__is_shown_once);
    tcase_add_test(tc, wrapped__device_changes__wrapper_follows);
    tcase_add_test(tc, wrapped__driver_counts__wrapper_shows_it);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
