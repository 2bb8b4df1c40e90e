/* SPDX-License-Identifier: ISC */
/*
 * Handshakes of passive opens: SYN-RECEIVED as an entry of 64 bytes, so that a flood of SYNs costs little. When
 * all entries are used a random one gives way. The entry becomes a connection with the acknowledgement that
 * completes it, if the listener's backlog has room; otherwise that acknowledgement is dropped and the SYN-ACK
 * comes again (the peer's data brings it back, too).
 *
 * A RST leads back to LISTEN (MUST-11), that is: the entry goes.
 */
#include "tcp_priv.h"

#define RETRIES_MAX 7u /* 1 + 2 + 4 ... s: more than three minutes in all (MUST-23) */

void wisp_tcp_half_tuple(const struct tcp_half4 *half, struct wisp_addr addrs[2],
                         struct tcp_tuple *tuple)
{
    addrs[0] = wisp_addr_ip4(half->local);
    addrs[1] = wisp_addr_ip4(half->remote);
    *tuple = (struct tcp_tuple){&addrs[0], &addrs[1], half->local_port, half->remote_port};
}

static uint32_t index_of(const struct wisp_tcp *tcp, const struct tcp_half4 *half)
{
    return (uint32_t)(half - tcp->half);
}

static void release(struct wisp_tcp *tcp, struct tcp_half4 *half)
{
    half->flags = 0;
    half->next = tcp->free_half;
    tcp->free_half = index_of(tcp, half);
}

void wisp_tcp_half_remove(struct wisp_tcp *tcp, struct tcp_half4 *half)
{
    struct wisp_addr addrs[2];
    struct tcp_tuple tuple;
    wisp_tcp_half_tuple(half, addrs, &tuple);
    uint32_t tag = (uint32_t)wisp_tcp_hash(tcp, &tuple);
    wisp_tcp_table_remove(&tcp->table, tag, tcp_entry(TCP_KIND_HALF, index_of(tcp, half)));
    wisp_wheel_clear(&tcp->half_wheel, &half->timer);
    tcp->halves--;
    half->flags &= (uint8_t)~TCP_HALF_USED;
    if (half->flags & TCP_HALF_DUE) {
        half->flags |= TCP_HALF_GONE;
    } else {
        release(tcp, half);
    }
}

static void due(struct wisp_tcp *tcp, struct tcp_half4 *half)
{
    if (half->flags & TCP_HALF_DUE) {
        return;
    }
    uint32_t index = index_of(tcp, half);
    half->flags |= TCP_HALF_DUE;
    half->next = TCP_NONE;
    if (tcp->half_due.head == TCP_NONE) {
        tcp->half_due.head = index;
    } else {
        tcp->half[tcp->half_due.tail].next = index;
    }
    tcp->half_due.tail = index;
}

/* Any entry whose SYN-ACK has left: an attacker cannot tell which. */
static bool evict(struct wisp_tcp *tcp)
{
    uint32_t start = wisp_rng_below(&tcp->rng, tcp->config.half_open);
    for (uint32_t i = 0; i < tcp->config.half_open; i++) {
        struct tcp_half4 *half = &tcp->half[(start + i) % tcp->config.half_open];
        if ((half->flags & (TCP_HALF_USED | TCP_HALF_DUE)) == TCP_HALF_USED) {
            wisp_tcp_half_remove(tcp, half);
            tcp->count[TCP_HALF_OPEN_EVICTED]++;
            return true;
        }
    }
    return false;
}

static struct tcp_half4 *alloc(struct wisp_tcp *tcp)
{
    if (tcp->free_half == TCP_NONE && !evict(tcp)) {
        return NULL;
    }
    struct tcp_half4 *half = &tcp->half[tcp->free_half];
    tcp->free_half = half->next;
    tcp->halves++;
    *half = (struct tcp_half4){.flags = TCP_HALF_USED};
    return half;
}

static void take_options(const struct wisp_tcp *tcp, struct tcp_half4 *half,
                         const struct tcp_options *o)
{
    half->mss = o->has_mss ? o->mss : TCP_MSS_DEFAULT;
    half->ts_recent = o->tsval;
    half->shift = o->shift;
    half->flags |= (o->has_ts && tcp->config.timestamps) ? TCP_HALF_TS : 0;
    half->flags |= (o->sack_permitted && tcp->config.sack) ? TCP_HALF_SACK : 0;
    half->flags |= (o->has_scale && tcp->config.window_scaling) ? TCP_HALF_SCALE : 0;
}

static bool is_sane(const struct wisp_tcp *tcp, const struct tcp_tuple *tuple)
{
    bool itself =
        tcp_addr_same(tuple->local, tuple->remote) && tuple->local_port == tuple->remote_port;
    return tuple->remote->family == WISP_FAMILY_IP4 && !itself && tuple->remote_port != 0 &&
           tcp->l3->ops->is_unicast(tcp->l3->self, tuple->remote); /* MUST-63 */
}

void wisp_tcp_half_syn(struct wisp_tcp *tcp, struct wisp_tcp_listener *listener,
                       const struct tcp_tuple *tuple, const struct tcp_segment *seg,
                       struct tcp_seq iss, wisp_time now)
{
    if (listener->waiting >= listener->backlog) {
        tcp->count[TCP_RX_BACKLOG_FULL]++;
        return;
    }
    struct tcp_half4 *half = is_sane(tcp, tuple) ? alloc(tcp) : NULL;
    if (!half) {
        tcp->count[TCP_RX_SYN_REFUSED]++;
        return;
    }
    half->local = tuple->local->u.ip4;
    half->remote = tuple->remote->u.ip4;
    half->local_port = tuple->local_port;
    half->remote_port = tuple->remote_port;
    half->irs = seg->seq;
    half->iss = iss;
    half->listener = (uint16_t)(listener - tcp->listener);
    take_options(tcp, half, &seg->options);
    uint32_t tag = (uint32_t)wisp_tcp_hash(tcp, tuple);
    wisp_tcp_table_add(&tcp->table, tag, tcp_entry(TCP_KIND_HALF, index_of(tcp, half)));
    wisp_tcp_timer_half(tcp, half, wisp_time_add(now, WISP_SEC(1)));
    due(tcp, half);
}

static void answer_ack(struct wisp_tcp *tcp, const struct tcp_half4 *half,
                       const struct tcp_tuple *tuple)
{
    struct tcp_reply *reply = wisp_tcp_reply_new(tcp, tuple);
    if (!reply) {
        return;
    }
    uint64_t hash = wisp_tcp_hash(tcp, tuple);
    reply->seq = seq_add(half->iss, 1);
    reply->ack = seq_add(half->irs, 1);
    reply->flags = TCP_ACK;
    reply->window =
        (uint16_t)(tcp->first_window >> (half->flags & TCP_HALF_SCALE ? tcp->window_shift : 0));
    reply->has_ts = half->flags & TCP_HALF_TS;
    reply->ts_offset = (uint32_t)(hash >> 32);
    reply->tsecr = half->ts_recent;
    tcp->count[TCP_CHALLENGE_ACKS]++;
}

/* RFC 9293 §3.10.7.4 for SYN-RECEIVED, down to the ACK; true: the handshake is complete. */
static bool completes(struct wisp_tcp *tcp, struct tcp_half4 *half, const struct tcp_tuple *tuple,
                      const struct tcp_segment *seg)
{
    struct tcp_seq next = seq_add(half->irs, 1);
    if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && seq_equal(seg->seq, half->irs)) {
        due(tcp, half); /* our SYN-ACK was lost */
        return false;
    }
    bool stale = (half->flags & TCP_HALF_TS) && !(seg->flags & TCP_RST) &&
                 (!seg->options.has_ts || (int32_t)(seg->options.tsval - half->ts_recent) < 0);
    if (stale || !seq_within(next, seg->seq, seq_add(next, tcp->first_window))) {
        tcp->count[stale ? TCP_RX_PAWS : TCP_RX_OUT_OF_WINDOW]++;
        if (!(seg->flags & TCP_RST)) {
            answer_ack(tcp, half, tuple);
        }
        return false;
    }
    if (seg->flags & TCP_RST) {
        if (seq_equal(seg->seq, next)) {
            tcp->count[TCP_RX_RST]++;
            wisp_tcp_half_remove(tcp, half);
        } else {
            tcp->count[TCP_RX_BAD_RST]++;
            answer_ack(tcp, half, tuple);
        }
        return false;
    }
    if (seg->flags & TCP_SYN) {
        answer_ack(tcp, half, tuple);
        return false;
    }
    if (!(seg->flags & TCP_ACK)) {
        tcp->count[TCP_RX_NO_ACK]++;
        return false;
    }
    if (!seq_equal(seg->ack, seq_add(half->iss, 1))) {
        tcp->count[TCP_RX_BAD_ACK]++;
        wisp_tcp_reply_rst(tcp, tuple, seg);
        return false;
    }
    return true;
}

static void inherit(struct wisp_tcp_conn *conn, const struct tcp_half4 *half,
                    const struct tcp_segment *seg, wisp_time now)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    conn->flags |= ((half->flags & TCP_HALF_TS) ? TCP_HAS_TS : 0u) |
                   ((half->flags & TCP_HALF_SACK) ? TCP_HAS_SACK : 0u) |
                   ((half->flags & TCP_HALF_SCALE) ? TCP_HAS_SCALE : 0u) |
                   (half->retries ? TCP_SYN_AGAIN : 0u);
    if (half->flags & TCP_HALF_SCALE) {
        conn->snd_shift = half->shift & 15u;
        conn->rcv_shift = conn->tcp->window_shift & 15u;
    }
    cold->peer_mss = half->mss;
    conn->rcv_nxt = seq_add(half->irs, 1);
    conn->rcv_edge = seq_add(conn->rcv_nxt, conn->tcp->first_window);
    conn->ack_sent = conn->rcv_nxt;
    conn->snd_una = seq_add(half->iss, 1);
    conn->snd_nxt = conn->snd_una;
    conn->snd_wnd = (uint32_t)seg->window << conn->snd_shift;
    cold->max_wnd = conn->snd_wnd;
    conn->snd_wl1 = seg->seq;
    conn->snd_wl2 = seg->ack;
    cold->ts_recent = half->ts_recent;
    cold->ts_recent_at = (uint16_t)(now / WISP_SEC(60));
}

struct wisp_tcp_conn *wisp_tcp_half_input(struct wisp_tcp *tcp, struct tcp_half4 *half,
                                          const struct tcp_tuple *tuple,
                                          const struct tcp_segment *seg, wisp_time now)
{
    struct wisp_tcp_listener *listener = &tcp->listener[half->listener];
    if (!completes(tcp, half, tuple, seg)) {
        return NULL;
    }
    struct wisp_tcp_conn *conn =
        listener->waiting < listener->backlog ? wisp_tcp_conn_alloc(tcp) : NULL;
    if (!conn) {
        tcp->count[TCP_RX_BACKLOG_FULL]++;
        return NULL;
    }
    wisp_tcp_conn_start(conn, tuple, now);
    inherit(conn, half, seg, now);
    wisp_tcp_half_remove(tcp, half);
    wisp_tcp_conn_established(conn, now);
    wisp_tcp_cold(conn)->u.listener = listener;
    listener->waiting++;
    tcp->count[TCP_OPENED_PASSIVE]++;
    conn->flags |= TCP_TELL_ACCEPTED;
    wisp_tcp_event_add(conn);
    tcp->last = conn;
    return conn;
}

void wisp_tcp_half_expire(struct wisp_tcp *tcp, struct tcp_half4 *half, wisp_time now)
{
    if (half->retries >= RETRIES_MAX) {
        wisp_tcp_half_remove(tcp, half);
        return;
    }
    half->retries++;
    tcp->count[TCP_RETRANSMITS]++;
    wisp_tcp_timer_half(tcp, half, wisp_time_add(now, WISP_SEC(1) << half->retries));
    due(tcp, half);
}

void wisp_tcp_half_run(struct wisp_tcp *tcp, wisp_time now)
{
    while (tcp->half_due.head != TCP_NONE) {
        struct tcp_half4 *half = &tcp->half[tcp->half_due.head];
        bool gone = half->flags & TCP_HALF_GONE;
        if (!gone && !wisp_tcp_emit_syn_ack(tcp, half, now)) {
            return;
        }
        tcp->half_due.head = half->next;
        half->flags &= (uint8_t)~TCP_HALF_DUE;
        if (gone) {
            release(tcp, half);
        }
    }
}
