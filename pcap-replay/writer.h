/* SPDX-License-Identifier: ISC */
/* A nanosecond pcap being written: under another name until it is whole, so that nothing half-written is left. */
#ifndef REPLAY_WRITER_H
#define REPLAY_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer;

/* ordered: frames come in the order of their times; otherwise they are kept in a file without a name and sorted at
 * the end. Null with a reason. */
struct writer *writer_open(const char *path, bool ordered, char *error, size_t size);

/* time: nanoseconds since the capture began. */
void writer_add(struct writer *writer, const uint8_t *bytes, uint32_t length, uint64_t time);

/* keep: gives the file its name; otherwise it never was. False with a reason. */
bool writer_close(struct writer *writer, bool keep, char *error, size_t size);

#endif
