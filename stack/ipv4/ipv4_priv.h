/* SPDX-License-Identifier: ISC */
/* What the files of ipv4/ share. */
#ifndef WISP_IPV4_PRIV_H
#define WISP_IPV4_PRIV_H

#include "ipv4.h"

/* ---- output.c ---- */

enum wisp_err wisp_ipv4_send(void *self, struct wisp_pkt *pkt, const struct wisp_flow *flow,
                             wisp_time now);

struct wisp_pkt *wisp_ipv4_express(void *self, const struct wisp_flow *flow, uint16_t pseudo,
                                   uint32_t length, bool reserved, wisp_time now);

/* ---- fragment.c ---- */

/* Sends pkt, which starts at its IPv4 header and is larger than the MTU, in pieces. Moved. */
void wisp_ipv4_fragment(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, const uint8_t *header,
                        wisp_time now);

/* ---- id.c ---- */

/* Makes the place one for these three, from a new start. */
void wisp_ipv4_new_id(struct wisp_ipv4 *ip, struct wisp_ipv4_id *id, uint32_t source,
                      uint32_t destination, uint8_t protocol);

/* The next identification of datagrams from source to destination, addresses as numbers. */
static inline uint16_t wisp_ipv4_next_id(struct wisp_ipv4 *ip, uint32_t source,
                                         uint32_t destination, uint8_t protocol)
{
    uint32_t place = (destination ^ destination >> 8 ^ protocol) & (WISP_IPV4_IDS - 1);
    struct wisp_ipv4_id *id = &ip->id[place];
    if (!id->used || id->source != source || id->destination != destination ||
        id->protocol != protocol) {
        wisp_ipv4_new_id(ip, id, source, destination, protocol);
    }
    return id->next++;
}

/* ---- l3.c ---- */

extern const struct wisp_l3_ops wisp_ipv4_l3_ops;

#endif
