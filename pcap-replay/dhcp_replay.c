/* SPDX-License-Identifier: ISC */
/*
 * Replaying a DHCP exchange with our client as the client. Captured messages of the client are
 * matched one by one with those ours sends; what the capture has as answers to one then goes to
 * ours, as long after its message as it came after the captured one, with transaction, card and
 * client identifier translated.
 *
 *   captured from the client       who makes ours send it
 *   DISCOVER, REQUEST, the first   its user: wisp_dhcp_start, wisp_dhcp_reboot
 *   INFORM                         its user: wisp_dhcp_inform
 *   RELEASE                        its user: wisp_dhcp_release, when the captured one did
 *   DECLINE                        ARP of the capture, through the stack; without any,
 *                                  wisp_dhcp_conflict
 *   all else                       itself: answers, timers
 *
 * Which of several offers to take is the client's choice, so those the captured one did not take
 * come late. A message captured twice need not be sent twice; one of ours sent twice gets its
 * answers twice. Relays are left out: their part of a message's way is nobody's here.
 */
#include "dhcp_exchange.h"
#include <stdlib.h>
#include <string.h>

#define PATIENCE   WISP_SEC(200) /* four requests with backoff, a pause after refusals */
#define ROUNDS     64
#define AGAIN_MOST 32u
#define LAST_DRAIN WISP_SEC(1)

static void keep(struct dhcp_heard *heard, const uint8_t *bytes, uint32_t length, wisp_time now)
{
    length = length < DHCP_FRAME_MAX ? length : DHCP_FRAME_MAX;
    memcpy(heard->frame, bytes, length);
    packet_decode(&heard->packet, heard->frame, length, length);
    if (!dhcp_wire_read(&heard->wire, &heard->packet)) {
        memset(&heard->wire, 0, sizeof(heard->wire));
    }
    heard->time = now;
}

/* Bytes and what points into them. */
static void copy(struct dhcp_heard *to, const struct dhcp_heard *from)
{
    keep(to, from->frame, from->packet.length, from->time);
}

static void hear(void *context, const struct packet *packet, wisp_time now)
{
    struct dhcp_exchange *run = context;
    struct dhcp_wire wire;
    if (packet->kind == PACKET_ARP && run->conflict &&
        packet->destination == run->claim.packet.source) {
        run->claim_due = true; /* who has an address answers every probe, of which the captured
                                  client sent one */
    }
    if (dhcp_wire_read(&wire, packet) && !wire.reply &&
        run->heard_in - run->heard_out < DHCP_HEARD) {
        keep(&run->heard[run->heard_in++ % DHCP_HEARD], packet->bytes, packet->length, now);
        run->session->result->bytes_out += wire.length;
    }
}

/* The next message of our client; null: none yet. */
static struct dhcp_heard *head(struct dhcp_exchange *run)
{
    return run->heard_in == run->heard_out ? NULL : &run->heard[run->heard_out % DHCP_HEARD];
}

/* ---- time ---- */

static wisp_time settle(struct dhcp_exchange *run)
{
    struct session *session = run->session;
    struct wisp_stack_event event;
    struct wisp_dhcp_event told;
    wisp_time next = WISP_NEVER;
    for (int round = 0; round < ROUNDS; round++) {
        next = session_step(session);
        if (run->claim_due) {
            run->claim_due = false;
            rig_send(session->rig, run->claim.frame, run->claim.packet.length, false, 0,
                     session->now);
            next = session_step(session);
        }
        while (wisp_stack_next_event(rig_stack(session->rig), &event)) {
            if (run->started) {
                wisp_dhcp_run_notice(run->client, &event, session->now);
            }
        }
        wisp_time due = wisp_dhcp_run_step(run->client, session->now);
        while (wisp_dhcp_run_next_event(run->client, &told)) {
        }
        next = wisp_time_min(next, due);
        if (due > session->now) {
            break;
        }
    }
    return next;
}

/* Goes on to what happens next, but not beyond limit; false: limit is reached. */
static bool advance(struct dhcp_exchange *run, wisp_time limit)
{
    struct session *session = run->session;
    wisp_time next = settle(run);
    if (head(run)) {
        return true;
    }
    if (session->now >= limit) {
        return false;
    }
    wisp_time to = wisp_time_min(next, limit);
    session->now = to > session->now ? to : session->now;
    return true;
}

static void pass_time(struct dhcp_exchange *run, wisp_time until)
{
    struct session *session = run->session;
    for (wisp_time next = settle(run); next < until; next = settle(run)) {
        session->now = next > session->now ? next : session->now;
    }
    session->now = until > session->now ? until : session->now;
    settle(run);
}

/* When a captured frame is due here. */
static wisp_time due_time(const struct dhcp_exchange *run, const struct flow_frame *frame)
{
    return run->here + (frame->time > run->there ? frame->time - run->there : 0);
}

/* ---- the server's side ---- */

static bool read_frame(struct dhcp_exchange *run, uint32_t index, struct dhcp_heard *into)
{
    const struct flow_frame *frame = &run->session->flow->frames[index];
    struct captured captured;
    if (!trace_again(run->session->trace, frame->position, &captured) ||
        captured.length > DHCP_FRAME_MAX) {
        session_skip(run->session, "its frames could not be read again");
        return false;
    }
    keep(into, captured.bytes, captured.length, frame->time);
    return true;
}

static uint32_t reply_to(const struct dhcp_exchange *run, const struct dhcp_heard *reply)
{
    const struct packet *packet = &reply->packet;
    if (packet->destination_port == 67) { /* to a relay, which passes it on */
        bool all = reply->wire.broadcast || reply->wire.class == DHCP_CLASS_NAK;
        return all || !reply->wire.yiaddr ? UINT32_MAX : reply->wire.yiaddr;
    }
    bool to_source = packet->destination == run->theirs.packet.source;
    return to_source ? run->ours.packet.source : packet->destination;
}

static void send_reply(struct dhcp_exchange *run, const struct dhcp_heard *reply)
{
    struct session *session = run->session;
    uint8_t *frame = session->scratch->built;
    uint8_t *udp = frame + BUILD_IP;
    uint32_t length = dhcp_wire_translate(&reply->wire, &run->theirs.wire, &run->ours.wire, udp + 8,
                                          DHCP_FRAME_MAX + 600 - BUILD_IP - 8);
    struct build_ends ends = session->ends;
    ends.from = reply->packet.source;
    ends.to = reply_to(run, reply);
    if (ends.to == UINT32_MAX) {
        memset(ends.to_mac, 0xff, 6);
    }
    if (reply->wire.class == DHCP_CLASS_ACK) {
        session->ends.to = reply->wire.yiaddr ? reply->wire.yiaddr : run->ours.wire.ciaddr;
    }
    put_be16(udp, 67);
    put_be16(udp + 2, 68);
    put_be16(udp + 4, 8 + length);
    put_be16(udp + 6, 0);
    struct build_ip ip = {.protocol = 17,
                          .ttl = reply->packet.ttl,
                          .tos = reply->packet.tos,
                          .id = reply->packet.ip_id};
    build_ip(frame, &ends, &ip, 8 + length);
    if (be16(reply->frame + reply->packet.transport + 6) != 0) {
        build_csum(frame, BUILD_IP + 8 + length, false);
    }
    session->result->bytes_in += length;
    rig_send(session->rig, frame, BUILD_IP + 8 + length, false, 0, session->now);
    settle(run);
}

/* ARP of the host that has the address, to our card in place of the captured one. */
static void send_conflict(struct dhcp_exchange *run, struct dhcp_heard *arp)
{
    struct session *session = run->session;
    if (!(arp->frame[0] & 1)) {
        memcpy(arp->frame, session->ends.to_mac, 6);
    }
    copy(&run->claim, arp);
    run->conflict = run->claim_due = true;
    settle(run);
}

static void answer_again(struct dhcp_exchange *run)
{
    struct dhcp_heard *reply = &run->again;
    copy(&run->ours, head(run));
    run->heard_out++;
    if (++run->answered_again > AGAIN_MOST) {
        return;
    }
    for (uint32_t i = run->answers_from; i < run->answers_to; i++) {
        if (read_frame(run, i, reply) && reply->wire.reply) {
            send_reply(run, reply);
        }
    }
}

/* ---- the client's side ---- */

/* Starts what the captured client's user started. */
static void prompt(struct dhcp_exchange *run, const struct flow_frame *frame,
                   const struct dhcp_wire *wire)
{
    struct session *session = run->session;
    struct wisp_dhcp *dhcp = wisp_dhcp_run_machine(run->client);
    bool first = !run->started;
    run->started = true;
    if (first && wire->class == DHCP_CLASS_DISCOVER) {
        wisp_dhcp_start(dhcp, session->now);
    } else if (first && wire->class == DHCP_CLASS_REBOOT) {
        wisp_dhcp_reboot(dhcp, wisp_ip4_from_value(wire->requested), session->now);
    } else if (first) {
        session->ends.to = wire->ciaddr;
        rig_address(session->rig, wire->ciaddr, session->now);
        wisp_dhcp_inform(dhcp, wisp_ip4_from_value(wire->ciaddr), 32, session->now);
    } else if (wire->class == DHCP_CLASS_RELEASE) {
        pass_time(run, due_time(run, frame));
        wisp_dhcp_release(dhcp, session->now);
    } else if (wire->class == DHCP_CLASS_DECLINE && !run->conflict) {
        pass_time(run, due_time(run, frame));
        wisp_dhcp_conflict(dhcp, session->now);
    }
}

static wisp_time patience(struct dhcp_exchange *run, enum dhcp_class wanted)
{
    const struct wisp_dhcp_lease *lease = wisp_dhcp_lease(wisp_dhcp_run_machine(run->client));
    if (wanted == DHCP_CLASS_RENEW && lease && lease->until != WISP_NEVER) {
        return lease->until;
    }
    return wisp_time_add(run->session->now, PATIENCE);
}

/* The next message our client has to say, repetitions apart unless one is wanted; null: none in
 * time. */
static struct dhcp_heard *next_message(struct dhcp_exchange *run, enum dhcp_class wanted)
{
    wisp_time limit = patience(run, wanted);
    for (;;) {
        struct dhcp_heard *heard = head(run);
        if (heard && (heard->wire.class != run->last || wanted == run->last)) {
            return heard;
        }
        if (heard) {
            answer_again(run);
        } else if (!advance(run, limit)) {
            return head(run);
        }
    }
}

static void match(struct dhcp_exchange *run, uint32_t index, const struct dhcp_heard *theirs)
{
    const struct flow_frame *frame = &run->session->flow->frames[index];
    copy(&run->theirs, theirs);
    copy(&run->ours, head(run));
    run->heard_out++;
    run->last = theirs->wire.class;
    run->conflict = run->conflict && run->last != DHCP_CLASS_DECLINE;
    run->here = run->ours.time;
    run->there = frame->time;
    run->answers_from = run->answers_to = index + 1;
    run->awaiting = run->last != DHCP_CLASS_DISCOVER && run->last != DHCP_CLASS_RELEASE &&
                    run->last != DHCP_CLASS_DECLINE;
    run->refusals = dhcp_refusals(run);
    dhcp_judge_request(run, frame);
    for (uint32_t i = 0; i < run->lates && run->last == DHCP_CLASS_SELECT; i++) {
        if (read_frame(run, run->late[i], &run->late_one)) {
            send_reply(run, &run->late_one);
        }
    }
    run->lates = 0;
}

static void follow_client(struct dhcp_exchange *run, uint32_t index,
                          const struct dhcp_heard *theirs)
{
    struct session *session = run->session;
    const struct flow_frame *frame = &session->flow->frames[index];
    enum dhcp_class class = theirs->wire.class;
    bool again = run->started && class == run->last;
    if (again && !run->awaiting && run->answers_to > run->answers_from &&
        class != DHCP_CLASS_RENEW) {
        return; /* the answer was there, and did not reach the captured client */
    }
    prompt(run, frame, &theirs->wire);
    struct dhcp_heard *ours = next_message(run, class);
    if (ours && ours->wire.class == class) {
        match(run, index, theirs);
    } else if (!again) {
        session_fail(session, frame, "%s where the captured client sent %s",
                     ours ? dhcp_class_name(ours->wire.class) : "nothing", dhcp_class_name(class));
    } else if (session->options->strict != PCAPREPLAY_STREAM) {
        session_fail(session, frame, "the captured client sent %s again", dhcp_class_name(class));
    }
}

/* ---- the run ---- */

/* The server whose offer the captured client requests after frame `index`; 0: none. */
static uint32_t chosen_after(struct dhcp_exchange *run, uint32_t index)
{
    const struct flow *flow = run->session->flow;
    while (index < flow->count && flow->frames[index].flags != DHCP_CLASS_SELECT) {
        index++;
    }
    return index < flow->count && read_frame(run, index, &run->later) ? run->later.wire.server : 0;
}

/* In answer to a REQUEST that names a server only that one's word counts. */
static bool counts(const struct dhcp_exchange *run, const struct dhcp_wire *reply)
{
    return run->awaiting &&
           (run->last != DHCP_CLASS_SELECT || reply->server == run->ours.wire.server);
}

static void await_outcome(struct dhcp_exchange *run, const struct flow_frame *frame,
                          const struct dhcp_wire *reply)
{
    wisp_time limit = wisp_time_add(run->session->now, PATIENCE);
    while (!dhcp_judge_outcome(run, frame, reply, false)) {
        struct dhcp_heard *heard = head(run);
        if (heard && heard->wire.class == run->last) {
            answer_again(run);
        } else if (heard || !advance(run, limit)) {
            dhcp_judge_outcome(run, frame, reply, true);
            return;
        }
    }
    run->awaiting = false;
}

static void follow_server(struct dhcp_exchange *run, uint32_t index, struct dhcp_heard *theirs)
{
    const struct flow_frame *frame = &run->session->flow->frames[index];
    const struct dhcp_wire *reply = &theirs->wire;
    if (!run->started) {
        return;
    }
    uint32_t chosen = reply->class == DHCP_CLASS_OFFER ? chosen_after(run, index) : 0;
    if (chosen && chosen != reply->server) {
        if (run->lates < DHCP_HEARD) {
            run->late[run->lates++] = index;
        }
        return;
    }
    pass_time(run, due_time(run, frame));
    if (frame->flags == DHCP_CLASS_CONFLICT) {
        send_conflict(run, theirs);
        return;
    }
    run->answers_to = index + 1;
    bool judged =
        counts(run, reply) && (reply->class == DHCP_CLASS_ACK || reply->class == DHCP_CLASS_NAK);
    send_reply(run, theirs);
    if (judged) {
        await_outcome(run, frame, reply);
    }
}

static bool begin(struct dhcp_exchange *run, struct session *session)
{
    struct wisp_dhcp_run_config config = {.stack = rig_stack(session->rig),
                                          .udp = rig_udp(session->rig),
                                          .netdev = rig_netdev(session->rig)};
    run->session = session;
    session->out = hear;
    session->engine = run;
    session->result->verdict = PCAPREPLAY_PASS;
    session->ends.to = 0; /* until it has an address */
    wisp_dhcp_config_default(&config.dhcp);
    config.dhcp.hash = rig_hash;
    memcpy(config.dhcp.seed, &session->options->seed, sizeof(session->options->seed));
    size_t size = (wisp_dhcp_run_size(&config) + 63) & ~(size_t)63;
    run->memory = aligned_alloc(64, size);
    run->client = run->memory ? wisp_dhcp_run_init(run->memory, size, &config) : NULL;
    if (!run->client) {
        session_skip(session, "our DHCP client does not start");
        return false;
    }
    settle(run);
    return true;
}

static void run_exchange(struct dhcp_exchange *run)
{
    struct session *session = run->session;
    struct dhcp_heard *theirs = &run->current;
    for (uint32_t i = 0; i < session->flow->count && session->result->verdict == PCAPREPLAY_PASS;
         i++) {
        if (!read_frame(run, i, theirs)) {
            return;
        }
        if (session->flow->frames[i].to_dut) {
            follow_server(run, i, theirs);
        } else {
            follow_client(run, i, theirs);
        }
    }
    pass_time(run, session->now + LAST_DRAIN);
}

void dhcp_replay(struct session *session)
{
    struct dhcp_exchange *run = calloc(1, sizeof(*run));
    if (!run) {
        session_skip(session, "no memory");
        return;
    }
    if (begin(run, session)) {
        run_exchange(run);
        wisp_dhcp_run_fini(run->client, session->now);
    }
    free(run->memory);
    free(run);
}
