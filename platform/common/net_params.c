/* SPDX-License-Identifier: ISC */
/* The parameters of the network set-up (apps/lib/net.c reads them), spelled as MirageOS spells them. */
#include "params.h"

const struct wisp_param wisp_net_params[] = {
    {"ipv4", "10.0.0.2/24", "ADDR/BITS", "own address and network"},
    {"ipv4-gateway", NULL, "ADDR", "router to everywhere else"},
    {"ipv4-probe", "beside", "beside|wait|none",
     "look for another host with the address: while using it, before, or not"},
    {NULL, NULL, NULL, NULL},
};
