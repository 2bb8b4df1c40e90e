/* SPDX-License-Identifier: ISC */
/*
 * IPv4 output (RFC 791, RFC 1122 §3.2.1, §3.3.1). A destination used before has its whole Ethernet
 * header in the next-hop cache, good for a second unless a route, an address or a neighbour changes
 * (`generation`), and remembers the source address that was found fit for it, so that a packet
 * costs two comparisons and two small headers. Otherwise: broadcast, group, or route and ARP.
 *
 * The express way is for what is known all along (see l3.h): such a hop, a small packet, an
 * unchanged device. It writes the same bytes and counts the same.
 *
 * A packet whose next hop is being asked for waits with its IPv4 header on, uncut: it is fragmented
 * when it leaves, by the MTU of then.
 */
#include "assert.h"
#include "ethif_wire.h"
#include "ipv4_priv.h"

/* Sends what is complete down to the IPv4 header. */
void wisp_ipv4_resolved(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, const uint8_t *header,
                        wisp_time now)
{
    if (pkt->length > ip->eth->dev->caps.mtu && pkt->gso == WISP_GSO_NONE) {
        wisp_ipv4_fragment(ip, pkt, header, now);
    } else {
        wisp_ethif_send(ip->eth, pkt, header, now);
    }
}

static bool hop_is_good(const struct wisp_ipv4 *ip, const struct wisp_ipv4_hop *hop,
                        uint32_t destination, wisp_time now)
{
    return hop->destination == destination && hop->generation == ip->generation && now < hop->until;
}

static __attribute__((noinline)) void keep_hop(struct wisp_ipv4 *ip, struct wisp_ipv4_hop *hop,
                                               uint32_t destination, struct wisp_mac mac,
                                               wisp_time until)
{
    hop->destination = destination;
    hop->source = 0;
    hop->generation = ip->generation;
    hop->until = until;
    wisp_ethif_header(ip->eth, mac, WISP_ETHERTYPE_IPV4, hop->header);
}

/* RFC 1112 §6.4: the group's low 23 bits under 01:00:5e. */
static struct wisp_mac group_mac(uint32_t group)
{
    struct wisp_mac mac = {
        {0x01, 0x00, 0x5e, (uint8_t)(group >> 16 & 0x7f), (uint8_t)(group >> 8), (uint8_t)group}};
    return mac;
}

/* The hop for destination without asking anybody: cached, broadcast, group. */
static bool find_hop_at_once(struct wisp_ipv4 *ip, struct wisp_ipv4_hop *hop,
                             struct wisp_ip4 destination)
{
    static const struct wisp_mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    uint32_t value = wisp_ip4_value(destination);
    if (wisp_ipv4_is_broadcast(ip, destination)) {
        keep_hop(ip, hop, value, everybody, WISP_NEVER);
        return true;
    }
    if (wisp_ip4_is_group(destination)) {
        keep_hop(ip, hop, value, group_mac(value), WISP_NEVER);
        return true;
    }
    return false;
}

static enum wisp_err refuse(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, enum wisp_ipv4_count why,
                            enum wisp_err err)
{
    ip->count[why]++;
    wisp_pkt_drop(pkt);
    return err;
}

/* The slow way: routes, then ARP. */
static enum wisp_err send_by_route(struct wisp_ipv4 *ip, struct wisp_pkt *pkt,
                                   struct wisp_ipv4_hop *hop, struct wisp_ip4 destination,
                                   wisp_time now)
{
    struct wisp_ip4 next;
    struct wisp_mac mac;
    wisp_time until;
    if (find_hop_at_once(ip, hop, destination)) {
        wisp_ipv4_resolved(ip, pkt, hop->header, now);
        return WISP_OK;
    }
    if (!wisp_ipv4_next_hop(ip, destination, &next)) {
        return refuse(ip, pkt, WISP_IPV4_TX_NO_ROUTE, WISP_ERR_UNREACHABLE);
    }
    wisp_ipv4_retry_gateways(ip, destination, now);
    switch (wisp_arp_resolve(ip->arp, next, now, &mac, &until)) {
    case WISP_ARP_KNOWN:
        keep_hop(ip, hop, wisp_ip4_value(destination), mac, until);
        wisp_ipv4_resolved(ip, pkt, hop->header, now);
        return WISP_OK;
    case WISP_ARP_ASKING:
        wisp_arp_wait(ip->arp, next, pkt, now);
        return WISP_OK;
    default:
        return refuse(ip, pkt, WISP_IPV4_TX_UNREACHABLE, WISP_ERR_UNREACHABLE);
    }
}

/* The source must be ours, or nothing at all towards a broadcast: RFC 1122 §3.2.1.3. */
static bool addresses_are_fit(const struct wisp_ipv4 *ip, struct wisp_ip4 source,
                              struct wisp_ip4 destination)
{
    const struct wisp_ipv4_address *own = wisp_ipv4_address_find(ip, source);
    if (!own && !(wisp_ip4_value(source) == 0 && wisp_ipv4_is_broadcast(ip, destination))) {
        return false;
    }
    return wisp_ip4_value(destination) != 0 &&
           (wisp_ip4_is_host(destination) || wisp_ip4_is_group(destination) ||
            wisp_ipv4_is_broadcast(ip, destination)) &&
           !wisp_ipv4_address_find(ip, destination);
}

/* A tagged address as the plain kind; "any" is 0.0.0.0. */
static struct wisp_ip4 plain(const struct wisp_addr *addr)
{
    WISP_ASSERT(addr->family != WISP_FAMILY_IP6);
    return addr->family == WISP_FAMILY_IP4 ? addr->u.ip4 : wisp_ip4(0, 0, 0, 0);
}

/* RFC 6864: a datagram that is never cut needs no identification. */
static void put_header(struct wisp_ipv4 *ip, uint8_t *p, uint32_t length,
                       const struct wisp_flow *flow, struct wisp_ip4 source,
                       struct wisp_ip4 destination)
{
    struct wisp_ipv4_header h = {.tos = flow->tos,
                                 .ttl = flow->ttl,
                                 .protocol = flow->protocol,
                                 .total = (uint16_t)length,
                                 .fragment = flow->dont_fragment ? WISP_IPV4_DF : 0,
                                 .source = source,
                                 .destination = destination};
    if (!flow->dont_fragment) {
        h.id = wisp_ipv4_next_id(ip, wisp_ip4_value(source), wisp_ip4_value(destination),
                                 flow->protocol);
    }
    wisp_ipv4_emit(p, &h);
}

static struct wisp_ipv4_hop *hop_of(struct wisp_ipv4 *ip, uint32_t destination)
{
    return &ip->hop[(destination ^ destination >> 8) & (WISP_IPV4_HOPS - 1)];
}

enum wisp_err wisp_ipv4_send(void *self, struct wisp_pkt *pkt, const struct wisp_flow *flow,
                             wisp_time now)
{
    struct wisp_ipv4 *ip = self;
    struct wisp_ip4 source = plain(&flow->local);
    struct wisp_ip4 destination = plain(&flow->remote);
    uint32_t value = wisp_ip4_value(destination);
    struct wisp_ipv4_hop *hop = hop_of(ip, value);
    bool known = hop_is_good(ip, hop, value, now);
    WISP_ASSERT(flow->ttl != 0);
    if (!known || hop->source != wisp_ip4_value(source) || hop->source == 0) {
        if (!addresses_are_fit(ip, source, destination)) {
            return refuse(ip, pkt, WISP_IPV4_TX_BAD_ADDRESS, WISP_ERR_ADDRESS_LOST);
        }
        if (known) {
            hop->source = wisp_ip4_value(source);
        }
    }
    uint32_t largest =
        pkt->gso != WISP_GSO_NONE || !flow->dont_fragment ? UINT16_MAX : ip->eth->dev->caps.mtu;
    if (pkt->length + WISP_IPV4_HEADER > largest) {
        return refuse(ip, pkt, WISP_IPV4_TX_TOO_BIG, WISP_ERR_INVALID);
    }
    uint8_t *p = wisp_pkt_push(pkt, WISP_IPV4_HEADER);
    WISP_ASSERT(p);
    put_header(ip, p, pkt->length, flow, source, destination);
    ip->count[WISP_IPV4_TX_SENT]++;
    if (known) {
        wisp_ipv4_resolved(ip, pkt, hop->header, now);
        return WISP_OK;
    }
    return send_by_route(ip, pkt, hop, destination, now);
}

/* The header of a datagram of total bytes to p, its checksum from the pseudo-header's sum, which
 * has the addresses and the protocol in it. */
static void put_express(uint8_t *p, const struct wisp_flow *flow, uint32_t total, uint16_t id,
                        uint16_t pseudo)
{
    uint32_t first = 0x45000000u | (uint32_t)flow->tos << 16 | total;
    uint32_t second = (uint32_t)id << 16 | (flow->dont_fragment ? WISP_IPV4_DF : 0);
    uint32_t third = (uint32_t)flow->ttl << 24;
    uint16_t sum = wisp_sum_fold((uint64_t)first + second + third + wisp_sum_word(pseudo));
    wisp_be32_put(p, first);
    wisp_be32_put(p + 4, second);
    wisp_be32_put(p + 8, third | (uint32_t)flow->protocol << 16 | (uint16_t)~sum);
    wisp_ip4_put(p + 12, flow->local.u.ip4);
    wisp_ip4_put(p + 16, flow->remote.u.ip4);
}

struct wisp_pkt *wisp_ipv4_express(void *self, const struct wisp_flow *flow, uint16_t pseudo,
                                   uint32_t length, bool reserved, wisp_time now)
{
    struct wisp_ipv4 *ip = self;
    const struct wisp_netdev_caps *caps = &ip->eth->dev->caps;
    uint32_t source = wisp_ip4_value(flow->local.u.ip4);
    uint32_t destination = wisp_ip4_value(flow->remote.u.ip4);
    uint32_t total = length + WISP_IPV4_HEADER;
    WISP_ASSERT(flow->local.family == WISP_FAMILY_IP4 && flow->remote.family == WISP_FAMILY_IP4);
    const struct wisp_ipv4_hop *hop = hop_of(ip, destination);
    if (!hop_is_good(ip, hop, destination, now) || hop->source != source || source == 0 ||
        total > caps->mtu || caps->generation != ip->l3.tcp.generation) {
        return NULL;
    }
    struct wisp_pkt *pkt =
        wisp_ethif_express(ip->eth, hop->header, WISP_IPV4_HEADER, total, reserved);
    if (!pkt) {
        return NULL;
    }
    uint16_t id =
        flow->dont_fragment ? 0 : wisp_ipv4_next_id(ip, source, destination, flow->protocol);
    put_express(wisp_pkt_transport(pkt) - WISP_IPV4_HEADER, flow, total, id, pseudo);
    ip->count[WISP_IPV4_TX_SENT]++;
    return pkt;
}
