/* SPDX-License-Identifier: ISC */
/*
 * Replaying what is no connection: UDP, ICMP echo, ARP. The peer's packets are sent at their times, IP addresses and
 * checksums apart as captured (fragments included); our side answers:
 *
 *   UDP    an application on the port sends what the captured side sent, when it did; nobody listens where the captured
 *          host said "port unreachable"
 *   ICMP   the stack itself answers echo requests
 *   ARP    the stack itself answers requests for its address
 *
 * PASS: every packet the captured side sent was sent again with the same contents, and every datagram of the peer
 * reached the application as it was. Packets are compared by a 64-bit hash of their contents, in any order: a list of
 * hashes is all that is kept.
 */
#include "session.h"
#include <stdlib.h>
#include <string.h>

#define LAST_DRAIN WISP_SEC(5)

/* Contents expected and not yet seen. */
struct expected {
    uint64_t *hash;
    uint32_t count, space, seen;
};

/* A datagram the stack sends in fragments, which come in order. */
struct assembly {
    uint8_t bytes[65536];
    uint16_t id;
    uint32_t have;
};

struct datagrams {
    struct session *session;
    struct assembly *assembly;
    struct wisp_udp_socket *socket;
    struct expected out, in;
    struct expected asked; /* echo requests of the capture not yet answered there */
    uint32_t asked_arp;
    uint64_t unexpected; /* packets of the stack that match nothing */
};

static uint64_t hash_bytes(const uint8_t *bytes, uint32_t length)
{
    uint64_t hash = 0xcbf29ce484222325u ^ length;
    for (uint32_t i = 0; i < length; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

static void expect(struct expected *expected, uint64_t hash)
{
    if (expected->count == expected->space) {
        uint32_t space = expected->space ? 2 * expected->space : 16;
        void *grown = realloc(expected->hash, space * sizeof(expected->hash[0]));
        if (!grown) {
            return;
        }
        expected->hash = grown;
        expected->space = space;
    }
    expected->hash[expected->count++] = hash;
}

static bool meet(struct expected *expected, uint64_t hash)
{
    for (uint32_t i = 0; i < expected->count; i++) {
        if (expected->hash[i] == hash) {
            expected->hash[i] = expected->hash[--expected->count];
            expected->seen++;
            return true;
        }
    }
    return false;
}

/* ---- packets of either side ---- */

/* What of a packet has to come again: UDP's and ICMP's contents, ARP's answer. */
static bool contents(const struct packet *packet, const uint8_t **bytes, uint32_t *length)
{
    if (packet->kind == PACKET_ARP) {
        *bytes = packet->bytes + packet->network + 6;
        *length = 12; /* operation, the sender's addresses */
        return true;
    }
    if (packet->kind == PACKET_ICMP) {
        *bytes = packet->bytes + packet->payload - 4;
        *length = packet->payload_length + 4; /* identifier, sequence, data */
    } else {
        *bytes = packet->bytes + packet->payload;
        *length = packet->payload_length;
    }
    return *bytes + *length <= packet->bytes + packet->length;
}

/* Takes a fragment in; true: it was the last, and the datagram is whole. */
static bool assemble(struct assembly *assembly, const struct packet *packet)
{
    uint32_t field = be16(packet->bytes + packet->network + 6);
    uint32_t at = (field & 0x1fff) * 8;
    uint32_t length = packet->length - packet->transport;
    if (at == 0) {
        assembly->id = packet->ip_id;
        assembly->have = 0;
    }
    if (packet->ip_id != assembly->id || at != assembly->have ||
        length > sizeof(assembly->bytes) - at) {
        return false;
    }
    memcpy(assembly->bytes + at, packet->bytes + packet->transport, length);
    assembly->have += length;
    return (field & 0x2000) == 0 && assembly->have >= 8;
}

static void hear_fragment(struct datagrams *run, const struct packet *packet)
{
    struct assembly *assembly = run->assembly;
    if (!assembly || !assemble(assembly, packet)) {
        return;
    }
    if (meet(&run->out, hash_bytes(assembly->bytes + 8, assembly->have - 8))) {
        run->session->result->bytes_out += assembly->have - 8;
    } else {
        run->unexpected++;
    }
}

static void hear(void *context, const struct packet *packet, wisp_time now)
{
    struct datagrams *run = context;
    const struct flow *flow = run->session->flow;
    const uint8_t *bytes;
    uint32_t length;
    (void)now;
    if (packet->fragment && flow->kind == PACKET_UDP && packet->protocol == 17) {
        hear_fragment(run, packet);
        return;
    }
    bool mine = packet->kind == flow->kind &&
                (flow->kind != PACKET_ICMP || packet->icmp_type == 0) &&
                (flow->kind != PACKET_ARP || packet->icmp_code == 2);
    if (!mine || !contents(packet, &bytes, &length)) {
        return;
    }
    if (meet(&run->out, hash_bytes(bytes, length))) {
        run->session->result->bytes_out += packet->payload_length;
    } else {
        run->unexpected++;
    }
}

/* Reads a frame of the flow again. */
static bool read_frame(struct datagrams *run, const struct flow_frame *frame, uint8_t *bytes,
                       uint32_t *length, struct packet *packet)
{
    struct captured captured;
    if (!trace_again(run->session->trace, frame->position, &captured) ||
        captured.length > BUILD_MAX) {
        return false;
    }
    memcpy(bytes, captured.bytes, captured.length);
    *length = captured.length;
    packet_decode(packet, bytes, captured.length, captured.wire_length);
    return true;
}

/* Sends the peer's packet with the addresses of this run, one tag or option less perhaps. */
static void send_packet(struct datagrams *run, const struct packet *packet)
{
    struct session *session = run->session;
    uint8_t *frame = session->scratch->built;
    if (packet->kind == PACKET_ARP) {
        uint32_t length = packet->length - packet->network;
        length = length < 46 ? length : 46;
        memcpy(frame, packet->bytes, 12);
        if (!(frame[0] & 1)) {
            memcpy(frame, session->ends.to_mac, 6);
        }
        put_be16(frame + 12, 0x0806);
        memcpy(frame + 14, packet->bytes + packet->network, length);
        rig_send(session->rig, frame, 14 + length, false, 0, session->now);
        return;
    }
    const uint8_t *ip = packet->bytes + packet->network;
    uint32_t said = be16(ip + 2) - (ip[0] & 15u) * 4;
    uint32_t there = packet->length - packet->transport;
    uint32_t length = said < there ? said : there;
    struct build_ip header = {.protocol = packet->protocol,
                              .ttl = packet->ttl,
                              .tos = packet->tos,
                              .id = packet->ip_id,
                              .fragment = (uint16_t)be16(ip + 6)};
    memcpy(frame + BUILD_IP, packet->bytes + packet->transport, length);
    build_ip(frame, &session->ends, &header, length);
    bool summed = packet->kind == PACKET_UDP && be16(frame + BUILD_IP + 6) != 0;
    if (packet->kind == PACKET_ICMP && !packet->fragment) {
        build_icmp_csum(frame, BUILD_IP + length);
    }
    if (summed && !packet->fragment) {
        build_csum(frame, BUILD_IP + length, false);
    }
    rig_send(session->rig, frame, BUILD_IP + length, false, 0, session->now);
}

/* ---- our application ---- */

static void receive_all(struct datagrams *run)
{
    uint8_t *bytes = run->session->scratch->received;
    struct wisp_udp_datagram datagram;
    while (run->socket && wisp_udp_receive(run->socket, &datagram)) {
        uint32_t length = datagram.pkt->length;
        if (wisp_pkt_read(datagram.pkt, 0, bytes, length) &&
            meet(&run->in, hash_bytes(bytes, length))) {
            run->session->result->bytes_in += length;
        } else {
            session_fail(run->session, NULL,
                         "a datagram of %u bytes reached the application changed", length);
        }
        wisp_pkt_drop(datagram.pkt);
    }
}

static void settle(struct datagrams *run)
{
    session_step(run->session);
    receive_all(run);
}

/* Lets the time pass until `until`. */
static void pass_time(struct datagrams *run, wisp_time until)
{
    struct session *session = run->session;
    for (;;) {
        wisp_time next = session_step(session);
        receive_all(run);
        if (next > until) {
            break;
        }
        session->now = next > session->now ? next : session->now;
    }
    session->now = until > session->now ? until : session->now;
    settle(run);
}

static void app_send(struct datagrams *run, const struct flow_frame *frame,
                     const struct packet *packet)
{
    struct session *session = run->session;
    struct wisp_addr local = wisp_addr_ip4(wisp_ip4_from_value(session->ends.to));
    struct wisp_addr remote = wisp_addr_ip4(wisp_ip4_from_value(session->ends.from));
    const uint8_t *bytes = packet->bytes + packet->payload;
    if (!run->socket || packet->length - packet->payload < packet->payload_length) {
        return;
    }
    expect(&run->out, hash_bytes(bytes, packet->payload_length));
    enum wisp_err err = wisp_udp_send(run->socket, &local, &remote, session->flow->peer_port, bytes,
                                      packet->payload_length, session->now);
    if (err != WISP_OK) {
        session_fail(session, frame, "sending a datagram of %u bytes: %s", packet->payload_length,
                     wisp_err_text(err));
    }
}

/* ---- the run ---- */

static void follow_peer(struct datagrams *run, const struct packet *packet)
{
    const uint8_t *bytes;
    uint32_t length;
    if (packet->kind == PACKET_UDP && run->socket && contents(packet, &bytes, &length)) {
        expect(&run->in, hash_bytes(bytes, length));
    }
    send_packet(run, packet);
    settle(run);
}

/* What the captured side answered, expected beforehand: the stack answers at once, not when the host did. */
static void expect_answers(struct datagrams *run)
{
    uint8_t *bytes = run->session->scratch->captured;
    const struct flow *flow = run->session->flow;
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        struct packet packet;
        const uint8_t *at;
        uint32_t length, n;
        bool icmp = flow->kind == PACKET_ICMP;
        bool asks = frame->to_dut && frame->flags == (icmp ? 8 : 1);
        bool answers = !frame->to_dut && frame->flags == (icmp ? 0 : 2);
        if (icmp && asks && read_frame(run, frame, bytes, &length, &packet) &&
            contents(&packet, &at, &n)) {
            expect(&run->asked, hash_bytes(at, n));
        }
        run->asked_arp += asks;
        /* An answer whose question is not in the capture cannot be had again. */
        if (answers && (icmp || run->asked_arp > 0) &&
            read_frame(run, frame, bytes, &length, &packet) && contents(&packet, &at, &n)) {
            if (flow->kind == PACKET_ARP) {
                memcpy(bytes + packet.network + 8, run->session->ends.to_mac, 6);
            }
            uint64_t hash = hash_bytes(at, n);
            if (!icmp || meet(&run->asked, hash)) {
                expect(&run->out, hash);
            }
        }
    }
}

static void run_frames(struct datagrams *run)
{
    struct session *session = run->session;
    uint8_t *bytes = session->scratch->captured;
    for (uint32_t i = 0; i < session->flow->count; i++) {
        const struct flow_frame *frame = &session->flow->frames[i];
        struct packet packet;
        uint32_t length;
        if (frame->time > session->now) {
            pass_time(run, frame->time);
        }
        if (!read_frame(run, frame, bytes, &length, &packet)) {
            session_skip(session, "its frames could not be read again");
            return;
        }
        if (frame->to_dut) {
            follow_peer(run, &packet);
        } else if (session->flow->kind == PACKET_UDP) {
            app_send(run, frame, &packet);
            settle(run);
        }
    }
    pass_time(run, session->now + LAST_DRAIN);
}

static void judge(struct datagrams *run, const char *what)
{
    struct session *session = run->session;
    if (session->result->verdict != PCAPREPLAY_PASS) {
        return;
    }
    if (run->out.count > 0) {
        session_fail(session, NULL, "%u of %u %s were not sent", run->out.count,
                     run->out.count + run->out.seen, what);
    }
    if (run->in.count > 0) {
        session_fail(session, NULL, "%u of %u datagrams did not reach the application",
                     run->in.count, run->in.count + run->in.seen);
    }
}

static void begin(struct datagrams *run, struct session *session)
{
    memset(run, 0, sizeof(*run));
    run->session = session;
    session->out = hear;
    session->engine = run;
    session->result->verdict = PCAPREPLAY_PASS;
    session_step(session);
}

static void end(struct datagrams *run)
{
    if (run->socket) {
        wisp_udp_close(run->socket);
    }
    free(run->assembly);
    free(run->out.hash);
    free(run->in.hash);
    free(run->asked.hash);
}

void udp_replay(struct session *session)
{
    struct datagrams run;
    const struct flow *flow = session->flow;
    if (flow->fragments) {
        session_skip(session, "datagrams in fragments are replayed in inject mode only");
        return;
    }
    begin(&run, session);
    run.assembly = malloc(sizeof(*run.assembly));
    if (wisp_udp_open(rig_udp(session->rig), NULL, flow->dut_port, true, &run.socket) != WISP_OK) {
        session_skip(session, "the stack cannot open that port");
        end(&run);
        return;
    }
    run_frames(&run);
    judge(&run, "datagrams");
    end(&run);
}

void icmp_replay(struct session *session)
{
    struct datagrams run;
    begin(&run, session);
    expect_answers(&run);
    if (run.out.count == 0) {
        session_skip(session, session->flow->opened_by_dut
                                  ? "our side asked: nothing to answer"
                                  : "no question and its answer are in the capture");
    } else {
        run_frames(&run);
        judge(&run, "echo replies");
    }
    end(&run);
}

void arp_replay(struct session *session)
{
    struct datagrams run;
    begin(&run, session);
    expect_answers(&run);
    if (run.out.count == 0) {
        session_skip(session, session->flow->opened_by_dut
                                  ? "our side asked: nothing to answer"
                                  : "no question and its answer are in the capture");
    } else {
        run_frames(&run);
        judge(&run, "ARP replies");
    }
    end(&run);
}
