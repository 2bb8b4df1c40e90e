/* SPDX-License-Identifier: ISC */
/* The neighbour cache: asking, waiting, doubting, forgetting. The test plays the link. */
#include "arp.h"
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct net net;
static uint8_t frame[2000];
static uint8_t answer[2000];

static const uint8_t us[] = {10, 0, 0, 1};
static const uint8_t peer[] = {10, 0, 0, 2};
static const uint8_t gateway[] = {10, 0, 0, 254};
static const uint8_t mac_gateway[] = {2, 0, 0, 0, 0, 0xfe};
static const uint8_t mac_thief[] = {2, 0, 0, 0, 0x66, 0x66};

static void open_alone(uint16_t neighbours, uint16_t waiting)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.config.neighbours = neighbours;
    options.config.waiting = waiting;
    net_open(&net, &options);
    net_run(&net, WISP_SEC(3)); /* both announcements */
    net_discard(&net);
}

static void setup(void)
{
    open_alone(64, 64);
}

static void teardown(void)
{
    net_close(&net);
}

static void ping(const uint8_t to[4])
{
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(to[0], to[1], to[2], to[3]));
    wisp_stack_ping(net.stack[0], &addr, 1, 1, 30, net.now);
    net_settle(&net);
}

static void say(uint16_t operation, const uint8_t mac[6], const uint8_t sender[4],
                const uint8_t target[4])
{
    net_arp_frame(frame, operation, mac, sender, target);
    net_inject(&net, frame, 42);
}

struct seen {
    uint32_t requests, unicast, packets, others;
    uint8_t last_mac[6]; /* where the last IPv4 packet or request went */
};

/* What was sent since last asked: ARP requests for target, and packets. */
static struct seen look(const uint8_t target[4])
{
    struct seen seen = {0};
    size_t n;
    while ((n = net_sent(&net, answer, sizeof(answer))) > 0) {
        bool arp = net_get16(answer + 12) == 0x0806;
        if (arp && answer[21] == 1 && memcmp(answer + 38, target, 4) == 0) {
            seen.requests++;
            seen.unicast += !(answer[0] & 1);
            memcpy(seen.last_mac, answer, 6);
        } else if (!arp) {
            seen.packets++;
            memcpy(seen.last_mac, answer, 6);
        } else {
            seen.others++;
        }
    }
    return seen;
}

/* covers: L5, L10, L13 */
START_TEST(unknown_neighbour__packet_sent__asked_then_answered_then_packet_leaves)
{
    ping(peer);
    size_t n = net_sent(&net, answer, sizeof(answer));
    static const uint8_t expected[60] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,    2,    0,    0,    0,    0,    1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2};
    ck_assert_uint_eq(n, 60);
    ck_assert_mem_eq(answer, expected, 60);
    ck_assert_uint_eq(net_discard(&net), 0);
    say(2, net_mac_peer, peer, us);
    struct seen seen = look(peer);
    ck_assert_uint_eq(seen.packets, 1);
    ck_assert_mem_eq(seen.last_mac, net_mac_peer, 6);
    say(2, net_mac_peer, peer, us);
    ck_assert_uint_eq(look(peer).packets, 0);
}
END_TEST

/* covers: L3, AR-10 */
START_TEST(silent_neighbour__100000_packets__asked_once_a_second_queue_bounded_freed_on_failure)
{
    uint32_t requests = 0;
    wisp_time start = net.now;
    for (int i = 0; i < 100000; i++) {
        uint8_t to[] = {10, 0, 0, (uint8_t)(100 + i % 4)};
        ping(to);
        requests += look((const uint8_t[]){10, 0, 0, 100}).requests;
        net.now += WISP_US(100);
    }
    uint64_t seconds = (net.now - start) / WISP_SEC(1);
    ck_assert_uint_le(requests, seconds + 1);
    ck_assert_uint_ge(requests, 3);
    ck_assert_uint_gt(net_count(&net, "arp.queue_dropped"), 1000);
    ck_assert_uint_ge(net_count(&net, "arp.failed"), 4);
    net_run(&net, WISP_SEC(5));
    struct wisp_pktpool *pool = wisp_link_dev(net.link, 0)->tx_pool;
    ck_assert_uint_eq(wisp_pktpool_available(pool), 512);
}
END_TEST

START_TEST(twelve_packets_wait_for_a_neighbour__answer__the_latest_eight_leave_in_order)
{
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    for (uint16_t i = 0; i < 12; i++) {
        wisp_stack_ping(net.stack[0], &addr, 1, i, 30, net.now);
    }
    net_settle(&net);
    ck_assert_uint_eq(net_discard(&net), 1);
    say(2, net_mac_peer, peer, us);
    for (uint16_t i = 4; i < 12; i++) {
        ck_assert_uint_gt(net_sent(&net, answer, sizeof(answer)), 0);
        ck_assert_uint_eq(net_get16(answer + 40), i);
    }
    ck_assert_uint_eq(net_discard(&net), 0);
    ck_assert_uint_eq(net_count(&net, "arp.queue_dropped"), 4);
}
END_TEST

START_TEST(many_unresolved_hops__packets_wait__total_is_bounded)
{
    net_close(&net);
    open_alone(64, 10);
    for (uint8_t i = 0; i < 20; i++) {
        ping((const uint8_t[]){10, 0, 0, (uint8_t)(50 + i)});
    }
    struct wisp_pktpool *pool = wisp_link_dev(net.link, 0)->tx_pool;
    net_discard(&net);
    net_settle(&net);
    ck_assert_uint_eq(wisp_pktpool_available(pool), 512 - 10);
}
END_TEST

/* covers: L2, L4 */
START_TEST(entry_in_use__a_minute_passes__asked_by_unicast_and_kept_in_use)
{
    net_introduce(&net);
    for (int i = 0; i < 61; i++) {
        ping(peer);
        net_run(&net, WISP_SEC(1));
        if (i < 59) {
            ck_assert_uint_eq(look(peer).requests, 0);
        }
    }
    struct seen seen = look(peer);
    ck_assert_uint_eq(seen.requests, 1);
    ck_assert_uint_eq(seen.unicast, 1);
    ck_assert_uint_ge(seen.packets, 1);
    say(2, net_mac_peer, peer, us);
    net_run(&net, WISP_SEC(30));
    ck_assert_uint_eq(look(peer).requests, 0);
}
END_TEST

/* covers: L2 */
START_TEST(entry_unused__a_minute_passes__forgotten_without_a_question)
{
    net_introduce(&net);
    net_run(&net, WISP_SEC(62));
    ck_assert_uint_eq(look(peer).requests, 0);
    ping(peer);
    struct seen seen = look(peer);
    ck_assert_uint_eq(seen.requests, 1);
    ck_assert_uint_eq(seen.unicast, 0);
    ck_assert_uint_eq(seen.packets, 0);
}
END_TEST

START_TEST(neighbour_vanishes__unicast_then_broadcast_then_unreachable__and_back_again)
{
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    net_introduce(&net);
    ping(peer);
    for (int i = 0; i < 70; i++) {
        ping(peer);
        net_run(&net, WISP_SEC(1));
    }
    struct seen seen = look(peer);
    ck_assert_uint_eq(seen.unicast, 3);
    ck_assert_uint_ge(seen.requests, 6);
    net_run(&net, WISP_SEC(1));
    uint64_t failed = net_count(&net, "arp.failed");
    ck_assert_uint_ge(failed, 1);
    while (net_count(&net, "arp.failed") == failed) {
        wisp_stack_ping(net.stack[0], &addr, 1, 1, 1, net.now);
        net_run(&net, WISP_SEC(1));
    }
    ck_assert_int_eq(wisp_stack_ping(net.stack[0], &addr, 1, 1, 1, net.now), WISP_ERR_UNREACHABLE);
    look(peer);
    say(1, net_mac_peer, peer, us);
    look(peer);
    ping(peer);
    ck_assert_uint_eq(look(peer).packets, 1);
}
END_TEST

/* covers: AR-01 */
START_TEST(gateway_known__another_station_claims_it__believed_only_when_the_old_one_is_silent)
{
    struct wisp_addr gw = wisp_addr_ip4(wisp_ip4(10, 0, 0, 254));
    struct wisp_addr any = wisp_addr_ip4(wisp_ip4(0, 0, 0, 0));
    static const uint8_t far[] = {192, 0, 2, 1};
    ck_assert_int_eq(wisp_stack_route_add(net.stack[0], &any, 0, &gw), WISP_OK);
    ping(far);
    look(gateway);
    say(2, mac_gateway, gateway, us);
    ck_assert_mem_eq(look(gateway).last_mac, mac_gateway, 6);
    for (uint16_t operation = 1; operation <= 2; operation++) {
        net_run(&net, WISP_SEC(2));
        for (int i = 0; i < 5; i++) {
            say(operation, mac_thief, gateway, gateway);
            say(operation, mac_thief, gateway, us);
        }
        ck_assert_uint_ge(net_count(&net, "arp.rx.change_doubted"), 1);
        struct seen seen = look(gateway);
        ck_assert_uint_eq(seen.requests, 1);
        ck_assert_uint_eq(seen.unicast, 1);
        ck_assert_mem_eq(seen.last_mac, mac_gateway, 6);
        ping(far);
        ck_assert_mem_eq(look(gateway).last_mac, mac_gateway, 6);
        say(2, mac_gateway, gateway, us);
        net_run(&net, WISP_SEC(10));
        ping(far);
        seen = look(gateway);
        ck_assert_mem_eq(seen.last_mac, mac_gateway, 6);
        ck_assert_uint_eq(seen.packets, 1);
    }
    /* The old one is gone: after its silence everybody is asked, and who answers is believed. */
    say(1, mac_thief, gateway, gateway);
    net_run(&net, WISP_SEC(4));
    ck_assert_uint_eq(look(gateway).unicast, 3);
    say(2, mac_thief, gateway, us);
    look(gateway);
    ping(far);
    ck_assert_mem_eq(look(gateway).last_mac, mac_thief, 6);
}
END_TEST

/* covers: AR-02 */
START_TEST(a_million_unsolicited_replies__no_entry_no_packet_no_page)
{
    for (uint32_t i = 0; i < 1000000; i++) {
        uint8_t who[] = {10, 0, 0, (uint8_t)(3 + i % 250)};
        net_arp_frame(frame, 2, mac_thief, who, us);
        ck_assert(wisp_link_inject(wisp_link_dev(net.link, 0), frame, 42));
        if (i % 512 == 511) {
            net_settle(&net);
        }
    }
    net_settle(&net);
    ck_assert_uint_eq(net_count(&net, "arp.rx.unsolicited"), 1000000);
    ck_assert_uint_eq(net_discard(&net), 0);
    ping((const uint8_t[]){10, 0, 0, 77});
    ck_assert_uint_eq(look((const uint8_t[]){10, 0, 0, 77}).requests, 1);
}
END_TEST

/* covers: AR-03 */
START_TEST(requests_of_65536_senders__entry_in_use_and_gateway_stay)
{
    struct net_options options;
    net_close(&net);
    net_options_default(&options);
    options.alone = true;
    options.no_address = true;
    net_open(&net, &options);
    struct wisp_addr own = wisp_addr_ip4(wisp_ip4(10, 0, 0, 1));
    struct wisp_addr gw = wisp_addr_ip4(wisp_ip4(10, 0, 0, 254));
    struct wisp_addr any = wisp_addr_ip4(wisp_ip4(0, 0, 0, 0));
    ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &own, 8, net.now), WISP_OK);
    ck_assert_int_eq(wisp_stack_route_add(net.stack[0], &any, 0, &gw), WISP_OK);
    say(1, mac_gateway, gateway, us);
    say(1, net_mac_peer, peer, us);
    ping(peer);
    net_discard(&net);
    for (uint32_t i = 0; i < 65536; i++) {
        uint8_t who[] = {10, 7, (uint8_t)(i >> 8), (uint8_t)i};
        uint8_t mac[] = {2, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};
        if (i % 65536 != 0 && i % 256 != 0) {
            say(1, mac, who, us);
            net.now += WISP_US(100);
        }
        if (i % 64 == 0) {
            net_discard(&net);
        }
    }
    net_discard(&net);
    ck_assert_uint_gt(net_count(&net, "arp.evicted"), 60000);
    ping(peer);
    ck_assert_uint_eq(look(peer).packets, 1);
    ping((const uint8_t[]){192, 0, 2, 1});
    struct seen seen = look(gateway);
    ck_assert_uint_eq(seen.packets, 1);
    ck_assert_mem_eq(seen.last_mac, mac_gateway, 6);
}
END_TEST

/* covers: AR-06 */
START_TEST(senders_that_are_no_single_host_of_the_link__not_cached)
{
    static const uint8_t senders[][4] = {{0, 0, 0, 0},   {255, 255, 255, 255}, {224, 0, 0, 1},
                                         {127, 0, 0, 1}, {10, 0, 0, 255},      {10, 0, 0, 0},
                                         {10, 0, 1, 2},  {192, 0, 2, 7},       {240, 0, 0, 1}};
    for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
        uint64_t before = net_count(&net, "arp.rx.bad_sender");
        say(1, mac_thief, senders[i], us);
        uint64_t bad = net_count(&net, "arp.rx.bad_sender") - before;
        ck_assert_uint_eq(bad, i == 0 ? 0 : 1);
        net_discard(&net);
    }
    static const uint8_t macs[][6] = {
        {0, 0, 0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {1, 0, 0x5e, 0, 0, 1}};
    for (size_t i = 0; i < 3; i++) {
        net_arp_frame(frame, 1, macs[i], peer, us);
        net_expect_drop(&net, frame, 42, "ethif.rx.bad_source");
        memcpy(frame + 6, net_mac_peer, 6);
        net_expect_drop(&net, frame, 42, "arp.rx.source_mismatch");
    }
    ping(peer);
    ck_assert_uint_eq(look(peer).requests, 1);
}
END_TEST

/* covers: AR-11 */
START_TEST(answer_after_failure_or_twice__packet_sent_once_or_dropped_once)
{
    ping(peer);
    net_run(&net, WISP_SEC(5));
    ck_assert_uint_eq(net_count(&net, "arp.unanswered_dropped"), 1);
    look(peer);
    say(2, net_mac_peer, peer, us);
    say(2, net_mac_peer, peer, us);
    ck_assert_uint_eq(look(peer).packets, 0);
    ping(peer);
    ck_assert_uint_eq(look(peer).packets, 1);
}
END_TEST

START_TEST(cache_of_four_full_of_asked_neighbours__fifth__refused_for_a_second_then_taken)
{
    net_close(&net);
    open_alone(4, 64);
    for (uint8_t i = 0; i < 5; i++) {
        ping((const uint8_t[]){10, 0, 0, (uint8_t)(20 + i)});
    }
    ck_assert_uint_eq(net_count(&net, "arp.full"), 1);
    net_run(&net, WISP_SEC(6));
    net_discard(&net);
    static const uint8_t fifth[] = {10, 0, 0, 24};
    ping(fifth);
    ck_assert_uint_eq(look(fifth).requests, 1);
}
END_TEST

START_TEST(device_resumes__entries_are_doubted_and_addresses_announced)
{
    net_introduce(&net);
    ping(peer);
    net_discard(&net);
    net_run(&net, WISP_SEC(2));
    wisp_link_dev(net.link, 0)->announce++;
    net_settle(&net);
    net_run(&net, WISP_MS(10));
    struct seen seen = look(peer);
    ck_assert_uint_eq(seen.unicast, 1);
    ck_assert_uint_eq(seen.others, 1);
    struct wisp_stack_event event;
    bool resumed = false;
    while (wisp_stack_next_event(net.stack[0], &event)) {
        resumed |= event.kind == WISP_STACK_RESUMED;
    }
    ck_assert(resumed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("neighbour");
    TCase *tc = tcase_create("cache");
    tcase_set_timeout(tc, 100);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, unknown_neighbour__packet_sent__asked_then_answered_then_packet_leaves);
    tcase_add_test(
        tc, silent_neighbour__100000_packets__asked_once_a_second_queue_bounded_freed_on_failure);
    tcase_add_test(tc,
                   twelve_packets_wait_for_a_neighbour__answer__the_latest_eight_leave_in_order);
    tcase_add_test(tc, many_unresolved_hops__packets_wait__total_is_bounded);
    tcase_add_test(tc, entry_in_use__a_minute_passes__asked_by_unicast_and_kept_in_use);
    tcase_add_test(tc, entry_unused__a_minute_passes__forgotten_without_a_question);
    tcase_add_test(tc, neighbour_vanishes__unicast_then_broadcast_then_unreachable__and_back_again);
    tcase_add_test(
        tc, gateway_known__another_station_claims_it__believed_only_when_the_old_one_is_silent);
    tcase_add_test(tc, a_million_unsolicited_replies__no_entry_no_packet_no_page);
    tcase_add_test(tc, requests_of_65536_senders__entry_in_use_and_gateway_stay);
    tcase_add_test(tc, senders_that_are_no_single_host_of_the_link__not_cached);
    tcase_add_test(tc, answer_after_failure_or_twice__packet_sent_once_or_dropped_once);
    tcase_add_test(tc,
                   cache_of_four_full_of_asked_neighbours__fifth__refused_for_a_second_then_taken);
    tcase_add_test(tc, device_resumes__entries_are_doubted_and_addresses_announced);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
