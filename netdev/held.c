/* SPDX-License-Identifier: ISC */
/* A binary heap over an array (see held.h). Parent of entry i is (i - 1) / 2. */
#include "held.h"

static bool before(const struct wisp_held_entry *a, const struct wisp_held_entry *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void swap(struct wisp_held *held, uint32_t i, uint32_t k)
{
    struct wisp_held_entry entry = held->entry[i];
    held->entry[i] = held->entry[k];
    held->entry[k] = entry;
}

bool wisp_held_add(struct wisp_held *held, struct wisp_pkt *pkt, wisp_time at)
{
    if (held->count == WISP_HELD_MAX) {
        wisp_pkt_drop(pkt);
        return false;
    }
    uint32_t i = held->count++;
    held->entry[i] = (struct wisp_held_entry){at, held->order++, pkt};
    while (i > 0 && before(&held->entry[i], &held->entry[(i - 1) / 2])) {
        swap(held, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    return true;
}

static void sink(struct wisp_held *held)
{
    uint32_t i = 0;
    for (;;) {
        uint32_t least = i;
        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < held->count && before(&held->entry[child], &held->entry[least])) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        swap(held, i, least);
        i = least;
    }
}

struct wisp_pkt *wisp_held_take(struct wisp_held *held, wisp_time now)
{
    if (held->count == 0 || held->entry[0].at > now) {
        return NULL;
    }
    struct wisp_pkt *pkt = held->entry[0].pkt;
    held->entry[0] = held->entry[--held->count];
    sink(held);
    return pkt;
}

wisp_time wisp_held_deadline(const struct wisp_held *held)
{
    return held->count ? held->entry[0].at : WISP_NEVER;
}

void wisp_held_clear(struct wisp_held *held)
{
    while (held->count > 0) {
        wisp_pkt_drop(held->entry[--held->count].pkt);
    }
}
