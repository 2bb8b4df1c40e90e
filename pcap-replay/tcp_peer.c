/* SPDX-License-Identifier: ISC */
/*
 * The peer of a replayed connection: captured segments with what the stack chose itself translated into them, and, where
 * the run differs from the capture, what any TCP would do:
 *
 *   the stack waits for an ACK that the capture has only later    acknowledged after 10 ms
 *   a segment to the stack was lost                               sent again after 300 ms, doubling (RFC 6298's shape)
 *
 * An acknowledgement never goes back behind one already sent, because the stack would ignore the window in it.
 * Timestamps echoed are the stack's latest (RFC 7323 §4.3); SACK blocks of bytes not yet sent are left out.
 */
#include "tcp_engine.h"
#include <stdlib.h>
#include <string.h>

#define ACK_AFTER    WISP_MS(10)
#define RESEND_FIRST WISP_MS(300)
#define RESEND_MOST  WISP_SEC(5)

enum option {
    OPTION_END,
    OPTION_NOP,
    OPTION_MSS,
    OPTION_SHIFT,
    OPTION_SACK_OK,
    OPTION_SACK,
    OPTION_TS = 8
};

/* ---- hearing ---- */

struct option_walk {
    const uint8_t *bytes;
    uint32_t length, at;
};

/* The next option: its kind, and where it lies; false: no more. */
static bool next_option(struct option_walk *walk, uint8_t *kind, uint32_t *at, uint32_t *length)
{
    while (walk->at < walk->length && walk->bytes[walk->at] == OPTION_NOP) {
        walk->at++;
    }
    if (walk->at + 1 >= walk->length || walk->bytes[walk->at] == OPTION_END) {
        return false;
    }
    *at = walk->at;
    *kind = walk->bytes[walk->at];
    *length = walk->bytes[walk->at + 1];
    if (*length < 2 || *length > walk->length - walk->at) {
        return false;
    }
    walk->at += *length;
    return true;
}

static void hear_options(struct tcp_engine *engine, const struct packet *packet, bool syn)
{
    struct option_walk walk = {packet->bytes + packet->transport + 20, packet->options_length, 0};
    uint8_t kind;
    uint32_t at, length;
    while (next_option(&walk, &kind, &at, &length)) {
        const uint8_t *value = walk.bytes + at + 2;
        if (kind == OPTION_TS && length == 10) {
            engine->dut_tsval = be32(value);
            engine->dut_timestamps |= syn;
        } else if (kind == OPTION_MSS && syn && length == 4) {
            engine->dut_mss = (uint16_t)be16(value);
        } else if (kind == OPTION_SHIFT && syn && length == 3) {
            engine->dut_shift = value[0] < 14 ? value[0] : 14;
        } else if (kind == OPTION_SACK_OK && syn) {
            engine->dut_sack = true;
        }
    }
}

static void keep_segment(struct tcp_engine *engine, const struct packet *packet, uint64_t seq)
{
    if (engine->segment_count == engine->segment_space) {
        uint32_t space = engine->segment_space ? 2 * engine->segment_space : 64;
        void *segments = realloc(engine->segments, space * sizeof(engine->segments[0]));
        if (!segments) {
            return;
        }
        engine->segments = segments;
        engine->segment_space = space;
    }
    struct sent_segment *segment = &engine->segments[engine->segment_count++];
    *segment = (struct sent_segment){
        .seq = seq,
        .ack = packet->flags & TCP_ACK ? stream_offset(engine->in, packet->ack, engine->sent) : 0,
        .length = packet->payload_length,
        .window = packet->window,
        .flags = packet->flags,
        .ttl = packet->ttl,
        .tos = packet->tos,
        .dont_fragment = packet->dont_fragment,
        .options_length = packet->options_length,
    };
    memcpy(segment->options, packet->bytes + packet->transport + 20, packet->options_length);
}

/* Compares the payload with what the captured side sent there. */
static void hear_payload(struct tcp_engine *engine, const struct packet *packet, uint64_t from)
{
    const uint8_t *payload = packet->bytes + packet->payload;
    uint32_t length = packet->payload_length;
    struct stream *out = engine->out;
    for (uint32_t i = 0; i < length && !engine->wrong; i++) {
        if (from + i >= out->length || payload[i] != out->bytes[from + i]) {
            engine->wrong = true;
            session_fail(engine->session, NULL, "byte %llu of what the stack sent is %s",
                         (unsigned long long)(from + i),
                         from + i >= out->length ? "beyond the captured end" : "another one");
        }
    }
    ranges_add(&engine->heard, from, from + length);
    engine->heard_whole = ranges_whole(&engine->heard);
    engine->session->result->bytes_out = engine->heard_whole;
}

static void hear_ack(struct tcp_engine *engine, const struct packet *packet, bool syn)
{
    uint64_t to = stream_offset(engine->in, packet->ack, engine->sent);
    uint64_t most = engine->sent + (engine->sent_fin ? 1 : 0);
    if (to > most) {
        return;
    }
    if (engine->sent_fin && to == engine->sent + 1) {
        engine->dut_fin_acked = true;
        to = engine->sent;
    }
    if (to > engine->dut_ack) {
        engine->dut_ack = to;
        engine->resend_after = RESEND_FIRST;
        engine->resend_due = WISP_NEVER;
    }
    uint64_t edge = to + ((uint64_t)packet->window << (syn ? 0 : engine->dut_shift));
    engine->dut_edge = edge > engine->dut_edge ? edge : engine->dut_edge;
}

void tcp_peer_hear(void *context, const struct packet *packet, wisp_time now)
{
    struct tcp_engine *engine = context;
    bool syn = (packet->flags & TCP_SYN) != 0;
    if (packet->kind != PACKET_TCP || packet->source_port != engine->session->flow->dut_port ||
        packet->destination_port != engine->session->flow->peer_port) {
        return;
    }
    if (syn && !engine->dut_known) {
        engine->dut_known = true;
        engine->dut_first = packet->seq + 1;
    }
    struct stream mine = {.first_seq = engine->dut_first};
    uint64_t from = syn ? 0 : stream_offset(&mine, packet->seq, engine->heard_whole);
    keep_segment(engine, packet, from);
    if (packet->flags & TCP_RST) {
        engine->dut_rst = true;
        return;
    }
    hear_options(engine, packet, syn);
    if (packet->payload_length) {
        hear_payload(engine, packet, from);
    }
    if (packet->flags & TCP_FIN) {
        engine->dut_fin = true;
        engine->dut_fin_at = from + packet->payload_length;
    }
    if (packet->flags & TCP_ACK) {
        hear_ack(engine, packet, syn);
    }
    bool owes =
        engine->heard_whole > engine->acked ||
        (engine->dut_fin && engine->heard_whole == engine->dut_fin_at && !engine->acked_fin) ||
        (packet->payload_length && from < engine->acked);
    if (owes && engine->ack_due == WISP_NEVER) {
        engine->ack_due = now + ACK_AFTER;
    }
}

/* ---- translating ---- */

uint64_t tcp_peer_offset(const struct tcp_engine *engine, const struct flow_frame *frame)
{
    return frame->flags & TCP_SYN ? 0 : stream_offset(engine->in, frame->seq, engine->sent);
}

uint64_t tcp_peer_wants(const struct tcp_engine *engine, const struct flow_frame *frame)
{
    if (!(frame->flags & TCP_ACK) || !engine->out->known) {
        return 0;
    }
    uint64_t to = stream_offset(engine->out, frame->ack, engine->acked);
    return to <= engine->out->length + 1 ? to : 0;
}

/* What the peer may acknowledge: it cannot have had more than the stack sent. */
static uint64_t acknowledge(struct tcp_engine *engine, uint64_t wanted)
{
    bool fin = engine->dut_fin && engine->heard_whole == engine->dut_fin_at;
    uint64_t most = engine->heard_whole + fin;
    uint64_t to = wanted < most ? wanted : most;
    uint64_t before = engine->acked + engine->acked_fin;
    to = to > before ? to : before;
    engine->acked_fin = fin && to == most;
    engine->acked = to - engine->acked_fin;
    if (to == most) {
        engine->ack_due = WISP_NEVER;
    }
    return to;
}

static void blank_option(uint8_t *options, uint32_t at, uint32_t length)
{
    memset(options + at, OPTION_NOP, length);
}

/* Translates the blocks of a SACK option; blocks of what was not sent yet go. */
static void translate_sack(const struct tcp_engine *engine, uint8_t *options, uint32_t at,
                           uint32_t length)
{
    uint32_t kept = at + 2;
    for (uint32_t i = at + 2; i + 8 <= at + length; i += 8) {
        uint64_t from = stream_offset(engine->out, be32(options + i), engine->acked);
        uint64_t to = stream_offset(engine->out, be32(options + i + 4), engine->acked);
        bool sent = false;
        for (uint32_t k = 0; k < engine->heard.count; k++) {
            sent |= from < to && from >= engine->heard.run[k].from && to <= engine->heard.run[k].to;
        }
        if (sent) {
            put_be32(options + kept, engine->dut_first + (uint32_t)from);
            put_be32(options + kept + 4, engine->dut_first + (uint32_t)to);
            kept += 8;
        }
    }
    options[at + 1] = (uint8_t)(kept - at);
    if (kept == at + 2) {
        blank_option(options, at, length);
    } else {
        blank_option(options, kept, at + length - kept);
    }
}

/* True when the captured side that is now the stack agreed to that option in its own SYN. */
static bool captured_agreed(const struct flow *flow, uint8_t wanted)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        struct option_walk walk = {flow->options + frame->options, frame->options_length, 0};
        uint8_t kind;
        uint32_t at, length;
        if (frame->to_dut || !(frame->flags & TCP_SYN)) {
            continue;
        }
        while (next_option(&walk, &kind, &at, &length)) {
            if (kind == wanted) {
                return true;
            }
        }
        return false;
    }
    return false;
}

/*
 * The captured options, with the stack's own numbers in them. A SYN offers only what was agreed on in the capture, so
 * that both runs have the same options; later segments carry no option that this run did not agree on.
 */
static uint32_t translate_options(const struct tcp_engine *engine, const struct flow_frame *frame,
                                  uint8_t *options)
{
    const struct flow *flow = engine->session->flow;
    bool syn = (frame->flags & TCP_SYN) != 0;
    if (frame->options_length == 0) {
        return 0; /* a flow without any has no flow->options */
    }
    memcpy(options, flow->options + frame->options, frame->options_length);
    struct option_walk walk = {options, frame->options_length, 0};
    uint8_t kind;
    uint32_t at, length;
    while (next_option(&walk, &kind, &at, &length)) {
        bool negotiated = kind == OPTION_SHIFT || kind == OPTION_SACK_OK || kind == OPTION_TS;
        if (syn && negotiated && !captured_agreed(flow, kind)) {
            blank_option(options, at, length);
        } else if (kind == OPTION_TS && length == 10) {
            if (!syn && !engine->dut_timestamps) {
                blank_option(options, at, length);
            } else if (frame->flags & TCP_ACK) {
                put_be32(options + at + 6, engine->dut_tsval);
            }
        } else if (kind == OPTION_SACK) {
            translate_sack(engine, options, at, length);
        }
    }
    return frame->options_length;
}

/* ---- sending ---- */

/* Bytes of one segment on the wire towards the stack. */
static uint32_t segment_size(const struct tcp_engine *engine, uint32_t options)
{
    uint32_t mss = engine->dut_mss ? engine->dut_mss : 536;
    uint32_t most = engine->session->options->mtu - 40u;
    mss = mss < most ? mss : most;
    return mss > options + 8 ? mss - options : 8;
}

/* Sends length bytes of the peer's stream from offset on, in the shape of frame. */
static void send_segment(struct tcp_engine *engine, const struct flow_frame *frame, uint64_t offset,
                         uint32_t length, uint8_t flags, uint64_t ack)
{
    struct session *session = engine->session;
    uint8_t *bytes = session->scratch->built;
    const struct flow *flow = session->flow;
    uint8_t *tcp = bytes + BUILD_IP;
    uint32_t options = translate_options(engine, frame, tcp + 20);
    uint32_t seq = engine->in->first_seq + (uint32_t)offset - (flags & TCP_SYN ? 1 : 0);
    put_be16(tcp, flow->peer_port);
    put_be16(tcp + 2, flow->dut_port);
    put_be32(tcp + 4, seq);
    put_be32(tcp + 8, flags & TCP_ACK ? engine->dut_first + (uint32_t)ack : frame->ack);
    tcp[12] = (uint8_t)((20 + options) / 4 << 4);
    tcp[13] = flags;
    put_be16(tcp + 14, frame->window);
    put_be16(tcp + 16, 0);
    put_be16(tcp + 18, frame->urgent);
    for (uint32_t i = 0; i < length; i++) {
        uint64_t at = offset + i;
        tcp[20 + options + i] = at < engine->in->length ? engine->in->bytes[at] : 0;
    }
    uint32_t size = segment_size(engine, options);
    bool cut = length > size && !(flags & TCP_SYN);
    struct build_ip ip = {.protocol = 6,
                          .ttl = frame->ttl,
                          .tos = frame->tos,
                          .id = frame->ip_id,
                          .fragment = frame->dont_fragment ? 0x4000 : 0};
    build_ip(bytes, &session->ends, &ip, 20 + options + length);
    uint32_t whole = BUILD_IP + 20 + options + length;
    build_csum(bytes, whole, cut);
    rig_send(session->rig, bytes, whole, cut, cut ? (uint16_t)size : 0, session->now);
}

static void note_sent(struct tcp_engine *engine, uint64_t end, uint8_t flags)
{
    engine->sent = end > engine->sent ? end : engine->sent;
    engine->sent_fin |= (flags & TCP_FIN) != 0;
    engine->sent_rst |= (flags & TCP_RST) != 0;
    bool outstanding = engine->dut_ack < engine->sent ||
                       (engine->sent_fin && !engine->dut_fin_acked) || !engine->dut_known;
    if (outstanding && engine->resend_due == WISP_NEVER) {
        engine->resend_due = engine->session->now + engine->resend_after;
    }
}

void tcp_peer_send(struct tcp_engine *engine, const struct flow_frame *frame)
{
    uint64_t offset = tcp_peer_offset(engine, frame);
    uint32_t length = frame->length;
    uint64_t near = engine->sent + WISP_PAGE_SIZE;
    uint64_t ack = 0;
    if (frame->flags & TCP_ACK) {
        ack = acknowledge(engine, tcp_peer_wants(engine, frame));
    }
    if (!(frame->flags & TCP_RST)) {
        engine->latest = frame;
    }
    send_segment(engine, frame, offset, length, frame->flags, ack);
    /* A keepalive's byte before the first, or one of a forged segment far away, is no progress. */
    if (offset <= near + (1u << 30) && !(frame->flags & TCP_RST)) {
        uint64_t end = offset + length;
        end = end < engine->in->length ? end : engine->in->length;
        note_sent(engine, end, frame->flags & (engine->in->fin ? 0xff : (uint8_t)~TCP_FIN));
    }
    engine->sent_rst |= (frame->flags & TCP_RST) != 0;
}

/* ---- on its own ---- */

wisp_time tcp_peer_deadline(const struct tcp_engine *engine)
{
    if (!engine->latest || engine->sent_rst || engine->dut_rst) {
        return WISP_NEVER;
    }
    return wisp_time_min(engine->ack_due, engine->resend_due);
}

static void send_again(struct tcp_engine *engine)
{
    const struct flow_frame *first = &engine->session->flow->frames[0];
    engine->resend_after =
        engine->resend_after * 2 < RESEND_MOST ? engine->resend_after * 2 : RESEND_MOST;
    engine->resend_due = engine->session->now + engine->resend_after;
    if (!engine->dut_known) {
        send_segment(engine, first, 0, 0, first->flags, 0);
        return;
    }
    uint64_t left = engine->sent - engine->dut_ack;
    uint32_t size = segment_size(engine, engine->latest->options_length);
    uint32_t length = left < size ? (uint32_t)left : size;
    bool fin = engine->sent_fin && length == left;
    if (engine->latest->flags & TCP_SYN) {
        length = 0; /* the third step of the handshake was lost, or the SYN and ACK */
    }
    send_segment(engine, engine->latest, engine->dut_ack, length,
                 engine->latest->flags & TCP_SYN ? engine->latest->flags
                                                 : (uint8_t)(TCP_ACK | (fin ? TCP_FIN : 0)),
                 acknowledge(engine, UINT64_MAX));
}

void tcp_peer_expire(struct tcp_engine *engine)
{
    wisp_time now = engine->session->now;
    if (engine->ack_due <= now) {
        engine->ack_due = WISP_NEVER;
        if (engine->dut_known && !(engine->latest->flags & TCP_SYN)) {
            send_segment(engine, engine->latest, engine->sent + engine->sent_fin, 0, TCP_ACK,
                         acknowledge(engine, UINT64_MAX));
        }
    }
    if (engine->resend_due <= now) {
        bool outstanding = engine->dut_ack < engine->sent ||
                           (engine->sent_fin && !engine->dut_fin_acked) || !engine->dut_known;
        if (outstanding) {
            send_again(engine);
        } else {
            engine->resend_due = WISP_NEVER;
        }
    }
}
