/* SPDX-License-Identifier: ISC */
/* The interface's structures and constants, from Xen's public headers, and what those lack. */
#ifndef WISP_NETFRONT_WIRE_H
#define WISP_NETFRONT_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

/* Linux only: an extra that says how much room the backend left before the data. Not negotiated
 * here. */
#define NETFRONT_EXTRA_TYPE_XDP 5u

#define NETFRONT_SLOTS     256u /* entries of a TX and of an RX ring on one page */
#define NETFRONT_SLOTS_MAX 18u  /* data slots of one frame that every backend takes */
#define NETFRONT_ETH_HEAD  14u

_Static_assert(sizeof(netif_tx_request_t) == 12, "tx request");
_Static_assert(sizeof(netif_rx_request_t) == 8, "rx request");
_Static_assert(sizeof(netif_tx_response_t) == 4, "tx response");
_Static_assert(sizeof(netif_rx_response_t) == 8, "rx response");
_Static_assert(sizeof(netif_extra_info_t) == 8, "extra info");

#endif
