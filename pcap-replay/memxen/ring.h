/* SPDX-License-Identifier: ISC */
/*
 * The shared ring page as a backend sees it: the structures of Xen's public headers for the slots, C11
 * atomics for the four indices, so that the other end may run on another thread.
 *
 *   our store          the other end's load      order
 *   slots, rsp_prod    rsp_prod, slots           release, acquire
 *   rsp_prod           then load rsp_event       both sequentially consistent: one of the two ends must see
 *   req_event          then load req_prod        the other's store, else a notification is lost
 */
#ifndef WISP_MEMXEN_RING_H
#define WISP_MEMXEN_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/netif.h>

#define RING_SLOTS 256u /* of the TX and of the RX ring: (4096 - 64) / 12 and / 8, rounded down */

struct ring_page {
    _Atomic uint32_t req_prod, req_event;
    _Atomic uint32_t rsp_prod, rsp_event;
    uint8_t pad[48];
    union {
        union {
            struct netif_tx_request req;
            struct netif_tx_response rsp;
            struct netif_extra_info extra;
        } tx[RING_SLOTS];
        union {
            struct netif_rx_request req;
            struct netif_rx_response rsp;
            struct netif_extra_info extra;
        } rx[RING_SLOTS];
    } slot;
};

_Static_assert(offsetof(struct ring_page, slot) == 64, "header of a ring page");
_Static_assert(sizeof(((struct ring_page *)0)->slot.tx[0]) == 12, "TX slot");
_Static_assert(sizeof(((struct ring_page *)0)->slot.rx[0]) == 8, "RX slot");
_Static_assert(sizeof(struct ring_page) <= 4096, "a ring is one page");

/* A backend's end of a ring. */
struct ring {
    struct ring_page *page;
    uint32_t req_cons;
    uint32_t rsp_prod;  /* written, perhaps not published */
    uint32_t rsp_shown; /* published */
};

/* Requests of the guest up to here may be read. */
static inline uint32_t ring_req_prod(const struct ring *ring)
{
    return atomic_load_explicit(&ring->page->req_prod, memory_order_acquire);
}

/* Asks to be told when the guest's producer reaches event; returns the producer as it is after that. */
static inline uint32_t ring_ask(struct ring *ring, uint32_t event)
{
    atomic_exchange(&ring->page->req_event, event);
    return atomic_load(&ring->page->req_prod);
}

/* Publishes responses; true: the guest asked to be told. */
static inline bool ring_push(struct ring *ring)
{
    uint32_t old = ring->rsp_shown;
    if (ring->rsp_prod == old) {
        return false;
    }
    atomic_exchange(&ring->page->rsp_prod, ring->rsp_prod);
    ring->rsp_shown = ring->rsp_prod;
    uint32_t event = atomic_load(&ring->page->rsp_event);
    return ring->rsp_prod - event < ring->rsp_prod - old;
}

#endif
