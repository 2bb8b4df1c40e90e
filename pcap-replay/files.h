/* SPDX-License-Identifier: ISC */
/* The files of one run of the command: made, or refused, before anything is replayed. */
#ifndef REPLAY_FILES_H
#define REPLAY_FILES_H

#include "batch.h"
#include "command.h"
#include "output.h"

struct files {
    struct output *report; /* --output */
    struct output *golden; /* --expect, with --update */
    char *frames; /* a file for frames that are only compared; null: they are none, or kept */
};

/* Frames are what is compared with the golden file, not the report. */
bool files_golden_is_capture(const struct command *command);

/* No file that a run of the list writes is a capture of the list, else it is said; reads the list, and rewinds it. */
bool files_spare_list(const struct command *command, struct batch *batch);

/* False: one line on standard error has said which of them cannot be, and why. */
bool files_open(struct files *files, const struct command *command);

/* Writes all of it and ends *output, which becomes null. False: said on standard error. */
bool files_write(struct output **output, const char *bytes, size_t size);

/* What was not written is as it was before. */
void files_close(struct files *files);

#endif
