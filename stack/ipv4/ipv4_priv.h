/* SPDX-License-Identifier: ISC */
/* What the files of ipv4/ share. */
#ifndef WISP_IPV4_PRIV_H
#define WISP_IPV4_PRIV_H

#include "ipv4.h"

/* ---- output.c ---- */

enum wisp_err wisp_ipv4_send(void *self, struct wisp_pkt *pkt, const struct wisp_flow *flow,
                             wisp_time now);

/* ---- fragment.c ---- */

/* Sends pkt, which starts at its IPv4 header and is larger than the MTU, in pieces. Moved. */
void wisp_ipv4_fragment(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, const uint8_t *header,
                        wisp_time now);

/* ---- id.c ---- */

uint16_t wisp_ipv4_next_id(struct wisp_ipv4 *ip, struct wisp_ip4 source,
                           struct wisp_ip4 destination, uint8_t protocol);

/* ---- l3.c ---- */

extern const struct wisp_l3_ops wisp_ipv4_l3_ops;

#endif
