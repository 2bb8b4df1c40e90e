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

/* Addresses as numbers, first octet highest, so that each comparison is one. */
struct wisp_ethif_frame {
    uint64_t destination;
    uint64_t source;
    uint16_t type;
};

#define WISP_MAC_VALUE_GROUP     (UINT64_C(1) << 40)
#define WISP_MAC_VALUE_BROADCAST UINT64_C(0xffffffffffff)

static inline uint64_t wisp_mac_value_get(const uint8_t *p)
{
    return (uint64_t)wisp_be32_get(p) << 16 | wisp_be16_get(p + 4);
}

static inline struct wisp_mac wisp_mac_from_value(uint64_t value)
{
    struct wisp_mac mac;
    wisp_be32_put(mac.octet, (uint32_t)(value >> 16));
    wisp_be16_put(mac.octet + 4, (uint16_t)value);
    return mac;
}

/* Decodes the 14 bytes at p. */
static inline struct wisp_ethif_frame wisp_ethif_parse(const uint8_t *p)
{
    uint64_t rest = wisp_be64_get(p + 6);
    struct wisp_ethif_frame frame = {wisp_be64_get(p) >> 16, rest >> 16, (uint16_t)rest};
    return frame;
}

static inline bool wisp_mac_is_group(struct wisp_mac mac)
{
    return (mac.octet[0] & 1) != 0;
}

#endif
