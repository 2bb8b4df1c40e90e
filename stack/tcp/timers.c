/* SPDX-License-Identifier: ISC */
/*
 * Time. Every deadline of a connection shares one wheel entry that is set at the earliest of them or earlier:
 * a deadline that moves later costs nothing, and when the entry fires too early it is set anew. So the retransmission
 * timer, restarted with every segment, rarely touches the wheel.
 *
 *   rexmit_at     SYN, retransmission, persist     RFC 6298, RFC 9293 §3.8.6.1
 *   ack_at        delayed ACK                      §3.8.6.3
 *   heard_at      + keepalive idle, interval       §3.8.4
 *   unacked_at    + user timeout                   §3.8.3
 *   FIN-WAIT-2 without a reader; working part without work
 *
 * Most delayed acknowledgements leave with the answer to what they acknowledge. So the last TCP_LATE are only noted, and
 * go on the wheel when others push them out, or when the first one is due.
 */
#include "tcp_priv.h"

#define FIN_WAIT_2_LIMIT 60000u /* ms a connection nobody reads waits for the peer's FIN */

void wisp_tcp_timer_arm(struct wisp_tcp_conn *conn, wisp_time at)
{
    struct wisp_tcp *tcp = conn->tcp;
    if (wisp_timer_is_set(&conn->timer) && conn->timer.at <= at) {
        return;
    }
    wisp_wheel_set(&tcp->wheel, &conn->timer, at);
    tcp->timers_at = wisp_time_min(tcp->timers_at, at);
}

/* The time of a 32-bit millisecond stamp that lies less than 24 days from now. */
static wisp_time time_of(uint32_t ms, wisp_time now)
{
    int32_t ahead = (int32_t)(ms - tcp_ms(now));
    wisp_time floor = now - now % 1000000u;
    return ahead >= 0 ? floor + WISP_MS((uint32_t)ahead)
                      : floor - wisp_time_min(floor, WISP_MS((uint32_t)-ahead));
}

static bool is_late(const struct wisp_tcp_conn *conn)
{
    return conn && (conn->flags & TCP_ACK_LATER);
}

/* The connection may have been freed, and its place taken by another one, whose deadline is as good. Not in line, so
 * that those that were answered do not save registers for it. */
static __attribute__((noinline)) void arm_late(struct wisp_tcp_conn *conn, wisp_time now)
{
    wisp_tcp_timer_arm(conn, time_of(conn->ack_at, now));
}

static void arm_all_late(struct wisp_tcp *tcp, wisp_time now)
{
    tcp->late_at = WISP_NEVER;
    for (uint32_t i = 0; i < TCP_LATE; i++) {
        if (is_late(tcp->late[i])) {
            arm_late(tcp->late[i], now);
        }
    }
}

void wisp_tcp_timer_late(struct wisp_tcp_conn *conn, wisp_time at)
{
    struct wisp_tcp *tcp = conn->tcp;
    struct wisp_tcp_conn **place = &tcp->late[tcp->lates++ % TCP_LATE];
    struct wisp_tcp_conn *before = *place;
    bool owes = is_late(before);
    *place = conn;
    conn->flags |= TCP_ACK_LATER;
    conn->ack_at = tcp_ms(at);
    tcp->late_at = wisp_time_min(tcp->late_at, at);
    tcp->timers_at = wisp_time_min(tcp->timers_at, at);
    if (owes) {
        arm_late(before, tcp->now);
    }
}

void wisp_tcp_timer_half(struct wisp_tcp *tcp, struct tcp_half4 *half, wisp_time at)
{
    wisp_wheel_set(&tcp->half_wheel, &half->timer, at);
    tcp->timers_at = wisp_time_min(tcp->timers_at, at);
}

void wisp_tcp_timer_rexmit(struct wisp_tcp_conn *conn, wisp_time now)
{
    conn->rexmit_at = wisp_time_add(now, WISP_US(wisp_tcp_rto(conn)));
    wisp_tcp_timer_arm(conn, conn->rexmit_at);
}

void wisp_tcp_timer_data(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (conn->rexmit_at == WISP_NEVER) {
        conn->unacked_at = tcp_ms(now);
        wisp_tcp_timer_rexmit(conn, now);
    }
}

/* When the next keepalive probe is due. */
static uint32_t keep_at(const struct wisp_tcp_conn *conn)
{
    const struct tcp_cold *cold = wisp_tcp_cold(conn);
    return conn->heard_at + 1000u * cold->keep_idle +
           1000u * cold->keep_interval * conn->keep_probes;
}

static bool keeps_alive(const struct wisp_tcp_conn *conn)
{
    return conn->keeps &&
           (conn->state == WISP_TCP_STATE_ESTABLISHED || conn->state == WISP_TCP_STATE_CLOSE_WAIT ||
            conn->state == WISP_TCP_STATE_FIN_WAIT_2);
}

static bool waits_unread(const struct wisp_tcp_conn *conn)
{
    return conn->state == WISP_TCP_STATE_FIN_WAIT_2 && (conn->flags & TCP_DEAF);
}

static wisp_time earliest(const struct wisp_tcp_conn *conn, wisp_time now)
{
    wisp_time at = conn->rexmit_at;
    if (conn->flags & TCP_ACK_LATER) {
        at = wisp_time_min(at, time_of(conn->ack_at, now));
    }
    if (keeps_alive(conn)) {
        at = wisp_time_min(at, time_of(keep_at(conn), now));
    }
    if (waits_unread(conn)) {
        at = wisp_time_min(at, time_of(conn->unacked_at + FIN_WAIT_2_LIMIT, now));
    }
    if (conn->part && conn->part->u.used.at) {
        at =
            wisp_time_min(at, wisp_time_add(conn->part->u.used.at, conn->tcp->config.working_idle));
    }
    return at;
}

/* R2 (MUST-20): how long without an acknowledgement of data or SYN. */
static bool given_up(const struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    bool syn = conn->state == WISP_TCP_STATE_SYN_SENT || conn->state == WISP_TCP_STATE_SYN_RECEIVED;
    if (cold->user_timeout == TCP_FOR_EVER || (conn->flags & TCP_ANSWERED)) {
        return false;
    }
    uint32_t limit = 1000u * cold->user_timeout;
    if (syn && limit < TCP_SYN_LIMIT) {
        limit = TCP_SYN_LIMIT;
    }
    return tcp_ms(now) - conn->unacked_at >= limit;
}

/* R1: the path is doubted, the application may be told (SHLD-9). */
static void doubt_path(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct wisp_l3 *l3 = conn->tcp->l3;
    l3->ops->advise(l3->self, &conn->flow.remote, false, now);
    wisp_tcp_cold(conn)->soft = WISP_ERR_TIMEOUT;
    if (conn->want & WISP_TCP_SOFT_ERROR) {
        conn->flags |= TCP_TELL_SOFT;
        wisp_tcp_event_add(conn);
    }
}

/* Nothing in flight but data waits, or the window is shut over what is: a probe instead of a retransmission. */
static bool probes_window(const struct wisp_tcp_conn *conn)
{
    bool waits = conn->part && (conn->part->unsent || conn->part->send.count);
    return waits && (tcp_in_flight(conn) == 0 || conn->snd_wnd == 0);
}

static void retransmit(struct wisp_tcp_conn *conn, wisp_time now)
{
    conn->retries = (uint8_t)(conn->retries + (conn->retries < UINT8_MAX));
    if (conn->state == WISP_TCP_STATE_SYN_SENT || conn->state == WISP_TCP_STATE_SYN_RECEIVED) {
        conn->flags |= TCP_SYN_DUE | TCP_SYN_AGAIN;
        conn->tcp->count[TCP_RETRANSMITS]++;
    } else if (probes_window(conn)) {
        conn->unacked_at = (conn->flags & TCP_ANSWERED) ? tcp_ms(now) : conn->unacked_at;
        conn->flags = (conn->flags & ~(uint32_t)TCP_ANSWERED) | TCP_PROBE_DUE;
        conn->tcp->count[TCP_PROBES]++;
    } else {
        conn->tcp->count[TCP_TIMEOUTS]++;
        wisp_tcp_recovery_timeout(conn, now);
    }
    wisp_tcp_timer_rexmit(conn, now);
    wisp_tcp_output_add(conn);
}

static bool rexmit_expired(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (now < conn->rexmit_at) {
        return true;
    }
    conn->rexmit_at = WISP_NEVER;
    if (given_up(conn, now)) {
        conn->tcp->count[TCP_CLOSED_TIMEOUT]++;
        wisp_tcp_conn_reset(conn, WISP_ERR_TIMEOUT, now);
        return false;
    }
    if (conn->retries + 1u == TCP_R1) {
        doubt_path(conn, now);
    }
    retransmit(conn, now);
    return true;
}

static bool keep_expired(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (!keeps_alive(conn) || (int32_t)(tcp_ms(now) - keep_at(conn)) < 0 || tcp_in_flight(conn)) {
        return true;
    }
    if (conn->keep_probes >= wisp_tcp_cold(conn)->keep_count) {
        conn->tcp->count[TCP_CLOSED_TIMEOUT]++;
        wisp_tcp_conn_reset(conn, WISP_ERR_TIMEOUT, now);
        return false;
    }
    conn->keep_probes++;
    conn->flags |= TCP_KEEP_DUE;
    conn->tcp->count[TCP_KEEPALIVES]++;
    wisp_tcp_output_add(conn);
    return true;
}

static void conn_expired(struct wisp_tcp_conn *conn, wisp_time now)
{
    if ((conn->flags & TCP_ACK_LATER) && (int32_t)(tcp_ms(now) - conn->ack_at) >= 0) {
        conn->flags = (conn->flags & ~(uint32_t)TCP_ACK_LATER) | TCP_ACK_NOW;
        wisp_tcp_output_add(conn);
    }
    if (!rexmit_expired(conn, now) || !keep_expired(conn, now)) {
        return;
    }
    if (waits_unread(conn) && tcp_ms(now) - conn->unacked_at >= FIN_WAIT_2_LIMIT) {
        conn->tcp->count[TCP_CLOSED_TIMEOUT]++;
        wisp_tcp_conn_end(conn, WISP_ERR_TIMEOUT, now);
        return;
    }
    wisp_tcp_part_settle(conn, now);
    wisp_time at = earliest(conn, now);
    if (at != WISP_NEVER) {
        wisp_tcp_timer_arm(conn, at > now ? at : now + 1);
    }
}

static struct wisp_tcp_conn *conn_of(struct wisp_timer *timer)
{
    return (struct wisp_tcp_conn *)(void *)((uint8_t *)timer -
                                            offsetof(struct wisp_tcp_conn, timer));
}

void wisp_tcp_timer_expire(struct wisp_tcp *tcp, wisp_time now)
{
    struct wisp_timer *timer;
    if (now >= tcp->late_at) {
        arm_all_late(tcp, now);
    }
    while ((timer = wisp_wheel_expire(&tcp->half_wheel, now)) != NULL) {
        wisp_tcp_half_expire(tcp, (struct tcp_half4 *)(void *)timer, now);
    }
    while ((timer = wisp_wheel_expire(&tcp->wheel, now)) != NULL) {
        conn_expired(conn_of(timer), now);
    }
    tcp->timers_at = wisp_time_min(wisp_wheel_deadline(&tcp->wheel, now),
                                   wisp_wheel_deadline(&tcp->half_wheel, now));
    tcp->timers_at = wisp_time_min(tcp->timers_at, tcp->late_at);
}
