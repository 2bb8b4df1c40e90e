/* SPDX-License-Identifier: ISC */
/*
 * Two stacks on a link in memory, in virtual time, or one stack and a test that plays its peer
 * frame by frame. Ends with pages and packets counted: net_close fails the test when any is
 * missing.
 */
#ifndef WISP_TESTS_NET_H
#define WISP_TESTS_NET_H

#include "link.h"
#include <wisp/stack.h>

#define NET_PAGES 2048u

struct net_options {
    struct wisp_link_config link; /* mtu 0: 1500 */
    /* what both stacks share; netdev, pages, hash, sum are filled in */
    struct wisp_stack_config config;
    uint32_t pages; /* of each pool; 0: NET_PAGES */
    bool alone;     /* only stack[0]; the test is its peer (address .2) */
    bool no_address;
};

struct net {
    struct wisp_link *link;
    struct wisp_pool *pool[2];
    struct wisp_stack *stack[2]; /* 10.0.0.1/24 and 10.0.0.2/24 */
    struct wisp_addr addr[2];
    wisp_time now;
    void *memory[16];
    uint32_t memories;
};

/* Defaults: MTU 1500, no offload, addresses used without probing, reassembly. */
void net_options_default(struct net_options *options);
void net_open(struct net *net, const struct net_options *options);

/* Ends stacks and link and checks that every page and packet came home. Transports first. */
void net_close(struct net *net);

/* Zeroed memory, 64-aligned, freed by net_close. */
void *net_memory(struct net *net, size_t size);

/* Runs for duration of virtual time, going from deadline to deadline. */
void net_run(struct net *net, wisp_time duration);

/* Polls both ends until nothing more moves at this moment. */
void net_settle(struct net *net);

/* ---- playing the peer (alone) ---- */

/* Makes frame arrive at stack[0] and lets it act. */
void net_inject(struct net *net, const void *frame, size_t length);

/* The next frame stack[0] sent, copied to bytes; its length, or 0 when there is none. */
size_t net_sent(struct net *net, uint8_t *bytes, size_t size);

/* Drops what it sent until now; how many frames these were. */
uint32_t net_discard(struct net *net);

/* Tells stack[0] by ARP where its peer 10.0.0.2 is; the answer is discarded. */
void net_introduce(struct net *net);

/* ---- building frames ---- */

extern const uint8_t net_mac_ours[6], net_mac_peer[6];

/* Ethernet and IPv4 header of size header (20 .. 60, options 1) for payload bytes at frame + 14 +
 * header; from peer to stack[0]. Returns the frame's length. Fields can be changed before
 * net_ip_seal. */
size_t net_ip_frame(uint8_t *frame, uint8_t protocol, size_t header, size_t payload);

/* An echo request with payload bytes of pattern; a UDP datagram from port 4000 to port. */
size_t net_echo_frame(uint8_t *frame, size_t payload);
size_t net_udp_frame(uint8_t *frame, uint16_t port, size_t payload);

/* Makes ICMP's (type 1) or UDP's (17) checksum of the frame right. */
void net_icmp_seal(uint8_t *frame);
void net_udp_seal(uint8_t *frame);

/* Makes the header checksum right again. */
void net_ip_seal(uint8_t *frame);

/* The complement of the Internet checksum's sum, as a big-endian number (written from RFC 1071,
 * apart from the stack's own). start: a sum to go on from. */
uint16_t net_checksum(const uint8_t *bytes, size_t length, uint32_t start);

/* The value of a counter of stack[0]. */
uint64_t net_count(const struct net *net, const char *name);

/* Injects frame, and demands that the counter called name grows by one, and that nothing is sent.
 */
void net_expect_drop(struct net *net, const void *frame, size_t length, const char *name);

/* Injects frame, and demands exactly one answer, which is copied to answer; its length. */
size_t net_expect_answer(struct net *net, const void *frame, size_t length, uint8_t *answer,
                         size_t size);

/* An ARP message from the peer, as a frame of 42 bytes. */
void net_arp_frame(uint8_t *frame, uint16_t operation, const uint8_t sender_mac[6],
                   const uint8_t sender[4], const uint8_t target[4]);

void net_put16(uint8_t *p, size_t value);
uint32_t net_get16(const uint8_t *p);

#endif
