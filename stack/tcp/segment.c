/* SPDX-License-Identifier: ISC */
/*
 * A segment of a connection that is not in SYN-SENT: the steps of RFC 9293 §3.10.7.4 in its order,
 * one small function each, with PAWS in front (RFC 7323 §5.3) and RFC 5961's answers to what may be
 * forged. Each step says whether the segment goes on.
 *
 * A segment that is exactly what was expected does not come here at all: see expected.c. What it
 * acknowledged may leave nothing in the working part, which is given back last: its text might want
 * one at once.
 */
#include "tcp_priv.h"

#define PAWS_LIFE_MIN (24u * 24 * 60) /* TS.Recent older than 24 days says nothing */

struct arriving {
    struct wisp_tcp_conn *conn;
    struct wisp_pkt *pkt;
    struct tcp_segment *seg;
    wisp_time now;
};

static uint16_t minutes(wisp_time now)
{
    return (uint16_t)(now / WISP_SEC(60));
}

/*
 * RFC 5961 §7 with a limit per connection, of random size and a random start, so that nobody learns from its
 * own challenges about those of others (CVE-2016-5696).
 */
void wisp_tcp_challenge(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct wisp_tcp *tcp = conn->tcp;
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    uint16_t tick = (uint16_t)(tcp_ms(now) >> 7);
    if ((int16_t)(tick - cold->challenge_at) >= 0 || cold->challenges == 0) {
        if ((int16_t)(tick - cold->challenge_at) < 0) {
            tcp->count[TCP_CHALLENGES_WITHHELD]++;
            return;
        }
        cold->challenge_at = (uint16_t)(tick + 6 + wisp_rng_below(&tcp->rng, 6));
        cold->challenges = (uint8_t)(8 + wisp_rng_below(&tcp->rng, 8));
    }
    cold->challenges--;
    tcp->count[TCP_CHALLENGE_ACKS]++;
    conn->flags |= TCP_ACK_NOW;
    wisp_tcp_output_add(conn);
}

void wisp_tcp_take_timestamp(struct wisp_tcp_conn *conn, const struct tcp_segment *seg,
                             wisp_time now)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    if (!seq_after(seg->seq, conn->ack_sent) &&
        (int32_t)(seg->options.tsval - cold->ts_recent) >= 0) {
        cold->ts_recent = seg->options.tsval;
        cold->ts_recent_at = minutes(now);
    }
}

static bool check_timestamp(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    const struct tcp_cold *cold = wisp_tcp_cold(conn);
    if (!(conn->flags & TCP_HAS_TS) || (a->seg->flags & TCP_RST)) {
        return true;
    }
    if (!a->seg->options.has_ts) {
        conn->tcp->count[TCP_RX_NO_TIMESTAMP]++;
        return false;
    }
    bool old = (int32_t)(a->seg->options.tsval - cold->ts_recent) < 0 &&
               (uint16_t)(minutes(a->now) - cold->ts_recent_at) < PAWS_LIFE_MIN;
    if (old) {
        conn->tcp->count[TCP_RX_PAWS]++;
        wisp_tcp_challenge(conn, a->now);
    }
    return !old;
}

/* The four cases of §3.4; an empty segment at the right edge itself passes, or a full window would stop its
 * acknowledgements. */
static bool acceptable(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg)
{
    uint32_t window = seq_span(conn->rcv_nxt, conn->rcv_edge);
    uint32_t length = seg->length + ((seg->flags & TCP_SYN) != 0) + ((seg->flags & TCP_FIN) != 0);
    uint32_t first = seq_span(conn->rcv_nxt, seg->seq);
    if (length == 0) {
        bool plain = !(seg->flags & TCP_RST);
        return first < window || (first == window && (plain || window == 0));
    }
    return window > 0 && (first < window || first + length - 1 < window);
}

static void answer_unacceptable(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    conn->tcp->count[TCP_RX_OUT_OF_WINDOW]++;
    if (a->seg->flags & TCP_RST) {
        return;
    }
    if (a->seg->length == 0) {
        /* limited, or two confused ends answer each other for ever */
        wisp_tcp_challenge(conn, a->now);
        return;
    }
    conn->tcp->count[TCP_RX_DUPLICATE_BYTES] += a->seg->length;
    conn->flags |= TCP_ACK_NOW;
    wisp_tcp_output_add(conn);
}

/* Opening simultaneously, the peer's SYN comes again with its ACK: only the latter is news. */
static bool is_crossed_syn_ack(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg)
{
    return conn->state == WISP_TCP_STATE_SYN_RECEIVED &&
           (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK) &&
           seq_equal(seq_add(seg->seq, 1), conn->rcv_nxt);
}

static bool check_sequence(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    struct tcp_segment *seg = a->seg;
    if (is_crossed_syn_ack(conn, seg)) {
        seg->seq = conn->rcv_nxt;
        seg->flags &= (uint8_t)~TCP_SYN;
        conn->flags |= TCP_ACK_NOW;
        wisp_tcp_output_add(conn);
        return true;
    }
    if (acceptable(conn, seg)) {
        return true;
    }
    answer_unacceptable(a);
    bool shut = seq_equal(conn->rcv_nxt, conn->rcv_edge) && seq_equal(seg->seq, conn->rcv_nxt);
    if (!shut || (seg->flags & (TCP_RST | TCP_SYN))) {
        return false;
    }
    /* MUST-66: with the window shut its ACK and URG count, its text does not. */
    seg->length = 0;
    seg->flags &= (uint8_t)~TCP_FIN;
    return true;
}

static bool check_rst(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    if (!(a->seg->flags & TCP_RST)) {
        return true;
    }
    if (!seq_equal(a->seg->seq, conn->rcv_nxt)) {
        conn->tcp->count[TCP_RX_BAD_RST]++;
        wisp_tcp_challenge(conn, a->now);
        return false;
    }
    bool opening = conn->state == WISP_TCP_STATE_SYN_RECEIVED;
    bool over = conn->state == WISP_TCP_STATE_LAST_ACK || conn->state == WISP_TCP_STATE_CLOSING;
    conn->tcp->count[TCP_RX_RST]++;
    conn->tcp->count[TCP_CLOSED_RESET]++;
    wisp_tcp_conn_end(conn, opening ? WISP_ERR_REFUSED : over ? WISP_OK : WISP_ERR_RESET, a->now);
    return false;
}

static bool check_syn(const struct arriving *a)
{
    if (!(a->seg->flags & TCP_SYN)) {
        return true;
    }
    wisp_tcp_challenge(a->conn, a->now); /* RFC 5961 §4.2 */
    return false;
}

/* A simultaneous open completes. */
static bool complete_open(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    struct tcp_tuple tuple;
    if (!seq_equal(a->seg->ack, conn->snd_nxt)) {
        wisp_tcp_conn_tuple(conn, &tuple);
        wisp_tcp_reply_rst(conn->tcp, &tuple, a->seg);
        return false;
    }
    conn->snd_una = conn->snd_nxt;
    conn->snd_wnd = (uint32_t)a->seg->window << conn->snd_shift;
    wisp_tcp_cold(conn)->max_wnd = conn->snd_wnd;
    conn->snd_wl1 = a->seg->seq;
    conn->snd_wl2 = a->seg->ack;
    wisp_tcp_conn_established(conn, a->now);
    conn->tcp->count[TCP_OPENED_ACTIVE]++;
    conn->flags |= TCP_TELL_CONNECTED;
    wisp_tcp_event_add(conn);
    return true;
}

static bool check_ack(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    if (!(a->seg->flags & TCP_ACK)) {
        conn->tcp->count[TCP_RX_NO_ACK]++;
        return false;
    }
    if (conn->state == WISP_TCP_STATE_SYN_RECEIVED && !complete_open(a)) {
        return false;
    }
    conn->heard_at = tcp_ms(a->now);
    conn->keep_probes = 0;
    if (a->seg->options.has_ts && (conn->flags & TCP_HAS_TS)) {
        wisp_tcp_take_timestamp(conn, a->seg, a->now);
    }
    return wisp_tcp_ack_input(conn, a->seg, a->now);
}

/* MUST-62: the pointer names the octet behind the urgent data. It only ever moves forward. */
static bool take_urgent(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    struct tcp_seq up = seq_add(a->seg->seq, a->seg->urgent);
    if (!(a->seg->flags & TCP_URG) || (conn->flags & (TCP_FIN_ARRIVED | TCP_DEAF)) ||
        !wisp_tcp_part_get(conn)) {
        return true;
    }
    struct tcp_seq known = (conn->flags & TCP_URGENT_IN) ? conn->part->rcv_up : conn->rcv_nxt;
    if (seq_after(up, known)) {
        conn->part->rcv_up = up;
        conn->flags |= TCP_URGENT_IN | TCP_TELL_URGENT;
        wisp_tcp_event_add(conn);
    }
    wisp_tcp_part_settle(conn, a->now);
    return true;
}

static bool take_text(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    if (a->seg->length == 0 || (conn->flags & TCP_FIN_ARRIVED)) {
        return true;
    }
    if (conn->flags & TCP_DEAF) {
        conn->tcp->count[TCP_RX_AFTER_CLOSE]++;
        if (seq_after(seq_add(a->seg->seq, a->seg->length), conn->rcv_nxt)) {
            wisp_tcp_conn_reset(conn, WISP_ERR_CLOSED, a->now); /* SHLD-3 */
            return false;
        }
    }
    wisp_tcp_receive_text(conn, a->pkt, a->seg, a->now);
    return true;
}

static void finish(struct wisp_tcp_conn *conn, wisp_time now)
{
    conn->rcv_nxt = seq_add(conn->rcv_nxt, 1);
    conn->rcv_edge = seq_later(conn->rcv_edge, conn->rcv_nxt);
    conn->flags |= TCP_FIN_ARRIVED | TCP_ACK_NOW;
    conn->state = wisp_tcp_state_after(conn->state, TCP_TAKE_FIN);
    if (conn->part) {
        conn->part->fin_known = false;
        wisp_tcp_part_settle(conn, now);
    }
    wisp_tcp_event_add(conn);
    wisp_tcp_output_add(conn);
    if (conn->state == WISP_TCP_STATE_TIME_WAIT) {
        wisp_tcp_time_wait_enter(conn, now);
    }
}

static bool take_fin(const struct arriving *a)
{
    struct wisp_tcp_conn *conn = a->conn;
    if (conn->flags & TCP_FIN_ARRIVED) {
        if (a->seg->flags & TCP_FIN) {
            conn->flags |= TCP_ACK_NOW; /* it was sent again: ours was lost */
            wisp_tcp_output_add(conn);
        }
        return true;
    }
    struct tcp_seq at = seq_add(a->seg->seq, a->seg->length);
    if (a->seg->flags & TCP_FIN) {
        if (seq_equal(at, conn->rcv_nxt)) {
            finish(conn, a->now);
        } else if (seq_after(at, conn->rcv_nxt) && wisp_tcp_part_get(conn)) {
            conn->part->fin_at = at; /* text before it is missing */
            conn->part->fin_known = true;
        }
    } else if (conn->part && conn->part->fin_known &&
               seq_equal(conn->part->fin_at, conn->rcv_nxt)) {
        finish(conn, a->now);
    }
    return true;
}

static bool (*const steps[])(const struct arriving *a) = {
    check_timestamp, check_sequence, check_rst, check_syn,
    check_ack,       take_urgent,    take_text, take_fin,
};

void wisp_tcp_segment_input(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt,
                            struct tcp_segment *seg, wisp_time now)
{
    if (conn->state == WISP_TCP_STATE_SYN_SENT) {
        wisp_tcp_syn_sent_input(conn, seg, now);
        return;
    }
    struct arriving a = {conn, pkt, seg, now};
    for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && steps[i](&a); i++) {
    }
    wisp_tcp_part_settle(conn, now);
}
