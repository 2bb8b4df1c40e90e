/* SPDX-License-Identifier: ISC */
/* ICMP messages (RFC 792): type, code, checksum, and four bytes whose meaning the type gives. */
#ifndef WISP_ICMP_WIRE_H
#define WISP_ICMP_WIRE_H

#include "bytes.h"

#define WISP_ICMP_HEADER 8u

#define WISP_ICMP_TYPE_ECHO_REPLY    0u
#define WISP_ICMP_TYPE_UNREACHABLE   3u
#define WISP_ICMP_TYPE_REDIRECT      5u
#define WISP_ICMP_TYPE_ECHO          8u
#define WISP_ICMP_TYPE_TIME_EXCEEDED 11u
#define WISP_ICMP_TYPE_PARAMETER     12u

struct wisp_icmp_message {
    uint8_t type;
    uint8_t code;
    uint16_t first;  /* echo: identifier; parameter problem: pointer in the high byte */
    uint16_t second; /* echo: sequence number; too big: next-hop MTU (RFC 1191) */
};

/* Decodes the 8 bytes at p. */
static inline struct wisp_icmp_message wisp_icmp_parse(const uint8_t *p)
{
    struct wisp_icmp_message m = {p[0], p[1], wisp_be16_get(p + 4), wisp_be16_get(p + 6)};
    return m;
}

/* Writes 8 bytes with a checksum of zero. */
static inline void wisp_icmp_emit(uint8_t *p, const struct wisp_icmp_message *m)
{
    p[0] = m->type;
    p[1] = m->code;
    wisp_be16_put(p + 2, 0);
    wisp_be16_put(p + 4, m->first);
    wisp_be16_put(p + 6, m->second);
}

#endif
