/* SPDX-License-Identifier: ISC */
/* Frames of the peer's side (see build.h): RFC 791 headers without options, RFC 826 replies. */
#include "build.h"
#include "frame.h"
#include <string.h>

static uint32_t sum16(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < length; i += 2) {
        sum += be16(bytes + i);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static void build_ethernet(uint8_t *frame, const struct build_ends *ends, uint16_t type)
{
    memcpy(frame, ends->to_mac, 6);
    memcpy(frame + 6, ends->from_mac, 6);
    put_be16(frame + 12, type);
}

void build_ip(uint8_t *frame, const struct build_ends *ends, const struct build_ip *ip,
              uint32_t length)
{
    uint8_t *header = frame + 14;
    build_ethernet(frame, ends, 0x0800);
    header[0] = 0x45;
    header[1] = ip->tos;
    put_be16(header + 2, 20 + length);
    put_be16(header + 4, ip->id);
    put_be16(header + 6, ip->fragment);
    header[8] = ip->ttl;
    header[9] = ip->protocol;
    put_be16(header + 10, 0);
    put_be32(header + 12, ends->from);
    put_be32(header + 16, ends->to);
    put_be16(header + 10, ~sum16(header, 20, 0) & 0xffff);
}

void build_csum(uint8_t *frame, uint32_t length, bool blank)
{
    uint8_t protocol = frame[23];
    uint8_t *field = frame + BUILD_IP + (protocol == 6 ? 16 : 6);
    if (blank) {
        put_be16(field, sum16(frame + 26, 8, protocol + length - BUILD_IP));
    } else {
        wisp_frame_fill_csum(frame, length);
    }
}

void build_icmp_csum(uint8_t *frame, uint32_t length)
{
    uint8_t *icmp = frame + BUILD_IP;
    uint32_t size = length - BUILD_IP;
    put_be16(icmp + 2, 0);
    uint32_t sum = sum16(icmp, size, 0);
    if (size & 1) {
        sum += (uint32_t)icmp[size - 1] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    put_be16(icmp + 2, ~sum & 0xffff);
}

uint32_t build_arp_reply(uint8_t *frame, const struct build_ends *ends)
{
    static const uint8_t fixed[8] = {0, 1, 8, 0, 6, 4, 0, 2};
    memset(frame, 0, 60);
    build_ethernet(frame, ends, 0x0806);
    memcpy(frame + 14, fixed, sizeof(fixed));
    memcpy(frame + 22, ends->from_mac, 6);
    put_be32(frame + 28, ends->from);
    memcpy(frame + 32, ends->to_mac, 6);
    put_be32(frame + 38, ends->to);
    return 60;
}
