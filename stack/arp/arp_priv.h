/* SPDX-License-Identifier: ISC */
/* What the files of arp/ share. */
#ifndef WISP_ARP_PRIV_H
#define WISP_ARP_PRIV_H

#include "arp.h"
#include "arp_wire.h"

/* ---- arp.c ---- */

/* Sends message to destination. False (counted): there was nothing to send with. */
bool wisp_arp_send(struct wisp_arp *arp, struct wisp_mac destination,
                   const struct wisp_arp_message *message, wisp_time now);

/* Asks for target, at destination or everybody. */
void wisp_arp_ask(struct wisp_arp *arp, struct wisp_ip4 target, struct wisp_mac destination,
                  wisp_time now);

extern const struct wisp_mac wisp_arp_everybody;

/* ---- neighbour.c ---- */

/* ip was heard to be at mac. create: make an entry if there is none. */
void wisp_neighbour_heard(struct wisp_arp *arp, struct wisp_ip4 ip, struct wisp_mac mac,
                          bool create, wisp_time now);
void wisp_neighbour_expire(struct wisp_arp *arp, wisp_time now);

/* ---- claim.c ---- */

struct wisp_claim *wisp_claim_find(struct wisp_arp *arp, struct wisp_ip4 ip);
bool wisp_claim_in_use(const struct wisp_claim *claim);

/* Looks for conflicts in a message of another station. True: there was one; learn nothing from it.
 */
bool wisp_claim_watch(struct wisp_arp *arp, const struct wisp_arp_message *message, wisp_time now);
void wisp_claim_expire(struct wisp_arp *arp, wisp_time now);
wisp_time wisp_claim_deadline(const struct wisp_arp *arp);

#endif
