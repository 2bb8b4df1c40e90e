/* SPDX-License-Identifier: ISC */
/*
 * Header prediction: a segment that is exactly what an established connection waits for (next in
 * order, a plain ACK of something in flight, nothing lost, missing, urgent or ending) takes this
 * short way. It skips no check that could fail, and leaves what segment.c's long way would leave;
 * tests/conformance/test_conf_expected.c compares the two. Whatever is not quite so simple is asked
 * here and done there, before anything was changed.
 */
#include "tcp_priv.h"

/* The flags under which nothing is as simple as here. */
#define UNUSUAL (TCP_DEAF | TCP_FIN_ARRIVED | TCP_URGENT_IN | TCP_URGENT_OUT)

static bool part_is_quiet(const struct tcp_part *part)
{
    return !part->recovering && !part->fin_known && !part->reordered;
}

/* Duplicates, what opens a shut window and the news for the neighbour cache go the long way. */
static bool ack_is_expected(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg,
                            uint32_t ms)
{
    uint32_t flight = tcp_in_flight(conn);
    uint32_t bytes = seq_span(conn->snd_una, seg->ack);
    if (bytes == 0) {
        return seg->length > 0 || flight == 0 ||
               (uint32_t)seg->window << conn->snd_shift != conn->snd_wnd;
    }
    return bytes <= flight && conn->part && ms >> 10 == conn->unacked_at >> 10;
}

static bool timestamp_is_expected(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg)
{
    return !(conn->flags & TCP_HAS_TS) ||
           (seg->options.has_ts &&
            (int32_t)(seg->options.tsval - wisp_tcp_cold(conn)->ts_recent) >= 0);
}

static bool is_expected(const struct wisp_tcp_conn *conn, const struct tcp_segment *seg,
                        uint32_t ms)
{
    return (seg->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_URG | TCP_ACK)) == TCP_ACK &&
           seq_equal(seg->seq, conn->rcv_nxt) && conn->state == WISP_TCP_STATE_ESTABLISHED &&
           !(conn->flags & UNUSUAL) && !seg->options.has_sack &&
           seg->length <= seq_span(conn->rcv_nxt, conn->rcv_edge) &&
           ack_is_expected(conn, seg, ms) && timestamp_is_expected(conn, seg) &&
           conn->snd_wnd > 0 && (!conn->part || part_is_quiet(conn->part));
}

/* Bytes acknowledge all there is: one segment, not held by the device any more, never lost, from
 * one view. */
static bool answers_all(const struct tcp_part *part, uint32_t bytes)
{
    return chain_is_single(&part->records) && chain_is_single(&part->send) &&
           chain_front(&part->records)->record.flags == 0 &&
           chain_front(&part->records)->record.length == bytes &&
           chain_front(&part->send)->view.length == bytes;
}

static void all_acked(struct wisp_tcp_conn *conn, uint32_t bytes, uint32_t ms, wisp_time now)
{
    struct tcp_part *part = conn->part;
    wisp_time sent_at = chain_front(&part->records)->record.sent_at;
    struct wisp_page *page = chain_front(&part->send)->view.page;
    chain_pop_single(&part->records);
    chain_pop_single(&part->send);
    part->u.used.write_page = NULL;
    conn->snd_una = conn->snd_nxt;
    tcp_count_acked(conn, bytes);
    conn->retries = 0;
    conn->unacked_at = ms;
    conn->rexmit_at = WISP_NEVER;
    if (page) {
        wisp_page_unref(page);
    }
    wisp_tcp_rtt_sample(conn, (uint32_t)((now - sent_at) / 1000u));
    wisp_tcp_recovery_unneeded(conn, bytes, now);
    if (conn->want & (WISP_TCP_RELEASED | WISP_TCP_WRITABLE)) {
        conn->flags |= conn->want & WISP_TCP_RELEASED ? TCP_TELL_RELEASED : 0u;
        wisp_tcp_event_add(conn);
    }
}

static void take_window(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, wisp_time now)
{
    uint32_t window = (uint32_t)seg->window << conn->snd_shift;
    if (seq_before(conn->snd_wl1, seg->seq) && window <= conn->snd_wnd) {
        conn->snd_wl1 = seg->seq;
        conn->snd_wl2 = seg->ack;
        conn->snd_wnd = window;
    } else {
        wisp_tcp_ack_window(conn, seg, now);
    }
}

static void take_ack(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, uint32_t ms,
                     wisp_time now)
{
    uint32_t bytes = seq_span(conn->snd_una, seg->ack);
    if (bytes > 0 && bytes == tcp_in_flight(conn) && answers_all(conn->part, bytes)) {
        all_acked(conn, bytes, ms, now);
    } else if (bytes > 0) {
        wisp_tcp_ack_advance(conn, seg->ack, now);
    }
    take_window(conn, seg, now);
}

/* The first text unread, in one view. */
static bool is_alone(const struct wisp_tcp_conn *conn, const struct wisp_pkt *pkt)
{
    return pkt->views == 1 && pkt->cell.length == 0 && conn->part &&
           conn->part->receive.count == 0 && conn->pages < conn->tcp->config.receive_pages;
}

static void take_alone(struct wisp_tcp_conn *conn, const struct wisp_pkt *pkt,
                       const struct tcp_segment *seg, wisp_time now)
{
    struct tcp_part *part = conn->part;
    const struct wisp_view *from = &pkt->view[0];
    union tcp_entry *entry = chain_push_single(&part->receive);
    struct wisp_page *page = from->page;
    wisp_view_set(&entry->view, page, from->offset + seg->header, seg->length);
    wisp_page_ref(page);
    wisp_page_hold(page, WISP_HOLDER_TCP_RECEIVE);
    conn->pages++;
    part->unread = seg->length;
    conn->rcv_nxt = seq_add(conn->rcv_nxt, seg->length);
    tcp_count_received(conn, seg->length);
    conn->tcp->count[TCP_RX_BYTES] += seg->length;
    wisp_tcp_receive_acknowledge(conn, now);
    wisp_tcp_event_add(conn);
}

bool wisp_tcp_expected_input(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt,
                             const struct tcp_segment *seg, wisp_time now)
{
    uint32_t ms = tcp_ms(now);
    if (!is_expected(conn, seg, ms)) {
        return false;
    }
    conn->heard_at = ms;
    conn->keep_probes = 0;
    if (conn->flags & TCP_HAS_TS) {
        wisp_tcp_take_timestamp(conn, seg, now);
    }
    take_ack(conn, seg, ms, now);
    if (seg->length == 0) {
        wisp_tcp_part_settle(conn, now);
    } else if (is_alone(conn, pkt)) {
        take_alone(conn, pkt, seg, now);
    } else {
        wisp_tcp_receive_text(conn, pkt, seg, now);
    }
    return true;
}
