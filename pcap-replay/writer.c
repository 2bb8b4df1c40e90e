/* SPDX-License-Identifier: ISC */
/*
 * Writing captures (see writer.h). Times are those of the replay, from 0 on, so that the same run gives the same file.
 * Flows are replayed one after the other; their frames wait in a temporary file and are put into the order of time
 * by an index of 24 bytes each in another one, sorted where it lies: memory does not grow with the capture.
 */
#define _GNU_SOURCE
#include "writer.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct entry {
    uint64_t time, position;
    uint32_t length;
};

struct writer {
    char *path, *partial;
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    FILE *spool, *index; /* null: frames come in order */
    size_t count;
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
    if (writer->index) {
        fclose(writer->index);
    }
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
    writer->index = ordered ? NULL : tmpfile();
    if (!writer->path || !writer->dumper || (!ordered && (!writer->spool || !writer->index))) {
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
    struct entry entry;
    memset(&entry, 0, sizeof(entry));
    entry.time = time;
    entry.position = writer->used;
    entry.length = length;
    writer->failed |= fwrite(bytes, 1, length, writer->spool) != length ||
                      fwrite(&entry, sizeof(entry), 1, writer->index) != 1;
    writer->count++;
    writer->used += length;
}

static bool earlier(const struct entry *x, const struct entry *y)
{
    return x->time != y->time ? x->time < y->time : x->position < y->position;
}

static void swap(struct entry *x, struct entry *y)
{
    struct entry kept = *x;
    *x = *y;
    *y = kept;
}

/* Of the heap of count entries (the latest on top), lets the one at i sink to its place. */
static void sink(struct entry *entry, size_t i, size_t count)
{
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && earlier(&entry[child], &entry[child + 1])) {
            child++;
        }
        if (!earlier(&entry[i], &entry[child])) {
            return;
        }
        swap(&entry[i], &entry[child]);
    }
}

/* In place: the C library's sort would take as much memory again. */
static void sort(struct entry *entry, size_t count)
{
    for (size_t i = count / 2; i-- > 0;) {
        sink(entry, i, count);
    }
    while (count > 1) {
        swap(&entry[0], &entry[--count]);
        sink(entry, 0, count);
    }
}

static void dump_sorted(struct writer *writer, const struct entry *entries)
{
    static uint8_t bytes[262144];
    for (size_t i = 0; i < writer->count && !writer->failed; i++) {
        const struct entry *entry = &entries[i];
        writer->failed = fseeko(writer->spool, (off_t)entry->position, SEEK_SET) != 0 ||
                         fread(bytes, 1, entry->length, writer->spool) != entry->length;
        dump(writer, bytes, entry->length, entry->time);
    }
}

static void dump_spool(struct writer *writer)
{
    size_t size = writer->count * sizeof(struct entry);
    if (size == 0) {
        return;
    }
    void *entries = fflush(writer->index) == 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE,
                                                      MAP_SHARED, fileno(writer->index), 0)
                                               : MAP_FAILED;
    if (entries == MAP_FAILED) {
        writer->failed = true;
        return;
    }
    sort(entries, writer->count);
    dump_sorted(writer, entries);
    munmap(entries, size);
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
