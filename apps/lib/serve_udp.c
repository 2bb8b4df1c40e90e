/* SPDX-License-Identifier: ISC */
/* See serve.h. */
#include "serve.h"

static bool serve_datagrams(struct wisp_net *net, struct wisp_udp *udp, wisp_serve_datagram answer)
{
    struct wisp_udp_socket *socket;
    struct wisp_udp_datagram datagram;
    bool acted = false;
    while ((socket = wisp_udp_next(udp))) {
        while (wisp_udp_receive(socket, &datagram)) {
            if (!datagram.broadcast) {
                answer(socket, &datagram, net->now);
            }
            wisp_pkt_drop(datagram.pkt);
            acted = true;
        }
    }
    return acted;
}

void wisp_serve_udp(struct wisp_net *net, uint16_t port, wisp_serve_datagram answer)
{
    struct wisp_udp_socket *socket;
    struct wisp_udp *udp = wisp_net_udp(net, NULL);
    enum wisp_err err = wisp_udp_open(udp, NULL, port, false, &socket);
    if (err) {
        wisp_platform_exit(1, wisp_err_text(err));
    }
    wisp_platform_log(WISP_LOG_INFO, wisp_app.name, "receiving on UDP port %u", port);
    bool acted = true;
    while (wisp_net_step(net, acted ? 0 : WISP_NEVER)) {
        acted = serve_datagrams(net, udp, answer);
    }
    wisp_udp_close(socket);
}
