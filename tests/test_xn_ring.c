/* SPDX-License-Identifier: ISC */
/* A backend that lies about ring indices, ids, statuses and events. */
#include "rig.h"
#include "suite.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <xen/io/netif.h>

static struct rig rig;

static void open_strict(void)
{
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT});
    rig_connect(&rig);
}

/* n frames of one slot each that the backend leaves unanswered: ids 0 .. n - 1. */
static void leave_in_flight(uint32_t n)
{
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 1}));
    for (uint32_t i = 0; i < n; i++) {
        ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, (uint8_t)i)));
    }
}

static void answer(uint32_t id, int status)
{
    ck_assert(rig_lie(
        &rig, (struct wisp_lie){.kind = WISP_LIE_TX_RESPONSE, .a = id, .b = (uint32_t)status}));
}

/* covers: XN-01 */
START_TEST(connected__index_jumps_or_goes_back__device_broken_and_all_returned)
{
    static const struct {
        const char *name;
        uint8_t kind;
        uint32_t add;
    } lie[] = {
        {"tx one too many", WISP_LIE_TX_RSP_PROD, 4},
        {"tx far ahead", WISP_LIE_TX_RSP_PROD, 100000},
        {"tx back", WISP_LIE_TX_RSP_PROD, UINT32_MAX},
        {"tx half the circle", WISP_LIE_TX_RSP_PROD, 0x80000000u},
        {"rx one too many", WISP_LIE_RX_RSP_PROD, 257},
        {"rx back", WISP_LIE_RX_RSP_PROD, UINT32_MAX},
        {"rx half the circle", WISP_LIE_RX_RSP_PROD, 0x80000000u},
    };
    for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
        open_strict();
        leave_in_flight(3);
        ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = lie[i].kind, .a = lie[i].add}));
        rig_front(&rig);
        ck_assert_msg(rig_count(&rig, "netfront.broken") == 1, "%s", lie[i].name);
        ck_assert(!rig.dev->link);
        ck_assert_uint_eq(rig.dev->ops->room(rig.dev), 0);
        ck_assert_uint_eq(rig.pkts, 0);
        rig_run(&rig, 5);
        ck_assert_int_eq(wisp_netfront_state(rig.front), WISP_NETFRONT_BROKEN);
        ck_assert_uint_eq(rig.completed, 3);
        ck_assert_uint_eq(rig_count(&rig, "netfront.tx.returned"), 3);
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-01 */
START_TEST(broken__backend_starts_over__connects_again)
{
    open_strict();
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_RX_RSP_PROD, .a = 1000}));
    rig_run(&rig, 5);
    ck_assert_int_eq(wisp_netfront_state(rig.front), WISP_NETFRONT_BROKEN);
    wisp_netback_restart(rig.nb);
    rig_connect(&rig);
    rig_deliver(&rig, 100, 7);
    rig_run(&rig, 2);
    ck_assert_uint_eq(rig.pkts, 1);
    rig_close(&rig);
}
END_TEST

/* covers: XN-02, XN-07 */
START_TEST(frames_in_flight__answers_to_nothing__counted_and_nothing_freed_twice)
{
    open_strict();
    leave_in_flight(8);
    answer(256, NETIF_RSP_OKAY);
    answer(0xffff, NETIF_RSP_OKAY);
    answer(200, NETIF_RSP_OKAY); /* free */
    answer(3, NETIF_RSP_OKAY);
    answer(3, NETIF_RSP_OKAY); /* twice in one batch */
    rig_front(&rig);
    rig_front(&rig);
    ck_assert_uint_eq(rig.completed, 1);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.bad_id"), 4);
    answer(3, NETIF_RSP_OKAY); /* and again in another */
    rig_front(&rig);
    rig_front(&rig);
    ck_assert_uint_eq(rig.completed, 1);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.bad_id"), 5);
    ck_assert(rig.dev->link);
    rig_close(&rig);
}
END_TEST

/* covers: XN-02 */
START_TEST(connected__no_end_of_false_answers__device_broken)
{
    open_strict();
    leave_in_flight(64);
    for (int i = 0; i < 64; i++) {
        answer(999, NETIF_RSP_OKAY);
    }
    rig_front(&rig);
    ck_assert(rig.dev->link);
    ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 0)));
    answer(999, NETIF_RSP_OKAY);
    rig_front(&rig);
    ck_assert_uint_eq(rig_count(&rig, "netfront.broken"), 1);
    rig_run(&rig, 5);
    ck_assert_uint_eq(rig.completed, 65);
    rig_close(&rig);
}
END_TEST

/* covers: XN-02 */
START_TEST(pages_posted__response_with_another_id__dropped_and_page_recycled)
{
    static const uint32_t id[] = {256, 0xffff, 77};
    open_strict();
    uint32_t room = wisp_netback_room(rig.nb, 100);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(
            rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_RX_RESPONSE, .a = id[i], .b = 100}));
        rig_run(&rig, 1);
        ck_assert_uint_eq(rig_count(&rig, "netfront.rx.bad_id"), i + 1);
        ck_assert_uint_eq(rig.pkts, 0);
    }
    ck_assert_uint_eq(rig.dev->stats.rx_dropped, 3);
    ck_assert_uint_eq(wisp_netback_room(rig.nb, 100), room);
    rig_deliver(&rig, 100, 1);
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 1);
    rig_close(&rig);
}
END_TEST

/* covers: XN-08 */
START_TEST(frames_in_flight__errors_drops_and_nulls__each_accounted)
{
    open_strict();
    leave_in_flight(6);
    answer(0, NETIF_RSP_ERROR);
    answer(1, NETIF_RSP_DROPPED);
    answer(2, NETIF_RSP_NULL); /* there is no extra that it could be for */
    answer(3, NETIF_RSP_OKAY);
    answer(4, -77);
    rig_front(&rig);
    rig_front(&rig);
    ck_assert_uint_eq(rig.completed, 4);
    ck_assert_uint_eq(rig.failed, 3);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.error"), 3);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.bad_null"), 1);
    ck_assert_uint_eq(rig.dev->stats.tx_dropped, 3);
    rig_close(&rig);
}
END_TEST

/* ---- a slot that changes while it is read ---- */

static uint8_t *volatile flipped;
static atomic_bool flipping;

/* Makes the length in every RX response 228 and 100 by turns, which differ in one byte. */
static void *flip(void *unused)
{
    (void)unused;
    for (uint8_t length = 100; atomic_load(&flipping); length ^= 100 ^ 228) {
        for (uint32_t i = 0; i < 256; i++) {
            ((volatile uint8_t *)flipped)[64 + 8 * i + 6] = length;
        }
    }
    return NULL;
}

/* covers: XN-09 */
START_TEST(slot_announced__bytes_change_meanwhile__one_of_the_two_readings_holds)
{
    pthread_t thread;
    uint32_t seen[2] = {0, 0};
    open_strict();
    flipped = wisp_netback_ring_page(rig.nb, 0, false);
    atomic_store(&flipping, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, flip, NULL), 0);
    /* On a busy machine the other thread may have to wait for its turn. */
    for (uint32_t i = 0; i < 200000 || seen[0] == 0 || seen[1] == 0; i++) {
        ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_RX_ANSWER, .b = 100}));
        rig_front(&rig);
        ck_assert_uint_eq(rig.pkts, 1);
        uint32_t length = rig.pkt[0]->length;
        ck_assert_msg(length == 100 || length == 228, "length %u", length);
        ck_assert_uint_eq(rig.pkt[0]->view[0].length, length);
        seen[length == 228]++;
        rig_drop(&rig);
    }
    atomic_store(&flipping, false);
    pthread_join(thread, NULL);
    rig_close(&rig);
}
END_TEST

/* ---- events ---- */

/* covers: XN-13 */
START_TEST(connected__million_events_without_work__few_wake_us_and_work_goes_on)
{
    struct wisp_memxen_ledger before, after;
    open_strict();
    rig_run(&rig, 5);
    wisp_memxen_ledger(rig.xen, &before);
    for (uint32_t ms = 0; ms < 1000; ms++) {
        rig.now += WISP_MS(1);
        for (int burst = 0; burst < 10; burst++) {
            rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_EVENTS, .a = 100});
            rig_front(&rig);
        }
    }
    wisp_memxen_ledger(rig.xen, &after);
    ck_assert_uint_eq(after.notified_guest - before.notified_guest, 1000000);
    /* Two ports; 32 arrivals each, then one each per 1, 2, 4 ... 64 ms. */
    ck_assert_uint_lt(after.woken_guest - before.woken_guest, 2000);
    ck_assert_uint_gt(rig_count(&rig, "netfront.events.backed_off"), 0);
    wisp_time at = rig.dev->ops->deadline(rig.dev, rig.now);
    ck_assert_uint_le(at, rig.now + WISP_MS(64));
    rig_deliver(&rig, 100, 0);
    wisp_netback_poll(rig.nb, rig.now);
    rig.now = at;
    rig_front(&rig);
    ck_assert_uint_eq(rig.pkts, 1);
    rig_close(&rig);
}
END_TEST

/* covers: XN-14 */
START_TEST(frames_sent__backend_never_notifies__timer_takes_completions)
{
    static const uint32_t frames[] = {1, 40, 128};
    for (size_t i = 0; i < 3; i++) {
        open_strict();
        rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_MUTE, .a = 1});
        rig_front(&rig);
        for (uint32_t k = 0; k < frames[i]; k++) {
            ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 0)));
        }
        rig_front(&rig);
        wisp_netback_poll(rig.nb, rig.now);
        wisp_time at = rig.dev->ops->deadline(rig.dev, rig.now);
        ck_assert_uint_gt(at, rig.now);
        ck_assert_uint_le(at, rig.now + WISP_MS(10));
        rig.now = at;
        for (int step = 0; step < 4; step++) {
            rig_front(&rig);
        }
        ck_assert_uint_eq(rig.completed, frames[i]);
        rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_MUTE, .a = 0});
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-14 */
START_TEST(frames_sent__backend_never_asks_to_be_told__sending_goes_on_without_notifying)
{
    open_strict();
    rig_run(&rig, 3);
    rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_DEAF, .a = 1});
    uint64_t kicks = rig.dev->stats.kicks;
    for (uint32_t k = 0; k < 50; k++) {
        ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 0)));
    }
    ck_assert_uint_le(rig.dev->stats.kicks, kicks + 1);
    rig_close(&rig);
}
END_TEST

/* covers: XN-15 */
START_TEST(connected__event_indices_nonsense__only_wake_ups_change)
{
    static const uint32_t value[] = {0, 1, 0x80000000u, UINT32_MAX, 12345};
    static const uint8_t kind[] = {WISP_LIE_TX_REQ_EVENT, WISP_LIE_RX_REQ_EVENT,
                                   WISP_LIE_TX_RSP_EVENT, WISP_LIE_RX_RSP_EVENT};
    open_strict();
    uint32_t sent = 0;
    for (size_t v = 0; v < 5; v++) {
        for (size_t k = 0; k < 4; k++) {
            rig_lie(&rig, (struct wisp_lie){.kind = kind[k], .a = value[v]});
            ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, (uint8_t)sent)));
            rig_deliver(&rig, 200, (uint8_t)sent);
            rig_run(&rig, 12);
            sent++;
            ck_assert_uint_eq(rig.pkts, 1);
            ck_assert(rig_counts_up(rig.pkt[0], 200, (uint8_t)(sent - 1)));
            rig_drop(&rig);
        }
    }
    ck_assert_uint_eq(rig_count(&rig, "netfront.broken"), 0);
    rig_close(&rig);
}
END_TEST

/* covers: XN-22, XN-02 */
START_TEST(two_queues__lies_on_one__the_other_is_untouched)
{
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .max_queues = 2, .queues = 2});
    rig_connect(&rig);
    ck_assert_uint_eq(wisp_netfront_queues(rig.front), 2);
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 1}));
    for (uint32_t i = 0; i < 8; i++) {
        struct wisp_pkt *pkt = rig_packet(&rig, 60, NULL, (uint8_t)i);
        pkt->queue = i < 2 ? 0 : 0xffff; /* ids 0, 1 of queue 0 and 0 .. 5 of queue 1 */
        ck_assert(rig_send(&rig, pkt));
    }
    /* Queue 0 answers ids that are only in flight on queue 1, and announces rubbish. */
    answer(5, NETIF_RSP_OKAY);
    answer(4, NETIF_RSP_OKAY);
    rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_RX_RESPONSE, .a = 999, .b = 4000});
    rig_front(&rig);
    rig_front(&rig);
    ck_assert_uint_eq(rig.completed, 0);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.bad_id"), 2);
    ck_assert_uint_eq(rig_count(&rig, "netfront.rx.bad_id"), 1);
    struct wisp_lie good = {.kind = WISP_LIE_TX_RESPONSE, .queue = 1, .a = 5};
    ck_assert(rig_lie(&rig, good));
    static uint8_t bytes[100] = {1};
    ck_assert(rig_lie(
        &rig,
        (struct wisp_lie){
            .kind = WISP_LIE_RX_ANSWER, .queue = 1, .b = 100, .bytes = bytes, .length = 100}));
    rig_front(&rig);
    rig_front(&rig);
    ck_assert_uint_eq(rig.completed, 1);
    ck_assert_uint_eq(rig.pkts, 1);
    rig_close(&rig);
}
END_TEST

static void deliver_on(uint16_t queue, uint8_t seed)
{
    uint8_t bytes[100];
    memset(bytes, seed, sizeof(bytes));
    struct wisp_frame frame = wisp_frame_of(bytes, sizeof(bytes));
    frame.queue = queue;
    ck_assert(wisp_netback_send(rig.nb, &frame, rig.now));
}

/* Receives at most max frames; those of queue 1 carry the seed 1. Returns how many of these came. */
static uint32_t receive_few(uint32_t max)
{
    struct wisp_pkt *pkts[8];
    uint32_t n = rig.dev->ops->receive(rig.dev, pkts, max, rig.now);
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++) {
        found += wisp_pkt_head(pkts[i])[0] == 1;
        wisp_pkt_drop(pkts[i]);
    }
    return found;
}

/* covers: XN-22 */
START_TEST(two_queues__one_never_runs_dry__the_other_has_its_turn)
{
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .max_queues = 2, .queues = 2});
    rig_connect(&rig);
    for (uint16_t flooded = 0; flooded < 2; flooded++) {
        uint32_t found = 0;
        deliver_on(!flooded, 1);
        for (uint32_t k = 0; k < 4 && !found; k++) {
            for (uint32_t i = 0; i < 8; i++) {
                deliver_on(flooded, 0);
            }
            wisp_netback_poll(rig.nb, rig.now);
            found = receive_few(8);
            ck_assert_uint_le(rig.dev->ops->deadline(rig.dev, rig.now), rig.now);
        }
        ck_assert_msg(found == 1, "queue %d starved", !flooded);
        while (rig.dev->ops->deadline(rig.dev, rig.now) <= rig.now) {
            receive_few(8);
        }
    }
    rig_close(&rig);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("xn_ring");
    TCase *tc = tcase_create("xn_ring");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, connected__index_jumps_or_goes_back__device_broken_and_all_returned);
    tcase_add_test(tc, broken__backend_starts_over__connects_again);
    tcase_add_test(tc, frames_in_flight__answers_to_nothing__counted_and_nothing_freed_twice);
    tcase_add_test(tc, connected__no_end_of_false_answers__device_broken);
    tcase_add_test(tc, pages_posted__response_with_another_id__dropped_and_page_recycled);
    tcase_add_test(tc, frames_in_flight__errors_drops_and_nulls__each_accounted);
    tcase_add_test(tc, slot_announced__bytes_change_meanwhile__one_of_the_two_readings_holds);
    tcase_add_test(tc, connected__million_events_without_work__few_wake_us_and_work_goes_on);
    tcase_add_test(tc, frames_sent__backend_never_notifies__timer_takes_completions);
    tcase_add_test(tc,
                   frames_sent__backend_never_asks_to_be_told__sending_goes_on_without_notifying);
    tcase_add_test(tc, connected__event_indices_nonsense__only_wake_ups_change);
    tcase_add_test(tc, two_queues__lies_on_one__the_other_is_untouched);
    tcase_add_test(tc, two_queues__one_never_runs_dry__the_other_has_its_turn);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return wisp_suite_run(suite());
}
