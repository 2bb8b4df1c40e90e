/* SPDX-License-Identifier: ISC */
/*
 * A rig for the ring driver: a hypervisor and a netback in memory, a page pool with its canary, and
 * xen-netfront between them, stepped together on one clock. Closing it checks that nothing was left
 * over.
 */
#ifndef WISP_TESTS_RIG_H
#define WISP_TESTS_RIG_H

#include "hostile.h"
#include "netback.h"
#include "netfront.h"

#define RIG_PAGES  700u
#define RIG_FRAMES 64u

struct rig_config {
    enum wisp_grant_policy policy;
    bool untrusted;
    bool born_shared; /* all pages of the pool, as in user space */
    bool gentle;      /* the test ends with pages in quarantine: do not insist on an empty ledger */
    uint32_t features;   /* of the netback; 0: all */
    uint32_t max_queues; /* 0: no key */
    uint8_t queues;      /* wanted; 0: 1 */
    uint32_t offers;     /* 0: the default */
    uint32_t trust;
    uint16_t mtu;
    uint16_t slot_bytes;
    uint16_t rx_slots;
    uint32_t pages;
    uint32_t grants; /* entries of the table; 0: the hypervisor's default */
    bool late_hotplug;
};

struct rig {
    struct rig_config config;
    struct wisp_memxen *xen;
    struct wisp_netback *nb;
    struct wisp_netfront *front;
    struct wisp_netdev *dev;
    struct wisp_pool *pool;
    void *memory, *meta, *front_mem;
    wisp_time now;
    /* Frames the backend got. */
    uint32_t frames;
    uint8_t last[WISP_FRAME_MAX];
    struct wisp_frame seen; /* of the last one; its pieces are gone */
    uint16_t lengths[RIG_FRAMES];
    uint16_t queues[RIG_FRAMES];
    /* Packets received, not dropped yet. */
    struct wisp_pkt *pkt[RIG_FRAMES];
    uint32_t pkts;
    uint32_t completed;
    uint32_t failed; /* of these */
};

/* What to do when something is not as it must be: a test fails, a fuzzer aborts. Never returns. */
_Noreturn void rig_fail(const char *what);

void rig_open(struct rig *rig, const struct rig_config *config);

/* Drops what was received, closes the device and checks that ledger and pool are balanced. */
void rig_close(struct rig *rig);

/* One step of the driver: completions, receive. */
void rig_front(struct rig *rig);

/* n rounds of driver and backend, a millisecond each. */
void rig_run(struct rig *rig, uint32_t rounds);

/* Runs until the link is there. */
void rig_connect(struct rig *rig);

/* A packet of a header view of head bytes and payload views of the given lengths (ended by 0), on
 * pages of role APP, bytes counting up from seed. */
struct wisp_pkt *rig_packet(struct rig *rig, uint32_t head, const uint16_t *views, uint8_t seed);

/* Hands pkt to the device and kicks it; false: not taken (and dropped). */
bool rig_send(struct rig *rig, struct wisp_pkt *pkt);

/* Gives the driver a frame of length bytes counting up from seed through the honest backend. */
void rig_deliver(struct rig *rig, uint32_t length, uint8_t seed);

/* True when pkt's bytes count up from seed and are length in number. */
bool rig_counts_up(const struct wisp_pkt *pkt, uint32_t length, uint8_t seed);

void rig_drop(struct rig *rig);

static inline uint64_t rig_count(const struct rig *rig, const char *name)
{
    return wisp_netfront_count(rig->front, name);
}

/* Tells one lie. */
bool rig_lie(struct rig *rig, struct wisp_lie lie);

/* An Ethernet frame with IPv4 and TCP (or UDP) headers and payload bytes; returns its length. The
 * checksum field holds the pseudo-header's sum when blank is set. */
uint32_t rig_ip_frame(uint8_t *bytes, uint8_t protocol, uint32_t payload, bool blank);

#endif
