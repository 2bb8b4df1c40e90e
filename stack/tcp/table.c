/* SPDX-License-Identifier: ISC */
/* The table of four-tuples (see table.h). Linear probing; a slot's home is its tag modulo the size. */
#include "table.h"
#include "assert.h"

uint32_t wisp_tcp_table_slots(uint32_t entries)
{
    uint32_t slots = 16;
    while (slots - slots / 4 < entries) {
        slots *= 2;
    }
    return slots;
}

void wisp_tcp_table_init(struct tcp_table *table, struct tcp_slot *slot, uint32_t count)
{
    table->slot = slot;
    table->mask = count - 1;
    memset(slot, 0, count * sizeof(*slot));
}

uint64_t wisp_tcp_tuple_hash(wisp_hash_fn hash, const uint8_t key[WISP_HASH_KEY],
                             const struct tcp_tuple *tuple)
{
    uint8_t bytes[4 + 32];
    memcpy(bytes, &tuple->local_port, 2);
    memcpy(bytes + 2, &tuple->remote_port, 2);
    if (tuple->local->family == WISP_FAMILY_IP4) {
        memcpy(bytes + 4, tuple->local->u.ip4.octet, 4);
        memcpy(bytes + 8, tuple->remote->u.ip4.octet, 4);
        return hash(key, bytes, 12);
    }
    memcpy(bytes + 4, tuple->local->u.ip6.octet, 16);
    memcpy(bytes + 20, tuple->remote->u.ip6.octet, 16);
    return hash(key, bytes, 36);
}

struct tcp_slot *wisp_tcp_table_probe(const struct tcp_table *table, uint32_t tag, uint32_t *at)
{
    for (;; (*at)++) {
        struct tcp_slot *slot = &table->slot[*at & table->mask];
        if (slot->entry == 0) {
            return NULL;
        }
        if (slot->tag == tag) {
            (*at)++;
            return slot;
        }
    }
}

void wisp_tcp_table_add(struct tcp_table *table, uint32_t tag, uint32_t entry)
{
    uint32_t at = tag;
    while (table->slot[at & table->mask].entry != 0) {
        at++;
    }
    table->slot[at & table->mask] = (struct tcp_slot){tag, entry};
}

static uint32_t find(const struct tcp_table *table, uint32_t tag, uint32_t entry)
{
    uint32_t at = tag;
    while (table->slot[at & table->mask].entry != entry) {
        WISP_ASSERT(table->slot[at & table->mask].entry != 0);
        at++;
    }
    return at & table->mask;
}

void wisp_tcp_table_remove(struct tcp_table *table, uint32_t tag, uint32_t entry)
{
    uint32_t hole = find(table, tag, entry);
    for (uint32_t at = hole + 1;; at++) {
        struct tcp_slot *slot = &table->slot[at & table->mask];
        if (slot->entry == 0) {
            break;
        }
        /* It may move into the hole unless its home lies behind the hole. */
        if (((at - slot->tag) & table->mask) >= ((at - hole) & table->mask)) {
            table->slot[hole] = *slot;
            hole = at & table->mask;
        }
    }
    table->slot[hole] = (struct tcp_slot){0, 0};
}

void wisp_tcp_table_replace(struct tcp_table *table, uint32_t tag, uint32_t entry, uint32_t with)
{
    table->slot[find(table, tag, entry)].entry = with;
}
