/* SPDX-License-Identifier: ISC */
/*
 * Names, for applications that look some up before they begin, one after the other. The servers are
 * those of --nameserver or, without it, the lease's; so wait for an address first (wisp_net_await).
 */
#ifndef WISP_APPS_NET_NAMES_H
#define WISP_APPS_NET_NAMES_H

#include "net.h"
#include <wisp/dns_run.h>

/* A resolver, with what it learned until now. */
struct wisp_net_names {
    struct wisp_net *net;
    struct wisp_dns_run *run;
    struct wisp_dns_lookup *lookup; /* the last one, whose answer is still out */
};

/* Opens one; tcp and by_tcp as in wisp_dns_run_config. Close it before tcp's fini. */
void wisp_net_names_open(struct wisp_net_names *names, struct wisp_net *net, struct wisp_tcp *tcp,
                         const struct wisp_dns_tcp_ops *by_tcp);
void wisp_net_names_close(struct wisp_net_names *names);

/*
 * The addresses of name (length characters), or the name of addr, stepping until the answer is
 * there. Null: *why says why not. The answer is valid until the next question.
 */
const struct wisp_dns_answer *wisp_net_names_addresses(struct wisp_net_names *names,
                                                       const char *name, size_t length,
                                                       const char **why);
const struct wisp_dns_answer *wisp_net_names_name(struct wisp_net_names *names, struct wisp_ip4 ip,
                                                  const char **why);

/* All of that for the addresses of one name, which may be one itself; their number. 0: *why says why not. */
uint32_t wisp_net_find(struct wisp_net *net, const char *name, size_t length, struct wisp_tcp *tcp,
                       const struct wisp_dns_tcp_ops *by_tcp,
                       struct wisp_addr addr[WISP_DNS_ADDRESSES], const char **why);

#endif
