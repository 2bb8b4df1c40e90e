/* SPDX-License-Identifier: ISC */
/*
 * A wrapper that does to received packets what bad networks do: loss, duplication, reordering, corruption, delay.
 * Wrap each end of a link to impair both directions. The same seed and input give the same faults.
 */
#ifndef WISP_NETDEV_IMPAIR_H
#define WISP_NETDEV_IMPAIR_H

#include "held.h"
#include <wisp/netdev.h>

/* Chances are in millionths. */
struct wisp_impair_config {
    uint32_t loss;
    uint32_t duplicate;
    uint32_t reorder;     /* such packets come reorder_by later than the others */
    wisp_time reorder_by; /* default 1 ms */
    uint32_t corrupt;     /* one bit flipped */
    uint32_t truncate;    /* cut at a random length */
    wisp_time delay;
    wisp_time jitter; /* up to that much more; keeps the order unless reorder says otherwise */
    uint64_t seed;
};

struct wisp_impair_stats {
    uint64_t passed, lost, duplicated, reordered, corrupted, truncated;
    uint64_t overflowed; /* more than could be held */
};

struct wisp_impair {
    struct wisp_netdev dev; /* first: the device to give to a stack */
    struct wisp_netdev *inner;
    struct wisp_impair_config config; /* may be changed between steps */
    struct wisp_impair_stats stats;
    struct wisp_held held;
    wisp_time last_due;
    uint64_t random;
};

/* Wraps inner, which lives longer. */
void wisp_impair_init(struct wisp_impair *impair, struct wisp_netdev *inner,
                      const struct wisp_impair_config *config);

/* Drops what is held. */
void wisp_impair_fini(struct wisp_impair *impair);

#endif
