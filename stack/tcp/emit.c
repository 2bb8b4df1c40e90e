/* SPDX-License-Identifier: ISC */
/*
 * Building segments. Every segment of a connection carries the acknowledgement and the window of the moment, so
 * building one settles what was owed. Headers lie in the packet's cell; a small payload is copied behind them
 * (counted), a larger one goes along by reference.
 */
#include "assert.h"
#include "bytes.h"
#include "sum.h"
#include "tcp_priv.h"

struct wisp_pkt *wisp_tcp_emit_packet(struct wisp_tcp *tcp, bool reserved)
{
    return tcp->l3->ops->alloc(tcp->l3->self, reserved);
}

/* RFC 7323 §5.4: a tick of one millisecond, from a start of its own per four-tuple. */
static uint32_t ts_value(uint32_t offset, wisp_time now)
{
    return tcp_ms(now) + offset;
}

struct header {
    struct tcp_seq seq, ack;
    uint16_t local_port, remote_port;
    uint16_t window, urgent;
    uint8_t flags;
};

/*
 * Writes a header and returns the sum of its words as numbers. Summing the bytes instead would read with wide
 * loads what narrower stores have just written, and wait for these (some 15 ns a segment).
 */
static uint64_t put_header(uint8_t *p, const struct header *h, uint32_t size)
{
    uint32_t ports = (uint32_t)h->local_port << 16 | h->remote_port;
    uint32_t third = size << 26 | (uint32_t)h->flags << 16 | h->window;
    wisp_be32_put(p, ports);
    wisp_be32_put(p + 4, h->seq.v);
    wisp_be32_put(p + 8, h->ack.v);
    wisp_be32_put(p + 12, third);
    wisp_be32_put(p + 16, h->urgent);
    return (uint64_t)ports + h->seq.v + h->ack.v + third + h->urgent;
}

/* Copies options behind a header; returns the sum of their words as numbers. */
static uint64_t put_options(uint8_t *p, const uint8_t *options, uint32_t length)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < length; i += 4) {
        uint32_t word = wisp_be32_get(options + i);
        wisp_be32_put(p + i, word);
        sum += word;
    }
    return sum;
}

/* What is known of a segment's sum: of its header's words as numbers, of its payload as bytes. */
struct sums {
    uint64_t header;
    uint16_t payload;
};

/* The checksum, complete or left to the device, and off it goes. */
static void seal(struct wisp_tcp *tcp, struct wisp_pkt *pkt, const struct wisp_flow *flow,
                 uint16_t pseudo, struct sums sums, wisp_time now)
{
    struct wisp_l3 *l3 = tcp->l3;
    uint8_t *field = wisp_pkt_head(pkt) + 16;
    if (l3->tcp.csum_tx) {
        pkt->csum = WISP_CSUM_BLANK;
        pkt->csum_start = 0;
        pkt->csum_offset = 16;
        wisp_sum_store_blank(field, wisp_sum_add(pseudo, wisp_sum_word((uint16_t)pkt->length)));
    } else {
        uint64_t number =
            sums.header + pkt->length + wisp_sum_word(pseudo) + wisp_sum_word(sums.payload);
        wisp_sum_store(field, wisp_sum_word(wisp_sum_fold(number)));
    }
    tcp->count[TCP_TX_SEGMENTS]++;
    if (l3->ops->send(l3->self, pkt, flow, now) != WISP_OK) {
        tcp->count[TCP_TX_FAILED]++;
    }
}

/* The right edge moves only when that is worth an acknowledgement (MUST-39). */
void wisp_tcp_emit_open(struct wisp_tcp_conn *conn, uint32_t worth)
{
    struct tcp_seq edge = seq_add(conn->rcv_nxt, wisp_tcp_receive_window(conn));
    if (seq_after(edge, conn->rcv_edge) && seq_span(conn->rcv_edge, edge) >= worth) {
        conn->rcv_edge = edge;
    }
}

static uint16_t urgent_field(const struct wisp_tcp_conn *conn, struct tcp_seq seq)
{
    if (!(conn->flags & TCP_URGENT_OUT) || !seq_before(seq, conn->part->snd_up)) {
        return 0;
    }
    uint32_t span = seq_span(seq, conn->part->snd_up);
    return (uint16_t)(span < UINT16_MAX ? span : UINT16_MAX);
}

/* The options of a segment of conn; returns how many bytes. plain: it carries no data, so SACK has room. */
static uint32_t choose_options(const struct wisp_tcp_conn *conn, uint8_t *bytes, bool plain,
                               wisp_time now)
{
    struct tcp_sack sack[TCP_RECENT];
    struct tcp_options_out out = {0};
    if (conn->flags & TCP_HAS_TS) {
        out.ts = true;
        out.tsval = ts_value(wisp_tcp_cold(conn)->ts_offset, now);
        out.tsecr = wisp_tcp_cold(conn)->ts_recent;
    }
    if (plain && (conn->flags & TCP_HAS_SACK) && conn->part && conn->part->reordered) {
        out.sacks = (uint8_t)wisp_tcp_reorder_blocks(conn, sack, out.ts ? 3 : 4);
        out.sack = sack;
    }
    return wisp_tcp_options_emit(bytes, &out);
}

/* Header and options of a segment of conn into pkt; settles the acknowledgement. */
static uint64_t put_segment(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt, struct tcp_seq seq,
                            uint8_t flags, bool plain, wisp_time now)
{
    uint8_t options[TCP_OPTIONS_MAX];
    uint32_t extra = 0;
    if ((conn->flags & TCP_HAS_TS) || (plain && conn->part && conn->part->reordered)) {
        extra = choose_options(conn, options, plain, now);
    }
    struct header h = {seq,
                       (flags & TCP_ACK) ? conn->rcv_nxt : seq_of(0),
                       conn->local_port,
                       conn->remote_port,
                       tcp_window_field(conn),
                       0,
                       flags};
    if (conn->flags & TCP_URGENT_OUT) {
        h.urgent = urgent_field(conn, seq);
        h.flags |= h.urgent ? TCP_URG : 0;
    }
    uint8_t *p = wisp_pkt_extend(pkt, TCP_HEADER + extra);
    uint64_t sum = put_header(p, &h, TCP_HEADER + extra);
    if (extra) {
        sum += put_options(p + TCP_HEADER, options, extra);
    }
    pkt->queue = conn->queue;
    conn->ack_sent = conn->rcv_nxt;
    conn->flags &= ~(uint32_t)(TCP_ACK_NOW | TCP_ACK_LATER | TCP_CHECK_UPDATE);
    return sum;
}

uint32_t wisp_tcp_emit_small_max(const struct wisp_tcp_conn *conn)
{
    return WISP_CELL_BODY - TCP_HEADER - ((conn->flags & TCP_HAS_TS) ? TCP_TS_BYTES : 0);
}

/* The run of bytes at the cursor, at most length; the cursor moves behind it. */
static struct wisp_view next_run(struct tcp_cursor *from, uint32_t length)
{
    const struct wisp_view *view = &chain_at(from->at)->view;
    uint32_t left = view->length - from->offset;
    struct wisp_view run = {view->page, view->offset + from->offset, left < length ? left : length};
    from->offset += run.length;
    if (from->offset == view->length) {
        from->at = chain_after(from->at);
        from->offset = 0;
    }
    return run;
}

static void put_run(struct wisp_pkt *pkt, const struct wisp_view *run)
{
    wisp_page_ref(run->page);
    bool room = wisp_pkt_append(pkt, run->page, run->offset, run->length);
    WISP_ASSERT(room);
    (void)room;
}

/* Puts payload into the packet, copied (always what lies on no page, see send.c, which comes first) or by
 * reference, and sums it if sum is given. */
static uint16_t put_payload(const struct tcp_part *part, struct wisp_pkt *pkt, uint32_t length,
                            struct tcp_cursor *from, bool copy, wisp_sum_fn sum)
{
    uint16_t total = 0;
    bool odd = false;
    while (length > 0) {
        struct wisp_view run = next_run(from, length);
        const uint8_t *bytes = run.page ? wisp_view_bytes(&run) : part->own + run.offset;
        if (copy || !run.page) {
            memcpy(wisp_pkt_extend(pkt, run.length), bytes, run.length);
        } else {
            put_run(pkt, &run);
        }
        if (sum) {
            uint16_t part_sum = sum(bytes, run.length);
            total = wisp_sum_add(total, odd ? wisp_sum_odd(part_sum) : part_sum);
            odd ^= run.length & 1;
        }
        length -= run.length;
    }
    return total;
}

void wisp_tcp_emit_data(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt, struct tcp_seq seq,
                        uint32_t length, struct tcp_cursor *from, uint8_t flags, wisp_time now)
{
    struct wisp_tcp *tcp = conn->tcp;
    bool small = length <= wisp_tcp_emit_small_max(conn);
    struct sums sums;
    sums.header = put_segment(conn, pkt, seq, flags, false, now);
    uint32_t in_front = pkt->length;
    sums.payload = put_payload(conn->part, pkt, length, from, small,
                               tcp->l3->tcp.csum_tx ? NULL : tcp->l3->sum);
    tcp->count[TCP_COPIED_SMALL] += pkt->view[0].length - in_front;
    if (length > conn->mss) {
        pkt->gso = WISP_GSO_TCP4;
        pkt->gso_size = conn->mss;
    }
    tcp_mark_data(conn, pkt, seq, length);
    seal(tcp, pkt, &conn->flow, conn->pseudo, sums, now);
}

bool wisp_tcp_emit_control(struct wisp_tcp_conn *conn, struct tcp_seq seq, uint8_t flags,
                           wisp_time now)
{
    if (flags == TCP_ACK && wisp_tcp_express_ack(conn, seq, now)) {
        return true;
    }
    struct wisp_pkt *pkt = wisp_tcp_emit_packet(conn->tcp, true);
    if (!pkt) {
        return false;
    }
    struct sums sums = {put_segment(conn, pkt, seq, flags, true, now), 0};
    conn->tcp->count[TCP_TX_RST] += (flags & TCP_RST) != 0;
    seal(conn->tcp, pkt, &conn->flow, conn->pseudo, sums, now);
    return true;
}

/* SHLD-6: what the link takes without our fixed headers. */
static uint16_t mss_offer(const struct wisp_tcp *tcp, const struct wisp_addr *remote)
{
    return (uint16_t)(tcp->l3->ops->mtu(tcp->l3->self, remote) - tcp->l3->tcp.overhead -
                      TCP_HEADER);
}

static bool emit_bare(struct wisp_tcp *tcp, const struct wisp_flow *flow, const struct header *h,
                      const struct tcp_options_out *out, wisp_time now)
{
    uint8_t options[TCP_OPTIONS_MAX];
    struct wisp_pkt *pkt = wisp_tcp_emit_packet(tcp, true);
    if (!pkt) {
        return false;
    }
    uint32_t extra = wisp_tcp_options_emit(options, out);
    uint8_t *p = wisp_pkt_extend(pkt, TCP_HEADER + extra);
    struct sums sums = {put_header(p, h, TCP_HEADER + extra), 0};
    sums.header += put_options(p + TCP_HEADER, options, extra);
    uint16_t pseudo = tcp->l3->ops->pseudo_sum(&flow->local, &flow->remote, flow->protocol, 0);
    seal(tcp, pkt, flow, pseudo, sums, now);
    return true;
}

bool wisp_tcp_emit_syn(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct wisp_tcp *tcp = conn->tcp;
    bool answers = conn->state == WISP_TCP_STATE_SYN_RECEIVED;
    struct header h = {conn->snd_una,
                       answers ? conn->rcv_nxt : seq_of(0),
                       conn->local_port,
                       conn->remote_port,
                       tcp->first_window,
                       0,
                       (uint8_t)(TCP_SYN | (answers ? TCP_ACK : 0))};
    struct tcp_options_out out = {
        .mss = mss_offer(tcp, &conn->flow.remote),
        .scale = answers ? conn->flags & TCP_HAS_SCALE : tcp->config.window_scaling,
        .shift = tcp->window_shift,
        .sack_permitted = answers ? conn->flags & TCP_HAS_SACK : tcp->config.sack,
        .ts = answers ? conn->flags & TCP_HAS_TS : tcp->config.timestamps,
        .tsval = ts_value(wisp_tcp_cold(conn)->ts_offset, now),
        .tsecr = answers ? wisp_tcp_cold(conn)->ts_recent : 0};
    if (!emit_bare(tcp, &conn->flow, &h, &out, now)) {
        return false;
    }
    conn->flags &= ~(uint32_t)(TCP_ACK_NOW | TCP_ACK_LATER);
    return true;
}

bool wisp_tcp_emit_syn_ack(struct wisp_tcp *tcp, const struct tcp_half4 *half, wisp_time now)
{
    struct wisp_flow flow = {wisp_addr_ip4(half->local),
                             wisp_addr_ip4(half->remote),
                             tcp->transport.protocol,
                             tcp->config.ttl,
                             half->tos,
                             false};
    struct wisp_addr addrs[2];
    struct tcp_tuple tuple;
    wisp_tcp_half_tuple(half, addrs, &tuple);
    uint64_t hash = wisp_tcp_hash(tcp, &tuple);
    struct header h = {half->iss,         seq_add(half->irs, 1), half->local_port,
                       half->remote_port, tcp->first_window,     0,
                       TCP_SYN | TCP_ACK};
    struct tcp_options_out out = {.mss = mss_offer(tcp, &flow.remote),
                                  .scale = half->flags & TCP_HALF_SCALE,
                                  .shift = tcp->window_shift,
                                  .sack_permitted = half->flags & TCP_HALF_SACK,
                                  .ts = half->flags & TCP_HALF_TS,
                                  .tsval = ts_value((uint32_t)(hash >> 32), now),
                                  .tsecr = half->ts_recent};
    return emit_bare(tcp, &flow, &h, &out, now);
}

bool wisp_tcp_emit_reply(struct wisp_tcp *tcp, const struct tcp_reply *reply, wisp_time now)
{
    struct header h = {reply->seq,    reply->ack, reply->local_port, reply->remote_port,
                       reply->window, 0,          reply->flags};
    struct tcp_options_out out = {
        .ts = reply->has_ts, .tsval = ts_value(reply->ts_offset, now), .tsecr = reply->tsecr};
    if (!emit_bare(tcp, &reply->flow, &h, &out, now)) {
        return false;
    }
    tcp->count[TCP_TX_RST] += (reply->flags & TCP_RST) != 0;
    return true;
}
