/* SPDX-License-Identifier: ISC */
/*
 * A link in memory: two devices, joined. Every frame is copied exactly once, at transmit, onto pages of the
 * other end (what a backend does); nothing else touches its bytes. For tests, the simulator and benchmarks.
 */
#ifndef WISP_NETDEV_LINK_H
#define WISP_NETDEV_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <wisp/netdev.h>

#define WISP_LINK_RING 1024u /* frames in flight in one direction, a power of two */

struct wisp_link_config {
    uint16_t mtu;     /* 68..65535 */
    bool csum;        /* both ends complete and trust blank checksums */
    uint32_t gso;     /* largest merged IP packet, 0: none */
    uint16_t split;   /* 0, or: deliver in views of at most that many bytes (as slots would) */
    uint32_t packets; /* packets of each end's transmit pool, default 512 when 0 */
};

struct wisp_link_end {
    struct wisp_netdev dev; /* first: the device itself */
    struct wisp_link_end *peer;
    struct wisp_pktpool *rx_pool;
    struct wisp_pkt *arrived[WISP_LINK_RING];
    struct wisp_pkt *done[WISP_LINK_RING];
    uint32_t arrived_in, arrived_out, done_in, done_out; /* free running */
    uint32_t slot; /* staggers where frames start in their pages */
    uint16_t split;
    uint64_t bytes_moved; /* copied by the link itself */
};

struct wisp_link {
    struct wisp_link_end end[2];
};

/* Bytes of memory for the packets of a link. */
size_t wisp_link_size(const struct wisp_link_config *config);

/*
 * Joins two ends; end k receives onto pages of pages[k]. mem (64-aligned) has wisp_link_size bytes. False
 * when pages or memory do not suffice.
 */
bool wisp_link_init(struct wisp_link *link, const struct wisp_link_config *config, void *mem,
                    size_t size, struct wisp_pool *const pages[2]);

/* Drops what is in flight and gives header pages back; stacks first. */
void wisp_link_fini(struct wisp_link *link);

/* The device to give to a stack. */
static inline struct wisp_netdev *wisp_link_dev(struct wisp_link *link, int end)
{
    return &link->end[end].dev;
}

/* Makes a frame of length bytes arrive at dev, an end of a link, as if the other end had sent it. False: no
 * room. For tests. */
bool wisp_link_inject(struct wisp_netdev *dev, const void *frame, uint32_t length);

#endif
