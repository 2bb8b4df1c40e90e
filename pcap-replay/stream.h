/* SPDX-License-Identifier: ISC */
/*
 * The two byte streams of a captured TCP connection, put together from its segments: what either side's application
 * sent. Offset 0 is the byte after the SYN.
 */
#ifndef REPLAY_STREAM_H
#define REPLAY_STREAM_H

#include "flow.h"

/* Which bytes of a stream are there: disjoint runs in order. */
struct ranges {
    struct {
        uint64_t from, to;
    } * run;
    uint32_t count, space;
};

/* Adds [from, to); false: no memory. */
bool ranges_add(struct ranges *ranges, uint64_t from, uint64_t to);

/* The end of the run that starts at 0. */
uint64_t ranges_whole(const struct ranges *ranges);
void ranges_free(struct ranges *ranges);

struct stream {
    uint8_t *bytes;
    uint64_t length; /* up to the first hole */
    uint64_t space;
    uint32_t first_seq; /* sequence number of offset 0 */
    uint64_t acked;     /* as far as the other side acknowledged it */
    bool known;         /* its SYN was seen */
    bool fin;           /* its end was seen, at length */
    uint64_t fin_at;
    bool hole;   /* bytes are missing in the capture */
    bool beyond; /* bytes were sent behind its end */
    bool mapped; /* on a file without a name instead of in memory */
};

/*
 * Builds both streams of flow, [0] towards the stack and [1] from it. Bytes sent twice are as sent first. False: the
 * file could not be read again, or there is no room; streams_free is needed either way.
 */
bool streams_build(const struct flow *flow, struct trace *trace, struct stream streams[2]);
void streams_free(struct stream streams[2]);

/*
 * The offset of sequence number seq in a stream of which `near` is a close offset. May be "before 0", which is then a
 * number above any length.
 */
static inline uint64_t stream_offset(const struct stream *stream, uint32_t seq, uint64_t near)
{
    return near + (uint64_t)(int64_t)(int32_t)(seq - stream->first_seq - (uint32_t)near);
}

#endif
