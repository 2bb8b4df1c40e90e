/* SPDX-License-Identifier: ISC */
/* The rate limiter (see rate.h): each packet takes the line for length * 8 / rate, one after the other. */
#include "rate.h"
#include "wrap.h"

static void queue(struct wisp_rate *rate, struct wisp_pkt *pkt, wisp_time now)
{
    if (pkt->length > rate->queue_bytes - rate->queued) {
        rate->dropped++;
        wisp_pkt_drop(pkt);
        return;
    }
    wisp_time start = rate->free_at > now ? rate->free_at : now;
    uint32_t length = pkt->length;
    rate->free_at = start + (uint64_t)length * 8 * 1000000000u / rate->bits_per_second;
    if (wisp_held_add(&rate->held, pkt, rate->free_at)) {
        rate->queued += length;
    } else {
        rate->dropped++;
    }
}

static uint32_t receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now)
{
    struct wisp_rate *rate = (struct wisp_rate *)(void *)dev;
    struct wisp_pkt *fresh[32];
    uint32_t n;
    while ((n = rate->inner->ops->receive(rate->inner, fresh, 32, now)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            queue(rate, fresh[i], now);
        }
    }
    for (n = 0; n < max; n++) {
        pkts[n] = wisp_held_take(&rate->held, now);
        if (!pkts[n]) {
            break;
        }
        rate->queued -= pkts[n]->length;
    }
    wisp_wrap_refresh(dev, rate->inner);
    return n;
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_rate *rate = (struct wisp_rate *)(void *)dev;
    wisp_time inner = rate->inner->ops->deadline(rate->inner, now);
    return wisp_time_min(inner, wisp_held_deadline(&rate->held));
}

static struct wisp_netdev *inner_of(const struct wisp_netdev *dev)
{
    return ((const struct wisp_rate *)(const void *)dev)->inner;
}

WISP_WRAP_PASSING(inner_of)

static const struct wisp_netdev_ops rate_ops = {
    .receive = receive,
    .room = wrap_room,
    .transmit = wrap_transmit,
    .kick = wrap_kick,
    .completed = wrap_completed,
    .deadline = deadline,
    .counter = wrap_counter,
};

void wisp_rate_init(struct wisp_rate *rate, struct wisp_netdev *inner, uint64_t bits_per_second,
                    uint32_t queue_bytes)
{
    *rate = (struct wisp_rate){.inner = inner,
                               .bits_per_second = bits_per_second,
                               .queue_bytes = queue_bytes ? queue_bytes : 65536};
    rate->dev = *inner;
    rate->dev.ops = &rate_ops;
}

void wisp_rate_fini(struct wisp_rate *rate)
{
    wisp_held_clear(&rate->held);
}
