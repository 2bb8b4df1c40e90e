/* SPDX-License-Identifier: ISC */
/*
 * Which leases are taken, and what is made of odd ones (RFC 2131 §4.4.1, §4.4.5; RFC 2132).
 *
 *   said by the server                        what the lease becomes
 *   no lease time, or 0                       none: the reply is not used
 *   0xffffffff seconds                        no end, no renewal
 *   not 0 < T1 < T2 < lease                   T1, T2 = 1/2, 7/8 of the lease
 *   no mask, one with holes, or 0.0.0.0       the mask of the address's class
 *   a mask of 1 to 7 bits                     the same, unless wide routes are allowed: see routes.c
 *   a broadcast address that is not the mask's nor 255.255.255.255: the mask's, as always
 *   MTU below 68                              not said
 *   MTU 68..575, or above the device's        576, the device's
 *
 * Every replacement leaves its bit in lease->adjusted, so that it can be told once.
 */
#include "lease.h"
#include "bytes.h"
#include <string.h>

#define MTU_ILLEGAL_BELOW 68u
#define MTU_FLOOR         576u
#define FOREVER           UINT32_MAX

static uint8_t class_prefix(struct wisp_ip4 ip)
{
    if (ip.octet[0] < 128) {
        return 8;
    }
    return ip.octet[0] < 192 ? 16 : 24;
}

static bool mask_prefix(uint32_t mask, uint8_t least, uint8_t *prefix)
{
    uint8_t bits = 0;
    while (bits < 32 && mask & 0x80000000u >> bits) {
        bits++;
    }
    *prefix = bits;
    return bits >= least && mask == wisp_ip4_mask(bits);
}

static void read_mask(const struct dhcp_options *options, bool wide, struct wisp_dhcp_lease *lease)
{
    uint32_t mask;
    if (!dhcp_options_u32(options, DHCP_OPTION_MASK, &mask) ||
        !mask_prefix(mask, wide ? 1 : 8, &lease->prefix)) {
        lease->prefix = class_prefix(lease->address);
        lease->adjusted |= WISP_DHCP_ADJUSTED_MASK;
    }
    lease->broadcast =
        wisp_ip4_from_value(wisp_ip4_value(lease->address) | ~wisp_ip4_mask(lease->prefix));
    uint32_t said;
    if (dhcp_options_u32(options, DHCP_OPTION_BROADCAST, &said) && said != UINT32_MAX &&
        said != wisp_ip4_value(lease->broadcast)) {
        lease->adjusted |= WISP_DHCP_ADJUSTED_BROADCAST;
    }
}

static void read_mtu(const struct dhcp_options *options, uint16_t most,
                     struct wisp_dhcp_lease *lease)
{
    uint16_t mtu;
    lease->mtu = 0;
    if (!dhcp_options_u16(options, DHCP_OPTION_MTU, &mtu)) {
        return;
    }
    uint16_t least = most < MTU_FLOOR ? most : MTU_FLOOR;
    if (mtu < MTU_FLOOR || mtu > most) {
        lease->adjusted |= WISP_DHCP_ADJUSTED_MTU;
    }
    if (mtu >= MTU_ILLEGAL_BELOW) {
        lease->mtu = mtu < least ? least : mtu > most ? most : mtu;
    }
}

static uint8_t read_servers(const struct dhcp_options *options, uint8_t code,
                            struct wisp_ip4 servers[WISP_DHCP_SERVERS],
                            struct wisp_dhcp_lease *lease)
{
    uint8_t list[4 * 64];
    uint8_t count = 0;
    size_t length = dhcp_options_find(options, code, list, sizeof(list));
    if (length > sizeof(list)) {
        length = sizeof(list);
    }
    if (length % 4 != 0) {
        lease->adjusted |= WISP_DHCP_ADJUSTED_SERVERS;
        return 0;
    }
    for (size_t at = 0; at < length && count < WISP_DHCP_SERVERS; at += 4) {
        struct wisp_ip4 server = wisp_ip4_get(list + at);
        if (wisp_ip4_is_host(server)) {
            servers[count++] = server;
        } else {
            lease->adjusted |= WISP_DHCP_ADJUSTED_SERVERS;
        }
    }
    return count;
}

void dhcp_lease_read(const struct dhcp_reply *reply, struct wisp_ip4 address,
                     const struct dhcp_lease_rules *rules, struct wisp_dhcp_lease *lease)
{
    const struct dhcp_options *options = &reply->options;
    memset(lease, 0, sizeof(*lease));
    lease->address = address;
    lease->server = reply->server;
    lease->from = lease->renew = lease->rebind = lease->until = WISP_NEVER;
    read_mask(options, rules->wide_routes, lease);
    read_mtu(options, rules->mtu, lease);
    lease->name_servers = read_servers(options, DHCP_OPTION_DNS, lease->name_server, lease);
    lease->time_servers = read_servers(options, DHCP_OPTION_NTP, lease->time_server, lease);
    dhcp_routes_read(options, rules, lease);
    dhcp_names_read(options, lease);
}

/* Defaults around a half and seven eighths: fuzz moves both by the same -1/32 .. +1/32 of the lease. */
static void default_times(wisp_time length, uint16_t fuzz, wisp_time *t1, wisp_time *t2)
{
    wisp_time span = length / 16;
    wisp_time shift = span / 65536 * fuzz;
    *t1 = length / 2 - span / 2 + shift;
    *t2 = length / 8 * 7 - span / 2 + shift;
}

bool dhcp_lease_time(const struct dhcp_reply *reply, wisp_time from, uint16_t fuzz,
                     struct wisp_dhcp_lease *lease)
{
    uint32_t seconds = 0;
    uint32_t t1 = 0;
    uint32_t t2 = 0;
    if (!dhcp_options_u32(&reply->options, DHCP_OPTION_LEASE_TIME, &seconds) || seconds == 0) {
        return false;
    }
    lease->from = from;
    lease->renew = lease->rebind = lease->until = WISP_NEVER;
    if (seconds == FOREVER) {
        return true;
    }
    wisp_time renew;
    wisp_time rebind;
    default_times(WISP_SEC(seconds), fuzz, &renew, &rebind);
    bool has_t1 = dhcp_options_u32(&reply->options, DHCP_OPTION_T1, &t1);
    bool has_t2 = dhcp_options_u32(&reply->options, DHCP_OPTION_T2, &t2);
    wisp_time said_renew = has_t1 ? WISP_SEC(t1) : renew;
    wisp_time said_rebind = has_t2 ? WISP_SEC(t2) : rebind;
    if (said_renew > 0 && said_renew < said_rebind && said_rebind < WISP_SEC(seconds)) {
        renew = said_renew;
        rebind = said_rebind;
    } else {
        lease->adjusted |= WISP_DHCP_ADJUSTED_TIMES;
    }
    lease->renew = wisp_time_add(from, renew);
    lease->rebind = wisp_time_add(from, rebind);
    lease->until = wisp_time_add(from, WISP_SEC(seconds));
    return true;
}
