/* SPDX-License-Identifier: ISC */
/*
 * Values of the network's parameters that parse and yet cannot work: refused at the start, with what would be right.
 * An image has no room for it, and leaves such a value to what it leads to. What does not parse, applications refuse
 * themselves (apps/lib/net_address.c), on both platforms.
 */
#include "linux.h"
#include <stdio.h>
#include <string.h>

#define NAME_MOST 63u

static char why[256];

static const char *text_of(uint32_t value, char text[WISP_ADDR_TEXT_MAX])
{
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4_from_value(value));
    wisp_addr_text(&addr, text, WISP_ADDR_TEXT_MAX);
    return text;
}

/* Reads --ipv4; false: it is not given, or not an address. */
static bool read_own(struct wisp_ip4 *ip, uint8_t *prefix)
{
    const char *given = wisp_platform_param("ipv4");
    return given && wisp_ip4_parse_prefix(given, strlen(given), ip, prefix);
}

static void check_own(void)
{
    struct wisp_ip4 ip;
    uint8_t prefix;
    char first[WISP_ADDR_TEXT_MAX];
    char last[WISP_ADDR_TEXT_MAX];
    if (!read_own(&ip, &prefix) || (prefix > 0 && wisp_ip4_is_host_within(ip, prefix))) {
        return;
    }
    uint32_t mask = wisp_ip4_mask(prefix);
    uint32_t network = wisp_ip4_value(ip) & mask;
    if (wisp_ip4_is_host(ip) && prefix > 0) {
        snprintf(why, sizeof(why),
                 "--ipv4=%.40s is not the address of a host: in this network they go from %s to %s",
                 wisp_platform_param("ipv4"), text_of(network + 1, first),
                 text_of((network | ~mask) - 1, last));
    } else {
        snprintf(why, sizeof(why),
                 "--ipv4=%.40s is not the address of a host, like 10.0.0.2/24: they go from "
                 "1.0.0.0 to 223.255.255.255, without 127.0.0.0/8, in a network of 1 to 32 bits",
                 wisp_platform_param("ipv4"));
    }
    wisp_platform_exit(2, why);
}

static void check_gateway(void)
{
    const char *given = wisp_platform_param("ipv4-gateway");
    struct wisp_ip4 gateway;
    struct wisp_ip4 own;
    uint8_t prefix;
    if (!given || !wisp_ip4_parse(given, strlen(given), &gateway)) {
        return;
    }
    bool fits = wisp_ip4_is_host(gateway);
    if (fits && read_own(&own, &prefix)) {
        uint32_t mask = wisp_ip4_mask(prefix);
        bool inside = ((wisp_ip4_value(own) ^ wisp_ip4_value(gateway)) & mask) == 0;
        fits =
            !wisp_ip4_equal(own, gateway) && (!inside || wisp_ip4_is_host_within(gateway, prefix));
    }
    if (!fits) {
        snprintf(why, sizeof(why),
                 "--ipv4-gateway=%.40s is not the address of another host, like 10.0.0.1", given);
        wisp_platform_exit(2, why);
    }
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A host's name as RFC 1123 §2.1 has it, and underscores, which some use. */
static bool is_host_name(const char *name)
{
    for (size_t i = 0; name[i]; i++) {
        bool edge = i == 0 || name[i - 1] == '.' || !name[i + 1] || name[i + 1] == '.';
        bool inner = name[i] == '-' || name[i] == '_' || (name[i] == '.' && name[i + 1]);
        if (!is_letter_or_digit(name[i]) && (!inner || edge)) {
            return false;
        }
    }
    return true;
}

static void check_name(void)
{
    const char *given = wisp_platform_param("dhcp-name");
    if (given && strlen(given) <= NAME_MOST && !is_host_name(given)) {
        snprintf(why, sizeof(why),
                 "--dhcp-name=%.63s: a host's name is letters and digits, with - and _ between "
                 "them, in parts joined by dots",
                 given);
        wisp_platform_exit(2, why);
    }
}

void linux_check(void)
{
    check_own();
    check_gateway();
    check_name();
}
