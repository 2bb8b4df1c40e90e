/* SPDX-License-Identifier: ISC */
/* What Linux asked Linux, asked of us: our answers are Linux's, but for identification, TOS of
 * errors, and the zeros that fill short frames up. */
#include "golden/linux.h"
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <string.h>
#include <wisp/udp.h>

static struct net net;
static uint8_t answer[2000];

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

/* Frames are equal but for what is ours to choose; ours has zeros up to 60 bytes. */
static void expect_like(size_t length, const uint8_t *theirs, size_t their_length)
{
    static const uint8_t zeros[60];
    uint8_t copy[2000];
    ck_assert_uint_eq(length, their_length < 60 ? 60 : their_length);
    memcpy(copy, theirs, their_length);
    if (net_get16(copy + 12) == 0x0800) {
        ck_assert_uint_eq(net_checksum(answer + 14, 20, 0), 0);
        memcpy(copy + 18, answer + 18, 2); /* identification */
        memcpy(copy + 24, answer + 24, 2); /* header checksum, which depends on it */
        if (copy[34] == 3) {
            ck_assert_uint_eq(copy[15], 0xc0);
            copy[15] = 0;
        }
    }
    ck_assert_mem_eq(answer, copy, their_length);
    ck_assert_mem_eq(answer + their_length, zeros, length - their_length);
}

#define EXPECT(question, reply)                                                                    \
    expect_like(net_expect_answer(&net, question, sizeof(question), answer, sizeof(answer)),       \
                reply, sizeof(reply))

/* covers: I1, I30, IC-06, I45, L10 */
START_TEST(questions_of_linux__our_answers_are_linuxs)
{
    static const uint16_t splits[] = {0, 1, 5, 14, 34, 40, 700};
    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        net_close(&net);
        open_split(splits[i]);
        EXPECT(linux_arp_request, linux_arp_reply);
        EXPECT(linux_echo, linux_echo_reply);
        EXPECT(linux_small_echo, linux_small_echo_reply);
        net_inject(&net, linux_big_echo_1, sizeof(linux_big_echo_1));
        ck_assert_uint_eq(net_discard(&net), 0);
        net_inject(&net, linux_big_echo_2, sizeof(linux_big_echo_2));
        expect_like(net_sent(&net, answer, sizeof(answer)), linux_big_echo_reply_1,
                    sizeof(linux_big_echo_reply_1));
        expect_like(net_sent(&net, answer, sizeof(answer)), linux_big_echo_reply_2,
                    sizeof(linux_big_echo_reply_2));
    }
}
END_TEST

/* covers: I20, I23, U1, IP-08 */
START_TEST(closed_port_and_unknown_protocol_of_linux__our_errors_are_linuxs)
{
    struct wisp_udp_config config;
    wisp_udp_config_default(&config);
    config.hash = test_siphash;
    size_t size = wisp_udp_size(&config);
    struct wisp_udp *udp = wisp_udp_init(net_memory(&net, size), size, &config);
    wisp_stack_attach(net.stack[0], wisp_udp_transport(udp), net.now);
    EXPECT(linux_udp_to_closed, linux_port_unreachable);
    EXPECT(linux_protocol_200, linux_protocol_unreachable);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stack_golden");
    TCase *tc = tcase_create("linux");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, questions_of_linux__our_answers_are_linuxs);
    tcase_add_test(tc, closed_port_and_unknown_protocol_of_linux__our_errors_are_linuxs);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
