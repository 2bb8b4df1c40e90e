/* SPDX-License-Identifier: ISC */
/* RFC 9293, time: retransmission, failure thresholds, keep-alives, zero-window probes; and ICMP input. */
#include "bytes.h"
#include "suite.h"
#include "sum.h"
#include "tcp_priv.h"
#include "wire.h"

static struct wire w;

static void setup(void)
{
    wire_open(&w, NULL);
}

static void teardown(void)
{
    wire_close(&w);
}

/* ---- retransmission ---- */

/* covers: MUST-19 */
START_TEST(no_ack__retransmissions__back_off_by_doubling)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 100);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 100));
    wisp_time last = 0;
    for (int i = 0; i < 6; i++) {
        struct seg got;
        wisp_time took = wire_wait_segment(&w, WISP_SEC(200), &got);
        ck_assert_uint_eq(got.seq, 1);
        ck_assert_uint_eq(got.length, 100);
        if (i > 0) {
            ck_assert_msg(took > last * 17 / 10 && took < last * 23 / 10, "%d: %llu then %llu ms",
                          i, (unsigned long long)(last / 1000000),
                          (unsigned long long)(took / 1000000));
        }
        last = took;
    }
}
END_TEST

/* covers: MUST-19 */
START_TEST(timeout__cwnd__is_one_segment_and_ssthresh_half_the_flight)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    uint32_t flight = wire_info(conn).in_flight;
    struct seg got;
    wire_wait_segment(&w, WISP_SEC(3), &got);
    ck_assert_uint_eq(got.seq, 1);
    ck_assert_uint_eq(wire_info(conn).cwnd, 1460);
    ck_assert_uint_eq(wire_info(conn).ssthresh, flight / 2 > 2920 ? flight / 2 : 2920);
}
END_TEST

/* covers: MUST-19 */
START_TEST(slow_start__each_full_ack__cwnd_grows_by_what_was_acknowledged)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t before = wire_info(conn).cwnd;
    ck_assert_uint_eq(before, 14600);
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1 + 2920));
    uint32_t after = wire_info(conn).cwnd;
    ck_assert_uint_gt(after, before);
    ck_assert_uint_le(after, before + 2920);
}
END_TEST

/* covers: MUST-19 */
START_TEST(congestion_avoidance__each_round_trip__cwnd_grows_by_one_segment)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    struct seg got;
    wire_wait_segment(&w, WISP_SEC(3), &got); /* a timeout: ssthresh is half of ten segments */
    wire_tell(&w, SEG(.flags = ACK, .ack = 14601));
    ck_assert_uint_eq(wire_info(conn).ssthresh, 7300);
    uint32_t acked = 14601;
    uint32_t last = 0;
    for (int round = 0; round < 12; round++) {
        uint32_t cwnd = wire_info(conn).cwnd;
        if (last > wire_info(conn).ssthresh) {
            ck_assert_msg(cwnd - last <= 1460 && cwnd - last >= 1000, "round %d: from %u to %u",
                          round, last, cwnd);
        }
        last = cwnd;
        wire_write(&w, conn, 60000 - wire_info(conn).queued);
        wire_drain(&w);
        uint32_t flight = wire_info(conn).in_flight;
        for (uint32_t left = flight; left > 0;) {
            uint32_t n = left < 1460 ? left : 1460;
            acked += n;
            left -= n;
            wire_queue(&w, SEG(.flags = ACK, .ack = acked));
        }
        wire_step(&w);
        wire_drain(&w);
    }
    ck_assert_uint_gt(last, 3 * 1460 + wire_info(conn).ssthresh);
}
END_TEST

static void without_timestamps(struct wisp_tcp_config *config)
{
    config->timestamps = false;
}

/* covers: MUST-18 */
START_TEST(retransmitted_segment__acknowledged_late__no_rtt_sample_is_taken)
{
    struct wire_options options = {.tune = without_timestamps};
    wire_close(&w);
    wire_open(&w, &options);
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 100);
    wire_drain(&w);
    wire_wait(&w, WISP_MS(20));
    wire_tell(&w, SEG(.flags = ACK, .ack = 101));
    wisp_time srtt = wire_info(conn).srtt;
    ck_assert(srtt >= WISP_MS(19) && srtt <= WISP_MS(25));
    wire_write(&w, conn, 100);
    wire_drain(&w);
    struct seg got;
    wire_wait_segment(&w, WISP_SEC(3), &got);
    wire_wait(&w, WISP_MS(5));
    wire_tell(&w, SEG(.flags = ACK, .ack = 201));
    ck_assert(wire_info(conn).srtt == srtt);
}
END_TEST

/* covers: MUST-18 */
START_TEST(data_behind_a_hole__acknowledged_with_what_filled_it__no_rtt_sample_is_taken)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 100);
    wire_drain(&w);
    wire_wait(&w, WISP_MS(20));
    wire_tell(&w, SEG(.flags = ACK, .ack = 101));
    wisp_time srtt = wire_info(conn).srtt;
    wire_write(&w, conn, 5 * 1460); /* the first is lost, the others wait at the peer */
    wire_drain(&w);
    for (int i = 0; i < 3; i++) {
        wire_tell(&w, SEG(.flags = ACK, .ack = 101));
    }
    wire_drain(&w);
    wire_wait(&w, WISP_MS(150)); /* so long takes the one sent again */
    wire_tell(&w, SEG(.flags = ACK, .ack = 101 + 5 * 1460));
    ck_assert(wire_info(conn).srtt == srtt);
}
END_TEST

/* covers: TC-43 */
START_TEST(sacked_data__never_acknowledged__is_sent_again_after_the_timeout)
{
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.mss = 1460, .sack_permitted = true));
    wire_write(&w, conn, 2920);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1, .sack = {{1461, 2921}}));
    wire_drain(&w);
    bool again[2] = {false, false};
    for (int i = 0; i < 8 && !(again[0] && again[1]); i++) {
        struct seg got;
        wire_wait_segment(&w, WISP_SEC(60), &got);
        again[got.seq == 1 ? 0 : 1] = true;
        if (got.seq == 1) {
            wire_tell(&w, SEG(.flags = ACK, .ack = 1461)); /* it has forgotten the second */
        }
    }
    ck_assert(again[0] && again[1]);
}
END_TEST

/* covers: TC-62 */
START_TEST(optimistic_acks__beyond_what_was_sent__change_nothing)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 1460);
    wire_drain(&w);
    struct wisp_tcp_info before = wire_info(conn);
    for (uint32_t ack = 1500; ack < 60000; ack += 1460) {
        wire_tell(&w, SEG(.flags = ACK, .ack = ack));
    }
    ck_assert_uint_eq(wire_info(conn).cwnd, before.cwnd);
    ck_assert(wire_info(conn).srtt == before.srtt);
    ck_assert_uint_eq(wire_info(conn).in_flight, 1460);
    wire_drain(&w);
}
END_TEST

/* ---- failure ---- */

/* covers: MUST-20, SHLD-9, SHLD-10, SHLD-11, E12, MUST-47 */
START_TEST(black_hole__default_timeouts__soft_error_then_closed_after_at_least_100_s)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_END | WISP_TCP_SOFT_ERROR);
    wire_write(&w, conn, 100);
    wire_drain(&w);
    wisp_time start = w.now;
    wisp_time told = 0;
    uint32_t before_told = 0;
    uint64_t asked = wire_count(&w, "arp.tx.request");
    uint64_t asked_when_told = 0;
    uint32_t what = 0;
    enum wisp_err reason = WISP_OK;
    while (!(what & WISP_TCP_CLOSED)) {
        struct seg got;
        while (wire_next(&w, &got)) {
            before_told += told == 0;
        }
        what = wire_events(&w, conn, &reason);
        if (what & WISP_TCP_SOFT_ERROR && told == 0) {
            told = w.now;
            asked_when_told = wire_count(&w, "arp.tx.request");
        }
        ck_assert(w.now - start < WISP_SEC(1000));
        wire_wait(&w, WISP_SEC(1));
    }
    ck_assert_int_eq(reason, WISP_ERR_TIMEOUT);
    ck_assert(w.now - start >= WISP_SEC(100));
    ck_assert(told != 0);
    ck_assert_uint_ge(before_told, 3);
    /* the layer below looks whether the next hop is there */
    ck_assert_uint_gt(asked_when_told, asked);
}
END_TEST

/* covers: MUST-21 */
START_TEST(user_timeout__set_short_and_infinite__obeyed)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_set_user_timeout(conn, WISP_SEC(5));
    wire_write(&w, conn, 100);
    wire_wait(&w, WISP_SEC(4));
    ck_assert_uint_eq(wire_events(&w, conn, NULL) & WISP_TCP_CLOSED, 0);
    wire_wait(&w, WISP_SEC(4));
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_CLOSED);
    wisp_tcp_release(conn);
    wire_drain(&w);
    w.source = 40001;
    conn = wire_accept(&w, SEG(.mss = 1460));
    wisp_tcp_set_user_timeout(conn, WISP_NEVER);
    wire_write(&w, conn, 100);
    for (int hour = 0; hour < 5; hour++) {
        wire_wait(&w, WISP_SEC(3600));
        wire_drain(&w);
    }
    ck_assert_uint_eq(wire_events(&w, conn, NULL) & WISP_TCP_CLOSED, 0);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
}
END_TEST

/* covers: MUST-22, MUST-23 */
START_TEST(syn_into_a_black_hole__retransmitted_with_back_off__for_three_minutes_at_least)
{
    struct wisp_tcp_conn *conn = wire_connect(&w, 80);
    wire_expect(&w, GOT(.flags = SYN));
    wisp_time start = w.now;
    wisp_time last = 0;
    int count = 0;
    for (;;) {
        struct seg got;
        enum wisp_err reason = WISP_OK;
        wire_wait(&w, WISP_MS(100));
        if (wire_events(&w, conn, &reason) & WISP_TCP_CLOSED) {
            ck_assert_int_eq(reason, WISP_ERR_TIMEOUT);
            break;
        }
        while (wire_next(&w, &got)) {
            ck_assert_uint_eq(got.flags, SYN);
            wisp_time gap = w.now - start - last;
            if (count == 0) {
                ck_assert(gap >= WISP_MS(900));
            }
            last = w.now - start;
            count++;
        }
        ck_assert(w.now - start < WISP_SEC(1000));
    }
    ck_assert(w.now - start >= WISP_SEC(180));
    ck_assert_int_ge(count, 4);
}
END_TEST

/* ---- keep-alives ---- */

/* covers: MUST-25, MUST-28 */
START_TEST(idle_connection__default__no_keepalive_and_default_interval_of_two_hours)
{
    wire_server(&w);
    ck_assert(WISP_TCP_KEEPALIVE_IDLE >= WISP_SEC(7200));
    wire_wait(&w, WISP_SEC(8 * 3600));
    wire_silent(&w);
}
END_TEST

/* covers: MUST-24, MUST-26, MUST-27, MUST-29, SHLD-12, MAY-5 */
START_TEST(keepalive_on__idle__probes_without_data_and_one_lost_probe_does_no_harm)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_set_keepalive(conn, WISP_SEC(60), WISP_SEC(10), 3);
    wire_wait(&w, WISP_SEC(40));
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 1)); /* not idle: the count starts anew */
    struct seg got;
    wire_wait_segment(&w, WISP_SEC(1), &got);
    wisp_time took = wire_wait_segment(&w, WISP_SEC(100), &got);
    ck_assert(took >= WISP_SEC(58) && took <= WISP_SEC(61));
    ck_assert_uint_eq(got.length, 0);
    ck_assert_uint_eq(got.seq, 0);                     /* one below SND.NXT */
    took = wire_wait_segment(&w, WISP_SEC(100), &got); /* the first probe is lost */
    ck_assert(took >= WISP_SEC(9) && took <= WISP_SEC(11));
    wire_tell(&w, SEG(.flags = ACK));
    wire_wait(&w, WISP_SEC(50));
    wire_silent(&w);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_wait(&w, WISP_SEC(200));
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_TIMEOUT);
}
END_TEST

/* covers: MUST-24 */
START_TEST(keepalive_switched_off_again__idle__silence)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_set_keepalive(conn, WISP_SEC(60), WISP_SEC(10), 3);
    wire_wait(&w, WISP_SEC(30));
    wisp_tcp_set_keepalive(conn, 0, 0, 0);
    wire_wait(&w, WISP_SEC(1000));
    wire_silent(&w);
}
END_TEST

/* ---- zero windows ---- */

/* covers: MUST-35, MUST-36, MUST-37, SHLD-29, SHLD-30, SHLD-17 */
START_TEST(window_zero__data_waits__probed_with_back_off_for_hours_while_answered)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 1000);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1001, .window = 0));
    wire_write(&w, conn, 1000);
    wire_silent(&w);
    wisp_time last = 0;
    for (int i = 0; i < 60; i++) {
        struct seg got;
        wisp_time took = wire_wait_segment(&w, WISP_SEC(130), &got);
        ck_assert_uint_le(got.length, 1);
        if (i == 0) {
            ck_assert(took <= WISP_SEC(2));
        } else {
            ck_assert(took + WISP_MS(1) >= last);
        }
        last = took;
        wire_tell(&w, SEG(.flags = ACK, .ack = 1001, .window = 0));
    }
    ck_assert(last >= WISP_SEC(30));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1001, .window = 8000));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1001, .length = 1000));
}
END_TEST

/* covers: MUST-36 */
START_TEST(window_update_lost__probe_is_answered_with_the_window__data_flows)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 100);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 101, .window = 0));
    wire_write(&w, conn, 500);
    struct seg got;
    wire_wait_segment(&w, WISP_SEC(5), &got);
    uint32_t taken = got.seq == 101 ? got.length : 0;
    wire_tell(&w, SEG(.flags = ACK, .ack = 101 + taken, .window = 5000));
    wire_expect(&w, GOT(.flags = ACK, .seq = 101 + taken, .length = 500 - taken));
    wisp_tcp_abort(conn);
}
END_TEST

/* covers: MUST-37, RS-04 */
START_TEST(window_zero_and_user_timeout__probes_answered_or_not__the_unanswered_one_ends)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_set_user_timeout(conn, WISP_SEC(60));
    wire_write(&w, conn, 100);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 101, .window = 0));
    wire_write(&w, conn, 500);
    wire_wait(&w, WISP_SEC(200)); /* nobody answers the probes */
    enum wisp_err reason = WISP_OK;
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_TIMEOUT);
}
END_TEST

/* covers: TC-66 */
START_TEST(peer_acknowledges_late_or_every_byte__transfer__completes)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 20000);
    uint32_t acked = 1;
    uint32_t sent = 1;
    int steps = 0;
    while (acked < 20001) {
        struct seg got;
        while (wire_next(&w, &got)) {
            if (got.seq + got.length > sent) {
                sent = got.seq + got.length;
            }
        }
        if (sent - acked > 200) {
            acked += 97;
        } else if (acked < sent) {
            acked++;
        }
        wire_tell(&w, SEG(.flags = ACK, .ack = acked));
        ck_assert_int_lt(++steps, 100000);
    }
    ck_assert_uint_eq(wire_info(conn).queued, 0);
}
END_TEST

/* ---- ICMP ---- */

/* An ICMP error quoting a segment of ours with that (relative) sequence number. */
static void tell_icmp(uint8_t type, uint8_t code, uint16_t mtu, uint32_t seq)
{
    uint8_t frame[14 + 20 + 8 + 28] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    uint8_t *ip = frame + 14;
    uint8_t *icmp = ip + 20;
    uint8_t *quote = icmp + 8;
    ip[0] = quote[0] = 0x45;
    wisp_be16_put(ip + 2, 56);
    ip[8] = quote[8] = 64;
    ip[9] = 1;
    wisp_ip4_put(ip + 12, wisp_ip4(10, 0, 0, 2));
    wisp_ip4_put(ip + 16, wisp_ip4(10, 0, 0, 1));
    wisp_sum_store(ip + 10, wisp_sum_portable(ip, 20));
    icmp[0] = type;
    icmp[1] = code;
    wisp_be16_put(icmp + 6, mtu);
    wisp_be16_put(quote + 2, 1500);
    quote[6] = 0x40;
    quote[9] = 6;
    wisp_ip4_put(quote + 12, wisp_ip4(10, 0, 0, 1));
    wisp_ip4_put(quote + 16, wisp_ip4(10, 0, 0, 2));
    wisp_sum_store(quote + 10, wisp_sum_portable(quote, 20));
    wisp_be16_put(quote + 20, (uint16_t)w.port);
    wisp_be16_put(quote + 22, (uint16_t)w.source);
    wisp_be32_put(quote + 24, w.our_iss + seq);
    wisp_sum_store(icmp + 2, wisp_sum_portable(icmp, 36));
    wire_frame(&w, frame, sizeof(frame));
    wire_step(&w);
}

static const struct {
    const char *name;
    uint8_t type, code;
} soft_rows[] = {
    {"net unreachable", 3, 0},     {"host unreachable", 3, 1}, {"source route failed", 3, 5},
    {"time exceeded", 11, 0},      {"reassembly time", 11, 1}, {"parameter problem", 12, 0},
    {"protocol, in window", 3, 2}, {"port, in window", 3, 3},
};

/* covers: MUST-54, SHLD-25, MUST-56, IC-02, IC-12, SHLD-20, I24, I28 */
START_TEST(established__icmp_errors__told_as_soft_and_never_abort)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_END | WISP_TCP_SOFT_ERROR);
    wire_write(&w, conn, 1000);
    wire_drain(&w);
    tell_icmp(soft_rows[_i].type, soft_rows[_i].code, 0, 1);
    uint32_t what = wire_events(&w, conn, NULL);
    ck_assert_msg(what & WISP_TCP_SOFT_ERROR, "%s was not told", soft_rows[_i].name);
    ck_assert_msg(!(what & WISP_TCP_CLOSED), "%s closed it", soft_rows[_i].name);
    ck_assert_int_ne(wisp_tcp_soft_error(conn), WISP_OK);
    ck_assert_int_eq(wisp_tcp_soft_error(conn), WISP_OK);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_END);
    tell_icmp(soft_rows[_i].type, soft_rows[_i].code, 0, 1);
    ck_assert_uint_eq(wire_events(&w, conn, NULL) & WISP_TCP_SOFT_ERROR, 0);
}
END_TEST

/* covers: IC-01 */
START_TEST(established__icmp_quoting_what_is_not_in_flight__ignored)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_SOFT_ERROR);
    wire_write(&w, conn, 1000);
    wire_drain(&w);
    for (uint8_t code = 0; code < 16; code++) {
        tell_icmp(3, code, 600, 5000);
        tell_icmp(3, code, 600, 0xf0000000u);
    }
    ck_assert_uint_eq(wire_events(&w, conn, NULL), 0);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(wire_info(conn).mss, 1460);
}
END_TEST

/* covers: SHLD-26 */
START_TEST(syn_sent__port_or_protocol_unreachable__refused)
{
    for (uint8_t code = 2; code <= 3; code++) {
        struct wisp_tcp_conn *conn = wire_connect(&w, 80);
        wire_expect(&w, GOT(.flags = SYN));
        tell_icmp(3, code, 0, 0);
        enum wisp_err reason = WISP_OK;
        ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
        ck_assert_int_eq(reason, WISP_ERR_REFUSED);
        wisp_tcp_release(conn);
    }
}
END_TEST

/* covers: MUST-55, IC-04 */
START_TEST(source_quench__arrives__changes_nothing)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_SOFT_ERROR);
    wire_write(&w, conn, 1000);
    wire_drain(&w);
    uint32_t cwnd = wire_info(conn).cwnd;
    tell_icmp(4, 0, 0, 1);
    ck_assert_uint_eq(wire_info(conn).cwnd, cwnd);
    ck_assert_uint_eq(wire_events(&w, conn, NULL), 0);
    wire_silent(&w);
}
END_TEST

/* covers: IC-03 */
START_TEST(fragmentation_needed__with_every_odd_mtu__segments_keep_a_floor_and_never_grow)
{
    static const uint16_t mtus[] = {0, 1, 20, 40, 67, 68, 100, 255, 551, 1501, 9000, 65535};
    struct wisp_tcp_conn *conn = wire_server(&w);
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        wire_write(&w, conn, 1000);
        wire_drain(&w);
        tell_icmp(3, 4, mtus[i], 1 + 1000 * (uint32_t)i);
        wire_drain(&w);
        ck_assert_msg(wire_info(conn).mss >= 512 && wire_info(conn).mss <= 1460, "mtu %u: mss %u",
                      mtus[i], wire_info(conn).mss);
        wire_tell(&w, SEG(.flags = ACK, .ack = 1 + 1000 * (uint32_t)(i + 1)));
        wire_drain(&w);
    }
}
END_TEST

/* covers: FR-14 */
START_TEST(path_is_said_to_be_narrow__segments__stay_as_they_were_and_are_never_cut)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    for (uint32_t i = 0; i < 5; i++) {
        struct seg got;
        wire_write(&w, conn, 2920);
        while (wire_next(&w, &got)) {
            ck_assert_uint_eq(wisp_be16_get(w.last_frame + 20) & 0x3fff, 0); /* no fragment */
            ck_assert_uint_eq(got.length, 1460);
        }
        tell_icmp(3, 4, (uint16_t)(68 + 300 * i), 1 + 2920 * i);
        wire_tell(&w, SEG(.flags = ACK, .ack = 1 + 2920 * (i + 1)));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: timers");
    TCase *tcase = tcase_create("timers");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, no_ack__retransmissions__back_off_by_doubling);
    tcase_add_test(tcase, timeout__cwnd__is_one_segment_and_ssthresh_half_the_flight);
    tcase_add_test(tcase, slow_start__each_full_ack__cwnd_grows_by_what_was_acknowledged);
    tcase_add_test(tcase, congestion_avoidance__each_round_trip__cwnd_grows_by_one_segment);
    tcase_add_test(tcase, retransmitted_segment__acknowledged_late__no_rtt_sample_is_taken);
    tcase_add_test(tcase,
                   data_behind_a_hole__acknowledged_with_what_filled_it__no_rtt_sample_is_taken);
    tcase_add_test(tcase, sacked_data__never_acknowledged__is_sent_again_after_the_timeout);
    tcase_add_test(tcase, optimistic_acks__beyond_what_was_sent__change_nothing);
    tcase_add_test(tcase,
                   black_hole__default_timeouts__soft_error_then_closed_after_at_least_100_s);
    tcase_add_test(tcase, user_timeout__set_short_and_infinite__obeyed);
    tcase_add_test(tcase,
                   syn_into_a_black_hole__retransmitted_with_back_off__for_three_minutes_at_least);
    tcase_add_test(tcase, idle_connection__default__no_keepalive_and_default_interval_of_two_hours);
    tcase_add_test(tcase, keepalive_on__idle__probes_without_data_and_one_lost_probe_does_no_harm);
    tcase_add_test(tcase, keepalive_switched_off_again__idle__silence);
    tcase_add_test(tcase, window_zero__data_waits__probed_with_back_off_for_hours_while_answered);
    tcase_add_test(tcase, window_update_lost__probe_is_answered_with_the_window__data_flows);
    tcase_add_test(tcase,
                   window_zero_and_user_timeout__probes_answered_or_not__the_unanswered_one_ends);
    tcase_add_test(tcase, peer_acknowledges_late_or_every_byte__transfer__completes);
    tcase_add_loop_test(tcase, established__icmp_errors__told_as_soft_and_never_abort, 0,
                        sizeof(soft_rows) / sizeof(soft_rows[0]));
    tcase_add_test(tcase, established__icmp_quoting_what_is_not_in_flight__ignored);
    tcase_add_test(tcase, syn_sent__port_or_protocol_unreachable__refused);
    tcase_add_test(tcase, source_quench__arrives__changes_nothing);
    tcase_add_test(tcase,
                   fragmentation_needed__with_every_odd_mtu__segments_keep_a_floor_and_never_grow);
    tcase_add_test(tcase, path_is_said_to_be_narrow__segments__stay_as_they_were_and_are_never_cut);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
