/* SPDX-License-Identifier: ISC */
/*
 * Receiving on one queue: pages are posted, responses taken in ring order, slots strung into
 * frames.
 *
 *   spare or pool page -> posted -> response -> frame under assembly -> packet, with the page or a
 * copy of it ^                      |
 *                +---- not delivered ---+
 */
#ifndef WISP_NETFRONT_RX_H
#define WISP_NETFRONT_RX_H

#include "grants.h"
#include "offload.h"
#include "ring.h"
#include "slot.h"
#include <wisp/netdev.h>

#define NETFRONT_RX_LEAST 19u         /* slots the largest frame takes: 18 and an extra */
#define NETFRONT_RX_STALL WISP_SEC(1) /* how long a frame's end may take */

/* What the queues of a device have in common when receiving. */
struct rx_shared {
    struct grants *grants;
    struct counts *counts;
    struct wisp_netdev_stats *stats;
    struct wisp_pool *pages;  /* for posting */
    struct wisp_pool *copies; /* where copies go */
    struct wisp_pktpool *packets;
    bool copy;    /* the backend can still change posted pages and is not trusted */
    bool exposed; /* it can, and is: packets are marked so */
    struct offload_policy offload;
};

/* The frame being put together. */
struct rx_chain {
    struct wisp_pkt *pkt; /* null: none, or bad */
    struct slot_extras extras;
    wisp_time since;
    uint16_t flags; /* of the first slot */
    uint8_t slots;
    bool active;    /* a first slot was seen, the last one not */
    bool in_extras; /* the next slot is an extra */
    bool more;      /* another data slot follows */
    bool bad;       /* dropped already; slots are swallowed up to the last */
    uint32_t room;  /* copying: bytes free on the last view's page */
};

struct rx {
    struct ring ring;
    struct wisp_page *ring_page;
    /* posted, by ring position, which is also the request's id */
    struct wisp_page *slot[NETFRONT_SLOTS];
    struct wisp_page *spare[NETFRONT_SLOTS]; /* granted and not posted */
    uint32_t spares;
    uint32_t target; /* slots to keep posted */
    struct rx_chain chain;
};

void rx_open(struct rx *rx, struct wisp_page *ring_page, uint32_t target);

/* Posts pages up to the target; false when pages or grants lack for the least a frame needs. */
bool rx_refill(struct rx *rx, const struct rx_shared *shared);

/* Takes up to max frames; *taken counts slots. False: the ring is broken. */
bool rx_take(struct rx *rx, const struct rx_shared *shared, struct wisp_pkt **pkts, uint32_t max,
             wisp_time now, uint32_t *got, uint32_t *taken);

/* Gives up a frame whose end has not come for NETFRONT_RX_STALL; what follows of it is swallowed.
 */
void rx_expire(struct rx *rx, const struct rx_shared *shared, wisp_time now);

/* When rx_expire has something to do. */
static inline wisp_time rx_deadline(const struct rx *rx)
{
    bool open = rx->chain.active && !rx->chain.bad;
    return open ? rx->chain.since + NETFRONT_RX_STALL : WISP_NEVER;
}

/* Gives every page back. */
void rx_close(struct rx *rx, const struct rx_shared *shared);

#endif
