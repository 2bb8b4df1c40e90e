/* SPDX-License-Identifier: ISC */
/*
 * Who the stack is in inject mode (see host.h). A stack has one hardware address, so of each conversation it can be one
 * side only, and as in endpoint mode that is the responder:
 *
 *   hardware address   the one most frames go to that are on their way to a responder, of the first frames; if there
 *                      are none, the one that answers ARP; else the first that a frame goes to alone
 *   addresses          those the frames go to which this card takes; on a gateway's card these are the hosts behind it
 *
 * Only what the card takes counts: a frame to others, with a VLAN tag, or from an impossible card never reaches IPv4.
 * An address that sends to us is another host's: were it ours, all its frames would be dropped for their source.
 */
#include "host.h"
#include <string.h>

static bool is_zero(const uint8_t mac[6])
{
    static const uint8_t zero[6];
    return memcmp(mac, zero, sizeof(zero)) == 0;
}

static bool is_ip4(const struct packet *packet)
{
    return packet->kind >= PACKET_IP4 && packet->kind != PACKET_IP6;
}

static bool is_dut(const struct flow_rules *rules, uint32_t address)
{
    return rules->any_dut || ((address ^ rules->dut) & rules->dut_mask) == 0;
}

/* ---- the first frames ---- */

/* A frame that cannot be the first of its conversation. */
static bool is_answer(const struct packet *packet)
{
    switch (packet->kind) {
    case PACKET_TCP:
        return (packet->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    case PACKET_ICMP:
        return packet->icmp_type == 0;
    case PACKET_ARP:
        return packet->icmp_code == 2;
    default:
        return false;
    }
}

static bool same_way(const struct packet *a, const struct packet *b)
{
    return a->protocol == b->protocol && a->source == b->source &&
           a->destination == b->destination && a->source_port == b->source_port &&
           a->destination_port == b->destination_port;
}

static bool other_way(const struct packet *a, const struct packet *b)
{
    return a->protocol == b->protocol && a->source == b->destination &&
           a->destination == b->source && a->source_port == b->destination_port &&
           a->destination_port == b->source_port;
}

/* Frame i is on its way from the side that opened the conversation to the one that responds. */
static bool goes_to_responder(const struct packet *packets, uint32_t i)
{
    const struct packet *packet = &packets[i];
    for (uint32_t j = 0; j < i; j++) {
        if (!is_ip4(&packets[j])) {
            continue;
        }
        if (same_way(&packets[j], packet)) {
            return !is_answer(&packets[j]);
        }
        if (other_way(&packets[j], packet)) {
            return is_answer(&packets[j]);
        }
    }
    return !is_answer(packet);
}

/* Whether a card of that address would take the frame. */
static bool card_takes(const uint8_t mac[6], const struct packet *packet)
{
    return is_ip4(packet) && !packet->vlan && memcmp(packet->bytes, mac, 6) == 0 &&
           memcmp(packet->bytes + 6, mac, 6) != 0 && !(packet->bytes[6] & 1) &&
           !is_zero(packet->bytes + 6);
}

/* It says who is to be ours. Of hosts that the user named, any frame does. */
static bool counts(const struct host *host, const struct packet *packets, uint32_t i)
{
    const struct packet *packet = &packets[i];
    return is_ip4(packet) && !(packet->bytes[0] & 1) && !is_zero(packet->bytes) &&
           card_takes(packet->bytes, packet) &&
           wisp_ip4_is_host(wisp_ip4_from_value(packet->destination)) &&
           packet->destination != packet->source && is_dut(&host->rules, packet->destination) &&
           (!host->rules.any_dut || goes_to_responder(packets, i));
}

static void set_mac(struct host *host, const uint8_t mac[6])
{
    memcpy(host->mac.octet, mac, 6);
}

/* The card without a vote: that of the first ARP answer, else of the first frame to one station. */
static void choose_any_mac(struct host *host, const struct packet *packets, uint32_t count)
{
    static const uint8_t none[6] = {2, 0, 0, 0, 0, 2};
    set_mac(host, none);
    for (uint32_t i = count; i-- > 0;) {
        const uint8_t *bytes = packets[i].bytes;
        if (packets[i].length >= 14 && !(bytes[0] & 1) && !is_zero(bytes)) {
            set_mac(host, bytes);
        }
    }
    for (uint32_t i = count; i-- > 0;) {
        const uint8_t *bytes = packets[i].bytes;
        if (packets[i].kind == PACKET_ARP && is_answer(&packets[i]) && !(bytes[6] & 1) &&
            !is_zero(bytes + 6)) {
            set_mac(host, bytes + 6);
        }
    }
}

static void choose_mac(struct host *host, const struct packet *packets, const bool *counted,
                       uint32_t count)
{
    uint32_t most = 0;
    choose_any_mac(host, packets, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t votes = 0;
        for (uint32_t j = 0; counted[i] && j < count; j++) {
            votes += counted[j] && memcmp(packets[i].bytes, packets[j].bytes, 6) == 0;
        }
        if (votes > most) {
            most = votes;
            set_mac(host, packets[i].bytes);
        }
    }
}

/* ---- addresses ---- */

static uint64_t *sender_word(struct host *host, uint32_t address, uint64_t *bit)
{
    uint32_t hash = address * 2654435761u >> 20; /* Knuth's multiplier; 12 bits are HOST_SENDERS */
    *bit = (uint64_t)1 << (hash & 63);
    return &host->sender[hash >> 6];
}

static bool has_address(const struct host *host, uint32_t address)
{
    for (uint32_t i = 0; i < host->addresses; i++) {
        if (host->address[i] == address) {
            return true;
        }
    }
    return false;
}

static bool adopt(struct host *host, uint32_t address)
{
    uint64_t bit;
    if (host->addresses == HOST_ADDRESSES || !wisp_ip4_is_host(wisp_ip4_from_value(address)) ||
        !is_dut(&host->rules, address) || has_address(host, address) ||
        (*sender_word(host, address, &bit) & bit)) {
        return false;
    }
    host->address[host->addresses++] = address;
    return true;
}

static bool is_request(const struct host *host, const struct packet *packet)
{
    if (packet->kind != PACKET_ARP || packet->icmp_code != 1 || packet->vlan) {
        return false; /* a frame of another kind may be shorter than an address */
    }
    return (packet->bytes[0] & 1) || memcmp(packet->bytes, host->mac.octet, 6) == 0;
}

bool host_takes(const struct host *host, const struct packet *packet)
{
    return card_takes(host->mac.octet, packet) || is_request(host, packet);
}

bool host_is_ours(const struct host *host, const struct packet *packet)
{
    return packet->destination == UINT32_MAX || has_address(host, packet->destination);
}

bool host_meets(struct host *host, const struct packet *packet)
{
    uint64_t bit;
    if (!host_takes(host, packet)) {
        return false;
    }
    *sender_word(host, packet->source, &bit) |= bit;
    return (packet->kind != PACKET_ARP || host->by_arp) && packet->source != packet->destination &&
           adopt(host, packet->destination);
}

void host_choose(struct host *host, const struct flow_rules *rules, const struct wisp_mac *mac,
                 const struct packet *packets, uint32_t count)
{
    bool counted[HOST_FIRST];
    *host = (struct host){.rules = *rules, .by_arp = true};
    for (uint32_t i = 0; i < count; i++) {
        counted[i] = counts(host, packets, i);
        host->by_arp &= !counted[i];
    }
    choose_mac(host, packets, counted, count);
    if (mac) {
        host->mac = *mac;
    }
    if (!rules->any_dut && rules->dut_mask == UINT32_MAX) {
        adopt(host, rules->dut);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (counted[i]) {
            host_meets(host, &packets[i]);
        }
    }
}
