/* SPDX-License-Identifier: ISC */
/*
 * Which frames make a DHCP exchange. A client is its hardware address, whatever addresses and
 * relays lie between; an exchange is what it does of its own accord once its user asked for
 * something:
 *
 *   begins with   DISCOVER, a REQUEST of a remembered address, INFORM
 *   goes on with  what answers or follows by itself: offers, refusals and the search after them,
 *                 renewals, a conflict and its DECLINE, and the RELEASE that ends it
 */
#ifndef REPLAY_DHCP_FLOW_H
#define REPLAY_DHCP_FLOW_H

#include "dhcp_wire.h"

/* What a flow remembers of its exchange. */
struct dhcp_flow {
    uint64_t client;             /* hardware address with a bit above it; 0: the flow is no DHCP */
    enum dhcp_class first, last; /* of the client's messages */
    uint32_t xid, source;        /* of the last of them */
    bool answered;               /* that one, by ACK or NAK */
    bool leased;
    uint32_t address; /* leased or offered */
    uint64_t hold;    /* how long the lease is, nanoseconds */
};

/* The client of a message as a key; 0: it is no part of an exchange. */
uint64_t dhcp_flow_client(const struct dhcp_wire *wire);

/* True when the message begins another exchange of the same client. source: IPv4. */
bool dhcp_flow_begins_anew(const struct dhcp_flow *flow, const struct dhcp_wire *wire,
                           uint32_t source);

void dhcp_flow_note(struct dhcp_flow *flow, const struct dhcp_wire *wire, uint32_t source);

#endif
