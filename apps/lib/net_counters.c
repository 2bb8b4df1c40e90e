/* SPDX-License-Identifier: ISC */
/* See net_counters.h: for a process. */
#include "net_counters.h"
#include <wisp/dhcp.h>
#include <wisp/platform.h>
#include <wisp/stack.h>

static bool stack_counter(const void *self, uint32_t index, struct wisp_counter *counter)
{
    return wisp_stack_counter(self, index, counter);
}

void wisp_net_show_stack(const struct wisp_stack *stack)
{
    wisp_platform_counters(stack_counter, stack);
}

static bool dhcp_counter(const void *self, uint32_t index, struct wisp_counter *counter)
{
    return wisp_dhcp_counter(self, index, counter);
}

void wisp_net_show_dhcp(const struct wisp_dhcp *dhcp)
{
    wisp_platform_counters(dhcp_counter, dhcp);
}

void wisp_net_show_no_more(const void *self)
{
    wisp_platform_counters(NULL, self);
}
