/* SPDX-License-Identifier: ISC */
/* The words of pcap-replay's command line. */
#ifndef REPLAY_COMMAND_H
#define REPLAY_COMMAND_H

#include "pcapreplay.h"

struct command {
    struct pcapreplay_options replay;
    enum pcapreplay_format format;
    bool stats, quiet, update, strict_given;
    const char *expect, *output;
    char *filter;
    const char *files; /* the list of captures; null: one alone, replay.file */
    uint64_t number;   /* of the capture in the list, from 1; 0: one alone */
    bool lost;         /* something that was to go to standard output */
    double spent;      /* seconds of processor time, by the captures before it */
};

/* Ends the process where the words ask for no run: after --help, or what is wrong with them, in one line. */
void command_read(struct command *command, int argc, char **argv);

/* What is on its way to standard output gets there; that it is lost is said, once. */
void command_flush(struct command *command);

/* The same at the end; the status, or the one for what was lost. */
int command_finish(struct command *command, int status);
void command_free(struct command *command);

#endif
