/* SPDX-License-Identifier: ISC */
/*
 * A netback in memory: one vif of the guest of a struct wisp_memxen, behaving as Linux's does (docs name the
 * rules), on the world's side of which frames go in and out by function calls.
 *
 * wisp_netback_poll does everything that is due: xenbus, TX ring, RX ring, timeouts. Where the rings are to
 * run on a thread of their own, that thread calls wisp_netback_work and nobody else touches the netback but
 * between wisp_netback_bus calls made while that thread stands still.
 */
#ifndef WISP_NETBACK_H
#define WISP_NETBACK_H

#include "frame.h"
#include "memxen.h"
#include <wisp/addr.h>

struct wisp_netback;

enum wisp_netback_feature {
    WISP_NETBACK_SG = 1,
    WISP_NETBACK_GSO4 = 2,
    WISP_NETBACK_SPLIT_EVENTS = 4,
    WISP_NETBACK_MULTICAST = 8, /* multicast control, also after connecting */
    WISP_NETBACK_ALL = 15
};

struct wisp_netback_config {
    uint16_t vif; /* device/vif/N */
    struct wisp_mac mac;
    uint16_t mtu;        /* 0: the key is not there */
    uint32_t features;   /* enum wisp_netback_feature */
    uint32_t max_queues; /* multi-queue-max-queues; 0: the key is not there; at most 8 */
    bool untrusted;      /* the toolstack writes trusted=0 */
    bool late_hotplug;   /* stays short of Connected until wisp_netback_hotplug */
    /* fills RX slots with at most that many bytes as long as 18 slots suffice; 0: full */
    uint16_t slot_bytes;
    wisp_time hold;        /* keeps mapped TX pages that long after taking a packet */
    uint32_t credit_bytes; /* rate: that many bytes per credit_time; 0: unlimited */
    wisp_time credit_time;
    /* A frame the guest sent; frame and pieces are borrowed for the call. */
    void (*frame)(void *context, const struct wisp_frame *frame, wisp_time now);
    void *context;
};

struct wisp_netback_stats {
    uint64_t tx_packets, tx_bytes, tx_slots; /* from the guest */
    uint64_t tx_errors;                      /* answered with an error */
    uint64_t tx_gso, tx_blank;               /* of these, to be cut; with a blank checksum */
    /* to be cut, without a blank checksum: slow on Linux */
    uint64_t tx_gso_fixup;
    uint64_t tx_extras;
    uint64_t rx_packets, rx_bytes, rx_slots; /* to the guest */
    uint64_t rx_dropped;                     /* no slots in time, too large, not connected */
    uint64_t rx_segmented;                   /* cut in software for a guest without GSO */
    uint64_t connects, fatal;
    uint64_t credit_waits;
};

/* Makes the toolstack's and the backend's nodes and starts as InitWait. Null: no memory. */
struct wisp_netback *wisp_netback_open(struct wisp_memxen *xen,
                                       const struct wisp_netback_config *config);

/* Lets go of everything and removes its nodes. */
void wisp_netback_close(struct wisp_netback *nb);

void wisp_netback_poll(struct wisp_netback *nb, wisp_time now);
void wisp_netback_bus(struct wisp_netback *nb, wisp_time now);
void wisp_netback_work(struct wisp_netback *nb, wisp_time now);

/* When poll must be called though nobody does anything; WISP_NEVER: not. */
wisp_time wisp_netback_deadline(const struct wisp_netback *nb, wisp_time now);

/*
 * Gives a frame to the guest; published and notified by the next poll. Copied if it has to wait for slots.
 * False: dropped and counted.
 */
bool wisp_netback_send(struct wisp_netback *nb, const struct wisp_frame *frame, wisp_time now);

/* How many frames of length bytes could be given without waiting. */
uint32_t wisp_netback_room(struct wisp_netback *nb, uint32_t length);

/* Frames that wait for slots. */
uint32_t wisp_netback_waiting(const struct wisp_netback *nb);

/* xenbus state 4 on both ends, rings served. */
bool wisp_netback_connected(const struct wisp_netback *nb);

/* The state the backend shows: enum xenbus_state. */
int wisp_netback_state(const struct wisp_netback *nb);

/* Why the vif was disabled, or null. It stays so until the frontend reconnects. */
const char *wisp_netback_fatal(const struct wisp_netback *nb);

void wisp_netback_stats(const struct wisp_netback *nb, struct wisp_netback_stats *stats);

/* What the connected frontend asked for: queues, and enum wisp_netback_feature as far as it receives them. */
uint32_t wisp_netback_queues(const struct wisp_netback *nb);
uint32_t wisp_netback_frontend(const struct wisp_netback *nb);

/* ---- what toolstacks and administrators do ---- */

void wisp_netback_hotplug(struct wisp_netback *nb);
void wisp_netback_set_carrier(struct wisp_netback *nb, bool up);

/* From now on keeps mapped TX pages that long; WISP_NEVER: until told otherwise. */
void wisp_netback_set_hold(struct wisp_netback *nb, wisp_time hold);

/* The device is taken away: Closing, then Closed when the frontend is; online says if it shall come back. */
void wisp_netback_unplug(struct wisp_netback *nb, bool online);

/* The backend dies without a word: mappings and ports end, no response is written any more. */
void wisp_netback_vanish(struct wisp_netback *nb);

/* A new backend instance: nodes as after open, InitWait. What was held is let go of before. */
void wisp_netback_restart(struct wisp_netback *nb);

/*
 * Moves the indices of all rings on by `by`, a multiple of a ring's 256 slots: the shared ones and the backend's own,
 * as if so many slots had passed. The frontend's own must be moved likewise, before either end does anything. For
 * tests of what happens where they wrap.
 */
void wisp_netback_turn(struct wisp_netback *nb, uint32_t by);

/* Suspend and resume, or migration to another host: vanish, wisp_memxen_resume, and a new backend; the
 * toolstack makes the frontend's directory anew. */
void wisp_netback_migrate(struct wisp_netback *nb);

#endif
