/* SPDX-License-Identifier: ISC */
/*
 * The pool of working parts. The one given back last is given out first: it is warm. But a connection that receives
 * gets the one at its own place, if it is free: where segments come from many connections, that part is asked for
 * together with the connection, and not after it.
 */
#include "assert.h"
#include "tcp_priv.h"

static void put(struct tcp_parts *pool, struct tcp_part *part)
{
    part->holder = TCP_PART_FREE;
    part->u.free.before = NULL;
    part->u.free.next = pool->free;
    if (pool->free) {
        pool->free->u.free.before = part;
    }
    pool->free = part;
}

static void take_out(struct tcp_parts *pool, struct tcp_part *part, enum tcp_part_holder holder)
{
    struct tcp_part *before = part->u.free.before;
    struct tcp_part *next = part->u.free.next;
    if (before) {
        before->u.free.next = next;
    } else {
        pool->free = next;
    }
    if (next) {
        next->u.free.before = before;
    }
    part->holder = (uint8_t)holder;
}

void wisp_tcp_parts_init(struct tcp_parts *pool, struct tcp_part *part, uint8_t *at_place,
                         uint32_t count)
{
    *pool = (struct tcp_parts){.part = part, .at_place = at_place, .count = count};
    for (uint32_t i = count; i-- > 0;) {
        wisp_tcp_part_init(&part[i]);
        at_place[i] = false;
        put(pool, &part[i]);
    }
}

struct tcp_part *wisp_tcp_parts_take(struct tcp_parts *pool)
{
    struct tcp_part *part = pool->free;
    if (part) {
        take_out(pool, part, TCP_PART_OF_ANY);
    }
    return part;
}

struct tcp_part *wisp_tcp_parts_take_at(struct tcp_parts *pool, uint32_t place)
{
    struct tcp_part *part = place < pool->count ? &pool->part[place] : NULL;
    if (!part || part->holder != TCP_PART_FREE) {
        return wisp_tcp_parts_take(pool);
    }
    take_out(pool, part, TCP_PART_AT_PLACE);
    pool->at_place[place] = true;
    return part;
}

void wisp_tcp_parts_give(struct tcp_parts *pool, struct tcp_part *part)
{
    WISP_ASSERT(part->holder != TCP_PART_FREE);
    if (part->holder == TCP_PART_AT_PLACE) {
        pool->at_place[part - pool->part] = false;
    }
    put(pool, part);
}
