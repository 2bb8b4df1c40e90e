/* SPDX-License-Identifier: ISC */
/*
 * Identifications of datagrams that may be cut (RFC 791, RFC 6864, RFC 7739). Each (source,
 * destination, protocol) counts on its own, from an unpredictable start, so no host learns from its
 * own packets what another one's carry. A small table remembers the counts; who falls out of it
 * starts anew. Places are compared in full, never shared.
 */
#include "ipv4_priv.h"

void wisp_ipv4_new_id(struct wisp_ipv4 *ip, struct wisp_ipv4_id *id, uint32_t source,
                      uint32_t destination, uint8_t protocol)
{
    *id = (struct wisp_ipv4_id){.source = source,
                                .destination = destination,
                                .next = (uint16_t)wisp_rng_next(&ip->rng),
                                .protocol = protocol,
                                .used = true};
}
