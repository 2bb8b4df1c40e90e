/* SPDX-License-Identifier: ISC */
/* Everything an application may include, at once. Modules include what they need instead. */
#ifndef WISP_WISP_H
#define WISP_WISP_H

#include <wisp/addr.h>
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/dhcp.h>
#include <wisp/dhcp_run.h>
#include <wisp/dns.h>
#include <wisp/dns_run.h>
#include <wisp/err.h>
#include <wisp/hash.h>
#include <wisp/l3.h>
#include <wisp/netdev.h>
#include <wisp/page.h>
#include <wisp/pkt.h>
#include <wisp/platform.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>
#include <wisp/udp.h>
#include <wisp/version.h>

#endif
