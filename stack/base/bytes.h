/* SPDX-License-Identifier: ISC */
/*
 * Numbers in network byte order, at any alignment. One load or store and one swap each, which compilers do not
 * always make of four single bytes; the builtin copies inline in freestanding builds, too.
 */
#ifndef WISP_BASE_BYTES_H
#define WISP_BASE_BYTES_H

#include <stdint.h>
#include <string.h>
#include <wisp/addr.h>

#define WISP_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

static inline uint16_t wisp_be16_get(const uint8_t *p)
{
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return WISP_LITTLE_ENDIAN ? __builtin_bswap16(v) : v;
}

static inline uint32_t wisp_be32_get(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return WISP_LITTLE_ENDIAN ? __builtin_bswap32(v) : v;
}

static inline uint64_t wisp_be64_get(const uint8_t *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return WISP_LITTLE_ENDIAN ? __builtin_bswap64(v) : v;
}

static inline void wisp_be16_put(uint8_t *p, uint16_t v)
{
    v = WISP_LITTLE_ENDIAN ? __builtin_bswap16(v) : v;
    __builtin_memcpy(p, &v, sizeof(v));
}

static inline void wisp_be32_put(uint8_t *p, uint32_t v)
{
    v = WISP_LITTLE_ENDIAN ? __builtin_bswap32(v) : v;
    __builtin_memcpy(p, &v, sizeof(v));
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
