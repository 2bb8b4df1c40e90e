/* SPDX-License-Identifier: ISC */
/* See dhcp_peer.h. */
#include "dhcp_peer.h"
#include "hash.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

void reply_begin(struct reply *reply, uint8_t type, uint32_t xid, struct wisp_ip4 yiaddr)
{
    static const uint8_t cookie[4] = {0x63, 0x82, 0x53, 0x63};
    static const struct wisp_mac mac = PEER_MAC;
    memset(reply->bytes, 0, reply->length > 512 ? reply->length : 512); /* what was used before */
    uint8_t *b = reply->bytes;
    b[0] = 2;
    b[1] = 1;
    b[2] = 6;
    for (int i = 0; i < 4; i++) {
        b[4 + i] = (uint8_t)(xid >> (24 - 8 * i));
    }
    memcpy(b + 16, yiaddr.octet, 4);
    memcpy(b + 28, mac.octet, 6);
    memcpy(b + 236, cookie, 4);
    reply->length = 240;
    if (type) {
        reply_option(reply, 53, &type, 1);
    }
}

void reply_option(struct reply *reply, uint8_t code, const void *value, uint8_t length)
{
    reply->bytes[reply->length++] = code;
    reply->bytes[reply->length++] = length;
    if (length) {
        memcpy(reply->bytes + reply->length, value, length);
    }
    reply->length += length;
}

void reply_u32(struct reply *reply, uint8_t code, uint32_t value)
{
    uint8_t b[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                    (uint8_t)value};
    reply_option(reply, code, b, 4);
}

void reply_u16(struct reply *reply, uint8_t code, uint16_t value)
{
    uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    reply_option(reply, code, b, 2);
}

void reply_ip4(struct reply *reply, uint8_t code, struct wisp_ip4 value)
{
    reply_option(reply, code, value.octet, 4);
}

void reply_end(struct reply *reply)
{
    reply->bytes[reply->length++] = 255;
}

void reply_make(struct reply *reply, uint8_t type, uint32_t xid, struct wisp_ip4 yiaddr,
                uint32_t lease)
{
    reply_begin(reply, type, xid, yiaddr);
    reply_ip4(reply, 54, PEER_SERVER);
    if (type != NAK) {
        reply_ip4(reply, 1, wisp_ip4(255, 255, 255, 0));
        reply_ip4(reply, 3, PEER_SERVER);
        reply_u32(reply, 51, lease);
    }
    reply_end(reply);
}

/* From a copy of exactly that size, so that a sanitizer sees the first octet read beyond it. */
void reply_give(const struct reply *reply, struct wisp_dhcp *dhcp, wisp_time now)
{
    uint8_t *copy = malloc(reply->length ? reply->length : 1);
    memcpy(copy, reply->bytes, reply->length);
    wisp_dhcp_input(dhcp, copy, reply->length, now);
    free(copy);
}

const uint8_t *request_option(const struct wisp_dhcp_message *message, uint8_t code,
                              uint8_t *length)
{
    uint32_t at = 240;
    while (at + 1 < message->length && message->bytes[at] != 255) {
        if (message->bytes[at] == code) {
            *length = message->bytes[at + 1];
            return message->bytes + at + 2;
        }
        at += 2u + message->bytes[at + 1];
    }
    *length = 0;
    return NULL;
}

uint8_t request_type(const struct wisp_dhcp_message *message)
{
    uint8_t length;
    const uint8_t *type = request_option(message, 53, &length);
    ck_assert(type && length == 1);
    return *type;
}

uint32_t request_xid(const struct wisp_dhcp_message *message)
{
    const uint8_t *b = message->bytes + 4;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct wisp_ip4 request_ciaddr(const struct wisp_dhcp_message *message)
{
    const uint8_t *b = message->bytes + 12;
    return wisp_ip4(b[0], b[1], b[2], b[3]);
}

void peer_config(struct wisp_dhcp_config *config, uint32_t number)
{
    static const struct wisp_mac mac = PEER_MAC;
    wisp_dhcp_config_default(config);
    config->mac = mac;
    config->hash = tests_hash;
    memcpy(config->seed, &number, sizeof(number));
}

struct wisp_dhcp *peer_client(const struct wisp_dhcp_config *config)
{
    size_t size = (wisp_dhcp_size(config) + 63) & ~(size_t)63;
    struct wisp_dhcp *dhcp = wisp_dhcp_init(aligned_alloc(64, size), size, config);
    ck_assert_ptr_nonnull(dhcp);
    return dhcp;
}

void peer_bind(struct wisp_dhcp *dhcp, uint32_t lease, wisp_time now)
{
    struct wisp_dhcp_message message;
    static struct reply reply;
    bool leased = wisp_dhcp_lease(dhcp) && wisp_dhcp_state(dhcp) != WISP_DHCP_STATE_INFORMED;
    wisp_dhcp_start(dhcp, now);
    if (leased) {
        expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_RELEASED);
    }
    expect_message(dhcp, now, DISCOVER, &message);
    reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, lease);
    reply_give(&reply, dhcp, now);
    expect_message(dhcp, now, REQUEST, &message);
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, lease);
    reply_give(&reply, dhcp, now);
    expect_event(dhcp, WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_BOUND);
}

void expect_message(struct wisp_dhcp *dhcp, wisp_time now, uint8_t type,
                    struct wisp_dhcp_message *message)
{
    ck_assert_msg(wisp_dhcp_next(dhcp, now, message), "a message of type %u is missing in %s", type,
                  wisp_dhcp_state_text(wisp_dhcp_state(dhcp)));
    ck_assert_uint_eq(request_type(message), type);
}

void expect_quiet(struct wisp_dhcp *dhcp, wisp_time now)
{
    struct wisp_dhcp_message message;
    ck_assert_msg(!wisp_dhcp_next(dhcp, now, &message), "a message of type %u is sent in %s",
                  request_type(&message), wisp_dhcp_state_text(wisp_dhcp_state(dhcp)));
    ck_assert(wisp_dhcp_deadline(dhcp) > now);
}

void expect_event(struct wisp_dhcp *dhcp, enum wisp_dhcp_event_kind kind,
                  enum wisp_dhcp_reason reason)
{
    struct wisp_dhcp_event event;
    ck_assert_msg(wisp_dhcp_next_event(dhcp, &event), "event %d is missing", (int)kind);
    ck_assert_int_eq(event.kind, kind);
    ck_assert_int_eq(event.reason, reason);
}

void expect_no_event(struct wisp_dhcp *dhcp)
{
    struct wisp_dhcp_event event;
    ck_assert(!wisp_dhcp_next_event(dhcp, &event));
}

uint64_t peer_count(const struct wisp_dhcp *dhcp, const char *name)
{
    struct wisp_counter counter;
    for (uint32_t i = 0; wisp_dhcp_counter(dhcp, i, &counter); i++) {
        if (strcmp(counter.name, name) == 0) {
            return counter.value;
        }
    }
    ck_abort_msg("no counter %s", name);
}
