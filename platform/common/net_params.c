/* SPDX-License-Identifier: ISC */
/* The parameters of the network set-up (apps/lib/net.c reads them), spelled as MirageOS spells them. */
#include "params.h"

const struct wisp_param wisp_net_params[] = {
    {"ipv4", NULL, "ADDR[/BITS]",
     "own address (BITS: 32), or dhcp; without it xenstore's ip, then dhcp"},
    {"ipv4-gateway", NULL, "ADDR", "router to all else, instead of those DHCP tells"},
    {"ipv4-probe", "beside", "beside|wait|none",
     "probe for the address: while using it, before (RFC 5227), or not"},
    {"nameserver", NULL, "ADDR[,ADDR]", "name servers, if it uses names: up to four, not DHCP's"},
    {"dhcp-id", NULL, "TEXT",
     "DHCP: client identifier, of type 0; without it one made of the MAC (RFC 4361)"},
    {"dhcp-name", NULL, "NAME", "DHCP: host name to tell the server"},
    {"dhcp-floor", "60", "SECONDS", "DHCP: least time between two requests to renew"},
    {"dhcp-delay", NULL, NULL, "DHCP: wait 1 to 10 s before the first message (RFC 2131)"},
    {"dhcp-broadcast", NULL, NULL, "DHCP: ask for answers by broadcast, for links that need it"},
    {"dhcp-wide-routes", NULL, NULL, "DHCP: believe masks, routes of 1 to 7 bits (CVE-2024-3661)"},
    {NULL, NULL, NULL, NULL},
};
