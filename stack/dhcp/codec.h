/* SPDX-License-Identifier: ISC */
/* DHCP messages as bytes (RFC 2131 §2, figure 1): replies parsed, requests emitted. */
#ifndef WISP_DHCP_CODEC_H
#define WISP_DHCP_CODEC_H

#include "options.h"
#include <wisp/dhcp.h>

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM
};

#define DHCP_FIXED_SIZE    236u /* up to and without the magic cookie */
#define DHCP_CLIENT_ID_MAX WISP_DHCP_TEXT_MAX

struct dhcp_reply {
    uint8_t type; /* enum dhcp_type, or a number that is none of it */
    uint32_t xid;
    struct wisp_mac chaddr;
    struct wisp_ip4 yiaddr;
    struct wisp_ip4 server;      /* option 54; 0.0.0.0: not there */
    struct dhcp_options options; /* borrowed from the message */
};

/* Why a message is no reply we could use. */
enum dhcp_defect {
    DHCP_SOUND,
    DHCP_SHORT,    /* shorter than the fixed part and the cookie */
    DHCP_NO_REPLY, /* op, htype, hlen or cookie are not those of a DHCP reply on Ethernet */
    DHCP_OVERRUN,  /* an option reaches beyond its field */
    DHCP_NO_TYPE   /* no message type */
};

enum dhcp_defect dhcp_reply_parse(const uint8_t *bytes, size_t length, struct dhcp_reply *reply);

/* What differs between the messages a client sends. */
struct dhcp_request {
    uint8_t type; /* enum dhcp_type */
    uint32_t xid;
    uint16_t secs;
    bool broadcast;
    struct wisp_mac mac;
    struct wisp_ip4 ciaddr;
    struct wisp_ip4 requested; /* option 50, unless 0.0.0.0 */
    struct wisp_ip4 server;    /* option 54, unless 0.0.0.0 */
    const uint8_t *client_id;
    uint8_t client_id_length;
    const char *host_name;    /* "": none */
    const char *vendor_class; /* "": none */
    uint16_t max_message;
};

/* Writes request to bytes and gives the length, at least 300 (as BOOTP relays want) and at most
 * WISP_DHCP_MESSAGE_MAX: what the configuration can hold always fits the options field. */
uint32_t dhcp_request_emit(const struct dhcp_request *request,
                           uint8_t bytes[WISP_DHCP_MESSAGE_MAX]);

#endif
