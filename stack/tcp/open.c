/* SPDX-License-Identifier: ISC */
/* Active opens, and the ways to end (RFC 9293 §3.10.1, §3.10.4, §3.10.5). */
#include "tcp_priv.h"

static enum wisp_err check_remote(struct wisp_tcp *tcp, const struct wisp_addr *remote,
                                  uint16_t port)
{
    struct wisp_l3 *l3 = tcp->l3;
    bool sane = l3 && remote->family == l3->family && port != 0 &&
                l3->ops->is_unicast(l3->self, remote); /* MUST-46 */
    return sane ? WISP_OK : WISP_ERR_INVALID;
}

static enum wisp_err choose(struct wisp_tcp *tcp, struct tcp_tuple *tuple, struct wisp_addr *source)
{
    struct wisp_l3 *l3 = tcp->l3;
    if (source->family == WISP_FAMILY_NONE && !l3->ops->source(l3->self, tuple->remote, source)) {
        return WISP_ERR_UNREACHABLE;
    }
    if (!l3->ops->is_local(l3->self, source)) {
        return WISP_ERR_INVALID;
    }
    if (tuple->local_port == 0) {
        return wisp_tcp_port_pick(tcp, tuple) ? WISP_OK : WISP_ERR_FULL;
    }
    if (tcp_addr_same(source, tuple->remote) && tuple->local_port == tuple->remote_port) {
        return WISP_ERR_INVALID; /* a connection with itself */
    }
    return wisp_tcp_find(tcp, tuple) ? WISP_ERR_IN_USE : WISP_OK;
}

enum wisp_err wisp_tcp_connect(struct wisp_tcp *tcp, const struct wisp_addr *local,
                               uint16_t local_port, const struct wisp_addr *remote, uint16_t port,
                               wisp_time now, struct wisp_tcp_conn **conn)
{
    struct wisp_addr source = local ? *local : wisp_addr_any();
    struct tcp_tuple tuple = {&source, remote, local_port, port};
    enum wisp_err err = check_remote(tcp, remote, port);
    if (err == WISP_OK) {
        err = choose(tcp, &tuple, &source);
    }
    if (err != WISP_OK) {
        return err;
    }
    struct wisp_tcp_conn *made = wisp_tcp_conn_alloc(tcp);
    if (!made) {
        return WISP_ERR_FULL;
    }
    tcp->now = now;
    wisp_tcp_conn_start(made, &tuple, now);
    made->state = WISP_TCP_STATE_SYN_SENT;
    made->snd_una = wisp_tcp_isn(tcp, &tuple, now);
    made->snd_nxt = seq_add(made->snd_una, 1);
    made->flags |= TCP_SYN_DUE;
    wisp_tcp_timer_rexmit(made, now);
    wisp_tcp_output_add(made);
    *conn = made;
    return WISP_OK;
}

static bool is_over(const struct wisp_tcp_conn *conn)
{
    return conn->state == WISP_TCP_STATE_CLOSED || conn->state == WISP_TCP_STATE_TIME_WAIT;
}

void wisp_tcp_shutdown(struct wisp_tcp_conn *conn)
{
    if (conn->state == WISP_TCP_STATE_SYN_SENT && (!conn->part || !conn->part->unsent)) {
        wisp_tcp_conn_end(conn, WISP_ERR_CLOSED, conn->tcp->now);
        return;
    }
    if (!is_over(conn) && !(conn->flags & TCP_FIN_WANTED)) {
        conn->flags |= TCP_FIN_WANTED;
        wisp_tcp_output_add(conn);
    }
}

void wisp_tcp_close(struct wisp_tcp_conn *conn)
{
    bool unread = wisp_tcp_readable(conn) > 0;
    if (is_over(conn) || (conn->flags & TCP_DEAF)) {
        return;
    }
    conn->flags |= TCP_DEAF;
    if (unread) {
        wisp_tcp_conn_reset(conn, WISP_ERR_CLOSED, conn->tcp->now);
        return;
    }
    if (conn->state == WISP_TCP_STATE_FIN_WAIT_2) {
        conn->unacked_at = tcp_ms(conn->tcp->now);
        wisp_tcp_timer_arm(conn, conn->tcp->now + WISP_SEC(60));
    }
    wisp_tcp_shutdown(conn);
}

void wisp_tcp_abort(struct wisp_tcp_conn *conn)
{
    if (conn->state == WISP_TCP_STATE_CLOSED || conn->state == WISP_TCP_STATE_TIME_WAIT) {
        return;
    }
    wisp_tcp_conn_reset(conn, WISP_ERR_CLOSED, conn->tcp->now);
}

void wisp_tcp_release(struct wisp_tcp_conn *conn)
{
    if (is_over(conn) && conn->part) {
        wisp_tcp_receive_drop(conn);
    }
    wisp_tcp_close(conn);
    conn->flags |= TCP_RELEASED;
    conn->tcp->strays |= (conn->flags & TCP_ON_EVENTS) != 0;
    wisp_tcp_cold(conn)->u.cookie = NULL;
    if (conn->part) {
        wisp_tcp_part_settle(conn, conn->tcp->now);
    }
    wisp_tcp_conn_settle(conn);
}
