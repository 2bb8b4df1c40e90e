/* SPDX-License-Identifier: ISC */
/*
 * Two stacks, and the 1st, the 2nd, ... request for a page or a packet fails, alone or with those behind it, be it of
 * ARP, ICMP, UDP, fragments, reassembly or the link: what arrives is right, nothing is left in use, and once there are
 * pages again everything works. (TCP: sim/test_famine.c; DHCP and DNS: their own files.)
 */
#include "famine.h"
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <string.h>
#include <wisp/udp.h>

#define SMALL 5u
#define LARGE 5000u /* four fragments */
#define PORT  7000u

static struct net net;
static struct wisp_udp *udp[2];
static struct wisp_udp_socket *sock[2];
static uint8_t payload[LARGE];
static const uint64_t spans[] = {1, 2, 10};
#define SPANS (int)(sizeof(spans) / sizeof(spans[0]))

static void setup(void)
{
    struct net_options options;
    struct wisp_udp_config config;
    net_options_default(&options);
    options.pages = 128;
    net_open(&net, &options);
    for (int end = 0; end < 2; end++) {
        wisp_udp_config_default(&config);
        config.hash = test_siphash;
        config.seed[0] = (uint8_t)(end + 1);
        size_t size = wisp_udp_size(&config);
        udp[end] = wisp_udp_init(net_memory(&net, size), size, &config);
        wisp_stack_attach(net.stack[end], wisp_udp_transport(udp[end]), net.now);
        ck_assert_int_eq(wisp_udp_open(udp[end], NULL, PORT, false, &sock[end]), WISP_OK);
    }
    for (uint32_t i = 0; i < LARGE; i++) {
        payload[i] = (uint8_t)(i * 7 + i / 256);
    }
}

static void teardown(void)
{
    wisp_udp_fini(udp[0]);
    wisp_udp_fini(udp[1]);
    net_close(&net);
}

/* Both ends ask each other for an echo and send a datagram; refused for want of a packet: no harm. */
static void send_all(uint16_t length)
{
    for (int end = 0; end < 2; end++) {
        enum wisp_err err =
            wisp_udp_send(sock[end], NULL, &net.addr[!end], PORT, payload, length, net.now);
        ck_assert(err == WISP_OK || err == WISP_ERR_AGAIN);
        err = wisp_stack_ping(net.stack[end], &net.addr[!end], 1, length, length, net.now);
        ck_assert(err == WISP_OK || err == WISP_ERR_AGAIN);
    }
}

/* How many datagrams and answers of that length arrived; each is what was sent. */
static uint32_t take_all(uint16_t length)
{
    static uint8_t bytes[LARGE];
    struct wisp_udp_datagram datagram;
    struct wisp_ping_reply reply;
    uint32_t n = 0;
    for (int end = 0; end < 2; end++) {
        while (wisp_udp_receive(sock[end], &datagram)) {
            ck_assert_uint_eq(datagram.pkt->length, length);
            ck_assert(wisp_pkt_read(datagram.pkt, 0, bytes, length));
            ck_assert_mem_eq(bytes, payload, length);
            wisp_pkt_drop(datagram.pkt);
            n++;
        }
        while (wisp_stack_next_ping(net.stack[end], &reply)) {
            ck_assert(reply.error || reply.intact);
            ck_assert_uint_eq(reply.length, length);
            n += !reply.error; /* such as "fragment reassembly time exceeded" */
        }
    }
    return n;
}

static uint32_t exchange(uint16_t length)
{
    send_all(length);
    net_run(&net, WISP_SEC(4)); /* ARP asks again after a second */
    return take_all(length);
}

/* covers: RS-12 */
START_TEST(pool_fails__at_any_request__what_arrives_is_right_and_all_does_afterwards)
{
    uint32_t least = 8;
    uint64_t asked = 1;
    for (uint64_t first = 1; first <= asked; first++) {
        setup();
        famine_begin(first, spans[_i]);
        uint32_t n = exchange(SMALL) + exchange(LARGE);
        uint64_t so_many = famine_end();
        asked = so_many > asked ? so_many : asked;
        least = n < least ? n : least;
        net_run(&net, WISP_SEC(60)); /* what waits for fragments is given up */
        ck_assert_uint_eq(take_all(LARGE), 0);
        ck_assert_uint_eq(exchange(SMALL), 4);
        ck_assert_uint_eq(exchange(LARGE), 4);
        teardown();
    }
    ck_assert_uint_ge(asked, 50);
    ck_assert_uint_lt(least, 8); /* some did go missing */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scarcity");
    TCase *tcase = tcase_create("scarcity");
    tcase_add_loop_test(
        tcase, pool_fails__at_any_request__what_arrives_is_right_and_all_does_afterwards, 0, SPANS);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
