/* SPDX-License-Identifier: ISC */
/* One queue: a TX ring, an RX ring, their event ports, and when to look at them. */
#ifndef WISP_NETFRONT_QUEUE_H
#define WISP_NETFRONT_QUEUE_H

#include "rx.h"
#include "tx.h"

/* What all queues of a device share while connected. */
struct queue_shared {
    struct grants grants;
    struct tx_shared tx;
    struct rx_shared rx;
    struct wisp_hypervisor *hv;
    struct counts *counts;
    struct wisp_netdev_stats *stats;
    struct wisp_pool *pages;
    uint32_t rx_slots;
    bool split;
    bool trusted;
};

struct queue {
    struct tx tx;
    struct rx rx;
    uint32_t tx_port, rx_port; /* the same unless split */
    bool rings;                /* ring pages and ports are there */
    bool refill_short;
    bool worked;           /* something was found since events were last looked at */
    uint32_t spurious;     /* events in a row that brought nothing */
    wisp_time quiet_until; /* events are not asked for before */
    wisp_time tx_check;    /* when to look for completions though no event came */
    wisp_time tx_interval;
    wisp_time rx_check; /* when frames have waited enough for the event of completions */
};

/* Gets ring pages and ports and posts receive pages. False: something lacks; queue_close undoes the
 * rest. */
bool queue_open(struct queue *queue, const struct queue_shared *shared, wisp_time now);

/* Ends all that queue_open began. lost: ports are void already (resume). */
void queue_close(struct queue *queue, const struct queue_shared *shared);

/* Takes received frames, fills and publishes what can be. False: the ring is broken. */
bool queue_receive(struct queue *queue, const struct queue_shared *shared, struct wisp_pkt **pkts,
                   uint32_t max, uint32_t *got, wisp_time now);

/* Takes completions. False: the ring is broken. */
bool queue_reclaim(struct queue *queue, const struct queue_shared *shared);

/* Publishes what was sent, and tells the backend if it asked for that. */
void queue_kick(struct queue *queue, const struct queue_shared *shared, wisp_time now);

/* When the queue must be looked at though no event comes. */
wisp_time queue_deadline(const struct queue *queue, wisp_time now);

#endif
