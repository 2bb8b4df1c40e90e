/* SPDX-License-Identifier: ISC */
/*
 * A segment's way in: decoded and checked once, then to whom it is for: a connection (segment.c), a handshake
 * (half.c), a TIME-WAIT entry (time_wait.c), a listener, or nobody (RST). The connection of the last segment is
 * tried first, so that a stream of segments costs no hash.
 *
 * Nothing is sent from here: answers are decided in the step, after everything that arrived was seen
 * (MUST-58, MUST-59).
 */
#include "tcp_priv.h"
#include "bytes.h"
#include "sum.h"

/* Header fields and options; false: what is wrong with it is counted. */
static bool decode(struct wisp_tcp *tcp, struct wisp_pkt *pkt, struct tcp_segment *seg,
                   struct tcp_tuple *tuple)
{
    uint64_t *copied = &tcp->count[TCP_COPIED_LINEAR];
    if (pkt->length < TCP_HEADER ||
        (wisp_pkt_linear(pkt) < TCP_HEADER &&
         !wisp_pkt_linearise(pkt, tcp->l3->pages, TCP_HEADER, copied))) {
        return false;
    }
    uint32_t size = (uint32_t)(wisp_pkt_head(pkt)[12] >> 4) * 4;
    if (size < TCP_HEADER || size > pkt->length ||
        (wisp_pkt_linear(pkt) < size && !wisp_pkt_linearise(pkt, tcp->l3->pages, size, copied))) {
        return false;
    }
    const uint8_t *p = wisp_pkt_head(pkt);
    tuple->remote_port = wisp_be16_get(p);
    tuple->local_port = wisp_be16_get(p + 2);
    seg->seq = seq_of(wisp_be32_get(p + 4));
    seg->ack = seq_of(wisp_be32_get(p + 8));
    seg->flags = p[13] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG);
    seg->window = wisp_be16_get(p + 14);
    seg->urgent = wisp_be16_get(p + 18);
    seg->header = size;
    seg->length = pkt->length - size;
    return true;
}

/* Before the checksum is known to be right nothing depends on it but where to look. */
static bool checksum_right(const struct wisp_tcp *tcp, const struct wisp_pkt *pkt, uint16_t pseudo)
{
    if (pkt->csum != WISP_CSUM_UNKNOWN) {
        return true;
    }
    uint16_t length = wisp_sum_word((uint16_t)pkt->length);
    uint16_t sum = wisp_pkt_sum(pkt, 0, pkt->length, tcp->l3->sum);
    return wisp_sum_add(wisp_sum_add(pseudo, length), sum) == 0xffff;
}

static bool is_for(const struct wisp_tcp_conn *conn, const struct tcp_tuple *tuple)
{
    return conn->remote_port == tuple->remote_port && conn->local_port == tuple->local_port &&
           tcp_addr_same(&conn->flow.remote, tuple->remote) &&
           tcp_addr_same(&conn->flow.local, tuple->local);
}

static bool is_for4(const struct tcp_tuple *tuple, struct wisp_ip4 local, struct wisp_ip4 remote,
                    uint16_t local_port, uint16_t remote_port)
{
    return tuple->remote_port == remote_port && tuple->local_port == local_port &&
           tuple->local->family == WISP_FAMILY_IP4 &&
           wisp_ip4_equal(tuple->remote->u.ip4, remote) && wisp_ip4_equal(tuple->local->u.ip4, local);
}

/* Among many connections each one is a miss: its lines are asked for together, and so are its working part's. */
static void fetch_conn(const struct wisp_tcp_conn *conn)
{
    for (uint32_t at = 64; at < sizeof(*conn); at += 64) {
        __builtin_prefetch((const uint8_t *)conn + at);
    }
}

static void fetch_part(const struct wisp_tcp_conn *conn)
{
    for (uint32_t at = 0; conn->part && at < sizeof(*conn->part); at += 64) {
        __builtin_prefetch((const uint8_t *)conn->part + at, 1);
    }
}

static bool entry_is_for(const struct wisp_tcp *tcp, uint32_t entry, const struct tcp_tuple *tuple)
{
    uint32_t index = tcp_entry_index(entry);
    const struct tcp_half4 *half = &tcp->half[index];
    const struct tcp_time_wait4 *wait = &tcp->time_wait[index];
    switch (tcp_entry_kind(entry)) {
    case TCP_KIND_CONN:
        fetch_conn(&tcp->conn[index]);
        return is_for(&tcp->conn[index], tuple);
    case TCP_KIND_HALF:
        return is_for4(tuple, half->local, half->remote, half->local_port, half->remote_port);
    case TCP_KIND_WAIT:
        return is_for4(tuple, wait->local, wait->remote, wait->local_port, wait->remote_port);
    default:
        return false;
    }
}

uint32_t wisp_tcp_find(const struct wisp_tcp *tcp, const struct tcp_tuple *tuple)
{
    uint32_t tag = (uint32_t)wisp_tcp_tuple_hash(tcp->config.hash, tcp->key_table, tuple);
    uint32_t at = tag;
    struct tcp_slot *slot;
    while ((slot = wisp_tcp_table_probe(&tcp->table, tag, &at)) != NULL) {
        if (entry_is_for(tcp, slot->entry, tuple)) {
            return slot->entry;
        }
    }
    return 0;
}

/* Nobody knows the four-tuple (RFC 9293 §3.10.7.1, §3.10.7.2). */
static void unknown_input(struct wisp_tcp *tcp, const struct tcp_tuple *tuple,
                          const struct tcp_segment *seg, struct tcp_seq iss, wisp_time now)
{
    struct wisp_tcp_listener *listener =
        wisp_tcp_listener_find(tcp, tuple->local, tuple->local_port);
    if (listener && !(seg->flags & (TCP_RST | TCP_ACK))) {
        if ((seg->flags & (TCP_SYN | TCP_FIN)) == TCP_SYN) {
            wisp_tcp_half_syn(tcp, listener, tuple, seg, iss, now);
        } else {
            tcp->count[TCP_RX_BAD_FLAGS]++;
        }
        return;
    }
    tcp->count[TCP_RX_NO_CONNECTION]++;
    wisp_tcp_reply_rst(tcp, tuple, seg);
}

static void entry_input(struct wisp_tcp *tcp, uint32_t entry, struct wisp_pkt *pkt,
                        const struct tcp_tuple *tuple, struct tcp_segment *seg, wisp_time now)
{
    struct tcp_seq iss;
    struct wisp_tcp_conn *conn;
    uint32_t index = tcp_entry_index(entry);
    switch (tcp_entry_kind(entry)) {
    case TCP_KIND_CONN:
        tcp->last = &tcp->conn[index];
        fetch_part(tcp->last);
        wisp_tcp_segment_input(tcp->last, pkt, seg, now);
        break;
    case TCP_KIND_HALF:
        conn = wisp_tcp_half_input(tcp, &tcp->half[index], tuple, seg, now);
        if (conn) {
            wisp_tcp_segment_input(conn, pkt, seg, now);
        }
        break;
    case TCP_KIND_WAIT:
        if (wisp_tcp_time_wait_input(tcp, &tcp->time_wait[index], tuple, seg, &iss, now)) {
            unknown_input(tcp, tuple, seg, iss, now);
        }
        break;
    default:
        unknown_input(tcp, tuple, seg, wisp_tcp_isn(tcp, tuple, now), now);
        break;
    }
}

static void checked_input(struct wisp_tcp *tcp, struct wisp_pkt *pkt,
                          const struct wisp_arrival *arrival, wisp_time now)
{
    struct tcp_tuple tuple = {&arrival->local, &arrival->remote, 0, 0};
    struct tcp_segment seg;
    if (!decode(tcp, pkt, &seg, &tuple)) {
        tcp->count[TCP_RX_BAD_HEADER]++;
        return;
    }
    struct wisp_tcp_conn *last = tcp->last;
    bool known = last && is_for(last, &tuple);
    uint16_t pseudo = known ? last->pseudo
                            : tcp->l3->ops->pseudo_sum(tuple.local, tuple.remote,
                                                       tcp->transport.protocol, 0);
    if (!checksum_right(tcp, pkt, pseudo)) {
        tcp->count[TCP_RX_BAD_CHECKSUM]++;
        return;
    }
    const uint8_t *options = wisp_pkt_head(pkt) + TCP_HEADER;
    if (!wisp_tcp_options_parse(options, seg.header - TCP_HEADER, &seg.options)) {
        tcp->count[TCP_RX_BAD_OPTION]++;
    }
    if (known) {
        wisp_tcp_segment_input(last, pkt, &seg, now);
    } else {
        entry_input(tcp, wisp_tcp_find(tcp, &tuple), pkt, &tuple, &seg, now);
    }
}

void wisp_tcp_arrival_input(struct wisp_tcp *tcp, struct wisp_pkt *pkt,
                            const struct wisp_arrival *arrival, wisp_time now)
{
    tcp->now = now;
    tcp->count[TCP_RX_SEGMENTS]++;
    if (arrival->broadcast) {
        tcp->count[TCP_RX_BROADCAST]++; /* MUST-57 */
    } else {
        checked_input(tcp, pkt, arrival, now);
    }
    wisp_pkt_drop(pkt);
}
