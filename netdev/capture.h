/* SPDX-License-Identifier: ISC */
/*
 * A wrapper that shows every frame of a device to somebody, a pcap file for example, and changes nothing.
 * Frames going out are shown when the device takes them, so with blank checksums and before segmentation.
 */
#ifndef WISP_NETDEV_CAPTURE_H
#define WISP_NETDEV_CAPTURE_H

#include <stdbool.h>
#include <wisp/netdev.h>

/* Is shown pkt, borrowed for the call, at now; sent: it goes out. */
typedef void (*wisp_capture_fn)(void *context, const struct wisp_pkt *pkt, bool sent,
                                wisp_time now);

struct wisp_capture {
    struct wisp_netdev dev; /* first: the device to give to a stack */
    struct wisp_netdev *inner;
    wisp_capture_fn show;
    void *context;
};

/* Wraps inner, which nobody else uses from now on. Returns &capture->dev. */
struct wisp_netdev *wisp_capture_init(struct wisp_capture *capture, struct wisp_netdev *inner,
                                      wisp_capture_fn show, void *context);

#endif
