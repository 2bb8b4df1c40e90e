/* SPDX-License-Identifier: ISC */
/* See net_counters.h: for an image, which names none of them. */
#include "net_counters.h"

void wisp_net_show_stack(const struct wisp_stack *stack)
{
    (void)stack;
}

void wisp_net_show_dhcp(const struct wisp_dhcp *dhcp)
{
    (void)dhcp;
}

void wisp_net_show_dns(const struct wisp_dns *dns)
{
    (void)dns;
}

void wisp_net_show_no_more(const void *self)
{
    (void)self;
}
