/* SPDX-License-Identifier: ISC */
/* Throws away what it gets (RFC 863) and, at the end of a connection, says how much that was. */
#include "serve.h"

static const struct wisp_param params[] = {
    {"port", "9", "PORT", "port to listen on"},
    {"udp", NULL, NULL, "UDP instead of TCP"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {
    .name = "discard", .summary = "Throws away what it gets (RFC 863).", .params = params};

static void tell(struct wisp_tcp_conn *conn)
{
    struct wisp_tcp_info info;
    char addr[WISP_ADDR_TEXT_MAX];
    wisp_tcp_info(conn, &info);
    wisp_addr_text(&info.remote, addr, sizeof(addr));
    wisp_platform_log(WISP_LOG_INFO, "discard", "%llu bytes from %s port %u",
                      (unsigned long long)info.bytes_received, addr, info.remote_port);
}

static void discard_event(const struct wisp_tcp_event *event)
{
    wisp_tcp_consume(event->conn, wisp_tcp_readable(event->conn));
    if (event->what & (WISP_TCP_END | WISP_TCP_CLOSED)) {
        tell(event->conn);
        wisp_tcp_release(event->conn);
    }
}

static void discard_datagram(struct wisp_udp_socket *socket,
                             const struct wisp_udp_datagram *datagram, wisp_time now)
{
    (void)socket;
    (void)datagram;
    (void)now;
}

int wisp_app_main(void)
{
    struct wisp_net net;
    uint16_t port = (uint16_t)wisp_net_number("port", 1, 65535);
    wisp_net_open(&net, &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly});
    if (wisp_platform_param("udp")) {
        wisp_serve_udp(&net, port, discard_datagram);
    } else {
        wisp_serve_tcp(&net, port, discard_event);
    }
    wisp_net_close(&net);
    return 0;
}
