/* SPDX-License-Identifier: ISC */
/* Where the address comes from: the command line, then the platform (xenstore), then the network (DHCP). */
#ifndef WISP_APPS_NET_ADDRESS_H
#define WISP_APPS_NET_ADDRESS_H

#include "net.h"

struct wisp_net_address {
    struct wisp_ip4 ip;
    uint8_t prefix;
    bool has_gateway;
    struct wisp_ip4 gateway;
};

/*
 * Reads what a platform tells: "ADDR MASK [GATEWAY]", "ADDR/BITS [GATEWAY]" or "ADDR" alone (24 bits then),
 * the parts separated by blanks. False when it is none of these.
 */
bool wisp_net_address_parse(const char *text, struct wisp_net_address *address);

#define WISP_NET_NAMESERVERS 4u /* as many as the resolver takes */

/* The addresses --nameserver lists, with commas between; ends the program for anything else. 0: it
 * is not given. */
uint32_t wisp_net_nameservers(struct wisp_ip4 server[WISP_NET_NAMESERVERS]);

/* Says on level who runs on what (net.c). */
void wisp_net_banner(const struct wisp_net *net, enum wisp_log_level level);

/* Gives the stack its address, or starts to ask the network for one; says on level, behind the banner, which it
 * was. A wrong parameter ends the program before anything else is said. */
void wisp_net_configure(struct wisp_net *net, enum wisp_log_level level);

/* Asks the network (net_dhcp.c): sets net->automatic. inform: the address is there, ask for the rest. */
void wisp_net_dhcp_open(struct wisp_net *net, const struct wisp_net_address *inform);

#endif
