/* SPDX-License-Identifier: ISC */
/*
 * Sends lines of characters for ever (RFC 864). The pattern repeats after 95 lines of 74 bytes and lies once
 * on pages of the program; where a connection stands in it follows from what it has sent. Over UDP one line
 * answers a datagram, so that nobody can be flooded with more than was asked by forging a sender.
 */
#include "serve.h"

#define LINE    74u
#define LINES   95u
#define PATTERN (LINE * LINES)
#define PAGES   ((PATTERN + WISP_PAGE_SIZE - 1) / WISP_PAGE_SIZE)

static const struct wisp_param params[] = {
    {"port", "19", "PORT", "port to listen on"},
    {"udp", NULL, NULL, "UDP instead of TCP: one line for each datagram"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {.name = "chargen",
                                  .summary = "Sends lines of characters for ever (RFC 864).",
                                  .params = params};

static _Alignas(4096) uint8_t pattern[PAGES * WISP_PAGE_SIZE];
static struct wisp_page pages[PAGES];

static void make_pattern(void)
{
    for (uint32_t line = 0; line < LINES; line++) {
        uint8_t *at = pattern + line * LINE;
        for (uint32_t i = 0; i < LINE - 2; i++) {
            at[i] = (uint8_t)(' ' + (line + i) % 95);
        }
        at[LINE - 2] = '\r';
        at[LINE - 1] = '\n';
    }
    wisp_foreign_init(pages, pattern, PATTERN);
}

static struct wisp_view view_from(uint32_t at)
{
    uint32_t offset = at % WISP_PAGE_SIZE;
    uint32_t left = PATTERN - at;
    uint32_t in_page = WISP_PAGE_SIZE - offset;
    return (struct wisp_view){&pages[at / WISP_PAGE_SIZE], offset, left < in_page ? left : in_page};
}

static void send_lines(struct wisp_tcp_conn *conn)
{
    struct wisp_view view;
    do {
        view = view_from((uint32_t)(wisp_tcp_queued(conn) % PATTERN));
    } while (wisp_tcp_send(conn, &view, 1) == view.length);
}

static void chargen_event(const struct wisp_tcp_event *event)
{
    struct wisp_tcp_conn *conn = event->conn;
    wisp_tcp_consume(conn, wisp_tcp_readable(conn));
    if (event->what & (WISP_TCP_END | WISP_TCP_CLOSED)) {
        wisp_tcp_release(conn);
        return;
    }
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_WRITABLE | WISP_TCP_END);
    send_lines(conn);
}

static void chargen_datagram(struct wisp_udp_socket *socket,
                             const struct wisp_udp_datagram *datagram, wisp_time now)
{
    if (datagram->remote_port >= 1024) { /* not another service that answers: no loop */
        (void)wisp_udp_send(socket, &datagram->local, &datagram->remote, datagram->remote_port,
                            pattern, LINE, now);
    }
}

int wisp_app_main(void)
{
    struct wisp_net net;
    uint16_t port = (uint16_t)wisp_net_number("port", 1, 65535);
    make_pattern();
    wisp_net_open(&net, &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly});
    if (wisp_platform_param("udp")) {
        wisp_serve_udp(&net, port, chargen_datagram);
    } else {
        wisp_serve_tcp(&net, port, chargen_event);
    }
    wisp_net_close(&net);
    return 0;
}
