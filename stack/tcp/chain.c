/* SPDX-License-Identifier: ISC */
/*
 * Chains of blocks (see chain.h): what is not worth inlining. Inserting moves at most one block's entries;
 * a full block is split in two.
 */
#include "chain.h"
#include "assert.h"
#include <string.h>

void wisp_tcp_blocks_init(struct tcp_blocks *pool, struct tcp_pool_block *blocks, uint32_t count)
{
    pool->free = NULL;
    pool->available = count;
    for (uint32_t i = count; i-- > 0;) {
        blocks[i].block = (struct tcp_block){.next = pool->free};
        pool->free = &blocks[i].block;
    }
}

void wisp_tcp_chain_init(struct tcp_chain *chain, bool plain)
{
    *chain = (struct tcp_chain){.plain = plain};
}

static const struct tcp_chain *spot_chain(struct tcp_spot spot)
{
    return (const struct tcp_chain *)((uintptr_t)spot.block - 1);
}

struct tcp_spot wisp_tcp_chain_resolve(struct tcp_spot spot)
{
    if (spot_is_single(spot) && !spot_chain(spot)->single) {
        spot.block = spot_chain(spot)->count ? spot_chain(spot)->u.list.head : NULL;
    }
    return spot;
}

union tcp_entry *wisp_tcp_chain_at_single(struct tcp_spot spot)
{
    spot = wisp_tcp_chain_resolve(spot);
    if (!spot_is_single(spot)) {
        return chain_at(spot);
    }
    return spot.index == 0 ? chain_one(spot_chain(spot)) : NULL;
}

static struct tcp_block *take(struct tcp_blocks *pool)
{
    struct tcp_block *block = pool->free;
    if (block) {
        pool->free = block->next;
        pool->available--;
        block->next = NULL;
        block->first = 0;
        block->end = 0;
    }
    return block;
}

static void give(struct tcp_blocks *pool, struct tcp_block *block)
{
    block->next = pool->free;
    pool->free = block;
    pool->available++;
}

bool wisp_tcp_chain_spread(struct tcp_chain *chain, struct tcp_blocks *pool)
{
    struct tcp_block *block = take(pool);
    if (!block) {
        return false;
    }
    *block_entry(block, 0) = chain->u.one;
    block->end = 1;
    chain->u.list.head = chain->u.list.tail = block;
    chain->single = false;
    return true;
}

bool wisp_tcp_chain_grow(struct tcp_chain *chain, struct tcp_blocks *pool)
{
    struct tcp_block *block = take(pool);
    if (!block) {
        return false;
    }
    if (chain->count) {
        chain->u.list.tail->next = block;
    } else {
        chain->u.list.head = block;
    }
    chain->u.list.tail = block;
    return true;
}

void wisp_tcp_chain_shrink(struct tcp_chain *chain, struct tcp_blocks *pool)
{
    struct tcp_block *block = chain->u.list.head;
    chain->u.list.head = block->next;
    give(pool, block);
}

/* Splits a full block: its upper half moves to a new one behind it. */
static bool split_block(struct tcp_chain *chain, struct tcp_blocks *pool, struct tcp_block *block)
{
    struct tcp_block *upper = take(pool);
    if (!upper) {
        return false;
    }
    uint32_t half = TCP_BLOCK_ENTRIES / 2u;
    upper->end = (uint16_t)(TCP_BLOCK_ENTRIES - half);
    memcpy(block_entry(upper, 0), block_entry(block, half), upper->end * sizeof(union tcp_entry));
    block->end = (uint16_t)half;
    upper->next = block->next;
    block->next = upper;
    if (chain->u.list.tail == block) {
        chain->u.list.tail = upper;
    }
    return true;
}

/* Moves a block's entries to its start. */
static void compact(struct tcp_block *block, struct tcp_spot *spot)
{
    uint32_t used = (uint32_t)block->end - block->first;
    memmove(block_entry(block, 0), block_entry(block, block->first),
            used * sizeof(union tcp_entry));
    spot->index -= block->first;
    block->first = 0;
    block->end = (uint16_t)used;
}

bool wisp_tcp_chain_insert(struct tcp_chain *chain, struct tcp_blocks *pool, struct tcp_spot *spot)
{
    if (chain->single && !wisp_tcp_chain_spread(chain, pool)) {
        return false;
    }
    *spot = wisp_tcp_chain_resolve(*spot);
    struct tcp_block *block = spot->block;
    if (block->end == TCP_BLOCK_ENTRIES && block->first > 0) {
        compact(block, spot);
    }
    if (block->end == TCP_BLOCK_ENTRIES) {
        if (!split_block(chain, pool, block)) {
            return false;
        }
        if (spot->index > block->end) {
            spot->index -= block->end;
            spot->block = block = block->next;
        }
    }
    union tcp_entry *at = block_entry(block, spot->index);
    memmove(at + 1, at, (block->end - spot->index) * sizeof(*at));
    block->end++;
    chain->count++;
    return true;
}

void wisp_tcp_chain_pop_back(struct tcp_chain *chain, struct tcp_blocks *pool)
{
    chain->count--;
    if (chain->single) {
        chain->single = false;
        return;
    }
    struct tcp_block *last = chain->u.list.tail;
    if (--last->end > last->first) {
        return;
    }
    struct tcp_block *before = NULL;
    for (struct tcp_block *block = chain->u.list.head; block != last; block = block->next) {
        before = block;
    }
    give(pool, last);
    chain->u.list.tail = before;
    if (before) {
        before->next = NULL;
    }
}
