/* SPDX-License-Identifier: ISC */
/* The IPv4 header (RFC 791). */
#ifndef WISP_IPV4_WIRE_H
#define WISP_IPV4_WIRE_H

#include "bytes.h"
#include "sum.h"
#include <stdbool.h>

#define WISP_IPV4_HEADER     20u
#define WISP_IPV4_HEADER_MAX 60u
#define WISP_IPV4_DF         0x4000u
#define WISP_IPV4_MF         0x2000u
#define WISP_IPV4_OFFSET     0x1fffu

struct wisp_ipv4_header {
    uint8_t size; /* of the header, bytes */
    uint8_t tos;
    uint8_t ttl;
    uint8_t protocol;
    uint16_t total; /* header and payload, bytes */
    uint16_t id;
    uint16_t fragment; /* flags and offset, as on the wire */
    struct wisp_ip4 source;
    struct wisp_ip4 destination;
};

/* Decodes the 20 bytes at p into *h; nothing is checked. */
static inline void wisp_ipv4_parse(const uint8_t *p, struct wisp_ipv4_header *h)
{
    h->size = (uint8_t)((p[0] & 15) * 4);
    h->tos = p[1];
    h->ttl = p[8];
    h->protocol = p[9];
    h->total = wisp_be16_get(p + 2);
    h->id = wisp_be16_get(p + 4);
    h->fragment = wisp_be16_get(p + 6);
    h->source = wisp_ip4_get(p + 12);
    h->destination = wisp_ip4_get(p + 16);
}

/* The sum of the 20 bytes at p. */
static inline uint16_t wisp_ipv4_sum(const uint8_t *p)
{
    uint32_t word[5];
    memcpy(word, p, sizeof(word));
    return wisp_sum_fold((uint64_t)word[0] + word[1] + word[2] + word[3] + word[4]);
}

/* Whether the sum of the 20 bytes at p is right. */
static inline bool wisp_ipv4_sum_is_right(const uint8_t *p)
{
    uint64_t word[2];
    uint32_t last;
    memcpy(word, p, sizeof(word));
    memcpy(&last, p + 16, sizeof(last));
    return wisp_sum_is_right(wisp_sum_carry(wisp_sum_carry(word[0], word[1]), last));
}

/* Source and destination in the header at p, as they stand there. */
static inline uint64_t wisp_ipv4_ends(const uint8_t *p)
{
    uint64_t ends;
    memcpy(&ends, p + 12, sizeof(ends));
    return ends;
}

/* Writes a header without options, checksum included, to p. Words are summed before they are
 * stored: loads of what was just stored in smaller pieces would wait for it. */
static inline void wisp_ipv4_emit(uint8_t *p, const struct wisp_ipv4_header *h)
{
    uint32_t first = 0x45000000u | (uint32_t)h->tos << 16 | h->total;
    uint32_t second = (uint32_t)h->id << 16 | h->fragment;
    uint32_t third = (uint32_t)h->ttl << 24 | (uint32_t)h->protocol << 16;
    uint32_t source = wisp_ip4_value(h->source);
    uint32_t destination = wisp_ip4_value(h->destination);
    uint16_t sum = wisp_sum_fold((uint64_t)first + second + third + source + destination);
    wisp_be32_put(p, first);
    wisp_be32_put(p + 4, second);
    wisp_be32_put(p + 8, third | (uint16_t)~sum);
    wisp_be32_put(p + 12, source);
    wisp_be32_put(p + 16, destination);
}

static inline bool wisp_ip4_is_group(struct wisp_ip4 ip)
{
    return (ip.octet[0] & 0xf0) == 0xe0;
}

#endif
