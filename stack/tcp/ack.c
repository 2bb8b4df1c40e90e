/* SPDX-License-Identifier: ISC */
/*
 * The acknowledgement of a segment in a synchronised state (RFC 9293 §3.10.7.4, fifth; RFC 5961 §5): what it
 * acknowledges, what window it offers, whether it is a duplicate. An acknowledgement outside of
 * SND.UNA - MAX.SND.WND .. SND.NXT changes nothing, so data never sent cannot be acknowledged.
 */
#include "tcp_priv.h"

static uint32_t offered(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg)
{
    return (uint32_t)seg->window << conn->snd_shift;
}

/* It tells of bytes in flight, and of others than the acknowledgement before did: some arrived out of order. */
static bool has_news(const struct wisp_tcp_conn *conn, const struct tcp_sack *sack)
{
    const struct tcp_sack *before = &conn->part->sacked;
    return (conn->flags & TCP_HAS_SACK) && seq_after(sack->start, conn->snd_una) &&
           seq_before(sack->start, sack->end) && !seq_after(sack->end, conn->snd_nxt) &&
           !(seq_equal(sack->start, before->start) && seq_equal(sack->end, before->end));
}

/*
 * RFC 5681 §2; or RFC 6675 §2, by which one with news may move the window: Linux's may grow while bytes are missing.
 * A block below SND.UNA tells of bytes that came twice (RFC 2883): nothing is missing, though a shut window may have
 * been probed.
 */
static bool is_duplicate(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg)
{
    if (!seq_equal(seg->ack, conn->snd_una) || seg->length > 0 || tcp_in_flight(conn) == 0 ||
        (seg->flags & (TCP_SYN | TCP_FIN))) {
        return false;
    }
    if (seg->options.has_sack && has_news(conn, &seg->options.sack)) {
        return true;
    }
    bool twice = seg->options.has_sack && !seq_after(seg->options.sack.start, conn->snd_una);
    return offered(conn, seg) == conn->snd_wnd && (!twice || conn->snd_wnd == 0);
}

/* The window was shut: whatever went beyond it was not taken, and no back-off of probes counts any more. */
static void reopened(struct wisp_tcp_conn *conn, wisp_time now)
{
    conn->retries = 0;
    conn->flags &= ~(uint32_t)(TCP_PROBE_DUE | TCP_ANSWERED);
    conn->unacked_at = tcp_ms(now);
    if (tcp_in_flight(conn) == 0) {
        conn->rexmit_at = WISP_NEVER;
        return;
    }
    wisp_tcp_record_lose_all(conn);
    conn->part->urge = true;
    wisp_tcp_timer_rexmit(conn, now);
}

void wisp_tcp_ack_window(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, wisp_time now)
{
    bool newer = seq_before(conn->snd_wl1, seg->seq) ||
                 (seq_equal(conn->snd_wl1, seg->seq) && !seq_after(conn->snd_wl2, seg->ack));
    if (!newer) {
        return;
    }
    uint32_t window = offered(conn, seg);
    conn->snd_wl1 = seg->seq;
    conn->snd_wl2 = seg->ack;
    if (window == conn->snd_wnd) {
        return;
    }
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    bool opened = window > conn->snd_wnd;
    bool was_shut = conn->snd_wnd == 0;
    conn->snd_wnd = window;
    cold->max_wnd = window > cold->max_wnd ? window : cold->max_wnd;
    if (opened && conn->part && conn->part->send.count) {
        if (was_shut) {
            reopened(conn, now);
        }
        wisp_tcp_output_add(conn);
    }
}

/* With the window shut it answers a probe: the peer lives, so no user timeout applies (MUST-37, SHLD-17). */
static void duplicate(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (conn->snd_wnd == 0) {
        conn->flags |= TCP_ANSWERED;
    } else {
        wisp_tcp_recovery_dupack(conn, now);
    }
}

/* Where the oldest record starts: what lies before is released. */
static struct tcp_seq oldest(const struct wisp_tcp_conn *conn)
{
    const struct tcp_chain *records = &conn->part->records;
    return chain_empty(records) ? conn->snd_una : chain_front(records)->record.seq;
}

static void tell_writer(struct wisp_tcp_conn *conn, struct tcp_seq oldest_before)
{
    if ((conn->want & WISP_TCP_RELEASED) && !seq_equal(oldest(conn), oldest_before)) {
        conn->flags |= TCP_TELL_RELEASED;
    }
    if (conn->want & (WISP_TCP_RELEASED | WISP_TCP_WRITABLE)) {
        wisp_tcp_event_add(conn);
    }
}

static void data_acked(struct wisp_tcp_conn *conn, uint32_t bytes, wisp_time now)
{
    struct tcp_seq oldest_before = oldest(conn);
    tcp_count_acked(conn, bytes);
    wisp_tcp_send_acked(conn, bytes);
    wisp_time sent_at = wisp_tcp_record_acked(conn);
    if (sent_at != WISP_NEVER) {
        wisp_tcp_rtt_sample(conn, (uint32_t)((now - sent_at) / 1000u));
    }
    if ((conn->flags & TCP_URGENT_OUT) && !seq_before(conn->snd_una, conn->part->snd_up)) {
        conn->flags &= ~(uint32_t)TCP_URGENT_OUT;
    }
    tell_writer(conn, oldest_before);
}

/* The path works: once a second is enough for the neighbour cache. */
static void advise_alive(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct wisp_l3 *l3 = conn->tcp->l3;
    uint32_t ms = tcp_ms(now);
    if (ms >> 10 != conn->unacked_at >> 10) {
        l3->ops->advise(l3->self, &conn->flow.remote, true, now);
    }
    conn->unacked_at = ms;
}

void wisp_tcp_ack_advance(struct wisp_tcp_conn *conn, struct tcp_seq ack, wisp_time now)
{
    uint32_t bytes = seq_span(conn->snd_una, ack);
    bool fin_acked = (conn->flags & TCP_FIN_SENT) && seq_equal(ack, conn->snd_nxt);
    conn->snd_una = ack;
    conn->retries = 0;
    advise_alive(conn, now);
    bytes -= fin_acked;
    if (bytes) {
        data_acked(conn, bytes, now);
        wisp_tcp_recovery_acked(conn, bytes, now);
    }
    if (tcp_in_flight(conn) == 0) {
        conn->rexmit_at = WISP_NEVER;
    } else {
        wisp_tcp_timer_rexmit(conn, now);
    }
    if (fin_acked) {
        conn->flags &= ~(uint32_t)TCP_FIN_LOST;
        conn->state = wisp_tcp_state_after(conn->state, TCP_ACKED_FIN);
    }
    if (conn->part && conn->part->unsent + conn->part->lost) {
        wisp_tcp_output_add(conn);
    }
}

/* Our FIN was acknowledged and nothing is left to come. */
static bool ended(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (conn->state == WISP_TCP_STATE_TIME_WAIT) {
        wisp_tcp_time_wait_enter(conn, now);
        return true;
    }
    if (conn->state == WISP_TCP_STATE_CLOSED) {
        wisp_tcp_conn_end(conn, WISP_OK, now);
        return true;
    }
    if (conn->state == WISP_TCP_STATE_FIN_WAIT_2 && (conn->flags & TCP_DEAF)) {
        wisp_tcp_timer_arm(conn, now + WISP_SEC(60));
    }
    return false;
}

bool wisp_tcp_ack_input(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, wisp_time now)
{
    if (seq_after(seg->ack, conn->snd_nxt) ||
        seq_before(seg->ack, seq_sub(conn->snd_una, wisp_tcp_cold(conn)->max_wnd))) {
        conn->tcp->count[TCP_RX_BAD_ACK]++;
        wisp_tcp_challenge(conn, now);
        return false;
    }
    if (seq_before(seg->ack, conn->snd_una)) {
        return true;
    }
    if (seq_after(seg->ack, conn->snd_una)) {
        wisp_tcp_ack_advance(conn, seg->ack, now);
        if (ended(conn, now)) {
            return false;
        }
    } else if (conn->part && is_duplicate(conn, seg)) {
        duplicate(conn, now);
    }
    if (conn->part && seg->options.has_sack) {
        conn->part->sacked = seg->options.sack;
    }
    wisp_tcp_ack_window(conn, seg, now);
    return true;
}
