/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes what pcap-replay reads itself of a capture: the stream that evens pcapng out, and the judge's decoding of frames
 * and DHCP messages. The input is a capture file; libpcap takes it apart. Each frame is decoded in memory of its own size,
 * whole and as if the capture had cut it.
 */
#define _GNU_SOURCE
#include "dhcp_wire.h"
#include "pcapng.h"
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static void look_at_dhcp(const struct packet *packet)
{
    struct dhcp_wire wire;
    uint8_t value[255];
    if (!dhcp_wire_read(&wire, packet)) {
        return;
    }
    for (unsigned code = 0; code < 256; code++) {
        dhcp_wire_option(&wire, (uint8_t)code, value, sizeof(value));
    }
    uint32_t room = wire.length + 258;
    uint8_t *to = malloc(room);
    require(dhcp_wire_translate(&wire, &wire, &wire, to, room) <= room);
    free(to);
}

static void look_at(const uint8_t *bytes, uint32_t length, uint32_t wire_length)
{
    struct packet packet;
    packet_decode(&packet, bytes, length, wire_length);
    if (packet.payload && !packet.cut && !packet.fragment) {
        require(packet.payload + packet.payload_length <= length);
    }
    if (packet.kind == PACKET_TCP) {
        require(packet.transport + 20 + packet.options_length <= length);
    }
    look_at_dhcp(&packet);
}

static void read_all(pcap_t *pcap)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    for (int i = 0; i < FRAMES && pcap_next_ex(pcap, &header, &bytes) == 1; i++) {
        uint32_t length = header->caplen;
        uint8_t *copy = malloc(length ? length : 1);
        memcpy(copy, bytes, length);
        look_at(copy, length, length);
        look_at(copy, length, length + (header->len & 0xffff));
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char reason[PCAP_ERRBUF_SIZE];
    FILE *file = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    FILE *stream = file ? pcapng_even(file, 64) : NULL;
    if (!stream) {
        return 0;
    }
    pcap_t *pcap =
        pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (!pcap) {
        fclose(stream);
        return 0;
    }
    read_all(pcap);
    pcap_close(pcap);
    return 0;
}
