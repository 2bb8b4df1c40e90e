/* SPDX-License-Identifier: ISC */
/* DHCP messages of a capture (RFC 2131 §2, RFC 3396): the judge's own decoding, sharing nothing
 * with the client's. */
#ifndef REPLAY_DHCP_WIRE_H
#define REPLAY_DHCP_WIRE_H

#include "decode.h"

/* What a message is, in the terms of RFC 2131 §4.3: a REQUEST is one of three things. */
enum dhcp_class {
    DHCP_CLASS_OTHER, /* BOOTP, or a type that is no part of a client's exchange */
    DHCP_CLASS_DISCOVER,
    DHCP_CLASS_OFFER,
    DHCP_CLASS_SELECT, /* REQUEST of an offer: it names the server */
    DHCP_CLASS_DECLINE,
    DHCP_CLASS_ACK,
    DHCP_CLASS_NAK,
    DHCP_CLASS_RELEASE,
    DHCP_CLASS_INFORM,
    DHCP_CLASS_REBOOT,   /* REQUEST of a remembered address */
    DHCP_CLASS_RENEW,    /* REQUEST by the address in use: renewing, rebinding */
    DHCP_CLASS_CONFLICT, /* in a flow: no message, but ARP of another host that has the leased
                            address */
    DHCP_CLASSES
};

enum dhcp_code {
    DHCP_CODE_MASK = 1,
    DHCP_CODE_ROUTER = 3,
    DHCP_CODE_DNS = 6,
    DHCP_CODE_REQUESTED = 50,
    DHCP_CODE_LEASE = 51,
    DHCP_CODE_OVERLOAD = 52,
    DHCP_CODE_TYPE = 53,
    DHCP_CODE_SERVER = 54,
    DHCP_CODE_T1 = 58,
    DHCP_CODE_T2 = 59,
    DHCP_CODE_CLIENT = 61,
    DHCP_CODE_ROUTES = 121,
    DHCP_CODE_END = 255
};

struct dhcp_wire {
    const uint8_t *bytes;
    uint32_t length;
    enum dhcp_class class;
    bool reply;
    bool ethernet;  /* hardware type 1, length 6 */
    bool broadcast; /* the flag */
    uint32_t xid;
    uint32_t ciaddr, yiaddr, giaddr;
    uint32_t requested, server; /* options 50, 54; 0: not there */
    uint8_t chaddr[6];
    struct {
        const uint8_t *at;
        uint32_t length;
    } area[3]; /* of options, in the order they are joined in */
    uint32_t areas;
};

/* The message of a UDP packet; false: it is none, or damaged. Bytes stay borrowed. */
bool dhcp_wire_read(struct dhcp_wire *wire, const struct packet *packet);

/* Joins the parts of option code in value (null with size 0), at most size bytes; gives the full
 * length, 0: not there. */
uint32_t dhcp_wire_option(const struct dhcp_wire *wire, uint8_t code, uint8_t *value,
                          uint32_t size);

/* An option of four bytes; fallback when it is missing or of another size. */
uint32_t dhcp_wire_number(const struct dhcp_wire *wire, uint8_t code, uint32_t fallback);

/* "REQUEST" and the like. */
const char *dhcp_class_name(enum dhcp_class class);

/*
 * Copies a reply to `to` (size bytes) as an answer to `ours` in place of `theirs`: transaction and
 * hardware address are those of ours, and a client identifier that echoes theirs (RFC 6842) becomes
 * the one of ours. Gives the length; 0: it, or ours, does not fit.
 */
uint32_t dhcp_wire_translate(const struct dhcp_wire *reply, const struct dhcp_wire *theirs,
                             const struct dhcp_wire *ours, uint8_t *to, uint32_t size);

#endif
