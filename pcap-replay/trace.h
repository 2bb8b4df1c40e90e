/* SPDX-License-Identifier: ISC */
/*
 * A capture being read: pcap and pcapng by libpcap, with nanoseconds, a BPF filter, and every link type it
 * knows turned into Ethernet. A frame can be read again by its position, so that whoever remembers frames
 * need not keep their bytes.
 */
#ifndef REPLAY_TRACE_H
#define REPLAY_TRACE_H

#include "output.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace;

struct captured {
    uint64_t number; /* counted from 1, as other tools do, over all frames of the file */
    /* nanoseconds since the first frame of the file, never less than before */
    uint64_t time;
    uint64_t position;    /* for trace_again */
    const uint8_t *bytes; /* an Ethernet frame, valid until the next call on the capture */
    uint32_t length;      /* bytes there are */
    uint32_t wire_length; /* bytes there were: more when the capture cut the frame */
};

struct trace_info {
    const char *link_type; /* "EN10MB" */
    bool nanoseconds;
    uint64_t frames;    /* read so far, those the filter left out included */
    uint64_t bytes;     /* of these, on the wire */
    uint64_t cut;       /* of these frames, shorter than on the wire */
    uint64_t backwards; /* of these frames, before their predecessor in time */
    uint64_t last;      /* time of the latest frame */
    uint64_t filtered;  /* left out by the filter */
    uint64_t file_size; /* 0: unknown */
};

/*
 * Opens path ("-": standard input) with a BPF filter (null: all frames). again: trace_again will be used, so
 * standard input, or whatever else can be read but once, is spooled to a temporary file. Null, and one line in error (size bytes) saying what to do: not
 * there, not readable, compressed, of an unknown format or link type, filter wrong (*usage is set then).
 */
struct trace *trace_open(const char *path, const char *filter, bool again, char *error, size_t size,
                         bool *usage);
void trace_close(struct trace *trace);

/* 1: a frame. 0: the end. -1: damaged; trace_error tells. */
int trace_next(struct trace *trace, struct captured *frame);

/* Reads the frame at position once more; false: the file changed meanwhile. */
bool trace_again(struct trace *trace, uint64_t position, struct captured *frame);

/* The file the capture is read from: no output may be that. */
const struct output_id *trace_source(const struct trace *trace);

const char *trace_error(const struct trace *trace);
void trace_info(const struct trace *trace, struct trace_info *info);

#endif
