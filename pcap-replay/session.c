/* SPDX-License-Identifier: ISC */
/*
 * Sessions (see session.h): which flows can be replayed, the rig for each, and the link's small talk. The stack has
 * the captured addresses, but for those that no host on a network can have (127.0.0.1 talking to itself): these
 * become two of their own.
 */
#include "dhcp_exchange.h"
#include "frame.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SUBSTITUTE_DUT  0x0ac80002u /* 10.200.0.2 */
#define SUBSTITUTE_PEER 0x0ac80001u

static void choose_ends(struct session *session)
{
    const struct flow *flow = session->flow;
    struct build_ends *ends = &session->ends;
    ends->from = flow->peer;
    ends->to = flow->dut;
    bool probe = flow->kind == PACKET_ARP && flow->peer == 0; /* from nobody yet (RFC 5227) */
    if ((!wisp_ip4_is_host(wisp_ip4_from_value(flow->peer)) && !probe) ||
        !wisp_ip4_is_host(wisp_ip4_from_value(flow->dut)) || flow->peer == flow->dut) {
        ends->from = SUBSTITUTE_PEER;
        ends->to = SUBSTITUTE_DUT;
    }
    memcpy(ends->from_mac, flow->peer_mac, 6);
    memcpy(ends->to_mac, flow->dut_mac, 6);
    static const uint8_t zero[6];
    /* Group addresses and none at all belong to no card; equal ones are a capture on one host. */
    if ((ends->to_mac[0] & 1) || memcmp(ends->to_mac, zero, 6) == 0 ||
        memcmp(ends->to_mac, ends->from_mac, 6) == 0) {
        memcpy(ends->to_mac, (const uint8_t[6]){2, 0, 0, 0, 0, 2}, 6);
    }
    if ((ends->from_mac[0] & 1) || memcmp(ends->from_mac, zero, 6) == 0 ||
        memcmp(ends->to_mac, ends->from_mac, 6) == 0) {
        memcpy(ends->from_mac, (const uint8_t[6]){2, 0, 0, 0, 0, 1}, 6);
    }
}

static void session_out(void *context, const uint8_t *bytes, uint32_t length, wisp_time now)
{
    struct session *session = context;
    struct packet packet;
    if (!wisp_frame_csum_good(bytes, length)) {
        /* a peer takes no frame that was damaged on the path, nor one the stack summed up wrong */
        return;
    }
    packet_decode(&packet, bytes, length, length);
    if (packet.kind == PACKET_ARP && packet.icmp_code == 1 &&
        packet.destination != session->ends.to &&
        packet.source != 0) { /* but no probe: nobody has that address */
        session->asked = true;
        session->asked_for = packet.destination;
        return;
    }
    session->result->frames_out++;
    session->out(session->engine, &packet, now);
}

static void session_show(void *context, bool to_stack, const uint8_t *bytes, uint32_t length,
                         wisp_time now)
{
    struct session *session = context;
    session->ground->show(session->ground->context, to_stack, bytes, length, now);
}

bool session_open(struct session *session, const struct session_ground *ground,
                  const struct flow *flow, struct trace *trace, struct pcapreplay_flow *result,
                  char *error, size_t size)
{
    *session = (struct session){.options = ground->options,
                                .ground = ground,
                                .scratch = ground->scratch,
                                .flow = flow,
                                .trace = trace,
                                .result = result,
                                .now = flow->frames[0].time};
    choose_ends(session);
    struct rig_config config = {.memory = ground->memory,
                                .mtu = ground->options->mtu,
                                .seed = ground->options->seed * 1000003u + flow->id,
                                .persistent = ground->options->persistent,
                                .split = ground->options->split,
                                .queues = ground->options->queues,
                                .probe = flow->dhcp.client ? WISP_PROBE_BESIDE : WISP_PROBE_NONE,
                                .impairment = ground->impairment,
                                .out = session_out,
                                .show = ground->show ? session_show : NULL,
                                .context = session};
    memcpy(config.mac.octet, session->ends.to_mac, 6);
    session->rig = rig_open(&config, session->now, error, size);
    return session->rig != NULL;
}

bool session_close(struct session *session, const struct session_ground *ground, char *error,
                   size_t size)
{
    session->result->frames_in = rig_frames_in(session->rig);
    if (ground->counter) {
        rig_counters(session->rig, ground->counter, ground->context);
    }
    return rig_close(session->rig, error, size);
}

static void answer_arp(struct session *session)
{
    uint8_t frame[64];
    struct build_ends ends = session->ends;
    ends.from = session->asked_for;
    session->asked = false;
    rig_send(session->rig, frame, build_arp_reply(frame, &ends), false, 0, session->now);
}

wisp_time session_step(struct session *session)
{
    wisp_time next = rig_step(session->rig, session->now);
    while (session->asked) {
        answer_arp(session);
        next = rig_step(session->rig, session->now);
    }
    return next;
}

wisp_time session_frame_time(const struct session *session, const struct flow_frame *frame)
{
    return frame->time > session->now ? frame->time : session->now;
}

void session_fail(struct session *session, const struct flow_frame *frame, const char *format, ...)
{
    struct pcapreplay_flow *result = session->result;
    va_list arguments;
    if (result->verdict == PCAPREPLAY_FAIL) {
        return; /* the first difference is the one to look at */
    }
    result->verdict = PCAPREPLAY_FAIL;
    result->diff_frame = frame ? frame->number : 0;
    result->diff_time = frame ? frame->time : 0;
    va_start(arguments, format);
    vsnprintf(result->why, sizeof(result->why), format, arguments);
    va_end(arguments);
}

void session_skip(struct session *session, const char *format, ...)
{
    struct pcapreplay_flow *result = session->result;
    va_list arguments;
    result->verdict = PCAPREPLAY_SKIP;
    va_start(arguments, format);
    vsnprintf(result->why, sizeof(result->why), format, arguments);
    va_end(arguments);
}

/* ---- which flows ---- */

static const char *reason_to_skip(const struct flow *flow, const struct pcapreplay_options *options)
{
    if (flow->kind == PACKET_IP6) {
        return "IPv6, which the stack does not speak yet";
    }
    if (flow->kind == PACKET_IP4) {
        return "an IP protocol the stack does not speak, or fragments without their first";
    }
    if (flow->cut && !options->allow_truncated) {
        return "frames were cut by the capture (--allow-truncated replays them all the same)";
    }
    if (flow->dhcp.client) {
        return dhcp_exchange_lacks(flow);
    }
    if (flow->kind != PACKET_ARP && (flow->dut >> 28 == 14 || flow->dut == UINT32_MAX)) {
        return "to a group, which no single host answers";
    }
    return NULL;
}

static bool has_answer(const struct flow *flow)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        if (flow->frames[i].to_dut == flow->opened_by_dut) {
            return true;
        }
    }
    return false;
}

/* SYN, SYN and ACK, ACK. */
static bool handshake_seen(const struct flow *flow)
{
    int stage = 0;
    for (uint32_t i = 0; i < flow->count && stage < 3; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        uint8_t flags = frame->flags & (TCP_SYN | TCP_ACK | TCP_RST);
        bool opener = frame->to_dut != flow->opened_by_dut;
        if ((stage == 0 && opener && flags == TCP_SYN) ||
            (stage == 1 && !opener && flags == (TCP_SYN | TCP_ACK)) ||
            (stage == 2 && opener && flags == TCP_ACK)) {
            stage++;
        }
    }
    return stage == 3;
}

static bool was_refused(const struct flow *flow)
{
    bool syn = false;
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        uint8_t flags = frame->flags & (TCP_SYN | TCP_ACK | TCP_RST);
        if (flags == (TCP_SYN | TCP_ACK) || (frame->flags & TCP_FIN) || frame->length) {
            return false;
        }
        syn |= flags == TCP_SYN && frame->to_dut;
        if (!frame->to_dut && (flags & TCP_RST)) {
            return syn;
        }
    }
    return false;
}

typedef void (*engine_fn)(struct session *session);

static bool run_session(const struct session_ground *ground, const struct flow *flow,
                        struct trace *trace, struct pcapreplay_flow *result, engine_fn engine,
                        struct stream *streams, char *error, size_t size)
{
    struct session session;
    if (!session_open(&session, ground, flow, trace, result, error, size)) {
        return false;
    }
    if (engine == dhcp_replay) {
        engine(&session); /* an address is what it looks for */
    } else if (!rig_address(session.rig, session.ends.to, session.now)) {
        session_skip(&session, "the address of our side is none a host can have");
    } else if (streams) {
        tcp_replay(&session, streams);
    } else {
        engine(&session);
    }
    return session_close(&session, ground, error, size);
}

static bool replay_tcp(const struct session_ground *ground, const struct flow *flow,
                       struct trace *trace, struct pcapreplay_flow *result, char *error,
                       size_t size)
{
    struct session none = {.result = result};
    struct stream streams[2];
    if (was_refused(flow)) {
        return run_session(ground, flow, trace, result, tcp_refused_replay, NULL, error, size);
    }
    if (!handshake_seen(flow)) {
        session_skip(&none, "its handshake is not in the capture");
        return true;
    }
    bool good = true;
    if (!streams_build(flow, trace, streams)) {
        session_skip(&none, "its frames could not be read again");
    } else if (streams[0].hole || streams[1].hole) {
        session_skip(&none, "the capture misses bytes of it");
    } else if (streams[0].beyond || streams[1].beyond) {
        session_skip(&none, "bytes were sent behind a FIN");
    } else {
        result->complete = !flow->cut;
        good = run_session(ground, flow, trace, result, NULL, streams, error, size);
    }
    streams_free(streams);
    return good;
}

bool replay_flow(const struct session_ground *ground, const struct flow *flow, struct trace *trace,
                 struct pcapreplay_flow *result, char *error, size_t size)
{
    struct session none = {.result = result};
    const char *reason = reason_to_skip(flow, ground->options);
    if (reason) {
        session_skip(&none, "%s", reason);
        return true;
    }
    if (flow->kind == PACKET_TCP) {
        return replay_tcp(ground, flow, trace, result, error, size);
    }
    result->complete = !flow->cut && (flow->dhcp.client || has_answer(flow));
    engine_fn engine = flow->dhcp.client           ? dhcp_replay
                       : flow->kind == PACKET_UDP  ? udp_replay
                       : flow->kind == PACKET_ICMP ? icmp_replay
                                                   : arp_replay;
    return run_session(ground, flow, trace, result, engine, NULL, error, size);
}
