/* SPDX-License-Identifier: ISC */
/*
 * ICMP (RFC 792, RFC 1122 §3.2.2): answers echo requests, sends errors within limits, hands
 * received errors to the transports, and pings. To the network layer it is a transport like others,
 * with protocol 1.
 */
#ifndef WISP_ICMP_H
#define WISP_ICMP_H

#include "icmp_limit.h"
#include "icmp_wire.h"
#include "rng.h"
#include <wisp/counter.h>
#include <wisp/l3.h>

#define WISP_ICMP_PINGS 16u /* outstanding, and answers waiting to be asked for */

enum wisp_icmp_count {
    WISP_ICMP_RX_ECHO,
    WISP_ICMP_RX_ECHO_REPLY,
    WISP_ICMP_RX_ERROR, /* handed to a transport */
    WISP_ICMP_RX_SHORT,
    WISP_ICMP_RX_BAD_CHECKSUM,
    WISP_ICMP_RX_BROADCAST,     /* to everybody: never answered */
    WISP_ICMP_RX_UNKNOWN_TYPE,  /* types we neither speak nor heed, source quench among them */
    WISP_ICMP_RX_REDIRECT,      /* ignored */
    WISP_ICMP_RX_BAD_QUOTE,     /* an error about nothing of ours */
    WISP_ICMP_RX_UNASKED_REPLY, /* an echo reply without a request */
    WISP_ICMP_TX_ECHO_REPLY,
    WISP_ICMP_TX_ECHO,
    WISP_ICMP_TX_ERROR,
    WISP_ICMP_TX_NOT_ALLOWED, /* errors RFC 1122 §3.2.2 forbids */
    WISP_ICMP_TX_LIMITED,     /* errors beyond the rate */
    WISP_ICMP_TX_NO_PACKET,
    WISP_ICMP_BYTES_COPIED, /* echoed bytes that lay on pages no device may read */
    WISP_ICMP_COUNTS
};

struct wisp_icmp_upper {
    void *self;
    /* An error about a packet of protocol: for that transport. */
    void (*error)(void *self, uint8_t protocol, const struct wisp_icmp_error *error, wisp_time now);
};

struct wisp_icmp_config {
    wisp_hash_fn hash;
    const uint8_t *seed; /* 32 bytes, read during init only */
    uint8_t ttl;
};

/* What an error is about: a received packet. */
struct wisp_icmp_subject {
    uint8_t type, code, pointer;
    uint8_t header_size;
    const uint8_t *header;           /* its network header */
    const struct wisp_view *payload; /* what followed, as far as it lies together */
    struct wisp_addr source, destination;
    bool broadcast;
};

struct wisp_icmp_ping {
    struct wisp_addr remote;
    uint16_t id, sequence, length;
    bool waiting;
};

struct wisp_icmp_answer {
    struct wisp_addr remote;
    uint16_t id, sequence, length;
    uint8_t ttl;
    bool intact, error;
    enum wisp_icmp_kind kind;
    wisp_time at;
};

struct wisp_icmp {
    struct wisp_transport transport;
    struct wisp_l3 *l3;
    struct wisp_icmp_upper upper;
    struct wisp_icmp_limit limit;
    uint8_t ttl;
    struct wisp_icmp_ping ping[WISP_ICMP_PINGS];
    uint32_t ping_at;
    struct wisp_icmp_answer answer[WISP_ICMP_PINGS];
    uint32_t answer_in, answer_out; /* free running */
    uint64_t count[WISP_ICMP_COUNTS];
};

void wisp_icmp_init(struct wisp_icmp *icmp, const struct wisp_icmp_config *config,
                    const struct wisp_icmp_upper *upper, wisp_time now);

/* Sends an error about a received packet, if rules and rate allow. */
void wisp_icmp_complain(struct wisp_icmp *icmp, const struct wisp_icmp_subject *subject,
                        wisp_time now);

/* See wisp_stack_ping and wisp_stack_next_ping. */
enum wisp_err wisp_icmp_ping(struct wisp_icmp *icmp, const struct wisp_addr *remote, uint16_t id,
                             uint16_t sequence, uint16_t length, wisp_time now);
bool wisp_icmp_next_answer(struct wisp_icmp *icmp, struct wisp_icmp_answer *answer);

bool wisp_icmp_counter(const struct wisp_icmp *icmp, uint32_t index, struct wisp_counter *counter);

#endif
