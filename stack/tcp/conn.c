/* SPDX-License-Identifier: ISC */
/*
 * A connection's life: slot, table entry, working part, end. The slot outlives the conversation:
 *
 *   alloc -> start (in the table) -> ... -> end (out of it; told) -> released by the application
 *         -> nothing of it in the device's hands, on no list -> free
 *
 * A working part goes back as soon as nothing is in it, so that the next connection finds it warm, unless
 * it holds history (a loss happened): then after config.working_idle.
 */
#include "assert.h"
#include "tcp_priv.h"
#include <string.h>

struct tcp_cold *wisp_tcp_cold(const struct wisp_tcp_conn *conn)
{
    return &conn->tcp->cold[tcp_conn_index(conn)];
}

struct wisp_tcp_conn *wisp_tcp_conn_alloc(struct wisp_tcp *tcp)
{
    if (tcp->free_conn == TCP_NONE) {
        return NULL;
    }
    struct wisp_tcp_conn *conn = &tcp->conn[tcp->free_conn];
    tcp->free_conn = conn->output_next;
    tcp->conns++;
    memset(conn, 0, sizeof(*conn));
    conn->tcp = tcp;
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    memset(cold, 0, sizeof(*cold));
    conn->rexmit_at = WISP_NEVER;
    conn->want = WISP_TCP_READABLE | WISP_TCP_END;
    cold->user_timeout = 120;
    return conn;
}

static void conn_free(struct wisp_tcp_conn *conn)
{
    struct wisp_tcp *tcp = conn->tcp;
    WISP_ASSERT(!wisp_timer_is_set(&conn->timer));
    tcp_forget(tcp, conn);
    conn->state = WISP_TCP_STATE_CLOSED;
    conn->flags = 0;
    conn->output_next = tcp->free_conn;
    tcp->free_conn = tcp_conn_index(conn);
    tcp->conns--;
}

void wisp_tcp_conn_settle(struct wisp_tcp_conn *conn)
{
    if (!(conn->flags & TCP_RELEASED) ||
        (conn->flags & (TCP_TABLED | TCP_RST_DUE | TCP_ON_OUTPUT | TCP_ON_EVENTS)) || conn->held) {
        return;
    }
    if (conn->part) {
        wisp_tcp_part_give(conn);
    }
    conn_free(conn);
}

void wisp_tcp_conn_tuple(const struct wisp_tcp_conn *conn, struct tcp_tuple *tuple)
{
    *tuple = (struct tcp_tuple){&conn->flow.local, &conn->flow.remote, conn->local_port,
                                conn->remote_port};
}

void wisp_tcp_conn_start(struct wisp_tcp_conn *conn, const struct tcp_tuple *tuple, wisp_time now)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    struct wisp_tcp *tcp = conn->tcp;
    uint64_t hash = wisp_tcp_hash(tcp, tuple);
    conn->flow.local = *tuple->local;
    conn->flow.remote = *tuple->remote;
    conn->flow.protocol = tcp->transport.protocol;
    conn->flow.ttl = tcp->config.ttl;
    conn->local_port = tuple->local_port;
    conn->remote_port = tuple->remote_port;
    cold->hash = (uint32_t)hash;
    conn->queue = (uint16_t)hash;
    cold->ts_offset = (uint32_t)(hash >> 32);
    conn->pseudo = tcp->l3->ops->pseudo_sum(tuple->local, tuple->remote, conn->flow.protocol, 0);
    conn->heard_at = tcp_ms(now);
    conn->unacked_at = conn->heard_at;
    cold->peer_mss = TCP_MSS_DEFAULT;
    conn->flags |= TCP_TABLED;
    wisp_tcp_conn_set_mss(conn);
    wisp_tcp_table_add(&tcp->table, (uint32_t)hash, tcp_entry(TCP_KIND_CONN, tcp_conn_index(conn)));
}

/* MUST-16: the peer's limit, ours, and what options take. */
void wisp_tcp_conn_set_mss(struct wisp_tcp_conn *conn)
{
    const struct tcp_cold *cold = wisp_tcp_cold(conn);
    struct wisp_l3 *l3 = conn->tcp->l3;
    uint32_t ours = l3->ops->mtu(l3->self, &conn->flow.remote) - l3->tcp.overhead - TCP_HEADER;
    uint32_t peer = cold->peer_mss < TCP_MSS_FLOOR ? TCP_MSS_FLOOR : cold->peer_mss;
    uint32_t mss = peer < ours ? peer : ours;
    if (conn->flags & TCP_HAS_TS) {
        mss = mss > TCP_TS_BYTES + 8 ? mss - TCP_TS_BYTES : 8;
    }
    conn->mss = (uint16_t)mss;
    conn->generation = (uint8_t)l3->tcp.generation;
}

__attribute__((cold, noinline)) void wisp_tcp_conn_carry(struct wisp_tcp_conn *conn, bool acked)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    cold->acked_high += acked;
    cold->received_high += !acked;
}

/* RFC 6928: ten segments, at least two, at most 14600 bytes; one after a lost SYN (RFC 5681 §3.1). */
static uint32_t initial_window(const struct wisp_tcp_conn *conn)
{
    if (conn->flags & TCP_SYN_AGAIN) {
        return conn->mss;
    }
    uint32_t most = 2u * conn->mss > 14600 ? 2u * conn->mss : 14600;
    return 10u * conn->mss < most ? 10u * conn->mss : most;
}

void wisp_tcp_conn_established(struct wisp_tcp_conn *conn, wisp_time now)
{
    conn->state = WISP_TCP_STATE_ESTABLISHED;
    wisp_tcp_conn_set_mss(conn);
    conn->cc.cwnd = initial_window(conn);
    conn->tcp->config.cc->init(&conn->cc);
    conn->retries = 0;
    conn->rexmit_at = WISP_NEVER;
    conn->heard_at = tcp_ms(now);
    conn->unacked_at = conn->heard_at;
    if (conn->part && conn->part->unsent) {
        wisp_tcp_output_add(conn);
    }
    if (conn->flags & TCP_FIN_WANTED) {
        wisp_tcp_output_add(conn);
    }
}

void wisp_tcp_conn_end(struct wisp_tcp_conn *conn, enum wisp_err reason, wisp_time now)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    struct wisp_tcp *tcp = conn->tcp;
    (void)now;
    if (conn->flags & TCP_TABLED) {
        wisp_tcp_table_remove(&tcp->table, cold->hash,
                              tcp_entry(TCP_KIND_CONN, tcp_conn_index(conn)));
    }
    wisp_wheel_clear(&tcp->wheel, &conn->timer);
    conn->rexmit_at = WISP_NEVER;
    conn->flags &= ~(uint32_t)(TCP_TABLED | TCP_ACK_NOW | TCP_ACK_LATER | TCP_SYN_DUE |
                               TCP_PROBE_DUE | TCP_KEEP_DUE | TCP_FIN_LOST);
    conn->state = WISP_TCP_STATE_CLOSED;
    conn->reason = (uint8_t)reason;
    if (conn->part) {
        wisp_tcp_send_drop(conn);
        if (reason != WISP_OK) {
            wisp_tcp_receive_drop(conn);
        }
        wisp_tcp_part_settle(conn, now);
    }
    tcp_forget(tcp, conn);
    conn->flags |= TCP_TELL_CLOSED;
    if (conn->flags & TCP_TELL_ACCEPTED) {
        cold->u.listener->waiting--; /* over before the application took it: it never was */
        cold->u.cookie = NULL;
        conn->flags = (conn->flags & ~(uint32_t)TCP_TELL_ACCEPTED) | TCP_RELEASED;
    }
    wisp_tcp_event_add(conn);
    wisp_tcp_conn_settle(conn);
}

void wisp_tcp_conn_reset(struct wisp_tcp_conn *conn, enum wisp_err reason, wisp_time now)
{
    switch (conn->state) {
    case WISP_TCP_STATE_SYN_RECEIVED:
    case WISP_TCP_STATE_ESTABLISHED:
    case WISP_TCP_STATE_FIN_WAIT_1:
    case WISP_TCP_STATE_FIN_WAIT_2:
    case WISP_TCP_STATE_CLOSE_WAIT:
        conn->flags |= TCP_RST_DUE;
        wisp_tcp_output_add(conn);
        break;
    default:
        break;
    }
    wisp_tcp_conn_end(conn, reason, now);
}

void wisp_tcp_part_init(struct tcp_part *part)
{
    memset(part, 0, sizeof(*part));
    wisp_tcp_chain_init(&part->send, false);
    wisp_tcp_chain_init(&part->records, false);
    wisp_tcp_chain_init(&part->receive, false);
    wisp_tcp_chain_init(&part->pieces, true);
}

/* Its queues are empty, and the numbers that are read only once they were set stay as they are: this runs for every
 * request of a quiet connection, and clearing it whole would cost as much as all the rest. */
static void part_reset(struct tcp_part *part)
{
    WISP_ASSERT(!part->send.count && !part->records.count && !part->receive.count &&
                !part->pieces.count);
    part->u.used.at = 0;
    part->u.used.write_page = NULL;
    part->held_at.block = NULL;
    memset((uint8_t *)part + offsetof(struct tcp_part, unsent), 0,
           offsetof(struct tcp_part, recover) - offsetof(struct tcp_part, unsent));
}

static bool part_start(struct wisp_tcp_conn *conn, struct tcp_part *part)
{
    if (!part) {
        conn->tcp->count[TCP_STARVED]++;
        return false;
    }
    part_reset(part);
    part->recover = seq_sub(conn->snd_una, 1);
    conn->part = part;
    return true;
}

bool wisp_tcp_part_get(struct wisp_tcp_conn *conn)
{
    if (conn->part) {
        return true;
    }
    return part_start(conn, wisp_tcp_parts_take(&conn->tcp->parts));
}

bool wisp_tcp_part_get_at_place(struct wisp_tcp_conn *conn)
{
    if (conn->part) {
        return true;
    }
    return part_start(conn, wisp_tcp_parts_take_at(&conn->tcp->parts, tcp_conn_index(conn)));
}

void wisp_tcp_part_give(struct wisp_tcp_conn *conn)
{
    struct wisp_tcp *tcp = conn->tcp;
    wisp_tcp_send_drop(conn);
    wisp_tcp_receive_drop(conn);
    while (!chain_empty(&conn->part->records)) {
        chain_pop(&conn->part->records, &tcp->blocks);
    }
    wisp_tcp_parts_give(&tcp->parts, conn->part);
    conn->part = NULL;
}

void wisp_tcp_part_settle(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_part *part = conn->part;
    if (!part || (part->send.count | part->records.count | part->receive.count | part->reordered) ||
        part->fin_known || (conn->flags & (TCP_URGENT_IN | TCP_URGENT_OUT))) {
        return;
    }
    wisp_time idle = conn->tcp->config.working_idle;
    if (part->history && conn->state != WISP_TCP_STATE_CLOSED &&
        conn->state != WISP_TCP_STATE_TIME_WAIT) {
        if (part->u.used.at == 0) {
            part->u.used.at = now;
            wisp_tcp_timer_arm(conn, wisp_time_add(now, idle));
            return;
        }
        if (now < wisp_time_add(part->u.used.at, idle)) {
            return;
        }
    }
    wisp_tcp_parts_give(&conn->tcp->parts, part);
    conn->part = NULL;
}
