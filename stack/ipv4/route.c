/* SPDX-License-Identifier: ISC */
/*
 * Addresses and routes (RFC 1122 §3.3.1, RFC 4632). The network of each address is a route of its
 * own, looked at together with the table's; the longest prefix wins, the connected network among
 * equals. Of several routes with the same prefix the first whose gateway is not known dead is
 * taken: the gateways are watched by ARP, only while there is traffic for them (RFC 1122 §3.3.1.4).
 */
#include "assert.h"
#include "ipv4_priv.h"

void wisp_ipv4_changed(struct wisp_ipv4 *ip)
{
    ip->heard = 0;
    if (++ip->generation == 0) {
        ip->generation = 1;
    }
}

const struct wisp_ipv4_address *wisp_ipv4_address_find(const struct wisp_ipv4 *ip,
                                                       struct wisp_ip4 own)
{
    uint32_t value = wisp_ip4_value(own);
    for (uint32_t i = 0; i < ip->addresses; i++) {
        if (ip->address[i].value == value && ip->address[i].usable) {
            return &ip->address[i];
        }
    }
    return NULL;
}

static struct wisp_ipv4_address *find_any(struct wisp_ipv4 *ip, struct wisp_ip4 own)
{
    for (uint32_t i = 0; i < ip->addresses; i++) {
        if (wisp_ip4_equal(ip->address[i].ip, own)) {
            return &ip->address[i];
        }
    }
    return NULL;
}

static bool may_be_own(struct wisp_ip4 own, uint8_t prefix)
{
    return prefix > 0 && wisp_ip4_is_host_within(own, prefix);
}

enum wisp_err wisp_ipv4_address_add(struct wisp_ipv4 *ip, struct wisp_ip4 own, uint8_t prefix,
                                    enum wisp_claim_start start, wisp_time now)
{
    if (prefix > 32 || !may_be_own(own, prefix)) {
        return WISP_ERR_INVALID;
    }
    struct wisp_ipv4_address *there = find_any(ip, own);
    if (there && there->prefix != prefix) {
        there->mask = wisp_ip4_mask(prefix);
        there->prefix = prefix;
        wisp_ipv4_changed(ip);
        return WISP_OK;
    }
    if (there) {
        return WISP_ERR_IN_USE;
    }
    if (ip->addresses == WISP_IPV4_ADDRESSES) {
        return WISP_ERR_FULL;
    }
    ip->address[ip->addresses++] = (struct wisp_ipv4_address){
        .ip = own, .value = wisp_ip4_value(own), .mask = wisp_ip4_mask(prefix), .prefix = prefix};
    wisp_ipv4_changed(ip);
    bool claimed = wisp_arp_claim(ip->arp, own, start, now);
    WISP_ASSERT(claimed);
    (void)claimed;
    return WISP_OK;
}

void wisp_ipv4_address_usable(struct wisp_ipv4 *ip, struct wisp_ip4 own)
{
    struct wisp_ipv4_address *address = find_any(ip, own);
    if (address) {
        address->usable = true;
        wisp_ipv4_changed(ip);
    }
}

bool wisp_ipv4_address_remove(struct wisp_ipv4 *ip, struct wisp_ip4 own, wisp_time now)
{
    struct wisp_ipv4_address *address = find_any(ip, own);
    if (!address) {
        return false;
    }
    uint32_t behind = ip->addresses - (uint32_t)(address - ip->address) - 1;
    memmove(address, address + 1, behind * sizeof(*address));
    ip->addresses--;
    wisp_arp_release(ip->arp, own);
    wisp_ipv4_changed(ip);
    struct wisp_addr addr = wisp_addr_ip4(own);
    for (struct wisp_transport *t = ip->transport; t; t = t->next) {
        if (t->ops->address_lost) {
            t->ops->address_lost(t->self, &addr, now);
        }
    }
    return true;
}

const struct wisp_ipv4_address *wisp_ipv4_source_for(const struct wisp_ipv4 *ip,
                                                     struct wisp_ip4 target)
{
    const struct wisp_ipv4_address *best = NULL;
    uint32_t value = wisp_ip4_value(target);
    for (uint32_t i = 0; i < ip->addresses; i++) {
        const struct wisp_ipv4_address *a = &ip->address[i];
        if (a->usable && ((a->value ^ value) & a->mask) == 0) {
            return a;
        }
        if (a->usable && !best) {
            best = a;
        }
    }
    return best;
}

enum wisp_err wisp_ipv4_route_add(struct wisp_ipv4 *ip, struct wisp_ip4 network, uint8_t prefix,
                                  const struct wisp_ip4 *gateway)
{
    if (prefix > 32 || (gateway && !wisp_ip4_is_host(*gateway))) {
        return WISP_ERR_INVALID;
    }
    uint32_t mask = wisp_ip4_mask(prefix);
    if ((wisp_ip4_value(network) & ~mask) != 0) {
        return WISP_ERR_INVALID;
    }
    if (ip->routes == ip->routes_max) {
        return WISP_ERR_FULL;
    }
    uint32_t at = 0;
    while (at < ip->routes && ip->route[at].mask >= mask) {
        at++;
    }
    memmove(&ip->route[at + 1], &ip->route[at], (ip->routes - at) * sizeof(ip->route[0]));
    ip->route[at] = (struct wisp_ipv4_route){
        .network = wisp_ip4_value(network), .mask = mask, .direct = gateway == NULL};
    if (gateway) {
        ip->route[at].gateway = *gateway;
    }
    ip->routes++;
    wisp_ipv4_changed(ip);
    return WISP_OK;
}

void wisp_ipv4_routes_clear(struct wisp_ipv4 *ip)
{
    ip->routes = 0;
    wisp_ipv4_changed(ip);
}

/* The longest prefix of connected networks over value; *mask is its. */
static bool is_connected(const struct wisp_ipv4 *ip, uint32_t value, uint32_t *mask)
{
    bool found = false;
    for (uint32_t i = 0; i < ip->addresses; i++) {
        const struct wisp_ipv4_address *a = &ip->address[i];
        if (a->prefix < 32 && ((a->value ^ value) & a->mask) == 0 && (!found || a->mask > *mask)) {
            *mask = a->mask;
            found = true;
        }
    }
    return found;
}

/* The first of the longest prefixes over value in the table, or null. */
static const struct wisp_ipv4_route *longest(const struct wisp_ipv4 *ip, uint32_t value)
{
    for (uint32_t i = 0; i < ip->routes; i++) {
        if ((value & ip->route[i].mask) == ip->route[i].network) {
            return &ip->route[i];
        }
    }
    return NULL;
}

static bool are_equal(const struct wisp_ipv4_route *a, const struct wisp_ipv4_route *b)
{
    return a->mask == b->mask && a->network == b->network;
}

/* Of the routes equal to route, from there on, the first whose gateway lives; route itself if none
 * does. */
static const struct wisp_ipv4_route *alive(const struct wisp_ipv4 *ip,
                                           const struct wisp_ipv4_route *route)
{
    const struct wisp_ipv4_route *end = ip->route + ip->routes;
    for (const struct wisp_ipv4_route *r = route; r < end; r++) {
        if (are_equal(r, route) && (r->direct || !wisp_arp_is_dead(ip->arp, r->gateway))) {
            return r;
        }
    }
    return route;
}

void wisp_ipv4_retry_gateways(struct wisp_ipv4 *ip, struct wisp_ip4 destination, wisp_time now)
{
    const struct wisp_ipv4_route *end = ip->route + ip->routes;
    const struct wisp_ipv4_route *route = longest(ip, wisp_ip4_value(destination));
    if (!route || alive(ip, route) == route) {
        return; /* the best one lives, or all are dead: then it is asked by being used */
    }
    for (const struct wisp_ipv4_route *r = route; r < end; r++) {
        if (are_equal(r, route) && !r->direct) {
            wisp_arp_retry(ip->arp, r->gateway, now);
        }
    }
}

bool wisp_ipv4_next_hop(const struct wisp_ipv4 *ip, struct wisp_ip4 destination,
                        struct wisp_ip4 *hop)
{
    uint32_t value = wisp_ip4_value(destination);
    uint32_t connected_mask = 0;
    bool connected = is_connected(ip, value, &connected_mask);
    const struct wisp_ipv4_route *route = longest(ip, value);
    *hop = destination;
    if (connected && (!route || connected_mask >= route->mask)) {
        return true;
    }
    if (!route) {
        return false;
    }
    route = alive(ip, route);
    if (!route->direct) {
        *hop = route->gateway;
    }
    return true;
}

bool wisp_ipv4_is_gateway(const struct wisp_ipv4 *ip, struct wisp_ip4 addr)
{
    for (uint32_t i = 0; i < ip->routes; i++) {
        if (!ip->route[i].direct && wisp_ip4_equal(ip->route[i].gateway, addr)) {
            return true;
        }
    }
    return false;
}

bool wisp_ipv4_is_broadcast(const struct wisp_ipv4 *ip, struct wisp_ip4 addr)
{
    uint32_t value = wisp_ip4_value(addr);
    if (value == UINT32_MAX || value == 0) {
        return true;
    }
    for (uint32_t i = 0; i < ip->addresses; i++) {
        const struct wisp_ipv4_address *a = &ip->address[i];
        uint32_t host = value & ~a->mask;
        if (a->prefix < 31 && ((value ^ a->value) & a->mask) == 0 &&
            (host == 0 || host == ~a->mask)) {
            return true;
        }
    }
    return false;
}

bool wisp_ipv4_is_on_link(const struct wisp_ipv4 *ip, struct wisp_ip4 addr)
{
    uint32_t value = wisp_ip4_value(addr);
    uint32_t mask = 0;
    if (!wisp_ip4_is_host(addr) || wisp_ipv4_is_broadcast(ip, addr)) {
        return false;
    }
    for (uint32_t i = 0; i < ip->addresses; i++) {
        if (ip->address[i].value == value) {
            return false;
        }
    }
    bool connected = is_connected(ip, value, &mask);
    const struct wisp_ipv4_route *route = longest(ip, value);
    if (connected && (!route || mask >= route->mask)) {
        return true;
    }
    return route && route->direct;
}
