/* SPDX-License-Identifier: ISC */
/*
 * A small table searched from end to end: a few dozen entries cost less than the packet a hit saves. A name
 * stands in it once per type; a new answer replaces the old one.
 */
#include "cache.h"
#include <string.h>

static bool is_about(const struct dns_entry *entry, const uint8_t *name, uint16_t type)
{
    return entry->until != 0 && entry->type == type && wisp_name_equal(entry->name, name);
}

const struct dns_entry *dns_cache_find(const struct dns_cache *cache, const uint8_t *name,
                                       uint16_t type, wisp_time now)
{
    for (uint32_t i = 0; i < cache->entries; i++) {
        const struct dns_entry *entry = &cache->entry[i];
        if (entry->until > now && is_about(entry, name, type)) {
            return entry;
        }
    }
    return NULL;
}

static struct dns_entry *place_for(struct dns_cache *cache, const uint8_t *name, uint16_t type)
{
    struct dns_entry *place = NULL;
    for (uint32_t i = 0; i < cache->entries; i++) {
        struct dns_entry *entry = &cache->entry[i];
        if (is_about(entry, name, type)) {
            return entry;
        }
        if (!place || entry->until < place->until) {
            place = entry;
        }
    }
    return place;
}

void dns_cache_add(struct dns_cache *cache, const struct dns_question *question,
                   enum wisp_dns_status status, const struct dns_response *response,
                   wisp_time until)
{
    struct dns_entry *entry = place_for(cache, question->name, question->type);
    if (!entry) {
        return;
    }
    entry->until = until;
    entry->status = (uint8_t)status;
    entry->type = question->type;
    entry->addresses = (uint8_t)response->addresses;
    memcpy(entry->address, response->address, sizeof(entry->address));
    memcpy(entry->name, question->name, sizeof(entry->name));
    memcpy(entry->target, response->name, sizeof(entry->target));
}

void dns_cache_clear(struct dns_cache *cache)
{
    memset(cache->entry, 0, cache->entries * sizeof(cache->entry[0]));
}
