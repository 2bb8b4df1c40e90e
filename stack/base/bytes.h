/* SPDX-License-Identifier: ISC */
/* Numbers in network byte order, at any alignment. Compilers make one load and one swap of each. */
#ifndef WISP_BASE_BYTES_H
#define WISP_BASE_BYTES_H

#include <stdint.h>
#include <string.h>
#include <wisp/addr.h>

static inline uint16_t wisp_be16_get(const uint8_t *p)
{
    return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}

static inline uint32_t wisp_be32_get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void wisp_be16_put(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void wisp_be32_put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline struct wisp_ip4 wisp_ip4_get(const uint8_t *p)
{
    struct wisp_ip4 ip;
    memcpy(ip.octet, p, sizeof(ip.octet));
    return ip;
}

static inline void wisp_ip4_put(uint8_t *p, struct wisp_ip4 ip)
{
    memcpy(p, ip.octet, sizeof(ip.octet));
}

static inline struct wisp_mac wisp_mac_get(const uint8_t *p)
{
    struct wisp_mac mac;
    memcpy(mac.octet, p, sizeof(mac.octet));
    return mac;
}

static inline void wisp_mac_put(uint8_t *p, struct wisp_mac mac)
{
    memcpy(p, mac.octet, sizeof(mac.octet));
}

#endif
