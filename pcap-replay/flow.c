/* SPDX-License-Identifier: ISC */
/*
 * The flow table (see flow.h). Flows are found by a hash of their unordered pair of ends and kept in the order of
 * their last frames, so that those over are found at the old end of a list: connections both sides have closed on
 * one of their own, because they are over sooner than others.
 *
 *   proto   ends                       opened by                       over
 *   TCP     two addresses and ports    who sent the SYN                5 s after FIN and FIN, or RST; a new SYN
 *   UDP     two addresses and ports    who sent the first datagram     after 60 s of silence
 *   ICMP    two addresses, echo's id   who asked                       after 60 s of silence
 *   ARP     asker and asked            who asked                       after 60 s of silence
 *   DHCP    the client's card          the client is always ours       after 60 s of silence, and the lease's end
 *   others  two addresses, protocol    who sent first                  after 60 s of silence
 */
#include "flow.h"
#include <stdlib.h>
#include <string.h>

#define BUCKETS      4096u
#define OVER_AFTER   5000000000ull
#define SILENT_AFTER 60000000000ull
#define LEASED       256u
#define WHOLE        2048u /* of UDP: a DHCP message on Ethernet */
#define HEADERS      160u  /* Ethernet with two tags, IPv4 and TCP with all options: 142 */

struct flow_table {
    struct flow_rules rules;
    flow_fn done;
    void *context;
    uint32_t count;
    struct flow *bucket[BUCKETS];
    /* Exchanges with a lease, by address: ARP of another host that has it is theirs. */
    struct flow *leased[LEASED];
    uint8_t head[WHOLE]; /* of the frame that is added */
    struct age {
        struct flow *oldest, *newest;
    } open, closed;
};

/* The ends of a frame, as the frame has them. */
struct ends {
    enum packet_kind kind;
    uint8_t protocol;
    uint32_t from, to;
    uint16_t from_port, to_port;
    uint64_t client; /* of DHCP, for which nothing else counts; else 0 */
};

struct flow_table *flow_table_open(const struct flow_rules *rules, flow_fn done, void *context)
{
    struct flow_table *table = calloc(1, sizeof(*table));
    if (table) {
        table->rules = *rules;
        table->done = done;
        table->context = context;
    }
    return table;
}

static void free_flow(struct flow *flow)
{
    free(flow->frames);
    free(flow->options);
    free(flow);
}

static bool find_ends(const struct packet *packet, const struct dhcp_wire *dhcp, struct ends *ends)
{
    if (packet->kind == PACKET_OTHER) {
        return false;
    }
    *ends = (struct ends){packet->kind,
                          packet->protocol,
                          packet->source,
                          packet->destination,
                          packet->source_port,
                          packet->destination_port,
                          dhcp ? dhcp_flow_client(dhcp) : 0};
    if (packet->kind == PACKET_ICMP) {
        bool echo = packet->icmp_type == 8 || packet->icmp_type == 0;
        ends->from_port = ends->to_port = echo ? packet->icmp_id : 0;
    }
    return true;
}

static uint32_t hash_ends(const struct ends *ends)
{
    if (ends->client) {
        return (uint32_t)(ends->client * 0x9e3779b97f4a7c15u >> 52);
    }
    uint32_t hash = (ends->from ^ ends->to) + (uint32_t)(ends->from_port ^ ends->to_port) * 65599u +
                    (uint32_t)ends->kind * 31u + ends->protocol;
    return hash * 2654435761u >> 20;
}

static bool has_ends(const struct flow *flow, const struct ends *ends, bool *to_dut)
{
    if (flow->kind != ends->kind || flow->protocol != ends->protocol ||
        flow->dhcp.client != ends->client) {
        return false;
    }
    if (ends->client) {
        return true;
    }
    bool in = flow->peer == ends->from && flow->dut == ends->to &&
              flow->peer_port == ends->from_port && flow->dut_port == ends->to_port;
    bool out = flow->dut == ends->from && flow->peer == ends->to &&
               flow->dut_port == ends->from_port && flow->peer_port == ends->to_port;
    *to_dut = in;
    return in || out;
}

static struct flow *find_flow(struct flow_table *table, const struct ends *ends, bool *to_dut)
{
    struct flow *flow = table->bucket[hash_ends(ends) % BUCKETS];
    while (flow && !has_ends(flow, ends, to_dut)) {
        flow = flow->next_in_bucket;
    }
    return flow;
}

/* ---- the list by age ---- */

static bool is_closed(const struct flow *flow)
{
    return flow->kind == PACKET_TCP && (flow->rst || (flow->fin[0] && flow->fin[1]));
}

static struct age *age_of(struct flow_table *table, const struct flow *flow)
{
    return is_closed(flow) ? &table->closed : &table->open;
}

static void unlink_age(struct flow_table *table, struct flow *flow)
{
    struct age *age = age_of(table, flow);
    *(flow->older ? &flow->older->newer : &age->oldest) = flow->newer;
    *(flow->newer ? &flow->newer->older : &age->newest) = flow->older;
}

static void link_newest(struct flow_table *table, struct flow *flow)
{
    struct age *age = age_of(table, flow);
    flow->older = age->newest;
    flow->newer = NULL;
    *(age->newest ? &age->newest->newer : &age->oldest) = flow;
    age->newest = flow;
}

static struct ends ends_of(const struct flow *flow)
{
    struct ends ends = {flow->kind,      flow->protocol, flow->peer,       flow->dut,
                        flow->peer_port, flow->dut_port, flow->dhcp.client};
    return ends;
}

static struct flow **leased_bucket(struct flow_table *table, uint32_t address)
{
    return &table->leased[(address * 2654435761u >> 24) % LEASED];
}

static void unwatch(struct flow_table *table, struct flow *flow)
{
    struct flow **at = leased_bucket(table, flow->dhcp.address);
    while (flow->watched && *at != flow) {
        at = &(*at)->next_leased;
    }
    if (flow->watched) {
        *at = flow->next_leased;
        flow->watched = false;
    }
}

static void watch(struct flow_table *table, struct flow *flow)
{
    struct flow **bucket = leased_bucket(table, flow->dhcp.address);
    if (flow->dhcp.leased) {
        flow->next_leased = *bucket;
        *bucket = flow;
        flow->watched = true;
    }
}

static void finish(struct flow_table *table, struct flow *flow)
{
    unwatch(table, flow);
    struct ends ends = ends_of(flow);
    struct flow **at = &table->bucket[hash_ends(&ends) % BUCKETS];
    while (*at != flow) {
        at = &(*at)->next_in_bucket;
    }
    *at = flow->next_in_bucket;
    unlink_age(table, flow);
    table->done(table->context, flow);
    free_flow(flow);
}

static bool is_over(const struct flow *flow, uint64_t now)
{
    uint64_t silent = now - flow->last;
    if (flow->kind == PACKET_TCP) {
        return silent > OVER_AFTER && is_closed(flow);
    }
    return silent > SILENT_AFTER && silent > flow->dhcp.hold;
}

static void finish_closed(struct flow_table *table, uint64_t now)
{
    while (table->closed.oldest && is_over(table->closed.oldest, now)) {
        finish(table, table->closed.oldest);
    }
}

static void finish_silent(struct flow_table *table, uint64_t now)
{
    struct flow *flow = table->open.oldest;
    /* A few each time: an open connection at the old end must not make every frame look through all. */
    for (int looked = 0; flow && looked < 4; looked++) {
        struct flow *newer = flow->newer;
        if (is_over(flow, now)) {
            finish(table, flow);
        } else if (now - flow->last > SILENT_AFTER) {
            unlink_age(table, flow);
            link_newest(table, flow);
        } else {
            return;
        }
        flow = newer;
    }
}

/* ---- frames ---- */

/* True when the sender of the frame is to be the stack. */
static bool sender_is_dut(const struct flow_table *table, const struct packet *packet,
                          const struct ends *ends)
{
    /* An answer that comes first shows its side, too: the request was before the capture. */
    bool answers = (packet->kind == PACKET_TCP &&
                    (packet->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) ||
                   (packet->kind == PACKET_ICMP && packet->icmp_type == 0) ||
                   (packet->kind == PACKET_ARP && packet->icmp_code == 2);
    if (table->rules.any_dut) {
        return answers;
    }
    bool from = ((ends->from ^ table->rules.dut) & table->rules.dut_mask) == 0;
    bool to = ((ends->to ^ table->rules.dut) & table->rules.dut_mask) == 0;
    return from && to ? answers : from;
}

static struct flow *make_flow(struct flow_table *table, const struct packet *packet,
                              const struct ends *ends, bool *to_dut)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    if (!flow) {
        return NULL;
    }
    bool from_dut = sender_is_dut(table, packet, ends);
    *to_dut = !from_dut;
    flow->id = ++table->count;
    flow->kind = ends->kind;
    flow->protocol = ends->protocol;
    flow->dut = from_dut ? ends->from : ends->to;
    flow->peer = from_dut ? ends->to : ends->from;
    flow->dut_port = from_dut ? ends->from_port : ends->to_port;
    flow->peer_port = from_dut ? ends->to_port : ends->from_port;
    flow->offered_by = ends->from;
    flow->opened_by_dut = from_dut && !(packet->kind == PACKET_TCP && (packet->flags & TCP_ACK));
    flow->dhcp.client = ends->client;
    memcpy(flow->dut_mac, packet->bytes + (from_dut ? 6 : 0), 6);
    memcpy(flow->peer_mac, packet->bytes + (from_dut ? 0 : 6), 6);
    struct flow **bucket = &table->bucket[hash_ends(ends) % BUCKETS];
    flow->next_in_bucket = *bucket;
    *bucket = flow;
    link_newest(table, flow);
    return flow;
}

static bool grow(void **array, uint32_t *space, uint32_t needed, size_t size)
{
    if (needed <= *space) {
        return true;
    }
    uint32_t more = *space ? 2 * *space : 16;
    more = more < needed ? needed : more;
    void *grown = realloc(*array, more * size);
    if (!grown) {
        return false;
    }
    *array = grown;
    *space = more;
    return true;
}

static bool keep_frame(struct flow *flow, const struct captured *frame, const struct packet *packet,
                       enum dhcp_class class, bool to_dut)
{
    void *frames = flow->frames;
    void *options = flow->options;
    bool good =
        grow(&frames, &flow->space, flow->count + 1, sizeof(flow->frames[0])) &&
        grow(&options, &flow->options_space, flow->options_used + packet->options_length, 1);
    flow->frames = frames;
    flow->options = options;
    if (!good) {
        return false;
    }
    flow->frames[flow->count++] = (struct flow_frame){
        .number = frame->number,
        .time = frame->time,
        .position = frame->position,
        .seq = packet->seq,
        .ack = packet->ack,
        .length = packet->payload_length,
        .options = flow->options_used,
        .window = packet->window,
        .ip_id = packet->ip_id,
        .urgent = packet->urgent,
        .flags = flow->dhcp.client             ? (uint8_t) class
                 : packet->kind == PACKET_TCP  ? packet->flags
                 : packet->kind == PACKET_ICMP ? packet->icmp_type
                                               : packet->icmp_code,
        .options_length = packet->options_length,
        .ttl = packet->ttl,
        .tos = packet->tos,
        .to_dut = to_dut,
        .dont_fragment = packet->dont_fragment,
        .fragment = packet->fragment,
    };
    if (packet->options_length) {
        memcpy(flow->options + flow->options_used, packet->bytes + packet->transport + 20,
               packet->options_length);
        flow->options_used += packet->options_length;
    }
    return true;
}

static void note_frame(struct flow *flow, const struct captured *frame, const struct packet *packet,
                       bool to_dut)
{
    flow->last = frame->time;
    flow->cut |= packet->cut;
    flow->vlan |= packet->vlan;
    flow->fragments |= packet->fragment;
    if (packet->kind == PACKET_TCP) {
        flow->fin[to_dut ? 0 : 1] |= (packet->flags & TCP_FIN) != 0;
        flow->rst |= (packet->flags & TCP_RST) != 0;
    }
    if (!to_dut) {
        memcpy(flow->dut_mac, packet->bytes + 6, 6);
    } else {
        memcpy(flow->peer_mac, packet->bytes + 6, 6);
    }
}

/* True when a SYN begins another connection between the same ends. */
static bool begins_anew(const struct flow *flow, const struct packet *packet)
{
    if (flow->kind != PACKET_TCP || (packet->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN) {
        return false;
    }
    for (uint32_t i = 0; i < flow->count; i++) {
        if ((flow->frames[i].flags & TCP_SYN) && flow->frames[i].seq == packet->seq) {
            return false;
        }
    }
    return true;
}

/* A frame of a DHCP exchange: who is who is said by the messages, not by addresses. */
static void note_dhcp(struct flow_table *table, struct flow *flow, const struct dhcp_wire *dhcp,
                      const struct packet *packet)
{
    unwatch(table, flow);
    dhcp_flow_note(&flow->dhcp, dhcp, packet->source);
    watch(table, flow);
    flow->opened_by_dut = true;
    flow->dut = flow->dhcp.address;
    flow->dut_port = 68;
    flow->peer_port = 67;
    memcpy(flow->dut_mac, dhcp->chaddr, 6);
    if (dhcp->reply || flow->count == 1) {
        flow->peer = dhcp->reply ? packet->source : packet->destination;
        memcpy(flow->peer_mac, packet->bytes + (dhcp->reply ? 6 : 0), 6);
    }
}

/* Another host says it has an address that a client has leased: that belongs to the client's exchange, too. */
static void add_conflicts(struct flow_table *table, const struct captured *frame,
                          const struct packet *packet)
{
    if (packet->kind != PACKET_ARP) {
        return;
    }
    for (struct flow *flow = *leased_bucket(table, packet->source); flow;
         flow = flow->next_leased) {
        if (flow->dhcp.address == packet->source &&
            memcmp(flow->dut_mac, packet->bytes + 6, 6) != 0) {
            keep_frame(flow, frame, packet, DHCP_CLASS_CONFLICT, true);
        }
    }
}

static bool is_of_dut(const struct flow_table *table, const struct ends *ends)
{
    return table->rules.any_dut || ends->client ||
           ((ends->from ^ table->rules.dut) & table->rules.dut_mask) == 0 ||
           ((ends->to ^ table->rules.dut) & table->rules.dut_mask) == 0;
}

/* True when the frame is not of the flow between its ends, but of another that comes after it. */
static bool is_of_next(const struct flow *flow, const struct packet *packet,
                       const struct dhcp_wire *dhcp, uint64_t now)
{
    return is_over(flow, now) || (dhcp ? dhcp_flow_begins_anew(&flow->dhcp, dhcp, packet->source)
                                       : begins_anew(flow, packet));
}

bool flow_table_add(struct flow_table *table, const struct captured *frame,
                    const struct packet *decoded)
{
    struct ends ends;
    struct dhcp_wire wire;
    bool to_dut;
    /* Finishing a flow reads the capture again, which may end the life of the frame's bytes: headers are kept. */
    struct packet kept = *decoded;
    const struct packet *packet = &kept;
    bool may_be_dhcp =
        decoded->kind == PACKET_UDP && (decoded->source_port == 67 || decoded->source_port == 68);
    uint32_t most = may_be_dhcp ? WHOLE : HEADERS;
    kept.bytes = table->head;
    kept.length = decoded->length < most ? decoded->length : most;
    memcpy(table->head, decoded->bytes, kept.length);
    const struct dhcp_wire *dhcp =
        dhcp_wire_read(&wire, packet) && dhcp_flow_client(&wire) ? &wire : NULL;
    kept.length = decoded->length;
    finish_closed(table, frame->time);
    finish_silent(table, frame->time);
    if (!find_ends(packet, dhcp, &ends) || !is_of_dut(table, &ends)) {
        return false;
    }
    add_conflicts(table, frame, packet);
    struct flow *flow = find_flow(table, &ends, &to_dut);
    if (flow && is_of_next(flow, packet, dhcp, frame->time)) {
        finish(table, flow);
        flow = NULL;
    }
    if (!flow) {
        flow = make_flow(table, packet, &ends, &to_dut);
    }
    to_dut = dhcp ? dhcp->reply : to_dut;
    if (!flow || !keep_frame(flow, frame, packet, dhcp ? dhcp->class : DHCP_CLASS_OTHER, to_dut)) {
        return false;
    }
    unlink_age(table, flow);
    note_frame(flow, frame, packet, to_dut);
    if (dhcp) {
        note_dhcp(table, flow, dhcp, packet);
    }
    link_newest(table, flow);
    return true;
}

void flow_table_close(struct flow_table *table)
{
    while (table->open.oldest) {
        finish(table, table->open.oldest);
    }
    while (table->closed.oldest) {
        finish(table, table->closed.oldest);
    }
    free(table);
}
