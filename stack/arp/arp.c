/* SPDX-License-Identifier: ISC */
/*
 * ARP's input and output (RFC 826). An entry is made only for a neighbour we asked for, or for one
 * that asks us; replies nobody asked for change nothing. The frame's source must be the station the
 * message tells of: proxies that differ are declined, and counted.
 */
#include "arp_priv.h"
#include "count_names.h"
#include "ethif_wire.h"

#define NAMES(NAME)                                                                                \
    NAME(WISP_ARP_RX_REQUEST, "arp.rx.request")                                                    \
    NAME(WISP_ARP_RX_REPLY, "arp.rx.reply")                                                        \
    NAME(WISP_ARP_RX_SHORT, "arp.rx.short")                                                        \
    NAME(WISP_ARP_RX_NOT_ETHERNET_IPV4, "arp.rx.not_ethernet_ipv4")                                \
    NAME(WISP_ARP_RX_OPERATION, "arp.rx.operation")                                                \
    NAME(WISP_ARP_RX_SOURCE_MISMATCH, "arp.rx.source_mismatch")                                    \
    NAME(WISP_ARP_RX_BAD_SENDER, "arp.rx.bad_sender")                                              \
    NAME(WISP_ARP_RX_UNSOLICITED, "arp.rx.unsolicited")                                            \
    NAME(WISP_ARP_RX_CHANGE_DOUBTED, "arp.rx.change_doubted")                                      \
    NAME(WISP_ARP_RX_CONFLICT, "arp.rx.conflict")                                                  \
    NAME(WISP_ARP_TX_REQUEST, "arp.tx.request")                                                    \
    NAME(WISP_ARP_TX_REPLY, "arp.tx.reply")                                                        \
    NAME(WISP_ARP_TX_PROBE, "arp.tx.probe")                                                        \
    NAME(WISP_ARP_TX_ANNOUNCEMENT, "arp.tx.announcement")                                          \
    NAME(WISP_ARP_TX_NO_PACKET, "arp.tx.no_packet")                                                \
    NAME(WISP_ARP_EVICTED, "arp.evicted")                                                          \
    NAME(WISP_ARP_FULL, "arp.full")                                                                \
    NAME(WISP_ARP_FAILED, "arp.failed")                                                            \
    NAME(WISP_ARP_QUEUE_DROPPED, "arp.queue_dropped")                                              \
    NAME(WISP_ARP_UNANSWERED_DROPPED, "arp.unanswered_dropped")
WISP_COUNT_NAMES(NAMES, WISP_ARP_COUNTS);

const struct wisp_mac wisp_arp_everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

bool wisp_arp_send(struct wisp_arp *arp, struct wisp_mac destination,
                   const struct wisp_arp_message *message, wisp_time now)
{
    struct wisp_pkt *pkt = wisp_ethif_alloc(arp->eth, true);
    if (!pkt) {
        arp->count[WISP_ARP_TX_NO_PACKET]++;
        return false;
    }
    uint8_t header[WISP_ETHIF_HEADER];
    wisp_ethif_header(arp->eth, destination, WISP_ETHERTYPE_ARP, header);
    wisp_arp_emit(wisp_pkt_extend(pkt, WISP_ARP_SIZE), message);
    wisp_ethif_send(arp->eth, pkt, header, now);
    return true;
}

void wisp_arp_ask(struct wisp_arp *arp, struct wisp_ip4 target, struct wisp_mac destination,
                  wisp_time now)
{
    struct wisp_arp_message ask = {
        .operation = WISP_ARP_REQUEST, .sender_mac = arp->eth->mac, .target = target};
    if (!arp->upper.source(arp->upper.self, target, &ask.sender)) {
        return;
    }
    if (wisp_arp_send(arp, destination, &ask, now)) {
        arp->count[WISP_ARP_TX_REQUEST]++;
    }
}

/* Decodes a whole, sane message; or says why not. */
static enum wisp_arp_count parse(const struct wisp_pkt *pkt, struct wisp_mac source,
                                 struct wisp_arp_message *message)
{
    uint8_t bytes[WISP_ARP_SIZE];
    if (!wisp_pkt_read(pkt, 0, bytes, sizeof(bytes))) {
        return WISP_ARP_RX_SHORT;
    }
    if (!wisp_arp_parse(bytes, message)) {
        return WISP_ARP_RX_NOT_ETHERNET_IPV4;
    }
    if (message->operation != WISP_ARP_REQUEST && message->operation != WISP_ARP_REPLY) {
        return WISP_ARP_RX_OPERATION;
    }
    if (!wisp_mac_equal(source, message->sender_mac)) {
        return WISP_ARP_RX_SOURCE_MISMATCH;
    }
    return message->operation == WISP_ARP_REQUEST ? WISP_ARP_RX_REQUEST : WISP_ARP_RX_REPLY;
}

static void answer(struct wisp_arp *arp, const struct wisp_arp_message *request, wisp_time now)
{
    struct wisp_arp_message reply = {.operation = WISP_ARP_REPLY,
                                     .sender_mac = arp->eth->mac,
                                     .sender = request->target,
                                     .target_mac = request->sender_mac,
                                     .target = request->sender};
    if (wisp_arp_send(arp, request->sender_mac, &reply, now)) {
        arp->count[WISP_ARP_TX_REPLY]++;
    }
}

/* Whether an entry for the sender may be: it is a neighbour, or a gateway, which may lie outside of
 * every network of ours. A probe (RFC 5227) names no sender. */
static bool may_learn(struct wisp_arp *arp, struct wisp_ip4 sender)
{
    if (wisp_ip4_value(sender) == 0) {
        return false;
    }
    if (arp->upper.on_link(arp->upper.self, sender) ||
        arp->upper.is_gateway(arp->upper.self, sender)) {
        return true;
    }
    arp->count[WISP_ARP_RX_BAD_SENDER]++;
    return false;
}

/* RFC 826's "packet reception", behind the checks. */
static void receive(struct wisp_arp *arp, const struct wisp_arp_message *message, wisp_time now)
{
    const struct wisp_claim *claim = wisp_claim_find(arp, message->target);
    bool asks_us = claim && wisp_claim_in_use(claim) && message->operation == WISP_ARP_REQUEST;
    if (may_learn(arp, message->sender)) {
        wisp_neighbour_heard(arp, message->sender, message->sender_mac, asks_us, now);
    }
    if (asks_us) {
        answer(arp, message, now);
    }
}

void wisp_arp_input(struct wisp_arp *arp, struct wisp_pkt *pkt, struct wisp_mac source,
                    wisp_time now)
{
    struct wisp_arp_message message;
    enum wisp_arp_count verdict = parse(pkt, source, &message);
    wisp_pkt_drop(pkt);
    arp->count[verdict]++;
    if (verdict > WISP_ARP_RX_REPLY) {
        return;
    }
    if (!wisp_claim_watch(arp, &message, now)) {
        receive(arp, &message, now);
    }
}

void wisp_arp_expire_due(struct wisp_arp *arp, wisp_time now)
{
    wisp_neighbour_expire(arp, now);
    wisp_claim_expire(arp, now);
    arp->at = wisp_time_min(wisp_wheel_deadline(&arp->wheel, now), wisp_claim_deadline(arp));
}

bool wisp_arp_counter(const struct wisp_arp *arp, uint32_t index, struct wisp_counter *counter)
{
    return wisp_count_at(&count_names, arp->count, index, counter);
}
