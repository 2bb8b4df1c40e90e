/* SPDX-License-Identifier: ISC */
/*
 * Queues of 16-byte entries in chains of blocks of 512 bytes from a pool: views to send, views
 * received, out-of-order pieces, records of what was sent. The only entry of a quiet connection's
 * queue takes no block: it lies in the chain itself, instead of the links that are not needed then.
 * Such a chain is single; a second entry lets both go to a block.
 *
 *   chain -> block | next first end | . . # # # # . . |  -> block | ... | -> null
 *                                         ^first  ^end
 *
 * Invariants: no block of a chain is empty; count is the sum of end - first over its blocks, or 1
 * while it is single; an empty chain has no blocks. A spot names an entry and is void once its
 * entry is popped, or entries are inserted in its block. The single entry's names the
 * chain, by an odd address, and stays good when the entry goes to a block.
 */
#ifndef WISP_TCP_CHAIN_H
#define WISP_TCP_CHAIN_H

#include "seq.h"
#include <stddef.h>
#include <wisp/clock.h>
#include <wisp/page.h>

#define TCP_BLOCK_SIZE    512u
#define TCP_BLOCK_ENTRIES 31u

/* Bytes received out of order: length of them from offset in page, the first has number seq. */
struct tcp_piece {
    struct wisp_page *page;
    struct tcp_seq seq;
    uint16_t offset;
    uint16_t length;
};

enum tcp_record_flag {
    TCP_RECORD_HELD = 1, /* its packet is in the device's hands */
    TCP_RECORD_LOST = 2, /* to be sent again */
    TCP_RECORD_AGAIN = 4 /* was sent more than once: no round-trip time from it (Karn) */
};

/* One segment that was sent: length payload bytes from seq on, last sent at sent_at. */
struct tcp_record {
    struct tcp_seq seq;
    uint32_t length : 24;
    uint32_t flags : 8;
    wisp_time sent_at;
};

union tcp_entry {
    struct wisp_view view;
    struct tcp_piece piece;
    struct tcp_record record;
};

/* TCP_BLOCK_ENTRIES entries lie right behind it. */
struct tcp_block {
    struct tcp_block *next;
    uint16_t first, end;
};

/* A block of the pool. */
struct tcp_pool_block {
    struct tcp_block block;
    union tcp_entry entry[TCP_BLOCK_ENTRIES];
};

_Static_assert(sizeof(union tcp_entry) == 16, "entries are 16 bytes");
_Static_assert(sizeof(struct tcp_pool_block) == TCP_BLOCK_SIZE, "blocks are 512 bytes");
_Static_assert(offsetof(struct tcp_pool_block, entry) == sizeof(struct tcp_block), "no gap");

/* The pool of blocks. */
struct tcp_blocks {
    struct tcp_block *free;
    uint32_t available;
};

struct tcp_chain {
    union {
        struct {
            struct tcp_block *head, *tail;
        } list;
        union tcp_entry one;
    } u;
    uint32_t count;
    bool plain; /* never single */
    bool single;
};

_Static_assert(sizeof(struct tcp_chain) == 24, "links, or an entry, and what is counted");

/* An entry's place; block null: none. */
struct tcp_spot {
    struct tcp_block *block;
    uint32_t index;
};

void wisp_tcp_blocks_init(struct tcp_blocks *pool, struct tcp_pool_block *blocks, uint32_t count);

/* An empty chain. */
void wisp_tcp_chain_init(struct tcp_chain *chain, bool plain);

/* Adds a block behind the tail; false: the pool is empty. */
bool wisp_tcp_chain_grow(struct tcp_chain *chain, struct tcp_blocks *pool);

/* Takes the head block, whose last entry was popped, out of the chain. */
void wisp_tcp_chain_shrink(struct tcp_chain *chain, struct tcp_blocks *pool);

/* Makes room for an entry before spot, which then names it; false, and nothing changed: no block. */
bool wisp_tcp_chain_insert(struct tcp_chain *chain, struct tcp_blocks *pool, struct tcp_spot *spot);

/* Drops the last entry; the chain is not empty. */
void wisp_tcp_chain_pop_back(struct tcp_chain *chain, struct tcp_blocks *pool);

/* The single entry goes to a block; false, and nothing changed: the pool is empty. */
bool wisp_tcp_chain_spread(struct tcp_chain *chain, struct tcp_blocks *pool);

static inline union tcp_entry *block_entry(struct tcp_block *block, uint32_t index)
{
    return (union tcp_entry *)(void *)(block + 1) + index;
}

/* Whether it names, or named, a single entry. */
static inline bool spot_is_single(struct tcp_spot spot)
{
    return (uintptr_t)spot.block & 1;
}

/* The same spot in a block, if that is where its entry lies now. */
struct tcp_spot wisp_tcp_chain_resolve(struct tcp_spot spot);

/* chain_at for a spot_is_single. */
union tcp_entry *wisp_tcp_chain_at_single(struct tcp_spot spot);

static inline bool chain_empty(const struct tcp_chain *chain)
{
    return chain->count == 0;
}

static inline bool chain_is_single(const struct tcp_chain *chain)
{
    return chain->single;
}

/* It is single. */
static inline union tcp_entry *chain_one(const struct tcp_chain *chain)
{
    return (union tcp_entry *)((uintptr_t)chain + offsetof(struct tcp_chain, u));
}

/* Not empty. */
static inline union tcp_entry *chain_front(const struct tcp_chain *chain)
{
    return chain->single ? chain_one(chain)
                         : block_entry(chain->u.list.head, chain->u.list.head->first);
}

/* Not empty. */
static inline union tcp_entry *chain_back(const struct tcp_chain *chain)
{
    return chain->single ? chain_one(chain)
                         : block_entry(chain->u.list.tail, chain->u.list.tail->end - 1u);
}

/* The first entry of an empty chain that is not plain, undefined content. */
static inline union tcp_entry *chain_push_single(struct tcp_chain *chain)
{
    chain->count = 1;
    chain->single = true;
    return &chain->u.one;
}

/* Pops the entry of a chain that is_single. */
static inline void chain_pop_single(struct tcp_chain *chain)
{
    chain->count = 0;
    chain->single = false;
}

/* A new entry at the end, undefined content; null: the pool is empty. */
static inline union tcp_entry *chain_push(struct tcp_chain *chain, struct tcp_blocks *pool)
{
    if (chain->count == 0 && !chain->plain) {
        return chain_push_single(chain);
    }
    if (chain->single && !wisp_tcp_chain_spread(chain, pool)) {
        return NULL;
    }
    if ((chain->count == 0 || chain->u.list.tail->end == TCP_BLOCK_ENTRIES) &&
        !wisp_tcp_chain_grow(chain, pool)) {
        return NULL;
    }
    chain->count++;
    return block_entry(chain->u.list.tail, chain->u.list.tail->end++);
}

static inline void chain_pop(struct tcp_chain *chain, struct tcp_blocks *pool)
{
    chain->count--;
    if (chain->single) {
        chain->single = false;
    } else if (++chain->u.list.head->first == chain->u.list.head->end) {
        wisp_tcp_chain_shrink(chain, pool);
    }
}

/* The single entry's. */
static inline struct tcp_spot chain_single(const struct tcp_chain *chain)
{
    return (struct tcp_spot){(struct tcp_block *)((uintptr_t)chain | 1), 0};
}

/* The first entry's; block null: the chain is empty. */
static inline struct tcp_spot chain_begin(const struct tcp_chain *chain)
{
    if (chain->single) {
        return chain_single(chain);
    }
    return chain->count ? (struct tcp_spot){chain->u.list.head, chain->u.list.head->first}
                        : (struct tcp_spot){NULL, 0};
}

/* The last entry's; not empty. */
static inline struct tcp_spot chain_last(const struct tcp_chain *chain)
{
    return chain->single ? chain_single(chain)
                         : (struct tcp_spot){chain->u.list.tail, chain->u.list.tail->end - 1u};
}

/* The entry at spot, or null behind the last one. */
static inline union tcp_entry *chain_at(struct tcp_spot spot)
{
    if (spot_is_single(spot)) {
        return wisp_tcp_chain_at_single(spot);
    }
    return spot.block && spot.index < spot.block->end ? block_entry(spot.block, spot.index) : NULL;
}

/* The spot behind an existing one; it may name no entry (yet). */
static inline struct tcp_spot chain_after(struct tcp_spot spot)
{
    spot.index++;
    if (spot_is_single(spot)) {
        spot = wisp_tcp_chain_resolve(spot);
    }
    if (!spot_is_single(spot) && spot.index >= spot.block->end && spot.block->next) {
        spot.block = spot.block->next;
        spot.index = spot.block->first;
    }
    return spot;
}

#endif
