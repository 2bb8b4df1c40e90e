/* SPDX-License-Identifier: ISC */
/*
 * See net_names.h. The servers are --nameserver's or, without it, the lease's; so are the domains to search.
 * TCP events before the application has a connection of its own are the resolver's, and are passed over.
 */
#include "net_names.h"
#include "net_address.h"
#include "net_counters.h"
#include <wisp/dhcp.h>

_Static_assert(WISP_NET_NAMESERVERS == WISP_DNS_SERVERS, "as many as the resolver takes");

static void set_servers(struct wisp_net *net, struct wisp_dns *dns)
{
    const struct wisp_dhcp_lease *lease = net->automatic ? net->automatic->lease(net) : NULL;
    struct wisp_ip4 given[WISP_DNS_SERVERS];
    struct wisp_addr server[WISP_DNS_SERVERS];
    const char *domain[WISP_DNS_SEARCH];
    uint32_t count = wisp_net_nameservers(given);
    for (uint32_t i = 0; i < count; i++) {
        server[i] = wisp_addr_ip4(given[i]);
    }
    bool told = count == 0 && lease;
    for (uint32_t i = 0; told && i < lease->name_servers && i < WISP_DNS_SERVERS; i++) {
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

void wisp_net_names_open(struct wisp_net_names *names, struct wisp_net *net, struct wisp_tcp *tcp,
                         const struct wisp_dns_tcp_ops *by_tcp)
{
    struct wisp_dns_run_config config = {
        .udp = wisp_net_udp(net, NULL), .tcp = tcp, .by_tcp = by_tcp};
    wisp_dns_config_default(&config.dns);
    config.dns.lookups = 1;
    config.dns.cached = 8;
    config.dns.hash = wisp_platform_hash();
    wisp_platform_entropy(config.dns.seed, sizeof(config.dns.seed));
    size_t size = wisp_dns_run_size(&config);
    *names = (struct wisp_net_names){.net = net};
    names->run = wisp_dns_run_init(wisp_net_memory(size), size, &config);
    set_servers(net, wisp_dns_run_machine(names->run));
    wisp_net_show_dns(wisp_dns_run_machine(names->run));
}

static void release(struct wisp_net_names *names)
{
    if (names->lookup) {
        wisp_dns_release(names->lookup);
        names->lookup = NULL;
    }
}

void wisp_net_names_close(struct wisp_net_names *names)
{
    release(names);
    wisp_net_show_no_more(wisp_dns_run_machine(names->run));
    wisp_dns_run_fini(names->run);
}

/* Steps until the lookup is over; then its answer, or why there is none. */
static const struct wisp_dns_answer *wait(struct wisp_net_names *names, const char **why)
{
    struct wisp_net *net = names->net;
    wisp_time deadline = wisp_dns_run_step(names->run, net->now);
    while (wisp_dns_status(names->lookup) == WISP_DNS_PENDING) {
        if (!wisp_net_step(net, deadline <= net->now ? 0 : deadline)) {
            *why = "ended before there was an answer";
            return NULL;
        }
        deadline = wisp_dns_run_step(names->run, net->now);
    }
    *why = wisp_dns_status_text(wisp_dns_status(names->lookup));
    return wisp_dns_answer(names->lookup);
}

/* Whether there is anybody to ask; makes room for a question. */
static bool ready(struct wisp_net_names *names, const char **why)
{
    release(names);
    *why = "no name server is known: give one with --nameserver";
    return wisp_dns_servers(wisp_dns_run_machine(names->run)) > 0;
}

const struct wisp_dns_answer *wisp_net_names_addresses(struct wisp_net_names *names,
                                                       const char *name, size_t length,
                                                       const char **why)
{
    if (!ready(names, why)) {
        return NULL;
    }
    *why = "the host's name is none";
    enum wisp_err err = wisp_dns_find_address(wisp_dns_run_machine(names->run), name, length,
                                              names->net->now, &names->lookup);
    return err ? NULL : wait(names, why);
}

const struct wisp_dns_answer *wisp_net_names_name(struct wisp_net_names *names, struct wisp_ip4 ip,
                                                  const char **why)
{
    struct wisp_addr addr = wisp_addr_ip4(ip);
    if (!ready(names, why)) {
        return NULL;
    }
    enum wisp_err err = wisp_dns_find_name(wisp_dns_run_machine(names->run), &addr, names->net->now,
                                           &names->lookup);
    return err ? NULL : wait(names, why);
}

uint32_t wisp_net_find(struct wisp_net *net, const char *name, size_t length, struct wisp_tcp *tcp,
                       const struct wisp_dns_tcp_ops *by_tcp,
                       struct wisp_addr addr[WISP_DNS_ADDRESSES], const char **why)
{
    uint32_t count = 0;
    struct wisp_ip4 ip;
    struct wisp_net_names names;
    if (wisp_ip4_parse(name, length, &ip)) {
        *addr = wisp_addr_ip4(ip);
        return 1;
    }
    wisp_net_names_open(&names, net, tcp, by_tcp);
    const struct wisp_dns_answer *answer = wisp_net_names_addresses(&names, name, length, why);
    while (answer && count < answer->addresses) {
        addr[count] = answer->address[count];
        count++;
    }
    wisp_net_names_close(&names);
    return count;
}
