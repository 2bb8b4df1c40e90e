/* SPDX-License-Identifier: ISC */
/*
 * Events, pulled by the application. Conditions are looked at when the connection's turn comes, so what no longer
 * holds is never told; what is told stands on the list `told` and is looked at again in the next step.
 */
#include "tcp_priv.h"

struct one_shot {
    uint32_t flag;
    uint32_t what;
};

static const struct one_shot one_shots[] = {
    {TCP_TELL_ACCEPTED, WISP_TCP_ACCEPTED}, {TCP_TELL_CONNECTED, WISP_TCP_CONNECTED},
    {TCP_TELL_URGENT, WISP_TCP_URGENT},     {TCP_TELL_SOFT, WISP_TCP_SOFT_ERROR},
    {TCP_TELL_RELEASED, WISP_TCP_RELEASED}, {TCP_TELL_CLOSED, WISP_TCP_CLOSED},
};

#define TELL_ALL                                                                                   \
    (TCP_TELL_ACCEPTED | TCP_TELL_CONNECTED | TCP_TELL_URGENT | TCP_TELL_SOFT |                    \
     TCP_TELL_RELEASED | TCP_TELL_CLOSED)

static uint32_t take_one_shots(struct wisp_tcp_conn *conn)
{
    uint32_t what = 0;
    uint32_t tell = conn->flags & TELL_ALL;
    if (conn->reason == WISP_OK && wisp_tcp_readable(conn) && !(conn->flags & TCP_DEAF)) {
        tell &= ~(uint32_t)TCP_TELL_CLOSED; /* an orderly end comes after the last byte */
    }
    if (!tell) {
        return 0;
    }
    for (uint32_t i = 0; i < sizeof(one_shots) / sizeof(one_shots[0]); i++) {
        if (tell & one_shots[i].flag) {
            what |= one_shots[i].what;
        }
    }
    conn->flags &= ~tell;
    return what;
}

/* Conditions that hold now and are wanted. */
static uint32_t levels(const struct wisp_tcp_conn *conn)
{
    uint32_t what = 0;
    uint32_t unread = wisp_tcp_readable(conn);
    if (conn->flags & TCP_DEAF) {
        return 0;
    }
    if (unread) {
        what |= WISP_TCP_READABLE;
    } else if (conn->flags & TCP_FIN_ARRIVED) {
        what |= WISP_TCP_END;
    }
    if ((conn->want & WISP_TCP_WRITABLE) && wisp_tcp_send_room(conn) &&
        conn->state != WISP_TCP_STATE_SYN_SENT && conn->state != WISP_TCP_STATE_SYN_RECEIVED) {
        what |= WISP_TCP_WRITABLE;
    }
    return what & conn->want;
}

static struct wisp_tcp_conn *next_told(struct wisp_tcp *tcp)
{
    struct wisp_tcp_conn *conn = &tcp->conn[tcp->events.head];
    tcp->events.head = conn->event_next;
    conn->flags &= ~(uint32_t)TCP_ON_EVENTS;
    return conn;
}

/* A send failed for lack of memory that any connection may free: worth a look in every step. */
static bool waits_for_memory(const struct wisp_tcp_conn *conn)
{
    return (conn->flags & TCP_HUNGRY) && (conn->want & WISP_TCP_WRITABLE) &&
           !(conn->flags & TCP_FIN_WANTED) && conn->state != WISP_TCP_STATE_CLOSED;
}

/* Whoever stands on the list from index on and still has something to tell goes on the list of events. */
static void look_again(struct wisp_tcp *tcp, uint32_t index)
{
    while (index != TCP_NONE) {
        struct wisp_tcp_conn *conn = &tcp->conn[index];
        index = conn->event_next;
        conn->flags &= ~(uint32_t)TCP_ON_EVENTS;
        if (conn->flags & TCP_RELEASED) {
            wisp_tcp_conn_settle(conn);
        } else if ((conn->flags & TELL_ALL) || levels(conn) || waits_for_memory(conn)) {
            wisp_tcp_event_add(conn);
        }
    }
}

void wisp_tcp_told_again(struct wisp_tcp *tcp)
{
    uint32_t told = tcp->told.head;
    uint32_t events = tcp->strays ? tcp->events.head : TCP_NONE;
    tcp->told.head = TCP_NONE;
    if (tcp->strays) {
        tcp->events.head = TCP_NONE;
        tcp->strays = false;
        look_again(tcp, events);
    }
    look_again(tcp, told);
}

static void fill(struct wisp_tcp_conn *conn, uint32_t what, struct wisp_tcp_event *event)
{
    *event =
        (struct wisp_tcp_event){.conn = conn, .what = what, .reason = (enum wisp_err)conn->reason};
    if (what & WISP_TCP_ACCEPTED) {
        event->listener = wisp_tcp_cold(conn)->u.listener;
        event->listener->waiting--;
        wisp_tcp_cold(conn)->u.cookie = NULL;
    }
    if (what & WISP_TCP_WRITABLE) {
        conn->flags &= ~(uint32_t)TCP_HUNGRY;
    }
}

bool wisp_tcp_next_event(struct wisp_tcp *tcp, struct wisp_tcp_event *event)
{
    while (tcp->events.head != TCP_NONE) {
        struct wisp_tcp_conn *conn = next_told(tcp);
        if (conn->flags & TCP_RELEASED) {
            wisp_tcp_conn_settle(conn);
            continue;
        }
        uint32_t what = take_one_shots(conn) | levels(conn);
        wisp_tcp_told_add(conn);
        if (what) {
            fill(conn, what, event);
            return true;
        }
    }
    return false;
}

void wisp_tcp_want(struct wisp_tcp_conn *conn, uint32_t what)
{
    uint8_t levels_only = WISP_TCP_READABLE | WISP_TCP_WRITABLE | WISP_TCP_END | WISP_TCP_RELEASED |
                          WISP_TCP_SOFT_ERROR;
    conn->want = (uint8_t)(what & levels_only);
    wisp_tcp_event_add(conn);
}
