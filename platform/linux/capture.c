/* SPDX-License-Identifier: ISC */
/*
 * All frames to a pcap file, by libpcap, with the wall clock's time in nanoseconds. A file that cannot be written
 * on (no space) ends the program: a capture that lacks frames is worse than none. What is written lies in
 * stdio's buffer first, so the end of the program may be the first to hear of it.
 */
#include "capture.h"
#include "linux.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#define FRAME_MOST (65535 + 18)

static struct wisp_capture capture;
static pcap_t *handle;
static pcap_dumper_t *dumper;
static const char *name;
static uint8_t frame[FRAME_MOST];
static char failure[512];

/* Says what error, just seen in writing, means. */
static const char *explain(int error)
{
    snprintf(failure, sizeof(failure), "--pcap=%.400s: %s: make room there, or name another file",
             name, error ? strerror(error) : "cannot be written");
    return failure;
}

static void let_go(void)
{
    pcap_dump_close(dumper);
    dumper = NULL;
    pcap_close(handle);
    handle = NULL;
}

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
    errno = 0;
    pcap_dump((u_char *)dumper, &header, frame);
    if (ferror(pcap_dump_file(dumper))) {
        const char *why = explain(errno);
        let_go(); /* it was said: the end of the program says nothing of it again */
        wisp_platform_exit(1, why);
    }
}

struct wisp_netdev *linux_capture_open(const char *file, struct wisp_netdev *dev, char *why,
                                       size_t size)
{
    name = file;
    handle = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO);
    dumper = handle ? pcap_dump_open(handle, file) : NULL;
    if (!dumper) {
        snprintf(why, size, "--pcap: %s", handle ? pcap_geterr(handle) : "no memory");
        return NULL;
    }
    return wisp_capture_init(&capture, dev, show, NULL);
}

const char *linux_capture_close(void)
{
    const char *why = NULL;
    if (dumper) {
        errno = 0;
        why = pcap_dump_flush(dumper) == 0 ? NULL : explain(errno);
        let_go();
    }
    return why;
}
