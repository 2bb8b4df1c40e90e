/* SPDX-License-Identifier: ISC */
/* Sends back what it gets (RFC 862), on the very pages it came on. */
#include "serve.h"

static const struct wisp_param params[] = {
    {"port", "7", "PORT", "port to listen on"},
    {"udp", NULL, NULL, "UDP instead of TCP"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {.name = "echo",
                                  .summary = "Sends back what it gets, without a copy (RFC 862).",
                                  .params = params};

/* True: everything that had come is on its way back. */
static bool echo_bytes(struct wisp_tcp_conn *conn)
{
    struct wisp_view views[16];
    uint32_t count;
    while ((count = wisp_tcp_peek(conn, views, 16)) > 0) {
        uint32_t bytes = 0;
        for (uint32_t i = 0; i < count; i++) {
            bytes += views[i].length;
        }
        uint32_t took = wisp_tcp_send(conn, views, count);
        wisp_tcp_consume(conn, took);
        if (took < bytes) {
            return false;
        }
    }
    return true;
}

static void echo_event(const struct wisp_tcp_event *event)
{
    struct wisp_tcp_conn *conn = event->conn;
    if (event->what & WISP_TCP_CLOSED) {
        wisp_tcp_release(conn);
        return;
    }
    bool all = echo_bytes(conn);
    if (event->what & WISP_TCP_END) {
        wisp_tcp_shutdown(conn);
        wisp_tcp_want(conn, 0);
    } else {
        wisp_tcp_want(conn, all ? WISP_TCP_READABLE | WISP_TCP_END : WISP_TCP_WRITABLE);
    }
}

static void echo_datagram(struct wisp_udp_socket *socket, const struct wisp_udp_datagram *datagram,
                          wisp_time now)
{
    const struct wisp_pkt *pkt = datagram->pkt;
    enum wisp_err err;
    if (pkt->length == 0) {
        err = wisp_udp_send(socket, &datagram->local, &datagram->remote, datagram->remote_port, "",
                            0, now);
    } else {
        err = wisp_udp_send_views(socket, &datagram->local, &datagram->remote,
                                  datagram->remote_port, pkt->view, pkt->views, now);
    }
    if (err) {
        wisp_platform_log(WISP_LOG_DEBUG, "echo", "datagram not sent back: %s", wisp_err_text(err));
    }
}

int wisp_app_main(void)
{
    struct wisp_net net;
    uint16_t port = (uint16_t)wisp_net_number("port", 1, 65535);
    wisp_net_open(&net, &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly});
    if (wisp_platform_param("udp")) {
        wisp_serve_udp(&net, port, echo_datagram);
    } else {
        wisp_serve_tcp(&net, port, echo_event);
    }
    wisp_net_close(&net);
    return 0;
}
