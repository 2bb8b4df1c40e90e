/* SPDX-License-Identifier: ISC */
/* See serve.h. */
#include "serve.h"

static bool serve_events(struct wisp_tcp *tcp, wisp_serve_event answer)
{
    struct wisp_tcp_event event;
    bool acted = false;
    while (wisp_tcp_next_event(tcp, &event)) {
        if (event.what & WISP_TCP_ACCEPTED) {
            wisp_tcp_set_keepalive(event.conn, WISP_SEC(60), WISP_SEC(10), 6);
        }
        answer(&event);
        acted = true;
    }
    return acted;
}

void wisp_serve_tcp(struct wisp_net *net, uint16_t port, wisp_serve_event answer)
{
    struct wisp_tcp_listener *listener;
    struct wisp_tcp *tcp = wisp_net_tcp(net, NULL);
    enum wisp_err err = wisp_tcp_listen(tcp, NULL, port, 64, &listener);
    if (err) {
        wisp_platform_exit(1, wisp_err_text(err));
    }
    wisp_platform_log(WISP_LOG_INFO, wisp_app.name, "listening on TCP port %u", port);
    bool acted = true;
    while (wisp_net_step(net, acted ? 0 : WISP_NEVER)) {
        acted = serve_events(tcp, answer);
    }
    wisp_tcp_listener_close(listener);
    wisp_net_flush(net);
    wisp_tcp_fini(tcp);
}
