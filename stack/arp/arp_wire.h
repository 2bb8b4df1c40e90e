/* SPDX-License-Identifier: ISC */
/* The ARP message for IPv4 over Ethernet (RFC 826): 28 bytes. */
#ifndef WISP_ARP_WIRE_H
#define WISP_ARP_WIRE_H

#include "bytes.h"
#include <stdbool.h>

#define WISP_ARP_SIZE    28u
#define WISP_ARP_REQUEST 1u
#define WISP_ARP_REPLY   2u

struct wisp_arp_message {
    uint16_t operation;
    struct wisp_mac sender_mac;
    struct wisp_ip4 sender;
    struct wisp_mac target_mac;
    struct wisp_ip4 target;
};

/* Decodes the 28 bytes at p. False: not about IPv4 over Ethernet. */
static inline bool wisp_arp_parse(const uint8_t *p, struct wisp_arp_message *message)
{
    if (wisp_be16_get(p) != 1 || wisp_be16_get(p + 2) != 0x0800 || p[4] != 6 || p[5] != 4) {
        return false;
    }
    message->operation = wisp_be16_get(p + 6);
    message->sender_mac = wisp_mac_get(p + 8);
    message->sender = wisp_ip4_get(p + 14);
    message->target_mac = wisp_mac_get(p + 18);
    message->target = wisp_ip4_get(p + 24);
    return true;
}

static inline void wisp_arp_emit(uint8_t *p, const struct wisp_arp_message *message)
{
    wisp_be16_put(p, 1);
    wisp_be16_put(p + 2, 0x0800);
    p[4] = 6;
    p[5] = 4;
    wisp_be16_put(p + 6, message->operation);
    wisp_mac_put(p + 8, message->sender_mac);
    wisp_ip4_put(p + 14, message->sender);
    wisp_mac_put(p + 18, message->target_mac);
    wisp_ip4_put(p + 24, message->target);
}

#endif
