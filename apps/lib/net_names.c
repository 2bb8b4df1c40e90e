/* SPDX-License-Identifier: ISC */
/*
 * See net_names.h. The servers are --nameserver's or, without it, the lease's; so are the domains to search.
 * TCP events before the application has a connection of its own are the resolver's, and are passed over.
 */
#include "net_names.h"
#include "text.h"
#include <wisp/dhcp.h>

static void set_servers(struct wisp_net *net, struct wisp_dns *dns)
{
    const char *given = wisp_platform_param("nameserver");
    const struct wisp_dhcp_lease *lease = net->automatic ? net->automatic->lease(net) : NULL;
    struct wisp_addr server[WISP_DNS_SERVERS];
    const char *domain[WISP_DNS_SEARCH];
    struct wisp_ip4 ip;
    uint32_t count = 0;
    if (given) {
        if (!wisp_ip4_parse(given, wisp_text_length(given), &ip)) {
            wisp_platform_exit(2, "--nameserver is an address like 10.0.0.1");
        }
        server[count++] = wisp_addr_ip4(ip);
    }
    for (uint32_t i = 0; !given && lease && i < lease->name_servers && i < WISP_DNS_SERVERS; i++) {
        server[count++] = wisp_addr_ip4(lease->name_server[i]);
    }
    wisp_dns_set_servers(dns, server, count);
    uint32_t domains = 0;
    for (uint32_t i = 0; lease && i < lease->domains && i < WISP_DNS_SEARCH; i++) {
        domain[domains++] = lease->search[i];
    }
    if (lease && domains == 0 && lease->domain[0]) {
        domain[domains++] = lease->domain;
    }
    wisp_dns_set_search(dns, domain, domains);
}

static struct wisp_dns_run *open(struct wisp_net *net, struct wisp_tcp *tcp,
                                 const struct wisp_dns_tcp_ops *by_tcp)
{
    struct wisp_dns_run_config config = {.udp = wisp_net_udp(net, NULL), .tcp = tcp, .by_tcp = by_tcp};
    wisp_dns_config_default(&config.dns);
    config.dns.lookups = 1;
    config.dns.cached = 8;
    config.dns.hash = wisp_platform_hash();
    wisp_platform_entropy(config.dns.seed, sizeof(config.dns.seed));
    size_t size = wisp_dns_run_size(&config);
    struct wisp_dns_run *run = wisp_dns_run_init(wisp_net_memory(size), size, &config);
    set_servers(net, wisp_dns_run_machine(run));
    return run;
}

static bool wait(struct wisp_net *net, struct wisp_dns_run *run, const struct wisp_dns_lookup *lookup)
{
    wisp_time deadline = wisp_dns_run_step(run, net->now);
    while (wisp_dns_status(lookup) == WISP_DNS_PENDING) {
        if (!wisp_net_step(net, deadline <= net->now ? 0 : deadline)) {
            return false;
        }
        deadline = wisp_dns_run_step(run, net->now);
    }
    return true;
}

bool wisp_net_find(struct wisp_net *net, const char *name, size_t length, struct wisp_tcp *tcp,
                   const struct wisp_dns_tcp_ops *by_tcp, struct wisp_addr *addr, const char **why)
{
    struct wisp_ip4 ip;
    struct wisp_dns_lookup *lookup;
    if (wisp_ip4_parse(name, length, &ip)) {
        *addr = wisp_addr_ip4(ip);
        return true;
    }
    struct wisp_dns_run *run = open(net, tcp, by_tcp);
    struct wisp_dns *dns = wisp_dns_run_machine(run);
    *why = "the host's name is none";
    bool found = false;
    if (wisp_dns_servers(dns) == 0) {
        *why = "no name server is known: give one with --nameserver";
    } else if (wisp_dns_find_address(dns, name, length, net->now, &lookup) == WISP_OK) {
        found = wait(net, run, lookup) && wisp_dns_status(lookup) == WISP_DNS_FOUND;
        *why = wisp_dns_status_text(wisp_dns_status(lookup));
        if (found) {
            *addr = wisp_dns_answer(lookup)->address[0];
        }
    }
    wisp_dns_run_fini(run);
    return found;
}
