/* SPDX-License-Identifier: ISC */
/*
 * The seam between the stack and a device: xen-netfront, a tap, a link in memory, or a wrapper around
 * another device (pcap writer, fault injector, rate limiter).
 *
 * A device is a struct that starts with struct wisp_netdev. It owns the packet pools; packets go up by
 * receive(), down by transmit(), and come back by completed() once the device let go of every page in them.
 * The stack looks at caps, link and announce once per step, so a device may change them at run time.
 *
 * One thread at a time uses a device. None of the functions calls back.
 */
#ifndef WISP_NETDEV_H
#define WISP_NETDEV_H

#include <wisp/addr.h>
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Protocols for which a device works on checksums. */
enum wisp_offload { WISP_OFFLOAD_TCP4 = 1, WISP_OFFLOAD_UDP4 = 2 };

struct wisp_netdev_caps {
    struct wisp_mac mac;
    uint16_t mtu;        /* largest IP packet, Ethernet header not counted; 68..65535 */
    uint8_t csum_tx;     /* set of enum wisp_offload: completes a blank checksum */
    uint8_t csum_rx;     /* set of enum wisp_offload: may deliver verified or blank ones */
    uint32_t gso_tx;     /* largest IP packet with WISP_GSO_TCP4 it takes; 0: none */
    uint32_t gso_rx;     /* largest IP packet it may deliver merged; 0: none above the MTU */
    uint16_t views_tx;   /* payload views it takes in one packet, 1 .. WISP_PKT_VIEWS - 1 */
    uint16_t headroom;   /* bytes it wants before the Ethernet header, at most 16 */
    uint32_t generation; /* grows whenever another field changes */
};

struct wisp_netdev_stats {
    uint64_t rx_packets, rx_bytes;
    uint64_t tx_packets, tx_bytes;
    uint64_t rx_dropped;   /* arrived and could not be delivered (no page, no packet, malformed) */
    uint64_t tx_dropped;   /* taken and not sent */
    uint64_t kicks;        /* notifications to the other side; a tap sends none */
    uint64_t bytes_copied; /* payload bytes this driver copied because it had to */
    uint64_t grants;       /* pages shown to the other side, each time one is */
    uint64_t grants_ended; /* and taken back; devices without grants have neither */
};

struct wisp_netdev;

struct wisp_netdev_ops {
    /* Up to max received packets into pkts, which the caller then owns; returns how many. A frame starts
     * at its Ethernet header; WISP_PKT_BROADCAST is not set yet. */
    uint32_t (*receive)(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now);

    /* How many packets of any allowed shape transmit would take now. Asked before packets are built. */
    uint32_t (*room)(struct wisp_netdev *dev);

    /* Takes the first packets of pkts and returns how many it took; these belong to the device until
     * completed() returns them. Nothing need leave before kick(). */
    uint32_t (*transmit)(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count,
                         wisp_time now);

    /* Tells the other side of what was transmitted: once per step. */
    void (*kick)(struct wisp_netdev *dev, wisp_time now);

    /* Up to max packets the device has let go of, for the caller to drop; returns how many. */
    uint32_t (*completed)(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max);

    /* When the device wants to be polled though nothing arrives; now or earlier: at once. */
    wisp_time (*deadline)(struct wisp_netdev *dev, wisp_time now);

    /* Number index of what the driver counts beside stats; false beyond the last. Null: none. */
    bool (*counter)(const struct wisp_netdev *dev, uint32_t index, struct wisp_counter *counter);
};

struct wisp_netdev {
    const struct wisp_netdev_ops *ops;
    struct wisp_netdev_caps caps;
    struct wisp_pktpool *tx_pool; /* packets with header cells, to be sent on this device only */
    struct wisp_pool *pages;      /* where its receive pages come from */
    bool link;                    /* carrier: false keeps packets waiting, nothing is lost above */
    uint32_t announce;            /* grows when neighbours must be told anew (resume, reconnect) */
    struct wisp_netdev_stats stats;
};

#ifdef __cplusplus
}
#endif
#endif
