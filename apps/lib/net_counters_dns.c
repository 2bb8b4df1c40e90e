/* SPDX-License-Identifier: ISC */
/* See net_counters.h: for a process that names the resolver. */
#include "net_counters.h"
#include <wisp/dns.h>
#include <wisp/platform.h>

static bool dns_counter(const void *self, uint32_t index, struct wisp_counter *counter)
{
    return wisp_dns_counter(self, index, counter);
}

void wisp_net_show_dns(const struct wisp_dns *dns)
{
    wisp_platform_counters(dns_counter, dns);
}
