/* SPDX-License-Identifier: ISC */
/*
 * Writing captures (see writer.h). Times are those of the replay, from 0 on, so that the same run gives the same file.
 * Flows are replayed one after the other; their frames wait in a temporary file and are put into the order of time
 * by an index of 24 bytes each in another one, sorted where it lies: memory does not grow with the capture.
 */
#define _GNU_SOURCE
#include "writer.h"
#include "output.h"
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
    struct output *output;
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    FILE *spool, *index; /* null: frames come in order */
    size_t count;
    uint64_t used;
    bool failed;
    int reason;            /* errno of what failed */
    FILE *file;            /* where libpcap writes to */
    uint8_t frame[262144]; /* one that is put into order */
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
    free(writer);
}

/* libpcap's stream into the same file: libpcap closes what it is given, and an output wants to do that itself. */
static pcap_dumper_t *open_dumper(const struct writer *writer)
{
    int fd = dup(fileno(output_file(writer->output)));
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    pcap_dumper_t *dumper = file && writer->pcap ? pcap_dump_fopen(writer->pcap, file) : NULL;
    if (!dumper && file) {
        fclose(file);
    } else if (!dumper && fd >= 0) {
        close(fd);
    }
    return dumper;
}

struct writer *writer_open(const char *path, bool ordered, char *error, size_t size)
{
    char ignored[8];
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        snprintf(error, size, "cannot write %s: no memory", path);
        return NULL;
    }
    writer->output = output_open(path, error, size);
    if (!writer->output) {
        release(writer);
        return NULL;
    }
    writer->pcap =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO);
    writer->dumper = open_dumper(writer);
    writer->file = writer->dumper ? pcap_dump_file(writer->dumper) : NULL;
    writer->spool = ordered ? NULL : tmpfile();
    writer->index = ordered ? NULL : tmpfile();
    if (!writer->dumper || (!ordered && (!writer->spool || !writer->index))) {
        snprintf(error, size, "cannot write %s: %s", path, strerror(errno));
        output_close(writer->output, false, ignored, sizeof(ignored));
        release(writer);
        return NULL;
    }
    return writer;
}

static void fail(struct writer *writer)
{
    writer->failed = true;
    writer->reason = errno;
}

static void dump(struct writer *writer, const uint8_t *bytes, uint32_t length, uint64_t time)
{
    struct pcap_pkthdr header = {.caplen = length, .len = length};
    header.ts.tv_sec = (time_t)(time / 1000000000u);
    header.ts.tv_usec = (suseconds_t)(time % 1000000000u);
    pcap_dump((u_char *)writer->dumper, &header, bytes);
    if (!writer->failed && ferror(writer->file)) {
        fail(writer); /* libpcap does not say it, and who is asked at the end does not know why */
    }
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
    if (!writer->failed && (fwrite(bytes, 1, length, writer->spool) != length ||
                            fwrite(&entry, sizeof(entry), 1, writer->index) != 1)) {
        fail(writer);
    }
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
    for (size_t i = 0; i < writer->count && !writer->failed; i++) {
        const struct entry *entry = &entries[i];
        if (fseeko(writer->spool, (off_t)entry->position, SEEK_SET) != 0 ||
            fread(writer->frame, 1, entry->length, writer->spool) != entry->length) {
            fail(writer);
            return;
        }
        dump(writer, writer->frame, entry->length, entry->time);
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
        fail(writer);
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
    if (!writer->failed && pcap_dump_flush(writer->dumper) != 0) {
        fail(writer);
    }
    bool good = !writer->failed;
    if (!good) {
        snprintf(error, size, "cannot write the frames: %s", strerror(writer->reason));
    }
    char ignored[8];
    struct output *output = writer->output;
    release(writer); /* libpcap's stream into the output is closed before that is */
    if (!keep || !good) {
        output_close(output, false, ignored, sizeof(ignored));
        return !keep;
    }
    return output_close(output, true, error, size);
}
