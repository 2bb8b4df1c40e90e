/* SPDX-License-Identifier: ISC */
/*
 * The states' transitions once a connection is synchronised (RFC 9293 §3.3.2, figure 5), one edge per line.
 * Opening edges are made where a handshake ends (half.c, synsent.c); RST and timeouts lead to CLOSED from
 * everywhere (conn.c). Pairs that are not listed change nothing.
 */
#include "tcp_priv.h"

struct edge {
    uint8_t from, transition, to;
};

static const struct edge edges[] = {
    {WISP_TCP_STATE_SYN_RECEIVED, TCP_SEND_FIN, WISP_TCP_STATE_FIN_WAIT_1},
    {WISP_TCP_STATE_ESTABLISHED, TCP_SEND_FIN, WISP_TCP_STATE_FIN_WAIT_1},
    {WISP_TCP_STATE_CLOSE_WAIT, TCP_SEND_FIN, WISP_TCP_STATE_LAST_ACK},
    {WISP_TCP_STATE_FIN_WAIT_1, TCP_ACKED_FIN, WISP_TCP_STATE_FIN_WAIT_2},
    {WISP_TCP_STATE_CLOSING, TCP_ACKED_FIN, WISP_TCP_STATE_TIME_WAIT},
    {WISP_TCP_STATE_LAST_ACK, TCP_ACKED_FIN, WISP_TCP_STATE_CLOSED},
    {WISP_TCP_STATE_ESTABLISHED, TCP_TAKE_FIN, WISP_TCP_STATE_CLOSE_WAIT},
    {WISP_TCP_STATE_FIN_WAIT_1, TCP_TAKE_FIN, WISP_TCP_STATE_CLOSING},
    {WISP_TCP_STATE_FIN_WAIT_2, TCP_TAKE_FIN, WISP_TCP_STATE_TIME_WAIT},
};

uint8_t wisp_tcp_state_after(uint8_t state, enum tcp_transition transition)
{
    for (uint32_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        if (edges[i].from == state && edges[i].transition == (uint8_t)transition) {
            return edges[i].to;
        }
    }
    return state;
}
