/* SPDX-License-Identifier: ISC */
/*
 * The lists connections stand on: output (something to send in this step), events (something to tell the
 * application), told (told since the last step; looked at again in the next one, as events are
 * level-triggered). Links are indices; a connection leaves a list only at its head, and is not freed while it
 * stands on one.
 */
#include "tcp_priv.h"

void wisp_tcp_output_add(struct wisp_tcp_conn *conn)
{
    struct wisp_tcp *tcp = conn->tcp;
    if (conn->flags & TCP_ON_OUTPUT) {
        return;
    }
    conn->flags |= TCP_ON_OUTPUT;
    uint32_t index = tcp_conn_index(conn);
    conn->output_next = TCP_NONE;
    if (tcp->output.head == TCP_NONE) {
        tcp->output.head = index;
    } else {
        tcp->conn[tcp->output.tail].output_next = index;
    }
    tcp->output.tail = index;
}

static void append(struct wisp_tcp *tcp, struct tcp_list *list, struct wisp_tcp_conn *conn)
{
    uint32_t index = tcp_conn_index(conn);
    conn->event_next = TCP_NONE;
    if (list->head == TCP_NONE) {
        list->head = index;
    } else {
        tcp->conn[list->tail].event_next = index;
    }
    list->tail = index;
}

void wisp_tcp_event_add(struct wisp_tcp_conn *conn)
{
    if (conn->flags & (TCP_ON_EVENTS | TCP_RELEASED)) {
        return;
    }
    conn->flags |= TCP_ON_EVENTS;
    append(conn->tcp, &conn->tcp->events, conn);
}

void wisp_tcp_told_add(struct wisp_tcp_conn *conn)
{
    conn->flags |= TCP_ON_EVENTS;
    append(conn->tcp, &conn->tcp->told, conn);
}
