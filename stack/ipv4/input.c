/* SPDX-License-Identifier: ISC */
/*
 * IPv4 input (RFC 791, RFC 1122 §3.2.1, §3.3.6, RFC 7126). The checks come in the order in which
 * each makes the next one's bytes trustworthy: length, version, header length, total length,
 * checksum; then the packet is cut to its total length, so that everything later knows one length
 * only; then source, destination, options, fragments, and the transport.
 *
 * Left out: options are skipped, not handed up; datagrams with source routes are dropped; nothing
 * is ever forwarded.
 */
#include "assert.h"
#include "ipv4_priv.h"

#define OPTION_END    0u
#define OPTION_NOP    1u
#define OPTION_LSRR   131u
#define OPTION_SSRR   137u
#define TRANSPORT_MIN 8u /* of the transport header, lies together with the IPv4 header */

#define PARAMETER_PROBLEM 12u
#define UNREACHABLE       3u
#define CODE_PROTOCOL     2u
#define CODE_REASSEMBLY   1u
#define TIME_EXCEEDED     11u
#define PROTOCOL_UDP      17u

/* Joins the largest possible header and the start of the transport's, if they lie in pieces. */
static bool gather(struct wisp_ipv4 *ip, struct wisp_pkt *pkt)
{
    uint32_t want = WISP_IPV4_HEADER_MAX + TRANSPORT_MIN;
    if (want > pkt->length) {
        want = pkt->length;
    }
    return wisp_pkt_linear(pkt) >= want ||
           wisp_pkt_linearise(pkt, ip->l3.pages, want, &ip->count[WISP_IPV4_BYTES_LINEARISED]);
}

/* Checks and decodes the header; cuts the packet to its total length. */
static enum wisp_ipv4_count parse(struct wisp_ipv4 *ip, struct wisp_pkt *pkt,
                                  struct wisp_ipv4_header *h)
{
    if (pkt->length < WISP_IPV4_HEADER) {
        return WISP_IPV4_RX_SHORT;
    }
    if (!gather(ip, pkt)) {
        return WISP_IPV4_RX_NO_PAGE;
    }
    const uint8_t *p = wisp_pkt_head(pkt);
    if (p[0] >> 4 != 4) {
        return WISP_IPV4_RX_VERSION;
    }
    wisp_ipv4_parse(p, h);
    if (h->size < WISP_IPV4_HEADER || h->size > pkt->length) {
        return WISP_IPV4_RX_HEADER_LENGTH;
    }
    if (h->total < h->size || h->total > pkt->length) {
        return WISP_IPV4_RX_TOTAL_LENGTH;
    }
    uint16_t sum = wisp_ipv4_sum(p);
    if (h->size > WISP_IPV4_HEADER) {
        sum = wisp_sum_add(sum, ip->l3.sum(p + WISP_IPV4_HEADER, h->size - WISP_IPV4_HEADER));
    }
    if (sum != 0xffff) {
        return WISP_IPV4_RX_BAD_CHECKSUM;
    }
    if (pkt->length > h->total) {
        wisp_pkt_trim(pkt, h->total);
    }
    return WISP_IPV4_RX_DELIVERED;
}

/* RFC 1122 §3.2.1.3: the source must be one host, and not us (LAND). */
static bool source_is_bad(const struct wisp_ipv4 *ip, struct wisp_ip4 source)
{
    uint32_t value = wisp_ip4_value(source);
    if (!wisp_ip4_is_host(source)) {
        return true;
    }
    for (uint32_t i = 0; i < ip->addresses; i++) {
        const struct wisp_ipv4_address *a = &ip->address[i];
        uint32_t host = value & ~a->mask;
        if (value == a->value) {
            return true;
        }
        if (a->prefix < 31 && ((value ^ a->value) & a->mask) == 0 &&
            (host == 0 || host == ~a->mask)) {
            return true;
        }
    }
    return false;
}

/*
 * RFC 2131 §4.1: before the first address, UDP to our hardware address is taken whatever it is for, as the answer
 * of a DHCP server is for the address it is about to lease. Treated like a broadcast: nothing answers it.
 */
static bool is_before_addresses(const struct wisp_ipv4 *ip, const struct wisp_pkt *pkt,
                                const struct wisp_ipv4_header *h)
{
    return ip->addresses == 0 && h->protocol == PROTOCOL_UDP && wisp_ip4_is_host(h->destination) &&
           !(pkt->flags & WISP_PKT_BROADCAST);
}

static enum wisp_ipv4_count destination_verdict(const struct wisp_ipv4 *ip,
                                                const struct wisp_pkt *pkt,
                                                const struct wisp_ipv4_header *h, bool *broadcast)
{
    struct wisp_ip4 destination = h->destination;
    uint32_t value = wisp_ip4_value(destination);
    *broadcast = false;
    for (uint32_t i = 0; i < ip->addresses; i++) {
        if (value == ip->address[i].value && ip->address[i].usable) {
            return pkt->flags & WISP_PKT_BROADCAST ? WISP_IPV4_RX_UNICAST_IN_BROADCAST
                                                   : WISP_IPV4_RX_DELIVERED;
        }
    }
    if (wisp_ipv4_is_broadcast(ip, destination) || is_before_addresses(ip, pkt, h)) {
        *broadcast = true;
        return WISP_IPV4_RX_DELIVERED;
    }
    return wisp_ip4_is_group(destination) ? WISP_IPV4_RX_GROUP : WISP_IPV4_RX_NOT_OURS;
}

/* Walks the options; *at is where a bad one stands. Unknown ones are skipped (RFC 1122 §3.2.1.8).
 */
static enum wisp_ipv4_count options_verdict(const uint8_t *p, uint32_t size, uint32_t *at)
{
    uint32_t i = WISP_IPV4_HEADER;
    while (i < size && p[i] != OPTION_END) {
        if (p[i] == OPTION_NOP) {
            i++;
            continue;
        }
        *at = i;
        if (size - i < 2 || p[i + 1] < 2 || p[i + 1] > size - i) {
            return WISP_IPV4_RX_BAD_OPTION;
        }
        if (p[i] == OPTION_LSRR || p[i] == OPTION_SSRR) {
            return WISP_IPV4_RX_SOURCE_ROUTE;
        }
        i += p[i + 1];
    }
    return WISP_IPV4_RX_DELIVERED;
}

/* Tells the sender of the current packet, whose header is taken off already, what is wrong with it.
 */
static void complain(struct wisp_ipv4 *ip, const struct wisp_pkt *pkt,
                     const struct wisp_ipv4_header *h, struct wisp_ipv4_complaint *complaint,
                     wisp_time now)
{
    complaint->header = wisp_view_bytes(&ip->current);
    complaint->header_size = (uint8_t)ip->current.length;
    complaint->payload = &pkt->view[0];
    complaint->source = h->source;
    complaint->destination = h->destination;
    ip->upper.complain(ip->upper.self, complaint, now);
}

static void complain_option(struct wisp_ipv4 *ip, const struct wisp_pkt *pkt,
                            const struct wisp_ipv4_header *h, uint32_t at, bool broadcast,
                            wisp_time now)
{
    if (h->fragment & WISP_IPV4_OFFSET) {
        return; /* RFC 1122 §3.2.2: never about a later fragment */
    }
    struct wisp_ipv4_complaint complaint = {
        .type = PARAMETER_PROBLEM, .pointer = (uint8_t)at, .broadcast = broadcast};
    complain(ip, pkt, h, &complaint, now);
}

struct wisp_transport *wisp_ipv4_transport(struct wisp_ipv4 *ip, uint8_t protocol)
{
    struct wisp_transport *t = ip->transport;
    while (t && t->protocol != protocol) {
        t = t->next;
    }
    return t;
}

static __attribute__((noinline)) void refuse_protocol(struct wisp_ipv4 *ip, struct wisp_pkt *pkt,
                                                      const struct wisp_ipv4_header *h,
                                                      bool broadcast, wisp_time now)
{
    struct wisp_ipv4_complaint complaint = {
        .type = UNREACHABLE, .code = CODE_PROTOCOL, .broadcast = broadcast};
    ip->count[WISP_IPV4_RX_NO_PROTOCOL]++;
    complain(ip, pkt, h, &complaint, now);
    wisp_pkt_drop(pkt);
}

static inline void hand_up(struct wisp_ipv4 *ip, struct wisp_transport *transport,
                           struct wisp_pkt *pkt, const struct wisp_ipv4_header *h, bool broadcast,
                           wisp_time now)
{
    struct wisp_arrival arrival;
    arrival.local.family = WISP_FAMILY_IP4;
    arrival.local.u.ip4 = h->destination;
    arrival.remote.family = WISP_FAMILY_IP4;
    arrival.remote.u.ip4 = h->source;
    arrival.protocol = h->protocol;
    arrival.ttl = h->ttl;
    arrival.tos = h->tos;
    arrival.broadcast = broadcast;
    ip->count[WISP_IPV4_RX_DELIVERED]++;
    transport->ops->input(transport->self, pkt, &arrival, now);
}

static void deliver(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, const struct wisp_ipv4_header *h,
                    bool broadcast, wisp_time now)
{
    struct wisp_transport *transport = wisp_ipv4_transport(ip, h->protocol);
    if (transport) {
        hand_up(ip, transport, pkt, h, broadcast, now);
    } else {
        refuse_protocol(ip, pkt, h, broadcast, now);
    }
}

/* Takes the header off; it stays where it is, in front of the payload, for complaints. */
static void take_header(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, uint32_t size)
{
    wisp_view_set(&ip->current, pkt->view[0].page, pkt->view[0].offset, size);
    wisp_pkt_pull(pkt, size);
}

static void reassemble(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, struct wisp_ipv4_header *h,
                       bool broadcast, wisp_time now)
{
    if (!ip->reassembly) {
        ip->count[WISP_IPV4_RX_FRAGMENT_UNSUPPORTED]++;
        wisp_pkt_drop(pkt);
        return;
    }
    struct wisp_fragment fragment = {pkt, h, wisp_view_bytes(&ip->current)};
    struct wisp_ipv4_header whole;
    ip->count[WISP_IPV4_RX_FRAGMENTS]++;
    pkt = ip->reassembly->input(ip->fragments, &fragment, &whole, now);
    if (pkt) {
        ip->count[WISP_IPV4_RX_REASSEMBLED]++;
        ip->current = pkt->view[0];
        ip->current.offset -= whole.size;
        ip->current.length = whole.size;
        deliver(ip, pkt, &whole, broadcast, now);
    }
}

/* Any datagram. Not in line, so that the usual ones do not save registers for it. */
static __attribute__((noinline)) void any_input(struct wisp_ipv4 *ip, struct wisp_pkt *pkt,
                                                wisp_time now)
{
    struct wisp_ipv4_header h;
    bool broadcast = false;
    enum wisp_ipv4_count verdict = parse(ip, pkt, &h);
    if (verdict == WISP_IPV4_RX_DELIVERED) {
        verdict = source_is_bad(ip, h.source) ? WISP_IPV4_RX_BAD_SOURCE
                                              : destination_verdict(ip, pkt, &h, &broadcast);
    }
    if (verdict != WISP_IPV4_RX_DELIVERED) {
        ip->count[verdict]++;
        wisp_pkt_drop(pkt);
        return;
    }
    broadcast |= (pkt->flags & WISP_PKT_BROADCAST) != 0;
    if (!broadcast) {
        ip->heard = wisp_ipv4_ends(wisp_pkt_head(pkt));
    }
    take_header(ip, pkt, h.size);
    if (h.size > WISP_IPV4_HEADER) {
        uint32_t at = 0;
        verdict = options_verdict(wisp_view_bytes(&ip->current), h.size, &at);
        if (verdict != WISP_IPV4_RX_DELIVERED) {
            ip->count[verdict]++;
            if (verdict == WISP_IPV4_RX_BAD_OPTION) {
                complain_option(ip, pkt, &h, at, broadcast, now);
            }
            wisp_pkt_drop(pkt);
            return;
        }
    }
    if (h.fragment & (WISP_IPV4_MF | WISP_IPV4_OFFSET)) {
        reassemble(ip, pkt, &h, broadcast, now);
    } else {
        deliver(ip, pkt, &h, broadcast, now);
    }
}

/*
 * What nearly every datagram is: one without options and not in fragments, with all a header may
 * have in one piece, between the same two hosts as the last one that was looked at closely.
 */
static bool is_usual(const struct wisp_ipv4 *ip, const struct wisp_pkt *pkt)
{
    uint32_t linear = wisp_pkt_linear(pkt);
    if (linear < WISP_IPV4_HEADER ||
        (linear < pkt->length && linear < WISP_IPV4_HEADER_MAX + TRANSPORT_MIN)) {
        return false;
    }
    const uint8_t *p = wisp_pkt_head(pkt);
    uint32_t total = wisp_be16_get(p + 2);
    return p[0] == 0x45 && total >= WISP_IPV4_HEADER && total <= pkt->length &&
           !(wisp_be16_get(p + 6) & (WISP_IPV4_MF | WISP_IPV4_OFFSET)) && ip->heard &&
           wisp_ipv4_ends(p) == ip->heard && !(pkt->flags & WISP_PKT_BROADCAST) &&
           wisp_ipv4_sum_is_right(p);
}

/* The same with total bytes left, its header taken off. */
static void take_usual(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, uint32_t total)
{
    struct wisp_view *view = &pkt->view[0];
    if (pkt->views > 1 || total == WISP_IPV4_HEADER) {
        wisp_pkt_trim(pkt, total);
        take_header(ip, pkt, WISP_IPV4_HEADER);
        return;
    }
    wisp_view_set(&ip->current, view->page, view->offset, WISP_IPV4_HEADER);
    view->offset += WISP_IPV4_HEADER;
    view->length = total - WISP_IPV4_HEADER;
    pkt->length = total - WISP_IPV4_HEADER;
    pkt->csum_start = (uint16_t)(pkt->csum_start - WISP_IPV4_HEADER);
}

void wisp_ipv4_input(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, wisp_time now)
{
    struct wisp_transport *transport =
        is_usual(ip, pkt) ? wisp_ipv4_transport(ip, wisp_pkt_head(pkt)[9]) : NULL;
    if (!transport) {
        any_input(ip, pkt, now);
        return;
    }
    struct wisp_ipv4_header h;
    wisp_ipv4_parse(wisp_pkt_head(pkt), &h);
    take_usual(ip, pkt, h.total);
    hand_up(ip, transport, pkt, &h, false, now);
}
