/* SPDX-License-Identifier: ISC */
/* All frames to a pcap file, by libpcap, with the wall clock's time in nanoseconds. */
#include "capture.h"
#include "linux.h"
#include <pcap/pcap.h>
#include <stdio.h>

#define FRAME_MOST (65535 + 18)

static struct wisp_capture capture;
static pcap_t *handle;
static pcap_dumper_t *dumper;
static uint8_t frame[FRAME_MOST];

static void show(void *context, const struct wisp_pkt *pkt, bool sent, wisp_time now)
{
    (void)context;
    (void)sent;
    uint32_t length = pkt->length < FRAME_MOST ? pkt->length : FRAME_MOST;
    uint64_t at = linux_clock_epoch() + now;
    struct pcap_pkthdr header = {.caplen = length, .len = pkt->length};
    header.ts.tv_sec = (time_t)(at / 1000000000u);
    header.ts.tv_usec = (suseconds_t)(at % 1000000000u); /* nanoseconds, as the file says */
    (void)wisp_pkt_read(pkt, 0, frame, length);
    pcap_dump((u_char *)dumper, &header, frame);
}

struct wisp_netdev *linux_capture_open(const char *file, struct wisp_netdev *dev, char *why,
                                       size_t size)
{
    handle = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO);
    dumper = handle ? pcap_dump_open(handle, file) : NULL;
    if (!dumper) {
        snprintf(why, size, "--pcap: %s", handle ? pcap_geterr(handle) : "no memory");
        return NULL;
    }
    return wisp_capture_init(&capture, dev, show, NULL);
}

void linux_capture_close(void)
{
    if (dumper) {
        pcap_dump_close(dumper);
        dumper = NULL;
    }
    if (handle) {
        pcap_close(handle);
        handle = NULL;
    }
}
