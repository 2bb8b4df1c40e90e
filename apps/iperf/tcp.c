/* SPDX-License-Identifier: ISC */
/*
 * TCP: the server counts what comes until the peer closes. The client sends zeros for its time: pages of the
 * program, over and over (one alone would wait for itself: a device takes a page only so often at once); zeros also say
 * to an iperf 2 server that nothing special is asked for.
 */
#include "iperf.h"
#include "serve.h"

#define PAGES 16u /* 64 KiB handed over at once */

/* When a connection began, in its cookie: milliseconds, so that nothing need be allocated. */
static void remember_start(struct wisp_tcp_conn *conn)
{
    wisp_tcp_set_cookie(conn, (void *)(uintptr_t)(wisp_platform_now() / WISP_MS(1)));
}

static void print_received(struct wisp_tcp_conn *conn)
{
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    wisp_time start = WISP_MS((uintptr_t)wisp_tcp_cookie(conn));
    struct iperf_report report = {.remote = &info.remote,
                                  .port = info.remote_port,
                                  .lasted = wisp_platform_now() - start,
                                  .bytes = info.bytes_received};
    iperf_print(&report);
}

static void server_event(const struct wisp_tcp_event *event)
{
    if (event->what & WISP_TCP_ACCEPTED) {
        remember_start(event->conn);
    }
    wisp_tcp_consume(event->conn, wisp_tcp_readable(event->conn));
    if (event->what & (WISP_TCP_END | WISP_TCP_CLOSED)) {
        print_received(event->conn);
        wisp_tcp_release(event->conn);
    }
}

void iperf_tcp_server(struct iperf *iperf)
{
    wisp_serve_tcp(&iperf->net, iperf->port, server_event);
}

/* Not const: then they would lie in the program's file. */
static _Alignas(4096) uint8_t zeros[PAGES][WISP_PAGE_SIZE];

struct sender {
    struct iperf *iperf;
    struct wisp_tcp *tcp;
    struct wisp_tcp_conn *conn;
    struct wisp_view views[PAGES];
    wisp_time start; /* 0: not connected yet */
    bool closing;
    bool over;
    enum wisp_err reason;
};

static void send_more(struct sender *sender)
{
    while (wisp_tcp_send(sender->conn, sender->views, PAGES) == PAGES * WISP_PAGE_SIZE) {
    }
}

static void client_event(struct sender *sender, const struct wisp_tcp_event *event)
{
    if (event->what & WISP_TCP_CONNECTED) {
        sender->start = sender->iperf->net.now;
        wisp_tcp_want(sender->conn, WISP_TCP_WRITABLE);
    }
    if (event->what & WISP_TCP_CLOSED) {
        sender->over = true;
        sender->reason = event->reason;
    } else if (sender->start && !sender->closing) {
        send_more(sender);
    }
}

static bool client_events(struct sender *sender)
{
    struct wisp_tcp_event event;
    bool acted = false;
    while (wisp_tcp_next_event(sender->tcp, &event)) {
        client_event(sender, &event);
        acted = true;
    }
    if (!sender->closing && sender->start &&
        sender->iperf->net.now >= sender->start + sender->iperf->duration) {
        sender->closing = true;
        wisp_tcp_want(sender->conn, 0);
        wisp_tcp_close(sender->conn);
        acted = true;
    }
    return acted;
}

/* What the peer acknowledged; queued bytes that it did not do not count. */
static void print_sent(const struct sender *sender)
{
    struct wisp_tcp_info info;
    wisp_tcp_info(sender->conn, &info);
    struct iperf_report report = {.remote = &info.remote,
                                  .port = info.remote_port,
                                  .lasted = sender->iperf->net.now - sender->start,
                                  .bytes = wisp_tcp_released(sender->conn)};
    iperf_print(&report);
}

static void connect(struct sender *sender)
{
    struct iperf *iperf = sender->iperf;
    static struct wisp_page page[PAGES];
    for (uint32_t i = 0; i < PAGES; i++) {
        wisp_foreign_init(&page[i], zeros[i], WISP_PAGE_SIZE);
        sender->views[i] = (struct wisp_view){&page[i], 0, WISP_PAGE_SIZE};
    }
    sender->tcp = wisp_net_tcp(&iperf->net, NULL);
    enum wisp_err err = wisp_tcp_connect(sender->tcp, NULL, 0, &iperf->remote, iperf->port,
                                         iperf->net.now, &sender->conn);
    if (err) {
        wisp_platform_exit(1, wisp_err_text(err));
    }
}

int iperf_tcp_client(struct iperf *iperf)
{
    struct sender sender = {.iperf = iperf};
    connect(&sender);
    bool acted = true;
    while (!sender.over) {
        wisp_time end = sender.start ? sender.start + iperf->duration : WISP_NEVER;
        if (!wisp_net_step(&iperf->net, acted ? 0 : sender.closing ? WISP_NEVER : end)) {
            break;
        }
        acted = client_events(&sender);
    }
    if (sender.start) {
        print_sent(&sender);
    }
    if (sender.reason) {
        wisp_platform_log(WISP_LOG_ERROR, "iperf", "%s", wisp_err_text(sender.reason));
    }
    wisp_tcp_release(sender.conn);
    wisp_net_flush(&iperf->net);
    wisp_tcp_fini(sender.tcp);
    return sender.reason || !sender.start ? 1 : 0;
}
