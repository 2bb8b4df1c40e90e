/* SPDX-License-Identifier: ISC */
/*
 * Responses come in the order of the requests, one per ring position, so a position's page is known
 * whatever the response says (an extra overwrites the id). The chain of one frame:
 *
 *   first slot (extra_info) -> extras (MORE ...) -> data slots (more_data ...) -> last
 *
 * A frame is delivered when its last slot was seen, never in part: a chain left open waits, then is
 * given up and its rest swallowed (XN-23). Each slot is read once into a 64-bit value (ring.h) and
 * checked there.
 *
 * Strict grants end before a byte is looked at. Where pages stay shared with a backend that is not
 * trusted, each slot is copied to private pages as it is taken, and only the copy is looked at.
 * Pages of slots that are not delivered go onto `spare`, still granted, and are posted again.
 *
 * Invariant: every position between `consumed` and `filled` has a page in slot[]; the ring check in
 * ring_waiting is what makes rx_take safe to index by it.
 */
#include "rx.h"

#define POSITION(index) ((index) & (NETFRONT_SLOTS - 1))
#define EXTRAS_MAX      4u

void rx_open(struct rx *rx, struct wisp_page *ring_page, uint32_t target)
{
    ring_init(&rx->ring, ring_page->data);
    rx->ring_page = ring_page;
    rx->target = target;
    rx->spares = 0;
    rx->chain = (struct rx_chain){.pkt = NULL};
    for (uint32_t i = 0; i < NETFRONT_SLOTS; i++) {
        rx->slot[i] = NULL;
    }
}

static inline struct wisp_page *page_to_post(struct rx *rx, const struct rx_shared *shared)
{
    if (rx->spares > 0) {
        return rx->spare[--rx->spares];
    }
    struct wisp_page *page = wisp_page_alloc(shared->pages, WISP_ROLE_RX, WISP_HOLDER_DEVICE);
    if (!page) {
        return NULL;
    }
    if (grants_foreign(shared->grants, page) || !grants_use(shared->grants, page, true)) {
        wisp_page_unref(page);
        return NULL;
    }
    return page;
}

bool rx_refill(struct rx *rx, const struct rx_shared *shared)
{
    uint32_t filled = rx->ring.filled;
    uint32_t posted = filled - rx->ring.consumed;
    for (; posted < rx->target; posted++) {
        struct wisp_page *page = page_to_post(rx, shared);
        if (!page) {
            break;
        }
        uint32_t at = POSITION(filled);
        rx->slot[at] = page;
        ring_put_rx(&rx->ring, filled++,
                    (netif_rx_request_t){.id = (uint16_t)at, .gref = page->grant});
    }
    rx->ring.filled = filled;
    return posted >= rx->target || posted >= NETFRONT_RX_LEAST;
}

/* ---- one slot ---- */

static void spoil(struct rx *rx, const struct rx_shared *shared, enum netfront_count why)
{
    if (!rx->chain.bad) {
        count(shared->counts, why);
        shared->stats->rx_dropped++;
        rx->chain.bad = true;
        wisp_pkt_drop(rx->chain.pkt);
        rx->chain.pkt = NULL;
    }
}

static void begin(struct rx *rx, const struct rx_shared *shared, uint16_t flags, wisp_time now)
{
    rx->chain = (struct rx_chain){.pkt = wisp_pkt_alloc(shared->packets),
                                  .since = now,
                                  .flags = flags,
                                  .active = true,
                                  .in_extras = flags & NETRXF_extra_info};
    if (!rx->chain.pkt) {
        spoil(rx, shared, COUNT_RX_NO_PACKET);
    }
}

static void append(struct wisp_pkt *pkt, struct wisp_page *page, uint32_t offset, uint32_t length)
{
    pkt->view[pkt->views++] = (struct wisp_view){page, offset, length};
    pkt->length += length;
}

/* Copies a slot's bytes behind what the frame has; its page stays with the ring. */
static bool deliver_copy(struct rx *rx, const struct rx_shared *shared,
                         const struct wisp_page *page, const struct slot_rx *slot)
{
    struct rx_chain *chain = &rx->chain;
    const uint8_t *from = page->data + slot->offset;
    uint32_t left = slot->length;
    while (left > 0) {
        if (chain->room == 0) {
            struct wisp_page *copy =
                wisp_page_alloc(shared->copies, WISP_ROLE_PRIVATE, WISP_HOLDER_PACKET);
            if (!copy) {
                return false;
            }
            append(chain->pkt, copy, 0, 0);
            chain->room = WISP_PAGE_SIZE;
        }
        uint32_t part = left < chain->room ? left : chain->room;
        struct wisp_view *view = &chain->pkt->view[chain->pkt->views - 1];
        memcpy(view->page->data + view->length, from, part);
        view->length += part;
        chain->pkt->length += part;
        chain->room -= part;
        from += part;
        left -= part;
    }
    shared->stats->bytes_copied += slot->length;
    return true;
}

/* Moves a slot's page into the frame, out of the backend's reach under the strict policy. */
static bool deliver_page(struct rx *rx, const struct rx_shared *shared, struct wisp_page *page,
                         const struct slot_rx *slot)
{
    if (!grants_done(shared->grants, page)) {
        wisp_page_unref(page);
        return false;
    }
    wisp_page_hold(page, WISP_HOLDER_PACKET);
    append(rx->chain.pkt, page, slot->offset, slot->length);
    return true;
}

static void deliver(struct rx *rx, const struct rx_shared *shared, struct wisp_page *page,
                    const struct slot_rx *slot)
{
    if (rx->chain.bad || slot->length == 0) {
        rx->spare[rx->spares++] = page;
    } else if (shared->copy) {
        if (!deliver_copy(rx, shared, page, slot)) {
            spoil(rx, shared, COUNT_RX_NO_PAGE);
        }
        rx->spare[rx->spares++] = page;
    } else if (!deliver_page(rx, shared, page, slot)) {
        spoil(rx, shared, COUNT_RX_REVOKE);
    }
}

static void take_data(struct rx *rx, const struct rx_shared *shared, struct wisp_page *page,
                      uint64_t raw, uint32_t at, wisp_time now)
{
    static const enum netfront_count why[] = {
        [SLOT_BAD_ID] = COUNT_RX_BAD_ID,
        [SLOT_BAD_STATUS] = COUNT_RX_BAD_STATUS,
        [SLOT_BAD_EXTENT] = COUNT_RX_BAD_EXTENT,
    };
    struct slot_rx slot;
    enum slot_fault fault = slot_rx_parse(raw, (uint16_t)at, &slot);
    if (!rx->chain.active) {
        begin(rx, shared, slot.flags, now);
    }
    rx->chain.more = slot.flags & NETRXF_more_data;
    if (fault != SLOT_GOOD) {
        spoil(rx, shared, why[fault]);
    } else if (rx->chain.slots == NETFRONT_SLOTS_MAX) {
        spoil(rx, shared, COUNT_RX_TOO_LONG);
    } else {
        rx->chain.slots++;
    }
    deliver(rx, shared, page, &slot);
}

static void take_extra(struct rx *rx, const struct rx_shared *shared, struct wisp_page *page,
                       uint64_t raw)
{
    bool more;
    rx->spare[rx->spares++] = page;
    if (!slot_extra_parse(raw, &rx->chain.extras, &more) || rx->chain.extras.count > EXTRAS_MAX) {
        spoil(rx, shared, COUNT_RX_BAD_EXTRA);
    }
    rx->chain.in_extras = more;
}

static void drop(const struct rx_shared *shared, struct wisp_pkt *pkt, enum netfront_count why)
{
    count(shared->counts, why);
    shared->stats->rx_dropped++;
    wisp_pkt_drop(pkt);
}

/* All of pkt is there: it, or null when what the backend says of it cannot be. */
static inline struct wisp_pkt *pass_up(const struct rx_shared *shared, struct wisp_pkt *pkt,
                                       uint16_t flags, uint16_t gso_size)
{
    if (!offload_judge(pkt, flags, gso_size, &shared->offload)) {
        drop(shared, pkt, COUNT_RX_BAD_OFFLOAD);
        return NULL;
    }
    pkt->flags |= shared->exposed ? WISP_PKT_MUTABLE : 0;
    return pkt;
}

/* The frame is complete: the packet, or null when it was bad. */
static struct wisp_pkt *finish(struct rx *rx, const struct rx_shared *shared)
{
    struct rx_chain *chain = &rx->chain;
    chain->active = false;
    if (chain->bad) {
        return NULL;
    }
    if (chain->pkt->length == 0) {
        spoil(rx, shared, COUNT_RX_EMPTY);
        return NULL;
    }
    struct wisp_pkt *pkt = chain->pkt;
    chain->pkt = NULL;
    return pass_up(shared, pkt, chain->flags, chain->extras.gso_size);
}

/*
 * A frame that is one slot, without extras: what the rest of this file does for a chain of one.
 * False: it is not, or not in order, and nothing was done.
 */
static inline bool take_whole(struct rx *rx, const struct rx_shared *shared, struct wisp_page *page,
                              uint64_t raw, uint32_t at, struct wisp_pkt **pkt)
{
    struct slot_rx slot;
    *pkt = NULL;
    if (rx->chain.active || shared->copy || slot_rx_parse(raw, (uint16_t)at, &slot) != SLOT_GOOD ||
        slot.length == 0 || (slot.flags & (NETRXF_more_data | NETRXF_extra_info))) {
        return false;
    }
    struct wisp_pkt *whole = wisp_pkt_alloc(shared->packets);
    if (!whole) {
        return false;
    }
    if (!grants_done(shared->grants, page)) {
        wisp_page_unref(page);
        drop(shared, whole, COUNT_RX_REVOKE);
        return true;
    }
    wisp_page_hold(page, WISP_HOLDER_PACKET);
    append(whole, page, slot.offset, slot.length);
    *pkt = pass_up(shared, whole, slot.flags, 0);
    return true;
}

/* A slot of a chain, or one that is not in order; the packet, when that completes one. Kept apart
 * from rx_take, so that frames of one slot do not pay for its registers. */
static __attribute__((noinline)) struct wisp_pkt *take_part(struct rx *rx,
                                                            const struct rx_shared *shared,
                                                            struct wisp_page *page, uint64_t raw,
                                                            uint32_t at, wisp_time now)
{
    if (rx->chain.in_extras) {
        take_extra(rx, shared, page, raw);
    } else {
        take_data(rx, shared, page, raw, at, now);
    }
    return rx->chain.in_extras || rx->chain.more ? NULL : finish(rx, shared);
}

bool rx_take(struct rx *rx, const struct rx_shared *shared, struct wisp_pkt **pkts, uint32_t max,
             wisp_time now, uint32_t *got, uint32_t *taken)
{
    uint32_t waiting;
    *got = 0;
    *taken = 0;
    if (!ring_waiting(&rx->ring, &waiting)) {
        return false;
    }
    uint32_t slots = 0;
    uint32_t frames = 0;
    uint64_t bytes = 0;
    for (; slots < waiting && frames < max; slots++) {
        uint32_t at = POSITION(rx->ring.consumed);
        struct wisp_page *page = rx->slot[at];
        uint64_t raw = ring_get_rx(&rx->ring, rx->ring.consumed++);
        struct wisp_pkt *pkt;
        rx->slot[at] = NULL;
        if (!take_whole(rx, shared, page, raw, at, &pkt)) {
            pkt = take_part(rx, shared, page, raw, at, now);
        }
        if (pkt) {
            bytes += pkt->length;
            pkts[frames++] = pkt;
        }
    }
    *taken = slots;
    *got = frames;
    shared->stats->rx_packets += frames;
    shared->stats->rx_bytes += bytes;
    shared->counts->value[COUNT_RX_SLOTS] += slots;
    return true;
}

void rx_expire(struct rx *rx, const struct rx_shared *shared, wisp_time now)
{
    if (now >= rx_deadline(rx)) {
        spoil(rx, shared, COUNT_RX_STALLED);
    }
}

void rx_close(struct rx *rx, const struct rx_shared *shared)
{
    if (rx->chain.active) {
        spoil(rx, shared, COUNT_RX_STALLED);
    }
    for (uint32_t i = 0; i < NETFRONT_SLOTS; i++) {
        if (rx->slot[i]) {
            rx->spare[rx->spares++] = rx->slot[i];
            rx->slot[i] = NULL;
        }
    }
    while (rx->spares > 0) {
        struct wisp_page *page = rx->spare[--rx->spares];
        grants_done(shared->grants, page);
        wisp_page_unref(page);
    }
}
