/* SPDX-License-Identifier: ISC */
/* Reassembly: whole datagrams from any order, and nothing from anything else. */
#include "net.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct net net;
static uint8_t whole[70000];
static uint8_t frame[70000];
static uint8_t answer[70000];
static uint8_t got[70000];

static void open_with(uint16_t split, uint32_t pages)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.link.split = split;
    options.config.reassembly_pages = pages;
    net_open(&net, &options);
    net_introduce(&net);
}

static void setup(void)
{
    open_with(0, 64);
}

static void teardown(void)
{
    net_close(&net);
}

/* The piece from..to of the datagram in whole, into frame; its length. */
static size_t piece(size_t from, size_t to, bool more, uint16_t id)
{
    memcpy(frame, whole, 34);
    net_put16(frame + 16, 20 + to - from);
    net_put16(frame + 18, id);
    net_put16(frame + 20, from / 8 | (more ? 0x2000 : 0));
    net_ip_seal(frame);
    memcpy(frame + 34, whole + 34 + from, to - from);
    return 34 + to - from;
}

static void send_piece(size_t from, size_t to, bool more, uint16_t id)
{
    size_t length = piece(from, to, more, id);
    net_inject(&net, frame, length);
}

static uint32_t pages_held(void)
{
    uint32_t counts[WISP_HOLDERS];
    wisp_pool_ledger(net.pool[0], counts);
    return counts[WISP_HOLDER_REASSEMBLY];
}

/* Collects the fragments of the echo's answer into got; the ICMP length, or 0 if there was no
 * answer. */
static size_t collect_answer(void)
{
    size_t end = 0;
    size_t n;
    while ((n = net_sent(&net, answer, sizeof(answer))) > 0) {
        size_t at = (net_get16(answer + 20) & 0x1fff) * 8;
        size_t length = net_get16(answer + 16) - 20;
        ck_assert_uint_eq(answer[23], 1);
        memcpy(got + at, answer + 34, length);
        end = at + length > end ? at + length : end;
    }
    return end;
}

static void expect_whole(size_t icmp_length)
{
    ck_assert_uint_eq(collect_answer(), icmp_length);
    ck_assert_uint_eq(got[0], 0);
    ck_assert_mem_eq(got + 4, whole + 38, icmp_length - 4);
    ck_assert_uint_eq(net_checksum(got, icmp_length, 0), 0);
}

static void permute(uint8_t *order, int n, int k, uint32_t *tried)
{
    static const size_t cut[] = {0, 64, 72, 200, 208, 4008, 6008};
    if (k == n) {
        for (int i = 0; i < n; i++) {
            send_piece(cut[order[i]], cut[order[i] + 1], order[i] + 1 < n, (uint16_t)*tried);
        }
        expect_whole(cut[n]);
        ck_assert_uint_eq(pages_held(), 0);
        (*tried)++;
        return;
    }
    for (int i = k; i < n; i++) {
        uint8_t t = order[k];
        order[k] = order[i];
        order[i] = t;
        permute(order, n, k + 1, tried);
        t = order[k];
        order[k] = order[i];
        order[i] = t;
    }
}

/* covers: FR-13, I10, I41 */
START_TEST(up_to_six_fragments__every_order__byte_exact)
{
    static const size_t length[] = {0, 64, 72, 200, 208, 4008, 6008};
    uint32_t tried = 0;
    net_close(&net);
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.link.mtu = 9000;
    net_open(&net, &options);
    net_introduce(&net);
    for (int n = 2; n <= 6; n++) {
        uint8_t order[6] = {0, 1, 2, 3, 4, 5};
        net_echo_frame(whole, length[n] - 8);
        permute(order, n, 0, &tried);
    }
    ck_assert_uint_eq(tried, 2 + 6 + 24 + 120 + 720);
}
END_TEST

/* covers: FR-12, FR-13, IP-07 */
START_TEST(datagram_of_65535_bytes_in_order_and_backwards_linear_or_not__byte_exact)
{
    static const uint16_t splits[] = {0, 100, 513};
    for (size_t s = 0; s < 3; s++) {
        net_close(&net);
        open_with(splits[s], 64);
        net_echo_frame(whole, 65507);
        for (size_t from = 0; from < 65515; from += 1480) {
            size_t to = from + 1480 < 65515 ? from + 1480 : 65515;
            send_piece(from, to, to < 65515, 1);
        }
        expect_whole(65515);
        for (size_t i = 45; i-- > 0;) {
            size_t to = (i + 1) * 1480 < 65515 ? (i + 1) * 1480 : 65515;
            send_piece(i * 1480, to, to < 65515, 2);
        }
        expect_whole(65515);
        ck_assert_uint_eq(pages_held(), 0);
    }
}
END_TEST

/* covers: FR-01 */
START_TEST(teardrop_second_inside_first__datagram_discarded)
{
    net_echo_frame(whole, 992);
    send_piece(0, 504, true, 1);
    send_piece(24, 56, false, 1);
    send_piece(504, 1000, false, 1);
    ck_assert_uint_eq(collect_answer(), 0);
    ck_assert_uint_eq(pages_held(), 0);
}
END_TEST

/* covers: FR-02 */
START_TEST(overlaps_of_every_kind_same_or_other_bytes__only_the_exact_duplicate_is_survived)
{
    /* Beside [400, 800): head, tail, inside at either end and amid, covering either side and both,
     * exact. */
    static const size_t second[][2] = {{320, 408}, {792, 880}, {400, 480}, {720, 800}, {480, 560},
                                       {320, 800}, {400, 880}, {320, 880}, {400, 800}};
    uint16_t id = 0;
    for (size_t i = 0; i < 9; i++) {
        for (int other = 0; other < 2; other++) {
            bool survives = i == 8 && !other;
            net_echo_frame(whole, 992);
            id++;
            send_piece(400, 800, true, id);
            size_t length = piece(second[i][0], second[i][1], true, id);
            frame[34] ^= (uint8_t)other;
            net_inject(&net, frame, length);
            send_piece(0, 400, true, id);
            send_piece(800, 1000, false, id);
            if (survives) {
                expect_whole(1000);
            } else {
                ck_assert_uint_eq(collect_answer(), 0);
            }
            ck_assert_uint_eq(pages_held(), 0);
            net.now += WISP_SEC(31);
            net_introduce(&net);
        }
    }
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.duplicate"), 1);
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.overlap"), 17);
}
END_TEST

/* covers: FR-03, FR-05 */
START_TEST(lengths_that_disagree__dropped)
{
    net_echo_frame(whole, 992);
    size_t length = piece(0, 504, true, 1);
    net_expect_drop(&net, frame, length - 1, "ipv4.rx.bad_total_length");
    for (size_t to = 497; to < 504; to++) {
        length = piece(0, to, true, 1);
        net_expect_drop(&net, frame, length, "ipv4.reassembly.bad_length");
    }
    length = piece(8, 8, true, 1);
    net_expect_drop(&net, frame, length, "ipv4.reassembly.bad_length");
    length = piece(8, 8, false, 1);
    net_expect_drop(&net, frame, length, "ipv4.reassembly.bad_length");
    /* More fragments follow a position that is the end already. */
    send_piece(800, 1000, false, 2);
    length = piece(1000, 1008, true, 2);
    net_expect_drop(&net, frame, length, "ipv4.reassembly.two_ends");
    ck_assert_uint_eq(pages_held(), 0);
}
END_TEST

/* covers: FR-04 */
START_TEST(ping_of_death__every_offset_that_would_end_beyond_65535__dropped)
{
    net_echo_frame(whole, 1472);
    for (size_t offset = 65528 - 1480; offset <= 65528; offset += 8) {
        size_t end = 34 + 1480;
        memcpy(frame, whole, end);
        net_put16(frame + 16, 1500);
        net_put16(frame + 20, offset / 8);
        net_ip_seal(frame);
        if (offset + 1480 + 20 > 65535) {
            net_expect_drop(&net, frame, end, "ipv4.reassembly.too_long");
        }
    }
}
END_TEST

/* covers: FR-06 */
START_TEST(endless_same_last_fragment_and_huge_offsets__memory_stays_bounded)
{
    net_echo_frame(whole, 1472);
    for (int i = 0; i < 20000; i++) {
        size_t length = piece(0, 24, false, 1);
        net_put16(frame + 20, 0x1ffe);
        net_ip_seal(frame);
        net_inject(&net, frame, length);
        length = piece(0, 24, i % 2, (uint16_t)i);
        net_put16(frame + 20, 0x0400u + (size_t)(i % 7) * 0x300);
        net_ip_seal(frame);
        net_inject(&net, frame, length);
        ck_assert_uint_le(pages_held(), 64);
    }
    ck_assert_uint_eq(net_discard(&net), 0);
}
END_TEST

/* covers: FR-07 */
START_TEST(transport_header_split_over_fragments__dropped)
{
    net_echo_frame(whole, 992);
    whole[23] = 6;
    size_t length = piece(0, 16, true, 1);
    net_expect_drop(&net, frame, length, "ipv4.reassembly.tiny");
    length = piece(8, 504, true, 1);
    net_expect_drop(&net, frame, length, "ipv4.reassembly.tiny");
    length = piece(16, 504, false, 1);
    net_expect_drop(&net, frame, length, "ipv4.reassembly.tiny");
    ck_assert_uint_eq(pages_held(), 0);
}
END_TEST

/* covers: FR-08 */
START_TEST(two_last_fragments_with_different_ends__datagram_discarded)
{
    net_echo_frame(whole, 992);
    send_piece(800, 1000, false, 1);
    send_piece(1000, 1100, false, 1);
    send_piece(0, 800, true, 1);
    ck_assert_uint_eq(collect_answer(), 0);
    send_piece(800, 1000, true, 2);
    send_piece(400, 800, false, 2);
    send_piece(0, 400, true, 2);
    ck_assert_uint_eq(collect_answer(), 0);
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.two_ends"), 2);
}
END_TEST

/* covers: FR-09, FR-15 */
START_TEST(rose__first_and_last_only_for_many_ids_and_sources__bounded_other_sources_live)
{
    net_echo_frame(whole, 65507);
    for (uint32_t i = 0; i < 5000; i++) {
        memcpy(whole + 26, (const uint8_t[]){10, 0, 0, 66}, 4);
        send_piece(0, 1480, true, (uint16_t)i);
        send_piece(64000, 65480, false, (uint16_t)i);
        ck_assert_uint_le(pages_held(), 32);
    }
    ck_assert_uint_gt(net_count(&net, "ipv4.reassembly.evicted"), 4000);
    /* Another source is not evicted by it: its first half came before the flood's next round. */
    net_echo_frame(whole, 1992);
    send_piece(0, 1000, true, 7);
    net_echo_frame(whole, 65507);
    memcpy(whole + 26, (const uint8_t[]){10, 0, 0, 66}, 4);
    for (uint32_t i = 0; i < 500; i++) {
        send_piece(0, 1480, true, (uint16_t)(i + 6000));
    }
    net_discard(&net);
    net_echo_frame(whole, 1992);
    send_piece(1000, 2000, false, 7);
    expect_whole(2000);
    net.now += WISP_SEC(31);
    net_settle(&net);
    ck_assert_uint_eq(pages_held(), 0);
}
END_TEST

/* covers: RS-02 */
START_TEST(datagrams_of_64_kib_in_pieces_of_eight_bytes__given_up_early_and_bounded)
{
    uint32_t most = 0;
    net_echo_frame(whole, 65507);
    for (uint16_t id = 0; id < 100; id++) {
        for (size_t at = 0; at < 65512; at += 1000) { /* holes between, so that no two join */
            send_piece(at, at + 8, true, id);
        }
        for (size_t at = 16; at < 65512; at += 1000) {
            send_piece(at, at + 8, true, id);
            most = pages_held() > most ? pages_held() : most;
        }
    }
    ck_assert_uint_le(most, 32); /* half of what all may hold, for one source */
    /* 132 pieces are more than are kept of one datagram: it is given up, and costs no page from then on. */
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.too_many"), 100);
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.poisoned"), 100 * (132 - 129));
    net_discard(&net);
    net_echo_frame(whole, 1992);
    send_piece(0, 1000, true, 7777);
    send_piece(1000, 2000, false, 7777);
    expect_whole(2000);
}
END_TEST

/* covers: FR-10, I42 */
START_TEST(datagram_not_completed_in_time__time_exceeded_only_with_fragment_zero)
{
    net_run(&net, WISP_SEC(3)); /* the second announcement */
    net_discard(&net);
    net_echo_frame(whole, 992);
    send_piece(504, 1000, false, 1);
    net_run(&net, WISP_SEC(31));
    ck_assert_uint_eq(net_discard(&net), 0);
    net_introduce(&net);
    send_piece(0, 504, true, 2);
    size_t first = piece(0, 504, true, 2);
    net_run(&net, WISP_SEC(29));
    ck_assert_uint_eq(net_discard(&net), 0);
    net_run(&net, WISP_SEC(2));
    size_t n = net_sent(&net, answer, sizeof(answer));
    ck_assert_uint_eq(n, 14 + 20 + 192);
    ck_assert_uint_eq(answer[34], 11);
    ck_assert_uint_eq(answer[35], 1);
    ck_assert_uint_gt(first, n);
    ck_assert_mem_eq(answer + 42, frame + 14, n - 42);
    ck_assert_uint_eq(net_checksum(answer + 34, 192, 0), 0);
    /* To a broadcast address: nothing. */
    net_echo_frame(whole, 992);
    memset(whole, 0xff, 6);
    whole[33] = 255;
    net_introduce(&net);
    send_piece(0, 504, true, 3);
    net_run(&net, WISP_SEC(31));
    ck_assert_uint_eq(net_discard(&net), 0);
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.timed_out"), 3);
}
END_TEST

/* covers: FR-11 */
START_TEST(same_id_other_source_or_protocol__never_mixed)
{
    net_echo_frame(whole, 992);
    send_piece(0, 504, true, 1);
    size_t length = piece(504, 1000, false, 1);
    frame[29] = 9;
    net_ip_seal(frame);
    net_inject(&net, frame, length);
    piece(504, 1000, false, 1);
    frame[23] = 17;
    net_ip_seal(frame);
    net_inject(&net, frame, length);
    piece(504, 1000, false, 2);
    net_inject(&net, frame, length);
    ck_assert_uint_eq(collect_answer(), 0);
    send_piece(504, 1000, false, 1);
    expect_whole(1000);
}
END_TEST

START_TEST(more_than_128_fragments__datagram_discarded)
{
    net_echo_frame(whole, 4000);
    for (size_t from = 0; from < 3000; from += 16) {
        send_piece(from, from + 8, true, 1);
    }
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.too_many"), 1);
    ck_assert_uint_eq(pages_held(), 0);
}
END_TEST

/* RFC 3168 §5.3 */
START_TEST(congestion_marks__kept_if_every_piece_speaks_ecn__datagram_dropped_otherwise)
{
    static const struct {
        uint8_t first, second;
        int tos; /* of the answer, or -1 */
    } rows[] = {{0, 0, 0}, {2, 2, 2}, {2, 3, 3}, {3, 2, 3}, {3, 3, 3}, {0, 3, -1}, {3, 0, -1}};
    for (uint16_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        net_echo_frame(whole, 992);
        whole[15] = rows[i].first;
        send_piece(0, 504, true, i);
        whole[15] = rows[i].second;
        send_piece(504, 1000, false, i);
        size_t n = net_sent(&net, answer, sizeof(answer));
        ck_assert_uint_eq(n, rows[i].tos < 0 ? 0 : 1034);
        ck_assert(n == 0 || answer[15] == rows[i].tos);
    }
    ck_assert_uint_eq(net_count(&net, "ipv4.reassembly.bad_ecn"), 2);
}
END_TEST

START_TEST(pages_fail_at_the_first_second_third_request__nothing_kept_nothing_lost)
{
    static struct wisp_page *taken[NET_PAGES];
    for (uint32_t left = 0; left < 6; left++) {
        uint32_t n = 0;
        net_echo_frame(whole, 14000);
        while ((taken[n] = wisp_page_alloc(net.pool[0], WISP_ROLE_APP, WISP_HOLDER_APP)) != NULL) {
            n++;
        }
        for (uint32_t i = 0; i < left + 1; i++) {
            wisp_page_unref(taken[--n]); /* one carries the frame */
        }
        for (size_t from = 0; from < 14008; from += 1480) {
            size_t to = from + 1480 < 14008 ? from + 1480 : 14008;
            send_piece(from, to, to < 14008, (uint16_t)left);
        }
        while (n > 0) {
            wisp_page_unref(taken[--n]);
        }
        size_t length = collect_answer();
        ck_assert(length == 0 || length == 14008);
        ck_assert_uint_eq(length == 14008, left >= 4);
        net_run(&net, WISP_SEC(31));
        net_discard(&net);
        net_introduce(&net);
        ck_assert_uint_eq(pages_held(), 0);
    }
}
END_TEST

START_TEST(stack_without_reassembly__fragments__dropped_and_counted)
{
    struct net_options options;
    net_close(&net);
    net_options_default(&options);
    options.alone = true;
    options.config.reassembly = NULL;
    net_open(&net, &options);
    net_introduce(&net);
    net_echo_frame(whole, 992);
    size_t length = piece(0, 504, true, 1);
    net_expect_drop(&net, frame, length, "ipv4.rx.fragment_unsupported");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reassembly");
    TCase *tc = tcase_create("fragments");
    tcase_set_timeout(tc, 100);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, up_to_six_fragments__every_order__byte_exact);
    tcase_add_test(tc, datagram_of_65535_bytes_in_order_and_backwards_linear_or_not__byte_exact);
    tcase_add_test(tc, teardrop_second_inside_first__datagram_discarded);
    tcase_add_test(
        tc, overlaps_of_every_kind_same_or_other_bytes__only_the_exact_duplicate_is_survived);
    tcase_add_test(tc, lengths_that_disagree__dropped);
    tcase_add_test(tc, ping_of_death__every_offset_that_would_end_beyond_65535__dropped);
    tcase_add_test(tc, endless_same_last_fragment_and_huge_offsets__memory_stays_bounded);
    tcase_add_test(tc, transport_header_split_over_fragments__dropped);
    tcase_add_test(tc, two_last_fragments_with_different_ends__datagram_discarded);
    tcase_add_test(tc,
                   rose__first_and_last_only_for_many_ids_and_sources__bounded_other_sources_live);
    tcase_add_test(tc, datagrams_of_64_kib_in_pieces_of_eight_bytes__given_up_early_and_bounded);
    tcase_add_test(tc, datagram_not_completed_in_time__time_exceeded_only_with_fragment_zero);
    tcase_add_test(tc, same_id_other_source_or_protocol__never_mixed);
    tcase_add_test(tc, more_than_128_fragments__datagram_discarded);
    tcase_add_test(tc,
                   congestion_marks__kept_if_every_piece_speaks_ecn__datagram_dropped_otherwise);
    tcase_add_test(tc, pages_fail_at_the_first_second_third_request__nothing_kept_nothing_lost);
    tcase_add_test(tc, stack_without_reassembly__fragments__dropped_and_counted);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
