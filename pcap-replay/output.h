/* SPDX-License-Identifier: ISC */
/*
 * A file that is written: a regular one appears whole or not at all, whatever it is called by; into a pipe or a device
 * bytes go as they come. And which names are names of one file.
 */
#ifndef REPLAY_OUTPUT_H
#define REPLAY_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct output;

/* Makes what is needed to write path, so that what cannot be written is known beforehand. Null: error says why. */
struct output *output_open(const char *path, char *error, size_t size);

/* Writes; what fails is told at the end. */
void output_write(struct output *output, const void *bytes, size_t size);

/* Where to write else. */
FILE *output_file(const struct output *output);

/* Ends it; keep: under its name, else nothing is left of it. False: not all could be written, and nothing is left. */
bool output_close(struct output *output, bool keep, char *error, size_t size);

/* A file, there or only about to be made: then it is a name in a folder. */
struct output_id {
    bool known;
    dev_t device;
    ino_t inode;
    char name[256]; /* "": the file itself */
};

/* Not known: neither file nor folder is there, or it is one that many may write, as a terminal is. */
struct output_id output_identify(const char *path);
struct output_id output_identify_open(int fd);
bool output_same(const struct output_id *a, const struct output_id *b);

#endif
