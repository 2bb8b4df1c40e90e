/* SPDX-License-Identifier: ISC */
/*
 * The flows of a capture: which frames belong together, who opened, which side is to be the stack, and what each
 * frame was, without its bytes. A flow is handed out when it is over (or the capture is), then forgotten.
 */
#ifndef REPLAY_FLOW_H
#define REPLAY_FLOW_H

#include "dhcp_flow.h"
#include "trace.h"

/* One frame of a flow. */
struct flow_frame {
    uint64_t number, time, position;
    uint32_t seq, ack;
    uint32_t length;  /* of the payload */
    uint32_t options; /* where its TCP options are in flow.options */
    uint16_t window;
    uint16_t ip_id, urgent;
    uint8_t flags; /* TCP; ICMP: type; ARP: operation; DHCP: enum dhcp_class */
    uint8_t options_length;
    uint8_t ttl, tos;
    bool to_dut;
    bool dont_fragment;
    bool fragment; /* of an IP packet */
};

struct flow {
    uint32_t id;
    enum packet_kind kind;
    uint8_t protocol;
    bool opened_by_dut; /* the stack is the side that began */
    bool cut;           /* frames of it were cut */
    bool fragments, vlan;
    struct dhcp_flow dhcp;
    bool wrong_sums;    /* to the stack, and not for offload: the receiver dropped those */
    uint32_t dut, peer; /* IPv4 */
    uint16_t dut_port, peer_port;
    uint8_t dut_mac[6], peer_mac[6];
    uint32_t offered_by; /* who opened: an address */
    struct flow_frame *frames;
    uint32_t count, space;
    uint8_t *options;
    uint32_t options_used, options_space;
    /* as the table follows it */
    bool fin[2], rst; /* fin[0]: towards the stack */
    uint64_t last;
    struct flow *next_in_bucket;
    struct flow *next_leased; /* of the exchanges whose leased address falls into the same bucket */
    bool watched;             /* it is on such a list */
    struct flow *older, *newer;
};

struct flow_rules {
    bool any_dut; /* each flow's responder is the stack */
    uint32_t dut, dut_mask;
};

struct flow_table;

typedef void (*flow_fn)(void *context, struct flow *flow);

/* done is called for each flow that is over; the flow is freed after it. */
struct flow_table *flow_table_open(const struct flow_rules *rules, flow_fn done, void *context);

/* Adds a frame; false: it belongs to no flow. number of flows so far is the id of the latest. */
bool flow_table_add(struct flow_table *table, const struct captured *frame,
                    const struct packet *packet);

/* The capture is over: all flows are. */
void flow_table_close(struct flow_table *table);

#endif
