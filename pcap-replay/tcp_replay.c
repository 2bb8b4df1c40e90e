/* SPDX-License-Identifier: ISC */
/*
 * Replaying a TCP connection: the captured frames are gone through in order, each at its time or, where the stack
 * needs longer, as soon as what it depends on has happened:
 *
 *   a frame of the captured stack's side    tells what our application did (tcp_app.c)
 *   a frame of the peer                     is sent when the stack has sent what it acknowledges and the stack's
 *                                           window has room for its payload; after ten virtual seconds regardless
 *
 * The verdict at `stream`: each application got the bytes that the other wrote, all of them unless the connection was
 * reset, and the stack ended its direction if it was ended in the capture.
 */
#include "tcp_engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE WISP_SEC(10)
#define AT_LAST  WISP_SEC(60)

/* Steps at now until neither stack nor application has anything to do; when there is more. */
static wisp_time settle(struct tcp_engine *engine)
{
    wisp_time next;
    do {
        next = session_step(engine->session);
    } while (tcp_app_step(engine));
    return next;
}

/* Lets the time pass until `until`. patient: the peer's own timers run, too. done: end early when true. */
static bool pass_time(struct tcp_engine *engine, wisp_time until, bool patient,
                      bool (*done)(const struct tcp_engine *, const struct flow_frame *),
                      const struct flow_frame *frame)
{
    struct session *session = engine->session;
    for (;;) {
        wisp_time next = settle(engine);
        if (done && done(engine, frame)) {
            return true;
        }
        if (patient) {
            next = wisp_time_min(next, tcp_peer_deadline(engine));
        }
        if (next > until) {
            session->now = until > session->now ? until : session->now;
            settle(engine);
            return done && done(engine, frame);
        }
        session->now = next > session->now ? next : session->now;
        if (patient && tcp_peer_deadline(engine) <= session->now) {
            tcp_peer_expire(engine);
        }
    }
}

/* The stack has sent what the frame acknowledges, as far as the application has written it by now, and has room. */
static bool may_send(const struct tcp_engine *engine, const struct flow_frame *frame)
{
    uint64_t wants = tcp_peer_wants(engine, frame);
    uint64_t can = engine->may_write + (engine->end_wanted && engine->out->fin);
    uint64_t had =
        engine->heard_whole + (engine->dut_fin && engine->heard_whole == engine->dut_fin_at);
    if (frame->flags & TCP_RST) {
        /* A reset is exactly next (RFC 5961 §3.2) only for who has what the captured side had. */
        return engine->dut_ack >= engine->told;
    }
    if ((frame->flags & TCP_ACK) && !engine->dut_known) {
        return false;
    }
    if (had < (wants < can ? wants : can)) {
        return false;
    }
    uint64_t end = tcp_peer_offset(engine, frame) + frame->length;
    return frame->length <= 1 || end <= engine->dut_edge || end > engine->in->length;
}

static void replay_peer_frame(struct tcp_engine *engine, const struct flow_frame *frame)
{
    struct session *session = engine->session;
    if (!may_send(engine, frame)) {
        pass_time(engine, session->now + PATIENCE, true, may_send, frame);
    }
    if ((frame->flags & TCP_ACK) && !engine->dut_known && !(frame->flags & TCP_RST)) {
        return; /* the stack has not answered the SYN: there is nothing to translate into */
    }
    tcp_peer_send(engine, frame);
}

static void replay_frames(struct tcp_engine *engine)
{
    struct session *session = engine->session;
    const struct flow *flow = session->flow;
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        if (frame->time > session->now) {
            pass_time(engine, frame->time, session->ground->impairment != NULL, NULL, NULL);
        }
        if (frame->to_dut) {
            replay_peer_frame(engine, frame);
        } else {
            tcp_app_follow(engine, frame);
            tcp_app_step(engine);
        }
    }
}

/* ---- judging ---- */

static bool was_reset(const struct tcp_engine *engine)
{
    return engine->session->flow->rst;
}

static uint64_t expected_in(const struct tcp_engine *engine)
{
    return was_reset(engine) ? engine->in->acked : engine->in->length;
}

static uint64_t expected_out(const struct tcp_engine *engine)
{
    return was_reset(engine) ? engine->out->acked : engine->out->length;
}

static bool all_done(const struct tcp_engine *engine, const struct flow_frame *frame)
{
    (void)frame;
    if (engine->dut_rst || (engine->session->result->verdict == PCAPREPLAY_FAIL)) {
        return true;
    }
    bool fin = !engine->out->fin || was_reset(engine) || engine->dut_fin;
    return engine->read >= expected_in(engine) && engine->heard_whole >= expected_out(engine) &&
           fin && engine->ack_due == WISP_NEVER;
}

static void judge_stream(struct tcp_engine *engine)
{
    struct session *session = engine->session;
    if (engine->heard_whole < expected_out(engine)) {
        session_fail(session, NULL, "the stack sent %llu of %llu bytes%s",
                     (unsigned long long)engine->heard_whole,
                     (unsigned long long)engine->out->length,
                     engine->dut_known ? engine->dut_rst && !was_reset(engine) ? ", then reset" : ""
                                       : ": it never answered the SYN");
    }
    if (engine->read < expected_in(engine)) {
        session_fail(session, NULL, "the application received %llu of %llu bytes%s",
                     (unsigned long long)engine->read, (unsigned long long)engine->in->length,
                     engine->dut_rst && !was_reset(engine) ? ", then the stack reset" : "");
    }
    if (engine->out->fin && !was_reset(engine) && !engine->dut_fin) {
        session_fail(session, NULL, "the stack did not send a FIN");
    }
    /* Behind both FINs a reset answers what comes again (RFC 9293 §3.10.7.1): the connection is over. */
    bool over = engine->dut_fin && engine->dut_fin_acked && engine->acked_fin;
    if (engine->dut_rst && !was_reset(engine) && !over) {
        session_fail(session, NULL, "the stack reset a connection that ended in order");
    }
}

/* ---- headers ---- */

static void describe(char *text, size_t size, uint64_t seq, uint64_t ack, uint32_t length,
                     uint8_t flags, uint32_t window)
{
    static const char names[] = "FSRPAUEC";
    char set[9];
    size_t n = 0;
    for (int i = 0; i < 8; i++) {
        if (flags & 1 << i) {
            set[n++] = names[i];
        }
    }
    set[n] = '\0';
    snprintf(text, size, "[%s] seq %llu ack %llu win %u len %u", set, (unsigned long long)seq,
             (unsigned long long)ack, window, length);
}

/* What differs first between a captured frame and a segment sent, as a display filter's field; null: nothing. */
static const char *header_difference(const struct flow_frame *frame, uint64_t seq, uint64_t ack,
                                     const struct sent_segment *segment)
{
    if (frame->flags != segment->flags) {
        return "tcp.flags";
    }
    if (seq != segment->seq) {
        return "tcp.seq";
    }
    if ((frame->flags & TCP_ACK) && ack != segment->ack) {
        return "tcp.ack";
    }
    return frame->length != segment->length ? "tcp.len" : NULL;
}

/* Options alike but for timestamps' values. */
static bool options_alike(const uint8_t *a, const uint8_t *b, uint32_t length)
{
    for (uint32_t i = 0; i < length;) {
        uint32_t size = a[i] <= 1 ? 1 : i + 1 < length && a[i + 1] >= 2 ? a[i + 1] : 1;
        size = size < length - i ? size : length - i;
        bool timestamps = a[i] == 8 && size == 10;
        if (memcmp(a + i, b + i, timestamps ? 2 : size) != 0) {
            return false;
        }
        i += size;
    }
    return true;
}

static const char *bytes_difference(const struct flow *flow, const struct flow_frame *frame,
                                    const struct sent_segment *segment)
{
    if (frame->window != segment->window) {
        return "tcp.window_size_value";
    }
    if (frame->options_length != segment->options_length ||
        !options_alike(flow->options + frame->options, segment->options, segment->options_length)) {
        return "tcp.options";
    }
    if (frame->tos != segment->tos) {
        return "ip.dsfield";
    }
    if (frame->ttl != segment->ttl) {
        return "ip.ttl";
    }
    return frame->dont_fragment != segment->dont_fragment ? "ip.flags.df" : NULL;
}

static void judge_segment(struct tcp_engine *engine, const struct flow_frame *frame,
                          uint32_t number, uint64_t near[2])
{
    struct pcapreplay_flow *result = engine->session->result;
    uint64_t seq = frame->flags & TCP_SYN ? 0 : stream_offset(engine->out, frame->seq, near[1]);
    uint64_t ack = frame->flags & TCP_ACK ? stream_offset(engine->in, frame->ack, near[0]) : 0;
    near[1] = seq > near[1] && seq < near[1] + (1u << 30) ? seq : near[1];
    near[0] = ack > near[0] && ack < near[0] + (1u << 30) ? ack : near[0];
    static const struct sent_segment nothing;
    bool missing = number >= engine->segment_count;
    const struct sent_segment *segment = missing ? &nothing : &engine->segments[number];
    const char *field = missing ? "nothing was sent" : header_difference(frame, seq, ack, segment);
    if (!field && engine->session->options->strict == PCAPREPLAY_BYTES) {
        field = bytes_difference(engine->session->flow, frame, segment);
    }
    if (!field) {
        return;
    }
    session_fail(engine->session, frame, "differs: %s", field);
    describe(result->expected, sizeof(result->expected), seq, ack, frame->length, frame->flags,
             frame->window);
    if (!missing) {
        describe(result->got, sizeof(result->got), segment->seq, segment->ack, segment->length,
                 segment->flags, segment->window);
    }
}

static void judge_headers(struct tcp_engine *engine)
{
    const struct flow *flow = engine->session->flow;
    uint64_t near[2] = {0, 0};
    uint32_t number = 0;
    for (uint32_t i = 0; i < flow->count && engine->session->result->verdict != PCAPREPLAY_FAIL;
         i++) {
        if (!flow->frames[i].to_dut) {
            judge_segment(engine, &flow->frames[i], number++, near);
        }
    }
    if (number < engine->segment_count && engine->session->result->verdict != PCAPREPLAY_FAIL) {
        const struct sent_segment *segment = &engine->segments[number];
        struct pcapreplay_flow *result = engine->session->result;
        session_fail(engine->session, NULL, "the stack sent %u segments more than were captured",
                     engine->segment_count - number);
        describe(result->got, sizeof(result->got), segment->seq, segment->ack, segment->length,
                 segment->flags, segment->window);
    }
}

void tcp_replay(struct session *session, struct stream streams[2])
{
    struct tcp_engine engine = {.session = session,
                                .in = &streams[0],
                                .out = &streams[1],
                                .ack_due = WISP_NEVER,
                                .resend_due = WISP_NEVER,
                                .resend_after = WISP_MS(300)};
    session->out = tcp_peer_hear;
    session->engine = &engine;
    session->result->verdict = PCAPREPLAY_PASS;
    if (!tcp_app_open(&engine)) {
        session_skip(session, "the stack cannot listen on that port");
        return;
    }
    settle(&engine);
    engine.segment_count = 0; /* the announcement of its address is no answer */
    replay_frames(&engine);
    pass_time(&engine, session->now + AT_LAST, true, all_done, NULL);
    judge_stream(&engine);
    if (session->options->strict != PCAPREPLAY_STREAM) {
        judge_headers(&engine);
    }
    tcp_app_close(&engine);
    ranges_free(&engine.heard);
    free(engine.segments);
}

/* ---- a SYN that was refused ---- */

struct refusal {
    struct session *session;
    uint32_t resets;
};

static void hear_reset(void *context, const struct packet *packet, wisp_time now)
{
    struct refusal *refusal = context;
    (void)now;
    refusal->resets += packet->kind == PACKET_TCP && (packet->flags & TCP_RST);
}

/* Nobody listens: each captured SYN that got a RST shall get one again. */
void tcp_refused_replay(struct session *session)
{
    struct refusal refusal = {session, 0};
    struct tcp_engine engine = {.session = session};
    struct stream none = {0};
    engine.in = engine.out = &none;
    session->out = hear_reset;
    session->engine = &refusal;
    session_step(session);
    uint32_t expected = 0;
    for (uint32_t i = 0; i < session->flow->count; i++) {
        const struct flow_frame *frame = &session->flow->frames[i];
        session->now = session_frame_time(session, frame);
        if (!frame->to_dut) {
            expected += (frame->flags & TCP_RST) != 0;
        } else if ((frame->flags & (TCP_SYN | TCP_RST)) == TCP_SYN) {
            none.first_seq = frame->seq + 1;
            engine.sent = 0;
            tcp_peer_send(&engine, frame);
            session_step(session);
        }
    }
    if (refusal.resets < expected) {
        session_fail(session, NULL, "the stack sent %u of %u resets", refusal.resets, expected);
    }
}
