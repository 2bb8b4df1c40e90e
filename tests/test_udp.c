/* SPDX-License-Identifier: ISC */
/* UDP: sockets, both directions, between two stacks. */
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <string.h>
#include <wisp/udp.h>

static struct net net;
static struct wisp_udp *udp[2];

static void open_udp(int end)
{
    struct wisp_udp_config config;
    wisp_udp_config_default(&config);
    config.hash = test_siphash;
    config.seed[0] = (uint8_t)(end + 1);
    size_t size = wisp_udp_size(&config);
    udp[end] = wisp_udp_init(net_memory(&net, size), size, &config);
    ck_assert_ptr_nonnull(udp[end]);
    wisp_stack_attach(net.stack[end], wisp_udp_transport(udp[end]), net.now);
}

static void setup(void)
{
    struct net_options options;
    net_options_default(&options);
    net_open(&net, &options);
    open_udp(0);
    open_udp(1);
}

static void teardown(void)
{
    wisp_udp_fini(udp[0]);
    wisp_udp_fini(udp[1]);
    net_close(&net);
}

START_TEST(two_stacks__datagram_and_answer__arrive)
{
    struct wisp_udp_socket *here;
    struct wisp_udp_socket *there;
    struct wisp_udp_datagram datagram;
    ck_assert_int_eq(wisp_udp_open(udp[0], NULL, 0, false, &here), WISP_OK);
    ck_assert_int_eq(wisp_udp_open(udp[1], NULL, 7, false, &there), WISP_OK);
    ck_assert_int_eq(wisp_udp_send(here, NULL, &net.addr[1], 7, "hello", 5, net.now), WISP_OK);
    net_run(&net, WISP_MS(10));
    ck_assert_ptr_eq(wisp_udp_next(udp[1]), there);
    ck_assert(wisp_udp_receive(there, &datagram));
    ck_assert_uint_eq(datagram.pkt->length, 5);
    ck_assert_mem_eq(wisp_pkt_head(datagram.pkt), "hello", 5);
    ck_assert_uint_eq(datagram.remote_port, wisp_udp_port(here));
    ck_assert(wisp_addr_equal(&datagram.remote, &net.addr[0]));
    ck_assert(wisp_addr_equal(&datagram.local, &net.addr[1]));
    ck_assert_int_eq(wisp_udp_send_pkt(there, &datagram.local, &datagram.remote,
                                       datagram.remote_port, datagram.pkt, net.now),
                     WISP_OK);
    ck_assert_ptr_null(wisp_udp_next(udp[1]));
    net_run(&net, WISP_MS(10));
    ck_assert_ptr_eq(wisp_udp_next(udp[0]), here);
    ck_assert(wisp_udp_receive(here, &datagram));
    ck_assert_mem_eq(wisp_pkt_head(datagram.pkt), "hello", 5);
    wisp_pkt_drop(datagram.pkt);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("udp");
    TCase *tc = tcase_create("stacks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, two_stacks__datagram_and_answer__arrive);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
