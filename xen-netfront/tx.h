/* SPDX-License-Identifier: ISC */
/*
 * Sending on one queue: packets become slots, slots become ids, responses give both back.
 *
 *   push -> [waiting] -> slots on the ring -> flush -> responses -> reclaim -> the done list
 */
#ifndef WISP_NETFRONT_TX_H
#define WISP_NETFRONT_TX_H

#include "grants.h"
#include "ring.h"
#include <wisp/netdev.h>

#define NETFRONT_TX_WAITING 64u /* packets a queue takes beyond what the ring has room for */

#define NETFRONT_TX_LIES 64u /* answers to nothing that one connection survives */

/* Packets in a row, linked by `next`. */
struct pkt_list {
    struct wisp_pkt *head;
    struct wisp_pkt **tail;
};

static inline void pkt_list_init(struct pkt_list *list)
{
    list->head = NULL;
    list->tail = &list->head;
}

static inline void pkt_list_push(struct pkt_list *list, struct wisp_pkt *pkt)
{
    pkt->next = NULL;
    *list->tail = pkt;
    list->tail = &pkt->next;
}

static inline struct wisp_pkt *pkt_list_pop(struct pkt_list *list)
{
    struct wisp_pkt *pkt = list->head;
    if (pkt) {
        list->head = pkt->next;
        if (!list->head) {
            list->tail = &list->head;
        }
    }
    return pkt;
}

/* What the queues of a device have in common when sending. */
struct tx_shared {
    struct grants *grants;
    struct counts *counts;
    struct pkt_list *done;
    struct wisp_netdev_stats *stats;
    struct wisp_pool *pages; /* for copies */
    uint32_t share_roles; /* bit per enum wisp_role: pages that may be granted; others are copied */
    bool sg;
    bool wary; /* strict grants to an untrusted backend: it may see no byte that it was not sent */
    bool own_copies; /* copies lie on pages this queue keeps while connected (untrusted, persistent)
                      */
};

/* A request in flight; pkt is null while the id is free. */
struct tx_entry {
    struct wisp_pkt *pkt;
    struct wisp_page *page;
    bool copied; /* page is ours, not the packet's */
};

struct tx {
    struct ring ring;
    struct wisp_page *ring_page;
    struct tx_entry entry[NETFRONT_SLOTS];
    uint16_t free_id[NETFRONT_SLOTS]; /* last in, first out: entries stay in the cache */
    uint32_t free_ids;
    uint32_t extras; /* published extras that were not answered yet */
    uint32_t lies;   /* answers to nothing; each leaves a request unanswered for ever */
    struct pkt_list waiting;
    uint32_t waiting_count;
    struct wisp_page *stock[NETFRONT_SLOTS]; /* own_copies: granted pages not in use */
    uint32_t stock_count;
};

/* Starts on a zeroed, granted ring page. */
void tx_open(struct tx *tx, struct wisp_page *ring_page);

/* Takes pkt. False, and not taken: too many wait already. */
bool tx_push(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt);

/* Sends pkt, a frame of headers only, as a message to the backend about extra; false: no room now.
 */
bool tx_push_control(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt,
                     netif_extra_info_t extra);

/* Moves waiting packets onto the ring as far as they go. */
void tx_advance(struct tx *tx, const struct tx_shared *shared);

/* Takes responses; finished packets go to shared->done. False: the ring is broken. */
bool tx_reclaim(struct tx *tx, const struct tx_shared *shared, uint32_t *taken);

/* Gives everything back, whatever the backend says: the connection is over. The ring page stays. */
void tx_close(struct tx *tx, const struct tx_shared *shared);

/* Packets that push would take, of any shape. */
static inline uint32_t tx_room(const struct tx *tx)
{
    uint32_t slots = ring_free(&tx->ring);
    uint32_t ids = tx->free_ids < slots ? tx->free_ids : slots;
    return tx->waiting_count ? 0 : ids < NETFRONT_TX_WAITING ? ids : NETFRONT_TX_WAITING;
}

#endif
