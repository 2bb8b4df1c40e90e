/* SPDX-License-Identifier: ISC */
/* What an application may set on a connection and ask of it. */
#include "assert.h"
#include "tcp_priv.h"

void wisp_tcp_set_cookie(struct wisp_tcp_conn *conn, void *cookie)
{
    wisp_tcp_cold(conn)->u.cookie = cookie;
}

void *wisp_tcp_cookie(const struct wisp_tcp_conn *conn)
{
    return wisp_tcp_cold(conn)->u.cookie;
}

void wisp_tcp_set_nodelay(struct wisp_tcp_conn *conn, bool nodelay)
{
    conn->flags = (conn->flags & ~(uint32_t)TCP_NODELAY) | (nodelay ? TCP_NODELAY : 0u);
    if (conn->part && conn->part->unsent) {
        wisp_tcp_output_add(conn);
    }
}

void wisp_tcp_set_service(struct wisp_tcp_conn *conn, uint8_t ttl, uint8_t tos)
{
    WISP_ASSERT(ttl > 0);
    conn->flow.ttl = ttl;
    conn->flow.tos = tos & 0xfc;
}

/* Whole seconds, rounded up. */
static uint16_t seconds(wisp_time t, uint16_t most)
{
    uint64_t s = t / WISP_SEC(1) + (t % WISP_SEC(1) != 0);
    return s < most ? (uint16_t)s : most;
}

void wisp_tcp_set_keepalive(struct wisp_tcp_conn *conn, wisp_time idle, wisp_time interval,
                            uint8_t count)
{
    wisp_time now = conn->tcp->now;
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    cold->keep_idle = seconds(idle, UINT16_MAX);
    cold->keep_interval = interval ? seconds(interval, UINT16_MAX) : 1;
    cold->keep_count = count > 1 ? count : 2; /* MUST-29: one lost probe ends nothing */
    conn->keeps = cold->keep_idle != 0;
    conn->keep_probes = 0;
    if (conn->keeps && conn->state != WISP_TCP_STATE_CLOSED &&
        conn->state != WISP_TCP_STATE_TIME_WAIT) {
        wisp_tcp_timer_arm(conn, wisp_time_add(now, WISP_SEC(1)));
    }
}

void wisp_tcp_set_user_timeout(struct wisp_tcp_conn *conn, wisp_time timeout)
{
    wisp_tcp_cold(conn)->user_timeout =
        timeout == WISP_NEVER ? TCP_FOR_EVER : seconds(timeout, TCP_FOR_EVER - 1);
}

enum wisp_err wisp_tcp_soft_error(struct wisp_tcp_conn *conn)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    enum wisp_err err = (enum wisp_err)cold->soft;
    cold->soft = WISP_OK;
    return err;
}

/* TIME-WAIT lives on in an entry of its own; when that is gone, so is the state. */
static enum wisp_tcp_state state_of(const struct wisp_tcp_conn *conn)
{
    struct tcp_tuple tuple;
    wisp_tcp_conn_tuple(conn, &tuple);
    if (conn->state == WISP_TCP_STATE_TIME_WAIT &&
        tcp_entry_kind(wisp_tcp_find(conn->tcp, &tuple)) != TCP_KIND_WAIT) {
        return WISP_TCP_STATE_CLOSED;
    }
    return (enum wisp_tcp_state)conn->state;
}

void wisp_tcp_info(const struct wisp_tcp_conn *conn, struct wisp_tcp_info *info)
{
    const struct tcp_part *part = conn->part;
    uint64_t queued = wisp_tcp_queued(conn);
    *info = (struct wisp_tcp_info){
        .state = state_of(conn),
        .local = conn->flow.local,
        .remote = conn->flow.remote,
        .local_port = conn->local_port,
        .remote_port = conn->remote_port,
        .mss = conn->mss,
        .cwnd = conn->cc.cwnd,
        .ssthresh = conn->cc.ssthresh,
        .snd_wnd = conn->snd_wnd,
        .rcv_wnd = seq_span(conn->rcv_nxt, conn->rcv_edge),
        .in_flight = tcp_in_flight(conn),
        .queued = (uint32_t)(queued - tcp_acked(conn)),
        .readable = wisp_tcp_readable(conn),
        .pages = conn->pages,
        .srtt = WISP_US(conn->srtt8 / 8),
        .rttvar = WISP_US(conn->rttvar4 / 4),
        .rto = WISP_US(wisp_tcp_rto(conn)),
        .bytes_sent = queued - (part ? part->unsent : 0),
        .bytes_received = (uint64_t)wisp_tcp_cold(conn)->received_high << 32 | conn->received,
        .bytes_retransmitted = wisp_tcp_cold(conn)->again_bytes,
        .timestamps = conn->flags & TCP_HAS_TS,
        .sack = conn->flags & TCP_HAS_SACK,
        .window_scaling = conn->flags & TCP_HAS_SCALE,
    };
}
