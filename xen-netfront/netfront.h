/* SPDX-License-Identifier: ISC */
/*
 * xen-netfront as a network device. It connects by itself: receive() of struct wisp_netdev (or
 * wisp_netfront_step before there is a stack) moves the handshake on, `link` says when packets go
 * through, and a backend that restarts, a suspend or a migration only makes `link` false for a
 * while.
 *
 * One device belongs to one thread at a time, its stack's; none of these functions calls back.
 *
 *     front = wisp_netfront_init(mem, wisp_netfront_size(&config), &config);
 *     while (!wisp_netfront_dev(front)->link) { wisp_netfront_step(front, now); wait; }
 */
#ifndef WISP_XEN_NETFRONT_H
#define WISP_XEN_NETFRONT_H

#include "hypervisor.h"
#include <wisp/counter.h>
#include <wisp/netdev.h>

#define WISP_NETFRONT_QUEUES 8u /* most that one device serves */

/* May pages the backend can still change reach the application (persistent grants), may it see the rest of a page
 * that it is sent a part of (XSA-403), and is its word on checksums taken? Strict grants need no trust for the first;
 * what trust would allow and is not there is copied, and counted. */
enum wisp_trust {
    WISP_TRUST_XENSTORE, /* unless the toolstack wrote trusted = "0" */
    WISP_TRUST_YES,
    WISP_TRUST_NO
};

/* Offers, each used when the backend offers it too. */
enum wisp_netfront_offer {
    WISP_OFFER_SG = 1,      /* frames of several slots, both ways */
    WISP_OFFER_GSO = 2,     /* TCPv4 segments up to 64 KiB, both ways; needs SG and CSUM */
    WISP_OFFER_CSUM_TX = 4, /* blank checksums to the backend */
    WISP_OFFER_CSUM_RX = 8, /* blank checksums from the backend */
    WISP_OFFER_RX_NOTIFY =
        16, /* feature-rx-notify; without it Linux drains a full queue after 30 ms */
    WISP_OFFER_SPLIT_EVENTS = 32, /* a port for each direction */
    WISP_OFFER_MULTICAST = 64,    /* the backend filters multicast by wisp_netfront_multicast */
    WISP_OFFER_ALL = 127
};

struct wisp_netfront_config {
    struct wisp_hypervisor *hv;
    const char *path; /* our xenstore directory, "device/vif/0"; lives as long as the device */
    uint32_t token;   /* for xenstore watches: this and the next number */
    struct wisp_pool *pages;  /* received frames, and headers of sent ones */
    struct wisp_pool *shared; /* where pages are born shared and `pages` are not: what the rings,
                               * the headers and an untrusted backend's copies use; null: `pages` */
    uint32_t offers;          /* set of enum wisp_netfront_offer */
    uint8_t trust;            /* enum wisp_trust */
    uint8_t queues;           /* most queues, 1 .. WISP_NETFRONT_QUEUES */
    uint16_t rx_slots;        /* pages posted per queue, 32 .. 256; 0: what suits the pool */
    uint16_t tx_packets;      /* packets of the device's tx_pool */
    uint16_t rx_packets;      /* received packets that may exist at once */
};

/* All offers but MULTICAST, one queue, trust as xenstore says, a quarter of the pages, 512 packets
 * each way; hv, path and pages stay for the caller. */
void wisp_netfront_config_default(struct wisp_netfront_config *config);

struct wisp_netfront;

/* Bytes of memory that wisp_netfront_init needs for config, which it reads and does not keep. Pure: no errors. */
size_t wisp_netfront_size(const struct wisp_netfront_config *config);

/* Makes the device in mem (64-aligned, wisp_netfront_size bytes). Null when mem or pages do not
 * suffice. */
struct wisp_netfront *wisp_netfront_init(void *mem, size_t size,
                                         const struct wisp_netfront_config *config);

/*
 * Leaves the backend, for good: step on until the state is CLOSED (five seconds at most, if the
 * backend does not answer), then grants end without a page lost.
 */
void wisp_netfront_close(struct wisp_netfront *front, wisp_time now);

/* Gives every page back and ends what is not closed yet as far as one call can (state Closed,
 * grants ended or their pages quarantined); stack first. Packets completed and not collected are
 * dropped. */
void wisp_netfront_fini(struct wisp_netfront *front);

/* The device to give to a stack, valid until wisp_netfront_fini; not the caller's to free. */
struct wisp_netdev *wisp_netfront_dev(struct wisp_netfront *front);

/* Moves the handshake on without receiving, and returns when to call again though nothing arrives.
 */
wisp_time wisp_netfront_step(struct wisp_netfront *front, wisp_time now);

/* Where the connection stands. */
enum wisp_netfront_state {
    WISP_NETFRONT_WAITING,   /* for xenstore entries, or for the backend to be ready (InitWait) */
    WISP_NETFRONT_OFFERED,   /* rings are offered: the backend connects */
    WISP_NETFRONT_CONNECTED, /* packets go through as long as the carrier is there */
    WISP_NETFRONT_CLOSING,   /* quiet until the backend has let go */
    WISP_NETFRONT_BROKEN,    /* the backend broke the protocol; it must start over first */
    WISP_NETFRONT_CLOSED     /* after wisp_netfront_close: every grant has ended */
};

/* Now; any function here may change it. */
enum wisp_netfront_state wisp_netfront_state(const struct wisp_netfront *front);

/* One line for people: why it stands there, never null ("device/vif/0: no backend-id in xenstore").
 */
const char *wisp_netfront_reason(const struct wisp_netfront *front);

/* Queues in use, 0 while not connected; whether the backend is trusted. */
uint32_t wisp_netfront_queues(const struct wisp_netfront *front);
bool wisp_netfront_trusted(const struct wisp_netfront *front);

/* With WISP_OFFER_MULTICAST (a backend that takes it sends no multicast but what was asked for):
 * asks the backend for frames to the multicast address group, or no more. Kept over reconnects.
 * False: more than 16, or the backend does not filter (then all frames come anyway). */
bool wisp_netfront_multicast(struct wisp_netfront *front, struct wisp_mac group, bool join);

/* Counter number index ("netfront.rx.bad_id"), or false beyond the last. */
bool wisp_netfront_counter(const struct wisp_netfront *front, uint32_t index,
                           struct wisp_counter *counter);

/* The value of the counter called name; 0 for an unknown name (asserted in test builds). */
uint64_t wisp_netfront_count(const struct wisp_netfront *front, const char *name);

#endif
