/* SPDX-License-Identifier: ISC */
/* Own addresses: probing, announcing, defending (RFC 5227), and the messages ARP refuses. */
#include "net.h"
#include "suite.h"
#include <string.h>

static struct net net;
static uint8_t frame[200];
static uint8_t answer[2000];

static const uint8_t nobody[] = {0, 0, 0, 0};
static const uint8_t us[] = {10, 0, 0, 1};
static const uint8_t peer[] = {10, 0, 0, 2};
static const uint8_t mac_other[] = {2, 0, 0, 0, 0, 0x77};

enum kind { NOTHING, PROBE, ANNOUNCEMENT, REPLY, OTHER };

static void open_with(enum wisp_probe probe)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.no_address = true;
    options.config.probe = probe;
    net_open(&net, &options);
}

static void setup_wait(void)
{
    open_with(WISP_PROBE_WAIT);
}

static void setup_beside(void)
{
    open_with(WISP_PROBE_BESIDE);
}

static void setup_none(void)
{
    open_with(WISP_PROBE_NONE);
}

static void teardown(void)
{
    net_close(&net);
}

static void add_address(void)
{
    ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &net.addr[0], 24, net.now), WISP_OK);
}

/* What was sent next. A probe or announcement is checked byte by byte. */
static enum kind next_sent(void)
{
    static const uint8_t probe[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
                                    0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
                                    0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 10, 0, 0, 1};
    uint8_t announcement[42];
    memcpy(announcement, probe, 42);
    memcpy(announcement + 28, us, 4);
    if (net_sent(&net, answer, sizeof(answer)) == 0) {
        return NOTHING;
    }
    if (memcmp(answer, probe, 42) == 0) {
        return PROBE;
    }
    if (memcmp(answer, announcement, 42) == 0) {
        return ANNOUNCEMENT;
    }
    return answer[21] == 2 ? REPLY : OTHER;
}

/* Waits until something is sent, at most for limit; how long it took. */
static wisp_time wait_for(enum kind kind, wisp_time limit)
{
    wisp_time start = net.now;
    while (net.now - start <= limit) {
        enum kind sent = next_sent();
        if (sent != NOTHING) {
            ck_assert_int_eq(sent, kind);
            return net.now - start;
        }
        net_run(&net, WISP_MS(1));
    }
    ck_abort_msg("nothing was sent");
    return 0;
}

static void say(uint16_t operation, const uint8_t mac[6], const uint8_t sender[4],
                const uint8_t target[4])
{
    net_arp_frame(frame, operation, mac, sender, target);
    net_inject(&net, frame, 42);
}

static bool has_address(void)
{
    struct wisp_addr addr;
    uint8_t prefix;
    return wisp_stack_address(net.stack[0], &addr, &prefix);
}

static bool next_conflict(struct wisp_stack_event *event)
{
    while (wisp_stack_next_event(net.stack[0], event)) {
        if (event->kind == WISP_STACK_ADDRESS_CONFLICT) {
            return true;
        }
    }
    return false;
}

/* covers: A1, A3, A4, A7, A2 */
START_TEST(wait__three_probes_two_seconds_of_silence_two_announcements__then_rest)
{
    uint64_t first_waits = 0;
    add_address();
    ck_assert(!has_address());
    first_waits = wait_for(PROBE, WISP_SEC(1));
    ck_assert_uint_le(first_waits, WISP_MS(1001));
    for (int i = 0; i < 2; i++) {
        wisp_time gap = wait_for(PROBE, WISP_SEC(3));
        ck_assert_uint_ge(gap, WISP_MS(998));
        ck_assert_uint_le(gap, WISP_MS(2002));
    }
    ck_assert(!has_address());
    wisp_time gap = wait_for(ANNOUNCEMENT, WISP_SEC(3));
    ck_assert_uint_ge(gap, WISP_MS(1999));
    ck_assert(has_address());
    gap = wait_for(ANNOUNCEMENT, WISP_SEC(3));
    ck_assert_uint_ge(gap, WISP_MS(1999));
    ck_assert_uint_le(gap, WISP_MS(2002));
    net_run(&net, WISP_SEC(1000));
    ck_assert_int_eq(next_sent(), NOTHING);
}
END_TEST

/* covers: A5, AR-12, A10 */
START_TEST(wait__conflict_in_each_form_at_each_moment__address_lost_and_told)
{
    static const struct {
        uint16_t operation;
        const uint8_t *sender, *target;
    } forms[] = {{1, us, peer}, {2, us, us}, {2, us, peer}, {1, us, us}, {1, nobody, us}};
    for (size_t i = 0; i < 5; i++) {
        for (wisp_time at = 0; at < WISP_SEC(9); at += WISP_MS(700)) {
            struct wisp_stack_event event;
            net_close(&net);
            setup_wait();
            add_address();
            net_run(&net, at);
            if (has_address()) {
                ck_assert_uint_gt(at, WISP_SEC(4));
                continue;
            }
            say(forms[i].operation, mac_other, forms[i].sender, forms[i].target);
            ck_assert(next_conflict(&event));
            ck_assert(event.lost);
            ck_assert_mem_eq(event.other.octet, mac_other, 6);
            net_discard(&net);
            net_run(&net, WISP_SEC(20));
            ck_assert_int_eq(next_sent(), NOTHING);
            ck_assert(!has_address());
        }
    }
}
END_TEST

/* covers: A5 */
START_TEST(wait__own_probe_comes_back__no_conflict)
{
    struct wisp_stack_event event;
    struct wisp_pkt *pkt;
    struct wisp_netdev *dev = wisp_link_dev(net.link, 1);
    add_address();
    net_run(&net, WISP_SEC(1));
    ck_assert_uint_eq(dev->ops->receive(dev, &pkt, 1, net.now), 1);
    wisp_pkt_drop(pkt);
    say(1, net_mac_ours, nobody, us);
    ck_assert(!next_conflict(&event));
    /* The frame's source alone is enough to refuse it; a switch that floods gives the same. */
    ck_assert_uint_eq(net_count(&net, "ethif.rx.bad_source"), 1);
    net_run(&net, WISP_SEC(10));
    ck_assert(has_address());
}
END_TEST

START_TEST(wait__somebody_asks_for_the_address__not_answered_before_it_is_ours)
{
    add_address();
    say(1, mac_other, peer, us);
    ck_assert_int_eq(next_sent(), NOTHING);
    net_run(&net, WISP_SEC(10));
    net_discard(&net);
    say(1, mac_other, peer, us);
    ck_assert_int_eq(next_sent(), REPLY);
}
END_TEST

/* covers: A7 */
START_TEST(beside__address_added__used_and_announced_at_once_and_probed_thrice)
{
    add_address();
    ck_assert(has_address());
    net_settle(&net);
    ck_assert_int_eq(next_sent(), ANNOUNCEMENT);
    ck_assert_int_eq(next_sent(), PROBE);
    ck_assert_uint_ge(wait_for(ANNOUNCEMENT, WISP_SEC(3)), WISP_MS(1999));
    ck_assert_int_eq(next_sent(), PROBE);
    wait_for(PROBE, WISP_SEC(3));
    net_run(&net, WISP_SEC(1000));
    ck_assert_int_eq(next_sent(), NOTHING);
}
END_TEST

/* covers: A8, A9, AR-04 */
START_TEST(address_in_use__claims_of_another__defended_once_in_ten_seconds_then_given_up)
{
    static const uint16_t operations[] = {1, 2};
    for (int i = 0; i < 2; i++) {
        struct wisp_stack_event event;
        net_close(&net);
        setup_none();
        add_address();
        net_run(&net, WISP_SEC(5));
        net_discard(&net);
        say(operations[i], mac_other, us, us);
        ck_assert_int_eq(next_sent(), ANNOUNCEMENT);
        ck_assert_int_eq(next_sent(), NOTHING);
        ck_assert(next_conflict(&event));
        ck_assert(!event.lost);
        ck_assert(has_address());
        net_run(&net, WISP_SEC(11));
        say(operations[i], mac_other, us, peer);
        ck_assert_int_eq(next_sent(), ANNOUNCEMENT);
        ck_assert(has_address());
        net_run(&net, WISP_SEC(9));
        say(operations[i], mac_other, us, peer);
        ck_assert_int_eq(next_sent(), NOTHING);
        ck_assert(next_conflict(&event));
        ck_assert(!event.lost);
        ck_assert(next_conflict(&event));
        ck_assert(event.lost);
        ck_assert(!has_address());
    }
}
END_TEST

/* covers: A10 */
START_TEST(address_given_up__packets_to_and_from_it__refused)
{
    struct wisp_addr peer_addr = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    uint8_t echo[100];
    add_address();
    net_run(&net, WISP_SEC(5));
    net_discard(&net);
    net_introduce(&net);
    say(1, mac_other, us, us);
    say(1, mac_other, us, us);
    net_discard(&net);
    ck_assert(!has_address());
    size_t length = net_echo_frame(echo, 30);
    net_expect_drop(&net, echo, length, "ipv4.rx.not_ours");
    ck_assert_int_eq(wisp_stack_ping(net.stack[0], &peer_addr, 1, 1, 1, net.now),
                     WISP_ERR_UNREACHABLE);
}
END_TEST

/* covers: AR-05 */
START_TEST(address_in_use__probe_of_another__one_reply_that_tells_it)
{
    add_address();
    net_run(&net, WISP_SEC(5));
    net_discard(&net);
    say(1, mac_other, nobody, us);
    ck_assert_int_eq(next_sent(), REPLY);
    ck_assert_mem_eq(answer, mac_other, 6);
    ck_assert_mem_eq(answer + 22, net_mac_ours, 6);
    ck_assert_mem_eq(answer + 28, us, 4);
    ck_assert_int_eq(next_sent(), NOTHING);
    ck_assert_uint_eq(net_count(&net, "arp.rx.conflict"), 0);
}
END_TEST

/* covers: A11 */
START_TEST(request_for_us__answered_to_the_asker_alone)
{
    add_address();
    net_run(&net, WISP_SEC(5));
    net_discard(&net);
    say(1, mac_other, peer, us);
    ck_assert_int_eq(next_sent(), REPLY);
    ck_assert_mem_eq(answer, mac_other, 6);
    ck_assert_mem_eq(answer + 32, mac_other, 6);
    ck_assert_mem_eq(answer + 38, peer, 4);
    say(1, mac_other, peer, (const uint8_t[]){10, 0, 0, 3});
    ck_assert_int_eq(next_sent(), NOTHING);
}
END_TEST

/* covers: A6 */
START_TEST(ten_conflicts__further_addresses__one_a_minute_and_probed_first)
{
    struct wisp_stack_event event;
    for (int i = 0; i < 10; i++) {
        add_address();
        net_run(&net, WISP_MS(1));
        say(2, mac_other, us, us);
        say(2, mac_other, us, us);
        ck_assert(!has_address());
    }
    net_discard(&net);
    while (next_conflict(&event)) {
    }
    add_address();
    wisp_time start = net.now;
    ck_assert(!has_address());
    wait_for(PROBE, WISP_SEC(70));
    ck_assert_uint_ge(net.now - start, WISP_SEC(59));
    say(2, mac_other, us, us);
    add_address();
    start = net.now;
    wait_for(PROBE, WISP_SEC(70));
    ck_assert_uint_ge(net.now - start, WISP_SEC(59));
}
END_TEST

/* covers: AR-07 */
START_TEST(frame_source_differs_from_arp_sender__refused_and_counted)
{
    add_address();
    net_run(&net, WISP_SEC(5));
    net_discard(&net);
    net_arp_frame(frame, 1, mac_other, peer, us);
    frame[11] ^= 1;
    net_expect_drop(&net, frame, 42, "arp.rx.source_mismatch");
}
END_TEST

/* covers: AR-08 */
START_TEST(hardware_protocol_or_lengths_wrong_or_truncated__dropped)
{
    add_address();
    net_run(&net, WISP_SEC(5));
    net_discard(&net);
    for (size_t at = 14; at < 20; at++) {
        for (int value = 0; value < 256; value++) {
            net_arp_frame(frame, 1, mac_other, peer, us);
            if (frame[at] == value) {
                continue;
            }
            frame[at] = (uint8_t)value;
            net_expect_drop(&net, frame, 42, "arp.rx.not_ethernet_ipv4");
        }
    }
    net_arp_frame(frame, 1, mac_other, peer, us);
    for (size_t length = 15; length < 42; length++) {
        net_expect_drop(&net, frame, length, "arp.rx.short");
    }
}
END_TEST

/* covers: AR-09 */
START_TEST(every_other_operation__ignored)
{
    add_address();
    net_run(&net, WISP_SEC(5));
    net_discard(&net);
    for (uint32_t operation = 0; operation < 65536; operation++) {
        if (operation != 1 && operation != 2) {
            net_arp_frame(frame, (uint16_t)operation, mac_other, us, us);
            net_expect_drop(&net, frame, 42, "arp.rx.operation");
        }
    }
    ck_assert_uint_eq(net_count(&net, "arp.rx.conflict"), 0);
}
END_TEST

START_TEST(five_addresses__the_fifth_is_refused__removed_ones_make_room)
{
    for (uint8_t i = 1; i <= 4; i++) {
        struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(10, i, 0, 1));
        ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &addr, 24, net.now), WISP_OK);
        ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &addr, 24, net.now), WISP_ERR_IN_USE);
    }
    ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &net.addr[0], 24, net.now),
                     WISP_ERR_FULL);
    struct wisp_addr third = wisp_addr_ip4(wisp_ip4(10, 3, 0, 1));
    ck_assert(wisp_stack_address_remove(net.stack[0], &third, net.now));
    ck_assert(!wisp_stack_address_remove(net.stack[0], &third, net.now));
    add_address();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("claim");
    TCase *wait = tcase_create("wait");
    tcase_set_timeout(wait, 60);
    tcase_add_checked_fixture(wait, setup_wait, teardown);
    tcase_add_test(wait, wait__three_probes_two_seconds_of_silence_two_announcements__then_rest);
    tcase_add_test(wait, wait__conflict_in_each_form_at_each_moment__address_lost_and_told);
    tcase_add_test(wait, wait__own_probe_comes_back__no_conflict);
    tcase_add_test(wait, wait__somebody_asks_for_the_address__not_answered_before_it_is_ours);
    suite_add_tcase(suite, wait);
    TCase *beside = tcase_create("beside");
    tcase_add_checked_fixture(beside, setup_beside, teardown);
    tcase_add_test(beside, beside__address_added__used_and_announced_at_once_and_probed_thrice);
    suite_add_tcase(suite, beside);
    TCase *tc = tcase_create("in_use");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup_none, teardown);
    tcase_add_test(tc,
                   address_in_use__claims_of_another__defended_once_in_ten_seconds_then_given_up);
    tcase_add_test(tc, address_given_up__packets_to_and_from_it__refused);
    tcase_add_test(tc, address_in_use__probe_of_another__one_reply_that_tells_it);
    tcase_add_test(tc, request_for_us__answered_to_the_asker_alone);
    tcase_add_test(tc, ten_conflicts__further_addresses__one_a_minute_and_probed_first);
    tcase_add_test(tc, frame_source_differs_from_arp_sender__refused_and_counted);
    tcase_add_test(tc, hardware_protocol_or_lengths_wrong_or_truncated__dropped);
    tcase_add_test(tc, every_other_operation__ignored);
    tcase_add_test(tc, five_addresses__the_fifth_is_refused__removed_ones_make_room);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
