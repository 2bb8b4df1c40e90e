/* SPDX-License-Identifier: ISC */
/* The words of pcap-replay's command line. */
#ifndef REPLAY_COMMAND_H
#define REPLAY_COMMAND_H

#include "pcapreplay.h"

struct command {
    struct pcapreplay_options replay;
    enum pcapreplay_format format;
    bool stats, quiet, update;
    const char *expect, *output;
    char *filter;
    char *golden_write; /* where the frames go that are compared with a golden capture */
    const char *files;  /* the list of captures; null: one alone, replay.file */
    uint64_t number;    /* of the capture in the list, from 1; 0: one alone */
    double spent;       /* seconds of processor time, by the captures before it */
};

/* Ends the process where the words ask for no run: after --help, or what is wrong with them, in one line. */
void command_read(struct command *command, int argc, char **argv);
void command_free(struct command *command);

#endif
