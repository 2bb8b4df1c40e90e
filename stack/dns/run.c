/* SPDX-License-Identifier: ISC */
/*
 * The resolver over UDP (see dns_run.h). A channel of the machine has at most one socket or one connection; a
 * new question on it closes the old one, so an answer can only come by the port its question left by. ICMP
 * errors and failing connections make the machine go on to its next server at once.
 */
#include "arena.h"
#include "run_priv.h"
#include <string.h>

struct channel {
    struct wisp_udp_socket *socket;
    struct wisp_tcp_conn *conn;
};

struct wisp_dns_run {
    struct wisp_dns_run_config config;
    struct wisp_dns *dns;
    struct channel *channel;
    bool sent; /* in this step */
};

static struct wisp_dns_run *lay_out(struct wisp_arena *arena,
                                    const struct wisp_dns_run_config *config)
{
    struct wisp_dns_run *run = WISP_ARENA_ARRAY(arena, struct wisp_dns_run, 1);
    struct channel *channel = WISP_ARENA_ARRAY(arena, struct channel, config->dns.lookups);
    void *dns = wisp_arena_take(arena, 1, wisp_dns_size(&config->dns), 64);
    if (run) {
        run->channel = channel;
        run->dns = dns;
    }
    return run;
}

size_t wisp_dns_run_size(const struct wisp_dns_run_config *config)
{
    struct wisp_arena arena = {NULL, 0};
    lay_out(&arena, config);
    return arena.used;
}

struct wisp_dns_run *wisp_dns_run_init(void *mem, size_t size,
                                       const struct wisp_dns_run_config *config)
{
    struct wisp_arena arena = {mem, 0};
    if (!mem || size < wisp_dns_run_size(config)) {
        return NULL;
    }
    memset(mem, 0, wisp_dns_run_size(config));
    struct wisp_dns_run *run = lay_out(&arena, config);
    run->config = *config;
    run->dns = wisp_dns_init(run->dns, wisp_dns_size(&config->dns), &config->dns);
    return run;
}

static void close_channel(struct wisp_dns_run *run, struct channel *channel)
{
    if (channel->socket) {
        wisp_udp_close(channel->socket);
    }
    if (channel->conn) {
        run->config.by_tcp->close(channel->conn);
    }
    memset(channel, 0, sizeof(*channel));
}

void wisp_dns_run_fini(struct wisp_dns_run *run)
{
    for (uint32_t i = 0; i < run->config.dns.lookups; i++) {
        close_channel(run, &run->channel[i]);
    }
}

struct wisp_dns *wisp_dns_run_machine(struct wisp_dns_run *run)
{
    return run->dns;
}

bool wisp_dns_run_owns(const struct wisp_dns_run *run, const struct wisp_tcp_event *event)
{
    for (uint32_t i = 0; i < run->config.dns.lookups; i++) {
        if (event->conn && event->conn == run->channel[i].conn) {
            return true;
        }
    }
    return false;
}

/* ---- in ---- */

static void receive_udp(struct wisp_dns_run *run, uint16_t number, wisp_time now)
{
    struct channel *channel = &run->channel[number];
    struct wisp_udp_datagram datagram;
    struct wisp_icmp_error error;
    uint16_t port;
    while (wisp_udp_receive(channel->socket, &datagram)) {
        uint8_t bytes[WISP_DNS_RESPONSE_MAX];
        uint32_t length = datagram.pkt->length;
        if (length <= sizeof(bytes) && wisp_pkt_read(datagram.pkt, 0, bytes, length)) {
            wisp_dns_input(run->dns, number, false, &datagram.remote, datagram.remote_port, bytes,
                           length, now);
        }
        wisp_pkt_drop(datagram.pkt);
    }
    if (wisp_udp_error(channel->socket, &error, &port) &&
        wisp_dns_awaits(run->dns, number, false)) {
        wisp_dns_fail(run->dns, number, now);
    }
}

static void receive_tcp(struct wisp_dns_run *run, uint16_t number, wisp_time now)
{
    struct wisp_tcp_conn *conn = run->channel[number].conn;
    struct wisp_tcp_info info;
    uint8_t bytes[WISP_DNS_RESPONSE_MAX];
    uint32_t length;
    wisp_tcp_info(conn, &info);
    switch (run->config.by_tcp->look(conn, bytes, &length)) {
    case DNS_TCP_ANSWERED:
        wisp_dns_input(run->dns, number, true, &info.remote, info.remote_port, bytes, length, now);
        break;
    case DNS_TCP_FAILED:
        wisp_dns_fail(run->dns, number, now);
        break;
    default:
        break;
    }
}

static void receive(struct wisp_dns_run *run, wisp_time now)
{
    for (uint16_t i = 0; i < run->config.dns.lookups; i++) {
        struct channel *channel = &run->channel[i];
        if (channel->socket) {
            receive_udp(run, i, now);
        } else if (channel->conn) {
            receive_tcp(run, i, now);
        }
        bool used = channel->socket || channel->conn;
        if (used && !wisp_dns_awaits(run->dns, i, channel->conn != NULL)) {
            run->sent = run->sent || channel->conn; /* its FIN */
            close_channel(run, channel);
        }
    }
}

/* ---- out ---- */

static bool send_udp(struct wisp_dns_run *run, struct channel *channel,
                     const struct wisp_dns_message *message, wisp_time now)
{
    return wisp_udp_open(run->config.udp, NULL, 0, false, &channel->socket) == WISP_OK &&
           wisp_udp_send(channel->socket, NULL, &message->server, WISP_DNS_PORT, message->bytes,
                         message->length, now) != WISP_ERR_UNREACHABLE;
}

static bool send_tcp(struct wisp_dns_run *run, struct channel *channel,
                     const struct wisp_dns_message *message, wisp_time now)
{
    if (!run->config.by_tcp) {
        return false;
    }
    channel->conn = run->config.by_tcp->open(run->config.tcp, message, now);
    return channel->conn != NULL;
}

static void send(struct wisp_dns_run *run, const struct wisp_dns_message *message, wisp_time now)
{
    struct channel *channel = &run->channel[message->channel];
    close_channel(run, channel);
    bool good =
        message->tcp ? send_tcp(run, channel, message, now) : send_udp(run, channel, message, now);
    if (!good) {
        close_channel(run, channel);
        wisp_dns_fail(run->dns, message->channel, now);
    }
    run->sent = true;
}

wisp_time wisp_dns_run_step(struct wisp_dns_run *run, wisp_time now)
{
    struct wisp_dns_message message;
    run->sent = false;
    receive(run, now);
    while (wisp_dns_next(run->dns, now, &message)) {
        send(run, &message, now);
    }
    return run->sent ? now : wisp_dns_deadline(run->dns);
}
