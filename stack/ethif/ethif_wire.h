/* SPDX-License-Identifier: ISC */
/* The Ethernet II header: destination, source, type. */
#ifndef WISP_ETHIF_WIRE_H
#define WISP_ETHIF_WIRE_H

#include "bytes.h"

#define WISP_ETHERTYPE_IPV4   0x0800u
#define WISP_ETHERTYPE_ARP    0x0806u
#define WISP_ETHERTYPE_VLAN   0x8100u /* 802.1Q */
#define WISP_ETHERTYPE_VLAN_S 0x88a8u /* 802.1ad */
#define WISP_ETHERTYPE_FIRST  0x0600u /* smaller numbers are 802.3 lengths, or nothing */

struct wisp_ethif_frame {
    struct wisp_mac destination;
    struct wisp_mac source;
    uint16_t type;
};

/* Decodes the 14 bytes at p. */
static inline struct wisp_ethif_frame wisp_ethif_parse(const uint8_t *p)
{
    struct wisp_ethif_frame frame = {wisp_mac_get(p), wisp_mac_get(p + 6), wisp_be16_get(p + 12)};
    return frame;
}

static inline bool wisp_mac_is_group(struct wisp_mac mac)
{
    return (mac.octet[0] & 1) != 0;
}

static inline bool wisp_mac_is_broadcast(struct wisp_mac mac)
{
    static const struct wisp_mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    return wisp_mac_equal(mac, all);
}

static inline bool wisp_mac_is_zero(struct wisp_mac mac)
{
    static const struct wisp_mac none = {{0, 0, 0, 0, 0, 0}};
    return wisp_mac_equal(mac, none);
}

#endif
