/* SPDX-License-Identifier: ISC */
/*
 * Inject mode: every frame of the capture, as it is, into one stack that is alive on the link: it is the host the first
 * conversations respond from (host.h), listens on the first ports that are asked for, reads what it gets and closes
 * when the other side does. Nothing is expected of it but to stay whole. As no frame is changed, no connection is
 * opened: the captured peer acknowledges the numbers of the captured host, not the stack's, and is reset.
 *
 * Frames within a millisecond are given together, as they would be by a backend; not more than the ring takes when each
 * fills as many slots as it may, so that what is given together does not depend on how frames are split. What the stack
 * becomes by a frame (an address, an open port) it is not yet for those that wait before it. Memory does not depend on
 * the length of the capture: the first frames are kept until the host has been chosen from them, no other is.
 */
#include "frame.h"
#include "host.h"
#include "run.h"
#include <stdlib.h>
#include <string.h>

#define LISTENERS  8u
#define SOCKETS    16u
#define BATCH      14u /* of 18 slots each, in a ring of 256 */
#define BATCH_TIME WISP_MS(1)
#define DRAIN      WISP_SEC(5)

struct kept {
    struct captured frame;
    uint8_t *bytes;
};

struct inject {
    struct run *run;
    struct rig *rig;
    wisp_time now;
    wisp_time batch_start;
    uint32_t batch;
    wisp_time next; /* when the stack wants to be polled */
    struct host host;
    struct wisp_tcp_listener *listener[LISTENERS];
    uint16_t tcp_port[LISTENERS];
    uint32_t listeners;
    struct wisp_udp_socket *socket[SOCKETS];
    uint16_t udp_port[SOCKETS];
    uint32_t sockets;
    struct kept prelude[HOST_FIRST];
    struct packet first[HOST_FIRST];
    uint32_t kept;
    uint8_t copy[WISP_FRAME_MAX]; /* of a frame whose checksum is mended */
};

/* ---- ports ---- */

static bool opened(const uint16_t *ports, uint32_t count, uint16_t port)
{
    for (uint32_t i = 0; i < count; i++) {
        if (ports[i] == port) {
            return true;
        }
    }
    return port == 0;
}

/* Opens the port a frame asks for, so that more of the stack is met. */
static void open_port(struct inject *inject, const struct packet *packet)
{
    uint16_t port = packet->destination_port;
    if (packet->kind == PACKET_TCP &&
        wisp_tcp_listen(rig_tcp(inject->rig), NULL, port, 32,
                        &inject->listener[inject->listeners]) == WISP_OK) {
        inject->tcp_port[inject->listeners++] = port;
    }
    if (packet->kind == PACKET_UDP && wisp_udp_open(rig_udp(inject->rig), NULL, port, true,
                                                    &inject->socket[inject->sockets]) == WISP_OK) {
        inject->udp_port[inject->sockets++] = port;
    }
}

static bool asks_for_port(const struct inject *inject, const struct packet *packet)
{
    uint16_t port = packet->destination_port;
    bool takes = host_is_ours(&inject->host, packet);
    if (packet->kind == PACKET_TCP) {
        return takes && (packet->flags & TCP_SYN) && inject->listeners < LISTENERS &&
               !opened(inject->tcp_port, inject->listeners, port);
    }
    return packet->kind == PACKET_UDP && takes && inject->sockets < SOCKETS &&
           !opened(inject->udp_port, inject->sockets, port);
}

/* ---- the application ---- */

static bool serve_tcp(struct inject *inject)
{
    struct wisp_tcp_event event;
    uint8_t bytes[4096];
    bool acted = false;
    while (wisp_tcp_next_event(rig_tcp(inject->rig), &event)) {
        while ((event.what & WISP_TCP_READABLE) &&
               wisp_tcp_read(event.conn, bytes, sizeof(bytes)) > 0) {
            acted = true;
        }
        if (event.what & WISP_TCP_CLOSED) {
            wisp_tcp_release(event.conn);
        } else if (event.what & WISP_TCP_END) {
            wisp_tcp_close(event.conn);
            wisp_tcp_want(event.conn, 0);
            acted = true;
        }
    }
    return acted;
}

static void serve_udp(struct inject *inject)
{
    struct wisp_udp_socket *socket;
    struct wisp_udp_datagram datagram;
    struct wisp_icmp_error error;
    uint16_t port;
    while ((socket = wisp_udp_next(rig_udp(inject->rig))) != NULL) {
        while (wisp_udp_receive(socket, &datagram)) {
            wisp_pkt_drop(datagram.pkt);
        }
        (void)wisp_udp_error(socket, &error, &port);
    }
}

static void step(struct inject *inject)
{
    inject->next = rig_step(inject->rig, inject->now);
    inject->batch = 0;
    serve_udp(inject);
    if (serve_tcp(inject)) {
        inject->next = rig_step(inject->rig, inject->now);
    }
}

/* Lets the time pass until `until`, with everything that is due before. */
static void pass_time(struct inject *inject, wisp_time until)
{
    if (inject->batch > 0) {
        step(inject);
    }
    while (inject->next <= until) {
        inject->now = inject->next > inject->now ? inject->next : inject->now;
        step(inject);
        if (inject->next <= inject->now) {
            inject->next = inject->now + 1; /* the rig has noted a fault: go on to the end */
        }
    }
    inject->now = until;
}

/* ---- frames ---- */

static void give_address(struct inject *inject, uint32_t address)
{
    rig_address(inject->rig, address, inject->now);
}

/* What this frame makes of the stack; those that wait see it as it was. */
static void prepare(struct inject *inject, const struct packet *packet)
{
    bool adopted = host_meets(&inject->host, packet);
    bool port = asks_for_port(inject, packet);
    if (!adopted && !port) {
        return;
    }
    if (inject->batch > 0) {
        step(inject);
    }
    if (adopted) {
        give_address(inject, inject->host.address[inject->host.addresses - 1]);
    }
    if (port) {
        open_port(inject, packet);
    }
}

/* The ring's room for frames, after making some. */
static bool make_room(struct inject *inject, uint32_t length)
{
    if (rig_room(inject->rig, length) == 0) {
        step(inject);
    }
    return rig_room(inject->rig, length) > 0;
}

static void send(struct inject *inject, const struct captured *frame, const struct packet *packet)
{
    struct run *run = inject->run;
    const uint8_t *bytes = frame->bytes;
    bool summed = packet->kind == PACKET_TCP || packet->kind == PACKET_UDP;
    bool blank = summed && run->options->csum == PCAPREPLAY_CSUM_AUTO &&
                 wisp_frame_csum_blank(bytes, frame->length);
    run->report->blank += blank;
    if (summed && run->options->csum == PCAPREPLAY_CSUM_FIX) {
        memcpy(inject->copy, bytes, frame->length);
        wisp_frame_fill_csum(inject->copy, frame->length);
        bytes = inject->copy;
    }
    rig_send(inject->rig, bytes, frame->length, blank, 0, inject->now);
    inject->batch++;
}

static void inject_frame(struct inject *inject, const struct captured *frame)
{
    struct packet packet;
    if (frame->length == 0 || frame->length > WISP_FRAME_MAX) {
        inject->run->report->skipped++;
        return;
    }
    packet_decode(&packet, frame->bytes, frame->length, frame->wire_length);
    bool together = inject->batch > 0 && inject->batch < BATCH &&
                    frame->time - inject->batch_start < BATCH_TIME && inject->next > frame->time;
    if (together) {
        inject->now = frame->time > inject->now ? frame->time : inject->now;
    } else {
        pass_time(inject, frame->time);
        inject->batch_start = frame->time;
    }
    prepare(inject, &packet);
    if (!make_room(inject, frame->length)) {
        inject->run->report->skipped++;
        return;
    }
    send(inject, frame, &packet);
}

/* ---- the run ---- */

static bool read_prelude(struct inject *inject, bool *damaged)
{
    struct captured frame;
    while (inject->kept < HOST_FIRST && run_next(inject->run, &frame, damaged)) {
        struct kept *kept = &inject->prelude[inject->kept];
        kept->bytes = malloc(frame.length ? frame.length : 1);
        if (!kept->bytes) {
            run_fault(inject->run, "no memory");
            return false;
        }
        memcpy(kept->bytes, frame.bytes, frame.length);
        kept->frame = frame;
        kept->frame.bytes = kept->bytes;
        packet_decode(&inject->first[inject->kept++], kept->bytes, frame.length, frame.wire_length);
    }
    return !*damaged;
}

static bool open_rig(struct inject *inject)
{
    struct run *run = inject->run;
    char reason[200];
    host_choose(&inject->host, &run->rules, run->dut_mac_given ? &run->dut_mac : NULL,
                inject->first, inject->kept);
    struct rig_config config = {.memory = run->memory,
                                .probe = WISP_PROBE_NONE,
                                .mac = inject->host.mac,
                                .mtu = run->options->mtu,
                                .seed = run->options->seed,
                                .persistent = run->options->persistent,
                                .split = run->options->split,
                                .queues = run->options->queues,
                                .impairment = run->impaired ? &run->impairment : NULL,
                                .show = run->writer ? run_show : NULL,
                                .context = run};
    inject->rig = rig_open(&config, 0, reason, sizeof(reason));
    if (!inject->rig) {
        run_fault(run, reason);
        return false;
    }
    for (uint32_t i = 0; i < inject->host.addresses; i++) {
        give_address(inject, inject->host.address[i]);
    }
    step(inject);
    return true;
}

static void close_rig(struct inject *inject)
{
    char reason[200];
    struct run *run = inject->run;
    for (uint32_t i = 0; i < inject->listeners; i++) {
        wisp_tcp_listener_close(inject->listener[i]);
    }
    for (uint32_t i = 0; i < inject->sockets; i++) {
        wisp_udp_close(inject->socket[i]);
    }
    run->report->frames_in = rig_frames_in(inject->rig);
    run->report->frames_out = rig_frames_out(inject->rig);
    rig_counters(inject->rig, run_counter, run);
    if (!rig_close(inject->rig, reason, sizeof(reason))) {
        run_fault(run, reason);
    }
}

static bool run_all(struct inject *inject)
{
    bool damaged = false;
    struct captured frame;
    if (!read_prelude(inject, &damaged)) {
        return !damaged;
    }
    if (inject->kept == 0 || !open_rig(inject)) {
        return true;
    }
    for (uint32_t i = 0; i < inject->kept; i++) {
        inject_frame(inject, &inject->prelude[i].frame);
    }
    while (run_next(inject->run, &frame, &damaged)) {
        inject_frame(inject, &frame);
    }
    pass_time(inject, inject->now + DRAIN);
    close_rig(inject);
    return !damaged;
}

bool run_inject(struct run *run)
{
    struct inject *inject = calloc(1, sizeof(*inject));
    if (!inject) {
        run_fault(run, "no memory");
        return true;
    }
    inject->run = run;
    inject->next = WISP_NEVER;
    bool good = run_all(inject);
    for (uint32_t i = 0; i < inject->kept; i++) {
        free(inject->prelude[i].bytes);
    }
    free(inject);
    return good;
}
