/* SPDX-License-Identifier: ISC */
/*
 * Captures (see capture.h). libpcap does the formats; here is what it leaves to its callers: saying what to do
 * about a file it cannot read, telling the end from damage (-2 from -1), clocks that run backwards, and frames
 * without an Ethernet header.
 *
 *   link type       what precedes the packet             the Ethernet header made for it
 *   EN10MB          nothing                              its own
 *   RAW             nothing                              addresses 02:00:a.b.c.d of the IPv4 addresses
 *   NULL, LOOP      4 bytes of address family            the same
 *   LINUX_SLL(2)    16 (20) bytes with a protocol        the same, any protocol
 */
#define _GNU_SOURCE
#include "trace.h"
#include "pcapng.h"
#include "spool.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ETH_HEADER 14u
#define FRAME_MAX  (262144u + ETH_HEADER)

/* Bytes read at a time: much in order, little where single frames are looked up again. */
#define READ_AHEAD 262144u
#define READ_AGAIN 8192u

struct trace {
    FILE *file; /* libpcap's, which closes it */
    pcap_t *pcap;
    struct bpf_program program;
    bool filtering;
    bool began;
    bool again; /* positions are wanted */
    bool moved; /* trace_again was here: `resume` is where reading in order goes on */
    off_t resume;
    int link_type;
    uint64_t first; /* absolute time of the first frame */
    struct trace_info info;
    struct output_id source;
    char error[512];
    uint8_t frame[FRAME_MAX];
};

/* ---- opening ---- */

static const char *decompressor(int first)
{
    switch (first) {
    case 0x1f:
        return "gzip-compressed: run `zcat %s | pcap-replay -`";
    case 0x28:
        return "zstd-compressed: run `zstdcat %s | pcap-replay -`";
    case 0xfd:
        return "xz-compressed: run `xzcat %s | pcap-replay -`";
    case 'B':
        return "bzip2-compressed: run `bzcat %s | pcap-replay -`";
    case EOF:
        return "empty: not even a capture file's header in %s";
    default:
        return NULL;
    }
}

/* Opens path; what cannot be read again, though that is wanted, as a copy. Null: errno says why. */
static FILE *open_readable(const char *path, bool again, struct output_id *source)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    *source = output_identify_open(fileno(file));
    if (!again || (!standard && fseeko(file, 0, SEEK_CUR) == 0)) {
        return file;
    }
    FILE *copy = spool_rest(file);
    if (!standard) {
        int reason = errno;
        fclose(file);
        errno = reason;
    }
    return copy;
}

static FILE *open_file(const char *path, bool again, struct output_id *source, char *error,
                       size_t size)
{
    struct stat status;
    bool standard = strcmp(path, "-") == 0;
    FILE *file = open_readable(path, again, source);
    if (!file) {
        snprintf(error, size, "%s: %s", standard ? "standard input" : path, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        snprintf(error, size, "%s is a directory: name a capture file in it", path);
        fclose(file);
        return NULL;
    }
    int first = getc(file);
    const char *hint = decompressor(first);
    if (hint) {
        int n = snprintf(error, size, "%s is ", standard ? "standard input" : path);
        char *rest = error + (n < (int)size ? n : (int)size - 1);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(rest, size - (size_t)(rest - error), hint, standard ? "FILE" : path);
#pragma GCC diagnostic pop
        if (file != stdin) {
            fclose(file);
        }
        return NULL;
    }
    ungetc(first, file);
    return file;
}

static bool known_link_type(int type)
{
    return type == DLT_EN10MB || type == DLT_RAW || type == DLT_NULL || type == DLT_LOOP ||
           type == DLT_LINUX_SLL || type == DLT_LINUX_SLL2;
}

/* Opens libpcap over file; false with a reason. */
static bool open_pcap(struct trace *trace, FILE *file, const char *path, char *error, size_t size)
{
    char reason[PCAP_ERRBUF_SIZE];
    trace->file = pcapng_even(file, trace->again ? READ_AGAIN : READ_AHEAD);
    if (!trace->file) {
        snprintf(error, size, "%s: no memory", path);
        return false;
    }
    trace->pcap =
        pcap_fopen_offline_with_tstamp_precision(trace->file, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (!trace->pcap) {
        fclose(trace->file);
        snprintf(error, size, "%s: %s: is it a pcap or pcapng file, and whole? (see `file %s`)",
                 path, reason, path);
        return false;
    }
    trace->link_type = pcap_datalink(trace->pcap);
    trace->info.link_type = pcap_datalink_val_to_name(trace->link_type);
    if (!known_link_type(trace->link_type)) {
        snprintf(error, size,
                 "%s: link type %s (%d) is none of EN10MB, RAW, NULL, LOOP, LINUX_SLL, LINUX_SLL2: "
                 "capture on an Ethernet interface",
                 path, trace->info.link_type ? trace->info.link_type : "unknown", trace->link_type);
        return false;
    }
    return true;
}

/* The filter sees Ethernet frames, whatever the file holds. */
static bool set_filter(struct trace *trace, const char *filter, char *error, size_t size)
{
    pcap_t *ethernet = pcap_open_dead(DLT_EN10MB, (int)FRAME_MAX);
    bool good =
        ethernet && pcap_compile(ethernet, &trace->program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!good) {
        snprintf(error, size, "filter '%s': %s (see pcap-filter(7))", filter,
                 ethernet ? pcap_geterr(ethernet) : "no memory");
    }
    if (ethernet) {
        pcap_close(ethernet);
    }
    trace->filtering = good;
    return good;
}

struct trace *trace_open(const char *path, const char *filter, bool again, char *error, size_t size,
                         bool *usage)
{
    struct stat status;
    *usage = false;
    struct output_id source = {0};
    FILE *file = open_file(path, again, &source, error, size);
    struct trace *trace = file ? calloc(1, sizeof(*trace)) : NULL;
    if (!trace) {
        return NULL;
    }
    trace->again = again;
    trace->source = source;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode)) {
        trace->info.file_size = (uint64_t)status.st_size;
    }
    if (!open_pcap(trace, file, path, error, size)) {
        if (trace->pcap) {
            pcap_close(trace->pcap);
        }
        free(trace);
        return NULL;
    }
    if (filter && filter[0] && !set_filter(trace, filter, error, size)) {
        *usage = true;
        trace_close(trace);
        return NULL;
    }
    return trace;
}

void trace_close(struct trace *trace)
{
    if (trace->filtering) {
        pcap_freecode(&trace->program);
    }
    pcap_close(trace->pcap);
    free(trace);
}

/* ---- link types ---- */

static void make_header(uint8_t *header, uint16_t protocol, const uint8_t *packet, uint32_t length)
{
    memset(header, 0, ETH_HEADER);
    header[0] = header[6] = 0x02;
    if (protocol == 0x0800 && length >= 20) {
        memcpy(header + 8, packet + 12, 4);
        memcpy(header + 2, packet + 16, 4);
    }
    header[12] = (uint8_t)(protocol >> 8);
    header[13] = (uint8_t)protocol;
}

static uint16_t version_protocol(const uint8_t *packet, uint32_t length)
{
    return length > 0 && packet[0] >> 4 == 6 ? 0x86dd : 0x0800;
}

/* Bytes before the packet, and the packet's EtherType; false: the frame is shorter than that. */
static bool link_header(int type, const uint8_t *bytes, uint32_t length, uint32_t *skip,
                        uint16_t *protocol)
{
    switch (type) {
    case DLT_NULL:
    case DLT_LOOP:
        *skip = 4;
        break;
    case DLT_LINUX_SLL:
        *skip = 16;
        break;
    case DLT_LINUX_SLL2:
        *skip = 20;
        break;
    default:
        *skip = 0;
        break;
    }
    if (length < *skip) {
        return false;
    }
    *protocol = version_protocol(bytes + *skip, length - *skip);
    if (type == DLT_LINUX_SLL) {
        *protocol = (uint16_t)(bytes[14] << 8 | bytes[15]);
    } else if (type == DLT_LINUX_SLL2) {
        *protocol = (uint16_t)(bytes[0] << 8 | bytes[1]);
    }
    return true;
}

static void to_ethernet(struct trace *trace, const struct pcap_pkthdr *header, const uint8_t *bytes,
                        struct captured *frame)
{
    uint32_t skip;
    uint16_t protocol;
    frame->bytes = bytes;
    frame->length = header->caplen;
    frame->wire_length = header->len < header->caplen ? header->caplen : header->len;
    if (trace->link_type == DLT_EN10MB ||
        !link_header(trace->link_type, bytes, header->caplen, &skip, &protocol)) {
        return;
    }
    uint32_t length = header->caplen - skip;
    length = length < FRAME_MAX - ETH_HEADER ? length : FRAME_MAX - ETH_HEADER;
    make_header(trace->frame, protocol, bytes + skip, length);
    memcpy(trace->frame + ETH_HEADER, bytes + skip, length);
    frame->bytes = trace->frame;
    frame->length = ETH_HEADER + length;
    frame->wire_length = frame->wire_length - skip + ETH_HEADER;
}

/* ---- reading ---- */

static const char *remedy(const char *reason)
{
    if (strstr(reason, "truncated")) {
        return "the file ends in the middle of a frame: copy it again, or keep what is whole with "
               "`editcap FILE NEW.pcap`";
    }
    if (strstr(reason, "different from the type")) {
        return "interfaces of different link types in one file: take one with `tshark -r FILE -Y "
               "frame.interface_id==0 -w ONE.pcapng`";
    }
    return "the file is damaged: copy it again, or repair it with `editcap FILE NEW.pcap`";
}

static void set_error(struct trace *trace)
{
    const char *reason = pcap_geterr(trace->pcap);
    snprintf(trace->error, sizeof(trace->error), "after frame %llu: %s: %s",
             (unsigned long long)trace->info.frames, reason, remedy(reason));
}

static uint64_t absolute_time(const struct pcap_pkthdr *header)
{
    return (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;
}

static void note(struct trace *trace, const struct pcap_pkthdr *header, struct captured *frame)
{
    struct trace_info *info = &trace->info;
    uint64_t time = absolute_time(header);
    if (!trace->began) {
        trace->began = true;
        trace->first = time;
    }
    frame->number = ++info->frames;
    frame->time = time > trace->first ? time - trace->first : 0;
    if (frame->time < info->last || time < trace->first) {
        info->backwards++;
        frame->time = info->last;
    }
    info->last = frame->time;
    info->bytes += header->len;
    info->cut += header->caplen < header->len;
}

static bool passes(struct trace *trace, const struct captured *frame)
{
    if (!trace->filtering) {
        return true;
    }
    struct pcap_pkthdr header = {.caplen = frame->length, .len = frame->wire_length};
    return pcap_offline_filter(&trace->program, &header, frame->bytes) != 0;
}

int trace_next(struct trace *trace, struct captured *frame)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    for (;;) {
        if (trace->moved) {
            trace->moved = false;
            fseeko(trace->file, trace->resume, SEEK_SET);
        }
        off_t position = trace->again ? ftello(trace->file) : 0;
        int result = pcap_next_ex(trace->pcap, &header, &bytes);
        if (result != 1) {
            if (result != PCAP_ERROR_BREAK) {
                set_error(trace);
            }
            return result == PCAP_ERROR_BREAK ? 0 : -1;
        }
        frame->position = position > 0 ? (uint64_t)position : 0;
        to_ethernet(trace, header, bytes, frame);
        note(trace, header, frame);
        if (passes(trace, frame)) {
            return 1;
        }
        trace->info.filtered++;
    }
}

bool trace_again(struct trace *trace, uint64_t position, struct captured *frame)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    if (!trace->moved) {
        trace->moved = true;
        trace->resume = ftello(trace->file);
    }
    if (fseeko(trace->file, (off_t)position, SEEK_SET) != 0 ||
        pcap_next_ex(trace->pcap, &header, &bytes) != 1) {
        return false;
    }
    frame->position = position;
    to_ethernet(trace, header, bytes, frame);
    return true;
}

const struct output_id *trace_source(const struct trace *trace)
{
    return &trace->source;
}

const char *trace_error(const struct trace *trace)
{
    return trace->error;
}

void trace_info(const struct trace *trace, struct trace_info *info)
{
    *info = trace->info;
}
