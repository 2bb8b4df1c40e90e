/* SPDX-License-Identifier: ISC */
/*
 * The other side of a DHCP client under test: replies built and requests read octet by octet, by code that
 * shares nothing with the codec being tested; and a small obedient server.
 */
#ifndef WISP_TESTS_DHCP_PEER_H
#define WISP_TESTS_DHCP_PEER_H

#include <wisp/dhcp.h>

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM, FORCERENEW };

#define PEER_MAC                                                                                   \
    {                                                                                              \
        {                                                                                          \
            0x02, 0x00, 0x00, 0xaa, 0xbb, 0x01                                                     \
        }                                                                                          \
    }
#define PEER_SERVER  wisp_ip4(192, 0, 2, 1)
#define PEER_ADDRESS wisp_ip4(192, 0, 2, 50)

/* Starts as zeros: static. */
struct reply {
    uint8_t bytes[70000];
    size_t length;
};

/* A reply of that type without options but 53 (0: none) and without END. */
void reply_begin(struct reply *reply, uint8_t type, uint32_t xid, struct wisp_ip4 yiaddr);
void reply_option(struct reply *reply, uint8_t code, const void *value, uint8_t length);
void reply_u32(struct reply *reply, uint8_t code, uint32_t value);
void reply_u16(struct reply *reply, uint8_t code, uint16_t value);
void reply_ip4(struct reply *reply, uint8_t code, struct wisp_ip4 value);
void reply_end(struct reply *reply);

/* A complete one: server id PEER_SERVER, mask /24, router .1, that lease time. */
void reply_make(struct reply *reply, uint8_t type, uint32_t xid, struct wisp_ip4 yiaddr,
                uint32_t lease);

/* Hands it to the client. */
void reply_give(const struct reply *reply, struct wisp_dhcp *dhcp, wisp_time now);

/* The value of an option of a request, or null; its type and xid. */
const uint8_t *request_option(const struct wisp_dhcp_message *message, uint8_t code,
                              uint8_t *length);
uint8_t request_type(const struct wisp_dhcp_message *message);
uint32_t request_xid(const struct wisp_dhcp_message *message);
struct wisp_ip4 request_ciaddr(const struct wisp_dhcp_message *message);

/* A configuration with PEER_MAC and a seed made of number. */
void peer_config(struct wisp_dhcp_config *config, uint32_t number);
struct wisp_dhcp *peer_client(const struct wisp_dhcp_config *config);

/* Drives a client, a fresh one or started again, to BOUND with that lease time; returns when it is. */
void peer_bind(struct wisp_dhcp *dhcp, uint32_t lease, wisp_time now);

/* The next message, which must be there, and of that type. */
void expect_message(struct wisp_dhcp *dhcp, wisp_time now, uint8_t type,
                    struct wisp_dhcp_message *message);
void expect_quiet(struct wisp_dhcp *dhcp, wisp_time now);
void expect_event(struct wisp_dhcp *dhcp, enum wisp_dhcp_event_kind kind,
                  enum wisp_dhcp_reason reason);
void expect_no_event(struct wisp_dhcp *dhcp);
uint64_t peer_count(const struct wisp_dhcp *dhcp, const char *name);

#endif
