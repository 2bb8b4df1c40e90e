/* SPDX-License-Identifier: ISC */
/* A lease in words, for applications that show it. */
#ifndef WISP_APPS_NET_DHCP_H
#define WISP_APPS_NET_DHCP_H

#include "net.h"
#include "text.h"
#include <wisp/dhcp_run.h>

/* Appends "192.0.2.7/24" and what else the lease says, each as " name=value,value". */
void wisp_net_dhcp_describe(struct wisp_text *text, const struct wisp_dhcp_lease *lease);

/* Who is told of events after they were acted on and logged; null: nobody. */
void wisp_net_dhcp_follow(void (*follow)(struct wisp_net *net,
                                         const struct wisp_dhcp_event *event));

/* Before the first step: asks for this address first, which was leased in an earlier life. */
void wisp_net_dhcp_remember(struct wisp_ip4 before);

#endif
