/* SPDX-License-Identifier: ISC */
/* Listeners: few, in an array; only a SYN that belongs to nobody searches it. The more specific one answers. */
#include "tcp_priv.h"

struct wisp_tcp_listener *wisp_tcp_listener_find(struct wisp_tcp *tcp,
                                                 const struct wisp_addr *local, uint16_t port)
{
    struct wisp_tcp_listener *found = NULL;
    for (uint32_t i = 0; i < tcp->config.listeners; i++) {
        struct wisp_tcp_listener *listener = &tcp->listener[i];
        if (!listener->open || listener->port != port) {
            continue;
        }
        if (listener->local.family == WISP_FAMILY_NONE) {
            found = found ? found : listener;
        } else if (tcp_addr_same(&listener->local, local)) {
            return listener;
        }
    }
    return found;
}

/* The same address (or both any) and port. */
static bool is_taken(const struct wisp_tcp *tcp, const struct wisp_addr *local, uint16_t port)
{
    for (uint32_t i = 0; i < tcp->config.listeners; i++) {
        const struct wisp_tcp_listener *listener = &tcp->listener[i];
        if (listener->open && listener->port == port && (listener->local.family == local->family) &&
            (local->family == WISP_FAMILY_NONE || tcp_addr_same(&listener->local, local))) {
            return true;
        }
    }
    return false;
}

enum wisp_err wisp_tcp_listen(struct wisp_tcp *tcp, const struct wisp_addr *local, uint16_t port,
                              uint32_t backlog, struct wisp_tcp_listener **listener)
{
    struct wisp_addr any = wisp_addr_any();
    const struct wisp_addr *where = local ? local : &any;
    if (port == 0) {
        return WISP_ERR_INVALID;
    }
    if (is_taken(tcp, where, port)) {
        return WISP_ERR_IN_USE;
    }
    for (uint32_t i = 0; i < tcp->config.listeners; i++) {
        if (!tcp->listener[i].open) {
            tcp->listener[i] = (struct wisp_tcp_listener){.tcp = tcp,
                                                          .local = *where,
                                                          .port = port,
                                                          .open = true,
                                                          .backlog = backlog ? backlog : 1};
            *listener = &tcp->listener[i];
            return WISP_OK;
        }
    }
    return WISP_ERR_FULL;
}

void wisp_tcp_listener_close(struct wisp_tcp_listener *listener)
{
    struct wisp_tcp *tcp = listener->tcp;
    uint32_t index = (uint32_t)(listener - tcp->listener);
    for (uint32_t i = 0; i < tcp->config.half_open; i++) {
        struct tcp_half4 *half = &tcp->half[i];
        if (!(half->flags & TCP_HALF_USED) || half->listener != index) {
            continue;
        }
        struct wisp_addr addrs[2];
        struct tcp_tuple tuple;
        wisp_tcp_half_tuple(half, addrs, &tuple);
        struct tcp_reply *reply = wisp_tcp_reply_new(tcp, &tuple);
        if (reply) {
            reply->seq = seq_add(half->iss, 1);
            reply->flags = TCP_RST;
        }
        wisp_tcp_half_remove(tcp, half);
    }
    for (uint32_t i = 0; i < tcp->config.connections; i++) {
        struct wisp_tcp_conn *conn = &tcp->conn[i];
        if ((conn->flags & TCP_TELL_ACCEPTED) && wisp_tcp_cold(conn)->u.listener == listener) {
            wisp_tcp_conn_reset(conn, WISP_ERR_CLOSED, tcp->now);
        }
    }
    listener->open = false;
}

void wisp_tcp_listener_set_cookie(struct wisp_tcp_listener *listener, void *cookie)
{
    listener->cookie = cookie;
}

void *wisp_tcp_listener_cookie(const struct wisp_tcp_listener *listener)
{
    return listener->cookie;
}
