/* SPDX-License-Identifier: ISC */
/*
 * Writing captures (see writer.h). Times are those of the replay, from 0 on, so that the same run gives the same file.
 * Flows are replayed one after the other; their frames are put into the order of time by an index of 24 bytes each.
 */
#define _GNU_SOURCE
#include "writer.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
    uint64_t time, position;
    uint32_t length;
};

struct writer {
    char *path, *partial;
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    FILE *spool;
    struct entry *entries;
    size_t count, space;
    uint64_t used;
    bool failed;
};

static void release(struct writer *writer)
{
    if (writer->dumper) {
        pcap_dump_close(writer->dumper);
    }
    if (writer->pcap) {
        pcap_close(writer->pcap);
    }
    if (writer->spool) {
        fclose(writer->spool);
    }
    free(writer->entries);
    free(writer->path);
    free(writer->partial);
    free(writer);
}

struct writer *writer_open(const char *path, bool ordered, char *error, size_t size)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->path = strdup(path);
    if (asprintf(&writer->partial, "%s.partial", path) < 0) {
        writer->partial = NULL;
    }
    writer->pcap =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO);
    writer->dumper = writer->partial ? pcap_dump_open(writer->pcap, writer->partial) : NULL;
    writer->spool = ordered ? NULL : tmpfile();
    if (!writer->path || !writer->dumper || (!ordered && !writer->spool)) {
        snprintf(error, size, "cannot write: %s",
                 writer->partial && !writer->dumper ? pcap_geterr(writer->pcap) : strerror(errno));
        release(writer);
        return NULL;
    }
    return writer;
}

static void dump(struct writer *writer, const uint8_t *bytes, uint32_t length, uint64_t time)
{
    struct pcap_pkthdr header = {.caplen = length, .len = length};
    header.ts.tv_sec = (time_t)(time / 1000000000u);
    header.ts.tv_usec = (suseconds_t)(time % 1000000000u);
    pcap_dump((u_char *)writer->dumper, &header, bytes);
}

void writer_add(struct writer *writer, const uint8_t *bytes, uint32_t length, uint64_t time)
{
    if (!writer->spool) {
        dump(writer, bytes, length, time);
        return;
    }
    if (writer->count == writer->space) {
        size_t space = writer->space ? 2 * writer->space : 1024;
        void *entries = realloc(writer->entries, space * sizeof(writer->entries[0]));
        if (!entries) {
            writer->failed = true;
            return;
        }
        writer->entries = entries;
        writer->space = space;
    }
    writer->failed |= fwrite(bytes, 1, length, writer->spool) != length;
    writer->entries[writer->count++] = (struct entry){time, writer->used, length};
    writer->used += length;
}

static int earlier(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    return x->position < y->position ? -1 : x->position > y->position;
}

static void dump_spool(struct writer *writer)
{
    static uint8_t bytes[262144];
    if (writer->count > 1) {
        qsort(writer->entries, writer->count, sizeof(writer->entries[0]), earlier);
    }
    for (size_t i = 0; i < writer->count && !writer->failed; i++) {
        const struct entry *entry = &writer->entries[i];
        writer->failed = fseeko(writer->spool, (off_t)entry->position, SEEK_SET) != 0 ||
                         fread(bytes, 1, entry->length, writer->spool) != entry->length;
        dump(writer, bytes, entry->length, entry->time);
    }
}

bool writer_close(struct writer *writer, bool keep, char *error, size_t size)
{
    if (keep && writer->spool) {
        dump_spool(writer);
    }
    bool good = !writer->failed && pcap_dump_flush(writer->dumper) == 0;
    if (!keep || !good) {
        unlink(writer->partial);
    } else {
        good = rename(writer->partial, writer->path) == 0;
    }
    if (!good) {
        snprintf(error, size, "cannot write %s: %s", writer->path, strerror(errno));
    }
    release(writer);
    return good || !keep;
}
