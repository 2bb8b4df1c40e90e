/* SPDX-License-Identifier: ISC */
/* Ethernet framing: what is let in, and how frames leave. */
#include "ethif.h"
#include "net.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct net net;
static uint8_t frame[70000];
static uint8_t answer[70000];

static void open_alone(uint16_t split, uint32_t gso)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.link.split = split;
    options.link.gso = gso;
    net_open(&net, &options);
    net_introduce(&net);
}

static void setup(void)
{
    open_alone(0, 0);
}

static void teardown(void)
{
    net_close(&net);
}

/* covers: ET-01, L6 */
START_TEST(valid_echo__every_prefix_of_0_to_64_bytes__dropped_and_counted)
{
    static const uint16_t splits[] = {0, 1, 3, 14, 20, 33};
    for (size_t s = 0; s < sizeof(splits) / sizeof(splits[0]); s++) {
        net_close(&net);
        open_alone(splits[s], 0);
        size_t whole = net_echo_frame(frame, 22);
        ck_assert_uint_eq(whole, 64);
        for (size_t length = 1; length < 64; length++) {
            const char *name = length < 14   ? "ethif.rx.short"
                               : length < 34 ? "ipv4.rx.short"
                                             : "ipv4.rx.bad_total_length";
            net_expect_drop(&net, frame, length, name);
        }
        size_t n = net_expect_answer(&net, frame, 64, answer, sizeof(answer));
        ck_assert_uint_eq(n, 64);
    }
}
END_TEST

/* covers: ET-02 */
START_TEST(valid_frames_of_each_kind__every_prefix__dropped_and_counted)
{
    uint64_t accepted = net_count(&net, "ethif.rx.accepted");
    static const uint8_t peer[] = {10, 0, 0, 2};
    static const uint8_t us[] = {10, 0, 0, 1};
    net_arp_frame(frame, 1, net_mac_peer, peer, us);
    for (size_t length = 14; length < 42; length++) {
        net_expect_drop(&net, frame, length, "arp.rx.short");
    }
    size_t whole = net_udp_frame(frame, 9, 100);
    for (size_t length = 34; length < whole; length++) {
        net_expect_drop(&net, frame, length, "ipv4.rx.bad_total_length");
    }
    ck_assert_uint_eq(net_count(&net, "ethif.rx.accepted"), accepted + 28 + whole - 34);
}
END_TEST

/* covers: ET-03, L1, L7, L9 */
START_TEST(types_below_0x600_tags_and_unknown_ones__dropped_each_under_its_name)
{
    size_t length = net_echo_frame(frame, 56);
    for (size_t type = 0; type < 0x600; type++) {
        net_put16(frame + 12, type);
        net_expect_drop(&net, frame, length, "ethif.rx.length_instead_of_type");
    }
    static const uint16_t tags[] = {0x8100, 0x88a8};
    for (int t = 0; t < 2; t++) {
        for (int depth = 1; depth <= 20; depth++) {
            for (int i = 0; i < depth; i++) {
                net_put16(frame + 12 + 4 * i, tags[t]);
            }
            net_expect_drop(&net, frame, length, "ethif.rx.vlan");
        }
    }
    static const uint16_t unknown[] = {0x600, 0x86dd, 0x1000, 0x8808, 0x88cc, 0xffff, 0x0801};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        net_put16(frame + 12, unknown[i]);
        net_expect_drop(&net, frame, length, "ethif.rx.unknown_type");
    }
}
END_TEST

/* covers: ET-04, L15 */
START_TEST(source_group_broadcast_own_or_zero__dropped)
{
    static const uint8_t bad[][6] = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                                     {1, 0, 0x5e, 0, 0, 1},
                                     {3, 0, 0, 0, 0, 2},
                                     {2, 0, 0, 0, 0, 1},
                                     {0, 0, 0, 0, 0, 0}};
    size_t length = net_echo_frame(frame, 56);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(frame + 6, bad[i], 6);
        net_expect_drop(&net, frame, length, "ethif.rx.bad_source");
    }
}
END_TEST

/* covers: ET-05, L15 */
START_TEST(destination_another_station_or_group__dropped)
{
    size_t length = net_echo_frame(frame, 56);
    for (int bit = 0; bit < 48; bit++) {
        memcpy(frame, net_mac_ours, 6);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const char *name = bit == 0 ? "ethif.rx.group_not_joined" : "ethif.rx.not_ours";
        net_expect_drop(&net, frame, length, name);
    }
}
END_TEST

/* covers: ET-06, L11, I48 */
START_TEST(unicast_packet_in_broadcast_frame__dropped)
{
    size_t length = net_echo_frame(frame, 56);
    memset(frame, 0xff, 6);
    net_expect_drop(&net, frame, length, "ipv4.rx.unicast_in_broadcast");
    length = net_udp_frame(frame, 9, 20);
    memset(frame, 0xff, 6);
    net_expect_drop(&net, frame, length, "ipv4.rx.unicast_in_broadcast");
    length = net_ip_frame(frame, 6, 20, 20);
    memset(frame, 0xff, 6);
    net_expect_drop(&net, frame, length, "ipv4.rx.unicast_in_broadcast");
}
END_TEST

/* covers: ET-07 */
START_TEST(frame_beyond_mtu__only_with_merging_negotiated)
{
    size_t length = net_echo_frame(frame, 1472);
    ck_assert_uint_eq(length, 1514);
    ck_assert_uint_eq(net_expect_answer(&net, frame, length, answer, sizeof(answer)), 1514);
    for (size_t over = 1; over < 60000; over += 4999) {
        net_expect_drop(&net, frame, 1514 + over, "ethif.rx.long");
    }
    net_close(&net);
    open_alone(0, 65000);
    length = net_echo_frame(frame, 8000);
    net_inject(&net, frame, length);
    ck_assert_uint_eq(net_discard(&net), 6);
    length = net_echo_frame(frame, 64973);
    net_expect_drop(&net, frame, length, "ethif.rx.long");
}
END_TEST

/* covers: ET-08, IP-06, L14 */
START_TEST(short_packet_in_padded_frame__padding_is_cut_off)
{
    for (size_t payload = 0; payload <= 18; payload++) {
        size_t length = net_echo_frame(frame, payload);
        memset(frame + length, 0xa5, 100);
        size_t n = net_expect_answer(&net, frame, 100, answer, sizeof(answer));
        ck_assert_uint_eq(n, 60);
        ck_assert_uint_eq(net_get16(answer + 16), 28 + payload);
        ck_assert_mem_eq(answer + 42, frame + 42, payload);
    }
}
END_TEST

/* covers: ET-09, L14 */
START_TEST(short_frame_sent__filled_up_with_zeros)
{
    /* Cells and pages have held other bytes before, so that zeros are no accident. */
    for (int i = 0; i < 600; i++) {
        size_t length = net_echo_frame(frame, 1400);
        memset(frame + 42, 0xee, 1400);
        net_icmp_seal(frame);
        net_expect_answer(&net, frame, length, answer, sizeof(answer));
        net_ip_frame(frame, 200, 20, 100);
        memset(frame + 34, 0xee, 100);
        net_inject(&net, frame, 134);
        net_discard(&net);
        net.now += WISP_MS(1);
    }
    static const uint8_t zeros[60];
    net_introduce(&net);
    for (size_t payload = 0; payload <= 18; payload++) {
        for (int repeat = 0; repeat < 20; repeat++) {
            size_t length = net_echo_frame(frame, payload);
            size_t n = net_expect_answer(&net, frame, length, answer, sizeof(answer));
            ck_assert_uint_eq(n, 60);
            ck_assert_mem_eq(answer + 42 + payload, zeros, 18 - payload);
        }
    }
}
END_TEST

START_TEST(joined_group__frames_to_it__accepted_eight_groups_at_most)
{
    static struct wisp_ethif eth;
    static const struct wisp_ethif_upper upper;
    wisp_ethif_init(&eth, wisp_link_dev(net.link, 0), wisp_sum_portable, &upper);
    for (uint8_t i = 0; i < 8; i++) {
        struct wisp_mac group = {{1, 0, 0x5e, 0, 0, i}};
        ck_assert(wisp_ethif_join(&eth, group));
        ck_assert(wisp_ethif_join(&eth, group));
    }
    struct wisp_mac ninth = {{1, 0, 0x5e, 0, 0, 9}};
    ck_assert(!wisp_ethif_join(&eth, ninth));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ethif");
    TCase *tc = tcase_create("frames");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, valid_echo__every_prefix_of_0_to_64_bytes__dropped_and_counted);
    tcase_add_test(tc, valid_frames_of_each_kind__every_prefix__dropped_and_counted);
    tcase_add_test(tc, types_below_0x600_tags_and_unknown_ones__dropped_each_under_its_name);
    tcase_add_test(tc, source_group_broadcast_own_or_zero__dropped);
    tcase_add_test(tc, destination_another_station_or_group__dropped);
    tcase_add_test(tc, unicast_packet_in_broadcast_frame__dropped);
    tcase_add_test(tc, frame_beyond_mtu__only_with_merging_negotiated);
    tcase_add_test(tc, short_packet_in_padded_frame__padding_is_cut_off);
    tcase_add_test(tc, short_frame_sent__filled_up_with_zeros);
    tcase_add_test(tc, joined_group__frames_to_it__accepted_eight_groups_at_most);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
