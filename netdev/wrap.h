/* SPDX-License-Identifier: ISC */
/* What wrappers around a device have in common: sending and counters pass through, and the inner device's state shows. */
#ifndef WISP_NETDEV_WRAP_H
#define WISP_NETDEV_WRAP_H

#include <wisp/netdev.h>

/* Shows the inner device's caps, link and announcements on the wrapper. */
static inline void wisp_wrap_refresh(struct wisp_netdev *dev, const struct wisp_netdev *inner)
{
    dev->caps = inner->caps;
    dev->link = inner->link;
    dev->announce = inner->announce;
    dev->stats = inner->stats;
}

/* The inner driver's counters; none where it has none. */
static inline bool wisp_wrap_counter(const struct wisp_netdev *inner, uint32_t index,
                                     struct wisp_counter *counter)
{
    return inner->ops->counter && inner->ops->counter(inner, index, counter);
}

/* Defines wrap_room, wrap_transmit, wrap_kick, wrap_completed and wrap_counter, which hand on to INNER(dev). */
#define WISP_WRAP_PASSING(INNER)                                                                   \
    static uint32_t wrap_room(struct wisp_netdev *dev)                                             \
    {                                                                                              \
        return INNER(dev)->ops->room(INNER(dev));                                                  \
    }                                                                                              \
    static uint32_t wrap_transmit(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count, \
                                  wisp_time now)                                                   \
    {                                                                                              \
        return INNER(dev)->ops->transmit(INNER(dev), pkts, count, now);                            \
    }                                                                                              \
    static void wrap_kick(struct wisp_netdev *dev, wisp_time now)                                  \
    {                                                                                              \
        INNER(dev)->ops->kick(INNER(dev), now);                                                    \
    }                                                                                              \
    static uint32_t wrap_completed(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max)  \
    {                                                                                              \
        return INNER(dev)->ops->completed(INNER(dev), pkts, max);                                  \
    }                                                                                              \
    static bool wrap_counter(const struct wisp_netdev *dev, uint32_t index,                        \
                             struct wisp_counter *counter)                                         \
    {                                                                                              \
        return wisp_wrap_counter(INNER(dev), index, counter);                                      \
    }

#endif
