/* SPDX-License-Identifier: ISC */
/* Getting hold of a tap: what happens once, before frames flow. Private to tap/. */
#ifndef WISP_TAP_ATTACH_H
#define WISP_TAP_ATTACH_H

#include "tap.h"

/* Size of the header in front of every frame (virtio 1.2, 5.1.6, without mergeable buffers). */
#define TAP_HEADER 10

struct tap_attached {
    int fd;
    bool created; /* it was not there before */
    uint16_t mtu;
};

/* Attaches to config->name, creating it if need be, and sets it up. False: why says so in one line. */
bool tap_attach(const struct wisp_tap_config *config, struct tap_attached *tap, char *why,
                size_t why_size);

#endif
