/* SPDX-License-Identifier: ISC */
/*
 * wisp-bench: the same job done by several peers, each as two complete ends in one process, on one thread,
 * joined by a link in memory that copies every frame exactly once, at transmit.
 */
#ifndef WISP_BENCH_H
#define WISP_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bench_kind {
    BENCH_BULK, /* one connection, data in one direction; unit: 1460 payload bytes */
    /* 1-byte request and response over `connections` open ones, visited at random */
    BENCH_RR,
    BENCH_UDP_ECHO, /* 18 bytes there and back, `in_flight` at once */
    BENCH_CRR,      /* connect, request, response, close; `connections` TIME-WAIT entries held */
    BENCH_IDLE,     /* memory of one idle established connection */
    /* Through xen-netfront and a netback in memory (ring.h); in_flight: the batch. */
    BENCH_RING_PPS,
    BENCH_RING_GSO,
    BENCH_RING_BULK
};

struct bench_job {
    const char *name;
    enum bench_kind kind;
    uint16_t mtu;
    bool csum;       /* checksums by software, both ends */
    uint32_t gso;    /* 0, or the largest merged packet */
    uint32_t window; /* receive window, bytes */
    bool timestamps;
    uint32_t connections;
    uint32_t in_flight;
    const char *help;
};

/* The payload every bulk sender repeats: page-aligned, read-only by habit. */
#define BENCH_SOURCE_SIZE (64u * 4096u)
const uint8_t *bench_source(void);

/* Adds up what a bulk receiver got, so that a peer that loses or invents bytes is found out. */
struct bench_check {
    uint64_t bytes;
};
/* True while length bytes at p continue the source; only checked in the first two rounds of the source. */
bool bench_check_bytes(struct bench_check *check, const uint8_t *p, size_t length);

/* Stops with a message: a peer failed its job. */
void bench_fail(const char *peer, const char *job, const char *why) __attribute__((noreturn));

uint64_t bench_now(void); /* monotonic nanoseconds */
/* Zeroed, for free(); much of it begins on and, where the kernel can, lies in large pages. */
void *bench_memory(size_t size);
uint32_t bench_random(uint32_t *state); /* small, the same for every peer */

/* What a run says beside its time. Zero where a peer does not count. */
struct bench_facts {
    uint64_t frames; /* both directions, since open */
    uint64_t units;  /* since open */
    /* payload bytes copied by stack and driver, the link's own copy apart */
    uint64_t payload_copied;
    uint64_t link_copied; /* by the link */
};

struct bench_peer {
    const char *name;
    bool (*can)(const struct bench_job *job);
    /* Sets both ends up and warms the connection(s). Null: failed. */
    void *(*open)(const struct bench_job *job);
    /* Does units of work; the caller takes the time. */
    void (*run)(void *state, uint64_t units);
    /* BENCH_IDLE: bytes per connection. */
    double (*measure)(void *state);
    void (*facts)(void *state, struct bench_facts *facts);
    void (*close)(void *state);
};

extern const struct bench_peer bench_wisp, bench_lwip, bench_floor;

#endif
