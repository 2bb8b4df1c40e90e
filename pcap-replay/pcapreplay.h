/* SPDX-License-Identifier: ISC */
/*
 * Replays a capture into the wisp stack, through a Xen netback, a ring and netfront in memory, and judges the
 * answers. No network device, no privileges, no clock: two runs with the same options give the same result.
 *
 *     struct pcapreplay_options options;
 *     pcapreplay_options_default(&options);
 *     options.file = "tests/http.pcap";
 *     struct pcapreplay_report *report = pcapreplay_run(&options);
 *     ck_assert_msg(report->status == PCAPREPLAY_MATCH, "%s", report->text);
 *     pcapreplay_free(report);
 *
 * Runs share nothing: each thread may have its own at the same time, with options of its own and another capture than
 * standard input, of which a process has one. A report is used by one thread at a time; options are only read.
 *
 * The struct of options may grow in a later version, at its end, and says itself how large its caller knows it: a program
 * linked with another version of the library gets the defaults for what it does not know of. Reports come from the
 * library, and what they consist of is compiled into the program: header and library are of one version there.
 */
#ifndef PCAPREPLAY_H
#define PCAPREPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pcapreplay_mode {
    /* one side of each conversation is the stack, the other is rebuilt from the capture */
    PCAPREPLAY_ENDPOINT,
    PCAPREPLAY_INJECT /* frames as they are: parsing, drop rules, robustness */
};

/* How alike the stack's answers must be to the captured ones. */
enum pcapreplay_strict {
    PCAPREPLAY_STREAM, /* the bytes of each direction, and how it ended */
    /* and each segment's flags, sequence and acknowledgement numbers, and length */
    PCAPREPLAY_HEADERS,
    /* and what else stands in it, but identifications, timestamps and checksums */
    PCAPREPLAY_BYTES
};

/* Frames with a blank or wrong transport checksum. */
enum pcapreplay_csum {
    /* blank ones (offload at the capturing host) are completed, others stay */
    PCAPREPLAY_CSUM_AUTO,
    PCAPREPLAY_CSUM_KEEP, /* all stay as captured */
    PCAPREPLAY_CSUM_FIX   /* all are completed */
};

enum pcapreplay_status {
    PCAPREPLAY_MATCH = 0,
    PCAPREPLAY_MISMATCH = 1,
    PCAPREPLAY_USAGE = 2,      /* an option cannot be used, or a file not be written */
    PCAPREPLAY_UNREADABLE = 3, /* the capture cannot be read, or only in part */
    /* the stack lost pages or grants, broke the ring's rules, or went round in circles */
    PCAPREPLAY_FAULT = 4,
    PCAPREPLAY_NOTHING = 77 /* nothing in the capture applies */
};

#define PCAPREPLAY_MTU_MIN    576u
#define PCAPREPLAY_QUEUES_MAX 8u
#define PCAPREPLAY_SPLIT_MAX  4096u

struct pcapreplay_options {
    size_t size;        /* of this struct; pcapreplay_options_default sets it */
    const char *file;   /* "-": standard input */
    const char *filter; /* pcap-filter(7), or null */
    enum pcapreplay_mode mode;
    enum pcapreplay_strict strict;
    enum pcapreplay_csum csum;
    const char *dut;     /* "ADDR[/LEN]": the stack is these hosts; null: each flow's responder,
                               * of DHCP the client */
    const char *dut_mac; /* of inject mode; null: where most frames to a responder, or to dut, go */
    uint16_t mtu;        /* default 1500, at least PCAPREPLAY_MTU_MIN */
    uint64_t seed;       /* default 1 */
    /* "delay=20ms,jitter=5ms,loss=1%,dup=.1%,reorder=2%,corrupt=.01%,rate=10Mbit" */
    const char *impair;
    const char *write;    /* all frames of both directions, as nanosecond pcap */
    bool allow_truncated; /* judge flows of cut frames too */
    bool persistent;      /* grants for good instead of for each use */
    uint16_t split;       /* fill ring slots with at most that many bytes; 0: whole pages */
    uint16_t queues;      /* ring pairs, default 1, at most PCAPREPLAY_QUEUES_MAX */
    uint64_t limit;       /* frames to read; 0: all */
    bool list;            /* only say which flows there are */
    /* Called now and then; total 0: unknown. */
    void (*progress)(void *context, uint64_t frames, uint64_t bytes, uint64_t total);
    void *context;
};

/* For pcapreplay_options_default: sets size bytes of options to the defaults. */
void pcapreplay_options_fill(struct pcapreplay_options *options, size_t size);

/* Sets all options to the defaults; file is null then, and for the caller. To be called before any is set. */
static inline void pcapreplay_options_default(struct pcapreplay_options *options)
{
    pcapreplay_options_fill(options, sizeof(*options));
}

enum pcapreplay_verdict { PCAPREPLAY_PASS, PCAPREPLAY_FAIL, PCAPREPLAY_SKIP };

struct pcapreplay_flow {
    uint32_t id;       /* in the order of first frames, from 1 */
    const char *proto; /* "tcp", "udp", "icmp", "arp", "dhcp", "ip", "ip6" */
    char peer[48];     /* "10.0.0.1:40000" */
    char dut[48];      /* "10.0.0.2:80" */
    /* its opening was seen, no byte and no frame of it is missing or cut */
    bool complete;
    enum pcapreplay_verdict verdict;
    uint64_t frames_in, frames_out; /* to the stack, from it, in the replay */
    uint64_t bytes_in, bytes_out;   /* payload received by our application, and by the peer */
    uint64_t first_frame;           /* number in the capture */
    uint64_t diff_frame; /* of a FAIL: the captured frame it was found at; 0: at the end */
    uint64_t diff_time;  /* of that frame, nanoseconds since the capture began */
    char exchange[160];  /* of DHCP: the client's card and the captured messages; else "" */
    char why[200];       /* of a FAIL or SKIP: one line */
    char expected[120];  /* of a FAIL of headers or bytes */
    char got[120];
};

struct pcapreplay_counter {
    char name[48];
    uint64_t value;
};

struct pcapreplay_report {
    enum pcapreplay_status status;
    char text[512]; /* one line: the error, or the outcome */
    char link_type[24];
    uint64_t frames, bytes;         /* read */
    uint64_t frames_in, frames_out; /* to the stack, from it */
    uint64_t skipped;               /* frames that belong to nothing that is replayed */
    uint64_t cut, backwards, filtered, blank;
    uint64_t virtual_ns;           /* from the first frame to the last */
    struct pcapreplay_flow *flows; /* endpoint mode */
    uint32_t flow_count;
    uint32_t pass, fail, skip;
    struct pcapreplay_counter *counters; /* of stack, driver and backend, added up */
    uint32_t counter_count;
};

/*
 * Replays options->file. What came of it, errors too, is in the report, which is the caller's; strings of options are
 * not kept. Null: memory is out.
 */
struct pcapreplay_report *pcapreplay_run(const struct pcapreplay_options *options);

/* Frees a report with its flows and counters; null is none. */
void pcapreplay_free(struct pcapreplay_report *report);

enum pcapreplay_format { PCAPREPLAY_TEXT, PCAPREPLAY_TAP, PCAPREPLAY_JSON };

/*
 * Writes the report of a run with these options. stats: counters too. Whether file took it, ferror(file) and fflush say.
 */
void pcapreplay_print(const struct pcapreplay_report *report,
                      const struct pcapreplay_options *options, enum pcapreplay_format format,
                      bool stats, FILE *file);

#ifdef __cplusplus
}
#endif
#endif
