/* SPDX-License-Identifier: ISC */
/*
 * Tells the platform of each layer's counters (wisp_platform_counters). Two sets of files fill this: a guest cannot be
 * asked for them, and to name them would link each layer's table of names into its image.
 */
#ifndef WISP_APPS_NET_COUNTERS_H
#define WISP_APPS_NET_COUNTERS_H

struct wisp_stack;
struct wisp_dhcp;
struct wisp_dns;

/* From now on the counters of these are shown on demand, */
void wisp_net_show_stack(const struct wisp_stack *stack);
void wisp_net_show_dhcp(const struct wisp_dhcp *dhcp);
void wisp_net_show_dns(const struct wisp_dns *dns);

/* and from now on not: self ends. */
void wisp_net_show_no_more(const void *self);

#endif
