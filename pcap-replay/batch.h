/* SPDX-License-Identifier: ISC */
/* Many captures one after the other: their paths stand in a file, one a line; empty lines count for nothing. */
#ifndef REPLAY_BATCH_H
#define REPLAY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct batch {
    FILE *list;
    char *path; /* of the capture batch_next has come to */
    size_t space;
    uint64_t number; /* of it, from 1 */
};

/* "-": standard input. again: batch_again will be used, so the list is read as a whole first. False: errno says why. */
bool batch_open(struct batch *batch, const char *list, bool again);

/* Back to the beginning. */
void batch_again(struct batch *batch);

/* False: the end, or *reason says why not (else null). */
bool batch_next(struct batch *batch, const char **reason);

void batch_close(struct batch *batch);

/* Whether a file named so is another one for each capture: it has %n in it. */
bool batch_is_pattern(const char *name);

/* A copy of the name with the capture's number for each %n; null for null, or when memory is out. */
char *batch_file_name(const struct batch *batch, const char *pattern);

/* Of two exit statuses the one that stands for both: 4, 2, 3, 1, 0, 77, in this order. */
int batch_worse(int status, int other);

#endif
