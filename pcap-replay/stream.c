/* SPDX-License-Identifier: ISC */
/*
 * Streams (see stream.h). Two passes over the flow's frames: the first, on what is remembered of them, finds where
 * each stream begins and ends; the second reads payload bytes from the capture again and lays them down, the first
 * copy of a byte winning. A stream too large for memory lies in a file that has no name.
 *
 * A segment more than a gigabyte from its neighbours belongs to no connection that ever was, and is left out.
 */
#define _GNU_SOURCE
#include "stream.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IN_MEMORY (64u << 20)
#define FAR       (1u << 30)

bool ranges_add(struct ranges *ranges, uint64_t from, uint64_t to)
{
    uint32_t first = 0;
    if (from >= to) {
        return true;
    }
    while (first < ranges->count && ranges->run[first].to < from) {
        first++;
    }
    uint32_t last = first;
    while (last < ranges->count && ranges->run[last].from <= to) {
        from = ranges->run[last].from < from ? ranges->run[last].from : from;
        to = ranges->run[last].to > to ? ranges->run[last].to : to;
        last++;
    }
    if (first == last && ranges->count == ranges->space) {
        uint32_t space = ranges->space ? 2 * ranges->space : 8;
        void *run = realloc(ranges->run, space * sizeof(ranges->run[0]));
        if (!run) {
            return false;
        }
        ranges->run = run;
        ranges->space = space;
    }
    uint32_t rest = ranges->count - last;
    if (rest > 0) {
        memmove(&ranges->run[first + 1], &ranges->run[last], rest * sizeof(ranges->run[0]));
    }
    ranges->run[first].from = from;
    ranges->run[first].to = to;
    ranges->count = first + 1 + rest;
    return true;
}

uint64_t ranges_whole(const struct ranges *ranges)
{
    return ranges->count > 0 && ranges->run[0].from == 0 ? ranges->run[0].to : 0;
}

void ranges_free(struct ranges *ranges)
{
    free(ranges->run);
    *ranges = (struct ranges){0};
}

/* ---- first pass: where the streams lie ---- */

static void note_syn(struct stream streams[2], const struct flow_frame *frame)
{
    struct stream *own = &streams[frame->to_dut ? 0 : 1];
    if ((frame->flags & TCP_SYN) && !own->known) {
        own->known = true;
        own->first_seq = frame->seq + 1;
    }
}

/* Where the payload of frame lies in its stream; false: nowhere plausible. */
static bool place(const struct stream *stream, const struct flow_frame *frame, uint64_t near,
                  uint64_t *from)
{
    uint32_t seq = frame->seq + ((frame->flags & TCP_SYN) ? 1 : 0);
    *from = stream_offset(stream, seq, near);
    return *from < near + FAR;
}

static bool extents(const struct flow *flow, struct stream streams[2], struct ranges have[2])
{
    uint64_t near[2] = {0, 0};
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        uint32_t side = frame->to_dut ? 0 : 1;
        struct stream *own = &streams[side];
        uint64_t from;
        if ((frame->flags & TCP_RST) || !own->known || !place(own, frame, near[side], &from)) {
            continue;
        }
        if (frame->length && !ranges_add(&have[side], from, from + frame->length)) {
            return false;
        }
        if ((frame->flags & TCP_FIN) && !own->fin) {
            own->fin = true;
            own->fin_at = from + frame->length;
        }
        uint64_t end = from + frame->length;
        near[side] = end > near[side] ? end : near[side];
        own->space = near[side];
    }
    return true;
}

/* How far each stream was acknowledged: bytes the other side had that are not in the capture are a hole. */
static void acknowledgements(const struct flow *flow, struct stream streams[2])
{
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        struct stream *other = &streams[frame->to_dut ? 1 : 0];
        if (!(frame->flags & TCP_ACK) || (frame->flags & TCP_RST) || !other->known) {
            continue;
        }
        uint64_t to = stream_offset(other, frame->ack, other->acked);
        if (other->fin && to == other->fin_at + 1) {
            to = other->fin_at;
        }
        if (to > other->acked && to < other->acked + FAR) {
            other->acked = to;
        }
    }
}

static void find_holes(struct stream streams[2], struct ranges have[2])
{
    for (int side = 0; side < 2; side++) {
        struct stream *stream = &streams[side];
        stream->length = ranges_whole(&have[side]);
        stream->hole = have[side].count > 1 || (have[side].count == 1 && stream->length == 0) ||
                       stream->acked > stream->length ||
                       (stream->fin && stream->fin_at > stream->length);
        if (stream->fin && stream->fin_at < stream->length) {
            stream->beyond = true;
        }
    }
}

/* ---- second pass: the bytes ---- */

static bool make_room(struct stream *stream)
{
    if (stream->length == 0) {
        return true;
    }
    if (stream->length <= IN_MEMORY) {
        stream->bytes = malloc(stream->length);
        return stream->bytes != NULL;
    }
    FILE *file = tmpfile();
    if (!file || ftruncate(fileno(file), (off_t)stream->length) != 0) {
        if (file) {
            fclose(file);
        }
        return false;
    }
    void *bytes = mmap(NULL, stream->length, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    fclose(file);
    stream->mapped = bytes != MAP_FAILED;
    stream->bytes = stream->mapped ? bytes : NULL;
    return stream->mapped;
}

/* Lays down the bytes of [from, from + length) that were not there yet. */
static bool lay(struct stream *stream, struct ranges *have, uint64_t from, const uint8_t *payload,
                uint32_t length)
{
    for (uint32_t i = 0; i < length;) {
        uint64_t at = from + i;
        uint64_t until = from + length;
        bool there = false;
        for (uint32_t k = 0; k < have->count; k++) {
            if (at >= have->run[k].from && at < have->run[k].to) {
                there = true;
                until = have->run[k].to;
            } else if (have->run[k].from > at && have->run[k].from < until) {
                until = have->run[k].from;
            }
        }
        until = until < from + length ? until : from + length;
        if (!there && at < stream->length) {
            uint64_t end = until < stream->length ? until : stream->length;
            memcpy(stream->bytes + at, payload + i, end - at);
        }
        i = (uint32_t)(until - from);
    }
    return ranges_add(have, from, from + length);
}

static bool fill(const struct flow *flow, struct trace *trace, struct stream streams[2],
                 struct ranges have[2])
{
    uint64_t near[2] = {0, 0};
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        uint32_t side = frame->to_dut ? 0 : 1;
        struct captured captured;
        struct packet packet;
        uint64_t from;
        if (!frame->length || (frame->flags & TCP_RST) || !streams[side].known ||
            !place(&streams[side], frame, near[side], &from) || !streams[side].bytes) {
            continue;
        }
        near[side] = from + frame->length > near[side] ? from + frame->length : near[side];
        if (!trace_again(trace, frame->position, &captured)) {
            return false;
        }
        packet_decode(&packet, captured.bytes, captured.length, captured.wire_length);
        uint32_t there = packet.length > packet.payload ? packet.length - packet.payload : 0;
        there = there < frame->length ? there : frame->length;
        if (!lay(&streams[side], &have[side], from, packet.bytes + packet.payload, there)) {
            return false;
        }
    }
    return true;
}

bool streams_build(const struct flow *flow, struct trace *trace, struct stream streams[2])
{
    struct ranges have[2] = {{0}, {0}};
    memset(streams, 0, 2 * sizeof(streams[0]));
    for (uint32_t i = 0; i < flow->count; i++) {
        note_syn(streams, &flow->frames[i]);
    }
    bool good = extents(flow, streams, have);
    acknowledgements(flow, streams);
    find_holes(streams, have);
    ranges_free(&have[0]);
    ranges_free(&have[1]);
    good = good && make_room(&streams[0]) && make_room(&streams[1]) &&
           fill(flow, trace, streams, have);
    ranges_free(&have[0]);
    ranges_free(&have[1]);
    return good;
}

void streams_free(struct stream streams[2])
{
    for (int side = 0; side < 2; side++) {
        if (streams[side].mapped) {
            munmap(streams[side].bytes, streams[side].length);
        } else {
            free(streams[side].bytes);
        }
        streams[side].bytes = NULL;
    }
}
