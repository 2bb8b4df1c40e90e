/* SPDX-License-Identifier: ISC */
/*
 * The jobs of wisp-bench that run through xen-netfront, a ring and the netback in memory, both ends
 * on one core. Each is measured with every grant copy made and with those of payload left out,
 * under both grant policies.
 */
#ifndef WISP_BENCH_RING_H
#define WISP_BENCH_RING_H

#include "bench.h"
#include "netback.h"
#include "netfront.h"
#include <jansson.h>

enum ring_policy { RING_PERSISTENT, RING_STRICT, RING_POLICIES };

/* What is counted besides time, over the whole run. */
struct ring_facts {
    uint64_t packets; /* both directions, a merged segment is one */
    uint64_t slots;
    uint64_t notifications; /* both directions */
    uint64_t grant_ops;     /* granted and ended by the guest */
    uint64_t copied;        /* payload bytes copied by the guest's driver and stack */
};

struct ring_result {
    double slot[RING_POLICIES];   /* ns per slot, grant copies of payload left out */
    double copies[RING_POLICIES]; /* ns per slot that these copies add */
    double unit;  /* ns per packet, segment or 1460 bytes, persistent, copies left out */
    double small; /* gso: the same for segments of 3 KB in as many slots; else 0 */
    double floor; /* ns per slot of a bare ring */
    struct ring_facts facts[RING_POLICIES];
    double spread; /* of slot[RING_PERSISTENT] */
};

/* ---- a guest and its backend ---- */

#define RING_PAGES 4096u

struct ring_guest {
    struct wisp_memxen *xen;
    struct wisp_netback *nb;
    struct wisp_netfront *front;
    struct wisp_netdev *dev;
    struct wisp_pool *pages;
    void *memory, *meta, *mem;
};

struct ring_guest_config {
    enum ring_policy policy;
    uint32_t skip_from;   /* grant copies of that many bytes are left out, 0: none */
    uint16_t small_slots; /* RX slots are filled with at most that many bytes, 0: whole pages */
    uint8_t number;       /* its MAC address ends in this */
    void (*frame)(void *context, const struct wisp_frame *frame,
                  wisp_time now); /* the guest sent one */
    void *context;
};

/* Connected when it returns. */
void ring_guest_open(struct ring_guest *guest, const struct ring_guest_config *config);
void ring_guest_close(struct ring_guest *guest);

/* Adds what the ledgers of guest hold to facts, but for the payload its stack copied. */
void ring_guest_facts(const struct ring_guest *guest, struct ring_facts *facts);

/* ---- TCP between two guests (tcp_ring.c) ---- */

struct tcp_ring;
struct tcp_ring *tcp_ring_open(enum ring_policy policy, uint32_t skip_from);
void tcp_ring_run(struct tcp_ring *pair, uint64_t bytes);
void tcp_ring_facts(const struct tcp_ring *pair, struct ring_facts *facts);
void tcp_ring_close(struct tcp_ring *pair);

/* ---- for main.c ---- */

/* Does units of work once, with persistent grants and without copies, for a tool that counts
 * instructions. */
void ring_job_count(const struct bench_job *job, uint64_t units);

void ring_job_run(const struct bench_job *job, uint32_t rounds, uint64_t target,
                  struct ring_result *result);
void ring_print_head(void);
void ring_print_row(const struct bench_job *job, const struct ring_result *result);

/* What was counted and timed beside ns per slot. */
json_t *ring_json(const struct ring_result *result);

#endif
