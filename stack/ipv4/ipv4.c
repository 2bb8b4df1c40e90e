/* SPDX-License-Identifier: ISC */
/* IPv4 put together: memory, start, end, time, counters; and the names of what it counts. */
#include "count_names.h"
#include "ipv4_priv.h"

#define HEADROOM (WISP_CELL_HEAD - WISP_ETHIF_HEADER)

_Static_assert(WISP_IPV4_HEADER <= HEADROOM,
               "a header cell has room for Ethernet's and IPv4's header");

#define NAMES(NAME)                                                                                \
    NAME(WISP_IPV4_RX_DELIVERED, "ipv4.rx.delivered")                                              \
    NAME(WISP_IPV4_RX_SHORT, "ipv4.rx.short")                                                      \
    NAME(WISP_IPV4_RX_VERSION, "ipv4.rx.bad_version")                                              \
    NAME(WISP_IPV4_RX_HEADER_LENGTH, "ipv4.rx.bad_header_length")                                  \
    NAME(WISP_IPV4_RX_TOTAL_LENGTH, "ipv4.rx.bad_total_length")                                    \
    NAME(WISP_IPV4_RX_BAD_CHECKSUM, "ipv4.rx.bad_checksum")                                        \
    NAME(WISP_IPV4_RX_BAD_SOURCE, "ipv4.rx.bad_source")                                            \
    NAME(WISP_IPV4_RX_NOT_OURS, "ipv4.rx.not_ours")                                                \
    NAME(WISP_IPV4_RX_GROUP, "ipv4.rx.group_not_joined")                                           \
    NAME(WISP_IPV4_RX_UNICAST_IN_BROADCAST, "ipv4.rx.unicast_in_broadcast")                        \
    NAME(WISP_IPV4_RX_BAD_OPTION, "ipv4.rx.bad_option")                                            \
    NAME(WISP_IPV4_RX_SOURCE_ROUTE, "ipv4.rx.source_route")                                        \
    NAME(WISP_IPV4_RX_FRAGMENT_UNSUPPORTED, "ipv4.rx.fragment_unsupported")                        \
    NAME(WISP_IPV4_RX_NO_PROTOCOL, "ipv4.rx.no_protocol")                                          \
    NAME(WISP_IPV4_RX_NO_PAGE, "ipv4.rx.no_page")                                                  \
    NAME(WISP_IPV4_RX_FRAGMENTS, "ipv4.rx.fragments")                                              \
    NAME(WISP_IPV4_RX_REASSEMBLED, "ipv4.rx.reassembled")                                          \
    NAME(WISP_IPV4_TX_SENT, "ipv4.tx.sent")                                                        \
    NAME(WISP_IPV4_TX_NO_ROUTE, "ipv4.tx.no_route")                                                \
    NAME(WISP_IPV4_TX_UNREACHABLE, "ipv4.tx.unreachable")                                          \
    NAME(WISP_IPV4_TX_BAD_ADDRESS, "ipv4.tx.bad_address")                                          \
    NAME(WISP_IPV4_TX_TOO_BIG, "ipv4.tx.too_big")                                                  \
    NAME(WISP_IPV4_TX_FRAGMENTED, "ipv4.tx.fragmented")                                            \
    NAME(WISP_IPV4_TX_FRAGMENTS, "ipv4.tx.fragments")                                              \
    NAME(WISP_IPV4_TX_NO_PACKET, "ipv4.tx.no_packet")                                              \
    NAME(WISP_IPV4_BYTES_LINEARISED, "ipv4.bytes_linearised")
WISP_COUNT_NAMES(NAMES, WISP_IPV4_COUNTS);

static void on_timed_out(void *self, const uint8_t *header, uint8_t header_size,
                         const struct wisp_view *payload, wisp_time now)
{
    struct wisp_ipv4 *ip = self;
    struct wisp_ipv4_header h;
    wisp_ipv4_parse(header, &h);
    struct wisp_ipv4_complaint complaint = {.type = 11,
                                            .code = 1,
                                            .header_size = header_size,
                                            .header = header,
                                            .payload = payload,
                                            .source = h.source,
                                            .destination = h.destination};
    complaint.broadcast = !wisp_ipv4_address_find(ip, h.destination);
    ip->upper.complain(ip->upper.self, &complaint, now);
}

static struct wisp_reassembly_config reassembly_config(struct wisp_ipv4 *ip,
                                                       const struct wisp_ipv4_config *config)
{
    struct wisp_reassembly_config result = {.datagrams = config->datagrams,
                                            .pages_max = config->reassembly_pages,
                                            .pages = config->pages,
                                            .hash = config->hash,
                                            .seed = config->seed,
                                            .timed_out = on_timed_out,
                                            .self = ip};
    return result;
}

void wisp_ipv4_layout(struct wisp_ipv4 *ip, const struct wisp_ipv4_config *config,
                      struct wisp_arena *arena)
{
    struct wisp_ipv4_route *route = WISP_ARENA_ARRAY(arena, struct wisp_ipv4_route, config->routes);
    struct wisp_reassembly *fragments = NULL;
    if (config->reassembly) {
        struct wisp_reassembly_config rc = reassembly_config(ip, config);
        fragments = config->reassembly->layout(&rc, arena);
    }
    if (ip) {
        ip->route = route;
        ip->fragments = fragments;
    }
}

static void init_l3(struct wisp_ipv4 *ip, const struct wisp_ipv4_config *config)
{
    ip->l3 = (struct wisp_l3){.ops = &wisp_ipv4_l3_ops,
                              .self = ip,
                              .family = WISP_FAMILY_IP4,
                              .sum = config->sum,
                              .pages = config->pages};
    wisp_ipv4_refresh(ip);
}

void wisp_ipv4_init(struct wisp_ipv4 *ip, const struct wisp_ipv4_config *config,
                    struct wisp_ethif *eth, struct wisp_arp *arp,
                    const struct wisp_ipv4_upper *upper)
{
    struct wisp_ipv4_route *route = ip->route;
    struct wisp_reassembly *fragments = ip->fragments;
    *ip = (struct wisp_ipv4){.eth = eth,
                             .arp = arp,
                             .upper = *upper,
                             .generation = 1,
                             .route = route,
                             .routes_max = config->routes,
                             .reassembly = config->reassembly,
                             .fragments = fragments};
    wisp_rng_init(&ip->rng, config->hash, config->seed, 0x69703401);
    init_l3(ip, config);
    if (ip->reassembly) {
        struct wisp_reassembly_config rc = reassembly_config(ip, config);
        ip->reassembly->init(fragments, &rc);
    }
}

void wisp_ipv4_fini(struct wisp_ipv4 *ip)
{
    if (ip->reassembly) {
        ip->reassembly->fini(ip->fragments);
    }
}

static void refresh_caps(struct wisp_l3_caps *to, const struct wisp_netdev_caps *from,
                         enum wisp_offload offload)
{
    to->csum_tx = (from->csum_tx & offload) != 0;
    to->gso = offload == WISP_OFFLOAD_TCP4 && to->csum_tx ? from->gso_tx : 0;
    to->views = from->views_tx;
    to->overhead = WISP_IPV4_HEADER;
    to->generation = from->generation;
}

void wisp_ipv4_refresh(struct wisp_ipv4 *ip)
{
    refresh_caps(&ip->l3.tcp, &ip->eth->dev->caps, WISP_OFFLOAD_TCP4);
    refresh_caps(&ip->l3.udp, &ip->eth->dev->caps, WISP_OFFLOAD_UDP4);
}

void wisp_ipv4_attach(struct wisp_ipv4 *ip, struct wisp_transport *transport)
{
    transport->next = ip->transport;
    ip->transport = transport;
    if (transport->ops->attach) {
        transport->ops->attach(transport->self, &ip->l3);
    }
}

void wisp_ipv4_expire(struct wisp_ipv4 *ip, wisp_time now)
{
    if (ip->reassembly) {
        ip->reassembly->expire(ip->fragments, now);
    }
}

wisp_time wisp_ipv4_deadline(const struct wisp_ipv4 *ip)
{
    return ip->reassembly ? ip->reassembly->deadline(ip->fragments) : WISP_NEVER;
}

bool wisp_ipv4_counter(const struct wisp_ipv4 *ip, uint32_t index, struct wisp_counter *counter)
{
    if (wisp_count_at(&count_names, ip->count, index, counter)) {
        return true;
    }
    return ip->reassembly &&
           ip->reassembly->counter(ip->fragments, index - WISP_IPV4_COUNTS, counter);
}
