/* SPDX-License-Identifier: ISC */
/*
 * The fault injector (see impair.h). Sending passes through; what is received is judged once, then held until it
 * is due. A corrupted or truncated packet keeps its checksum state only if the device had not vouched for it: a
 * fault between device and stack would otherwise be one that no real network can make, so the state becomes
 * "unknown" and a blank checksum is completed first.
 */
#include "impair.h"
#include "sum.h"
#include "wrap.h"

static uint32_t below(struct wisp_impair *impair, uint32_t bound)
{
    /* splitmix64: small, and the same everywhere */
    uint64_t z = impair->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (uint32_t)(((z >> 32) * bound) >> 32);
}

static bool happens(struct wisp_impair *impair, uint32_t chance)
{
    return chance > 0 && below(impair, 1000000) < chance;
}

static void hold(struct wisp_impair *impair, struct wisp_pkt *pkt, wisp_time at)
{
    if (!wisp_held_add(&impair->held, pkt, at)) {
        impair->stats.overflowed++;
    }
}

static void complete(struct wisp_pkt *pkt)
{
    if (pkt->gso == WISP_GSO_NONE) {
        wisp_pkt_fill_csum(pkt, wisp_sum_portable);
    }
    pkt->csum = WISP_CSUM_UNKNOWN;
}

static void flip_bit(struct wisp_impair *impair, struct wisp_pkt *pkt)
{
    uint32_t at = below(impair, pkt->length);
    uint8_t bit = (uint8_t)(1u << below(impair, 8));
    for (uint32_t i = 0; i < pkt->views; i++) {
        if (at < pkt->view[i].length) {
            wisp_view_bytes(&pkt->view[i])[at] ^= bit;
            return;
        }
        at -= pkt->view[i].length;
    }
}

/* A second packet over the same pages, or null. */
static struct wisp_pkt *copy_of(const struct wisp_pkt *pkt)
{
    struct wisp_pkt *copy = wisp_pkt_alloc(pkt->pool);
    if (!copy) {
        return NULL;
    }
    for (uint32_t i = 0; i < pkt->views; i++) {
        wisp_page_ref(pkt->view[i].page);
        copy->view[i] = pkt->view[i];
    }
    copy->views = pkt->views;
    copy->length = pkt->length;
    copy->csum = pkt->csum;
    copy->csum_start = pkt->csum_start;
    copy->csum_offset = pkt->csum_offset;
    copy->gso = pkt->gso;
    copy->gso_size = pkt->gso_size;
    return copy;
}

static wisp_time due(struct wisp_impair *impair, wisp_time now)
{
    const struct wisp_impair_config *c = &impair->config;
    wisp_time at = now + c->delay;
    if (c->jitter > 0) {
        at += (c->jitter >> 16) * below(impair, 65536);
    }
    if (at < impair->last_due) {
        at = impair->last_due;
    }
    impair->last_due = at;
    if (happens(impair, c->reorder)) {
        impair->stats.reordered++;
        at += c->reorder_by ? c->reorder_by : WISP_MS(1);
    }
    return at;
}

static void judge(struct wisp_impair *impair, struct wisp_pkt *pkt, wisp_time now)
{
    const struct wisp_impair_config *c = &impair->config;
    if (happens(impair, c->loss)) {
        impair->stats.lost++;
        wisp_pkt_drop(pkt);
        return;
    }
    if (happens(impair, c->corrupt)) {
        impair->stats.corrupted++;
        complete(pkt);
        flip_bit(impair, pkt);
    }
    if (happens(impair, c->truncate) && pkt->length > 1) {
        impair->stats.truncated++;
        complete(pkt);
        wisp_pkt_trim(pkt, 1 + below(impair, pkt->length - 1));
    }
    if (happens(impair, c->duplicate)) {
        struct wisp_pkt *copy = copy_of(pkt);
        if (copy) {
            impair->stats.duplicated++;
            hold(impair, copy, due(impair, now));
        }
    }
    impair->stats.passed++;
    hold(impair, pkt, due(impair, now));
}

static uint32_t receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now)
{
    struct wisp_impair *impair = (struct wisp_impair *)(void *)dev;
    struct wisp_pkt *fresh[32];
    uint32_t n;
    while ((n = impair->inner->ops->receive(impair->inner, fresh, 32, now)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            judge(impair, fresh[i], now);
        }
    }
    for (n = 0; n < max; n++) {
        pkts[n] = wisp_held_take(&impair->held, now);
        if (!pkts[n]) {
            break;
        }
    }
    wisp_wrap_refresh(dev, impair->inner);
    return n;
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_impair *impair = (struct wisp_impair *)(void *)dev;
    wisp_time inner = impair->inner->ops->deadline(impair->inner, now);
    return wisp_time_min(inner, wisp_held_deadline(&impair->held));
}

static struct wisp_netdev *inner_of(const struct wisp_netdev *dev)
{
    return ((const struct wisp_impair *)(const void *)dev)->inner;
}

WISP_WRAP_PASSING(inner_of)

static const struct wisp_netdev_ops impair_ops = {
    .receive = receive,
    .room = wrap_room,
    .transmit = wrap_transmit,
    .kick = wrap_kick,
    .completed = wrap_completed,
    .deadline = deadline,
    .counter = wrap_counter,
};

void wisp_impair_init(struct wisp_impair *impair, struct wisp_netdev *inner,
                      const struct wisp_impair_config *config)
{
    *impair = (struct wisp_impair){.inner = inner, .config = *config, .random = config->seed};
    impair->dev = *inner;
    impair->dev.ops = &impair_ops;
}

void wisp_impair_fini(struct wisp_impair *impair)
{
    wisp_held_clear(&impair->held);
}
