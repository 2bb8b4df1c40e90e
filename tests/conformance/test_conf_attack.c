/* SPDX-License-Identifier: ISC */
/* Attacks on TCP and on what it lives from: malformed segments, floods, starvation, exhausted memory. */
#include "bytes.h"
#include "suite.h"
#include "sum.h"
#include "wire.h"
#include <string.h>

static struct wire w;

static void setup(void)
{
    wire_open(&w, NULL);
}

static void teardown(void)
{
    wire_close(&w);
}

static struct wisp_tcp_conn *server(void)
{
    wire_listen(&w, 80);
    return wire_accept(&w, SEG(.mss = 1460, .sack_permitted = true));
}

static uint32_t pages_in_use(void)
{
    struct wisp_pool_stats stats;
    wisp_pool_stats(w.pool, &stats);
    return stats.in_use;
}

/* The connection still carries data both ways. */
static void check_alive(struct wisp_tcp_conn *conn, uint32_t seq)
{
    uint32_t before = wisp_tcp_readable(conn);
    w.peer_next = w.peer_iss + seq;
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 7));
    ck_assert_uint_eq(wisp_tcp_readable(conn), before + 7);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
}

/* ---- malformed segments ---- */

/* covers: TC-05 */
START_TEST(data_offset__of_every_value__never_read_beyond_the_segment)
{
    struct wisp_tcp_conn *conn = server();
    for (uint32_t words = 1; words < 16; words++) {
        if (words == 5) {
            continue;
        }
        wire_tell(&w, SEG(.flags = ACK, .length = words > 5 ? 4 * (words - 5) - 1 : 10,
                          .offset_words = words));
        w.peer_next = w.peer_iss + 1;
        ck_assert_msg(wisp_tcp_readable(conn) == 0, "offset %u", words);
    }
    wire_drain(&w);
    ck_assert_uint_ge(wire_count(&w, "tcp.rx.bad_header"), 4);
    check_alive(conn, 1);
}
END_TEST

/* A frame of a segment to the connection, cut to length bytes of TCP, with IP saying so. */
static void tell_cut(uint32_t length)
{
    uint8_t frame[100];
    wire_queue(&w, SEG(.flags = ACK | PSH, .length = 4));
    struct wisp_link_end *end = &w.link.end[0];
    struct wisp_pkt *pkt = end->arrived[--end->arrived_in % WISP_LINK_RING];
    wisp_pkt_read(pkt, 0, frame, 58);
    wisp_pkt_drop(pkt);
    w.peer_next = w.peer_iss + 1;
    wisp_be16_put(frame + 16, (uint16_t)(20 + length));
    frame[24] = frame[25] = 0;
    wisp_sum_store(frame + 24, wisp_sum_portable(frame + 14, 20));
    if (length >= 18) {
        frame[50] = frame[51] = 0;
    }
    wire_frame(&w, frame, 34 + length);
    wire_step(&w);
}

/* covers: TC-06 */
START_TEST(segments_shorter_than_a_header__dropped_and_counted)
{
    struct wisp_tcp_conn *conn = server();
    uint64_t before = wire_count(&w, "tcp.rx.bad_header") + wire_count(&w, "tcp.rx.bad_checksum");
    for (uint32_t length = 0; length < 20; length++) {
        tell_cut(length);
        wire_silent(&w);
    }
    uint64_t after = wire_count(&w, "tcp.rx.bad_header") + wire_count(&w, "tcp.rx.bad_checksum");
    ck_assert_uint_eq(after - before, 20);
    check_alive(conn, 1);
}
END_TEST

static const struct {
    const char *name;
    uint8_t bytes[40];
    uint32_t length;
} sack_rows[] = {
    {"length 3", {5, 3, 0, 1}, 4},
    {"length 9", {5, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1}, 12},
    {"length 11", {5, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 12},
    {"length 42", {5, 42, 0, 0}, 4},
    {"empty block", {1, 1, 5, 10, 0, 0, 0, 5, 0, 0, 0, 5}, 12},
    {"inverted block", {1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 0, 5}, 12},
    {"wrapped block", {1, 1, 5, 10, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 5}, 12},
};

/* covers: TC-04 */
START_TEST(data_in_flight__odd_sack_options__nothing_is_freed_or_broken)
{
    struct wisp_tcp_conn *conn = server();
    wire_write(&w, conn, 5840);
    wire_drain(&w);
    uint32_t flight = wire_info(conn).in_flight;
    wire_tell(&w, SEG(.flags = ACK, .ack = 1, .options = sack_rows[_i].bytes,
                      .options_length = sack_rows[_i].length));
    wire_drain(&w);
    ck_assert_msg(wire_info(conn).in_flight == flight, "%s", sack_rows[_i].name);
    ck_assert_uint_eq(wire_info(conn).queued, 5840);
    wire_tell(&w, SEG(.flags = ACK, .ack = 5841));
    ck_assert_uint_eq(wire_info(conn).queued, 0);
    check_alive(conn, 1);
}
END_TEST

static const struct {
    const char *name;
    uint8_t bytes[16];
    uint32_t length;
    uint32_t expected_window; /* of a later segment with window 1000 */
} scale_rows[] = {
    {"shift 15 counts as 14", {3, 3, 15, 1}, 4, 1000u << 14},
    {"shift 255 counts as 14", {3, 3, 255, 1}, 4, 1000u << 14},
    {"length 2 is none", {3, 2, 1, 1}, 4, 1000},
    {"two of them: the first", {3, 3, 2, 3, 3, 3, 1, 1}, 8, 1000u << 2},
};

/* covers: TC-07 */
START_TEST(syn__odd_window_scales__read_by_rfc_7323)
{
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn = wire_accept(
        &w, SEG(.options = scale_rows[_i].bytes, .options_length = scale_rows[_i].length));
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 1, .window = 1000));
    ck_assert_msg(wire_info(conn).snd_wnd == scale_rows[_i].expected_window, "%s: %u",
                  scale_rows[_i].name, wire_info(conn).snd_wnd);
}
END_TEST

/* covers: TC-07 */
START_TEST(window_scale_on_data__after_the_handshake__ignored)
{
    struct wisp_tcp_conn *conn = server();
    static const uint8_t options[4] = {3, 3, 9, 1};
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 1, .window = 1000, .options = options,
                      .options_length = 4));
    ck_assert_uint_eq(wire_info(conn).snd_wnd, 1000);
}
END_TEST

/* covers: TC-14 */
START_TEST(segments_that_would_change_state__wrong_checksum__no_effect)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460, .bad_checksum = true));
    wire_silent(&w);
    struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.mss = 1460));
    static const uint32_t flags[] = {RST,       RST | ACK, FIN | ACK, SYN,
                                     SYN | ACK, ACK | PSH, ACK | URG};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        wire_tell(&w,
                  SEG(.flags = flags[i], .seq = 1, .length = 3, .urgent = 1, .bad_checksum = true));
        w.peer_next = w.peer_iss + 1;
        wire_silent(&w);
        ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    }
    check_alive(conn, 1);
}
END_TEST

/* covers: TC-22 */
START_TEST(winnuke__urgent_data_to_a_listening_port__is_ordinary)
{
    struct wisp_tcp_conn *conn = server();
    wire_tell(&w, SEG(.flags = ACK | URG | PSH, .data = "bye", .length = 3, .urgent = 3));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 3);
    check_alive(conn, 4);
}
END_TEST

/* covers: TC-24 */
START_TEST(connection_slot_used_again__after_urgent_state__starts_fresh)
{
    struct wisp_tcp_conn *conn = server();
    wire_tell(&w, SEG(.flags = ACK | URG, .length = 5, .urgent = 60000));
    ck_assert_uint_gt(wisp_tcp_urgent(conn), 0);
    wisp_tcp_abort(conn);
    wisp_tcp_release(conn);
    wire_step(&w);
    wire_drain(&w);
    w.source = 40001;
    struct wisp_tcp_conn *again = wire_accept(&w, SEG(.mss = 1460));
    ck_assert_ptr_eq(again, conn); /* the same memory, or the test says nothing */
    ck_assert_uint_eq(wisp_tcp_urgent(again), 0);
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 5));
    ck_assert_uint_eq(wisp_tcp_urgent(again), 0);
    ck_assert_uint_eq(wire_events(&w, again, NULL) & WISP_TCP_URGENT, 0);
}
END_TEST

/* ---- SACK abuse ---- */

/* covers: TC-40, TC-41, TC-44 */
START_TEST(sack_blocks_of_all_kinds__thousands__memory_stays_and_the_stream_ends_well)
{
    struct wisp_tcp_conn *conn = server();
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    uint32_t pages = pages_in_use();
    for (uint32_t i = 0; i < 4000; i++) {
        uint32_t a = 2 + 2 * (i % 5000);
        wire_tell(&w, SEG(.flags = ACK, .ack = 1,
                          .sack = {{a, a + 1}, {a + 4, a + 5}, {0xffffff00u, 1}, {14000, 14601}}));
        wire_drain(&w);
    }
    ck_assert_uint_le(pages_in_use(), pages + 16);
    ck_assert_uint_eq(wire_info(conn).queued, 14600);
    wire_tell(&w, SEG(.flags = ACK, .ack = 14601));
    ck_assert_uint_eq(wire_info(conn).queued, 0);
    check_alive(conn, 1);
}
END_TEST

/* ---- reflection ---- */

/* covers: TC-54 */
START_TEST(whatever_is_sent_to_us__unasked__answers_are_no_more_and_no_larger)
{
    wire_listen(&w, 80);
    for (uint32_t flags = 0; flags < 64; flags++) {
        for (uint32_t port = 80; port < 82; port++) {
            struct seg got;
            w.source = 43000 + flags;
            w.port = port;
            wire_tell(&w, SEG(.flags = flags, .seq = 5, .ack = 9));
            uint32_t answers = 0;
            while (wire_next(&w, &got)) {
                answers++;
                /* a SYN-ACK with its options; nothing else is longer */
                ck_assert_uint_le(w.last_length, 78);
                ck_assert_uint_eq(got.length, 0);
            }
            ck_assert_uint_le(answers, 1);
        }
    }
}
END_TEST

/* covers: TC-52 */
START_TEST(timestamps__of_two_connections__start_unrelated)
{
    uint32_t tsval[2];
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    for (uint16_t i = 0; i < 2; i++) {
        struct wisp_tcp_conn *conn;
        ck_assert_int_eq(wisp_tcp_connect(w.tcp, NULL, 0, &peer, (uint16_t)(80 + i), w.now, &conn),
                         WISP_OK);
        wire_step(&w);
        struct seg syn = wire_expect(&w, GOT(.flags = SYN));
        tsval[i] = syn.tsval;
    }
    /* one clock without offsets would differ by nothing */
    ck_assert_uint_gt(tsval[0] ^ tsval[1], 0xffff);
}
END_TEST

/* ---- floods and exhaustion ---- */

static void small_tables(struct wisp_tcp_config *config)
{
    config->half_open = 16;
    config->connections = 8;
}

/* covers: RS-03, TC-51 */
START_TEST(syn_flood__a_real_client_tries__gets_in_nearly_always_and_memory_is_bounded)
{
    struct wire_options options = {.tune = small_tables};
    uint32_t in = 0;
    wire_close(&w);
    wire_open(&w, &options);
    wire_listen(&w, 80);
    uint32_t pages = pages_in_use();
    for (uint32_t client = 0; client < 100; client++) {
        for (uint32_t i = 0; i < 50; i++) {
            w.source = 1024 + (client * 50 + i) % 30000;
            wire_queue(&w, SEG(.flags = SYN, .mss = 1460, .peer = (uint8_t)(10 + i)));
        }
        wire_step(&w);
        wire_drain(&w);
        /* The client's SYN and its answer are a round trip of the same flood apart. */
        w.source = 50000 + client;
        w.peer_iss = 7000 * client;
        wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
        struct seg got;
        bool answered = false;
        while (wire_next(&w, &got)) {
            answered |= got.flags == (SYN | ACK) && got.source == w.source;
        }
        if (!answered) {
            continue;
        }
        wire_tell(&w, SEG(.flags = ACK, .seq = 1, .ack = 1));
        wire_events(&w, NULL, NULL);
        struct wisp_tcp_conn *conn = wire_accepted(&w);
        if (conn) {
            in++;
            wisp_tcp_abort(conn);
            wisp_tcp_release(conn);
            wire_step(&w);
        }
        wire_drain(&w);
    }
    ck_assert_msg(in >= 99, "%u of 100 got in", in);
    ck_assert_uint_le(pages_in_use(), pages + 4);
}
END_TEST

/* covers: RS-05 */
START_TEST(peer_reads_a_byte_at_a_time__with_a_user_timeout__does_not_hold_us_for_ever)
{
    struct wisp_tcp_conn *conn = server();
    wisp_tcp_set_user_timeout(conn, WISP_SEC(30));
    wire_write(&w, conn, 3000);
    wire_drain(&w);
    uint32_t ack = 1;
    wire_tell(&w, SEG(.flags = ACK, .ack = ack, .window = 1));
    for (int i = 0; i < 20; i++) { /* it crawls, then stops */
        wire_wait(&w, WISP_SEC(2));
        wire_drain(&w);
        wire_tell(&w, SEG(.flags = ACK, .ack = ++ack, .window = 1));
    }
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_wait(&w, WISP_SEC(200));
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_CLOSED);
}
END_TEST

/* covers: RS-09 */
START_TEST(application_holds_every_page__peer_goes_on__acks_and_fins_still_leave)
{
    struct wire_options options = {.pages = 64};
    wire_close(&w);
    wire_open(&w, &options);
    struct wisp_tcp_conn *conn = server();
    struct wisp_page *held[64];
    uint32_t n = 0;
    while (n < 64 && (held[n] = wisp_page_alloc(w.pool, WISP_ROLE_APP, WISP_HOLDER_APP))) {
        n++;
    }
    ck_assert_uint_gt(n, 8);
    wisp_tcp_shutdown(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK, .seq = 1));
    while (n > 0) {
        wisp_page_unref(held[--n]);
    }
    wire_tell(&w, SEG(.flags = ACK | PSH, .ack = 2, .length = 5));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 5);
}
END_TEST

static void many_connections(struct wisp_tcp_config *config)
{
    config->connections = 2000;
    config->half_open = 2000;
}

/* covers: RS-11, RS-08 */
START_TEST(two_thousand_connections__same_deadline__fires_in_bounded_steps_and_all_are_found)
{
    struct wire_options options = {.tune = many_connections};
    wire_close(&w);
    wire_open(&w, &options);
    wisp_tcp_listen(w.tcp, NULL, 80, 2000, &w.listener);
    w.port = 80;
    static struct wisp_tcp_conn *conn[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        w.source = 1024 + i;
        conn[i] = wire_accept(&w, SEG(.mss = 1460));
        wisp_tcp_set_keepalive(conn[i], WISP_SEC(60), WISP_SEC(1), 3);
    }
    w.now += WISP_SEC(60);
    uint32_t probes = 0;
    for (int i = 0; i < 2000 && probes < 1000; i++) {
        struct seg got;
        w.deadline = wisp_stack_poll(w.stack, w.now);
        while (wire_next(&w, &got)) {
            probes += got.length == 0;
        }
        w.now += WISP_US(100);
    }
    ck_assert_uint_eq(probes, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        ck_assert_int_eq(wire_info(conn[i]).state, WISP_TCP_STATE_ESTABLISHED);
    }
}
END_TEST

/* covers: RS-12 */
START_TEST(page_pool_fails__at_the_first_second_and_later_requests__no_leak_and_no_crash)
{
    for (uint32_t spare = 0; spare < 40; spare++) {
        struct wire_options options = {.pages = 64};
        wire_close(&w);
        wire_open(&w, &options);
        struct wisp_tcp_conn *conn = server();
        struct wisp_page *held[64];
        uint32_t n = 0;
        while (wisp_pool_available(w.pool) > spare) {
            held[n++] = wisp_page_alloc(w.pool, WISP_ROLE_APP, WISP_HOLDER_APP);
        }
        static const uint8_t data[20000];
        wisp_tcp_write(conn, data, sizeof(data));
        for (uint32_t i = 0; i < 10; i++) {
            if (wisp_pool_available(w.pool) > 0) {
                wire_tell(&w, SEG(.flags = ACK, .seq = 1 + 2000 * (i % 3), .length = 1000));
            }
        }
        wire_wait(&w, WISP_SEC(1));
        wire_drain(&w);
        while (n > 0) {
            wisp_page_unref(held[--n]);
        }
        wire_wait(&w, WISP_SEC(1));
        wire_drain(&w);
        ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    }
}
END_TEST

/* covers: MUST-67 */
START_TEST(mss_we_advertise__on_any_mtu__can_be_reassembled)
{
    static const uint16_t mtus[] = {576, 1500, 9000, 65535};
    for (size_t i = 0; i < 4; i++) {
        struct wire_options options = {.mtu = mtus[i]};
        wire_close(&w);
        wire_open(&w, &options);
        wire_connect(&w, 80);
        struct seg syn = wire_expect(&w, GOT(.flags = SYN));
        ck_assert_uint_le(syn.mss, 65535 - 40);
        ck_assert_uint_eq(syn.mss, mtus[i] - 40u);
    }
}
END_TEST

/* covers: TC-63 */
START_TEST(low_rate_pulses__each_kills_a_retransmission__the_timer_backs_off_and_recovers)
{
    struct wisp_tcp_conn *conn = server();
    wire_write(&w, conn, 1000);
    wire_drain(&w);
    struct seg got;
    for (int i = 0; i < 3; i++) {
        wire_wait_segment(&w, WISP_SEC(20), &got); /* lost in a pulse */
    }
    wisp_time backed_off = wire_info(conn).rto;
    wire_tell(&w, SEG(.flags = ACK, .ack = 1001));
    wire_write(&w, conn, 1000);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1001));
    wire_wait(&w, WISP_MS(1));
    wire_tell(&w, SEG(.flags = ACK, .ack = 2001));
    ck_assert(wire_info(conn).rto < backed_off);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: attack");
    TCase *tcase = tcase_create("attack");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, data_offset__of_every_value__never_read_beyond_the_segment);
    tcase_add_test(tcase, segments_shorter_than_a_header__dropped_and_counted);
    tcase_add_loop_test(tcase, data_in_flight__odd_sack_options__nothing_is_freed_or_broken, 0,
                        sizeof(sack_rows) / sizeof(sack_rows[0]));
    tcase_add_loop_test(tcase, syn__odd_window_scales__read_by_rfc_7323, 0,
                        sizeof(scale_rows) / sizeof(scale_rows[0]));
    tcase_add_test(tcase, window_scale_on_data__after_the_handshake__ignored);
    tcase_add_test(tcase, segments_that_would_change_state__wrong_checksum__no_effect);
    tcase_add_test(tcase, winnuke__urgent_data_to_a_listening_port__is_ordinary);
    tcase_add_test(tcase, connection_slot_used_again__after_urgent_state__starts_fresh);
    tcase_add_test(tcase,
                   sack_blocks_of_all_kinds__thousands__memory_stays_and_the_stream_ends_well);
    tcase_add_test(tcase, whatever_is_sent_to_us__unasked__answers_are_no_more_and_no_larger);
    tcase_add_test(tcase, timestamps__of_two_connections__start_unrelated);
    tcase_add_test(tcase,
                   syn_flood__a_real_client_tries__gets_in_nearly_always_and_memory_is_bounded);
    tcase_add_test(tcase,
                   peer_reads_a_byte_at_a_time__with_a_user_timeout__does_not_hold_us_for_ever);
    tcase_add_test(tcase, application_holds_every_page__peer_goes_on__acks_and_fins_still_leave);
    tcase_add_test(
        tcase, two_thousand_connections__same_deadline__fires_in_bounded_steps_and_all_are_found);
    tcase_add_test(tcase,
                   page_pool_fails__at_the_first_second_and_later_requests__no_leak_and_no_crash);
    tcase_add_test(tcase, mss_we_advertise__on_any_mtu__can_be_reassembled);
    tcase_add_test(tcase,
                   low_rate_pulses__each_kills_a_retransmission__the_timer_backs_off_and_recovers);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
