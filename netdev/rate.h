/* SPDX-License-Identifier: ISC */
/* A wrapper that lets received packets through at a rate, from a queue that drops its newest when full. */
#ifndef WISP_NETDEV_RATE_H
#define WISP_NETDEV_RATE_H

#include "held.h"
#include <wisp/netdev.h>

struct wisp_rate {
    struct wisp_netdev dev; /* first: the device to give to a stack */
    struct wisp_netdev *inner;
    uint64_t bits_per_second;
    uint32_t queue_bytes; /* of packets not yet let through */
    uint32_t queued;
    wisp_time free_at; /* when the line is free again */
    uint64_t dropped;
    struct wisp_held held;
};

/* bits_per_second > 0; queue_bytes: 0 for 64 KiB. */
void wisp_rate_init(struct wisp_rate *rate, struct wisp_netdev *inner, uint64_t bits_per_second,
                    uint32_t queue_bytes);

/* Drops what is queued. */
void wisp_rate_fini(struct wisp_rate *rate);

#endif
