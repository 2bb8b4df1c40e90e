/* SPDX-License-Identifier: ISC */
/*
 * Ethernet II framing on one device (RFC 894): filters what arrives, frames what leaves, and holds
 * the batch of packets that go to the device together at the end of a step.
 */
#ifndef WISP_ETHIF_H
#define WISP_ETHIF_H

#include <wisp/counter.h>
#include <wisp/hash.h>
#include <wisp/netdev.h>

#define WISP_ETHIF_HEADER  14u
#define WISP_ETHIF_MINIMUM 60u /* shortest frame without its check sequence */
#define WISP_ETHIF_BATCH   64u
#define WISP_ETHIF_QUEUE   256u
#define WISP_ETHIF_GROUPS  8u

enum wisp_ethif_count {
    WISP_ETHIF_RX_ACCEPTED,
    WISP_ETHIF_RX_SHORT,       /* no complete Ethernet header */
    WISP_ETHIF_RX_LONG,        /* longer than MTU and negotiated merging allow */
    WISP_ETHIF_RX_BAD_SOURCE,  /* sent by a group, by nobody or by our own address */
    WISP_ETHIF_RX_NOT_OURS,    /* to another station */
    WISP_ETHIF_RX_GROUP,       /* to a multicast group nobody joined */
    WISP_ETHIF_RX_LENGTH_TYPE, /* 802.3 length instead of a type (RFC 1042 framing is declined) */
    WISP_ETHIF_RX_VLAN,        /* tagged */
    WISP_ETHIF_RX_UNKNOWN_TYPE,
    WISP_ETHIF_TX_SENT,
    WISP_ETHIF_TX_PADDED,         /* short frames filled up with zeros */
    WISP_ETHIF_TX_CSUM_COMPLETED, /* blank checksums the device cannot complete */
    WISP_ETHIF_TX_UNFIT,          /* no room for the header, or a shape the device stopped taking */
    WISP_ETHIF_TX_OVERFLOW,       /* the batch was full and the device took none */
    WISP_ETHIF_BYTES_COPIED,      /* payload copied to fill up short frames */
    WISP_ETHIF_COUNTS
};

/* Who gets what arrived: the packet starts behind the Ethernet header, and is moved. */
struct wisp_ethif_upper {
    void *self;
    void (*ipv4)(void *self, struct wisp_pkt *pkt, wisp_time now);
    void (*arp)(void *self, struct wisp_pkt *pkt, struct wisp_mac source, wisp_time now);
};

struct wisp_ethif {
    struct wisp_netdev *dev;
    struct wisp_ethif_upper upper;
    wisp_sum_fn sum;
    struct wisp_mac mac;
    uint64_t mac_value; /* the same as a number */
    uint32_t frame_max; /* longest frame accepted */
    uint32_t room;      /* what the device would take at least; 0: ask */
    uint32_t queued;
    uint32_t reserve; /* packets kept for alloc's reserved callers */
    bool unkicked;    /* something was handed to the device since the last kick */
    uint64_t group[WISP_ETHIF_GROUPS];
    uint32_t groups;
    struct wisp_pkt *queue[WISP_ETHIF_QUEUE];
    uint64_t count[WISP_ETHIF_COUNTS];
};

void wisp_ethif_init(struct wisp_ethif *eth, struct wisp_netdev *dev, wisp_sum_fn sum,
                     const struct wisp_ethif_upper *upper);

/* Drops the packets of the batch. */
void wisp_ethif_fini(struct wisp_ethif *eth);

/* Looks at the device's capabilities again: they changed. */
void wisp_ethif_refresh(struct wisp_ethif *eth);

/* Takes up to WISP_ETHIF_BATCH received packets and hands them up; returns how many there were. */
uint32_t wisp_ethif_receive(struct wisp_ethif *eth, wisp_time now);

/* An empty packet, or null: see alloc in l3.h. */
struct wisp_pkt *wisp_ethif_alloc(struct wisp_ethif *eth, bool reserved);

/* How many packets could be sent in this step. */
uint32_t wisp_ethif_room(struct wisp_ethif *eth);

/* Frames pkt by header (WISP_ETHIF_HEADER bytes) and queues it. Moved. */
void wisp_ethif_send(struct wisp_ethif *eth, struct wisp_pkt *pkt, const uint8_t *header,
                     wisp_time now);

/*
 * A packet of the batch whose frame has its header (WISP_ETHIF_HEADER bytes, given) and is filled
 * up: the caller writes the length bytes behind it before anything else happens. before of them lie
 * before the transport header's place. They fit into the cell and into the MTU, and the device is
 * as it was at the last refresh. Null: there is no packet, or no room; see alloc in l3.h for
 * reserved.
 */
struct wisp_pkt *wisp_ethif_express(struct wisp_ethif *eth, const uint8_t *header, uint32_t before,
                                    uint32_t length, bool reserved);

/* Writes the header of frames to destination. */
void wisp_ethif_header(const struct wisp_ethif *eth, struct wisp_mac destination, uint16_t type,
                       uint8_t header[WISP_ETHIF_HEADER]);

/* Hands the batch to the device and notifies it, once. What it does not take stays queued. */
void wisp_ethif_flush(struct wisp_ethif *eth, wisp_time now);

/* Accepts frames to a multicast group. False: no room for another one. */
bool wisp_ethif_join(struct wisp_ethif *eth, struct wisp_mac group);

bool wisp_ethif_counter(const struct wisp_ethif *eth, uint32_t index, struct wisp_counter *counter);

#endif
