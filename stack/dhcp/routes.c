/* SPDX-License-Identifier: ISC */
/*
 * Routers (RFC 2132 §3.5) and classless routes (RFC 3442), which replace them when present.
 *
 * A router may lie outside the subnet: clouds give /32 masks and a gateway beyond, which is then asked for
 * on the link (RFC 3442's route with gateway 0.0.0.0 says the same). It must be a single host and not we.
 * Routes with prefix 1..7 are left out unless allowed: a server that sends 0/1 and 128/1 beside a default
 * route does so to win over whatever else decides where packets go (CVE-2024-3661).
 */
#include "bytes.h"
#include "lease.h"
#include <string.h>

static bool is_router(struct wisp_ip4 ip, const struct wisp_dhcp_lease *lease)
{
    return wisp_ip4_is_host(ip) && !wisp_ip4_equal(ip, lease->address) &&
           (lease->prefix > 30 || !wisp_ip4_equal(ip, lease->broadcast));
}

static void add_route(struct wisp_dhcp_lease *lease, const struct wisp_dhcp_route *route,
                      enum wisp_dhcp_adjusted otherwise)
{
    if (lease->routes == WISP_DHCP_ROUTES) {
        lease->adjusted |= (uint8_t)otherwise;
        return;
    }
    lease->route[lease->routes++] = *route;
}

static void read_routers(const struct dhcp_options *options, struct wisp_dhcp_lease *lease)
{
    uint8_t list[4 * 64];
    size_t length = dhcp_options_find(options, DHCP_OPTION_ROUTER, list, sizeof(list));
    if (length > sizeof(list)) {
        length = sizeof(list);
    }
    if (length % 4 != 0) {
        lease->adjusted |= WISP_DHCP_ADJUSTED_ROUTER;
        return;
    }
    for (size_t at = 0; at < length; at += 4) {
        struct wisp_dhcp_route route = {{{0, 0, 0, 0}}, 0, wisp_ip4_get(list + at)};
        if (is_router(route.gateway, lease)) {
            add_route(lease, &route, WISP_DHCP_ADJUSTED_ROUTER);
        } else {
            lease->adjusted |= WISP_DHCP_ADJUSTED_ROUTER;
        }
    }
}

/* One descriptor at *at; false when it is malformed and what follows cannot be told apart any more. */
static bool next_route(const uint8_t *list, size_t length, size_t *at,
                       struct wisp_dhcp_route *route)
{
    uint8_t width = list[*at];
    size_t octets = (width + 7u) / 8u;
    if (width > 32 || length - *at < 1 + octets + 4) {
        return false;
    }
    memset(route, 0, sizeof(*route));
    memcpy(route->network.octet, list + *at + 1, octets);
    route->prefix = width;
    route->network = wisp_ip4_from_value(wisp_ip4_value(route->network) & wisp_ip4_mask(width));
    route->gateway = wisp_ip4_get(list + *at + 1 + octets);
    *at += 1 + octets + 4;
    return true;
}

static bool is_wanted(const struct wisp_dhcp_route *route, const struct dhcp_lease_rules *rules,
                      const struct wisp_dhcp_lease *lease)
{
    bool on_link = wisp_ip4_value(route->gateway) == 0;
    if (route->prefix > 0 && !wisp_ip4_is_host(route->network) &&
        !(rules->wide_routes && route->prefix < 8)) {
        return false;
    }
    return (on_link || is_router(route->gateway, lease)) &&
           (route->prefix == 0 || route->prefix >= 8 || rules->wide_routes);
}

/* False: the option is malformed, and nothing of it is used. */
static bool read_classless(const uint8_t *list, size_t length, const struct dhcp_lease_rules *rules,
                           struct wisp_dhcp_lease *lease)
{
    size_t at = 0;
    while (at < length) {
        struct wisp_dhcp_route route;
        if (!next_route(list, length, &at, &route)) {
            lease->routes = 0;
            return false;
        }
        if (is_wanted(&route, rules, lease)) {
            add_route(lease, &route, WISP_DHCP_ADJUSTED_ROUTES);
        } else {
            lease->adjusted |= WISP_DHCP_ADJUSTED_ROUTES;
        }
    }
    return true;
}

void dhcp_routes_read(const struct dhcp_options *options, const struct dhcp_lease_rules *rules,
                      struct wisp_dhcp_lease *lease)
{
    uint8_t list[DHCP_OPTION_JOINED_MAX];
    size_t length = dhcp_options_find(options, DHCP_OPTION_ROUTES, list, sizeof(list));
    if (length > 0 && length <= sizeof(list) && read_classless(list, length, rules, lease)) {
        return;
    }
    if (length > 0) {
        lease->adjusted |= WISP_DHCP_ADJUSTED_ROUTES;
    }
    read_routers(options, lease);
}
