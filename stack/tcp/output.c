/* SPDX-License-Identifier: ISC */
/*
 * What a connection sends in a step (RFC 9293 §3.7.4, §3.8.6): what is lost first, then new data, then FIN; an
 * acknowledgement alone only when none of these carried it. Connections take turns of TURN packets.
 *
 *   may send n bytes = min(unsent, window, congestion window), in whole segments, unless
 *     it is all there is and Minshall's Nagle allows it, or half of the largest window ever seen (MUST-38)
 */
#include "tcp_priv.h"

#define TURN 64u

enum outcome {
    NOTHING, /* nothing (more) to send */
    SENT,
    STARVED, /* no block for its records: an acknowledgement, a completion or the timer brings it back */
    BLOCKED /* no packet in this step, for nobody */
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t window_left(const struct wisp_tcp_conn *conn)
{
    uint32_t used = tcp_in_flight(conn);
    return conn->snd_wnd > used ? conn->snd_wnd - used : 0;
}

static uint32_t congestion_left(const struct wisp_tcp_conn *conn)
{
    const struct tcp_part *part = conn->part;
    uint32_t flight = tcp_in_flight(conn);
    uint32_t gone = part->lost + part->left + ((conn->flags & TCP_FIN_SENT) != 0);
    uint32_t pipe = flight > gone ? flight - gone : 0;
    return conn->cc.cwnd > pipe ? conn->cc.cwnd - pipe : 0;
}

/* Payload of the largest packet the device takes: one segment, or many to be cut below. */
static uint32_t packet_max(const struct wisp_tcp_conn *conn)
{
    const struct wisp_l3_caps *caps = &conn->tcp->l3->tcp;
    uint32_t headers = caps->overhead + TCP_HEADER + TCP_TS_BYTES;
    if (caps->gso < headers + 2u * conn->mss) {
        return conn->mss;
    }
    uint32_t payload = caps->gso - headers;
    return payload - payload % conn->mss;
}

static bool ends_stream(const struct wisp_tcp_conn *conn, struct tcp_seq end)
{
    return (conn->flags & TCP_FIN_SENT) && seq_equal(seq_add(end, 1), conn->snd_nxt);
}

/* A short segment that is the last one sent takes along what was queued since: a window probe above all. */
static uint32_t take_along(struct wisp_tcp_conn *conn, struct tcp_record *record,
                           const struct tcp_cursor *from)
{
    struct tcp_part *part = conn->part;
    bool last = seq_equal(seq_add(record->seq, record->length), conn->snd_nxt);
    if (!last || record->length >= conn->mss) {
        return 0;
    }
    uint32_t more = least(conn->mss - record->length, least(part->unsent, window_left(conn)));
    uint32_t reach = wisp_tcp_send_reach(from, record->length + more, conn->tcp->l3->tcp.views);
    more = reach > record->length ? reach - record->length : 0;
    record->length = (record->length + more) & 0xffffffu;
    conn->snd_nxt = seq_add(conn->snd_nxt, more);
    part->unsent -= more;
    return more;
}

static enum outcome send_record(struct wisp_tcp_conn *conn, struct tcp_record *record,
                                wisp_time now)
{
    struct tcp_cursor from;
    uint8_t flags = TCP_ACK | TCP_PSH;
    uint32_t views = conn->tcp->l3->tcp.views;
    wisp_tcp_send_find(conn, record->seq, &from);
    uint32_t length = record->length;
    uint32_t reach =
        length > wisp_tcp_emit_small_max(conn) ? wisp_tcp_send_reach(&from, length, views) : length;
    reach = least(reach, packet_max(conn));
    if (reach < length) {
        record = wisp_tcp_record_next_lost(conn, reach);
        if (!record || record->length > reach) {
            return STARVED;
        }
        length = record->length;
    }
    struct wisp_pkt *pkt = wisp_tcp_emit_packet(conn->tcp, false);
    if (!pkt) {
        return BLOCKED;
    }
    wisp_tcp_record_clear_lost(conn, record);
    uint32_t more = take_along(conn, record, &from);
    if (ends_stream(conn, seq_add(record->seq, length))) {
        flags |= TCP_FIN;
        conn->flags &= ~(uint32_t)TCP_FIN_LOST;
    }
    record->flags |= TCP_RECORD_AGAIN | TCP_RECORD_HELD;
    record->sent_at = now;
    wisp_tcp_cold(conn)->again_bytes += length;
    conn->tcp->count[TCP_RETRANSMITS]++;
    wisp_tcp_emit_data(conn, pkt, record->seq, length + more, &from, flags, now);
    if (more) {
        conn->part->next = from;
    }
    wisp_tcp_timer_data(conn, now);
    return SENT;
}

static enum outcome send_lost(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_part *part = conn->part;
    if (!part || part->lost == 0) {
        return NOTHING;
    }
    uint32_t most = least(packet_max(conn), congestion_left(conn));
    most -= most > conn->mss ? most % conn->mss : 0;
    if (part->urge && most < conn->mss) {
        most = conn->mss;
    }
    if (most < least(conn->mss, part->lost)) {
        return NOTHING;
    }
    struct tcp_record *record = wisp_tcp_record_next_lost(conn, most);
    if (!record) {
        return NOTHING;
    }
    part->urge = false;
    return send_record(conn, record, now);
}

/* The window is shut, or too small to be used: one byte of what comes next, or of what was not taken (MUST-36). */
static enum outcome send_probe(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_part *part = conn->part;
    if (!(conn->flags & TCP_PROBE_DUE) || !part || tcp_in_flight(conn) == 0) {
        return NOTHING; /* nothing in flight: send_new sees to it */
    }
    conn->flags &= ~(uint32_t)TCP_PROBE_DUE;
    wisp_tcp_record_lose_first(conn, 1);
    struct tcp_record *record = wisp_tcp_record_next_lost(conn, 1);
    return record ? send_record(conn, record, now) : NOTHING;
}

/* Minshall's variant of Nagle: a small segment waits only for another small one. */
static bool small_allowed(const struct wisp_tcp_conn *conn)
{
    const struct tcp_part *part = conn->part;
    return (conn->flags & (TCP_NODELAY | TCP_FIN_WANTED)) || !part->small_sent ||
           !seq_after(part->small_end, conn->snd_una);
}

/* Bytes of new data to put into the next packet, 0: wait. */
static uint32_t new_length(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    uint32_t unsent = part->unsent;
    uint32_t window = window_left(conn);
    if (unsent < conn->mss && unsent <= window && unsent <= congestion_left(conn) &&
        small_allowed(conn)) {
        return unsent; /* most often; the rest would say the same */
    }
    uint32_t n = least(unsent, window);
    n = least(n, congestion_left(conn));
    n = least(n, packet_max(conn));
    if (n >= conn->mss) {
        uint32_t tail = n % conn->mss;
        return tail && (n < unsent || !small_allowed(conn)) ? n - tail : n;
    }
    if (conn->flags & TCP_PROBE_DUE) {
        n = least(unsent, window);
        n = least(n, conn->mss);
        return n ? n : 1;
    }
    if (n > 0 && ((n == unsent && small_allowed(conn)) ||
                  (n == window && n >= wisp_tcp_cold(conn)->max_wnd / 2))) {
        return n;
    }
    return 0;
}

/* Cuts n to what a packet's views can carry, whole segments if more than one. */
static uint32_t within_views(const struct wisp_tcp_conn *conn, uint32_t n)
{
    if (n <= wisp_tcp_emit_small_max(conn)) {
        return n;
    }
    uint32_t reach = wisp_tcp_send_reach(&conn->part->next, n, conn->tcp->l3->tcp.views);
    return reach < n && reach > conn->mss ? reach - reach % conn->mss : reach;
}

/* With all data sent, the FIN is next. */
static bool fin_waits(const struct wisp_tcp_conn *conn)
{
    uint32_t flags = conn->flags & (TCP_FIN_WANTED | TCP_FIN_SENT);
    return flags == TCP_FIN_WANTED && conn->state != WISP_TCP_STATE_SYN_SENT &&
           conn->state != WISP_TCP_STATE_SYN_RECEIVED;
}

static bool fin_follows(const struct wisp_tcp_conn *conn)
{
    return fin_waits(conn) && (!conn->part || conn->part->unsent == 0);
}

static void fin_sent(struct wisp_tcp_conn *conn)
{
    conn->flags |= TCP_FIN_SENT;
    conn->snd_nxt = seq_add(conn->snd_nxt, 1);
    conn->state = wisp_tcp_state_after(conn->state, TCP_SEND_FIN);
}

/* The next n bytes, and with fin the FIN behind them, are being sent. */
static void take_new(struct wisp_tcp_conn *conn, uint32_t n, bool fin)
{
    struct tcp_part *part = conn->part;
    conn->flags &= ~(uint32_t)TCP_PROBE_DUE;
    conn->snd_nxt = seq_add(conn->snd_nxt, n);
    part->unsent -= n;
    if (n != conn->mss && (n < conn->mss || n % conn->mss)) {
        part->small_end = conn->snd_nxt;
        part->small_sent = true;
    }
    if (fin) {
        fin_sent(conn);
    }
}

static enum outcome send_new(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_part *part = conn->part;
    struct wisp_pkt *pkt = NULL;
    uint32_t n = part && part->unsent ? new_length(conn) : 0;
    if (n == 0) {
        return NOTHING;
    }
    n = within_views(conn, n);
    struct tcp_seq seq = conn->snd_nxt;
    bool all = n == part->unsent;
    bool fin = all && fin_waits(conn);
    uint8_t flags = (uint8_t)(TCP_ACK | (all ? TCP_PSH : 0) | (fin ? TCP_FIN : 0));
    if (!wisp_tcp_record_push(conn, seq, n, now)) {
        return STARVED;
    }
    if (!wisp_tcp_express_data(conn, seq, n, &part->next, flags, now)) {
        pkt = wisp_tcp_emit_packet(conn->tcp, false);
        if (!pkt) {
            wisp_tcp_chain_pop_back(&part->records, &conn->tcp->blocks);
            return BLOCKED;
        }
    }
    take_new(conn, n, fin);
    if (pkt) {
        wisp_tcp_emit_data(conn, pkt, seq, n, &part->next, flags, now);
    }
    wisp_tcp_timer_data(conn, now);
    return SENT;
}

static enum outcome send_fin(struct wisp_tcp_conn *conn, wisp_time now)
{
    bool again = conn->flags & TCP_FIN_LOST;
    bool lost_data = conn->part && conn->part->lost;
    if (!fin_follows(conn) && (!again || lost_data)) {
        return NOTHING;
    }
    struct tcp_seq seq = again ? seq_sub(conn->snd_nxt, 1) : conn->snd_nxt;
    if (!wisp_tcp_emit_control(conn, seq, TCP_FIN | TCP_ACK, now)) {
        return BLOCKED;
    }
    if (again) {
        conn->flags &= ~(uint32_t)TCP_FIN_LOST;
        conn->tcp->count[TCP_RETRANSMITS]++;
    } else {
        fin_sent(conn);
    }
    wisp_tcp_timer_data(conn, now);
    return SENT;
}

static bool update_due(struct wisp_tcp_conn *conn)
{
    if (!(conn->flags & TCP_CHECK_UPDATE) || (conn->flags & TCP_FIN_ARRIVED)) {
        return false;
    }
    conn->flags &= ~(uint32_t)TCP_CHECK_UPDATE;
    return wisp_tcp_receive_opened(conn);
}

static enum outcome send_ack(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_seq seq = conn->snd_nxt;
    if (conn->flags & TCP_KEEP_DUE) {
        seq = seq_sub(seq, 1); /* below the peer's window: it must answer (SHLD-12: no data) */
    } else if (!(conn->flags & TCP_ACK_NOW) && !update_due(conn)) {
        return NOTHING;
    }
    if (!wisp_tcp_emit_control(conn, seq, TCP_ACK, now)) {
        conn->flags |= TCP_ACK_NOW;
        return BLOCKED;
    }
    conn->flags &= ~(uint32_t)TCP_KEEP_DUE;
    return SENT;
}

static enum outcome send_syn(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (!(conn->flags & TCP_SYN_DUE)) {
        return NOTHING;
    }
    if (!wisp_tcp_emit_syn(conn, now)) {
        return BLOCKED;
    }
    conn->flags &= ~(uint32_t)TCP_SYN_DUE;
    return SENT;
}

static enum outcome send_rst(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (!wisp_tcp_emit_control(conn, conn->snd_nxt, TCP_RST, now)) {
        return BLOCKED;
    }
    conn->flags &= ~(uint32_t)TCP_RST_DUE;
    return NOTHING;
}

/* Data waits for the window alone: the persist timer sees to it. */
static void arm_persist(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (conn->part && conn->part->unsent && tcp_in_flight(conn) == 0) {
        wisp_tcp_timer_data(conn, now);
    }
}

static bool is_idle(const struct wisp_tcp_conn *conn)
{
    return !(conn->flags & (TCP_PROBE_DUE | TCP_FIN_WANTED)) &&
           (!conn->part || (!conn->part->unsent && !conn->part->lost));
}

/* The next packet with data or FIN, if one may leave. */
static enum outcome send_next(struct wisp_tcp_conn *conn, wisp_time now)
{
    enum outcome outcome = NOTHING;
    if ((conn->flags & TCP_PROBE_DUE) || !conn->part || conn->part->lost) {
        outcome = send_probe(conn, now);
        outcome = outcome == NOTHING ? send_lost(conn, now) : outcome;
    }
    outcome = outcome == NOTHING ? send_new(conn, now) : outcome;
    return outcome == NOTHING ? send_fin(conn, now) : outcome;
}

static enum outcome send_stream(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (conn->generation != (uint8_t)conn->tcp->l3->tcp.generation) {
        wisp_tcp_conn_set_mss(conn);
    }
    for (uint32_t sent = 0; sent < TURN; sent++) {
        enum outcome outcome = is_idle(conn) ? NOTHING : send_next(conn, now);
        if (outcome == BLOCKED) {
            return BLOCKED;
        }
        if (outcome != SENT) {
            arm_persist(conn, now);
            return send_ack(conn, now) == BLOCKED ? BLOCKED : NOTHING;
        }
    }
    return SENT;
}

static enum outcome send_some(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (conn->flags & TCP_RST_DUE) {
        return send_rst(conn, now);
    }
    switch (conn->state) {
    case WISP_TCP_STATE_CLOSED:
        return NOTHING;
    case WISP_TCP_STATE_SYN_SENT:
        return send_syn(conn, now);
    case WISP_TCP_STATE_SYN_RECEIVED:
        return send_syn(conn, now) == BLOCKED || send_ack(conn, now) == BLOCKED ? BLOCKED : NOTHING;
    case WISP_TCP_STATE_TIME_WAIT:
        return send_ack(conn, now) == BLOCKED ? BLOCKED : NOTHING;
    default:
        return send_stream(conn, now);
    }
}

static struct wisp_tcp_conn *take_first(struct wisp_tcp *tcp)
{
    struct wisp_tcp_conn *conn = &tcp->conn[tcp->output.head];
    tcp->output.head = conn->output_next;
    conn->flags &= ~(uint32_t)TCP_ON_OUTPUT;
    return conn;
}

static void put_first(struct wisp_tcp *tcp, struct wisp_tcp_conn *conn)
{
    if (tcp->output.head == TCP_NONE) {
        wisp_tcp_output_add(conn);
        return;
    }
    if (conn->flags & TCP_ON_OUTPUT) {
        return; /* it went to the end meanwhile */
    }
    conn->flags |= TCP_ON_OUTPUT;
    conn->output_next = tcp->output.head;
    tcp->output.head = tcp_conn_index(conn);
}

void wisp_tcp_output_run(struct wisp_tcp *tcp, wisp_time now)
{
    while (tcp->output.head != TCP_NONE) {
        struct wisp_tcp_conn *conn = take_first(tcp);
        if (wisp_tcp_express_all(conn, now)) {
            continue;
        }
        enum outcome outcome = send_some(conn, now);
        if (outcome == BLOCKED) {
            put_first(tcp, conn);
            return;
        }
        if (outcome == SENT) {
            wisp_tcp_output_add(conn);
        }
        wisp_tcp_conn_settle(conn);
    }
}
