/* SPDX-License-Identifier: ISC */
/* RFC 9293, data: acceptability, acknowledgements, windows, urgent data, Nagle, attacks on a live connection. */
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

/* Server side of a plain connection: no options but the MSS, so windows are as on the wire. */
static uint32_t write_bytes(struct wisp_tcp_conn *conn, uint32_t length)
{
    static uint8_t data[65536];
    for (uint32_t i = 0; i < length; i++) {
        data[i] = (uint8_t)i;
    }
    uint32_t took = wisp_tcp_write(conn, data, length);
    wire_step(&w);
    return took;
}

/* ---- acceptability ---- */

/* covers: E4, TC-35 */
START_TEST(established__segment_outside_the_window__ack_and_dropped)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t window = wire_info(conn).rcv_wnd;
    wire_tell(&w, SEG(.flags = ACK, .seq = 1 + window, .length = 10));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .ack = 1, .length = 0));
    wire_wait(&w, WISP_SEC(2));
    wire_tell(&w, SEG(.flags = ACK, .seq = 0xfffffff0u, .length = 10)); /* old */
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .ack = 1, .length = 0));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 0);
}
END_TEST

/* covers: E4, MUST-66 */
START_TEST(window_zero__segments__only_ack_rst_and_urg_act)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t seq = 1;
    while (wire_info(conn).rcv_wnd > 0) {
        uint32_t n = wire_info(conn).rcv_wnd < 1460 ? wire_info(conn).rcv_wnd : 1460;
        wire_tell(&w, SEG(.flags = ACK, .seq = seq, .length = n));
        seq += n;
        ck_assert_uint_lt(seq, 10000000);
        wire_drain(&w);
    }
    write_bytes(conn, 100);
    wire_drain(&w);
    ck_assert_uint_eq(wire_info(conn).in_flight, 100);
    /* data: not; its ACK: yes */
    wire_tell(&w, SEG(.flags = ACK, .seq = seq, .ack = 101, .length = 1));
    wire_expect(&w, GOT(.flags = ACK, .ack = seq, .window = 0));
    ck_assert_uint_eq(wire_info(conn).in_flight, 0);
    wire_tell(&w, SEG(.flags = RST, .seq = seq));
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_RESET);
}
END_TEST

/* covers: E5 */
START_TEST(established__data_partly_old_and_partly_beyond__trimmed_to_the_window)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 10));
    wire_tell(&w, SEG(.flags = ACK, .seq = 6, .length = 10)); /* 5 old, 5 new */
    ck_assert_uint_eq(wisp_tcp_readable(conn), 15);
    uint8_t bytes[15];
    wisp_tcp_read(conn, bytes, 15);
    for (uint32_t i = 0; i < 15; i++) {
        ck_assert_uint_eq(bytes[i], wire_pattern(i + 1));
    }
}
END_TEST

/* covers: E8, TC-36 */
START_TEST(established__ack_of_what_was_never_sent__answered_and_without_effect)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    write_bytes(conn, 1000);
    wire_drain(&w);
    struct wisp_tcp_info before = wire_info(conn);
    wire_tell(&w, SEG(.flags = ACK, .ack = 5000, .length = 10));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1001, .ack = 1));
    struct wisp_tcp_info after = wire_info(conn);
    ck_assert_uint_eq(after.in_flight, before.in_flight);
    ck_assert_uint_eq(after.cwnd, before.cwnd);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 0);
}
END_TEST

/* covers: E8, MAY-12 */
START_TEST(established__ack_far_older_than_any_window__answered_and_data_dropped)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1u - 200000u, .length = 10));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .ack = 1));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 0);
    wire_tell(&w, SEG(.flags = 0, .length = 10)); /* no ACK bit at all */
    wire_silent(&w);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 0);
}
END_TEST

/* covers: E8 */
START_TEST(old_segment_with_another_window__arrives_late__window_stays)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 10, .window = 20000));
    ck_assert_uint_eq(wire_info(conn).snd_wnd, 20000);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 10, .window = 500)); /* an old copy */
    ck_assert_uint_eq(wire_info(conn).snd_wnd, 20000);
    wire_tell(&w, SEG(.flags = ACK, .seq = 11, .window = 3000));
    ck_assert_uint_eq(wire_info(conn).snd_wnd, 3000);
}
END_TEST

/* ---- resets and SYNs into a live connection ---- */

/* covers: E6, TC-33 */
START_TEST(established__rst_by_position__resets_challenges_or_vanishes)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t window = wire_info(conn).rcv_wnd;
    wire_tell(&w, SEG(.flags = RST, .seq = 1 + window + 10));
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = RST, .seq = 0));
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = RST, .seq = 2));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .ack = 1, .length = 0));
    wire_wait(&w, WISP_SEC(10));
    wire_tell(&w, SEG(.flags = RST, .seq = window));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .ack = 1, .length = 0));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_tell(&w, SEG(.flags = RST, .seq = 1));
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_RESET);
}
END_TEST

/* covers: SHLD-2 */
START_TEST(established__rst_with_data__resets_all_the_same)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = RST, .seq = 1, .length = 20));
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_RESET);
}
END_TEST

/* covers: E7, TC-34 */
START_TEST(established__syn_anywhere__challenge_ack_only)
{
    static const uint32_t seqs[] = {0, 1, 100, 0x40000000u};
    struct wisp_tcp_conn *conn = wire_server(&w);
    for (size_t i = 0; i < 4; i++) {
        wire_wait(&w, WISP_SEC(10));
        wire_drain(&w);
        wire_tell(&w, SEG(.flags = SYN | ACK, .seq = seqs[i], .ack = 1));
        wire_expect(&w, GOT(.flags = ACK, .seq = 1, .ack = 1, .length = 0));
        w.peer_next = w.peer_iss + 1;
    }
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_tell(&w, SEG(.flags = ACK | PSH, .seq = 1, .length = 5));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 5);
}
END_TEST

/* covers: TC-50, TC-53 */
START_TEST(flood_of_challenges__many_in_a_second__answers_are_limited)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t answers = 0;
    struct seg seg;
    for (int i = 0; i < 1000; i++) {
        wire_tell(&w, SEG(.flags = RST, .seq = 2 + (uint32_t)i));
        while (wire_next(&w, &seg)) {
            answers++;
        }
        w.now += WISP_MS(1);
    }
    ck_assert_uint_ge(answers, 1);
    ck_assert_uint_le(answers, 20);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
}
END_TEST

/* ---- acknowledgements ---- */

/* covers: SHLD-18, MUST-40 */
START_TEST(one_small_segment__no_answer_from_the_application__ack_within_half_a_second)
{
    wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10));
    wire_silent(&w);
    struct seg got;
    wisp_time took = wire_wait_segment(&w, WISP_MS(500), &got);
    ck_assert_uint_eq(got.ack, 11);
    ck_assert(took >= WISP_MS(10) && took < WISP_MS(500));
}
END_TEST

/* covers: SHLD-19 */
START_TEST(full_segments__two_arrive__second_is_acknowledged_at_once)
{
    wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK, .length = 1460));
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = ACK, .length = 1460));
    wire_expect(&w, GOT(.flags = ACK, .ack = 2921));
}
END_TEST

/* covers: MUST-58, MUST-59 */
START_TEST(ten_segments_in_one_batch__one_step__one_ack_for_all)
{
    wire_server(&w);
    for (int i = 0; i < 10; i++) {
        wire_queue(&w, SEG(.flags = ACK, .length = 1000));
    }
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK, .ack = 10001));
    wire_silent(&w);
}
END_TEST

/* covers: SHLD-31, MAY-13 */
START_TEST(segments_out_of_order__acked_at_once_and_kept__delivered_in_order)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1001, .length = 1000));
    wire_expect(&w, GOT(.flags = ACK, .ack = 1));
    wire_tell(&w, SEG(.flags = ACK, .seq = 2001, .length = 1000));
    wire_expect(&w, GOT(.flags = ACK, .ack = 1));
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 1000));
    wire_expect(&w, GOT(.flags = ACK, .ack = 3001));
    static uint8_t bytes[3000];
    ck_assert_uint_eq(wisp_tcp_read(conn, bytes, 3000), 3000);
    for (uint32_t i = 0; i < 3000; i++) {
        ck_assert_uint_eq(bytes[i], wire_pattern(i + 1));
    }
}
END_TEST

/* covers: TC-65 */
START_TEST(every_order_of_five_segments__arrives__same_bytes)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t base = 1;
    uint8_t bytes[50];
    for (int order = 0; order < 120; order++) {
        int left[5] = {0, 1, 2, 3, 4};
        for (int n = 5, code = order; n > 0; n--) {
            int pick = code % n;
            code /= n;
            wire_queue(&w,
                       SEG(.flags = ACK, .seq = base + 10 * (uint32_t)left[pick], .length = 10));
            memmove(&left[pick], &left[pick + 1], sizeof(int) * (size_t)(n - pick - 1));
        }
        wire_step(&w);
        ck_assert_uint_eq(wisp_tcp_read(conn, bytes, 50), 50);
        for (uint32_t i = 0; i < 50; i++) {
            ck_assert_uint_eq(bytes[i], wire_pattern(base + i));
        }
        base += 50;
        w.peer_next = w.peer_iss + base;
        wire_step(&w);
        wire_drain(&w);
    }
}
END_TEST

/* ---- windows ---- */

/* covers: MUST-39 */
START_TEST(window_full__application_reads_byte_by_byte__no_silly_window_is_offered)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t seq = 1;
    while (wire_info(conn).rcv_wnd > 0) {
        uint32_t n = wire_info(conn).rcv_wnd < 1460 ? wire_info(conn).rcv_wnd : 1460;
        wire_tell(&w, SEG(.flags = ACK, .seq = seq, .length = n));
        seq += n;
        wire_drain(&w);
    }
    struct seg got;
    for (int i = 0; i < 1400; i++) {
        wisp_tcp_consume(conn, 1);
        wire_step(&w);
        ck_assert_msg(!wire_next(&w, &got), "a window of %u was offered after %d bytes", got.window,
                      i + 1);
    }
    wisp_tcp_consume(conn, wisp_tcp_readable(conn));
    wire_step(&w);
    ck_assert(wire_next(&w, &got));
    ck_assert_uint_ge(got.window, 1460);
}
END_TEST

/* covers: SHLD-14, RS-10 */
START_TEST(small_segments_never_read__pages_run_short__offered_window_is_never_taken_back)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t edge = 0;
    struct seg got;
    for (uint32_t i = 0; i < 4000; i++) {
        wire_tell(&w, SEG(.flags = ACK, .seq = 1 + i, .length = 1));
        while (wire_next(&w, &got)) {
            uint32_t right = got.ack + got.window;
            ck_assert_msg((int32_t)(right - edge) >= 0, "the right edge went back after %u bytes",
                          i);
            edge = right;
        }
    }
    ck_assert_uint_eq(wisp_tcp_readable(conn), 4000);
    ck_assert_uint_le(wire_info(conn).pages, 64);
}
END_TEST

/* covers: SHLD-15, SHLD-16, MUST-34, TC-64 */
START_TEST(data_in_flight__peer_shrinks_its_window__nothing_new_goes_and_old_data_is_resent_inside)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    write_bytes(conn, 8000);
    wire_drain(&w);
    uint32_t sent = wire_info(conn).in_flight;
    wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = 2000));
    wire_drain(&w);
    write_bytes(conn, 8000);
    struct seg got;
    while (wire_next(&w, &got)) {
        ck_assert_uint_le(got.seq + got.length, 1 + sent);
    }
    wire_wait_segment(&w, WISP_SEC(3), &got);
    ck_assert_uint_eq(got.seq, 1461);
    ck_assert_uint_le(got.seq + got.length, 1461 + 2000);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
}
END_TEST

/* covers: MUST-38 */
START_TEST(peer_opens_its_window_by_little__much_to_send__no_tiny_segments)
{
    struct wisp_tcp_conn *conn = wire_established(&w, SEG(.mss = 1000, .window = 4000));
    write_bytes(conn, 30000);
    struct seg got;
    uint32_t seq = 1;
    while (wire_next(&w, &got)) {
        seq = got.seq + got.length;
    }
    ck_assert_uint_eq(seq, 4001);
    for (uint32_t extra = 1; extra < 500; extra += 50) {
        wire_tell(&w, SEG(.flags = ACK, .ack = 4001, .window = extra));
        wire_silent(&w);
    }
    wire_tell(&w, SEG(.flags = ACK, .ack = 4001, .window = 1000));
    wire_expect(&w, GOT(.flags = ACK, .seq = 4001, .length = 1000));
    wisp_tcp_abort(conn);
}
END_TEST

/* covers: SHLD-7, MUST-17 */
START_TEST(small_writes__nagle_on_and_off__held_back_or_not)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    write_bytes(conn, 10);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 10));
    write_bytes(conn, 10);
    write_bytes(conn, 10);
    wire_silent(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 11));
    wire_expect(&w, GOT(.flags = ACK, .seq = 11, .length = 20));
    wire_tell(&w, SEG(.flags = ACK, .ack = 31));
    wisp_tcp_set_nodelay(conn, true);
    write_bytes(conn, 10);
    wire_expect(&w, GOT(.flags = ACK, .seq = 31, .length = 10));
    write_bytes(conn, 10);
    wire_expect(&w, GOT(.flags = ACK, .seq = 41, .length = 10));
}
END_TEST

/* covers: SHLD-27, MUST-60, MUST-61, MAY-16 */
START_TEST(several_writes__leave_together__last_segment_pushes_and_nothing_stays_behind)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    static const uint8_t data[1000];
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(wisp_tcp_write(conn, data, sizeof(data)), sizeof(data));
    }
    wire_step(&w);
    struct seg got;
    uint32_t total = 0;
    uint32_t pushes = 0;
    uint32_t last = 0;
    while (total < 4000) {
        if (!wire_next(&w, &got)) {
            wire_tell(&w, SEG(.flags = ACK)); /* frees what Nagle held */
            ck_assert(wire_next(&w, &got));
        }
        total += got.length;
        pushes += (got.flags & PSH) != 0;
        last = got.flags & PSH;
    }
    ck_assert_uint_eq(total, 4000);
    ck_assert(last);
    ck_assert_uint_le(pushes, 2);
}
END_TEST

/* ---- urgent data ---- */

/* covers: MUST-30, MUST-62, MUST-32, MUST-33 */
START_TEST(established__urgent_segment__told_with_what_remains)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK | URG, .length = 10, .urgent = 4));
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_URGENT);
    ck_assert_uint_eq(wisp_tcp_urgent(conn), 4);
    wisp_tcp_consume(conn, 3);
    ck_assert_uint_eq(wisp_tcp_urgent(conn), 1);
    wisp_tcp_consume(conn, 3);
    ck_assert_uint_eq(wisp_tcp_urgent(conn), 0);
}
END_TEST

/* covers: MUST-31, TC-20, TC-21, TC-23 */
START_TEST(urgent_pointers_of_all_kinds__no_harm_and_right_count)
{
    static const uint32_t pointers[] = {0, 1, 9, 10, 11, 1000, 65535};
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t seq = 1;
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        wire_tell(&w, SEG(.flags = ACK | URG, .seq = seq, .length = 10, .urgent = pointers[i]));
        uint32_t remains = wisp_tcp_urgent(conn);
        ck_assert_msg(remains <= 65535, "pointer %u", pointers[i]);
        wisp_tcp_consume(conn, wisp_tcp_readable(conn));
        seq += 10;
        wire_drain(&w);
    }
    wire_tell(&w, SEG(.flags = ACK | URG, .seq = seq, .urgent = 3)); /* no data */
    wire_tell(&w, SEG(.flags = ACK, .seq = seq, .length = 10));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 10);
}
END_TEST

/* covers: MUST-30, MUST-62 */
START_TEST(mark_urgent__data_is_sent__with_urg_and_the_right_pointer)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_write(conn, "urgent", 6);
    wisp_tcp_mark_urgent(conn);
    wire_step(&w);
    struct seg got = wire_expect(&w, GOT(.flags = ACK | URG, .seq = 1, .length = 6));
    ck_assert_uint_eq(got.urgent, 6);
}
END_TEST

/* ---- interface ---- */

/* covers: MUST-48, MUST-49, SHLD-21, SHLD-22, I12, I15 */
START_TEST(service_settings__changed_in_mid_connection__seen_on_the_wire)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_set_service(conn, 12, 0xb8);
    write_bytes(conn, 10);
    struct seg got = wire_expect(&w, GOT(.flags = ACK, .length = 10));
    ck_assert_uint_eq(got.ttl, 12);
    ck_assert_uint_eq(got.tos, 0xb8);
    wire_tell(&w, SEG(.flags = ACK, .ack = 11));
    wisp_tcp_set_service(conn, 255, 0x20);
    write_bytes(conn, 10);
    got = wire_expect(&w, GOT(.flags = ACK, .length = 10));
    ck_assert_uint_eq(got.ttl, 255);
    ck_assert_uint_eq(got.tos, 0x20);
}
END_TEST

/* covers: MUST-50 */
START_TEST(ip_options__on_a_segment__ignored)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_queue(&w, SEG(.flags = ACK | PSH, .length = 5));
    struct wisp_link_end *end = &w.link.end[0];
    struct wisp_pkt *pkt = end->arrived[--end->arrived_in % WISP_LINK_RING];
    uint8_t frame[80];
    uint32_t n = pkt->length;
    wisp_pkt_read(pkt, 0, frame, n);
    wisp_pkt_drop(pkt);
    memmove(frame + 38, frame + 34, n - 34);
    memcpy(frame + 34, "\x01\x01\x01\x00", 4);
    frame[14] = 0x46;
    frame[17] = (uint8_t)(frame[17] + 4);
    frame[24] = frame[25] = 0;
    uint32_t sum = 0;
    for (int i = 14; i < 38; i += 2) {
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[24] = (uint8_t)(sum >> 8);
    frame[25] = (uint8_t)sum;
    wire_frame(&w, frame, n + 4);
    wire_step(&w);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 5);
}
END_TEST

/* ---- attacks that need state ---- */

static const struct {
    const char *name;
    uint32_t mss;
} tiny_rows[] = {{"0", 0x10000}, {"1", 1}, {"7", 7}, {"47", 47}, {"48", 48}, {"87", 87}};

/* covers: TC-03, TC-42 */
START_TEST(tiny_mss__much_to_send__segments_keep_a_floor)
{
    uint8_t options[4] = {2, 4, (uint8_t)(tiny_rows[_i].mss >> 8 & 255),
                          (uint8_t)tiny_rows[_i].mss};
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.options = options, .options_length = 4));
    write_bytes(conn, 5000);
    struct seg got;
    ck_assert(wire_next(&w, &got));
    ck_assert_msg(got.length >= 88, "mss %s: %u", tiny_rows[_i].name, got.length);
    wisp_tcp_abort(conn);
}
END_TEST

/* covers: TC-60 */
START_TEST(ack_splitting__many_acks_for_one_segment__cwnd_grows_by_bytes)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    write_bytes(conn, 1460);
    wire_drain(&w);
    uint32_t before = wire_info(conn).cwnd;
    for (uint32_t i = 1; i <= 146; i++) {
        wire_tell(&w, SEG(.flags = ACK, .ack = 1 + 10 * i));
    }
    ck_assert_uint_le(wire_info(conn).cwnd, before + 1460);
}
END_TEST

/* covers: TC-61, MUST-19 */
START_TEST(duplicate_acks_without_end__one_loss__inflation_is_bounded)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    write_bytes(conn, 14600);
    wire_drain(&w);
    uint32_t flight = wire_info(conn).in_flight;
    for (int i = 0; i < 500; i++) {
        wire_tell(&w, SEG(.flags = ACK, .ack = 1));
    }
    wire_drain(&w);
    ck_assert_uint_le(wire_info(conn).cwnd, 2 * flight + 14600);
    ck_assert_uint_ge(wire_count(&w, "tcp.retransmits"), 1);
}
END_TEST

static void peer_timestamps(struct wisp_tcp_config *config)
{
    config->timestamps = true;
}

/* covers: TC-37 */
START_TEST(timestamps__old_future_and_missing__paws_holds)
{
    struct wire_options options = {.tune = peer_timestamps};
    wire_close(&w);
    wire_open(&w, &options);
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn =
        wire_accept(&w, SEG(.mss = 1460, .timestamps = true, .tsval = 10000));
    w.peer_tsval = 10000;
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 10, .tsval = 9000)); /* older: PAWS */
    wire_expect(&w, GOT(.flags = ACK, .ack = 1));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 0);
    wire_wait(&w, WISP_SEC(2));
    w.peer_tsval = 10000;
    /* far off */
    wire_tell(&w, SEG(.flags = ACK, .seq = 0x70000000u, .length = 10, .tsval = 0x7000000u));
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 10, .tsval = 10001));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 10);
    static const uint8_t nothing[4] = {1, 1, 1, 1};
    w.peer_timestamps = false;
    wire_tell(&w,
              SEG(.flags = ACK, .seq = 11, .length = 10, .options = nothing, .options_length = 4));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 10); /* RFC 7323 §3.2: without the option, dropped */
    wire_tell(&w, SEG(.flags = RST, .seq = 11));    /* a RST is exempt */
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_CLOSED);
}
END_TEST

/* covers: RS-01 */
START_TEST(one_byte_segments_at_every_second_place__whole_window__memory_stays_bounded)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    struct wisp_pool_stats before, after;
    wisp_pool_stats(w.pool, &before);
    for (uint32_t i = 0; i < 20000; i++) {
        wire_tell(&w, SEG(.flags = ACK, .seq = 2 + 2 * i, .length = 1));
        wire_drain(&w);
    }
    wisp_pool_stats(w.pool, &after);
    ck_assert_uint_le(after.in_use - before.in_use, 256);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 1));
    ck_assert_uint_ge(wisp_tcp_readable(conn), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: data");
    TCase *tcase = tcase_create("data");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, established__segment_outside_the_window__ack_and_dropped);
    tcase_add_test(tcase, window_zero__segments__only_ack_rst_and_urg_act);
    tcase_add_test(tcase, established__data_partly_old_and_partly_beyond__trimmed_to_the_window);
    tcase_add_test(tcase, established__ack_of_what_was_never_sent__answered_and_without_effect);
    tcase_add_test(tcase, established__ack_far_older_than_any_window__answered_and_data_dropped);
    tcase_add_test(tcase, old_segment_with_another_window__arrives_late__window_stays);
    tcase_add_test(tcase, established__rst_by_position__resets_challenges_or_vanishes);
    tcase_add_test(tcase, established__rst_with_data__resets_all_the_same);
    tcase_add_test(tcase, established__syn_anywhere__challenge_ack_only);
    tcase_add_test(tcase, flood_of_challenges__many_in_a_second__answers_are_limited);
    tcase_add_test(tcase,
                   one_small_segment__no_answer_from_the_application__ack_within_half_a_second);
    tcase_add_test(tcase, full_segments__two_arrive__second_is_acknowledged_at_once);
    tcase_add_test(tcase, ten_segments_in_one_batch__one_step__one_ack_for_all);
    tcase_add_test(tcase, segments_out_of_order__acked_at_once_and_kept__delivered_in_order);
    tcase_add_test(tcase, every_order_of_five_segments__arrives__same_bytes);
    tcase_add_test(tcase, window_full__application_reads_byte_by_byte__no_silly_window_is_offered);
    tcase_add_test(tcase,
                   small_segments_never_read__pages_run_short__offered_window_is_never_taken_back);
    tcase_add_test(
        tcase,
        data_in_flight__peer_shrinks_its_window__nothing_new_goes_and_old_data_is_resent_inside);
    tcase_add_test(tcase, peer_opens_its_window_by_little__much_to_send__no_tiny_segments);
    tcase_add_test(tcase, small_writes__nagle_on_and_off__held_back_or_not);
    tcase_add_test(tcase,
                   several_writes__leave_together__last_segment_pushes_and_nothing_stays_behind);
    tcase_add_test(tcase, established__urgent_segment__told_with_what_remains);
    tcase_add_test(tcase, urgent_pointers_of_all_kinds__no_harm_and_right_count);
    tcase_add_test(tcase, mark_urgent__data_is_sent__with_urg_and_the_right_pointer);
    tcase_add_test(tcase, service_settings__changed_in_mid_connection__seen_on_the_wire);
    tcase_add_test(tcase, ip_options__on_a_segment__ignored);
    tcase_add_loop_test(tcase, tiny_mss__much_to_send__segments_keep_a_floor, 0,
                        sizeof(tiny_rows) / sizeof(tiny_rows[0]));
    tcase_add_test(tcase, ack_splitting__many_acks_for_one_segment__cwnd_grows_by_bytes);
    tcase_add_test(tcase, duplicate_acks_without_end__one_loss__inflation_is_bounded);
    tcase_add_test(tcase, timestamps__old_future_and_missing__paws_holds);
    tcase_add_test(tcase,
                   one_byte_segments_at_every_second_place__whole_window__memory_stays_bounded);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
