/* SPDX-License-Identifier: ISC */
/*
 * Segments that belong to no connection: RST to what nobody wants (RFC 9293 §3.10.7.1), acknowledgements of
 * half-open and TIME-WAIT entries. They wait in a short ring for the step; when it is full, answers are lost,
 * never memory. One answer per segment received, never longer than it (TC-54).
 */
#include "tcp_priv.h"

struct tcp_reply *wisp_tcp_reply_new(struct wisp_tcp *tcp, const struct tcp_tuple *tuple)
{
    if (tcp->reply_in - tcp->reply_out == TCP_REPLIES) {
        tcp->count[TCP_TX_REPLIES_LOST]++;
        return NULL;
    }
    struct tcp_reply *reply = &tcp->reply[tcp->reply_in++ % TCP_REPLIES];
    *reply = (struct tcp_reply){.local_port = tuple->local_port, .remote_port = tuple->remote_port};
    reply->flow = (struct wisp_flow){
        *tuple->local, *tuple->remote, tcp->transport.protocol, tcp->config.ttl, 0, false};
    return reply;
}

void wisp_tcp_reply_rst(struct wisp_tcp *tcp, const struct tcp_tuple *tuple,
                        const struct tcp_segment *seg)
{
    if (seg->flags & TCP_RST) {
        return;
    }
    struct tcp_reply *reply = wisp_tcp_reply_new(tcp, tuple);
    if (!reply) {
        return;
    }
    if (seg->flags & TCP_ACK) {
        reply->seq = seg->ack;
        reply->flags = TCP_RST;
        return;
    }
    uint32_t length = seg->length + ((seg->flags & TCP_SYN) != 0) + ((seg->flags & TCP_FIN) != 0);
    reply->ack = seq_add(seg->seq, length);
    reply->flags = TCP_RST | TCP_ACK;
}

void wisp_tcp_reply_run(struct wisp_tcp *tcp, wisp_time now)
{
    while (tcp->reply_out != tcp->reply_in &&
           wisp_tcp_emit_reply(tcp, &tcp->reply[tcp->reply_out % TCP_REPLIES], now)) {
        tcp->reply_out++;
    }
}
