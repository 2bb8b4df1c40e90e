/* SPDX-License-Identifier: ISC */
/*
 * ICMP errors (RFC 9293 §3.9.2.2, RFC 5927): only one that quotes a segment in flight counts. It ends a
 * connection only while that is being opened (hard errors in SYN-SENT and SYN-RECEIVED); afterwards it is a
 * soft error that the application may ask for. "Too big" is left to path MTU discovery.
 */
#include "bytes.h"
#include "tcp_priv.h"

static bool is_hard(enum wisp_icmp_kind kind)
{
    return kind == WISP_ICMP_PROTOCOL_UNREACHABLE || kind == WISP_ICMP_PORT_UNREACHABLE;
}

static enum wisp_err reason_of(enum wisp_icmp_kind kind)
{
    return is_hard(kind) ? WISP_ERR_REFUSED : WISP_ERR_UNREACHABLE;
}

static bool is_opening(const struct wisp_tcp_conn *conn)
{
    return conn->state == WISP_TCP_STATE_SYN_SENT || conn->state == WISP_TCP_STATE_SYN_RECEIVED;
}

static void soft_error(struct wisp_tcp_conn *conn, enum wisp_err reason)
{
    conn->tcp->count[TCP_ICMP_SOFT]++;
    wisp_tcp_cold(conn)->soft = (uint8_t)reason;
    if (conn->want & WISP_TCP_SOFT_ERROR) {
        conn->flags |= TCP_TELL_SOFT;
        wisp_tcp_event_add(conn);
    }
}

void wisp_tcp_error_input(struct wisp_tcp *tcp, const struct wisp_icmp_error *error, wisp_time now)
{
    struct tcp_tuple tuple = {&error->local, &error->remote, wisp_be16_get(error->quote),
                              wisp_be16_get(error->quote + 2)};
    struct tcp_seq seq = seq_of(wisp_be32_get(error->quote + 4));
    uint32_t entry = wisp_tcp_find(tcp, &tuple);
    struct wisp_tcp_conn *conn =
        tcp_entry_kind(entry) == TCP_KIND_CONN ? &tcp->conn[tcp_entry_index(entry)] : NULL;
    if (!conn || !seq_within(conn->snd_una, seq, conn->snd_nxt) ||
        error->kind == WISP_ICMP_TOO_BIG) {
        tcp->count[TCP_ICMP_IGNORED]++;
        return;
    }
    if (is_opening(conn) && is_hard(error->kind)) {
        tcp->count[TCP_ICMP_HARD]++;
        wisp_tcp_conn_end(conn, reason_of(error->kind), now);
        return;
    }
    soft_error(conn, reason_of(error->kind));
}
