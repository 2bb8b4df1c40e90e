/* SPDX-License-Identifier: ISC */
/*
 * Pages: the unit in which payload lives, is shared with a device, and is charged to a connection.
 *
 * A pool is a fixed number of 4 KiB pages over memory its creator hands in (guarded, granted, image
 * memory: the pool never asks where it lies); what the stack knows about a page lies outside of it. A page
 * belongs to everybody who counts a reference, and goes back to the pool at zero. A view is a run of bytes
 * within one page and names that page; nothing computes a page from an address.
 *
 * Roles keep secrets in: a page last used in one role is cleared before it serves in another, so what an
 * application wrote is never shown to a device that was not sent it. Pages that came back in the same role
 * are used again as they are.
 *
 *   role          who writes           who may read
 *   RX            the device           stack, application
 *   SEND          stack                the device (headers; copies of what is being sent)
 *   APP           application          the device, once sent
 *   PRIVATE       stack                stack, application; never a device (collected small segments)
 *
 * One pool belongs to one thread at a time. None of these functions calls back.
 */
#ifndef WISP_PAGE_H
#define WISP_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WISP_PAGE_SIZE  4096u
#define WISP_GRANT_NONE UINT32_MAX

enum wisp_role {
    WISP_ROLE_BLANK, /* all zero, fit for any role */
    WISP_ROLE_RX,
    WISP_ROLE_SEND,
    WISP_ROLE_APP,
    WISP_ROLE_PRIVATE,
    WISP_ROLE_DIRTY, /* content unknown; cleared before any use */
    WISP_ROLES
};

/* Who holds a page that is not free: the ledger's columns. */
enum wisp_holder {
    WISP_HOLDER_FREE,
    WISP_HOLDER_DEVICE,      /* posted to a device to be filled */
    WISP_HOLDER_HEADERS,     /* header cells */
    WISP_HOLDER_PACKET,      /* in a packet on its way up */
    WISP_HOLDER_TCP_SEND,    /* queued until acknowledged */
    WISP_HOLDER_TCP_RECEIVE, /* in order, not yet consumed */
    WISP_HOLDER_TCP_REORDER, /* out of order */
    WISP_HOLDER_REASSEMBLY,
    WISP_HOLDER_UDP,
    WISP_HOLDER_APP,
    WISP_HOLDER_QUARANTINE, /* a grant that could not be ended: never used again */
    WISP_HOLDERS
};

struct wisp_pool;

/* What is known about one page. Fields are read through the functions below; drivers use the grant. */
struct wisp_page {
    uint8_t *data;          /* WISP_PAGE_SIZE bytes */
    struct wisp_pool *pool; /* null for a foreign page */
    uint32_t refs;
    uint32_t next;        /* free list, an index in the pool */
    uint32_t grant;       /* the device driver's: a grant reference, or WISP_GRANT_NONE */
    uint16_t device_uses; /* the device driver's: packets and posts in which a device has it now */
    uint16_t domain;      /* the device driver's: whom it is granted to */
    uint8_t role;         /* enum wisp_role it serves in, or last served in */
    uint8_t holder;       /* enum wisp_holder, for the ledger */
    uint8_t quarantined;
    uint8_t spare;
};

/* length bytes from offset within page; offset + length <= WISP_PAGE_SIZE. */
struct wisp_view {
    struct wisp_page *page;
    uint32_t offset;
    uint32_t length;
};

/* Field by field: a copy of a view that was just changed in part reads with one wide load what two narrow stores
 * have not put down yet, and waits for these (some 4 ns each time). */
static inline void wisp_view_set(struct wisp_view *view, struct wisp_page *page, uint32_t offset,
                                 uint32_t length)
{
    view->page = page;
    view->offset = offset;
    view->length = length;
}

/* Where the view's bytes lie, as long as its page is referenced. */
static inline uint8_t *wisp_view_bytes(const struct wisp_view *view)
{
    return view->page->data + view->offset;
}

/* Bytes of metadata memory a pool of that many pages needs. */
size_t wisp_pool_size(uint32_t pages);

/*
 * Makes a pool of pages over memory (WISP_PAGE_SIZE aligned, pages * WISP_PAGE_SIZE bytes, the caller's for
 * the pool's life) with metadata in meta (8-aligned, wisp_pool_size(pages) bytes). zeroed says that memory
 * is all zero. reserve pages are kept for wisp_page_alloc_reserved: ARP, ACK, FIN and RST get through when
 * everything else is refused.
 * Returns null when meta_size is too small, memory misaligned, or reserve >= pages.
 */
struct wisp_pool *wisp_pool_init(void *meta, size_t meta_size, void *memory, uint32_t pages,
                                 uint32_t reserve, bool zeroed);

/*
 * A page with one reference, owned by the caller, or null when only the reserve is left (an ordinary,
 * counted result: wait until pages come back). Its content is zero, or what it held in the same role.
 */
struct wisp_page *wisp_page_alloc(struct wisp_pool *pool, enum wisp_role role,
                                  enum wisp_holder holder);

/* The same, down to the last page. For ARP, ACK, FIN, RST and nothing else. */
struct wisp_page *wisp_page_alloc_reserved(struct wisp_pool *pool, enum wisp_role role,
                                           enum wisp_holder holder);

/* One more reference. The page must have one. */
static inline void wisp_page_ref(struct wisp_page *page)
{
    page->refs++;
}

/* Not for callers: the last reference of a pool's page went. */
void wisp_page_free(struct wisp_page *page);

/* One reference less; the last one gives the page back to its pool. */
static inline void wisp_page_unref(struct wisp_page *page)
{
    if (--page->refs == 0 && page->pool) {
        wisp_page_free(page);
    }
}

/* Says who holds page now, for the ledger. */
static inline void wisp_page_hold(struct wisp_page *page, enum wisp_holder holder)
{
    page->holder = (uint8_t)holder;
}

/*
 * Declares that page's content may differ from what its role promises: written without being sent, say.
 * It is cleared before any later use. Call it before the last unref.
 */
static inline void wisp_page_taint(struct wisp_page *page)
{
    page->role = WISP_ROLE_DIRTY;
}

/* The page's last unref will not free it, or if it is free it is not given out again: its grant could not be
 * ended. Counted. For device drivers. */
void wisp_page_quarantine(struct wisp_page *page);

/* Pages that wisp_page_alloc could still give. */
uint32_t wisp_pool_available(const struct wisp_pool *pool);

struct wisp_pool_stats {
    uint32_t pages;       /* in the pool */
    uint32_t reserve;     /* of these, kept for wisp_page_alloc_reserved */
    uint32_t in_use;      /* neither free nor quarantined */
    uint32_t quarantined; /* lost to a device that keeps its grant */
    uint32_t lowest_free; /* fewest free pages there ever were */
    uint64_t refused;     /* allocations that found none */
    uint64_t cleared;     /* pages cleared because their role changed */
};

/* Fills stats with how the pool stands now; at any time, and it changes nothing. */
void wisp_pool_stats(const struct wisp_pool *pool, struct wisp_pool_stats *stats);

/* The ledger: how many pages each holder has; the counts add up to the pool. */
void wisp_pool_ledger(const struct wisp_pool *pool, uint32_t counts[WISP_HOLDERS]);

/* The text of a ledger column, a static string. */
const char *wisp_holder_text(enum wisp_holder holder);

/* Page number index of the pool (0 .. pages - 1), for drivers that grant all of them at start. */
struct wisp_page *wisp_pool_page(struct wisp_pool *pool, uint32_t index);

/* Number of pages that len bytes of foreign data take. */
static inline uint32_t wisp_foreign_pages(size_t len)
{
    return (uint32_t)((len + WISP_PAGE_SIZE - 1) / WISP_PAGE_SIZE);
}

/*
 * Describes static read-only data as pages, so that it is sent without a copy. data starts on a page, owns
 * the last page it touches, and the rest of that page is zero (tools/embed lays files out so). pages is an
 * array of wisp_foreign_pages(len) entries that lives as long as the data may be sent; each starts with one
 * reference that is never dropped. View k of the data is {&pages[k], 0, up to WISP_PAGE_SIZE}.
 */
void wisp_foreign_init(struct wisp_page *pages, const void *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
