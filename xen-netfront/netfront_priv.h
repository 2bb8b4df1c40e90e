/* SPDX-License-Identifier: ISC */
/* The device, as the files of this folder see it. */
#ifndef WISP_NETFRONT_PRIV_H
#define WISP_NETFRONT_PRIV_H

#include "netfront.h"
#include "offers.h"
#include "queue.h"
#include "xenbus.h"

#define NETFRONT_GROUPS 16u
#define NETFRONT_STUCK_MAX                                                                         \
    32u /* pages a backend may keep for itself before it gets no more (until a resume) */

struct group {
    struct wisp_mac mac;
    bool wanted; /* joined, or to be joined at the next connection */
    bool told;   /* the backend knows */
    bool used;
};

struct wisp_netfront {
    struct wisp_netdev dev;
    struct wisp_netfront_config config;
    struct xenbus xenbus;
    struct features features;
    struct queue_shared shared;
    struct counts counts;
    struct pkt_list done;
    struct wisp_pktpool *rx_pool;
    struct queue *queue;
    uint32_t queues;       /* open ones */
    uint32_t turn;         /* the queue to receive from first */
    uint32_t header_pages; /* granted for this connection */
    bool ring_lies; /* seen where time is not known: the connection ends in the next receive */
    struct group group[NETFRONT_GROUPS];
    bool groups_due; /* some backend has to be told of some group */
};

/* ---- netfront.c, called by xenbus.c ---- */

/* Sets up rings for what was negotiated. False: pages, grants or ports lack; nothing is kept. */
bool netfront_open_rings(struct wisp_netfront *front, const struct identity *identity,
                         uint16_t domain, wisp_time now);

/* Ends what netfront_open_rings began; frames in flight are completed. lost: after a resume. */
void netfront_close_rings(struct wisp_netfront *front, bool lost);

/* Packets may go (or no more). */
void netfront_set_link(struct wisp_netfront *front, bool link);

#endif
