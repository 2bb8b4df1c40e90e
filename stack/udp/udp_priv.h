/* SPDX-License-Identifier: ISC */
/* What the files of udp/ share. */
#ifndef WISP_UDP_PRIV_H
#define WISP_UDP_PRIV_H

#include "rng.h"
#include "udp_wire.h"
#include <wisp/udp.h>

enum wisp_udp_count {
    WISP_UDP_RX_DELIVERED,
    WISP_UDP_RX_SHORT,
    WISP_UDP_RX_BAD_LENGTH,
    WISP_UDP_RX_BAD_CHECKSUM,
    WISP_UDP_RX_PORT_ZERO,
    WISP_UDP_RX_NO_SOCKET,
    WISP_UDP_RX_QUEUE_FULL, /* the socket's queue, or all sockets' pages or packets */
    WISP_UDP_RX_ERROR,      /* ICMP errors told to a socket */
    WISP_UDP_RX_ERROR_UNMATCHED,
    WISP_UDP_TX_SENT,
    WISP_UDP_TX_REFUSED,      /* not sent: no packet, page, route or address */
    WISP_UDP_BYTES_COLLECTED, /* small received payloads copied together, so as not to hold a page
                                 each */
    WISP_UDP_BYTES_COPIED,    /* payload copied for sending */
    WISP_UDP_COUNTS
};

struct udp_entry {
    struct wisp_udp_datagram datagram;
    uint32_t pages; /* charged for it */
};

struct wisp_udp_socket {
    struct wisp_udp *udp;
    struct wisp_udp_socket *next;  /* in its bucket, or in the free list */
    struct wisp_udp_socket *ready; /* list of sockets with something to tell */
    struct udp_entry *queue;
    uint32_t in, out; /* free running */
    uint32_t shown;   /* the round it was last shown in */
    struct wisp_addr local;
    uint16_t port;
    uint8_t ttl, tos;
    bool open, broadcast, is_ready, has_error, has_sent;
    uint16_t error_port;
    struct wisp_icmp_error error;
    struct wisp_page *collect; /* small payloads go here, from collect_at on */
    uint32_t collect_at;
    void *cookie;
};

struct wisp_udp {
    struct wisp_transport transport;
    struct wisp_l3 *l3;
    struct wisp_udp_config config;
    struct wisp_rng rng;
    uint32_t bucket_key, bucket_mask;
    struct wisp_udp_socket **bucket;
    struct wisp_udp_socket *socket;
    struct wisp_udp_socket *free;
    struct wisp_udp_socket *ready_first, **ready_last;
    struct wisp_pktpool *packets;
    uint32_t pages; /* charged now */
    uint32_t round;
    uint64_t count[WISP_UDP_COUNTS];
};

/* ---- socket.c ---- */

/* The socket for packets to local and port: bound to that address, or to any. */
struct wisp_udp_socket *wisp_udp_find(struct wisp_udp *udp, const struct wisp_addr *local,
                                      uint16_t port, bool broadcast);

/* Puts socket among those with something to tell. */
void wisp_udp_make_ready(struct wisp_udp_socket *socket);

/* ---- input.c ---- */

void wisp_udp_input(void *self, struct wisp_pkt *pkt, const struct wisp_arrival *arrival,
                    wisp_time now);
void wisp_udp_icmp_error(void *self, const struct wisp_icmp_error *error, wisp_time now);

#endif
