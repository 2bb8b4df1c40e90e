/* SPDX-License-Identifier: ISC */
/*
 * Two stacks, one bad network, virtual time: a whole run is a function of one seed. Each end sends a stream of
 * bytes that depend on their position, reads the other's, checks every byte, and closes. A run ends when both
 * connections are over, or fails when virtual time runs out.
 */
#ifndef WISP_TESTS_SIM_H
#define WISP_TESTS_SIM_H

#include "impair.h"
#include "link.h"
#include <wisp/stack.h>
#include <wisp/tcp.h>

struct sim_plan {
    const char *name;
    struct wisp_impair_config impair; /* both directions, seed apart */
    uint32_t bytes[2];                /* to send from each end */
    uint16_t mtu;
    bool csum; /* offload */
    uint32_t gso;
    uint16_t split;
    bool lend;       /* send pages by reference instead of copying */
    bool take;       /* take pages over instead of consuming views */
    uint32_t stall;  /* the reader pauses, in millionths of the steps */
    uint32_t pages;  /* of each pool; 0: 1024 */
    wisp_time limit; /* of virtual time; 0: 600 s */
    wisp_time heal;  /* the network gets well then; 0: never */
    void (*tune)(struct wisp_tcp_config *config);
    void (*opened)(void); /* called when both ends stand and the conversation begins */
};

struct sim_result {
    bool finished;
    const char *failure; /* null: none */
    uint64_t trace;      /* a hash of every frame and its time */
    uint64_t frames, retransmits;
    wisp_time took;
    uint64_t steps;
    uint64_t copied; /* payload bytes copied but for small ones and writes */
};

/* Runs plan with seed; leaves nothing behind. */
struct sim_result sim_run(const struct sim_plan *plan, uint64_t seed);

#endif
