/* SPDX-License-Identifier: ISC */
/*
 * Frames (see frame.h): RFC 1071 sums over IPv4 (RFC 791), TCP (RFC 9293 §3.1) and UDP (RFC 768), and
 * segmentation as network cards do it: every segment gets the headers of the whole, FIN and PSH only the
 * last one, CWR only the first. IPv6 is not cut.
 */
#include "frame.h"
#include <string.h>
#include <wisp/hash.h>

#define ETH_HEADER 14u
#define TCP_FIN    0x01u
#define TCP_PSH    0x08u
#define TCP_CWR    0x80u

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* The sum in network byte order, folded. */
static uint32_t sum_bytes(const uint8_t *bytes, uint32_t length)
{
    uint16_t sum = wisp_sum_portable(bytes, length);
    uint8_t wire[2];
    memcpy(wire, &sum, sizeof(wire));
    return get16(wire);
}

static uint32_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

uint32_t wisp_frame_copy(const struct wisp_frame *frame, uint32_t offset, void *bytes,
                         uint32_t size)
{
    uint8_t *to = bytes;
    uint32_t done = 0;
    for (uint32_t i = 0; i < frame->pieces && done < size; i++) {
        const struct wisp_piece *piece = &frame->piece[i];
        if (offset >= piece->length) {
            offset -= piece->length;
            continue;
        }
        uint32_t part = piece->length - offset;
        part = part < size - done ? part : size - done;
        memcpy(to + done, piece->bytes + offset, part);
        done += part;
        offset = 0;
    }
    return done;
}

bool wisp_frame_transport(const uint8_t *bytes, uint32_t length, uint32_t *start, uint8_t *protocol)
{
    if (length < ETH_HEADER + 20 || get16(bytes + 12) != 0x0800 || bytes[14] >> 4 != 4) {
        return false;
    }
    uint32_t header = (bytes[14] & 15u) * 4;
    if (header < 20 || length < ETH_HEADER + header) {
        return false;
    }
    *start = ETH_HEADER + header;
    *protocol = bytes[ETH_HEADER + 9];
    return true;
}

/* A whole TCP or UDP packet: where its header starts, how long it is, where its checksum is. */
struct span {
    uint32_t start, length, csum;
    uint8_t protocol;
};

static bool find_span(const uint8_t *bytes, uint32_t length, struct span *span)
{
    if (!wisp_frame_transport(bytes, length, &span->start, &span->protocol) ||
        (get16(bytes + ETH_HEADER + 6) & 0x3fff) != 0) {
        return false;
    }
    uint32_t total = get16(bytes + ETH_HEADER + 2);
    uint32_t header = span->start - ETH_HEADER;
    uint32_t need = span->protocol == 6 ? 20 : 8;
    if (total < header + need || total > length - ETH_HEADER) {
        return false;
    }
    span->length = total - header;
    if (span->protocol == 17 && get16(bytes + span->start + 4) < span->length) {
        span->length = get16(bytes + span->start + 4);
        if (span->length < 8) {
            return false;
        }
    }
    span->csum = span->start + (span->protocol == 6 ? 16 : 6);
    return span->protocol == 6 || span->protocol == 17;
}

static uint32_t pseudo_sum(const uint8_t *bytes, const struct span *span)
{
    return fold(sum_bytes(bytes + ETH_HEADER + 12, 8) + span->protocol + span->length);
}

bool wisp_frame_fill_csum(uint8_t *bytes, uint32_t length)
{
    struct span span;
    if (!find_span(bytes, length, &span)) {
        return false;
    }
    put16(bytes + span.csum, 0);
    uint32_t sum = fold(pseudo_sum(bytes, &span) + sum_bytes(bytes + span.start, span.length));
    sum = ~sum & 0xffff;
    put16(bytes + span.csum, sum == 0 && span.protocol == 17 ? 0xffff : sum);
    return true;
}

bool wisp_frame_csum_good(const uint8_t *bytes, uint32_t length)
{
    uint32_t start;
    uint8_t protocol;
    struct span span;
    if (!wisp_frame_transport(bytes, length, &start, &protocol)) {
        return true;
    }
    if (sum_bytes(bytes + ETH_HEADER, start - ETH_HEADER) != 0xffff) {
        return false;
    }
    uint32_t total = get16(bytes + ETH_HEADER + 2);
    bool whole = (get16(bytes + ETH_HEADER + 6) & 0x3fff) == 0 && total <= length - ETH_HEADER &&
                 total > start - ETH_HEADER;
    if (protocol == 1 && whole) {
        return sum_bytes(bytes + start, total - (start - ETH_HEADER)) == 0xffff;
    }
    if (!find_span(bytes, length, &span) || (protocol == 17 && get16(bytes + span.csum) == 0)) {
        return true;
    }
    return fold(pseudo_sum(bytes, &span) + sum_bytes(bytes + span.start, span.length)) == 0xffff;
}

bool wisp_frame_csum_blank(const uint8_t *bytes, uint32_t length)
{
    struct span span;
    if (!find_span(bytes, length, &span)) {
        return false;
    }
    uint32_t field = get16(bytes + span.csum);
    return field != 0 && field == pseudo_sum(bytes, &span);
}

/* Writes the segment of payload bytes [from, from + part) of the whole at bytes into out; its length. */
static uint32_t emit_segment(const uint8_t *bytes, const struct span *span, uint32_t from,
                             uint32_t part, uint32_t number, uint8_t *out)
{
    uint32_t tcp_header = (bytes[span->start + 12] >> 4) * 4u;
    uint32_t headers = span->start + tcp_header;
    bool last = from + part == span->length - tcp_header;
    memcpy(out, bytes, headers);
    memcpy(out + headers, bytes + headers + from, part);
    put16(out + ETH_HEADER + 2, headers - ETH_HEADER + part);
    put16(out + ETH_HEADER + 4, (get16(bytes + ETH_HEADER + 4) + number) & 0xffff);
    put16(out + ETH_HEADER + 10, 0);
    put16(out + ETH_HEADER + 10, ~sum_bytes(out + ETH_HEADER, span->start - ETH_HEADER) & 0xffff);
    put32(out + span->start + 4, get32(bytes + span->start + 4) + from);
    uint8_t *flags = out + span->start + 13;
    if (!last) {
        *flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    }
    if (from > 0) {
        *flags &= (uint8_t)~TCP_CWR;
    }
    wisp_frame_fill_csum(out, headers + part);
    return headers + part;
}

void wisp_frame_segment(const uint8_t *bytes, uint32_t length, uint16_t gso_size, wisp_frame_fn fn,
                        void *context)
{
    struct span span;
    uint8_t out[WISP_FRAME_MAX];
    if (gso_size == 0 || !find_span(bytes, length, &span) || span.protocol != 6) {
        fn(context, bytes, length);
        return;
    }
    uint32_t tcp_header = (bytes[span.start + 12] >> 4) * 4u;
    if (tcp_header < 20 || tcp_header > span.length) {
        fn(context, bytes, length);
        return;
    }
    uint32_t payload = span.length - tcp_header;
    uint32_t number = 0;
    for (uint32_t from = 0; from < payload || number == 0; from += gso_size) {
        uint32_t part = payload - from < gso_size ? payload - from : gso_size;
        fn(context, out, emit_segment(bytes, &span, from, part, number++, out));
    }
}

uint32_t wisp_frame_flow_hash(const uint8_t *bytes, uint32_t length)
{
    uint32_t start;
    uint8_t protocol;
    if (!wisp_frame_transport(bytes, length, &start, &protocol)) {
        return 0;
    }
    uint32_t hash = get32(bytes + ETH_HEADER + 12) ^ get32(bytes + ETH_HEADER + 16) ^ protocol;
    bool ports = (protocol == 6 || protocol == 17) && length >= start + 4 &&
                 (get16(bytes + ETH_HEADER + 6) & 0x3fff) == 0;
    if (ports) {
        hash ^= get16(bytes + start) ^ get16(bytes + start + 2);
    }
    return hash * 2654435761u >> 16;
}
