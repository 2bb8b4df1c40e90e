/* SPDX-License-Identifier: ISC */
/*
 * Ring arithmetic of the frontend's end. Indices run freely; slot = index & (NETFRONT_SLOTS - 1).
 *
 *   shared:    req_prod  req_event  rsp_prod  rsp_event   (64 bytes), then the entries
 *   private:   filled >= published >= consumed; published - consumed requests are outstanding
 *
 * A slot is written before the release that publishes it, and read after the acquire that saw it.
 * Where our store must be seen before a later load of theirs (publish: was a notification asked
 * for; arm: did a response slip in) the store is a sequentially consistent exchange, and so is the
 * other side's.
 */
#ifndef WISP_NETFRONT_RING_H
#define WISP_NETFRONT_RING_H

#include "wire.h"
#include <stdatomic.h>
#include <stdbool.h>

struct ring_shared {
    _Atomic uint32_t req_prod, req_event, rsp_prod, rsp_event;
    uint8_t rest[48];
};

_Static_assert(sizeof(struct ring_shared) == 64, "ring header");
_Static_assert(offsetof(struct ring_shared, req_prod) == offsetof(netif_tx_sring_t, req_prod), "");
_Static_assert(offsetof(struct ring_shared, req_event) == offsetof(netif_tx_sring_t, req_event),
               "");
_Static_assert(offsetof(struct ring_shared, rsp_prod) == offsetof(netif_tx_sring_t, rsp_prod), "");
_Static_assert(offsetof(struct ring_shared, rsp_event) == offsetof(netif_tx_sring_t, rsp_event),
               "");
_Static_assert(sizeof(struct ring_shared) == offsetof(netif_tx_sring_t, ring), "");
_Static_assert(sizeof(struct ring_shared) == offsetof(netif_rx_sring_t, ring), "");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "slots are put together in registers");
_Static_assert(offsetof(netif_tx_request_t, offset) == 4, "");
_Static_assert(offsetof(netif_tx_request_t, flags) == 6, "");
_Static_assert(offsetof(netif_tx_request_t, id) == 8, "");
_Static_assert(offsetof(netif_tx_request_t, size) == 10, "");

struct ring {
    struct ring_shared *shared;
    uint8_t *entries;
    uint32_t filled;    /* requests written */
    uint32_t published; /* requests the backend was shown */
    uint32_t consumed;  /* responses taken */
    bool armed;         /* the backend will notify of the next response */
};

/* A fresh ring on a page that is all zero. */
static inline void ring_init(struct ring *ring, uint8_t *page)
{
    struct ring_shared *shared = (struct ring_shared *)(void *)page;
    atomic_store_explicit(&shared->req_event, 1, memory_order_relaxed);
    atomic_store_explicit(&shared->rsp_event, 1, memory_order_relaxed);
    *ring = (struct ring){.shared = shared, .entries = page + sizeof(*shared), .armed = true};
}

/* Slots that can be filled. */
static inline uint32_t ring_free(const struct ring *ring)
{
    return NETFRONT_SLOTS - (ring->filled - ring->consumed);
}

static inline uint32_t ring_outstanding(const struct ring *ring)
{
    return ring->published - ring->consumed;
}

/* Shows the backend what was filled. True: it asked to be notified of that. */
static inline bool ring_publish(struct ring *ring)
{
    uint32_t old = ring->published;
    if (ring->filled == old) {
        return false;
    }
    ring->published = ring->filled;
    atomic_exchange_explicit(&ring->shared->req_prod, ring->filled, memory_order_seq_cst);
    uint32_t event = atomic_load_explicit(&ring->shared->req_event, memory_order_seq_cst);
    return (uint32_t)(ring->filled - event) < (uint32_t)(ring->filled - old);
}

/* How many responses wait, into *count. False: the backend claims more than was asked (or went
 * back), and nothing of what it says can be believed. */
static inline bool ring_waiting(const struct ring *ring, uint32_t *count)
{
    uint32_t produced = atomic_load_explicit(&ring->shared->rsp_prod, memory_order_acquire);
    *count = produced - ring->consumed;
    return *count <= ring_outstanding(ring);
}

/* Asks to be notified when `ahead` more responses are there; true when one is there already. */
static inline bool ring_arm(struct ring *ring, uint32_t ahead)
{
    ring->armed = true;
    atomic_exchange_explicit(&ring->shared->rsp_event, ring->consumed + ahead,
                             memory_order_seq_cst);
    return atomic_load_explicit(&ring->shared->rsp_prod, memory_order_seq_cst) != ring->consumed;
}

/* ---- slots: each is read from, or written to, the shared page exactly once ---- */

/* In two parts, each put together in a register: a struct of narrow fields copied whole waits for
 * its own stores. */
static inline void ring_put_tx(struct ring *ring, uint32_t index, netif_tx_request_t request)
{
    uint8_t *slot = ring->entries + (index & (NETFRONT_SLOTS - 1)) * sizeof(request);
    uint64_t rest = request.offset | (uint64_t)request.flags << 16 | (uint64_t)request.id << 32 |
                    (uint64_t)request.size << 48;
    memcpy(slot, &request.gref, sizeof(request.gref));
    memcpy(slot + sizeof(request.gref), &rest, sizeof(rest));
}

static inline void ring_put_extra(struct ring *ring, uint32_t index, netif_extra_info_t extra)
{
    memcpy(ring->entries + (index & (NETFRONT_SLOTS - 1)) * sizeof(netif_tx_request_t), &extra,
           sizeof(extra));
}

static inline void ring_put_rx(struct ring *ring, uint32_t index, netif_rx_request_t request)
{
    memcpy(ring->entries + (index & (NETFRONT_SLOTS - 1)) * sizeof(request), &request,
           sizeof(request));
}

/* volatile: one load of the whole response, which the compiler may not repeat later (XSA-155). */
static inline netif_tx_response_t ring_get_tx(const struct ring *ring, uint32_t index)
{
    const uint8_t *slot =
        ring->entries + (index & (NETFRONT_SLOTS - 1)) * sizeof(netif_tx_request_t);
    uint32_t raw = *(const volatile uint32_t *)(const void *)slot;
    netif_tx_response_t response;
    memcpy(&response, &raw, sizeof(response));
    return response;
}

/* An RX response or an extra, as yet undecided. */
static inline uint64_t ring_get_rx(const struct ring *ring, uint32_t index)
{
    const uint8_t *slot =
        ring->entries + (index & (NETFRONT_SLOTS - 1)) * sizeof(netif_rx_request_t);
    return *(const volatile uint64_t *)(const void *)slot;
}

#endif
