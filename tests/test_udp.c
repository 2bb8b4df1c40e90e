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

static uint8_t frame[70000];
static uint8_t answer[70000];
static struct wisp_udp_socket *sock;

static void setup_alone(void)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    net_open(&net, &options);
    open_udp(0);
    net_run(&net, WISP_SEC(3)); /* the second announcement */
    net_introduce(&net);
    ck_assert_int_eq(wisp_udp_open(udp[0], NULL, 7000, false, &sock), WISP_OK);
}

static void teardown_alone(void)
{
    wisp_udp_fini(udp[0]);
    net_close(&net);
}

static uint32_t drain(void)
{
    struct wisp_udp_datagram datagram;
    uint32_t n = 0;
    while (wisp_udp_receive(sock, &datagram)) {
        wisp_pkt_drop(datagram.pkt);
        n++;
    }
    return n;
}

/* covers: UD-01, UD-02, U9 */
START_TEST(udp_length_every_value__dropped_when_impossible_trimmed_when_smaller)
{
    for (uint32_t value = 0; value < 65536; value += value < 60 ? 1 : 991) {
        struct wisp_udp_datagram datagram;
        size_t length = net_udp_frame(frame, 7000, 30);
        net_put16(frame + 38, value);
        if (value >= 8 && value <= 38) {
            net_udp_seal(frame);
            net_inject(&net, frame, length);
            ck_assert(wisp_udp_receive(sock, &datagram));
            ck_assert_uint_eq(datagram.pkt->length, value - 8);
            wisp_pkt_drop(datagram.pkt);
        } else {
            net_expect_drop(&net, frame, length, "udp.rx.bad_length");
        }
    }
    for (size_t size = 0; size < 8; size++) {
        size_t length = net_ip_frame(frame, 17, 20, size);
        net_expect_drop(&net, frame, length, "udp.rx.short");
    }
}
END_TEST

/* covers: UD-04, U4 */
START_TEST(checksum_zero_accepted_wrong_dropped__each_bit)
{
    size_t length = net_udp_frame(frame, 7000, 31);
    for (size_t bit = 0; bit < 39 * 8; bit++) {
        bool in_length = bit >= 32 && bit < 48;
        frame[34 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (!in_length) {
            net_expect_drop(&net, frame, length, "udp.rx.bad_checksum");
        }
        frame[34 + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    net_put16(frame + 40, 0);
    net_inject(&net, frame, length);
    ck_assert_uint_eq(drain(), 1);
}
END_TEST

/* covers: UD-04, U4 */
START_TEST(sent_datagrams__checksum_right_and_a_computed_zero_is_all_ones)
{
    uint32_t ones = 0;
    for (uint32_t i = 0; i < 65536; i++) {
        uint8_t payload[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        ck_assert_int_eq(wisp_udp_send(sock, NULL, &net.addr[1], 9, payload, 2, net.now), WISP_OK);
        net_settle(&net);
        ck_assert_uint_eq(net_sent(&net, answer, sizeof(answer)), 60);
        uint32_t sum = net_get16(answer + 40);
        ck_assert_uint_ne(sum, 0);
        ones += sum == 0xffff;
        memcpy(frame, answer, 60);
        net_udp_seal(frame);
        ck_assert_uint_eq(net_get16(frame + 40), sum);
    }
    ck_assert_uint_eq(ones, 1);
}
END_TEST

/* covers: UD-05, U1 */
START_TEST(port_zero_closed_port_broadcast__dropped_unreachable_nothing)
{
    size_t length = net_udp_frame(frame, 0, 10);
    net_expect_drop(&net, frame, length, "udp.rx.port_zero");
    length = net_udp_frame(frame, 7000, 10);
    net_put16(frame + 34, 0);
    net_udp_seal(frame);
    net_expect_drop(&net, frame, length, "udp.rx.port_zero");
    length = net_udp_frame(frame, 7001, 10);
    net_expect_answer(&net, frame, length, answer, sizeof(answer));
    ck_assert_uint_eq(answer[34], 3);
    ck_assert_uint_eq(answer[35], 3);
    ck_assert_mem_eq(answer + 42, frame + 14, length - 14);
    for (uint16_t port = 7000; port <= 7001; port++) {
        length = net_udp_frame(frame, port, 10);
        memset(frame, 0xff, 6);
        frame[33] = 255;
        net_ip_seal(frame);
        net_udp_seal(frame);
        net_expect_drop(&net, frame, length, "udp.rx.no_socket");
    }
}
END_TEST

/* covers: UD-06 */
START_TEST(flood_of_small_and_large_datagrams__bounded_in_count_and_pages)
{
    for (size_t payload = 0; payload <= 1472; payload += 92) {
        for (int i = 0; i < 500; i++) {
            size_t length = net_udp_frame(frame, 7000, payload);
            net_inject(&net, frame, length);
        }
        uint32_t counts[WISP_HOLDERS];
        wisp_pool_ledger(net.pool[0], counts);
        ck_assert_uint_le(counts[WISP_HOLDER_UDP],
                          payload <= 184 ? 5 : 65); /* 65: the shared page stays */
        ck_assert_uint_eq(drain(), 64);
    }
    ck_assert_uint_eq(net_count(&net, "udp.rx.queue_full"), 17 * (500 - 64));
}
END_TEST

/* covers: UD-03 */
START_TEST(payload_of_65507_bytes_sent_in_fragments__65508_refused)
{
    static uint8_t big[65508];
    for (uint32_t i = 0; i < sizeof(big); i++) {
        big[i] = (uint8_t)(i * 11);
    }
    ck_assert_int_eq(wisp_udp_send(sock, NULL, &net.addr[1], 9, big, 65508, net.now),
                     WISP_ERR_INVALID);
    ck_assert_int_eq(wisp_udp_send(sock, NULL, &net.addr[1], 9, big, 65507, net.now), WISP_OK);
    net_settle(&net);
    size_t end = 0;
    while (net_sent(&net, answer, sizeof(answer)) > 0) {
        size_t at = (net_get16(answer + 20) & 0x1fff) * 8;
        size_t size = net_get16(answer + 16) - 20;
        memcpy(frame + at, answer + 34, size);
        end = at + size > end ? at + size : end;
    }
    ck_assert_uint_eq(end, 65515);
    ck_assert_mem_eq(frame + 8, big, 65507);
}
END_TEST

/* covers: U3 */
START_TEST(icmp_error_about_a_sent_datagram__told_once_to_its_socket)
{
    struct wisp_icmp_error error;
    uint16_t port;
    uint8_t quote[48];
    ck_assert_int_eq(wisp_udp_send(sock, NULL, &net.addr[1], 9, "x", 1, net.now), WISP_OK);
    net_settle(&net);
    net_sent(&net, answer, sizeof(answer));
    memcpy(quote, answer + 14, 28);
    size_t length = net_ip_frame(frame, 1, 20, 36);
    memset(frame + 34, 0, 8);
    frame[34] = 3;
    frame[35] = 3;
    memcpy(frame + 42, quote, 28);
    net_icmp_seal(frame);
    net_inject(&net, frame, length);
    ck_assert_ptr_eq(wisp_udp_next(udp[0]), sock);
    ck_assert(wisp_udp_error(sock, &error, &port));
    ck_assert_int_eq(error.kind, WISP_ICMP_PORT_UNREACHABLE);
    ck_assert_uint_eq(port, 9);
    ck_assert(!wisp_udp_error(sock, &error, &port));
    frame[63] ^= 1; /* another local port */
    net_icmp_seal(frame);
    net_expect_drop(&net, frame, length, "udp.rx.error_unmatched");
}
END_TEST

/* covers: U7 */
START_TEST(sources_that_are_no_host__nothing_delivered_and_nothing_sent_from_them)
{
    static const uint8_t bad[][4] = {{0, 0, 0, 0},         {127, 0, 0, 1},  {224, 0, 0, 1},
                                     {240, 0, 0, 1},       {10, 0, 0, 255}, {10, 0, 0, 0},
                                     {255, 255, 255, 255}, {10, 0, 0, 1}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t length = net_udp_frame(frame, 7000, 10);
        memcpy(frame + 26, bad[i], 4);
        net_ip_seal(frame);
        net_udp_seal(frame);
        net_expect_drop(&net, frame, length, "ipv4.rx.bad_source");
        ck_assert_uint_eq(drain(), 0);
        if (memcmp(bad[i], "\x0a\x00\x00\x01", 4) != 0) {
            struct wisp_addr from =
                wisp_addr_ip4(wisp_ip4(bad[i][0], bad[i][1], bad[i][2], bad[i][3]));
            ck_assert_int_ne(wisp_udp_send(sock, &from, &net.addr[1], 9, "x", 1, net.now), WISP_OK);
        }
    }
    struct wisp_addr neighbour = wisp_addr_ip4(wisp_ip4(10, 0, 0, 9));
    ck_assert_int_ne(wisp_udp_send(sock, &neighbour, &net.addr[1], 9, "x", 1, net.now), WISP_OK);
    net_settle(&net);
    ck_assert_uint_eq(net_discard(&net), 0);
}
END_TEST

/* covers: UD-07 */
START_TEST(echo_daytime_quote_chargen_and_time__nobody_opened_them__unreachable)
{
    static const uint16_t ports[] = {7, 13, 17, 19, 37};
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        size_t length = net_udp_frame(frame, ports[i], 10);
        net_expect_answer(&net, frame, length, answer, sizeof(answer));
        ck_assert_uint_eq(answer[23], 1); /* ICMP, not UDP */
        ck_assert_uint_eq(answer[34], 3);
        ck_assert_uint_eq(answer[35], 3);
    }
}
END_TEST

/* covers: U10, U6, U8 */
START_TEST(ephemeral_ports_differ_unpredictably__address_ttl_and_tos_are_the_applications)
{
    struct wisp_udp_socket *other[8];
    uint32_t steps = 0;
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(wisp_udp_open(udp[0], &net.addr[0], 0, false, &other[i]), WISP_OK);
        ck_assert_uint_ge(wisp_udp_port(other[i]), 49152);
        steps += i > 0 && wisp_udp_port(other[i]) == wisp_udp_port(other[i - 1]) + 1;
    }
    ck_assert_uint_le(steps, 1);
    wisp_udp_set(other[0], 3, 0x28);
    ck_assert_int_eq(wisp_udp_send(other[0], &net.addr[0], &net.addr[1], 9, "x", 1, net.now),
                     WISP_OK);
    net_settle(&net);
    net_sent(&net, answer, sizeof(answer));
    ck_assert_uint_eq(answer[15], 0x28);
    ck_assert_uint_eq(answer[22], 3);
    ck_assert_int_ne(wisp_udp_send(other[0], &net.addr[1], &net.addr[1], 9, "x", 1, net.now),
                     WISP_OK);
}
END_TEST

START_TEST(queue_config_socket_errors__in_use_full_invalid)
{
    struct wisp_udp_socket *other;
    ck_assert_int_eq(wisp_udp_open(udp[0], NULL, 7000, false, &other), WISP_ERR_IN_USE);
    for (int i = 0; i < 15; i++) {
        ck_assert_int_eq(wisp_udp_open(udp[0], NULL, 0, false, &other), WISP_OK);
    }
    ck_assert_int_eq(wisp_udp_open(udp[0], NULL, 0, false, &other), WISP_ERR_FULL);
    wisp_udp_close(other);
    ck_assert_int_eq(wisp_udp_open(udp[0], NULL, 0, true, &other), WISP_OK);
    ck_assert_int_eq(wisp_udp_send(sock, NULL, &net.addr[1], 0, "x", 1, net.now), WISP_ERR_INVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("udp");
    TCase *tc = tcase_create("stacks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, two_stacks__datagram_and_answer__arrive);
    suite_add_tcase(suite, tc);
    TCase *one = tcase_create("alone");
    tcase_set_timeout(one, 60);
    tcase_add_checked_fixture(one, setup_alone, teardown_alone);
    tcase_add_test(one, udp_length_every_value__dropped_when_impossible_trimmed_when_smaller);
    tcase_add_test(one, checksum_zero_accepted_wrong_dropped__each_bit);
    tcase_add_test(one, sent_datagrams__checksum_right_and_a_computed_zero_is_all_ones);
    tcase_add_test(one, port_zero_closed_port_broadcast__dropped_unreachable_nothing);
    tcase_add_test(one, flood_of_small_and_large_datagrams__bounded_in_count_and_pages);
    tcase_add_test(one, payload_of_65507_bytes_sent_in_fragments__65508_refused);
    tcase_add_test(one, icmp_error_about_a_sent_datagram__told_once_to_its_socket);
    tcase_add_test(one,
                   ephemeral_ports_differ_unpredictably__address_ttl_and_tos_are_the_applications);
    tcase_add_test(one, sources_that_are_no_host__nothing_delivered_and_nothing_sent_from_them);
    tcase_add_test(one, echo_daytime_quote_chargen_and_time__nobody_opened_them__unreachable);
    tcase_add_test(one, queue_config_socket_errors__in_use_full_invalid);
    suite_add_tcase(suite, one);
    return wisp_suite_run(suite);
}
