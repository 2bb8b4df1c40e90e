/* SPDX-License-Identifier: ISC */
/*
 * See capture.h. What the stack reads of a device besides its functions (capabilities, link, announcement,
 * statistics) is taken over from the inner one whenever it has worked.
 */
#include "capture.h"
#include "wrap.h"

static struct wisp_capture *capture_of(struct wisp_netdev *dev)
{
    return (struct wisp_capture *)(void *)dev;
}

static void follow(struct wisp_capture *capture)
{
    const struct wisp_netdev *inner = capture->inner;
    if (capture->dev.caps.generation != inner->caps.generation) {
        capture->dev.caps = inner->caps;
    }
    capture->dev.link = inner->link;
    capture->dev.announce = inner->announce;
    capture->dev.stats = inner->stats;
}

static uint32_t receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now)
{
    struct wisp_capture *capture = capture_of(dev);
    uint32_t n = capture->inner->ops->receive(capture->inner, pkts, max, now);
    for (uint32_t i = 0; i < n; i++) {
        capture->show(capture->context, pkts[i], false, now);
    }
    follow(capture);
    return n;
}

static uint32_t room(struct wisp_netdev *dev)
{
    struct wisp_netdev *inner = capture_of(dev)->inner;
    return inner->ops->room(inner);
}

/* Shown before they are handed over: what a device has taken may be gone. room says how many it takes. */
static uint32_t transmit(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count,
                         wisp_time now)
{
    struct wisp_capture *capture = capture_of(dev);
    uint32_t space = capture->inner->ops->room(capture->inner);
    uint32_t n = count < space ? count : space;
    for (uint32_t i = 0; i < n; i++) {
        capture->show(capture->context, pkts[i], true, now);
    }
    n = capture->inner->ops->transmit(capture->inner, pkts, n, now);
    follow(capture);
    return n;
}

static void kick(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_capture *capture = capture_of(dev);
    capture->inner->ops->kick(capture->inner, now);
    follow(capture);
}

static uint32_t completed(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max)
{
    struct wisp_capture *capture = capture_of(dev);
    uint32_t n = capture->inner->ops->completed(capture->inner, pkts, max);
    follow(capture);
    return n;
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_netdev *inner = capture_of(dev)->inner;
    return inner->ops->deadline(inner, now);
}

static bool counter(const struct wisp_netdev *dev, uint32_t index, struct wisp_counter *of)
{
    return wisp_wrap_counter(((const struct wisp_capture *)(const void *)dev)->inner, index, of);
}

static const struct wisp_netdev_ops capture_ops = {
    .receive = receive,
    .room = room,
    .transmit = transmit,
    .kick = kick,
    .completed = completed,
    .deadline = deadline,
    .counter = counter,
};

struct wisp_netdev *wisp_capture_init(struct wisp_capture *capture, struct wisp_netdev *inner,
                                      wisp_capture_fn show, void *context)
{
    *capture =
        (struct wisp_capture){.dev = *inner, .inner = inner, .show = show, .context = context};
    capture->dev.ops = &capture_ops;
    return &capture->dev;
}
