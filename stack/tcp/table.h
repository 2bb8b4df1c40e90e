/* SPDX-License-Identifier: ISC */
/*
 * The table that finds who a segment is for: open addressing over {tag, entry}, where the tag is 32 bits of a
 * keyed hash of the four-tuple, so that a peer cannot aim at one bucket. Connections, half-open and TIME-WAIT
 * entries share it. At most three quarters of the slots are used; deletion moves later slots back, so there are
 * no tombstones and searches stay short for ever.
 */
#ifndef WISP_TCP_TABLE_H
#define WISP_TCP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wisp/addr.h>
#include <wisp/hash.h>

/* A segment's two ends. */
struct tcp_tuple {
    const struct wisp_addr *local, *remote;
    uint16_t local_port, remote_port;
};

enum tcp_kind { TCP_KIND_NONE, TCP_KIND_CONN, TCP_KIND_HALF, TCP_KIND_WAIT };

/* A slot's value: kind in the two highest bits, index below. 0: free. */
#define TCP_ENTRY_BITS 30u
#define TCP_ENTRY_MASK ((1u << TCP_ENTRY_BITS) - 1)

struct tcp_slot {
    uint32_t tag;
    uint32_t entry;
};

struct tcp_table {
    struct tcp_slot *slot;
    uint32_t mask;
};

static inline uint32_t tcp_entry(enum tcp_kind kind, uint32_t index)
{
    return (uint32_t)kind << TCP_ENTRY_BITS | index;
}

static inline enum tcp_kind tcp_entry_kind(uint32_t entry)
{
    return (enum tcp_kind)(entry >> TCP_ENTRY_BITS);
}

static inline uint32_t tcp_entry_index(uint32_t entry)
{
    return entry & TCP_ENTRY_MASK;
}

static inline bool tcp_addr_same(const struct wisp_addr *a, const struct wisp_addr *b)
{
    if (a->family != b->family) {
        return false;
    }
    return a->family == WISP_FAMILY_IP4 ? memcmp(a->u.ip4.octet, b->u.ip4.octet, 4) == 0
                                        : memcmp(a->u.ip6.octet, b->u.ip6.octet, 16) == 0;
}

/* Slots for that many entries, a power of two. */
uint32_t wisp_tcp_table_slots(uint32_t entries);

/* slot: zeroed, count a power of two. */
void wisp_tcp_table_init(struct tcp_table *table, struct tcp_slot *slot, uint32_t count);

/* The keyed hash of a tuple: the low half is the tag, the high half serves timestamps' offsets. */
uint64_t wisp_tcp_tuple_hash(wisp_hash_fn hash, const uint8_t key[WISP_HASH_KEY],
                             const struct tcp_tuple *tuple);

/* The first slot at or behind *at (start with the tag) whose tag fits; null: no more. *at moves behind it. */
struct tcp_slot *wisp_tcp_table_probe(const struct tcp_table *table, uint32_t tag, uint32_t *at);

void wisp_tcp_table_add(struct tcp_table *table, uint32_t tag, uint32_t entry);

/* The entry must be there. */
void wisp_tcp_table_remove(struct tcp_table *table, uint32_t tag, uint32_t entry);

/* Puts another entry in an existing one's place. */
void wisp_tcp_table_replace(struct tcp_table *table, uint32_t tag, uint32_t entry, uint32_t with);

#endif
