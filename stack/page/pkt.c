/* SPDX-License-Identifier: ISC */
/*
 * Packets and their pool. A packet with a header cell keeps it for life: cells are cut from pages of role
 * SEND when the pool is made, staggered so that headers of neighbouring packets do not all fall into the same
 * cache sets (performance.md §3.4: 20 % when they do).
 *
 *   header page k:  | (k mod 4) * 64 bytes | cell | cell | ... 15 cells of 256 bytes ... | rest |
 *
 * Invariant: length is the sum of the views' lengths; views beyond `views` are undefined; every view but a
 * cell's own holds one page reference.
 */
#include "assert.h"
#include "sum.h"
#include <string.h>
#include <wisp/pkt.h>

#define CELLS_PER_PAGE 15u
#define LINEAR_MAX     256u

struct wisp_pktpool {
    struct wisp_pkt *pkt;
    struct wisp_pkt *free;
    struct wisp_pool *pages; /* null: no cells */
    uint32_t count;
    uint32_t available;
    void (*told)(void *context, struct wisp_pkt *pkt); /* null: nobody wants to know */
    void *context;
};

static size_t packets_at(void)
{
    return (sizeof(struct wisp_pktpool) + 63) & ~(size_t)63;
}

size_t wisp_pktpool_size(uint32_t packets)
{
    return packets_at() + packets * sizeof(struct wisp_pkt);
}

static bool give_cells(struct wisp_pktpool *pool)
{
    struct wisp_page *page = NULL;
    for (uint32_t i = 0; i < pool->count; i++) {
        uint32_t at = i % CELLS_PER_PAGE;
        if (at == 0) {
            page = wisp_page_alloc(pool->pages, WISP_ROLE_SEND, WISP_HOLDER_HEADERS);
            if (!page) {
                pool->count = i;
                return false;
            }
        }
        uint32_t stagger = i / CELLS_PER_PAGE % 4 * 64;
        pool->pkt[i].cell = (struct wisp_view){page, stagger + at * WISP_CELL_SIZE, WISP_CELL_SIZE};
    }
    return true;
}

struct wisp_pktpool *wisp_pktpool_init(void *mem, size_t size, uint32_t packets,
                                       struct wisp_pool *pages)
{
    if (size < wisp_pktpool_size(packets)) {
        return NULL;
    }
    struct wisp_pktpool *pool = mem;
    *pool = (struct wisp_pktpool){.pkt = (struct wisp_pkt *)(void *)((uint8_t *)mem + packets_at()),
                                  .pages = pages,
                                  .count = packets,
                                  .available = packets};
    for (uint32_t i = packets; i-- > 0;) {
        struct wisp_pkt *pkt = &pool->pkt[i];
        *pkt = (struct wisp_pkt){.pool = pool, .next = pool->free};
        pool->free = pkt;
    }
    if (pages && !give_cells(pool)) {
        pool->available = pool->count;
        wisp_pktpool_fini(pool);
        return NULL;
    }
    return pool;
}

void wisp_pktpool_fini(struct wisp_pktpool *pool)
{
    WISP_ASSERT(pool->available == pool->count);
    if (!pool->pages) {
        return;
    }
    for (uint32_t i = 0; i < pool->count; i += CELLS_PER_PAGE) {
        wisp_page_unref(pool->pkt[i].cell.page);
    }
    pool->count = 0;
}

void wisp_pktpool_tell(struct wisp_pktpool *pool, void (*told)(void *context, struct wisp_pkt *pkt),
                       void *context)
{
    pool->told = told;
    pool->context = context;
}

uint32_t wisp_pktpool_available(const struct wisp_pktpool *pool)
{
    return pool->available;
}

void wisp_pktpool_each_page(struct wisp_pktpool *pool,
                            void (*fn)(void *context, struct wisp_page *page), void *context)
{
    if (!pool->pages) {
        return;
    }
    for (uint32_t i = 0; i < pool->count; i += CELLS_PER_PAGE) {
        fn(context, pool->pkt[i].cell.page);
    }
}

/* The next free packet, which there is, with length and csum_start as given and views used. */
static inline struct wisp_pkt *take(struct wisp_pktpool *pool, uint32_t length, uint8_t views,
                                    uint16_t csum_start)
{
    struct wisp_pkt *pkt = pool->free;
    pool->free = pkt->next;
    pool->available--;
    pkt->next = NULL;
    pkt->length = length;
    pkt->views = views;
    pkt->csum = WISP_CSUM_UNKNOWN;
    pkt->gso = WISP_GSO_NONE;
    pkt->flags = 0;
    pkt->csum_start = csum_start;
    pkt->csum_offset = 0;
    pkt->gso_size = 0;
    pkt->queue = 0;
    pkt->owner = NULL;
    return pkt;
}

struct wisp_pkt *wisp_pkt_alloc_whole(struct wisp_pktpool *pool, uint32_t front, uint32_t length)
{
    if (!pool->free) {
        return NULL;
    }
    struct wisp_pkt *pkt = take(pool, length, 1, (uint16_t)front);
    WISP_ASSERT(pkt->cell.length && front <= WISP_CELL_HEAD && length <= front + WISP_CELL_BODY);
    wisp_view_set(&pkt->view[0], pkt->cell.page, pkt->cell.offset + WISP_CELL_HEAD - front, length);
    return pkt;
}

struct wisp_pkt *wisp_pkt_alloc(struct wisp_pktpool *pool)
{
    if (!pool->free) {
        return NULL;
    }
    struct wisp_pkt *pkt = take(pool, 0, 0, 0);
    if (pkt->cell.length) {
        pkt->views = 1;
        pkt->view[0] = (struct wisp_view){pkt->cell.page, pkt->cell.offset + WISP_CELL_HEAD, 0};
    }
    return pkt;
}

/* The cell's page is held by the pool, not by the view on it. */
static bool is_cell(const struct wisp_pkt *pkt, uint32_t index)
{
    return index == 0 && pkt->cell.length && pkt->view[0].page == pkt->cell.page;
}

static __attribute__((noinline)) void unref_views(struct wisp_pkt *pkt)
{
    for (uint32_t i = is_cell(pkt, 0) ? 1 : 0; i < pkt->views; i++) {
        wisp_page_unref(pkt->view[i].page);
    }
}

void wisp_pkt_drop(struct wisp_pkt *pkt)
{
    if (!pkt) {
        return;
    }
    WISP_ASSERT(!(pkt->flags & WISP_PKT_HELD));
    struct wisp_pktpool *pool = pkt->pool;
    if (pkt->owner && pool->told) {
        pool->told(pool->context, pkt);
    }
    if (pkt->views > 1) {
        unref_views(pkt);
    } else if (pkt->views == 1 && !is_cell(pkt, 0)) {
        wisp_page_unref(pkt->view[0].page);
    }
    pkt->next = pool->free;
    pool->free = pkt;
    pool->available++;
}

void wisp_pkt_clear(struct wisp_pkt *pkt)
{
    unref_views(pkt);
    pkt->views = 0;
    pkt->length = 0;
}

bool wisp_pkt_append(struct wisp_pkt *pkt, struct wisp_page *page, uint32_t offset, uint32_t length)
{
    WISP_ASSERT(length > 0 && offset + length <= WISP_PAGE_SIZE);
    if (pkt->views == WISP_PKT_VIEWS) {
        return false;
    }
    pkt->view[pkt->views++] = (struct wisp_view){page, offset, length};
    pkt->length += length;
    return true;
}

bool wisp_pkt_append_received(struct wisp_pkt *pkt, const struct wisp_view *view,
                              struct wisp_pool *pages, uint64_t *copied)
{
    if (view->page->role != WISP_ROLE_PRIVATE) {
        if (!wisp_pkt_append(pkt, view->page, view->offset, view->length)) {
            return false;
        }
        wisp_page_ref(view->page);
        return true;
    }
    if (pkt->views == WISP_PKT_VIEWS) {
        return false;
    }
    struct wisp_page *page = wisp_page_alloc(pages, WISP_ROLE_SEND, WISP_HOLDER_PACKET);
    if (!page) {
        return false;
    }
    memcpy(page->data, wisp_view_bytes(view), view->length);
    *copied += view->length;
    return wisp_pkt_append(pkt, page, 0, view->length);
}

uint8_t *wisp_pkt_extend(struct wisp_pkt *pkt, uint32_t length)
{
    struct wisp_view *head = &pkt->view[0];
    WISP_ASSERT(pkt->views == 1 && pkt->cell.length);
    WISP_ASSERT(head->offset + head->length + length <= pkt->cell.offset + WISP_CELL_SIZE);
    uint8_t *bytes = wisp_view_bytes(head) + head->length;
    head->length += length;
    pkt->length += length;
    return bytes;
}

static void remove_first(struct wisp_pkt *pkt)
{
    if (!is_cell(pkt, 0)) {
        wisp_page_unref(pkt->view[0].page);
    }
    pkt->views--;
    memmove(&pkt->view[0], &pkt->view[1], pkt->views * sizeof(pkt->view[0]));
}

void wisp_pkt_pull_views(struct wisp_pkt *pkt, uint32_t n)
{
    WISP_ASSERT(n <= pkt->length);
    pkt->length -= n;
    pkt->csum_start = (uint16_t)(pkt->csum_start - n);
    while (n > 0) {
        struct wisp_view *head = &pkt->view[0];
        uint32_t part = n < head->length ? n : head->length;
        head->offset += part;
        head->length -= part;
        n -= part;
        if (head->length > 0 || pkt->views == 1) {
            return;
        }
        remove_first(pkt);
    }
}

void wisp_pkt_trim(struct wisp_pkt *pkt, uint32_t length)
{
    WISP_ASSERT(length <= pkt->length);
    uint32_t excess = pkt->length - length;
    pkt->length = length;
    while (excess > 0) {
        struct wisp_view *last = &pkt->view[pkt->views - 1];
        if (last->length > excess || pkt->views == 1) {
            last->length -= excess;
            return;
        }
        excess -= last->length;
        pkt->views--;
        wisp_page_unref(last->page);
    }
}

bool wisp_pkt_read(const struct wisp_pkt *pkt, uint32_t offset, void *bytes, uint32_t length)
{
    if (offset > pkt->length || length > pkt->length - offset) {
        return false;
    }
    uint8_t *to = bytes;
    for (uint32_t i = 0; length > 0; i++) {
        const struct wisp_view *view = &pkt->view[i];
        if (offset >= view->length) {
            offset -= view->length;
            continue;
        }
        uint32_t part = view->length - offset;
        part = part < length ? part : length;
        memcpy(to, wisp_view_bytes(view) + offset, part);
        to += part;
        length -= part;
        offset = 0;
    }
    return true;
}

/* Puts page, which holds the packet's first n bytes at offset 0, in front of what is left of the packet. */
static void put_front(struct wisp_pkt *pkt, struct wisp_page *page, uint32_t n)
{
    uint32_t csum_start = pkt->csum_start;
    uint32_t length = pkt->length;
    wisp_pkt_pull(pkt, n);
    if (pkt->view[0].length == 0) {
        remove_first(pkt);
    }
    WISP_ASSERT(pkt->views < WISP_PKT_VIEWS);
    memmove(&pkt->view[1], &pkt->view[0], pkt->views * sizeof(pkt->view[0]));
    pkt->view[0] = (struct wisp_view){page, 0, n};
    pkt->views++;
    pkt->length = length;
    pkt->csum_start = (uint16_t)csum_start;
}

bool wisp_pkt_linearise(struct wisp_pkt *pkt, struct wisp_pool *pages, uint32_t n, uint64_t *copied)
{
    WISP_ASSERT(n <= pkt->length && n <= WISP_PAGE_SIZE);
    if (wisp_pkt_linear(pkt) >= n) {
        return true;
    }
    uint32_t amount = n > LINEAR_MAX ? n : pkt->length < LINEAR_MAX ? pkt->length : LINEAR_MAX;
    /* amount >= n > the first view: that one goes, so there is an entry for the new one. */
    struct wisp_page *page = wisp_page_alloc(pages, WISP_ROLE_PRIVATE, WISP_HOLDER_PACKET);
    if (!page) {
        return false;
    }
    wisp_pkt_read(pkt, 0, page->data, amount);
    put_front(pkt, page, amount);
    *copied += amount;
    return true;
}

uint16_t wisp_pkt_sum_views(const struct wisp_pkt *pkt, uint32_t offset, uint32_t length,
                            wisp_sum_fn sum)
{
    WISP_ASSERT(offset <= pkt->length && length <= pkt->length - offset);
    uint16_t total = 0;
    bool odd = false;
    for (uint32_t i = 0; length > 0; i++) {
        const struct wisp_view *view = &pkt->view[i];
        if (offset >= view->length) {
            offset -= view->length;
            continue;
        }
        uint32_t part = view->length - offset;
        part = part < length ? part : length;
        uint16_t s = sum(wisp_view_bytes(view) + offset, part);
        total = wisp_sum_add(total, odd ? wisp_sum_odd(s) : s);
        odd ^= part & 1;
        length -= part;
        offset = 0;
    }
    return total;
}

/* Writes two bytes at offset, which may straddle views. */
static void put_sum(struct wisp_pkt *pkt, uint32_t offset, uint16_t sum)
{
    uint8_t wire[2];
    wisp_sum_store(wire, sum);
    for (uint32_t i = 0, k = 0; k < 2; i++) {
        struct wisp_view *view = &pkt->view[i];
        while (k < 2 && offset < view->length) {
            wisp_view_bytes(view)[offset++] = wire[k++];
        }
        offset -= view->length;
    }
}

void wisp_pkt_fill_csum(struct wisp_pkt *pkt, wisp_sum_fn sum)
{
    if (pkt->csum != WISP_CSUM_BLANK) {
        return;
    }
    WISP_ASSERT(pkt->gso == WISP_GSO_NONE);
    if ((uint32_t)pkt->csum_start + pkt->csum_offset + 2 > pkt->length) {
        return;
    }
    uint16_t total = wisp_pkt_sum(pkt, pkt->csum_start, pkt->length - pkt->csum_start, sum);
    /* UDP has no room for a computed zero: all ones is the same number (RFC 768). TCP reads both alike. */
    put_sum(pkt, (uint32_t)pkt->csum_start + pkt->csum_offset, total == 0xffff ? 0 : total);
    pkt->csum = WISP_CSUM_UNKNOWN;
}
