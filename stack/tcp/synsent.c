/* SPDX-License-Identifier: ISC */
/*
 * A segment in SYN-SENT (RFC 9293 §3.10.7.3): ACK, RST, SYN in this order. A SYN without an acknowledgement of
 * ours is a simultaneous open and leads to SYN-RECEIVED (MUST-10); text or FIN that come with it are not kept, the
 * peer sends them again.
 */
#include "tcp_priv.h"

static bool ack_acceptable(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg)
{
    return (seg->flags & TCP_ACK) && seq_equal(seg->ack, conn->snd_nxt);
}

static void peer_options(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, wisp_time now)
{
    struct tcp_cold *cold = wisp_tcp_cold(conn);
    const struct wisp_tcp_config *config = &conn->tcp->config;
    const struct tcp_options *o = &seg->options;
    cold->peer_mss = o->has_mss ? o->mss : TCP_MSS_DEFAULT;
    if (o->has_ts && config->timestamps) {
        conn->flags |= TCP_HAS_TS;
        cold->ts_recent = o->tsval;
        cold->ts_recent_at = (uint16_t)(now / WISP_SEC(60));
    }
    if (o->sack_permitted && config->sack) {
        conn->flags |= TCP_HAS_SACK;
    }
    if (o->has_scale && config->window_scaling) {
        conn->flags |= TCP_HAS_SCALE;
        conn->snd_shift = o->shift & 15u;
        conn->rcv_shift = conn->tcp->window_shift & 15u;
    }
}

static void take_syn(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, wisp_time now)
{
    conn->rcv_nxt = seq_add(seg->seq, 1);
    conn->rcv_edge = seq_add(conn->rcv_nxt, conn->tcp->first_window);
    conn->ack_sent = conn->rcv_nxt;
    conn->snd_wnd = seg->window; /* never scaled in a SYN */
    wisp_tcp_cold(conn)->max_wnd = seg->window;
    conn->snd_wl1 = seg->seq;
    conn->snd_wl2 = seg->ack;
    peer_options(conn, seg, now);
}

static void established(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (!(conn->flags & TCP_SYN_AGAIN)) {
        /* The SYN left when the connection was made, or soon after. */
        uint32_t ms = tcp_ms(now) - conn->unacked_at;
        wisp_tcp_rtt_sample(conn, ms * 1000u);
    }
    conn->snd_una = conn->snd_nxt;
    wisp_tcp_conn_established(conn, now);
    conn->tcp->count[TCP_OPENED_ACTIVE]++;
    conn->flags |= TCP_TELL_CONNECTED | TCP_ACK_NOW;
    wisp_tcp_event_add(conn);
    wisp_tcp_output_add(conn);
}

static void crossed(struct wisp_tcp_conn *conn, wisp_time now)
{
    conn->state = WISP_TCP_STATE_SYN_RECEIVED;
    conn->flags |= TCP_SYN_DUE;
    wisp_tcp_conn_set_mss(conn);
    wisp_tcp_timer_rexmit(conn, now);
    wisp_tcp_output_add(conn);
}

void wisp_tcp_syn_sent_input(struct wisp_tcp_conn *conn, const struct tcp_segment *seg,
                             wisp_time now)
{
    struct wisp_tcp *tcp = conn->tcp;
    struct tcp_tuple tuple;
    bool acked = ack_acceptable(conn, seg);
    if ((seg->flags & TCP_ACK) && !acked) {
        tcp->count[TCP_RX_BAD_ACK]++;
        wisp_tcp_conn_tuple(conn, &tuple);
        wisp_tcp_reply_rst(tcp, &tuple, seg);
        return;
    }
    if (seg->flags & TCP_RST) {
        tcp->count[acked ? TCP_RX_RST : TCP_RX_BAD_RST]++;
        if (acked) {
            wisp_tcp_conn_end(conn, WISP_ERR_REFUSED, now);
        }
        return;
    }
    if (!(seg->flags & TCP_SYN)) {
        tcp->count[TCP_RX_BAD_FLAGS]++;
        return;
    }
    take_syn(conn, seg, now);
    if (acked) {
        established(conn, now);
    } else {
        crossed(conn, now);
    }
}
