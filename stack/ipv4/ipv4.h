/* SPDX-License-Identifier: ISC */
/*
 * IPv4 (RFC 791, RFC 1122 §3) for a host on one link: addresses, routes, input, output, fragments.
 * It fills struct wisp_l3 for the transports.
 */
#ifndef WISP_IPV4_H
#define WISP_IPV4_H

#include "arena.h"
#include "arp.h"
#include "ethif.h"
#include "ipv4_wire.h"
#include "reassembly.h"
#include "rng.h"
#include <wisp/l3.h>

#define WISP_IPV4_ADDRESSES 4u
#define WISP_IPV4_HOPS      64u /* entries of the next-hop cache, a power of two */
#define WISP_IPV4_IDS       64u /* destinations whose identifications go on counting, a power of two */

enum wisp_ipv4_count {
    WISP_IPV4_RX_DELIVERED,
    WISP_IPV4_RX_SHORT,
    WISP_IPV4_RX_VERSION,
    WISP_IPV4_RX_HEADER_LENGTH,
    WISP_IPV4_RX_TOTAL_LENGTH,
    WISP_IPV4_RX_BAD_CHECKSUM,
    WISP_IPV4_RX_BAD_SOURCE, /* no single host, or ourselves */
    WISP_IPV4_RX_NOT_OURS,
    WISP_IPV4_RX_GROUP,                /* to a multicast group */
    WISP_IPV4_RX_UNICAST_IN_BROADCAST, /* RFC 1122 §3.3.6 */
    WISP_IPV4_RX_BAD_OPTION,
    WISP_IPV4_RX_SOURCE_ROUTE,         /* RFC 7126 */
    WISP_IPV4_RX_FRAGMENT_UNSUPPORTED, /* no reassembly was configured */
    WISP_IPV4_RX_NO_PROTOCOL,
    WISP_IPV4_RX_NO_PAGE,   /* a header lay in pieces and there was no page to join it on */
    WISP_IPV4_RX_FRAGMENTS, /* handed to reassembly */
    WISP_IPV4_RX_REASSEMBLED,
    WISP_IPV4_TX_SENT,
    WISP_IPV4_TX_NO_ROUTE,
    WISP_IPV4_TX_UNREACHABLE,   /* the next hop does not answer */
    WISP_IPV4_TX_BAD_ADDRESS,   /* source not ours, or destination nobody */
    WISP_IPV4_TX_TOO_BIG,       /* larger than the MTU and not to be fragmented */
    WISP_IPV4_TX_FRAGMENTED,    /* datagrams cut */
    WISP_IPV4_TX_FRAGMENTS,     /* pieces made of them */
    WISP_IPV4_TX_NO_PACKET,     /* no packets for all the pieces */
    WISP_IPV4_BYTES_LINEARISED, /* copied to join headers that lay in pieces */
    WISP_IPV4_COUNTS
};

struct wisp_ipv4_address {
    struct wisp_ip4 ip;
    uint32_t value;
    uint32_t mask;
    uint8_t prefix;
    bool usable; /* false while it is probed (strict order) */
};

struct wisp_ipv4_route {
    uint32_t network;
    uint32_t mask;
    struct wisp_ip4 gateway;
    bool direct; /* on the link: gateway means nothing */
};

/* Where packets to a destination go: the whole Ethernet header, good until a time or a change. */
struct wisp_ipv4_hop {
    uint32_t destination;
    uint32_t source; /* with which addresses_are_fit last held; 0: none */
    uint32_t generation;
    wisp_time until;
    uint8_t header[WISP_ETHIF_HEADER];
};

struct wisp_ipv4_id {
    uint32_t source, destination;
    uint16_t next;
    uint8_t protocol;
    bool used;
};

/* A received datagram that asks for an ICMP error. */
struct wisp_ipv4_complaint {
    uint8_t type, code, pointer;
    uint8_t header_size;
    const uint8_t *header;           /* its IPv4 header, as it came */
    const struct wisp_view *payload; /* what followed the header, as far as it lies together */
    struct wisp_ip4 source, destination;
    bool broadcast; /* to several hosts, or in a link-layer broadcast */
};

struct wisp_ipv4_upper {
    void *self;
    void (*complain)(void *self, const struct wisp_ipv4_complaint *complaint, wisp_time now);
    void (*claimed)(void *self, struct wisp_ip4 ip, wisp_time now);
    void (*conflict)(void *self, struct wisp_ip4 ip, struct wisp_mac other, bool lost,
                     wisp_time now);
};

struct wisp_ipv4_config {
    uint32_t routes;
    struct wisp_pool *pages;
    wisp_hash_fn hash;
    wisp_sum_fn sum;
    const uint8_t *seed; /* 32 bytes, read during init only */
    const struct wisp_reassembly_ops *reassembly;
    uint32_t datagrams;
    uint32_t reassembly_pages;
};

struct wisp_ipv4 {
    struct wisp_l3 l3;
    struct wisp_ethif *eth;
    struct wisp_arp *arp;
    struct wisp_ipv4_upper upper;
    struct wisp_transport *transport; /* list */
    uint32_t generation;              /* of what the next-hop cache was made from; never 0 */
    uint32_t addresses;
    struct wisp_ipv4_address address[WISP_IPV4_ADDRESSES];
    struct wisp_ipv4_route *route; /* longest prefix first, equals in the order they were added */
    uint32_t routes, routes_max;
    uint64_t heard; /* source and destination, as they stand in its header, of the last datagram
                     * that was for us alone and came from somebody it may come from; 0: none since
                     * addresses changed */
    struct wisp_view current; /* the header of the packet being delivered, for complaints */
    struct wisp_rng rng;
    const struct wisp_reassembly_ops *reassembly;
    struct wisp_reassembly *fragments;
    struct wisp_ipv4_hop hop[WISP_IPV4_HOPS];
    struct wisp_ipv4_id id[WISP_IPV4_IDS];
    uint64_t count[WISP_IPV4_COUNTS];
};

void wisp_ipv4_layout(struct wisp_ipv4 *ip, const struct wisp_ipv4_config *config,
                      struct wisp_arena *arena);
void wisp_ipv4_init(struct wisp_ipv4 *ip, const struct wisp_ipv4_config *config,
                    struct wisp_ethif *eth, struct wisp_arp *arp,
                    const struct wisp_ipv4_upper *upper);
void wisp_ipv4_fini(struct wisp_ipv4 *ip);

/* Takes over the device's capabilities: at the start of each step. */
void wisp_ipv4_refresh(struct wisp_ipv4 *ip);

void wisp_ipv4_attach(struct wisp_ipv4 *ip, struct wisp_transport *transport);

/* The transport of protocol, or null. */
struct wisp_transport *wisp_ipv4_transport(struct wisp_ipv4 *ip, uint8_t protocol);

/* A received packet, starting behind the Ethernet header. Moved. */
void wisp_ipv4_input(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, wisp_time now);

/* Sends a packet that waited for its next hop. */
void wisp_ipv4_resolved(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, const uint8_t *header,
                        wisp_time now);

/* Errors as wisp_stack_address_add and wisp_stack_route_add tell them. */
enum wisp_err wisp_ipv4_address_add(struct wisp_ipv4 *ip, struct wisp_ip4 own, uint8_t prefix,
                                    enum wisp_claim_start start, wisp_time now);
/* Forgets an address and tells the transports. False: not there. */
bool wisp_ipv4_address_remove(struct wisp_ipv4 *ip, struct wisp_ip4 own, wisp_time now);
void wisp_ipv4_address_usable(struct wisp_ipv4 *ip, struct wisp_ip4 own);
const struct wisp_ipv4_address *wisp_ipv4_address_find(const struct wisp_ipv4 *ip,
                                                       struct wisp_ip4 own);

/* The own address to use towards target, or null. */
const struct wisp_ipv4_address *wisp_ipv4_source_for(const struct wisp_ipv4 *ip,
                                                     struct wisp_ip4 target);

enum wisp_err wisp_ipv4_route_add(struct wisp_ipv4 *ip, struct wisp_ip4 network, uint8_t prefix,
                                  const struct wisp_ip4 *gateway);
void wisp_ipv4_routes_clear(struct wisp_ipv4 *ip);

/* The next hop towards destination; false: no route. */
bool wisp_ipv4_next_hop(const struct wisp_ipv4 *ip, struct wisp_ip4 destination,
                        struct wisp_ip4 *hop);

/* Has the dead gateways that could carry traffic to destination asked again, seldom. */
void wisp_ipv4_retry_gateways(struct wisp_ipv4 *ip, struct wisp_ip4 destination, wisp_time now);

bool wisp_ipv4_is_gateway(const struct wisp_ipv4 *ip, struct wisp_ip4 addr);

/* True when addr is a possible neighbour: routed directly, one host, not ours. */
bool wisp_ipv4_is_on_link(const struct wisp_ipv4 *ip, struct wisp_ip4 addr);

/* True for 255.255.255.255, 0.0.0.0 and the broadcast addresses of connected networks, either form.
 */
bool wisp_ipv4_is_broadcast(const struct wisp_ipv4 *ip, struct wisp_ip4 addr);

/* Makes every prebuilt header and what was found out about addresses void. */
void wisp_ipv4_changed(struct wisp_ipv4 *ip);

void wisp_ipv4_expire(struct wisp_ipv4 *ip, wisp_time now);
wisp_time wisp_ipv4_deadline(const struct wisp_ipv4 *ip);

bool wisp_ipv4_counter(const struct wisp_ipv4 *ip, uint32_t index, struct wisp_counter *counter);

#endif
