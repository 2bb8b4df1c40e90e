/* SPDX-License-Identifier: ISC */
/*
 * Makes a capture of any size, the same one each time: a busy server's link, as tcpdump on it would
 * have written it. 256 conversations at once, each replaced by a new one when it has ended:
 *
 *   14 of 16   TCP: handshake, a request, a response of up to 300 KB in segments of 1448 bytes with
 * an acknowledgement for every second one, both ends closed 1 of 16   UDP, a question and an answer
 *    1 of 16   an ICMP echo and its reply
 *
 * All checksums are right. Frames average 960 bytes: `make-capture 1G big.pcap` has 1.1 million of
 * them in a minute.
 *
 * With `uploads` the clients send what the server sends else, and only what goes to the server is in the capture, as from
 * one direction of a tap: each frame is for one host.
 */
#define _DEFAULT_SOURCE /* u_char, for pcap.h */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN    256u
#define SEGMENT 1448u
#define ETH     14u
#define IP      20u
#define TCP     20u
#define US      1000u /* nanoseconds */

enum kind { KIND_TCP, KIND_UDP, KIND_ECHO };
enum flag { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

/* Steps of a TCP conversation: 0 SYN, 1 SYN-ACK, 2 ACK, 3 request, then segments and
 * acknowledgements, then the end. */
struct conversation {
    enum kind kind;
    uint32_t client, step, left, since_ack;
    uint32_t seq[2]; /* of client and server */
    uint16_t port;
    uint8_t ending;
};

static struct conversation conversation[OPEN];
static uint8_t frame[ETH + IP + TCP + SEGMENT];
static uint32_t state = 1;
static uint32_t born;
static uint64_t now;
static pcap_dumper_t *dumper;
static uint64_t written;
static bool uploads;

static uint32_t random_below(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t add(uint32_t sum, const uint8_t *p, uint32_t length)
{
    for (uint32_t i = 0; i + 1 < length; i += 2) {
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    }
    return length & 1 ? sum + ((uint32_t)p[length - 1] << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
}

/* Finishes the frame whose IP payload of length bytes stands ready, and writes it. side: 0 the
 * client's. */
static void emit(const struct conversation *c, int side, uint8_t protocol, uint32_t length,
                 uint32_t sum_at)
{
    static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 9}, {2, 0, 0, 0, 0, 1}};
    uint8_t *ip = frame + ETH;
    memcpy(frame, mac[!side], 6);
    memcpy(frame + 6, mac[side], 6);
    put16(frame + 12, 0x0800);
    memset(ip, 0, IP);
    ip[0] = 0x45;
    put16(ip + 2, IP + length);
    put16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = protocol;
    put32(ip + (side ? 16 : 12), c->client);
    put32(ip + (side ? 12 : 16), 0x0a000001);
    put16(ip + 10, fold(add(0, ip, IP)));
    put16(ip + IP + sum_at, 0);
    uint32_t sum = protocol == 1 ? 0 : add((uint32_t)protocol + length, ip + 12, 8);
    put16(ip + IP + sum_at, fold(add(sum, ip + IP, length)));
    struct pcap_pkthdr header = {.caplen = ETH + IP + length, .len = ETH + IP + length};
    now += 10 * US + random_below(90 * US);
    if (uploads && side) {
        return;
    }
    header.ts.tv_sec = (time_t)(now / 1000000000u);
    header.ts.tv_usec = (suseconds_t)(now % 1000000000u / 1000u);
    pcap_dump((u_char *)dumper, &header, frame);
    written += sizeof(uint32_t) * 4 + header.caplen;
}

static void segment(struct conversation *c, int side, uint8_t flags, uint32_t payload)
{
    uint8_t *tcp = frame + ETH + IP;
    memset(tcp, 0, TCP);
    put16(tcp + (side ? 2 : 0), c->port);
    put16(tcp + (side ? 0 : 2), 80);
    put32(tcp + 4, c->seq[side]);
    put32(tcp + 8, flags & ACK ? c->seq[!side] : 0);
    tcp[12] = TCP / 4 << 4;
    tcp[13] = flags;
    put16(tcp + 14, 65535);
    for (uint32_t i = 0; i < payload; i++) {
        tcp[TCP + i] = (uint8_t)(c->seq[side] + i);
    }
    c->seq[side] += payload + ((flags & (SYN | FIN)) != 0);
    emit(c, side, 6, TCP + payload, 16);
}

/* The next frame of a TCP conversation; false: that was its last. */
static bool advance_tcp(struct conversation *c)
{
    switch (c->step++) {
    case 0:
        segment(c, 0, SYN, 0);
        return true;
    case 1:
        segment(c, 1, SYN | ACK, 0);
        return true;
    case 2:
        segment(c, 0, ACK, 0);
        return true;
    case 3:
        segment(c, 0, ACK | PSH, 80 + random_below(400));
        return true;
    default:
        break;
    }
    if (c->since_ack == 2 || (c->left == 0 && c->since_ack > 0)) {
        c->since_ack = 0;
        segment(c, uploads, ACK, 0);
    } else if (c->left > 0) {
        uint32_t n = c->left < SEGMENT ? c->left : SEGMENT;
        c->left -= n;
        c->since_ack++;
        segment(c, !uploads, n == SEGMENT ? ACK : ACK | PSH, n);
    } else {
        segment(c, c->ending != 1, c->ending < 2 ? FIN | ACK : ACK, 0);
        return ++c->ending < 3;
    }
    return true;
}

static bool advance_udp(struct conversation *c)
{
    uint8_t *udp = frame + ETH + IP;
    int side = (int)c->step++;
    uint32_t payload = side ? 60 + random_below(400) : 30 + random_below(40);
    put16(udp + side * 2, c->port);
    put16(udp + (1 - side) * 2, 53);
    put16(udp + 4, 8 + payload);
    memset(udp + 8, 0x42, payload);
    emit(c, side, 17, 8 + payload, 6);
    return side == 0;
}

static bool advance_echo(struct conversation *c)
{
    uint8_t *icmp = frame + ETH + IP;
    int side = (int)c->step++;
    memset(icmp, 0, 64);
    icmp[0] = side ? 0 : 8;
    put16(icmp + 4, c->port);
    emit(c, side, 1, 64, 2);
    return side == 0;
}

static void begin(struct conversation *c)
{
    uint32_t draw = random_below(16);
    born++;
    *c = (struct conversation){.kind = draw == 14   ? KIND_UDP
                                       : draw == 15 ? KIND_ECHO
                                                    : KIND_TCP,
                               .client = 0x0a010000 + born % 60000,
                               .left = 1 + random_below(300000),
                               .port = (uint16_t)(20000 + born % 40000)};
    c->seq[0] = random_below(UINT32_MAX);
    c->seq[1] = random_below(UINT32_MAX);
}

static void advance(struct conversation *c)
{
    bool on = c->kind == KIND_TCP   ? advance_tcp(c)
              : c->kind == KIND_UDP ? advance_udp(c)
                                    : advance_echo(c);
    if (!on) {
        begin(c);
    }
}

/* "64M" and the like; 0: no size. */
static uint64_t read_size(const char *text)
{
    char *end;
    uint64_t size = strtoull(text, &end, 10);
    uint64_t unit = *end == 'K' ? 1u << 10 : *end == 'M' ? 1u << 20 : *end == 'G' ? 1u << 30 : 1;
    bool whole =
        text[0] >= '0' && text[0] <= '9' && end[*end != '\0'] == '\0' && (unit > 1 || *end == '\0');
    return whole ? size * unit : 0;
}

int main(int argc, char **argv)
{
    uploads = argc == 4 && strcmp(argv[3], "uploads") == 0;
    uint64_t size = argc == 3 || uploads ? read_size(argv[1]) : 0;
    if (size == 0) {
        fputs(
            "usage: make-capture SIZE[K|M|G] FILE|- [uploads]\nWrites a capture of about SIZE bytes, the "
            "same each time.\n",
            stderr);
        return 2;
    }
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
    dumper = pcap_dump_open(pcap, argv[2]);
    if (!dumper) {
        fprintf(stderr, "make-capture: %s\n", pcap_geterr(pcap));
        return 1;
    }
    for (uint32_t i = 0; i < OPEN; i++) {
        begin(&conversation[i]);
    }
    while (written < size) {
        advance(&conversation[random_below(OPEN)]);
    }
    bool good = pcap_dump_flush(dumper) == 0;
    pcap_dump_close(dumper);
    pcap_close(pcap);
    return good ? 0 : 1;
}
