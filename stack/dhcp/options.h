/* SPDX-License-Identifier: ISC */
/*
 * The options of a received message, wherever they lie: the options field, then file and sname if option 52
 * says so (RFC 2131 §4.1), an option's parts joined in that order (RFC 3396).
 */
#ifndef WISP_DHCP_OPTIONS_H
#define WISP_DHCP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wisp/addr.h>

enum dhcp_option {
    DHCP_OPTION_PAD = 0,
    DHCP_OPTION_MASK = 1,
    DHCP_OPTION_ROUTER = 3,
    DHCP_OPTION_DNS = 6,
    DHCP_OPTION_HOST_NAME = 12,
    DHCP_OPTION_DOMAIN = 15,
    DHCP_OPTION_MTU = 26,
    DHCP_OPTION_BROADCAST = 28,
    DHCP_OPTION_NTP = 42,
    DHCP_OPTION_REQUESTED_IP = 50,
    DHCP_OPTION_LEASE_TIME = 51,
    DHCP_OPTION_OVERLOAD = 52,
    DHCP_OPTION_TYPE = 53,
    DHCP_OPTION_SERVER_ID = 54,
    DHCP_OPTION_PARAMETERS = 55,
    DHCP_OPTION_MESSAGE = 56,
    DHCP_OPTION_MAX_MESSAGE = 57,
    DHCP_OPTION_T1 = 58,
    DHCP_OPTION_T2 = 59,
    DHCP_OPTION_VENDOR_CLASS = 60,
    DHCP_OPTION_CLIENT_ID = 61,
    DHCP_OPTION_SEARCH = 119,
    DHCP_OPTION_ROUTES = 121,
    DHCP_OPTION_END = 255
};

/* Longest joined value that is looked at: what a message of the usual 1500 bytes can carry at most. */
#define DHCP_OPTION_JOINED_MAX 1280u

/* Borrowed areas in the order in which they are read. */
struct dhcp_options {
    struct {
        const uint8_t *at;
        size_t length;
    } area[3];
    unsigned areas;
};

/* Collects the areas. False: an option reaches beyond the end of its area, so nothing can be believed. */
bool dhcp_options_open(struct dhcp_options *options, const uint8_t *field, size_t length,
                       const uint8_t file[128], const uint8_t sname[64]);

/* Joins the parts of option code in value, at most size bytes of them, and gives the full length; 0: it
 * is not there, or empty. */
size_t dhcp_options_find(const struct dhcp_options *options, uint8_t code, uint8_t *value,
                         size_t size);

/* Options of a fixed size; false, *value unchanged, when missing or of another size. */
bool dhcp_options_u8(const struct dhcp_options *options, uint8_t code, uint8_t *value);
bool dhcp_options_u16(const struct dhcp_options *options, uint8_t code, uint16_t *value);
bool dhcp_options_u32(const struct dhcp_options *options, uint8_t code, uint32_t *value);
bool dhcp_options_ip4(const struct dhcp_options *options, uint8_t code, struct wisp_ip4 *value);

#endif
