/* SPDX-License-Identifier: ISC */
/*
 * The express way of a small segment: header, timestamp, few payload bytes that lie together. The
 * network layer gives a packet that has all lower headers on and is on its way (l3.h), and what is
 * left is written in one go, each word once, summed while it is in a register. What has more to say
 * (urgent data, SACK, a segment by reference, a next hop to be asked for) goes through emit.c,
 * which writes the same bytes.
 */
#include "assert.h"
#include "bytes.h"
#include "sum.h"
#include "tcp_priv.h"

/* Copies a few bytes; returns the sum of their words as they lie in memory. */
static uint64_t put_bytes(uint8_t *p, const uint8_t *from, uint32_t length)
{
    uint64_t sum = 0;
    uint32_t word = 0;
    for (; length >= 4; length -= 4) {
        memcpy(&word, from, 4);
        memcpy(p, &word, 4);
        sum += word;
        p += 4;
        from += 4;
    }
    if (length & 2) {
        uint16_t half;
        memcpy(&half, from, 2);
        memcpy(p, &half, 2);
        sum += half;
        p += 2;
        from += 2;
    }
    if (length & 1) {
        *p = *from;
        sum += wisp_sum_word((uint16_t)(*from << 8));
    }
    return sum;
}

/* Stores a number's bytes in wire order; returns them as they lie in memory. */
static uint32_t put_word(uint8_t *p, uint32_t number)
{
    uint32_t wire = WISP_LITTLE_ENDIAN ? __builtin_bswap32(number) : number;
    memcpy(p, &wire, sizeof(wire));
    return wire;
}

static uint64_t put_timestamp(const struct wisp_tcp_conn *conn, uint8_t *p, wisp_time now)
{
    const struct tcp_cold *cold = wisp_tcp_cold(conn);
    uint32_t offset = cold->ts_offset, recent = cold->ts_recent;
    uint64_t sum = put_word(p, TCP_TS_WORD);
    sum += put_word(p + 4, tcp_ms(now) + offset);
    return sum + put_word(p + 8, recent);
}

/* The segment, on its way; null, and nothing changed: the way is closed. */
static inline struct wisp_pkt *put_segment(struct wisp_tcp_conn *conn, struct tcp_seq seq,
                                           uint8_t flags, const uint8_t *payload, uint32_t length,
                                           wisp_time now)
{
    struct wisp_tcp *tcp = conn->tcp;
    struct wisp_l3 *l3 = tcp->l3;
    uint32_t header = TCP_HEADER + (conn->flags / TCP_HAS_TS & 1) * TCP_TS_BYTES;
    uint32_t whole = header + length;
    struct wisp_pkt *pkt =
        l3->ops->express(l3->self, &conn->flow, conn->pseudo, whole, length == 0, now);
    if (!pkt) {
        return NULL;
    }
    uint8_t *p = wisp_pkt_transport(pkt);
    uint64_t sum = (uint64_t)conn->pseudo + wisp_sum_word((uint16_t)whole);
    uint64_t words = put_word(p, (uint32_t)conn->local_port << 16 | conn->remote_port);
    words += put_word(p + 4, seq.v);
    words += put_word(p + 8, conn->rcv_nxt.v);
    words += put_word(p + 12, header << 26 | (uint32_t)flags << 16 | tcp_window_field(conn));
    if (header > TCP_HEADER) {
        words += put_timestamp(conn, p + TCP_HEADER, now);
    }
    words += put_bytes(p + header, payload, length);
    if (l3->tcp.csum_tx) {
        pkt->csum = WISP_CSUM_BLANK;
        pkt->csum_offset = 16;
        words = 0;
    }
    uint32_t last = wisp_sum_fold(sum + words);
    last = l3->tcp.csum_tx ? last : last ^ 0xffffu;
    last = WISP_LITTLE_ENDIAN ? last : last << 16;
    memcpy(p + 16, &last, sizeof(last)); /* the checksum, and no urgent pointer */
    pkt->queue = conn->queue;
    conn->ack_sent = conn->rcv_nxt;
    conn->flags &= ~(uint32_t)(TCP_ACK_NOW | TCP_ACK_LATER | TCP_CHECK_UPDATE);
    tcp->count[TCP_TX_SEGMENTS]++;
    return pkt;
}

/* The same with data, of which the device and the connection's records are told. */
static inline bool put_data(struct wisp_tcp_conn *conn, struct tcp_seq seq, uint8_t flags,
                            const uint8_t *payload, uint32_t length, wisp_time now)
{
    struct wisp_tcp *tcp = conn->tcp;
    struct wisp_pkt *pkt = put_segment(conn, seq, flags, payload, length, now);
    if (!pkt) {
        return false;
    }
    tcp_mark_data(conn, pkt, seq, length);
    tcp->count[TCP_COPIED_SMALL] += length;
    return true;
}

static const uint8_t *bytes_of(const struct tcp_part *part, const struct wisp_view *view)
{
    return (view->page ? view->page->data : part->own) + view->offset;
}

bool wisp_tcp_express_ack(struct wisp_tcp_conn *conn, struct tcp_seq seq, wisp_time now)
{
    return !(conn->flags & TCP_URGENT_OUT) && !(conn->part && conn->part->reordered) &&
           put_segment(conn, seq, TCP_ACK, NULL, 0, now);
}

bool wisp_tcp_express_data(struct wisp_tcp_conn *conn, struct tcp_seq seq, uint32_t length,
                           struct tcp_cursor *from, uint8_t flags, wisp_time now)
{
    const struct wisp_view *view = &chain_at(from->at)->view;
    if (length > TCP_EXPRESS_MAX || (conn->flags & TCP_URGENT_OUT) ||
        view->length - from->offset < length ||
        !put_data(conn, seq, flags, bytes_of(conn->part, view) + from->offset, length, now)) {
        return false;
    }
    from->offset += length;
    if (from->offset == view->length) {
        from->at = chain_after(from->at);
        from->offset = 0;
    }
    return true;
}

bool wisp_tcp_express_all(struct wisp_tcp_conn *conn, wisp_time now)
{
    const uint32_t other = TCP_RST_DUE | TCP_PROBE_DUE | TCP_FIN_WANTED | TCP_FIN_SENT |
                           TCP_FIN_LOST | TCP_URGENT_OUT | TCP_KEEP_DUE | TCP_RELEASED;
    struct tcp_part *part = conn->part;
    if (conn->state != WISP_TCP_STATE_ESTABLISHED || (conn->flags & other) || !part ||
        part->send.count != 1 || part->records.count != 0 || tcp_in_flight(conn) != 0 ||
        conn->generation != (uint8_t)conn->tcp->l3->tcp.generation) {
        return false;
    }
    struct tcp_seq seq = conn->snd_nxt;
    const struct wisp_view *view = &chain_front(&part->send)->view;
    uint32_t n = view->length;
    if (n > TCP_EXPRESS_MAX || n >= conn->mss || n > conn->snd_wnd || n > conn->cc.cwnd ||
        !put_data(conn, seq, TCP_ACK | TCP_PSH, bytes_of(part, view), n, now)) {
        return false;
    }
    chain_push_single(&part->records)->record =
        (struct tcp_record){seq, n & 0xffffffu, TCP_RECORD_HELD, now};
    conn->snd_nxt = part->small_end = seq_add(seq, n);
    part->small_sent = true;
    part->unsent = 0;
    wisp_tcp_timer_data(conn, now);
    return true;
}
