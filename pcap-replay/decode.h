/* SPDX-License-Identifier: ISC */
/* What a captured frame is: one decoding, bounds-checked, into host order. For the tool's side of the wire only. */
#ifndef REPLAY_DECODE_H
#define REPLAY_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum packet_kind {
    PACKET_OTHER, /* nothing below is known beyond the Ethernet header, or it is damaged */
    PACKET_ARP,
    PACKET_IP4, /* another protocol, or a fragment that is not the first */
    PACKET_IP6,
    PACKET_TCP,
    PACKET_UDP,
    PACKET_ICMP
};

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

struct packet {
    enum packet_kind kind;
    const uint8_t *bytes;
    uint32_t length; /* of the frame */
    bool damaged;    /* says it is of that kind, but is cut or contradicts itself */
    bool cut;        /* the capture has not all of it */
    bool vlan;
    uint32_t network;        /* offset of the IP or ARP header */
    uint32_t transport;      /* offset of the TCP, UDP or ICMP header */
    uint32_t payload;        /* offset of what follows it */
    uint32_t payload_length; /* as the headers say; less may be there when cut */
    uint8_t protocol;
    uint8_t ttl, tos;
    uint16_t ip_id;
    bool fragment; /* any fragment */
    bool dont_fragment;
    uint32_t source, destination; /* IPv4; ARP: sender and target */
    uint16_t source_port, destination_port;
    uint32_t seq, ack;
    uint16_t window, urgent;
    uint8_t flags; /* enum tcp_flag and the bits above */
    uint8_t options_length;
    uint8_t icmp_type, icmp_code; /* ARP: the operation in icmp_code */
    uint16_t icmp_id, icmp_seq;
};

/* wire_length: bytes the frame had; more than length when it was cut. */
void packet_decode(struct packet *packet, const uint8_t *bytes, uint32_t length,
                   uint32_t wire_length);

static inline uint32_t be16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t be32(const uint8_t *at)
{
    return be16(at) << 16 | be16(at + 2);
}

static inline void put_be16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put_be32(uint8_t *at, uint32_t value)
{
    put_be16(at, value >> 16);
    put_be16(at + 2, value);
}

/* a is before b, in the 32-bit circle of sequence numbers. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (a - b) >> 31 != 0;
}

#endif
