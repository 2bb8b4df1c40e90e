/* SPDX-License-Identifier: ISC */
/* The UDP header (RFC 768): ports, length, checksum. */
#ifndef WISP_UDP_WIRE_H
#define WISP_UDP_WIRE_H

#include "bytes.h"

#define WISP_UDP_HEADER      8u
#define WISP_UDP_CSUM_OFFSET 6u
#define WISP_UDP_PROTOCOL    17u
#define WISP_UDP_PAYLOAD_MAX 65507u /* in IPv4 without options */

struct wisp_udp_header {
    uint16_t source;
    uint16_t destination;
    uint16_t length; /* header and payload */
    uint16_t checksum;
};

/* Decodes the 8 bytes at p. */
static inline struct wisp_udp_header wisp_udp_parse(const uint8_t *p)
{
    struct wisp_udp_header h = {wisp_be16_get(p), wisp_be16_get(p + 2), wisp_be16_get(p + 4),
                                wisp_be16_get(p + 6)};
    return h;
}

static inline void wisp_udp_emit(uint8_t *p, const struct wisp_udp_header *h)
{
    wisp_be16_put(p, h->source);
    wisp_be16_put(p + 2, h->destination);
    wisp_be16_put(p + 4, h->length);
    wisp_be16_put(p + 6, h->checksum);
}

#endif
