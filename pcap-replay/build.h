/* SPDX-License-Identifier: ISC */
/* Frames of the peer's side, built anew: with our addresses and complete checksums. */
#ifndef REPLAY_BUILD_H
#define REPLAY_BUILD_H

#include "decode.h"

#define BUILD_MAX 65550u

struct build_ends {
    uint8_t from_mac[6], to_mac[6];
    uint32_t from, to; /* IPv4 */
};

struct build_ip {
    uint8_t protocol, ttl, tos;
    uint16_t id;
    uint16_t fragment; /* offset and flags as on the wire */
};

/* Bytes before the transport header. */
#define BUILD_IP 34u

/* Writes Ethernet and IPv4 headers for length bytes of transport header and data, which are behind them. */
void build_ip(uint8_t *frame, const struct build_ends *ends, const struct build_ip *ip,
              uint32_t length);

/* Sets the checksum of the TCP or UDP packet; blank: the pseudo-header's part only. */
void build_csum(uint8_t *frame, uint32_t length, bool blank);

/* Sets the checksum of the ICMP packet. */
void build_icmp_csum(uint8_t *frame, uint32_t length);

/* An ARP reply that says where ends->from is. Returns its length. */
uint32_t build_arp_reply(uint8_t *frame, const struct build_ends *ends);

#endif
