/* SPDX-License-Identifier: ISC */
/* The loop of a simple server: one port, one function that answers. Ends when the platform asks for it. */
#ifndef WISP_APPS_SERVE_H
#define WISP_APPS_SERVE_H

#include "net.h"

/* Is told what happens to connections; one that is over (CLOSED) is released by it. */
typedef void (*wisp_serve_event)(const struct wisp_tcp_event *event);

/* Listens on port and serves. Connections silent for a minute are asked whether they live. */
void wisp_serve_tcp(struct wisp_net *net, uint16_t port, wisp_serve_event answer);

/* Is shown a datagram, borrowed for the call. */
typedef void (*wisp_serve_datagram)(struct wisp_udp_socket *socket,
                                    const struct wisp_udp_datagram *datagram, wisp_time now);

/* Receives on port and serves. */
void wisp_serve_udp(struct wisp_net *net, uint16_t port, wisp_serve_datagram answer);

#endif
