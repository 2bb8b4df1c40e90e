/* SPDX-License-Identifier: ISC */
/* UDP for an application that asks for it. */
#include "net.h"

struct wisp_udp *wisp_net_udp(struct wisp_net *net, void (*change)(struct wisp_udp_config *config))
{
    struct wisp_udp_config config;
    if (net->udp) {
        return net->udp;
    }
    wisp_udp_config_default(&config);
    config.hash = wisp_platform_hash();
    wisp_platform_entropy(config.seed, sizeof(config.seed));
    if (change) {
        change(&config);
    }
    size_t size = wisp_udp_size(&config);
    struct wisp_udp *udp = wisp_udp_init(wisp_net_memory(size), size, &config);
    if (!udp) {
        wisp_platform_exit(1, "UDP cannot be configured like this");
    }
    wisp_stack_attach(net->stack, wisp_udp_transport(udp), net->now);
    net->udp = udp;
    net->udp_fini = wisp_udp_fini;
    return udp;
}
