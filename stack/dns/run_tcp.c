/* SPDX-License-Identifier: ISC */
/*
 * DNS by TCP (RFC 7766): one connection for one question, closed after its answer. The question is queued
 * before the handshake is over and leaves with it. A connection that ends, or announces an answer longer
 * than WISP_DNS_RESPONSE_MAX, has failed; one that stays silent is given up by the resolver's patience.
 */
#include "bytes.h"
#include "run_priv.h"

#define PREFIX 2u

static struct wisp_tcp_conn *open(struct wisp_tcp *tcp, const struct wisp_dns_message *message,
                                  wisp_time now)
{
    uint8_t bytes[PREFIX + WISP_DNS_QUESTION_MAX];
    struct wisp_tcp_conn *conn;
    if (wisp_tcp_connect(tcp, NULL, 0, &message->server, WISP_DNS_PORT, now, &conn) != WISP_OK) {
        return NULL;
    }
    wisp_be16_put(bytes, (uint16_t)message->length);
    memcpy(bytes + PREFIX, message->bytes, message->length);
    wisp_tcp_set_nodelay(conn, true);
    if (wisp_tcp_write(conn, bytes, PREFIX + message->length) != PREFIX + message->length) {
        wisp_tcp_abort(conn);
        wisp_tcp_release(conn);
        return NULL;
    }
    return conn;
}

static bool is_open(const struct wisp_tcp_conn *conn)
{
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    return info.state == WISP_TCP_STATE_SYN_SENT || info.state == WISP_TCP_STATE_SYN_RECEIVED ||
           info.state == WISP_TCP_STATE_ESTABLISHED;
}

static enum dns_tcp_state look(struct wisp_tcp_conn *conn, uint8_t *bytes, uint32_t *length)
{
    struct wisp_view view[PREFIX];
    uint8_t prefix[PREFIX] = {0};
    uint32_t readable = wisp_tcp_readable(conn);
    enum dns_tcp_state otherwise = is_open(conn) ? DNS_TCP_WAITING : DNS_TCP_FAILED;
    if (readable < PREFIX) {
        return otherwise;
    }
    uint32_t views = wisp_tcp_peek(conn, view, PREFIX);
    prefix[0] = *wisp_view_bytes(&view[0]);
    prefix[1] =
        view[0].length > 1 ? wisp_view_bytes(&view[0])[1] : *wisp_view_bytes(&view[views - 1]);
    *length = wisp_be16_get(prefix);
    if (*length > WISP_DNS_RESPONSE_MAX) {
        return DNS_TCP_FAILED;
    }
    if (readable < PREFIX + *length) {
        return otherwise;
    }
    wisp_tcp_consume(conn, PREFIX);
    (void)wisp_tcp_read(conn, bytes, *length);
    return DNS_TCP_ANSWERED;
}

static void close(struct wisp_tcp_conn *conn)
{
    wisp_tcp_close(conn);
    wisp_tcp_release(conn);
}

const struct wisp_dns_tcp_ops wisp_dns_by_tcp = {.open = open, .look = look, .close = close};
