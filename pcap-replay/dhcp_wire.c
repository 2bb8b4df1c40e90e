/* SPDX-License-Identifier: ISC */
/*
 * DHCP messages of a capture (see dhcp_wire.h). Offsets of the fixed part: 0 op, 1 htype, 2 hlen, 4
 * xid, 10 flags, 12 ciaddr, 16 yiaddr, 24 giaddr, 28 chaddr, 44 sname (64), 108 file (128), 236
 * cookie, 240 options.
 */
#include "dhcp_wire.h"
#include <string.h>

#define OPTIONS 240u
#define COOKIE  0x63825363u

/* The option at *at; false: the area ends there, *at beyond it when what stands there is damaged.
 */
static bool next_option(const uint8_t *area, uint32_t length, uint32_t *at)
{
    while (*at < length && area[*at] == 0) {
        (*at)++;
    }
    if (*at >= length || area[*at] == DHCP_CODE_END) {
        return false;
    }
    if (length - *at < 2 || length - *at - 2 < area[*at + 1]) {
        *at = length + 1;
        return false;
    }
    return true;
}

static void add_area(struct dhcp_wire *wire, const uint8_t *at, uint32_t length)
{
    wire->area[wire->areas].at = at;
    wire->area[wire->areas].length = length;
    wire->areas++;
}

uint32_t dhcp_wire_option(const struct dhcp_wire *wire, uint8_t code, uint8_t *value, uint32_t size)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < wire->areas; i++) {
        const uint8_t *area = wire->area[i].at;
        for (uint32_t at = 0; next_option(area, wire->area[i].length, &at);
             at += 2u + area[at + 1]) {
            if (area[at] != code) {
                continue;
            }
            uint32_t part = area[at + 1];
            uint32_t room = total < size ? size - total : 0;
            if (room > 0) {
                memcpy(value + total, area + at + 2, part < room ? part : room);
            }
            total += part;
        }
    }
    return total;
}

uint32_t dhcp_wire_number(const struct dhcp_wire *wire, uint8_t code, uint32_t fallback)
{
    uint8_t value[4];
    return dhcp_wire_option(wire, code, value, 4) == 4 ? be32(value) : fallback;
}

static void read_areas(struct dhcp_wire *wire)
{
    uint8_t overload = 0;
    wire->areas = 0;
    add_area(wire, wire->bytes + OPTIONS, wire->length - OPTIONS);
    dhcp_wire_option(wire, DHCP_CODE_OVERLOAD, &overload, 1);
    if (overload == 1 || overload == 3) {
        add_area(wire, wire->bytes + 108, 128);
    }
    if (overload == 2 || overload == 3) {
        add_area(wire, wire->bytes + 44, 64);
    }
}

static enum dhcp_class classify(const struct dhcp_wire *wire, uint8_t type)
{
    static const uint8_t replies =
        1 << DHCP_CLASS_OFFER | 1 << DHCP_CLASS_ACK | 1 << DHCP_CLASS_NAK;
    if (type < 1 || type > 8 || wire->reply != (replies >> (type & 7) & 1 && type < 8)) {
        return DHCP_CLASS_OTHER;
    }
    if (type != DHCP_CLASS_SELECT || wire->server) {
        return (enum dhcp_class)type;
    }
    return wire->ciaddr ? DHCP_CLASS_RENEW : DHCP_CLASS_REBOOT;
}

bool dhcp_wire_read(struct dhcp_wire *wire, const struct packet *packet)
{
    uint16_t from = packet->source_port;
    uint16_t to = packet->destination_port;
    uint8_t type = 0;
    if (packet->kind != PACKET_UDP || packet->fragment || (from != 67 && from != 68) ||
        (to != 67 && to != 68) || packet->payload_length < OPTIONS ||
        packet->payload + packet->payload_length > packet->length) {
        return false;
    }
    const uint8_t *bytes = packet->bytes + packet->payload;
    *wire = (struct dhcp_wire){.bytes = bytes,
                               .length = packet->payload_length,
                               .reply = bytes[0] == 2,
                               .ethernet = bytes[1] == 1 && bytes[2] == 6,
                               .broadcast = bytes[10] >> 7,
                               .xid = be32(bytes + 4),
                               .ciaddr = be32(bytes + 12),
                               .yiaddr = be32(bytes + 16),
                               .giaddr = be32(bytes + 24)};
    if ((bytes[0] != 1 && bytes[0] != 2) || be32(bytes + 236) != COOKIE) {
        return false;
    }
    memcpy(wire->chaddr, bytes + 28, 6);
    read_areas(wire);
    dhcp_wire_option(wire, DHCP_CODE_TYPE, &type, 1);
    wire->requested = dhcp_wire_number(wire, DHCP_CODE_REQUESTED, 0);
    wire->server = dhcp_wire_number(wire, DHCP_CODE_SERVER, 0);
    wire->class = classify(wire, type);
    return true;
}

const char *dhcp_class_name(enum dhcp_class class)
{
    static const char *const names[DHCP_CLASSES] = {
        "BOOTP", "DISCOVER", "OFFER",  "REQUEST",         "DECLINE",        "ACK",
        "NAK",   "RELEASE",  "INFORM", "REQUEST(reboot)", "REQUEST(renew)", "conflict(arp)"};
    return class < DHCP_CLASSES ? names[class] : "?";
}

/* ---- answers to another client ---- */

/* Blanks client identifiers in an area with pads. */
static void blank_client(uint8_t *area, uint32_t length)
{
    for (uint32_t at = 0; next_option(area, length, &at);) {
        uint32_t whole = 2u + area[at + 1];
        if (area[at] == DHCP_CODE_CLIENT) {
            memset(area + at, 0, whole);
        }
        at += whole;
    }
}

uint32_t dhcp_wire_translate(const struct dhcp_wire *reply, const struct dhcp_wire *theirs,
                             const struct dhcp_wire *ours, uint8_t *to, uint32_t size)
{
    uint8_t echo[255], id[255];
    uint32_t length = reply->length;
    if (length + 3 + sizeof(id) > size) { /* an option more, and an end */
        return 0;
    }
    memcpy(to, reply->bytes, length);
    put_be32(to + 4, ours->xid);
    memcpy(to + 28, ours->chaddr, 6);
    uint32_t n = dhcp_wire_option(reply, DHCP_CODE_CLIENT, echo, sizeof(echo));
    uint32_t known = dhcp_wire_option(theirs, DHCP_CODE_CLIENT, id, sizeof(id));
    if (n == 0 || n > sizeof(echo) || n != known || memcmp(echo, id, n) != 0) {
        return length; /* no echo, or of somebody else: that stays */
    }
    for (uint32_t i = 0; i < reply->areas; i++) {
        blank_client(to + (reply->area[i].at - reply->bytes), reply->area[i].length);
    }
    uint32_t at = 0;
    while (next_option(to + OPTIONS, length - OPTIONS, &at)) {
        at += 2u + to[OPTIONS + at + 1];
    }
    n = dhcp_wire_option(ours, DHCP_CODE_CLIENT, id, sizeof(id));
    if (n > sizeof(id)) { /* joined of several: no single option has room for it */
        return 0;
    }
    uint8_t *end = to + OPTIONS + (at < length - OPTIONS ? at : length - OPTIONS);
    end[0] = DHCP_CODE_CLIENT;
    end[1] = (uint8_t)n;
    memcpy(end + 2, id, n);
    end[2 + n] = DHCP_CODE_END;
    uint32_t used = (uint32_t)(end + 3 + n - to);
    return used > length ? used : length;
}
