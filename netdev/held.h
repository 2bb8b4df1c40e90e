/* SPDX-License-Identifier: ISC */
/* Packets held back until a time: a heap by time, and by order of arrival for equal times. */
#ifndef WISP_NETDEV_HELD_H
#define WISP_NETDEV_HELD_H

#include <wisp/clock.h>
#include <wisp/pkt.h>

#define WISP_HELD_MAX 1024u

struct wisp_held_entry {
    wisp_time at;
    uint64_t order;
    struct wisp_pkt *pkt;
};

struct wisp_held {
    struct wisp_held_entry entry[WISP_HELD_MAX];
    uint32_t count;
    uint64_t order;
};

/* Moves pkt in; when full it is dropped and false returned. */
bool wisp_held_add(struct wisp_held *held, struct wisp_pkt *pkt, wisp_time at);

/* The first packet whose time has come, or null. */
struct wisp_pkt *wisp_held_take(struct wisp_held *held, wisp_time now);

/* When the first one is due; WISP_NEVER: none is held. */
wisp_time wisp_held_deadline(const struct wisp_held *held);

/* Drops all. */
void wisp_held_clear(struct wisp_held *held);

#endif
