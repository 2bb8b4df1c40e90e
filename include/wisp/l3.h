/* SPDX-License-Identifier: ISC */
/*
 * The two small tables between transports (TCP, UDP, yours) and the network layer.
 *
 * A transport reaches the network layer only through struct wisp_l3; the network layer and the stack reach
 * a transport only through struct wisp_transport. IPv4 is the first to fill struct wisp_l3; a second family
 * is another value of the same type. All of it runs on the stack's one thread: the network layer's functions may be
 * called from a transport's, the transport's are called from wisp_stack_poll and wisp_stack_flush alone.
 */
#ifndef WISP_L3_H
#define WISP_L3_H

#include <wisp/addr.h>
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/err.h>
#include <wisp/hash.h>
#include <wisp/pkt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a packet goes and how. */
struct wisp_flow {
    /* source; for sending never "any", except to a broadcast while unconfigured */
    struct wisp_addr local;
    struct wisp_addr remote; /* destination */
    uint8_t protocol;        /* 6, 17, ... */
    uint8_t ttl;             /* 1..255 */
    uint8_t tos;             /* DiffServ and ECN octet, sent as it is */
    bool dont_fragment;
};

/* What the network layer says about a packet it hands up; the packet starts at the transport header and
 * is cut to the datagram. */
struct wisp_arrival {
    struct wisp_addr local;  /* its destination: an address of ours, or a broadcast */
    struct wisp_addr remote; /* its source, checked to be a single host */
    uint8_t protocol;
    uint8_t ttl;
    uint8_t tos;
    /* link or network broadcast or multicast: no error, no RST, no answer */
    bool broadcast;
};

/* An ICMP error about a packet of ours. Untrusted: the transport checks that it quotes something in flight
 * (RFC 5927). */
enum wisp_icmp_kind {
    WISP_ICMP_NET_UNREACHABLE,      /* code 0, and 6, 11 */
    WISP_ICMP_HOST_UNREACHABLE,     /* code 1, and 7, 12, 5, 8 */
    WISP_ICMP_PROTOCOL_UNREACHABLE, /* code 2 */
    WISP_ICMP_PORT_UNREACHABLE,     /* code 3 */
    WISP_ICMP_TOO_BIG,              /* code 4; mtu is what it said */
    WISP_ICMP_PROHIBITED,           /* codes 9, 10, 13 */
    WISP_ICMP_TIME_EXCEEDED,
    WISP_ICMP_PARAMETER
};

struct wisp_icmp_error {
    enum wisp_icmp_kind kind;
    uint16_t mtu;            /* TOO_BIG only */
    struct wisp_addr local;  /* quoted source: ours */
    struct wisp_addr remote; /* quoted destination */
    struct wisp_addr from;   /* who sent the error */
    uint8_t quote[8];        /* first 8 octets of the quoted transport header */
};

struct wisp_l3_ops {
    /*
     * An empty packet with room in front for every lower header, or null when the device has none free
     * or takes no more in this step: keep the intention, try in the next step.
     * reserved: for ACK, FIN, RST, ARP: may use the last packets.
     */
    struct wisp_pkt *(*alloc)(void *self, bool reserved);

    /* How many packets could be sent in this step. */
    uint32_t (*room)(void *self);

    /* Moves pkt, which starts at the transport header, on its way: route, next hop, headers. Its
     * transport checksum is complete, or blank as caps allow. Errors (no route) are returned and counted;
     * the packet is gone either way. A packet larger than the MTU without GSO is fragmented, unless
     * flow->dont_fragment. */
    enum wisp_err (*send)(void *self, struct wisp_pkt *pkt, const struct wisp_flow *flow,
                          wisp_time now);

    /*
     * alloc and send at once, for a segment or datagram of length bytes that fits into a cell
     * (WISP_CELL_BODY) and is neither fragmented nor cut: a packet that is on its way already, all
     * lower headers written. The caller fills its length bytes in, from wisp_pkt_transport on, and
     * its fields (csum, csum_offset, queue, owner, mark) before it calls anything else. pseudo is
     * pseudo_sum's for flow with length 0. Null, and nothing was counted: it takes alloc and send,
     * for whatever reason. reserved as for alloc.
     */
    struct wisp_pkt *(*express)(void *self, const struct wisp_flow *flow, uint16_t pseudo,
                                uint32_t length, bool reserved, wisp_time now);

    /* The source address packets to remote should carry. False: no route, or no address yet. */
    bool (*source)(void *self, const struct wisp_addr *remote, struct wisp_addr *local);

    /* Largest IP packet on the way to remote, 68..65535. */
    uint32_t (*mtu)(void *self, const struct wisp_addr *remote);

    /* True when addr is one of our own single-host addresses. */
    bool (*is_local)(void *self, const struct wisp_addr *addr);

    /* True when addr can be the other end of a connection: one host, not ours, not broadcast, ... */
    bool (*is_unicast)(void *self, const struct wisp_addr *addr);

    /* Sum (see hash.h, not complemented) of the pseudo-header; length counts transport header and data. */
    uint16_t (*pseudo_sum)(const struct wisp_addr *local, const struct wisp_addr *remote,
                           uint8_t protocol, uint32_t length);

    /* Answers an arrived packet with an ICMP "port unreachable", if rules and rate allow; pkt stays the
     * caller's and still starts at its transport header. */
    void (*refuse)(void *self, const struct wisp_pkt *pkt, const struct wisp_arrival *arrival,
                   wisp_time now);

    /* Advice from above: remote answers, so its next hop is alive; or: it does not, look again. */
    void (*advise)(void *self, const struct wisp_addr *remote, bool alive, wisp_time now);
};

/* What the device below can do for a transport, refreshed by the stack before each step. */
struct wisp_l3_caps {
    bool csum_tx;     /* leave the checksum blank */
    uint32_t gso;     /* largest IP packet as one GSO packet; 0: none */
    uint16_t views;   /* payload views in one packet, >= 1 */
    uint8_t overhead; /* bytes of IP header */
    uint32_t generation;
};

struct wisp_l3 {
    const struct wisp_l3_ops *ops;
    void *self;
    uint8_t family;          /* enum wisp_family */
    struct wisp_l3_caps tcp; /* for TCP */
    struct wisp_l3_caps udp; /* for UDP */
    wisp_sum_fn sum;
    struct wisp_pool *pages;
};

struct wisp_transport_ops {
    /* Called once by wisp_stack_attach. */
    void (*attach)(void *self, struct wisp_l3 *l3);

    /* A packet for this transport; moved. */
    void (*input)(void *self, struct wisp_pkt *pkt, const struct wisp_arrival *arrival,
                  wisp_time now);

    /* An ICMP error quoting a packet of this transport. */
    void (*error)(void *self, const struct wisp_icmp_error *error, wisp_time now);

    /* pkt, whose owner is this transport, ends: the device let go of it, or it was dropped before it got
     * there, possibly within l3's send. It is only borrowed. */
    void (*sent)(void *self, struct wisp_pkt *pkt, wisp_time now);

    /* Once per step, after all input: expire timers, build and send what is due. Returns when it must be called
     * again though nothing arrives; now: there is more to send than there was room for. May be null. */
    wisp_time (*step)(void *self, wisp_time now);

    /* A local address is gone: what used it ends with WISP_ERR_ADDRESS_LOST. */
    void (*address_lost)(void *self, const struct wisp_addr *local, wisp_time now);

    /* Counter number index, or false beyond the last; wisp_stack_counter shows them with its own. May be
     * null: none. */
    bool (*counter)(const void *self, uint32_t index, struct wisp_counter *counter);
};

struct wisp_transport {
    const struct wisp_transport_ops *ops;
    void *self;
    uint8_t protocol;            /* 6, 17 */
    struct wisp_transport *next; /* the stack's */
};

#ifdef __cplusplus
}
#endif
#endif
