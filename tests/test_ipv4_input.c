/* SPDX-License-Identifier: ISC */
/* IPv4 input: every header field wrong in every way, linear and in pieces. */
#include "net.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct net net;
static uint8_t frame[70000];
static uint8_t answer[70000];

static void open_split(uint16_t split)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.link.split = split;
    net_open(&net, &options);
    net_introduce(&net);
}

static void setup(void)
{
    open_split(0);
}

static void teardown(void)
{
    net_close(&net);
}

static const uint16_t splits[] = {0, 1, 4, 13, 15, 22, 33};
#define SPLITS (sizeof(splits) / sizeof(splits[0]))

/* covers: IP-01, I4 */
START_TEST(version_0_to_15__only_4_goes_on)
{
    size_t length = net_echo_frame(frame, 30);
    for (uint8_t version = 0; version < 16; version++) {
        frame[14] = (uint8_t)(version << 4 | 5);
        net_ip_seal(frame);
        if (version == 4) {
            net_expect_answer(&net, frame, length, answer, sizeof(answer));
        } else {
            net_expect_drop(&net, frame, length, "ipv4.rx.bad_version");
        }
    }
}
END_TEST

/* covers: IP-02, IP-03, IP-07 */
START_TEST(header_length_too_small_or_beyond_lengths__dropped_linear_or_not)
{
    for (size_t s = 0; s < SPLITS; s++) {
        net_close(&net);
        open_split(splits[s]);
        for (uint8_t ihl = 0; ihl < 5; ihl++) {
            size_t length = net_echo_frame(frame, 30);
            frame[14] = (uint8_t)(0x40 | ihl);
            net_expect_drop(&net, frame, length, "ipv4.rx.bad_header_length");
        }
        for (uint8_t ihl = 6; ihl < 16; ihl++) {
            net_ip_frame(frame, 1, 20, 0);
            frame[14] = (uint8_t)(0x40 | ihl);
            net_expect_drop(&net, frame, 34, "ipv4.rx.bad_header_length");
            /* Enough bytes in the frame, too few in the total length. */
            net_expect_drop(&net, frame, 100, "ipv4.rx.bad_total_length");
        }
    }
}
END_TEST

/* covers: IP-04, IP-05, IP-07 */
START_TEST(total_length_every_value__only_those_that_fit_go_on_linear_or_not)
{
    for (size_t s = 0; s < SPLITS; s++) {
        net_close(&net);
        open_split(splits[s]);
        size_t length = net_ip_frame(frame, 1, 20, 30);
        for (size_t total = 0; total < 65536; total += total < 200 ? 1 : 977) {
            net_put16(frame + 16, total);
            net_ip_seal(frame);
            const char *name = total < 20 || total > 50 ? "ipv4.rx.bad_total_length"
                               : total < 28             ? "icmp.rx.short"
                                                        : "icmp.rx.bad_checksum";
            net_expect_drop(&net, frame, length, name);
        }
    }
}
END_TEST

/* covers: IP-06 */
START_TEST(total_length_below_frame__later_layers_see_only_that_linear_or_not)
{
    for (size_t s = 0; s < SPLITS; s++) {
        net_close(&net);
        open_split(splits[s]);
        for (size_t payload = 0; payload < 60; payload++) {
            size_t length = net_echo_frame(frame, payload);
            memset(frame + length, 0x99, 64);
            size_t n = net_expect_answer(&net, frame, length + 64, answer, sizeof(answer));
            ck_assert_uint_eq(n, length < 60 ? 60 : length);
            ck_assert_uint_eq(net_get16(answer + 16), 28 + payload);
            ck_assert_mem_eq(answer + 42, frame + 42, payload);
        }
    }
}
END_TEST

/* covers: IP-08, IP-15, I23, I52 */
START_TEST(protocols_0_to_255__unknown_ones_get_protocol_unreachable_never_parsed)
{
    for (int protocol = 0; protocol < 256; protocol++) {
        size_t length = net_ip_frame(frame, (uint8_t)protocol, 20, 40);
        /* IP in IP: an echo request within must not be answered. */
        uint8_t inner[100];
        net_echo_frame(inner, 12);
        memcpy(frame + 34, inner + 14, 40);
        net.now += WISP_SEC(10);
        if (protocol == 1) {
            net_expect_drop(&net, frame, length, "icmp.rx.unknown_type");
            continue;
        }
        net_introduce(&net);
        size_t n = net_expect_answer(&net, frame, length, answer, sizeof(answer));
        ck_assert_uint_eq(n, 14 + 20 + 8 + 60);
        ck_assert_uint_eq(answer[34], 3);
        ck_assert_uint_eq(answer[35], 2);
        ck_assert_mem_eq(answer + 42, frame + 14, 60);
    }
}
END_TEST

/* covers: IP-09, I8 */
START_TEST(land__own_address_as_source__dropped_without_answer)
{
    size_t length = net_ip_frame(frame, 6, 20, 20);
    memcpy(frame + 26, frame + 30, 4);
    net_ip_seal(frame);
    net_expect_drop(&net, frame, length, "ipv4.rx.bad_source");
    length = net_echo_frame(frame, 20);
    memcpy(frame + 26, frame + 30, 4);
    net_ip_seal(frame);
    net_expect_drop(&net, frame, length, "ipv4.rx.bad_source");
}
END_TEST

/* covers: IP-10, I16 */
START_TEST(options_of_every_type_and_length__dropped_or_skipped_never_looped)
{
    static const uint8_t types[] = {0, 1, 7, 68, 130, 131, 133, 134, 136, 137, 148, 151, 200, 255};
    uint64_t decided = 0;
    for (size_t t = 0; t < sizeof(types); t++) {
        for (int option_length = 0; option_length < 256; option_length++) {
            for (size_t header = 24; header <= 60; header += 12) {
                net.now += WISP_MS(1);
                size_t length = net_ip_frame(frame, 1, header, 8);
                frame[34] = types[t];
                frame[35] = (uint8_t)option_length;
                frame[36] = (uint8_t)option_length; /* pointer */
                net_ip_seal(frame);
                static const uint8_t ask[] = {8, 0, 0xf7, 0xff, 0, 0, 0, 0};
                memcpy(frame + 14 + header, ask, 8);
                net_inject(&net, frame, length);
                net_discard(&net);
                decided++;
            }
        }
    }
    uint64_t answered = net_count(&net, "icmp.rx.echo");
    uint64_t bad = net_count(&net, "ipv4.rx.bad_option");
    uint64_t routed = net_count(&net, "ipv4.rx.source_route");
    ck_assert_uint_eq(answered + bad + routed, decided);
    ck_assert_uint_gt(answered, 1000);
    ck_assert_uint_gt(bad, 1000);
    ck_assert_uint_gt(routed, 100);
}
END_TEST

/* covers: IP-10, I16 */
START_TEST(well_formed_unknown_options__skipped_and_packet_answered)
{
    static const uint8_t options[][8] = {
        {1, 1, 1, 1, 1, 1, 1, 0},     {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {7, 7, 4, 0, 0, 0, 0, 0},     {68, 8, 5, 0, 0, 0, 0, 0},
        {136, 4, 0, 0, 148, 4, 0, 0}, {200, 8, 0xde, 0xad, 0xbe, 0xef, 0, 0},
        {1, 200, 7, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        net_ip_frame(frame, 1, 28, 8);
        memcpy(frame + 34, options[i], 8);
        net_ip_seal(frame);
        static const uint8_t ask[] = {8, 0, 0xf7, 0xff, 0, 0, 0, 0};
        memcpy(frame + 42, ask, 8);
        net_expect_answer(&net, frame, 50, answer, sizeof(answer));
    }
}
END_TEST

/* covers: IP-11, I29 */
START_TEST(malformed_option__parameter_problem_quotes_what_fits)
{
    for (size_t header = 24; header <= 60; header += 4) {
        static const uint8_t types[] = {7, 68, 131, 137, 200};
        for (size_t t = 0; t < sizeof(types); t++) {
            net.now += WISP_SEC(10);
            net_introduce(&net);
            size_t length = net_ip_frame(frame, 17, header, 1000);
            memset(frame + 14 + header, 0x42, 1000);
            frame[35] = types[t];
            frame[36] = 200;
            net_ip_seal(frame);
            size_t n = net_expect_answer(&net, frame, length, answer, sizeof(answer));
            ck_assert_uint_eq(answer[34], 12);
            ck_assert_uint_eq(answer[38], 21);
            ck_assert_uint_eq(n, 14 + 20 + 192);
            ck_assert_mem_eq(answer + 42, frame + 14, n - 42);
        }
    }
}
END_TEST

/* covers: IP-12, I17, I47 */
START_TEST(source_routes_to_us_and_others_whole_and_in_fragments__dropped)
{
    static const uint8_t types[] = {131, 137};
    static const uint16_t flags[] = {0, 0x2000, 0x0005, 0x4000};
    for (int t = 0; t < 2; t++) {
        for (int f = 0; f < 4; f++) {
            size_t length = net_ip_frame(frame, 1, 28, 40);
            static const uint8_t route[] = {0, 7, 4, 192, 0, 2, 1, 0};
            memcpy(frame + 34, route, 8);
            frame[34] = types[t];
            net_put16(frame + 20, flags[f]);
            net_ip_seal(frame);
            net_expect_drop(&net, frame, length, "ipv4.rx.source_route");
            frame[33] = 99;
            net_ip_seal(frame);
            net_expect_drop(&net, frame, length, "ipv4.rx.not_ours");
        }
    }
}
END_TEST

/* covers: IP-13, I8 */
START_TEST(sources_that_are_no_single_host__dropped_never_answered)
{
    static const uint8_t bad[][4] = {{0, 0, 0, 0},         {0, 1, 2, 3},   {127, 0, 0, 1},
                                     {127, 255, 255, 255}, {224, 0, 0, 1}, {239, 255, 255, 255},
                                     {240, 0, 0, 1},       {255, 0, 0, 1}, {255, 255, 255, 255},
                                     {10, 0, 0, 255},      {10, 0, 0, 0},  {10, 0, 0, 1}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t length = net_echo_frame(frame, 20);
        memcpy(frame + 26, bad[i], 4);
        net_ip_seal(frame);
        net_expect_drop(&net, frame, length, "ipv4.rx.bad_source");
        length = net_ip_frame(frame, 99, 20, 20);
        memcpy(frame + 26, bad[i], 4);
        net_ip_seal(frame);
        net_expect_drop(&net, frame, length, "ipv4.rx.bad_source");
    }
}
END_TEST

/* covers: I2, I7, IP-16, I50 */
START_TEST(destinations_not_ours__dropped_never_forwarded)
{
    static const struct {
        uint8_t to[4];
        const char *counter;
    } rows[] = {{{10, 0, 0, 3}, "ipv4.rx.not_ours"},          {{192, 0, 2, 1}, "ipv4.rx.not_ours"},
                {{127, 0, 0, 1}, "ipv4.rx.not_ours"},         {{10, 0, 1, 255}, "ipv4.rx.not_ours"},
                {{224, 0, 0, 1}, "ipv4.rx.group_not_joined"}, {{240, 0, 0, 1}, "ipv4.rx.not_ours"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t length = net_echo_frame(frame, 20);
        memcpy(frame + 30, rows[i].to, 4);
        net_ip_seal(frame);
        net_expect_drop(&net, frame, length, rows[i].counter);
        frame[23] = 2; /* IGMP */
        net_ip_seal(frame);
        net_expect_drop(&net, frame, length, rows[i].counter);
    }
}
END_TEST

/* covers: I48, I31, IC-08, IP-15 */
START_TEST(every_broadcast_form__recognised_and_never_answered)
{
    static const uint8_t forms[][4] = {
        {255, 255, 255, 255}, {0, 0, 0, 0}, {10, 0, 0, 255}, {10, 0, 0, 0}};
    for (size_t i = 0; i < 4; i++) {
        size_t length = net_echo_frame(frame, 20);
        memset(frame, 0xff, 6);
        memcpy(frame + 30, forms[i], 4);
        net_ip_seal(frame);
        net_expect_drop(&net, frame, length, "icmp.rx.broadcast");
        frame[23] = 99;
        net_ip_seal(frame);
        net_expect_drop(&net, frame, length, "ipv4.rx.no_protocol");
    }
}
END_TEST

/* covers: IP-17, I5 */
START_TEST(header_checksum_each_single_bit_flipped__dropped_linear_or_not)
{
    for (size_t s = 0; s < SPLITS; s++) {
        net_close(&net);
        open_split(splits[s]);
        size_t length = net_echo_frame(frame, 20);
        for (size_t bit = 0; bit < 160; bit++) {
            uint64_t delivered = net_count(&net, "ipv4.rx.delivered");
            frame[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
            net_inject(&net, frame, length);
            ck_assert_uint_eq(net_discard(&net), 0);
            ck_assert_uint_eq(net_count(&net, "ipv4.rx.delivered"), delivered);
            if (bit >= 32) {
                ck_assert_uint_ge(net_count(&net, "ipv4.rx.bad_checksum"), bit - 31);
            }
            frame[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        net_expect_answer(&net, frame, length, answer, sizeof(answer));
    }
}
END_TEST

/* covers: IP-17 */
START_TEST(header_whose_sum_is_all_ones__its_checksum_zero_is_right__all_ones_as_well)
{
    size_t length = net_echo_frame(frame, 20);
    net_put16(frame + 18, 0);
    net_ip_seal(frame);
    /* With an identification equal to that checksum, the new one is zero. */
    memcpy(frame + 18, frame + 24, 2);
    net_ip_seal(frame);
    ck_assert_uint_eq(net_get16(frame + 24), 0);
    net_expect_answer(&net, frame, length, answer, sizeof(answer));
    net_put16(frame + 24, 0xffff); /* the same number in one's complement (RFC 1071) */
    net_expect_answer(&net, frame, length, answer, sizeof(answer));
    net_put16(frame + 24, 0xfffe);
    net_expect_drop(&net, frame, length, "ipv4.rx.bad_checksum");
}
END_TEST

/* covers: IP-18 */
START_TEST(reserved_flag__ignored__df_with_mf__a_fragment)
{
    size_t length = net_echo_frame(frame, 24);
    net_put16(frame + 20, 0x8000);
    net_ip_seal(frame);
    net_expect_answer(&net, frame, length, answer, sizeof(answer));
    net_put16(frame + 20, 0x6000);
    net_ip_seal(frame);
    net_expect_drop(&net, frame, length, "ipv4.rx.fragments");
    net_put16(frame + 20, 0xffff);
    net_ip_seal(frame);
    net_expect_drop(&net, frame, length, "ipv4.rx.fragments");
}
END_TEST

/* covers: I14 */
START_TEST(ttl_zero_or_one__delivered)
{
    for (uint8_t ttl = 0; ttl < 2; ttl++) {
        size_t length = net_echo_frame(frame, 20);
        frame[22] = ttl;
        net_ip_seal(frame);
        net_expect_answer(&net, frame, length, answer, sizeof(answer));
        ck_assert_uint_eq(answer[22], 64);
    }
}
END_TEST

/* covers: I3 */
START_TEST(every_counter__has_a_name_of_its_own)
{
    struct wisp_counter a;
    struct wisp_counter b;
    uint32_t n = 0;
    while (wisp_stack_counter(net.stack[0], n, &a)) {
        for (uint32_t i = 0; i < n; i++) {
            ck_assert(wisp_stack_counter(net.stack[0], i, &b));
            ck_assert_str_ne(a.name, b.name);
        }
        n++;
    }
    ck_assert_uint_gt(n, 70);
}
END_TEST

START_TEST(no_page_to_join_a_split_header__dropped_and_counted)
{
    static struct wisp_page *taken[NET_PAGES];
    net_close(&net);
    open_split(15);
    size_t length = net_echo_frame(frame, 40);
    ck_assert(wisp_link_inject(wisp_link_dev(net.link, 0), frame, (uint32_t)length));
    uint32_t n = 0;
    while ((taken[n] = wisp_page_alloc(net.pool[0], WISP_ROLE_APP, WISP_HOLDER_APP)) != NULL) {
        n++;
    }
    net_settle(&net);
    ck_assert_uint_eq(net_count(&net, "ipv4.rx.no_page"), 1);
    ck_assert_uint_eq(net_discard(&net), 0);
    while (n > 0) {
        wisp_page_unref(taken[--n]);
    }
    net_expect_answer(&net, frame, length, answer, sizeof(answer));
}
END_TEST

/* ---- the last two hosts heard of are remembered ---- */

#define COUNTERS 256u

/* Of what arrives: what is sent depends on what ARP knows. */
static uint32_t receive_counters(uint64_t value[COUNTERS])
{
    struct wisp_counter counter;
    uint32_t n = 0;
    for (; n < COUNTERS && wisp_stack_counter(net.stack[0], n, &counter); n++) {
        value[n] = strstr(counter.name, ".rx.") ? counter.value : 0;
    }
    return n;
}

/* What bytes, arriving now, count. An echo reply of host came right before. */
static void effect_after(uint8_t host, const uint8_t *bytes, size_t length,
                         uint64_t effect[COUNTERS])
{
    uint64_t before[COUNTERS], after[COUNTERS];
    uint8_t reply[100];
    size_t size = net_echo_frame(reply, 10);
    reply[34] = 0;
    reply[29] = host;
    net_icmp_seal(reply);
    net_ip_seal(reply);
    net_inject(&net, reply, size);
    net_discard(&net);
    uint32_t n = receive_counters(before);
    net_inject(&net, bytes, length);
    ck_assert_uint_eq(receive_counters(after), n);
    memset(effect, 0, COUNTERS * sizeof(effect[0]));
    for (uint32_t i = 0; i < n; i++) {
        effect[i] = after[i] - before[i];
    }
    net_discard(&net);
}

/* covers: I4 */
START_TEST(every_byte_of_a_header_changed__hosts_just_heard_of_or_not__counted_alike)
{
    static const uint8_t flips[] = {0x01, 0x10, 0x40, 0xff};
    uint64_t known[COUNTERS], unknown[COUNTERS];
    for (size_t i = 0; i < 2 * 22 * sizeof(flips); i++) {
        size_t at = i / 2 % 22;
        size_t length = net_echo_frame(frame, 30);
        if (at < 20) {
            frame[14 + at] ^= flips[i / 44];
        } else if (at == 20) {
            frame[0] = 0xff; /* link-layer multicast */
        } else {
            length += 20; /* padded */
        }
        if (i % 2) {
            net_ip_seal(frame);
        }
        if (net_get16(frame + 20) & 0x3fff) {
            continue; /* the second time it is known, too, to reassembly */
        }
        effect_after(2, frame, length, known);
        effect_after(3, frame, length, unknown);
        for (uint32_t k = 0; k < COUNTERS; k++) {
            ck_assert_msg(known[k] == unknown[k],
                          "byte %zu, flip %#x, sealed %zu: counter %u, %u and %u", at,
                          flips[i / 44], i % 2, k, (unsigned)known[k], (unsigned)unknown[k]);
        }
    }
}
END_TEST

START_TEST(own_address_given_up__hosts_just_heard_of__not_ours_any_more)
{
    size_t length = net_echo_frame(frame, 30);
    net_expect_answer(&net, frame, length, answer, sizeof(answer));
    ck_assert(wisp_stack_address_remove(net.stack[0], &net.addr[0], net.now));
    net_discard(&net);
    net_expect_drop(&net, frame, length, "ipv4.rx.not_ours");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ipv4_input");
    TCase *tc = tcase_create("header");
    tcase_set_timeout(tc, 100);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, version_0_to_15__only_4_goes_on);
    tcase_add_test(tc, header_length_too_small_or_beyond_lengths__dropped_linear_or_not);
    tcase_add_test(tc, total_length_every_value__only_those_that_fit_go_on_linear_or_not);
    tcase_add_test(tc, total_length_below_frame__later_layers_see_only_that_linear_or_not);
    tcase_add_test(tc, protocols_0_to_255__unknown_ones_get_protocol_unreachable_never_parsed);
    tcase_add_test(tc, land__own_address_as_source__dropped_without_answer);
    tcase_add_test(tc, options_of_every_type_and_length__dropped_or_skipped_never_looped);
    tcase_add_test(tc, well_formed_unknown_options__skipped_and_packet_answered);
    tcase_add_test(tc, malformed_option__parameter_problem_quotes_what_fits);
    tcase_add_test(tc, source_routes_to_us_and_others_whole_and_in_fragments__dropped);
    tcase_add_test(tc, sources_that_are_no_single_host__dropped_never_answered);
    tcase_add_test(tc, destinations_not_ours__dropped_never_forwarded);
    tcase_add_test(tc, every_broadcast_form__recognised_and_never_answered);
    tcase_add_test(tc, header_checksum_each_single_bit_flipped__dropped_linear_or_not);
    tcase_add_test(tc, header_whose_sum_is_all_ones__its_checksum_zero_is_right__all_ones_as_well);
    tcase_add_test(tc, reserved_flag__ignored__df_with_mf__a_fragment);
    tcase_add_test(tc, ttl_zero_or_one__delivered);
    tcase_add_test(tc, every_counter__has_a_name_of_its_own);
    tcase_add_test(tc, every_byte_of_a_header_changed__hosts_just_heard_of_or_not__counted_alike);
    tcase_add_test(tc, own_address_given_up__hosts_just_heard_of__not_ours_any_more);
    tcase_add_test(tc, no_page_to_join_a_split_header__dropped_and_counted);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
