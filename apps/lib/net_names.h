/* SPDX-License-Identifier: ISC */
/* Names, for applications that look one up before they begin. */
#ifndef WISP_APPS_NET_NAMES_H
#define WISP_APPS_NET_NAMES_H

#include "net.h"
#include <wisp/dns_run.h>

/*
 * Finds an address of name (length characters), which may be one itself, stepping until it is there. tcp and
 * by_tcp as in wisp_dns_run_config. False: *why says why not.
 */
bool wisp_net_find(struct wisp_net *net, const char *name, size_t length, struct wisp_tcp *tcp,
                   const struct wisp_dns_tcp_ops *by_tcp, struct wisp_addr *addr, const char **why);

#endif
