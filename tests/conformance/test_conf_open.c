/* SPDX-License-Identifier: ISC */
/* RFC 9293, opening: headers and options, initial sequence numbers, the handshake in all its forms. */
#include "suite.h"
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

/* ---- the handshake ---- */

/* covers: MUST-14, SHLD-5, MAY-3, SHLD-6, MUST-2 */
START_TEST(listen__syn__synack_with_mss_of_the_link)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = SYN, .mss = 1000));
    struct seg got = wire_expect(&w, GOT(.flags = SYN | ACK, .ack = 1, .mss = 1460, .length = 0));
    ck_assert_uint_eq(got.ttl, 64);
    wire_tell(&w, SEG(.flags = ACK));
    wire_events(&w, NULL, NULL);
    struct wisp_tcp_conn *conn = wire_accepted(&w);
    ck_assert_ptr_nonnull(conn);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    ck_assert_uint_eq(info.mss, 1000);
}
END_TEST

/* covers: MUST-4, MUST-65 */
START_TEST(connect__handshake__mss_only_on_the_syn)
{
    wire_connect(&w, 80);
    struct seg syn = wire_expect(&w, GOT(.flags = SYN, .mss = 1460));
    ck_assert(syn.sack_permitted && syn.timestamps && syn.scale != 0);
    wire_tell(&w, SEG(.flags = SYN | ACK, .mss = 1400));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .ack = 1, .mss = 0, .scale = 0));
}
END_TEST

/* covers: MUST-15 */
START_TEST(no_mss_option__full_segments__carry_536_bytes)
{
    struct wisp_tcp_conn *conn = wire_established(&w, SEG(.flags = 0));
    static const uint8_t data[3000];
    ck_assert_uint_eq(wisp_tcp_write(conn, data, sizeof(data)), sizeof(data));
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 536));
    wire_expect(&w, GOT(.flags = ACK, .seq = 537, .length = 536));
    wisp_tcp_abort(conn);
}
END_TEST

static const struct {
    const char *name;
    uint32_t mss;
    bool timestamps;
    uint16_t mtu;
    uint32_t payload;
} mss_rows[] = {
    {"536", 536, false, 1500, 536},
    {"536 with timestamps", 536, true, 1500, 524},
    {"1460", 1460, false, 1500, 1460},
    {"1460 with timestamps", 1460, true, 1500, 1448},
    {"8960 on a link of 1500", 8960, false, 1500, 1460},
    {"8960 on a link of 9000", 8960, false, 9000, 8960},
    {"8960 on a link of 9000 with timestamps", 8960, true, 9000, 8948},
    {"1460 on a link of 576", 1460, false, 576, 536},
};

/* covers: MUST-16, SHLD-28 */
START_TEST(mss_and_mtu__full_segments__carry_the_effective_size)
{
    struct wire_options options = {.mtu = mss_rows[_i].mtu};
    struct wire *v = &w;
    wire_close(v);
    wire_open(v, &options);
    struct wisp_tcp_conn *conn =
        wire_established(v, SEG(.mss = mss_rows[_i].mss, .timestamps = mss_rows[_i].timestamps));
    static const uint8_t data[20000];
    wisp_tcp_write(conn, data, sizeof(data));
    wire_step(v);
    struct seg got;
    ck_assert(wire_next(v, &got));
    ck_assert_msg(got.length == mss_rows[_i].payload, "%s: %u", mss_rows[_i].name, got.length);
    wisp_tcp_abort(conn);
}
END_TEST

/* covers: MUST-1 */
START_TEST(window_of_32768_and_more__without_scaling__is_not_negative)
{
    struct wisp_tcp_conn *conn = wire_established(&w, SEG(.mss = 1460, .window = 0x8000));
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    ck_assert_uint_eq(info.snd_wnd, 0x8000);
    wire_tell(&w, SEG(.flags = ACK, .window = 0xffff));
    wisp_tcp_info(conn, &info);
    ck_assert_uint_eq(info.snd_wnd, 0xffff);
    wisp_tcp_abort(conn);
}
END_TEST

/* covers: MUST-3 */
START_TEST(established__any_bit_of_a_segment_flipped__no_effect)
{
    struct wisp_tcp_conn *conn = wire_accept((wire_listen(&w, 80), &w), SEG(.mss = 1460));
    uint8_t frame[60];
    wire_queue(&w, SEG(.flags = ACK | PSH, .length = 6));
    struct wisp_link_end *end = &w.link.end[0];
    struct wisp_pkt *pkt = end->arrived[(end->arrived_in - 1) % WISP_LINK_RING];
    end->arrived_in--;
    ck_assert_uint_eq(pkt->length, sizeof(frame));
    wisp_pkt_read(pkt, 0, frame, sizeof(frame));
    wisp_pkt_drop(pkt);
    uint64_t before = wire_count(&w, "tcp.rx.bad_checksum");
    uint32_t flips = 0;
    for (uint32_t bit = 34 * 8; bit < sizeof(frame) * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        wire_frame(&w, frame, sizeof(frame));
        wire_step(&w);
        ck_assert_uint_eq(wisp_tcp_readable(conn), 0);
        wire_silent(&w);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        flips++;
    }
    /* A flip in the data offset is noticed before the sum is. */
    ck_assert_uint_ge(wire_count(&w, "tcp.rx.bad_checksum") - before, flips - 4);
    wire_frame(&w, frame, sizeof(frame));
    wire_step(&w);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 6);
    wisp_tcp_abort(conn);
}
END_TEST

/* ---- options ---- */

static const struct {
    const char *name;
    uint8_t bytes[40];
    uint32_t length;
    uint32_t mss; /* that must come out of it */
} option_rows[] = {
    {"mss alone", {2, 4, 0x05, 0x78}, 4, 1400},
    {"nops before", {1, 1, 1, 2, 4, 0x05, 0x78, 1}, 8, 1400},
    {"odd alignment", {1, 2, 4, 0x05, 0x78, 1, 1, 1}, 8, 1400},
    {"unknown kind first", {253, 6, 1, 2, 3, 4, 2, 4, 0x05, 0x78, 0, 0}, 12, 1400},
    {"unknown kind with length 2", {99, 2, 2, 4, 0x05, 0x78, 0, 0}, 8, 1400},
    {"end of list hides what follows", {0, 2, 4, 0x05, 0x78, 0, 0, 0}, 8, 536},
    {"length zero stops", {253, 0, 2, 4, 0x05, 0x78, 0, 0}, 8, 536},
    {"length one stops", {253, 1, 2, 4, 0x05, 0x78, 0, 0}, 8, 536},
    {"length past the end stops", {253, 40, 2, 4, 0x05, 0x78, 0, 0}, 8, 536},
    {"kind without length at the end", {1, 1, 1, 253}, 4, 536},
    {"mss of length 3 is ignored", {2, 3, 5, 1}, 4, 536},
    {"mss of length 5 is ignored", {2, 5, 5, 1, 1, 1, 1, 1}, 8, 536},
};

/* covers: MUST-6, MUST-7, MUST-64, TC-01, TC-02 */
START_TEST(syn_with_odd_options__parsed__never_over_and_never_for_ever)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = SYN, .options = option_rows[_i].bytes,
                      .options_length = option_rows[_i].length));
    wire_expect(&w, GOT(.flags = SYN | ACK, .ack = 1));
    wire_tell(&w, SEG(.flags = ACK));
    wire_events(&w, NULL, NULL);
    struct wisp_tcp_conn *conn = wire_accepted(&w);
    ck_assert_ptr_nonnull(conn);
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    ck_assert_msg(info.mss == option_rows[_i].mss, "%s: mss %u", option_rows[_i].name, info.mss);
}
END_TEST

/* covers: TC-01 */
START_TEST(every_option_kind__lengths_0_and_1__connection_lives)
{
    struct wisp_tcp_conn *conn = wire_accept((wire_listen(&w, 80), &w), SEG(.mss = 1460));
    for (uint32_t kind = 2; kind < 256; kind++) {
        for (uint8_t length = 0; length < 2; length++) {
            uint8_t options[4] = {(uint8_t)kind, length, 1, 1};
            wire_tell(&w, SEG(.flags = ACK, .options = options, .options_length = 4));
        }
    }
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 3));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 3);
}
END_TEST

/* covers: MUST-5 */
START_TEST(established__options_on_data_and_fin__accepted)
{
    struct wisp_tcp_conn *conn = wire_accept((wire_listen(&w, 80), &w), SEG(.mss = 1460));
    static const uint8_t unknown[] = {253, 4, 1, 2};
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10, .options = unknown, .options_length = 4));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 10);
    wire_tell(&w, SEG(.flags = ACK | FIN, .options = unknown, .options_length = 4));
    wisp_tcp_consume(conn, 10);
    wire_step(&w);
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_END);
    wire_tell(&w, SEG(.flags = RST, .options = unknown, .options_length = 4));
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
}
END_TEST

/* covers: MUST-68, MUST-69 */
START_TEST(everything_we_send__decoded__options_have_lengths_and_zero_padding)
{
    /* wire_next checks lengths and padding of every segment it decodes; here are all kinds that carry options. */
    wire_listen(&w, 80);
    wire_tell(
        &w, SEG(.flags = SYN, .mss = 1460, .sack_permitted = true, .timestamps = true, .scale = 3));
    struct seg synack = wire_expect(&w, GOT(.flags = SYN | ACK, .ack = 1, .mss = 1460));
    ck_assert(synack.timestamps && synack.sack_permitted && synack.scale);
    w.peer_timestamps = true;
    wire_tell(&w, SEG(.flags = ACK));
    wire_tell(&w, SEG(.flags = ACK, .seq = 1461, .length = 100));
    struct seg dup = wire_expect(&w, GOT(.flags = ACK, .ack = 1));
    ck_assert(dup.timestamps);
    ck_assert_uint_eq(dup.sack[0][0], 1461);
    ck_assert_uint_eq(dup.sack[0][1], 1561);
}
END_TEST

/* ---- initial sequence numbers and ports ---- */

/* covers: MUST-8, SHLD-1, TC-30 */
START_TEST(same_tuple_twice__isn__moves_on_with_the_clock_by_four_microseconds)
{
    uint32_t isn[2];
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    for (int i = 0; i < 2; i++) {
        struct wisp_tcp_conn *conn;
        ck_assert_int_eq(wisp_tcp_connect(w.tcp, NULL, 5555, &peer, 80, w.now, &conn), WISP_OK);
        wire_step(&w);
        w.source = 80;
        wire_expect(&w, GOT(.flags = SYN));
        isn[i] = w.our_iss;
        wisp_tcp_abort(conn);
        wisp_tcp_release(conn);
        wire_wait(&w, WISP_MS(100));
        struct seg rest;
        while (wire_next(&w, &rest)) {
        }
    }
    uint32_t moved = isn[1] - isn[0];
    ck_assert_uint_ge(moved, 25000 - 100);
    ck_assert_uint_le(moved, 25000 + 1000);
}
END_TEST

static uint8_t boot;

static void another_seed(struct wisp_tcp_config *config)
{
    config->seed[0] = boot;
}

/* covers: MUST-9, TC-31, TC-30 */
START_TEST(same_tuple_at_the_same_time__other_boots__isn_shows_no_relation)
{
    struct wire_options options = {.tune = another_seed};
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    uint32_t isn[64];
    for (boot = 0; boot < 64; boot++) {
        struct wisp_tcp_conn *conn;
        wire_close(&w);
        wire_open(&w, &options);
        ck_assert_int_eq(wisp_tcp_connect(w.tcp, NULL, 6000, &peer, 80, w.now, &conn), WISP_OK);
        wire_step(&w);
        wire_expect(&w, GOT(.flags = SYN));
        isn[boot] = w.our_iss;
        for (uint8_t i = 0; i < boot; i++) {
            /* 64 of 2^20: one in 500 runs, but the seeds are fixed */
            ck_assert_uint_ne(isn[i] >> 12, isn[boot] >> 12);
        }
    }
}
END_TEST

/* covers: MUST-9, TC-30 */
START_TEST(adjacent_tuples__isn__shows_no_relation)
{
    uint32_t isn[64];
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    for (uint16_t i = 0; i < 64; i++) {
        struct wisp_tcp_conn *conn;
        ck_assert_int_eq(
            wisp_tcp_connect(w.tcp, NULL, (uint16_t)(6000 + i), &peer, 80, w.now, &conn), WISP_OK);
        wire_step(&w);
        wire_expect(&w, GOT(.flags = SYN));
        isn[i] = w.our_iss;
    }
    uint32_t same = 0;
    for (int i = 2; i < 64; i++) {
        same += isn[i] - isn[i - 1] == isn[i - 1] - isn[i - 2];
        same += (isn[i] ^ isn[i - 1]) < 1u << 16;
    }
    ck_assert_uint_le(same, 1);
}
END_TEST

/* covers: TC-32 */
START_TEST(many_connects__ports__are_neither_sequential_nor_repeated)
{
    uint32_t sequential = 0;
    uint32_t last = 0;
    static bool used[65536];
    for (int i = 0; i < 100; i++) {
        wire_connect(&w, 80);
        wire_expect(&w, GOT(.flags = SYN));
        ck_assert(w.port >= 1024 && !used[w.port]);
        used[w.port] = true;
        sequential += w.port == last + 1;
        last = w.port;
    }
    ck_assert_uint_le(sequential, 2);
}
END_TEST

/* ---- simultaneous open and odd answers ---- */

/* covers: MUST-10, E3, TC-11 */
START_TEST(syn_sent__syn_crosses__both_become_established)
{
    struct wisp_tcp_conn *conn = wire_connect(&w, 80);
    wire_expect(&w, GOT(.flags = SYN));
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_SYN_RECEIVED);
    wire_expect(&w, GOT(.flags = SYN | ACK, .seq = 0, .ack = 1));
    wire_tell(&w, SEG(.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_CONNECTED);
}
END_TEST

/* covers: MUST-11 */
START_TEST(syn_received_from_syn_sent__rst__is_refused)
{
    struct wisp_tcp_conn *conn = wire_connect(&w, 80);
    wire_expect(&w, GOT(.flags = SYN));
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_expect(&w, GOT(.flags = SYN | ACK));
    wire_tell(&w, SEG(.flags = RST, .seq = 1));
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_REFUSED);
}
END_TEST

/* covers: MUST-11 */
START_TEST(syn_received_from_listen__rst__back_to_listen)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_expect(&w, GOT(.flags = SYN | ACK));
    wire_tell(&w, SEG(.flags = RST, .seq = 1));
    uint32_t connections, half_open, time_wait;
    wisp_tcp_population(w.tcp, &connections, &half_open, &time_wait);
    ck_assert_uint_eq(half_open, 0);
    wire_events(&w, NULL, NULL);
    ck_assert_ptr_null(wire_accepted(&w));
    w.peer_iss += 5000;
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_expect(&w, GOT(.flags = SYN | ACK));
}
END_TEST

static const struct {
    const char *name;
    uint32_t flags, ack;
    bool answered;
} syn_sent_rows[] = {
    {"ack of nothing sent yet", ACK, 0, true}, {"ack beyond", ACK, 2, true},
    {"syn-ack beyond", SYN | ACK, 2, true},    {"rst with bad ack", RST | ACK, 2, false},
    {"rst without ack", RST, ANY, false},
};

/* covers: E3 */
START_TEST(syn_sent__unacceptable_answers__rst_or_silence_and_still_syn_sent)
{
    struct wisp_tcp_conn *conn = wire_connect(&w, 80);
    wire_expect(&w, GOT(.flags = SYN));
    wire_tell(&w, SEG(.flags = syn_sent_rows[_i].flags, .seq = 700, .ack = syn_sent_rows[_i].ack));
    if (syn_sent_rows[_i].answered) {
        struct seg got = wire_expect(&w, GOT(.flags = RST, .seq = syn_sent_rows[_i].ack));
        ck_assert_uint_eq(got.length, 0);
    }
    wire_silent(&w);
    ck_assert_msg(wire_info(conn).state == WISP_TCP_STATE_SYN_SENT, "%s", syn_sent_rows[_i].name);
}
END_TEST

/* covers: E3 */
START_TEST(syn_sent__rst_with_acceptable_ack__refused)
{
    struct wisp_tcp_conn *conn = wire_connect(&w, 80);
    wire_expect(&w, GOT(.flags = SYN));
    wire_tell(&w, SEG(.flags = RST | ACK, .seq = 0, .ack = 1));
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_REFUSED);
    wire_silent(&w);
}
END_TEST

/* covers: E1 */
START_TEST(closed_port__segments__earn_the_fitting_rst)
{
    w.port = 81;
    wire_tell(&w, SEG(.flags = RST));
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = RST | ACK, .ack = 5));
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = SYN, .seq = 0, .length = 10));
    wire_expect(&w, GOT(.flags = RST | ACK, .ack = 11));
    wire_tell(&w, SEG(.flags = ACK, .ack = 77, .length = 4));
    struct seg got = wire_expect(&w, GOT(.flags = RST, .seq = 77));
    ck_assert_uint_eq(got.flags & ACK, 0);
}
END_TEST

/* covers: E2 */
START_TEST(listen__rst_ack_and_nothing__drop_rst_drop)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = RST));
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 99));
    wire_expect(&w, GOT(.flags = RST, .seq = 99));
    wire_tell(&w, SEG(.flags = SYN | ACK, .ack = 98));
    wire_expect(&w, GOT(.flags = RST, .seq = 98));
    wire_tell(&w, SEG(.flags = FIN));
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = 0, .length = 5));
    wire_silent(&w);
}
END_TEST

/* covers: E9 */
START_TEST(syn_received__unacceptable_ack__rst_with_its_number)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_expect(&w, GOT(.flags = SYN | ACK));
    wire_tell(&w, SEG(.flags = ACK, .ack = 500));
    wire_expect(&w, GOT(.flags = RST, .seq = 500));
    wire_tell(&w, SEG(.flags = ACK, .ack = 1));
    wire_events(&w, NULL, NULL);
    ck_assert_ptr_nonnull(wire_accepted(&w));
}
END_TEST

/* ---- addresses ---- */

/* covers: MUST-41, MUST-42 */
START_TEST(live_connections_on_a_port__listen_there__nobody_is_disturbed)
{
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    struct wisp_tcp_conn *out;
    ck_assert_int_eq(wisp_tcp_connect(w.tcp, NULL, 80, &peer, 9000, w.now, &out), WISP_OK);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = SYN));
    ck_assert_int_eq(wire_info(out).state, WISP_TCP_STATE_SYN_SENT);
    wire_listen(&w, 80);
    ck_assert_int_eq(wire_info(out).state, WISP_TCP_STATE_SYN_SENT);
    struct wisp_tcp_listener *second;
    ck_assert_int_eq(wisp_tcp_listen(w.tcp, NULL, 80, 4, &second), WISP_ERR_IN_USE);
    w.source = 41000;
    w.our_iss_known = false;
    w.peer_iss = 77777;
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_expect(&w, GOT(.flags = SYN | ACK, .source = 41000));
    ck_assert_int_eq(wire_info(out).state, WISP_TCP_STATE_SYN_SENT);
}
END_TEST

/* covers: MUST-43, MUST-44, MUST-45 */
START_TEST(connect_without_local_address__source_of_the_route__kept_for_life)
{
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    struct wisp_addr own = wisp_addr_ip4(wisp_ip4(10, 0, 0, 1));
    struct wisp_tcp_conn *any;
    struct wisp_tcp_conn *given;
    struct wisp_tcp_info info;
    ck_assert_int_eq(wisp_tcp_connect(w.tcp, NULL, 0, &peer, 80, w.now, &any), WISP_OK);
    wisp_tcp_info(any, &info);
    ck_assert(wisp_addr_equal(&info.local, &own));
    ck_assert_int_eq(wisp_tcp_connect(w.tcp, &own, 0, &peer, 81, w.now, &given), WISP_OK);
    wisp_tcp_info(given, &info);
    ck_assert(wisp_addr_equal(&info.local, &own));
    struct wisp_addr second = wisp_addr_ip4(wisp_ip4(10, 0, 0, 9));
    ck_assert_int_eq(wisp_stack_address_add(w.stack, &second, 24, w.now), WISP_OK);
    wire_wait(&w, WISP_SEC(4));
    wisp_tcp_info(any, &info);
    ck_assert(wisp_addr_equal(&info.local, &own));
}
END_TEST

/* covers: MUST-46, TC-12 */
START_TEST(connect__to_impossible_addresses__refused_at_once)
{
    static const uint8_t rows[][4] = {{255, 255, 255, 255}, {10, 0, 0, 255}, {224, 0, 0, 1},
                                      {239, 1, 2, 3},       {0, 0, 0, 0},    {127, 0, 0, 1},
                                      {240, 0, 0, 1},       {10, 0, 0, 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wisp_addr peer =
            wisp_addr_ip4(wisp_ip4(rows[i][0], rows[i][1], rows[i][2], rows[i][3]));
        struct wisp_tcp_conn *conn;
        enum wisp_err err = wisp_tcp_connect(w.tcp, NULL, 0, &peer, 80, w.now, &conn);
        ck_assert_msg(err == WISP_ERR_INVALID, "row %zu: %s", i, wisp_err_text(err));
    }
    wire_step(&w);
    wire_silent(&w);
}
END_TEST

/* Sends a SYN with other addresses than usual. */
static void tell_addressed(struct wisp_ip4 from, struct wisp_ip4 to, bool link_broadcast)
{
    uint8_t frame[54];
    wire_queue(&w, SEG(.flags = SYN));
    struct wisp_link_end *end = &w.link.end[0];
    struct wisp_pkt *pkt = end->arrived[--end->arrived_in % WISP_LINK_RING];
    wisp_pkt_read(pkt, 0, frame, sizeof(frame));
    wisp_pkt_drop(pkt);
    uint32_t sum = 0;
    if (link_broadcast) {
        memset(frame, 0xff, 6);
    }
    memcpy(frame + 26, from.octet, 4);
    memcpy(frame + 30, to.octet, 4);
    frame[24] = frame[25] = frame[50] = frame[51] = 0;
    for (int i = 14; i < 34; i += 2) {
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[24] = (uint8_t)(sum >> 8);
    frame[25] = (uint8_t)sum;
    sum = 6 + 20;
    for (int i = 26; i < 54; i += 2) {
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[50] = (uint8_t)(sum >> 8);
    frame[51] = (uint8_t)sum;
    wire_frame(&w, frame, sizeof(frame));
    wire_step(&w);
}

/* covers: MUST-57 */
START_TEST(syn__to_broadcast_or_multicast__dropped_without_a_word)
{
    wire_listen(&w, 80);
    struct wisp_ip4 peer = wisp_ip4(10, 0, 0, 2);
    tell_addressed(peer, wisp_ip4(255, 255, 255, 255), true);
    tell_addressed(peer, wisp_ip4(10, 0, 0, 255), true);
    tell_addressed(peer, wisp_ip4(224, 0, 0, 1), true);
    tell_addressed(peer, wisp_ip4(10, 0, 0, 1), true);
    wire_silent(&w);
    tell_addressed(peer, wisp_ip4(10, 0, 0, 1), false);
    wire_expect(&w, GOT(.flags = SYN | ACK));
}
END_TEST

/* covers: MUST-63 */
START_TEST(syn__from_an_impossible_source__ignored)
{
    static const uint8_t rows[][4] = {{255, 255, 255, 255}, {10, 0, 0, 255}, {224, 0, 0, 1},
                                      {0, 0, 0, 0},         {127, 0, 0, 1},  {240, 0, 0, 1},
                                      {10, 0, 0, 1}};
    wire_listen(&w, 80);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tell_addressed(wisp_ip4(rows[i][0], rows[i][1], rows[i][2], rows[i][3]),
                       wisp_ip4(10, 0, 0, 1), false);
        wire_silent(&w);
    }
    uint32_t connections, half_open, time_wait;
    wisp_tcp_population(w.tcp, &connections, &half_open, &time_wait);
    ck_assert_uint_eq(half_open, 0);
}
END_TEST

/* covers: TC-13 */
START_TEST(sequence_numbers_near_the_wrap__handshake_and_data__as_everywhere)
{
    static const uint32_t isns[] = {0, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffa};
    w.peer_iss = isns[_i];
    struct wisp_tcp_conn *conn = wire_accept((wire_listen(&w, 80), &w), SEG(.mss = 1460));
    wire_tell(&w, SEG(.flags = ACK | PSH, .seq = 11, .length = 10));
    wire_expect(&w, GOT(.flags = ACK, .ack = 1));
    wire_tell(&w, SEG(.flags = ACK | PSH, .seq = 1, .length = 10));
    wire_expect(&w, GOT(.flags = ACK, .ack = 21));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 20);
    uint8_t bytes[20];
    ck_assert_uint_eq(wisp_tcp_read(conn, bytes, 20), 20);
    for (uint32_t i = 0; i < 20; i++) {
        ck_assert_uint_eq(bytes[i], wire_pattern(i + 1));
    }
}
END_TEST

/* covers: TC-10 */
START_TEST(listen__syn_with_data_and_fin__nothing_delivered_before_the_handshake)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = SYN | FIN, .length = 5, .mss = 1460));
    struct seg got;
    uint32_t answered = 0;
    while (wire_next(&w, &got)) {
        ck_assert_uint_eq(got.flags & (SYN | ACK), SYN | ACK);
        answered++;
    }
    ck_assert_uint_le(answered, 1);
    wire_events(&w, NULL, NULL);
    ck_assert_ptr_null(wire_accepted(&w));
}
END_TEST

/* covers: REC-1 */
START_TEST(window_scaling__agreed__windows_beyond_16_bits_are_used)
{
    struct wisp_tcp_conn *conn = wire_established(&w, SEG(.mss = 1460, .scale = 8, .window = 1000));
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    ck_assert_uint_eq(info.snd_wnd, 1000); /* never scaled in a SYN */
    wire_tell(&w, SEG(.flags = ACK, .window = 4000));
    wisp_tcp_info(conn, &info);
    ck_assert_uint_eq(info.snd_wnd, 4000u << 7);
    ck_assert_uint_gt(info.rcv_wnd, 65535);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: open");
    TCase *tcase = tcase_create("open");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, listen__syn__synack_with_mss_of_the_link);
    tcase_add_test(tcase, connect__handshake__mss_only_on_the_syn);
    tcase_add_test(tcase, no_mss_option__full_segments__carry_536_bytes);
    tcase_add_loop_test(tcase, mss_and_mtu__full_segments__carry_the_effective_size, 0,
                        sizeof(mss_rows) / sizeof(mss_rows[0]));
    tcase_add_test(tcase, window_of_32768_and_more__without_scaling__is_not_negative);
    tcase_add_test(tcase, established__any_bit_of_a_segment_flipped__no_effect);
    tcase_add_loop_test(tcase, syn_with_odd_options__parsed__never_over_and_never_for_ever, 0,
                        sizeof(option_rows) / sizeof(option_rows[0]));
    tcase_add_test(tcase, every_option_kind__lengths_0_and_1__connection_lives);
    tcase_add_test(tcase, established__options_on_data_and_fin__accepted);
    tcase_add_test(tcase, everything_we_send__decoded__options_have_lengths_and_zero_padding);
    tcase_add_test(tcase, same_tuple_twice__isn__moves_on_with_the_clock_by_four_microseconds);
    tcase_add_test(tcase, adjacent_tuples__isn__shows_no_relation);
    tcase_add_test(tcase, same_tuple_at_the_same_time__other_boots__isn_shows_no_relation);
    tcase_add_test(tcase, many_connects__ports__are_neither_sequential_nor_repeated);
    tcase_add_test(tcase, syn_sent__syn_crosses__both_become_established);
    tcase_add_test(tcase, syn_received_from_syn_sent__rst__is_refused);
    tcase_add_test(tcase, syn_received_from_listen__rst__back_to_listen);
    tcase_add_loop_test(tcase, syn_sent__unacceptable_answers__rst_or_silence_and_still_syn_sent, 0,
                        sizeof(syn_sent_rows) / sizeof(syn_sent_rows[0]));
    tcase_add_test(tcase, syn_sent__rst_with_acceptable_ack__refused);
    tcase_add_test(tcase, closed_port__segments__earn_the_fitting_rst);
    tcase_add_test(tcase, listen__rst_ack_and_nothing__drop_rst_drop);
    tcase_add_test(tcase, syn_received__unacceptable_ack__rst_with_its_number);
    tcase_add_test(tcase, live_connections_on_a_port__listen_there__nobody_is_disturbed);
    tcase_add_test(tcase, connect_without_local_address__source_of_the_route__kept_for_life);
    tcase_add_test(tcase, connect__to_impossible_addresses__refused_at_once);
    tcase_add_test(tcase, syn__to_broadcast_or_multicast__dropped_without_a_word);
    tcase_add_test(tcase, syn__from_an_impossible_source__ignored);
    tcase_add_loop_test(tcase, sequence_numbers_near_the_wrap__handshake_and_data__as_everywhere, 0,
                        5);
    tcase_add_test(tcase, listen__syn_with_data_and_fin__nothing_delivered_before_the_handshake);
    tcase_add_test(tcase, window_scaling__agreed__windows_beyond_16_bits_are_used);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
