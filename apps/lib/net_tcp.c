/* SPDX-License-Identifier: ISC */
/* TCP for an application that asks for it. */
#include "net.h"

struct wisp_tcp *wisp_net_tcp(struct wisp_net *net, void (*change)(struct wisp_tcp_config *config))
{
    struct wisp_tcp_config config;
    wisp_tcp_config_default(&config);
    config.cc = &wisp_tcp_cc_newreno;
    config.hash = wisp_platform_hash();
    wisp_platform_entropy(config.seed, sizeof(config.seed));
    if (change) {
        change(&config);
    }
    size_t size = wisp_tcp_size(&config);
    struct wisp_tcp *tcp = wisp_tcp_init(wisp_net_memory(size), size, &config);
    if (!tcp) {
        wisp_platform_exit(1, "TCP cannot be configured like this");
    }
    wisp_stack_attach(net->stack, wisp_tcp_transport(tcp), net->now);
    return tcp;
}
