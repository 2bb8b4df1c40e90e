/* SPDX-License-Identifier: ISC */
/*
 * Identifications of datagrams that may be cut (RFC 791, RFC 6864, RFC 7739). Each (source,
 * destination, protocol) counts on its own, from an unpredictable start, so no host learns from its
 * own packets what another one's carry. A small table remembers the counts; who falls out of it
 * starts anew. Places are compared in full, never shared.
 */
#include "ipv4_priv.h"

uint16_t wisp_ipv4_next_id(struct wisp_ipv4 *ip, struct wisp_ip4 source,
                           struct wisp_ip4 destination, uint8_t protocol)
{
    uint32_t from = wisp_ip4_value(source);
    uint32_t to = wisp_ip4_value(destination);
    uint32_t place = (to ^ to >> 8 ^ protocol) & (WISP_IPV4_IDS - 1);
    struct wisp_ipv4_id *id = &ip->id[place];
    if (!id->used || id->source != from || id->destination != to || id->protocol != protocol) {
        *id = (struct wisp_ipv4_id){.source = from,
                                    .destination = to,
                                    .next = (uint16_t)wisp_rng_next(&ip->rng),
                                    .protocol = protocol,
                                    .used = true};
    }
    return id->next++;
}
