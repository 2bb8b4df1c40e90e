/* SPDX-License-Identifier: ISC */
/*
 * Decoding captured frames (see decode.h): Ethernet with up to two VLAN tags, ARP (RFC 826), IPv4 (RFC 791), TCP
 * (RFC 9293 §3.1), UDP (RFC 768), ICMP (RFC 792). Deliberately not the stack's own parsers: the judge must not share
 * the judged one's mistakes.
 */
#include "decode.h"
#include <string.h>

static bool decode_ethernet(struct packet *packet, uint32_t *type)
{
    uint32_t at = 12;
    if (packet->length < 14) {
        return false;
    }
    *type = be16(packet->bytes + at);
    for (int tags = 0; tags < 2 && (*type == 0x8100 || *type == 0x88a8 || *type == 0x9100);
         tags++) {
        packet->vlan = true;
        at += 4;
        if (packet->length < at + 2) {
            return false;
        }
        *type = be16(packet->bytes + at);
    }
    packet->network = at + 2;
    return true;
}

static void decode_arp(struct packet *packet)
{
    const uint8_t *arp = packet->bytes + packet->network;
    if (packet->length < packet->network + 28 || be16(arp) != 1 || be16(arp + 2) != 0x0800 ||
        arp[4] != 6 || arp[5] != 4) {
        packet->damaged = true;
        return;
    }
    packet->kind = PACKET_ARP;
    packet->icmp_code = (uint8_t)be16(arp + 6);
    packet->source = be32(arp + 14);
    packet->destination = be32(arp + 24);
}

/* Bytes of the transport header and data as IP says; the bytes that are there in *there. */
static bool decode_ip4(struct packet *packet, uint32_t wire_length, uint32_t *said, uint32_t *there)
{
    const uint8_t *ip = packet->bytes + packet->network;
    uint32_t left = packet->length - packet->network;
    if (left < 20 || ip[0] >> 4 != 4) {
        return false;
    }
    uint32_t header = (ip[0] & 15u) * 4;
    uint32_t total = be16(ip + 2);
    if (total == 0 && wire_length > 1514) {
        /* captured before segmentation offload filled it in */
        total = wire_length - packet->network;
    }
    if (header < 20 || left < header || total < header || total > wire_length - packet->network) {
        return false;
    }
    packet->kind = PACKET_IP4;
    packet->tos = ip[1];
    packet->ip_id = (uint16_t)be16(ip + 4);
    packet->fragment = (be16(ip + 6) & 0x3fff) != 0;
    packet->dont_fragment = (ip[6] & 0x40) != 0;
    packet->ttl = ip[8];
    packet->protocol = ip[9];
    packet->source = be32(ip + 12);
    packet->destination = be32(ip + 16);
    packet->transport = packet->network + header;
    *said = total - header;
    *there = left - header < *said ? left - header : *said;
    packet->cut = *there < *said;
    return (be16(ip + 6) & 0x1fff) == 0; /* only a first fragment has a transport header */
}

static void decode_tcp(struct packet *packet, uint32_t said, uint32_t there)
{
    const uint8_t *tcp = packet->bytes + packet->transport;
    uint32_t header = there >= 20 ? (tcp[12] >> 4) * 4u : 0;
    if (header < 20 || header > there) {
        packet->damaged = true;
        return;
    }
    packet->kind = PACKET_TCP;
    packet->source_port = (uint16_t)be16(tcp);
    packet->destination_port = (uint16_t)be16(tcp + 2);
    packet->seq = be32(tcp + 4);
    packet->ack = be32(tcp + 8);
    packet->flags = tcp[13];
    packet->window = (uint16_t)be16(tcp + 14);
    packet->urgent = (uint16_t)be16(tcp + 18);
    packet->options_length = (uint8_t)(header - 20);
    packet->payload = packet->transport + header;
    packet->payload_length = said - header;
}

static void decode_udp(struct packet *packet, uint32_t said, uint32_t there)
{
    const uint8_t *udp = packet->bytes + packet->transport;
    uint32_t length = there >= 8 ? be16(udp + 4) : 0;
    if (length < 8 || (length > said && !packet->fragment)) {
        packet->damaged = true;
        return;
    }
    packet->kind = PACKET_UDP;
    packet->source_port = (uint16_t)be16(udp);
    packet->destination_port = (uint16_t)be16(udp + 2);
    packet->payload = packet->transport + 8;
    packet->payload_length = length - 8;
}

static void decode_icmp(struct packet *packet, uint32_t said, uint32_t there)
{
    const uint8_t *icmp = packet->bytes + packet->transport;
    if (there < 8) {
        packet->damaged = true;
        return;
    }
    packet->kind = PACKET_ICMP;
    packet->icmp_type = icmp[0];
    packet->icmp_code = icmp[1];
    packet->icmp_id = (uint16_t)be16(icmp + 4);
    packet->icmp_seq = (uint16_t)be16(icmp + 6);
    packet->payload = packet->transport + 8;
    packet->payload_length = said - 8;
}

void packet_decode(struct packet *packet, const uint8_t *bytes, uint32_t length,
                   uint32_t wire_length)
{
    uint32_t type, said, there;
    memset(packet, 0, sizeof(*packet));
    packet->bytes = bytes;
    packet->length = length;
    packet->cut = length < wire_length;
    if (!decode_ethernet(packet, &type)) {
        packet->damaged = true;
        return;
    }
    if (type == 0x86dd) {
        packet->kind = PACKET_IP6;
    }
    if (type == 0x0806) {
        decode_arp(packet);
    }
    if (type != 0x0800) {
        return;
    }
    bool cut = packet->cut;
    if (!decode_ip4(packet, wire_length, &said, &there)) {
        packet->damaged = packet->kind != PACKET_IP4;
        return;
    }
    /* Bytes missing behind the IP packet are padding. */
    packet->cut = cut && packet->cut;
    if (packet->protocol == 6) {
        decode_tcp(packet, said, there);
    } else if (packet->protocol == 17) {
        decode_udp(packet, said, there);
    } else if (packet->protocol == 1) {
        decode_icmp(packet, said, there);
    }
}
