/* SPDX-License-Identifier: ISC */
/*
 * A segment's way in: decoded and checked once, then to whom it is for: a connection (segment.c), a handshake
 * (half.c), a TIME-WAIT entry (time_wait.c), a listener, or nobody (RST). The connection of the last segment is
 * tried first, so that a stream of segments costs no hash, then the one that sent last, for which an answer is.
 *
 * Nothing is sent from here: answers are decided in the step, after everything that arrived was seen
 * (MUST-58, MUST-59).
 */
#include "bytes.h"
#include "sum.h"
#include "tcp_priv.h"

#define FEW 128u /* bytes that are summed in line: what a call costs is saved */

/* Makes size bytes lie together, if there are so many. */
static bool gather(struct wisp_tcp *tcp, struct wisp_pkt *pkt, uint32_t size)
{
    return size <= wisp_pkt_linear(pkt) ||
           (size <= pkt->length &&
            wisp_pkt_linearise(pkt, tcp->l3->pages, size, &tcp->count[TCP_COPIED_LINEAR]));
}

/* All but options and the size of the header, which is there. */
static inline void read_fields(const uint8_t *p, const struct wisp_pkt *pkt,
                               struct tcp_segment *seg)
{
    seg->seq = seq_of(wisp_be32_get(p + 4));
    seg->ack = seq_of(wisp_be32_get(p + 8));
    seg->flags = p[13] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG);
    seg->window = wisp_be16_get(p + 14);
    seg->urgent = wisp_be16_get(p + 18);
    seg->length = pkt->length - seg->header;
}

/* Header fields, but for options; false: it is none. */
static bool decode(struct wisp_tcp *tcp, struct wisp_pkt *pkt, struct tcp_segment *seg,
                   struct tcp_tuple *tuple)
{
    if (!gather(tcp, pkt, TCP_HEADER)) {
        return false;
    }
    uint32_t size = (uint32_t)(wisp_pkt_head(pkt)[12] >> 4) * 4;
    if (size < TCP_HEADER || !gather(tcp, pkt, size)) {
        return false;
    }
    const uint8_t *p = wisp_pkt_head(pkt);
    tuple->remote_port = wisp_be16_get(p);
    tuple->local_port = wisp_be16_get(p + 2);
    seg->header = size;
    read_fields(p, pkt, seg);
    return true;
}

static __attribute__((noinline)) bool many_right(const struct wisp_tcp *tcp,
                                                 const struct wisp_pkt *pkt, uint16_t pseudo)
{
    uint16_t length = wisp_sum_word((uint16_t)pkt->length);
    uint16_t sum = wisp_pkt_sum(pkt, 0, pkt->length, tcp->l3->sum);
    return wisp_sum_add(wisp_sum_add(pseudo, length), sum) == 0xffff;
}

/* Before the checksum is known to be right nothing depends on it but where to look. */
static inline bool checksum_right(const struct wisp_tcp *tcp, const struct wisp_pkt *pkt,
                                  uint16_t pseudo)
{
    if (pkt->csum != WISP_CSUM_UNKNOWN) {
        return true;
    }
    if (pkt->length > FEW || wisp_pkt_linear(pkt) < pkt->length) {
        return many_right(tcp, pkt, pseudo);
    }
    uint64_t start = (uint64_t)pseudo + wisp_sum_word((uint16_t)pkt->length);
    return wisp_sum_is_right(wisp_sum_few(start, wisp_pkt_head(pkt), pkt->length));
}

static inline bool is_for(const struct wisp_tcp_conn *conn, const struct tcp_tuple *tuple)
{
    return conn->remote_port == tuple->remote_port && conn->local_port == tuple->local_port &&
           tcp_addr_same(&conn->flow.remote, tuple->remote) &&
           tcp_addr_same(&conn->flow.local, tuple->local);
}

/* The connection of the last segment, or that of the last data sent, if it is for one of them; else null. */
static inline struct wisp_tcp_conn *one_of_last(const struct wisp_tcp *tcp,
                                                const struct tcp_tuple *tuple)
{
    struct wisp_tcp_conn *conn = tcp->last;
    if (conn && is_for(conn, tuple)) {
        return conn;
    }
    conn = tcp->sent;
    return conn && is_for(conn, tuple) ? conn : NULL;
}

static bool is_for4(const struct tcp_tuple *tuple, struct wisp_ip4 local, struct wisp_ip4 remote,
                    uint16_t local_port, uint16_t remote_port)
{
    return tuple->remote_port == remote_port && tuple->local_port == local_port &&
           tuple->local->family == WISP_FAMILY_IP4 &&
           wisp_ip4_equal(tuple->remote->u.ip4, remote) &&
           wisp_ip4_equal(tuple->local->u.ip4, local);
}

/* Among many connections each one is a miss: its lines are asked for together, and so are its working part's. */
static void fetch_conn(const struct wisp_tcp_conn *conn)
{
    for (uint32_t at = 0; at < sizeof(*conn); at += TCP_LINE) {
        __builtin_prefetch((const uint8_t *)conn + at);
    }
}

static void fetch_part(const struct tcp_part *part)
{
    for (uint32_t at = 0; at < TCP_PART_TOUCHED; at += TCP_LINE) {
        __builtin_prefetch((const uint8_t *)part + at, 1);
    }
}

static bool is_at_place(const struct wisp_tcp *tcp, uint32_t index)
{
    return index < tcp->parts.count && tcp->parts.at_place[index];
}

/* What is known only now that the connection is there. */
static void fetch_rest(const struct wisp_tcp *tcp, uint32_t index)
{
    const struct wisp_tcp_conn *conn = &tcp->conn[index];
    if (conn->part && !is_at_place(tcp, index)) {
        fetch_part(conn->part);
    }
    if (conn->flags & TCP_HAS_TS) {
        __builtin_prefetch(&tcp->cold[index].ts_recent, 1);
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
        if (is_at_place(tcp, index)) {
            fetch_part(&tcp->parts.part[index]);
        }
        return is_for(&tcp->conn[index], tuple);
    case TCP_KIND_HALF:
        return is_for4(tuple, half->local, half->remote, half->local_port, half->remote_port);
    case TCP_KIND_WAIT:
        return is_for4(tuple, wait->local, wait->remote, wait->local_port, wait->remote_port);
    default:
        return false;
    }
}

uint64_t wisp_tcp_hash(struct wisp_tcp *tcp, const struct tcp_tuple *tuple)
{
    struct tcp_hashed *last = &tcp->hashed;
    if (last->local_port == tuple->local_port && last->remote_port == tuple->remote_port &&
        tcp_addr_same(&last->remote, tuple->remote) && tcp_addr_same(&last->local, tuple->local)) {
        return last->hash;
    }
    uint64_t hash = wisp_tcp_tuple_hash(tcp->config.hash, tcp->key_table, tuple);
    *last = (struct tcp_hashed){*tuple->local, *tuple->remote, tuple->local_port,
                                tuple->remote_port, hash};
    return hash;
}

uint32_t wisp_tcp_find(struct wisp_tcp *tcp, const struct tcp_tuple *tuple)
{
    uint32_t tag = (uint32_t)wisp_tcp_hash(tcp, tuple);
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

static void conn_input(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt, struct tcp_segment *seg,
                       wisp_time now)
{
    if (!wisp_tcp_expected_input(conn, pkt, seg, now)) {
        wisp_tcp_segment_input(conn, pkt, seg, now);
    }
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
        fetch_rest(tcp, index);
        conn_input(tcp->last, pkt, seg, now);
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

/* Any segment. Not in line, so that the usual ones do not save registers for it. */
static __attribute__((noinline)) void any_input(struct wisp_tcp *tcp, struct wisp_pkt *pkt,
                                                const struct wisp_arrival *arrival, wisp_time now)
{
    struct tcp_tuple tuple = {&arrival->local, &arrival->remote, 0, 0};
    struct tcp_segment seg;
    if (!decode(tcp, pkt, &seg, &tuple)) {
        tcp->count[TCP_RX_BAD_HEADER]++;
        return;
    }
    struct wisp_tcp_conn *known = one_of_last(tcp, &tuple);
    uint16_t pseudo =
        known ? known->pseudo
              : tcp->l3->ops->pseudo_sum(tuple.local, tuple.remote, tcp->transport.protocol, 0);
    if (!checksum_right(tcp, pkt, pseudo)) {
        tcp->count[TCP_RX_BAD_CHECKSUM]++;
        return;
    }
    seg.options = (struct tcp_options){0};
    if (seg.header > TCP_HEADER && !wisp_tcp_options_parse(wisp_pkt_head(pkt) + TCP_HEADER,
                                                           seg.header - TCP_HEADER, &seg.options)) {
        tcp->count[TCP_RX_BAD_OPTION]++;
    }
    if (known) {
        tcp->last = known;
        conn_input(known, pkt, &seg, now);
    } else {
        entry_input(tcp, wisp_tcp_find(tcp, &tuple), pkt, &tuple, &seg, now);
    }
}

/* Where the header in front of pkt ends and what options it has, if it is one of the two usual
 * ones: without any options, or with timestamps only, and no SYN, so that nobody asks for those of a
 * SYN, which stay undefined. 0: another one, or not in one piece. */
static inline uint32_t usual_header(const struct wisp_pkt *pkt, const uint8_t *p,
                                    struct tcp_options *options)
{
    uint32_t linear = wisp_pkt_linear(pkt);
    uint32_t size = (uint32_t)(p[12] >> 4) * 4;
    options->has_ts = false;
    options->has_sack = false;
    if (p[13] & TCP_SYN) {
        return 0;
    }
    if (size == TCP_HEADER) {
        return size;
    }
    if (size > linear || size != TCP_HEADER + TCP_TS_BYTES) {
        return 0;
    }
    return wisp_tcp_options_ts(p + TCP_HEADER, options) ? size : 0;
}

/*
 * What nearly every segment is: one with a usual header, for a connection of the last ones.
 * False, with nothing changed: it has to be looked at more closely.
 */
static bool usual_input(struct wisp_tcp *tcp, struct wisp_pkt *pkt,
                        const struct wisp_arrival *arrival, wisp_time now)
{
    if (wisp_pkt_linear(pkt) < TCP_HEADER) {
        return false;
    }
    const uint8_t *p = wisp_pkt_head(pkt);
    struct tcp_tuple tuple = {&arrival->local, &arrival->remote, wisp_be16_get(p + 2),
                              wisp_be16_get(p)};
    struct tcp_segment seg;
    seg.header = usual_header(pkt, p, &seg.options);
    struct wisp_tcp_conn *conn = seg.header ? one_of_last(tcp, &tuple) : NULL;
    if (!conn || !checksum_right(tcp, pkt, conn->pseudo)) {
        return false;
    }
    tcp->last = conn;
    read_fields(p, pkt, &seg);
    conn_input(conn, pkt, &seg, now);
    return true;
}

void wisp_tcp_arrival_input(struct wisp_tcp *tcp, struct wisp_pkt *pkt,
                            const struct wisp_arrival *arrival, wisp_time now)
{
    tcp->now = now;
    tcp->count[TCP_RX_SEGMENTS]++;
    if (arrival->broadcast) {
        tcp->count[TCP_RX_BROADCAST]++; /* MUST-57 */
    } else if (!usual_input(tcp, pkt, arrival, now)) {
        any_input(tcp, pkt, arrival, now);
    }
    wisp_pkt_drop(pkt);
}
