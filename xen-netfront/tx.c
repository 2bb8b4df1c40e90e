/* SPDX-License-Identifier: ISC */
/*
 * A packet becomes 1 to 18 slots, one per view, with a GSO extra behind the first:
 *
 *   | headers, size = whole packet | GSO extra | payload | payload | ... |
 *
 * All of it is published by one index store. Invariants: each id is in `free_id` or has a packet in
 * its entry, never both, so a second answer to an id finds no packet and frees nothing (MSA00); a
 * page is in use by the device from before its slot is written until its answer; pkt->device_value
 * counts a packet's unanswered slots. No slot has length zero, and the first one holds all headers
 * (XSA-423, XSA-432).
 *
 * A page is copied instead of granted when its role says that the backend may not see it, when it
 * belongs to another domain's device, when it cannot be granted at all (static data where pages are
 * born shared), and when the backend takes frames of one slot only.
 */
#include "tx.h"
#include "assert.h"
#include "slot.h"

#define TOTAL_MAX XEN_NETIF_MAX_TX_SIZE

void tx_open(struct tx *tx, struct wisp_page *ring_page)
{
    ring_init(&tx->ring, ring_page->data);
    tx->ring_page = ring_page;
    tx->free_ids = NETFRONT_SLOTS;
    for (uint32_t i = 0; i < NETFRONT_SLOTS; i++) {
        tx->entry[i] = (struct tx_entry){NULL, NULL, false};
        tx->free_id[i] = (uint16_t)(NETFRONT_SLOTS - 1 - i);
    }
    tx->extras = 0;
    tx->lies = 0;
    tx->waiting_count = 0;
    tx->stock_count = 0;
    pkt_list_init(&tx->waiting);
}

/* ---- pages for copies ---- */

static struct wisp_page *copy_page(struct tx *tx, const struct tx_shared *shared)
{
    if (tx->stock_count > 0) {
        return tx->stock[--tx->stock_count];
    }
    struct wisp_page *page = wisp_page_alloc(shared->pages, WISP_ROLE_SEND, WISP_HOLDER_DEVICE);
    if (page && (shared->wary || shared->own_copies)) {
        memset(page->data, 0, WISP_PAGE_SIZE); /* what was sent on another device, perhaps */
    }
    return page;
}

static __attribute__((noinline)) void
copy_page_release(struct tx *tx, const struct tx_shared *shared, struct wisp_page *page)
{
    if (shared->own_copies && tx->stock_count < NETFRONT_SLOTS && !page->quarantined) {
        tx->stock[tx->stock_count++] = page;
    } else {
        wisp_page_unref(page);
    }
}

/* ---- slots ---- */

/* One piece of a packet about to become a slot. */
struct piece {
    struct wisp_page *page;
    uint32_t offset;
    uint32_t length;
    bool copied;
};

/* Nothing on view's page but what this backend was sent, or sent itself, or is to be sent now? Of
 * static data the rest is the same file (page.h). */
static bool shows_nothing_else(const struct tx_shared *shared, const struct wisp_view *view)
{
    const struct wisp_page *page = view->page;
    return view->length == WISP_PAGE_SIZE || !page->pool || page->role == WISP_ROLE_SEND ||
           (page->role == WISP_ROLE_RX && page->domain == shared->grants->domain);
}

/* A grant shows a whole page. */
static bool may_share(const struct tx_shared *shared, const struct wisp_pkt *pkt,
                      const struct wisp_view *view)
{
    const struct wisp_page *page = view->page;
    if (page == pkt->cell.page) {
        return true;
    }
    return (shared->share_roles >> page->role & 1) && !grants_foreign(shared->grants, page) &&
           (!shared->wary || shows_nothing_else(shared, view));
}

/* Copies length bytes of pkt from offset on to a page of ours. */
static bool copy_piece(struct tx *tx, const struct tx_shared *shared, const struct wisp_pkt *pkt,
                       uint32_t offset, uint32_t length, struct piece *piece)
{
    struct wisp_page *page = copy_page(tx, shared);
    if (!page) {
        return false;
    }
    if (!grants_use(shared->grants, page, false)) {
        copy_page_release(tx, shared, page);
        count(shared->counts, COUNT_TX_NO_GRANT);
        return false;
    }
    wisp_pkt_read(pkt, offset, page->data, length);
    shared->stats->bytes_copied += length;
    *piece = (struct piece){page, 0, length, true};
    return true;
}

/* The view of pkt that begins at offset, granted as it is or copied. */
static bool take_piece(struct tx *tx, const struct tx_shared *shared, const struct wisp_pkt *pkt,
                       const struct wisp_view *view, uint32_t offset, struct piece *piece)
{
    struct wisp_page *page = view->page;
    if (may_share(shared, pkt, view)) {
        if (grants_busy(page)) {
            return false;
        }
        bool writable = shared->grants->keep && page->pool && !shared->own_copies;
        if (grants_use(shared->grants, page, writable)) {
            *piece = (struct piece){page, view->offset, view->length, false};
            return true;
        }
        if (page->pool == shared->pages || !shared->grants->keep) {
            count(shared->counts, COUNT_TX_NO_GRANT);
            return false;
        }
    }
    return copy_piece(tx, shared, pkt, offset, view->length, piece);
}

static void put_slot(struct tx *tx, struct wisp_pkt *pkt, const struct piece *piece, uint16_t flags,
                     uint32_t size)
{
    uint16_t id = tx->free_id[--tx->free_ids];
    tx->entry[id] = (struct tx_entry){pkt, piece->page, piece->copied};
    pkt->device_value++;
    netif_tx_request_t request = {.gref = piece->page->grant,
                                  .offset = (uint16_t)piece->offset,
                                  .flags = flags,
                                  .id = id,
                                  .size = (uint16_t)size};
    ring_put_tx(&tx->ring, tx->ring.filled++, request);
}

/* Ends the device's use of an entry's page. */
static inline void end_entry(struct tx *tx, const struct tx_shared *shared, uint16_t id)
{
    struct tx_entry *entry = &tx->entry[id];
    struct wisp_page *page = entry->page;
    bool copied = entry->copied;
    entry->pkt = NULL;
    grants_done(shared->grants, page);
    if (copied) {
        copy_page_release(tx, shared, page);
    }
    tx->free_id[tx->free_ids++] = id;
}

/* Takes back the slots of pkt written since filled was `from`: a later piece of it found no grant.
 */
static void undo(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt, uint32_t from)
{
    while (pkt->device_value > 0) {
        pkt->device_value--;
        end_entry(tx, shared, tx->free_id[tx->free_ids]);
    }
    tx->ring.filled = from;
}

static uint16_t first_flags(const struct wisp_pkt *pkt)
{
    uint16_t flags = 0;
    if (pkt->csum == WISP_CSUM_BLANK) {
        flags |= NETTXF_csum_blank | NETTXF_data_validated;
    }
    if (pkt->gso != WISP_GSO_NONE) {
        flags |= NETTXF_extra_info;
    }
    return flags;
}

/* A frame in one slot, for backends without scatter-gather. */
static bool put_single(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt)
{
    struct piece piece;
    if (!copy_piece(tx, shared, pkt, 0, pkt->length, &piece)) {
        return false;
    }
    put_slot(tx, pkt, &piece, first_flags(pkt), pkt->length);
    return true;
}

static bool put_views(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt)
{
    uint32_t from = tx->ring.filled;
    uint32_t offset = 0;
    uint32_t last = pkt->views - 1u;
    while (last > 0 && pkt->view[last].length == 0) {
        last--;
    }
    for (uint32_t i = 0; i <= last; i++) {
        const struct wisp_view *view = &pkt->view[i];
        struct piece piece;
        if (view->length == 0) {
            continue;
        }
        if (!take_piece(tx, shared, pkt, view, offset, &piece)) {
            undo(tx, shared, pkt, from);
            return false;
        }
        uint16_t more = i < last ? NETTXF_more_data : 0;
        if (offset == 0) {
            put_slot(tx, pkt, &piece, (uint16_t)(first_flags(pkt) | more), pkt->length);
            if (pkt->gso != WISP_GSO_NONE) {
                ring_put_extra(&tx->ring, tx->ring.filled++, slot_gso_emit(pkt->gso_size));
            }
        } else {
            put_slot(tx, pkt, &piece, more, view->length);
        }
        offset += view->length;
    }
    return true;
}

/* A packet that is all in its header cell, whose page is granted as long as the connection lives:
 * one slot. */
static bool is_cell(const struct wisp_pkt *pkt)
{
    return pkt->views == 1 && pkt->view[0].page == pkt->cell.page && pkt->gso == WISP_GSO_NONE &&
           pkt->cell.page->grant != WISP_GRANT_NONE;
}

static void put_cell(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt)
{
    struct wisp_page *page = pkt->cell.page;
    uint16_t id = tx->free_id[--tx->free_ids];
    page->device_uses++;
    tx->entry[id] = (struct tx_entry){pkt, page, false};
    pkt->device_value = 1;
    netif_tx_request_t request = {.gref = page->grant,
                                  .offset = (uint16_t)pkt->view[0].offset,
                                  .flags = first_flags(pkt),
                                  .id = id,
                                  .size = (uint16_t)pkt->length};
    ring_put_tx(&tx->ring, tx->ring.filled++, request);
    shared->counts->value[COUNT_TX_SLOTS]++;
    shared->stats->tx_packets++;
    shared->stats->tx_bytes += pkt->length;
}

enum put { PUT_DONE, PUT_LATER };

/* Kept apart from put_pkt, so that packets of a cell do not pay for its registers. */
static __attribute__((noinline)) enum put put_pieces(struct tx *tx, const struct tx_shared *shared,
                                                     struct wisp_pkt *pkt, uint32_t extra)
{
    pkt->device_value = 0;
    bool single = !shared->sg && pkt->views > 1;
    if (!(single ? put_single(tx, shared, pkt) : put_views(tx, shared, pkt))) {
        return PUT_LATER;
    }
    tx->extras += extra;
    shared->counts->value[COUNT_TX_SLOTS] += pkt->device_value + extra;
    shared->stats->tx_packets++;
    shared->stats->tx_bytes += pkt->length;
    return PUT_DONE;
}

/* Writes pkt's slots, if ring, ids, grants and pages suffice. */
static inline enum put put_pkt(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt)
{
    uint32_t extra = pkt->gso != WISP_GSO_NONE;
    if (ring_free(&tx->ring) < pkt->views + extra || tx->free_ids < pkt->views) {
        return PUT_LATER;
    }
    if (is_cell(pkt)) {
        put_cell(tx, shared, pkt);
        return PUT_DONE;
    }
    return put_pieces(tx, shared, pkt, extra);
}

/* What no slots can carry: the caller's mistake, but not one to stop for. */
static bool sendable(const struct tx_shared *shared, const struct wisp_pkt *pkt)
{
    bool sized = pkt->length >= NETFRONT_ETH_HEAD && pkt->length <= TOTAL_MAX &&
                 wisp_pkt_linear(pkt) >= NETFRONT_ETH_HEAD;
    bool single = shared->sg || (pkt->length <= WISP_PAGE_SIZE && pkt->gso == WISP_GSO_NONE);
    bool gso = pkt->gso == WISP_GSO_NONE || (pkt->csum == WISP_CSUM_BLANK && pkt->gso_size > 0);
    return sized && single && gso;
}

static void finish(const struct tx_shared *shared, struct wisp_pkt *pkt)
{
    pkt->flags &= (uint8_t)~WISP_PKT_HELD;
    pkt_list_push(shared->done, pkt);
}

/* Any packet, in any state of the ring. Kept apart from tx_push, so that the common small packet
 * does not pay for its registers. */
static __attribute__((noinline)) bool push_any(struct tx *tx, const struct tx_shared *shared,
                                               struct wisp_pkt *pkt)
{
    if (tx->waiting_count >= NETFRONT_TX_WAITING) {
        return false;
    }
    pkt->flags |= WISP_PKT_HELD;
    if (!sendable(shared, pkt)) {
        count(shared->counts, COUNT_TX_REFUSED);
        shared->stats->tx_dropped++;
        finish(shared, pkt);
        return true;
    }
    if (tx->waiting_count > 0 || put_pkt(tx, shared, pkt) != PUT_DONE) {
        count(shared->counts, COUNT_TX_WAITED);
        pkt_list_push(&tx->waiting, pkt);
        tx->waiting_count++;
    }
    return true;
}

bool tx_push(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt)
{
    bool now = tx->waiting_count == 0 && ring_free(&tx->ring) > 0 && tx->free_ids > 0;
    if (!now || !is_cell(pkt) || pkt->length < NETFRONT_ETH_HEAD) {
        return push_any(tx, shared, pkt);
    }
    pkt->flags |= WISP_PKT_HELD;
    put_cell(tx, shared, pkt);
    return true;
}

void tx_advance(struct tx *tx, const struct tx_shared *shared)
{
    while (tx->waiting_count > 0) {
        struct wisp_pkt *pkt = tx->waiting.head;
        struct wisp_pkt *next = pkt->next;
        if (put_pkt(tx, shared, pkt) != PUT_DONE) {
            pkt->next = next;
            return;
        }
        pkt_list_pop(&tx->waiting);
        tx->waiting_count--;
    }
}

bool tx_push_control(struct tx *tx, const struct tx_shared *shared, struct wisp_pkt *pkt,
                     netif_extra_info_t extra)
{
    struct piece piece;
    if (ring_free(&tx->ring) < 2 || tx->free_ids < 1 ||
        !take_piece(tx, shared, pkt, &pkt->view[0], 0, &piece)) {
        return false;
    }
    pkt->flags |= WISP_PKT_HELD;
    pkt->device_value = 0;
    put_slot(tx, pkt, &piece, NETTXF_extra_info, pkt->length);
    ring_put_extra(&tx->ring, tx->ring.filled++, extra);
    tx->extras++;
    return true;
}

static void take_response(struct tx *tx, const struct tx_shared *shared,
                          netif_tx_response_t response)
{
    if (response.status == NETIF_RSP_NULL) {
        if (tx->extras == 0) {
            count(shared->counts, COUNT_TX_BAD_NULL);
            tx->lies++;
        } else {
            tx->extras--;
        }
        return;
    }
    struct wisp_pkt *pkt = response.id < NETFRONT_SLOTS ? tx->entry[response.id].pkt : NULL;
    if (!pkt) {
        count(shared->counts, COUNT_TX_BAD_ID);
        tx->lies++;
        return;
    }
    end_entry(tx, shared, response.id);
    if (response.status != NETIF_RSP_OKAY && !(pkt->flags & WISP_PKT_FAILED)) {
        pkt->flags |= WISP_PKT_FAILED;
        count(shared->counts, COUNT_TX_ERROR);
        shared->stats->tx_dropped++;
    }
    if (--pkt->device_value == 0) {
        finish(shared, pkt);
    }
}

bool tx_reclaim(struct tx *tx, const struct tx_shared *shared, uint32_t *taken)
{
    uint32_t waiting;
    *taken = 0;
    if (!ring_waiting(&tx->ring, &waiting)) {
        return false;
    }
    for (uint32_t i = 0; i < waiting; i++) {
        take_response(tx, shared, ring_get_tx(&tx->ring, tx->ring.consumed++));
    }
    *taken = waiting;
    return tx->lies <= NETFRONT_TX_LIES;
}

void tx_close(struct tx *tx, const struct tx_shared *shared)
{
    for (uint32_t id = 0; id < NETFRONT_SLOTS; id++) {
        struct wisp_pkt *pkt = tx->entry[id].pkt;
        if (!pkt) {
            continue;
        }
        end_entry(tx, shared, (uint16_t)id);
        if (--pkt->device_value == 0) {
            count(shared->counts, COUNT_RETURNED);
            finish(shared, pkt);
        }
    }
    while (tx->waiting_count > 0) {
        tx->waiting_count--;
        count(shared->counts, COUNT_RETURNED);
        finish(shared, pkt_list_pop(&tx->waiting));
    }
    while (tx->stock_count > 0) {
        struct wisp_page *page = tx->stock[--tx->stock_count];
        if (page->grant != WISP_GRANT_NONE) {
            grants_end(shared->grants, page);
        }
        wisp_page_unref(page);
    }
}
