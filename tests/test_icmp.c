/* SPDX-License-Identifier: ISC */
/* ICMP: echo in both roles. */
#include "net.h"
#include "suite.h"
#include <string.h>

static struct net net;

static void setup(void)
{
    struct net_options options;
    net_options_default(&options);
    net_open(&net, &options);
}

static void teardown(void)
{
    net_close(&net);
}

START_TEST(two_stacks__ping__answer_comes_back_intact)
{
    struct wisp_ping_reply reply;
    ck_assert_int_eq(wisp_stack_ping(net.stack[0], &net.addr[1], 7, 1, 56, net.now), WISP_OK);
    net_run(&net, WISP_MS(10));
    ck_assert(wisp_stack_next_ping(net.stack[0], &reply));
    ck_assert(reply.intact);
    ck_assert(!reply.error);
    ck_assert_uint_eq(reply.id, 7);
    ck_assert_uint_eq(reply.sequence, 1);
    ck_assert_uint_eq(reply.length, 56);
    ck_assert(!wisp_stack_next_ping(net.stack[0], &reply));
}
END_TEST

START_TEST(two_stacks__ping_of_every_kind_of_length__answer_comes_back_intact)
{
    static const uint16_t length[] = {0,    1,    17,   18,   19,   183,  184,   185,   186,
                                      1471, 1472, 1473, 1480, 4096, 8191, 30001, 65506, 65507};
    for (uint16_t i = 0; i < sizeof(length) / sizeof(length[0]); i++) {
        struct wisp_ping_reply reply;
        enum wisp_err err = wisp_stack_ping(net.stack[0], &net.addr[1], 7, i, length[i], net.now);
        ck_assert_int_eq(err, WISP_OK);
        net_run(&net, WISP_MS(10));
        ck_assert_msg(wisp_stack_next_ping(net.stack[0], &reply), "length %u", length[i]);
        ck_assert(reply.intact);
        ck_assert_uint_eq(reply.length, length[i]);
    }
    ck_assert_int_eq(wisp_stack_ping(net.stack[0], &net.addr[1], 7, 1, 65508, net.now),
                     WISP_ERR_INVALID);
}
END_TEST

static uint8_t frame[70000];
static uint8_t answer[70000];

static struct net alone;

static void setup_alone(void)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    net_open(&alone, &options);
    net_run(&alone, WISP_SEC(3)); /* the second announcement */
    net_introduce(&alone);
}

static void teardown_alone(void)
{
    net_close(&alone);
}

/* An ICMP error of the peer that quotes size bytes from packet on. */
static size_t error_frame(uint8_t type, uint8_t code, const uint8_t *packet, size_t size)
{
    size_t length = net_ip_frame(frame, 1, 20, 8 + size);
    memset(frame + 34, 0, 8);
    frame[34] = type;
    frame[35] = code;
    memcpy(frame + 42, packet, size);
    net_icmp_seal(frame);
    return length;
}

/* covers: IC-05, I21 */
START_TEST(errors_cut_anywhere_or_with_lying_quotes__dropped)
{
    uint8_t quote[80];
    net_udp_frame(frame, 9, 20);
    memcpy(quote, frame + 14, 48);
    memcpy(quote + 12, (const uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
    for (size_t size = 0; size < 28; size++) {
        size_t length = error_frame(3, 3, quote, size);
        net_expect_drop(&alone, frame, length, "icmp.rx.bad_quote");
    }
    size_t length = error_frame(3, 3, quote, 28);
    net_expect_drop(&alone, frame, length, "icmp.rx.error");
    for (uint8_t ihl = 0; ihl < 16; ihl++) {
        quote[0] = (uint8_t)(0x40 | ihl);
        length = error_frame(3, 3, quote, 28);
        net_expect_drop(&alone, frame, length, ihl == 5 ? "icmp.rx.error" : "icmp.rx.bad_quote");
    }
    quote[0] = 0x65;
    length = error_frame(3, 3, quote, 28);
    net_expect_drop(&alone, frame, length, "icmp.rx.bad_quote");
    quote[0] = 0x45;
    quote[7] = 1; /* about a later fragment */
    length = error_frame(3, 3, quote, 28);
    net_expect_drop(&alone, frame, length, "icmp.rx.bad_quote");
    quote[7] = 0;
    quote[15] = 9; /* not sent by us */
    length = error_frame(3, 3, quote, 28);
    net_expect_drop(&alone, frame, length, "icmp.rx.bad_quote");
    for (size_t size = 0; size < 8; size++) {
        length = net_ip_frame(frame, 1, 20, size);
        net_expect_drop(&alone, frame, length, "icmp.rx.short");
    }
}
END_TEST

/* covers: IC-06, I30 */
START_TEST(echo_of_each_length_to_1472__the_same_bytes_come_back)
{
    for (size_t payload = 0; payload <= 1472; payload++) {
        size_t length = net_echo_frame(frame, payload);
        size_t n = net_expect_answer(&alone, frame, length, answer, sizeof(answer));
        ck_assert_uint_eq(n, length < 60 ? 60 : length);
        ck_assert_uint_eq(answer[34], 0);
        ck_assert_mem_eq(answer + 38, frame + 38, 4 + payload);
        ck_assert_uint_eq(net_checksum(answer + 34, 8 + payload, 0), 0);
        ck_assert_uint_eq(net_checksum(answer + 14, 20, 0), 0);
        if (payload % 97 == 0) {
            frame[36] ^= 1;
            net_expect_drop(&alone, frame, length, "icmp.rx.bad_checksum");
        }
    }
}
END_TEST

/* covers: IC-04, IC-07, IC-11, I19, I25, I27, I33, I34, I35 */
START_TEST(every_other_type__ignored_and_counted)
{
    for (uint32_t type = 0; type < 256; type++) {
        size_t length = net_echo_frame(frame, 40);
        frame[34] = (uint8_t)type;
        net_icmp_seal(frame);
        switch (type) {
        case 8:
            net_expect_answer(&alone, frame, length, answer, sizeof(answer));
            break;
        case 0:
            net_expect_drop(&alone, frame, length, "icmp.rx.unasked_reply");
            break;
        case 3:
        case 11:
        case 12:
            net_expect_drop(&alone, frame, length, "icmp.rx.bad_quote");
            break;
        case 5:
            net_expect_drop(&alone, frame, length, "icmp.rx.redirect");
            break;
        default:
            net_expect_drop(&alone, frame, length, "icmp.rx.unknown_type");
        }
    }
}
END_TEST

/* covers: IC-10, I22 */
START_TEST(what_must_not_cause_an_error__causes_none)
{
    /* an error of unknown protocol would be due, but for a broadcast, a later fragment, a bad
     * source */
    size_t length = net_ip_frame(frame, 99, 20, 40);
    memset(frame, 0xff, 6);
    memset(frame + 30, 0xff, 4);
    net_ip_seal(frame);
    net_expect_drop(&alone, frame, length, "icmp.tx.not_allowed");
    static const uint8_t sources[][4] = {{0, 0, 0, 0}, {127, 0, 0, 1}, {224, 0, 0, 1}};
    for (int i = 0; i < 3; i++) {
        net_ip_frame(frame, 99, 20, 40);
        memcpy(frame + 26, sources[i], 4);
        net_ip_seal(frame);
        net_expect_drop(&alone, frame, length, "ipv4.rx.bad_source");
    }
    /* a bad option in an ICMP error, and in a later fragment */
    length = net_ip_frame(frame, 1, 24, 40);
    frame[34] = 200;
    frame[35] = 99;
    frame[38] = 3;
    net_ip_seal(frame);
    net_expect_drop(&alone, frame, length, "icmp.tx.not_allowed");
    frame[23] = 17;
    net_put16(frame + 20, 100);
    net_ip_seal(frame);
    net_expect_drop(&alone, frame, length, "ipv4.rx.bad_option");
    ck_assert_uint_eq(net_count(&alone, "icmp.tx.error"), 0);
}
END_TEST

static void expect_error(size_t length, uint8_t type, uint8_t code, uint8_t pointer)
{
    size_t n = net_expect_answer(&alone, frame, length, answer, sizeof(answer));
    ck_assert_uint_eq(answer[34], type);
    ck_assert_uint_eq(answer[35], code);
    ck_assert_uint_eq(answer[38], pointer);
    ck_assert_mem_eq(answer + 42, frame + 14, n - 42);
    ck_assert_uint_ge(n - 42, 28);
    ck_assert_uint_eq(net_checksum(answer + 34, n - 34, 0), 0);
}

/* covers: I51, I29, I23 */
START_TEST(what_may_cause_an_error__causes_the_one_for_it)
{
    size_t length = net_ip_frame(frame, 99, 20, 40);
    expect_error(length, 3, 2, 0);
    length = net_ip_frame(frame, 99, 28, 40);
    frame[36] = 200; /* an option longer than what is left, third octet of the options */
    frame[37] = 99;
    net_ip_seal(frame);
    expect_error(length, 12, 0, 22);
    length = net_ip_frame(frame, 99, 20, 40);
    net_put16(frame + 20, 0x2000); /* more fragments, which never come */
    net_ip_seal(frame);
    net_inject(&alone, frame, length);
    net_run(&alone, WISP_SEC(31));
    size_t n = 0;
    do {
        n = net_sent(&alone, answer, sizeof(answer));
        ck_assert_uint_gt(n, 0);
    } while (net_get16(answer + 12) != 0x0800);
    ck_assert_uint_eq(answer[34], 11);
    ck_assert_uint_eq(answer[35], 1);
    ck_assert_mem_eq(answer + 42, frame + 14, 28);
}
END_TEST

/* covers: IC-09 */
START_TEST(a_hundred_thousand_packets_that_deserve_errors__limited_per_destination_with_jitter)
{
    uint32_t sent = 0;
    wisp_time last = 0;
    wisp_time gap[16];
    uint32_t gaps = 0;
    size_t length = net_ip_frame(frame, 99, 20, 40);
    for (int i = 0; i < 100000; i++) {
        net_inject(&alone, frame, length);
        uint32_t n = 0;
        size_t size;
        while ((size = net_sent(&alone, answer, sizeof(answer))) > 0) {
            n += net_get16(answer + 12) == 0x0800;
        }
        if (n > 0 && sent >= 6 && gaps < 16) {
            gap[gaps++] = alone.now - last;
        }
        if (n > 0) {
            last = alone.now;
        }
        sent += n;
        alone.now += WISP_US(200);
    }
    ck_assert_uint_ge(sent, 12);
    ck_assert_uint_le(sent, 6 + 41);
    uint32_t equal = 0;
    for (uint32_t i = 2; i < gaps; i++) {
        ck_assert_uint_ge(gap[i], WISP_MS(499));
        equal += gap[i] == gap[i - 1];
    }
    ck_assert_uint_le(equal, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("icmp");
    TCase *tc = tcase_create("stacks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, two_stacks__ping__answer_comes_back_intact);
    tcase_add_test(tc, two_stacks__ping_of_every_kind_of_length__answer_comes_back_intact);
    suite_add_tcase(suite, tc);
    TCase *one = tcase_create("alone");
    tcase_set_timeout(one, 60);
    tcase_add_checked_fixture(one, setup_alone, teardown_alone);
    tcase_add_test(one, errors_cut_anywhere_or_with_lying_quotes__dropped);
    tcase_add_test(one, echo_of_each_length_to_1472__the_same_bytes_come_back);
    tcase_add_test(one, every_other_type__ignored_and_counted);
    tcase_add_test(one, what_may_cause_an_error__causes_the_one_for_it);
    tcase_add_test(one, what_must_not_cause_an_error__causes_none);
    tcase_add_test(
        one, a_hundred_thousand_packets_that_deserve_errors__limited_per_destination_with_jitter);
    suite_add_tcase(suite, one);
    return wisp_suite_run(suite);
}
