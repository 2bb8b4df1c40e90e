/* SPDX-License-Identifier: ISC */
/*
 * The page pool: a LIFO free list per role, so that a page is used again while it is warm in the cache, and
 * without being cleared as long as it stays in its role.
 *
 *   alloc(role):   own list -> blank pages -> another role's list, cleared (counted)
 *   last unref:    onto the list of the role it served in; tainted ones onto DIRTY
 *
 * Invariants: free + in_use + quarantined == pages; a free page has refs == 0 and no device use; pages on the
 * BLANK list are all zero. Reserve: ordinary allocation stops when `reserve` free pages are left.
 */
#include "assert.h"
#include <string.h>
#include <wisp/page.h>

#define NO_PAGE UINT32_MAX

struct wisp_pool {
    struct wisp_page *page;
    uint32_t pages;
    uint32_t reserve;
    uint32_t free;
    uint32_t quarantined;
    uint32_t lowest_free;
    uint32_t head[WISP_ROLES];
    uint64_t refused;
    uint64_t cleared;
};

/* The pool and its page array, one behind the other. */
static size_t pages_at(void)
{
    return (sizeof(struct wisp_pool) + 15) & ~(size_t)15;
}

size_t wisp_pool_size(uint32_t pages)
{
    return pages_at() + pages * sizeof(struct wisp_page);
}

static void push(struct wisp_pool *pool, struct wisp_page *page)
{
    page->next = pool->head[page->role];
    pool->head[page->role] = (uint32_t)(page - pool->page);
}

struct wisp_pool *wisp_pool_init(void *meta, size_t meta_size, void *memory, uint32_t pages,
                                 uint32_t reserve, bool zeroed)
{
    if (meta_size < wisp_pool_size(pages) || reserve >= pages ||
        ((uintptr_t)memory & (WISP_PAGE_SIZE - 1)) != 0) {
        return NULL;
    }
    struct wisp_pool *pool = meta;
    *pool = (struct wisp_pool){.page = (struct wisp_page *)(void *)((uint8_t *)meta + pages_at()),
                               .pages = pages,
                               .reserve = reserve,
                               .free = pages,
                               .lowest_free = pages};
    for (int role = 0; role < WISP_ROLES; role++) {
        pool->head[role] = NO_PAGE;
    }
    for (uint32_t i = pages; i-- > 0;) {
        struct wisp_page *page = &pool->page[i];
        *page = (struct wisp_page){.data = (uint8_t *)memory + (size_t)i * WISP_PAGE_SIZE,
                                   .pool = pool,
                                   .grant = WISP_GRANT_NONE,
                                   .role = zeroed ? WISP_ROLE_BLANK : WISP_ROLE_DIRTY,
                                   .holder = WISP_HOLDER_FREE};
        push(pool, page);
    }
    return pool;
}

/* The list an allocation for role takes from: its own, blank pages, then whichever has one. */
static uint32_t source_list(const struct wisp_pool *pool, enum wisp_role role)
{
    if (pool->head[role] != NO_PAGE) {
        return role;
    }
    for (uint32_t list = WISP_ROLE_BLANK; list < WISP_ROLES - 1; list++) {
        if (pool->head[list] != NO_PAGE) {
            return list;
        }
    }
    return WISP_ROLE_DIRTY;
}

static struct wisp_page *take(struct wisp_pool *pool, enum wisp_role role, enum wisp_holder holder,
                              uint32_t keep)
{
    WISP_ASSERT(role != WISP_ROLE_DIRTY && role < WISP_ROLES);
    if (pool->free <= keep) {
        pool->refused++;
        return NULL;
    }
    uint32_t list = source_list(pool, role);
    struct wisp_page *page = &pool->page[pool->head[list]];
    pool->head[list] = page->next;
    if (list != (uint32_t)role && list != WISP_ROLE_BLANK) {
        memset(page->data, 0, WISP_PAGE_SIZE);
        pool->cleared++;
    }
    if (--pool->free < pool->lowest_free) {
        pool->lowest_free = pool->free;
    }
    page->refs = 1;
    page->role = (uint8_t)role;
    page->holder = (uint8_t)holder;
    return page;
}

struct wisp_page *wisp_page_alloc(struct wisp_pool *pool, enum wisp_role role,
                                  enum wisp_holder holder)
{
    return take(pool, role, holder, pool->reserve);
}

struct wisp_page *wisp_page_alloc_reserved(struct wisp_pool *pool, enum wisp_role role,
                                           enum wisp_holder holder)
{
    return take(pool, role, holder, 0);
}

void wisp_page_free(struct wisp_page *page)
{
    struct wisp_pool *pool = page->pool;
    WISP_ASSERT(page->refs == 0);
    if (page->quarantined) {
        page->holder = WISP_HOLDER_QUARANTINE;
        return;
    }
    WISP_ASSERT(page->device_uses == 0);
    page->holder = WISP_HOLDER_FREE;
    pool->free++;
    push(pool, page);
}

/* A free page leaves its list, which is searched: this happens when a connection ends badly, not before. */
static void unlink_free(struct wisp_pool *pool, const struct wisp_page *page)
{
    uint32_t index = (uint32_t)(page - pool->page);
    uint32_t *link = &pool->head[page->role];
    while (*link != index) {
        link = &pool->page[*link].next;
    }
    *link = page->next;
    pool->free--;
}

void wisp_page_quarantine(struct wisp_page *page)
{
    if (page->quarantined) {
        return;
    }
    page->quarantined = 1;
    if (page->pool) {
        page->pool->quarantined++;
        if (page->refs == 0) {
            unlink_free(page->pool, page);
            page->holder = WISP_HOLDER_QUARANTINE;
        }
    }
}

uint32_t wisp_pool_available(const struct wisp_pool *pool)
{
    return pool->free > pool->reserve ? pool->free - pool->reserve : 0;
}

void wisp_pool_stats(const struct wisp_pool *pool, struct wisp_pool_stats *stats)
{
    *stats = (struct wisp_pool_stats){.pages = pool->pages,
                                      .reserve = pool->reserve,
                                      .in_use = pool->pages - pool->free - pool->quarantined,
                                      .quarantined = pool->quarantined,
                                      .lowest_free = pool->lowest_free,
                                      .refused = pool->refused,
                                      .cleared = pool->cleared};
}

void wisp_pool_ledger(const struct wisp_pool *pool, uint32_t counts[WISP_HOLDERS])
{
    memset(counts, 0, WISP_HOLDERS * sizeof(counts[0]));
    for (uint32_t i = 0; i < pool->pages; i++) {
        counts[pool->page[i].holder]++;
    }
}

const char *wisp_holder_text(enum wisp_holder holder)
{
    static const char *const text[WISP_HOLDERS] = {
        [WISP_HOLDER_FREE] = "free",
        [WISP_HOLDER_DEVICE] = "device",
        [WISP_HOLDER_HEADERS] = "header cells",
        [WISP_HOLDER_PACKET] = "packet",
        [WISP_HOLDER_TCP_SEND] = "tcp send",
        [WISP_HOLDER_TCP_RECEIVE] = "tcp receive",
        [WISP_HOLDER_TCP_REORDER] = "tcp reorder",
        [WISP_HOLDER_REASSEMBLY] = "reassembly",
        [WISP_HOLDER_UDP] = "udp",
        [WISP_HOLDER_APP] = "application",
        [WISP_HOLDER_QUARANTINE] = "quarantine",
    };
    return holder < WISP_HOLDERS ? text[holder] : "?";
}

struct wisp_page *wisp_pool_page(struct wisp_pool *pool, uint32_t index)
{
    WISP_ASSERT(index < pool->pages);
    return &pool->page[index];
}
