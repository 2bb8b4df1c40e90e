/* SPDX-License-Identifier: ISC */
/* From a reply's options to a lease that can be used as it is. */
#ifndef WISP_DHCP_LEASE_H
#define WISP_DHCP_LEASE_H

#include "codec.h"

/* What the client's configuration says about leases. */
struct dhcp_lease_rules {
    uint16_t mtu;
    bool wide_routes;
};

/* Fills what a reply says about the network around address: everything but the times. */
void dhcp_lease_read(const struct dhcp_reply *reply, struct wisp_ip4 address,
                     const struct dhcp_lease_rules *rules, struct wisp_dhcp_lease *lease);

/* Fills the times, counted from `from`. False: no lease time, or none at all (0). fuzz, 0..65535, shifts default
 * T1 and T2 by up to a thirty-second of the lease, so that clients started together part (RFC 2131 §4.4.5). */
bool dhcp_lease_time(const struct dhcp_reply *reply, wisp_time from, uint16_t fuzz,
                     struct wisp_dhcp_lease *lease);

/* Options 3 and 121 (routes.c), 12, 15 and 119 (names.c). */
void dhcp_routes_read(const struct dhcp_options *options, const struct dhcp_lease_rules *rules,
                      struct wisp_dhcp_lease *lease);
void dhcp_names_read(const struct dhcp_options *options, struct wisp_dhcp_lease *lease);

#endif
