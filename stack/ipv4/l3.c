/* SPDX-License-Identifier: ISC */
/* IPv4's side of the table transports see (l3.h). */
#include "assert.h"
#include "ipv4_priv.h"

#define REFUSED_TYPE 3u /* destination unreachable: */
#define REFUSED_CODE 3u /* port */

static struct wisp_pkt *l3_alloc(void *self, bool reserved)
{
    const struct wisp_ipv4 *ip = self;
    return wisp_ethif_alloc(ip->eth, reserved);
}

static uint32_t l3_room(void *self)
{
    const struct wisp_ipv4 *ip = self;
    return wisp_ethif_room(ip->eth);
}

static bool l3_source(void *self, const struct wisp_addr *remote, struct wisp_addr *local)
{
    const struct wisp_ipv4 *ip = self;
    struct wisp_ip4 hop = remote->u.ip4;
    if (remote->family != WISP_FAMILY_IP4) {
        return false;
    }
    bool everybody = wisp_ipv4_is_broadcast(ip, remote->u.ip4) || wisp_ip4_is_group(remote->u.ip4);
    if (!everybody && !wisp_ipv4_next_hop(ip, remote->u.ip4, &hop)) {
        return false;
    }
    const struct wisp_ipv4_address *own = wisp_ipv4_source_for(ip, hop);
    if (!own) {
        return false;
    }
    *local = wisp_addr_ip4(own->ip);
    return true;
}

static uint32_t l3_mtu(void *self, const struct wisp_addr *remote)
{
    const struct wisp_ipv4 *ip = self;
    (void)remote;
    return ip->eth->dev->caps.mtu;
}

static bool l3_is_local(void *self, const struct wisp_addr *addr)
{
    const struct wisp_ipv4 *ip = self;
    return addr->family == WISP_FAMILY_IP4 && wisp_ipv4_address_find(ip, addr->u.ip4);
}

static bool l3_is_unicast(void *self, const struct wisp_addr *addr)
{
    const struct wisp_ipv4 *ip = self;
    return addr->family == WISP_FAMILY_IP4 && wisp_ip4_is_host(addr->u.ip4) &&
           !wisp_ipv4_is_broadcast(ip, addr->u.ip4) && !wisp_ipv4_address_find(ip, addr->u.ip4);
}

static uint16_t l3_pseudo_sum(const struct wisp_addr *local, const struct wisp_addr *remote,
                              uint8_t protocol, uint32_t length)
{
    uint32_t word[2];
    memcpy(&word[0], local->u.ip4.octet, 4);
    memcpy(&word[1], remote->u.ip4.octet, 4);
    return wisp_sum_fold((uint64_t)word[0] + word[1] + wisp_sum_word(protocol) +
                         wisp_sum_word((uint16_t)length));
}

/* The header of the packet being delivered still stands before pkt, unless pkt was moved since. */
static void l3_refuse(void *self, const struct wisp_pkt *pkt, const struct wisp_arrival *arrival,
                      wisp_time now)
{
    struct wisp_ipv4 *ip = self;
    const struct wisp_view *current = &ip->current;
    const struct wisp_view *head = &pkt->view[0];
    if (head->page != current->page || head->offset != current->offset + current->length) {
        return;
    }
    struct wisp_ipv4_complaint complaint = {.type = REFUSED_TYPE,
                                            .code = REFUSED_CODE,
                                            .header_size = (uint8_t)current->length,
                                            .header = wisp_view_bytes(current),
                                            .payload = head,
                                            .source = arrival->remote.u.ip4,
                                            .destination = arrival->local.u.ip4,
                                            .broadcast = arrival->broadcast};
    ip->upper.complain(ip->upper.self, &complaint, now);
}

static void l3_advise(void *self, const struct wisp_addr *remote, bool alive, wisp_time now)
{
    struct wisp_ipv4 *ip = self;
    struct wisp_ip4 hop;
    if (remote->family == WISP_FAMILY_IP4 && wisp_ipv4_next_hop(ip, remote->u.ip4, &hop)) {
        wisp_arp_advise(ip->arp, hop, alive, now);
    }
}

const struct wisp_l3_ops wisp_ipv4_l3_ops = {
    .alloc = l3_alloc,
    .room = l3_room,
    .send = wisp_ipv4_send,
    .express = wisp_ipv4_express,
    .source = l3_source,
    .mtu = l3_mtu,
    .is_local = l3_is_local,
    .is_unicast = l3_is_unicast,
    .pseudo_sum = l3_pseudo_sum,
    .refuse = l3_refuse,
    .advise = l3_advise,
};
