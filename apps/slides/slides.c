/* SPDX-License-Identifier: ISC */
/* A web server for the files in its own image, sent from where they lie. */
#include "client.h"
#include "net.h"
#include "site.h"

static const struct wisp_param params[] = {
    {"port", "80", "PORT", "port to listen on"},
    {"connections", "1024", "N", "connections at once (less if memory is little)"},
    {"idle", "30", "SECONDS",
     "close a connection that asks for nothing, or takes less than 16 KiB, for so long"},
    {NULL, NULL, NULL, NULL},
};

const char *const wisp_app_log_modules[] = {"http", NULL};

const struct wisp_app wisp_app = {
    .name = "slides",
    .summary = "Serves the files in its image over HTTP/1.1: what wisp is, told by wisp.",
    .params = params,
};

/* As many as asked for; not asked, no more than memory serves well: one for every ten pages. */
static uint32_t connection_count(void)
{
    uint32_t count = wisp_net_number("connections", 1, 1u << 20);
    uint32_t pages;
    wisp_platform_pages(&pages);
    if (wisp_platform_param_source("connections") == WISP_PARAM_DEFAULT && pages / 10 < count) {
        count = pages / 10;
    }
    return count;
}

static void change(struct wisp_tcp_config *config)
{
    config->connections = connection_count();
    config->half_open = config->connections;
    config->working = config->connections;
    config->blocks = 4 * config->connections;
}

static void make_clients(struct server *server)
{
    uint32_t count = connection_count();
    server->clients = wisp_net_memory(count * sizeof(struct client));
    for (uint32_t i = count; i-- > 0;) {
        server->clients[i].next_free = server->free;
        server->free = &server->clients[i];
    }
}

/* Before anything is opened, so that a wrong one is all that is said. */
static uint16_t read_parameters(struct server *server)
{
    *server = (struct server){.idle_after = WISP_SEC(wisp_net_number("idle", 1, 86400))};
    (void)connection_count();
    return (uint16_t)wisp_net_number("port", 1, 65535);
}

static void start(struct server *server, struct wisp_net *net, uint16_t port)
{
    struct wisp_tcp_listener *listener;
    server->net = net;
    make_clients(server);
    site_init();
    server->tcp = wisp_net_tcp(net, change);
    enum wisp_err err = wisp_tcp_listen(server->tcp, NULL, port, 256, &listener);
    if (err) {
        wisp_platform_exit(1, wisp_err_text(err));
    }
    wisp_platform_log(WISP_LOG_INFO, "http", "listening on port %u, %u files, %llu bytes", port,
                      site_file_count, (unsigned long long)site_bytes);
}

/* True: something was done that TCP should send. */
static bool serve(struct server *server)
{
    struct wisp_tcp_event event;
    bool acted = false;
    while (wisp_tcp_next_event(server->tcp, &event)) {
        if (event.what & WISP_TCP_ACCEPTED) {
            if (!server->free) {
                wisp_tcp_abort(event.conn);
                wisp_tcp_release(event.conn);
                continue;
            }
            client_open(server, event.conn);
        }
        acted |= client_event(server, &event);
    }
    return acted;
}

int wisp_app_main(void)
{
    struct wisp_net net;
    struct server server;
    uint16_t port = read_parameters(&server);
    wisp_net_open(&net, &(struct wisp_net_config){.reassembly = &wisp_ipv4_reassembly});
    start(&server, &net, port);
    bool acted = true;
    wisp_time sweep_at = WISP_SEC(1);
    while (wisp_net_step(&net, acted ? 0 : server.count ? sweep_at : WISP_NEVER)) {
        acted = serve(&server);
        if (net.now >= sweep_at) {
            client_sweep(&server);
            sweep_at = net.now + WISP_SEC(1);
        }
    }
    client_close_all(&server);
    wisp_net_flush(&net);
    wisp_platform_log(WISP_LOG_INFO, "http", "%llu requests on %llu connections answered",
                      (unsigned long long)server.requests, (unsigned long long)server.accepted);
    wisp_tcp_fini(server.tcp);
    wisp_net_close(&net);
    return 0;
}
