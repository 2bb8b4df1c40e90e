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

int main(void)
{
    Suite *suite = suite_create("icmp");
    TCase *tc = tcase_create("stacks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, two_stacks__ping__answer_comes_back_intact);
    tcase_add_test(tc, two_stacks__ping_of_every_kind_of_length__answer_comes_back_intact);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
