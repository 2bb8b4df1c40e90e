/* SPDX-License-Identifier: ISC */
/* One run of pcapreplay_run: what its two modes share. */
#ifndef REPLAY_RUN_H
#define REPLAY_RUN_H

#include "flow.h"
#include "rig.h"
#include "session.h"
#include "writer.h"

struct run {
    const struct pcapreplay_options *options;
    struct pcapreplay_report *report;
    struct trace *trace;
    struct writer *writer;
    struct rig_memory *memory;
    struct session_scratch *scratch; /* of endpoint mode */
    struct impairment impairment;
    bool impaired;
    struct flow_rules rules;
    struct wisp_mac dut_mac;
    bool dut_mac_given;
    uint32_t flow_space;
    uint32_t counter_next; /* counters come in the same order each time */
    bool stopped;          /* a fault: nothing more is replayed */
};

/* The modes; each reads the trace to its end. False: it is damaged. */
bool run_inject(struct run *run);
bool run_endpoint(struct run *run);

/* Reads the next frame, tells of progress, and counts; false: the end, or *damaged. */
bool run_next(struct run *run, struct captured *frame, bool *damaged);

void run_fault(struct run *run, const char *reason);
void run_show(void *context, bool to_stack, const uint8_t *bytes, uint32_t length, wisp_time now);
void run_counter(void *context, const char *name, uint64_t value);

#endif
