/* SPDX-License-Identifier: ISC */
/* What both ends agree on: the backend's xenstore entries against our offers, and ours written
 * down. */
#ifndef WISP_NETFRONT_OFFERS_H
#define WISP_NETFRONT_OFFERS_H

#include "keys.h"
#include <wisp/addr.h>

struct features {
    bool sg_tx, sg_rx;   /* frames of several slots */
    bool gso_tx, gso_rx; /* TCPv4 */
    bool csum_tx, csum_rx;
    bool rx_notify;
    bool split;
    bool multicast;
    uint8_t queues;    /* 1 .. what was asked for */
    bool keyed_queues; /* the backend knows multi-queue-num-queues */
};

/* What the toolstack and the backend say about the device itself. */
struct identity {
    struct wisp_mac mac;
    uint16_t mtu;
    bool trusted;
};

/* Reads the backend's offers. *bad counts values that were no numbers; each counts as absent. */
void features_parse(struct features *features, const struct keys *back, uint32_t offers,
                    uint8_t queues, uint32_t *bad);

/* Writes ours. First result that is not OK, or OK. */
enum wisp_xs_result features_emit(const struct features *features, const struct keys *front);

/* Reads MAC, MTU and trust. False: no usable MAC at either end. */
bool identity_parse(struct identity *identity, const struct keys *front, const struct keys *back,
                    uint32_t *bad);

#endif
