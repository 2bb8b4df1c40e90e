/* SPDX-License-Identifier: ISC */
/*
 * Captured frames, decoded by the judge: what they are, and every prefix and many changes of each, in memory of its own
 * size, so that a sanitizer sees a read beyond it. Whatever comes out lies within the frame.
 */
#include "decode.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

/* Written out by hand from the RFCs; sums, which decoding does not look at, are blank. */
#define MACS 0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1
#define TCP_SYN40                                                                                  \
    0x45, 0, 0, 60, 0x1c, 0x46, 0x40, 0, 64, 6, 0x08, 0x6e, 10, 0, 1, 1, 10, 0, 1, 2, 0x9c, 0x40,  \
        0, 80, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 0xa0, 2, 0xfa, 0xf0, 0, 0, 0, 0, 2, 4, 5, 0xb4, \
        4, 2, 8, 10, 0, 1, 2, 3, 0, 0, 0, 0, 1, 3, 3, 7

static const uint8_t tcp_syn[] = {MACS, 8, 0, TCP_SYN40};
static const uint8_t tagged_syn[] = {MACS, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 7, 8, 0, TCP_SYN40};
static const uint8_t udp_query[] = {MACS, 8, 0,  0x45, 0, 0, 32, 0, 1, 0, 0,    64,   17,
                                    0,    0, 10, 0,    1, 1, 10, 0, 1, 2, 0x30, 0x39, 0,
                                    53,   0, 12, 0,    0, 1, 2,  3, 4, 0, 0,    0,    0};
static const uint8_t echo_request[] = {MACS, 8, 0,  0x45, 0, 0, 36, 0, 1, 0, 0, 64, 1,
                                       0,    0, 10, 0,    1, 1, 10, 0, 1, 2, 8, 0,  0,
                                       0,    7, 7,  0,    1, 1, 2,  3, 4, 5, 6, 7,  8};
static const uint8_t last_fragment[] = {MACS, 8, 0, 0x45, 0, 0, 28, 0, 9, 0, 0xb9, 64, 17, 0, 0, 10,
                                        0,    1, 1, 10,   0, 1, 2,  1, 2, 3, 4,    5,  6,  7, 8};
static const uint8_t first_fragment[] = {MACS, 8,    0,    0x45, 0, 0, 36, 0, 9, 0x20, 0, 64, 17,
                                         0,    0,    10,   0,    1, 1, 10, 0, 1, 2,    0, 7,  0,
                                         8,    0x05, 0xc0, 0,    0, 1, 2,  3, 4, 5,    6, 7,  8};
static const uint8_t arp_request[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
                                      0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
                                      10,   0,    1,    1,    0,    0,    0, 0, 0, 0, 10, 0, 1, 2};
static const uint8_t ip_options[] = {MACS, 8, 0, 0x46, 0, 0, 32, 0,  1, 0, 0, 64,
                                     17,   0, 0, 10,   0, 1, 1,  10, 0, 1, 2, 1,
                                     1,    1, 0, 0,    7, 0, 7,  0,  8, 0, 0};
static const uint8_t ipv6[] = {MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 59, 64};

static const struct row {
    const char *name;
    const uint8_t *bytes;
    uint32_t length;
    enum packet_kind kind;
    uint32_t payload_length;
} rows[] = {
#define ROW(frame, kind, payload)                                                                  \
    {                                                                                              \
#frame, frame, sizeof(frame), kind, payload                                                \
    }
    ROW(tcp_syn, PACKET_TCP, 0),       ROW(tagged_syn, PACKET_TCP, 0),
    ROW(udp_query, PACKET_UDP, 4),     ROW(echo_request, PACKET_ICMP, 8),
    ROW(last_fragment, PACKET_IP4, 0), ROW(first_fragment, PACKET_UDP, 1464),
    ROW(arp_request, PACKET_ARP, 0),   ROW(ip_options, PACKET_UDP, 0),
    ROW(ipv6, PACKET_IP6, 0),
#undef ROW
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* What is said to be there is there. */
static void check_within(const struct packet *packet, const char *name, uint32_t at)
{
    uint32_t needs = 0;
    switch (packet->kind) {
    case PACKET_ARP:
        needs = packet->network + 28;
        break;
    case PACKET_IP4:
        needs = packet->network + 20;
        break;
    case PACKET_TCP:
        needs = packet->transport + 20 + packet->options_length;
        ck_assert_uint_eq(packet->payload, needs);
        break;
    case PACKET_UDP:
    case PACKET_ICMP:
        needs = packet->transport + 8;
        ck_assert_uint_eq(packet->payload, needs);
        break;
    default:
        break;
    }
    ck_assert_msg(needs <= packet->length, "%s at %u: needs %u of %u", name, at, needs,
                  packet->length);
    if (packet->payload && !packet->cut && !packet->fragment) {
        ck_assert_msg(packet->payload + packet->payload_length <= packet->length,
                      "%s at %u: payload of %u", name, at, packet->payload_length);
    }
}

static void decode_copy(const struct row *row, const uint8_t *bytes, uint32_t length,
                        uint32_t wire_length, uint32_t at)
{
    struct packet packet;
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    packet_decode(&packet, copy, length, wire_length);
    check_within(&packet, row->name, at);
    free(copy);
}

START_TEST(frames__decoded__are_what_they_are)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct packet packet;
        packet_decode(&packet, rows[i].bytes, rows[i].length, rows[i].length);
        ck_assert_msg(packet.kind == rows[i].kind && !packet.damaged, "%s: kind %d", rows[i].name,
                      packet.kind);
        ck_assert_msg(packet.payload_length == rows[i].payload_length, "%s: payload %u",
                      rows[i].name, packet.payload_length);
        if (packet.kind != PACKET_IP6) {
            ck_assert_msg(packet.source == 0x0a000101 && packet.destination == 0x0a000102, "%s",
                          rows[i].name);
        }
        check_within(&packet, rows[i].name, 0);
    }
}
END_TEST

START_TEST(frames__every_prefix__never_read_beyond)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (uint32_t n = 0; n <= rows[i].length; n++) {
            decode_copy(&rows[i], rows[i].bytes, n, n, n);
            decode_copy(&rows[i], rows[i].bytes, n, rows[i].length, n);
            decode_copy(&rows[i], rows[i].bytes, n, 65550, n);
        }
    }
}
END_TEST

START_TEST(frames__every_byte_changed__never_read_beyond)
{
    static const uint8_t values[] = {0, 1, 4, 0x0f, 0x40, 0x4f, 0x50, 0x7f, 0x80, 0xf0, 0xff};
    for (size_t i = 0; i < ROWS; i++) {
        for (uint32_t at = 0; at < rows[i].length; at++) {
            uint8_t bytes[128];
            memcpy(bytes, rows[i].bytes, rows[i].length);
            for (size_t v = 0; v < sizeof(values); v++) {
                bytes[at] = values[v];
                decode_copy(&rows[i], bytes, rows[i].length, rows[i].length, at);
                decode_copy(&rows[i], bytes, rows[i].length, 65550, at);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode");
    TCase *tcase = tcase_create("decode");
    tcase_add_test(tcase, frames__decoded__are_what_they_are);
    tcase_add_test(tcase, frames__every_prefix__never_read_beyond);
    tcase_add_test(tcase, frames__every_byte_changed__never_read_beyond);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
