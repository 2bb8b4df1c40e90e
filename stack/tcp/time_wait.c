/* SPDX-License-Identifier: ISC */
/*
 * TIME-WAIT (RFC 9293 §3.6.1) in entries of 40 bytes: what is needed to acknowledge a FIN again, to recognise what
 * is old, and to let a newer SYN in early (MAY-2, RFC 6191). All wait equally long, so a list in the order of
 * their start is in the order of their end. When the table is full the oldest goes.
 *
 * A RST ends nothing here (RFC 1337).
 */
#include "tcp_priv.h"

static struct tcp_time_wait4 *at(struct wisp_tcp *tcp, uint32_t index)
{
    return &tcp->time_wait[index];
}

static void wait_append(struct wisp_tcp *tcp, struct tcp_time_wait4 *wait, wisp_time now)
{
    uint32_t index = (uint32_t)(wait - tcp->time_wait);
    wait->expires = tcp_ms(now) + (uint32_t)(tcp->config.time_wait_for / 1000000u);
    wait->next = TCP_NONE;
    wait->prev = tcp->waiting.head == TCP_NONE ? TCP_NONE : tcp->waiting.tail;
    if (wait->prev == TCP_NONE) {
        tcp->waiting.head = index;
    } else {
        at(tcp, wait->prev)->next = index;
    }
    tcp->waiting.tail = index;
}

static void unlink(struct wisp_tcp *tcp, struct tcp_time_wait4 *wait)
{
    if (wait->prev == TCP_NONE) {
        tcp->waiting.head = wait->next;
    } else {
        at(tcp, wait->prev)->next = wait->next;
    }
    if (wait->next == TCP_NONE) {
        tcp->waiting.tail = wait->prev;
    } else {
        at(tcp, wait->next)->prev = wait->prev;
    }
}

static uint64_t hash_of(struct wisp_tcp *tcp, const struct tcp_time_wait4 *wait)
{
    struct wisp_addr local = wisp_addr_ip4(wait->local);
    struct wisp_addr remote = wisp_addr_ip4(wait->remote);
    struct tcp_tuple tuple = {&local, &remote, wait->local_port, wait->remote_port};
    return wisp_tcp_hash(tcp, &tuple);
}

void wisp_tcp_time_wait_remove(struct wisp_tcp *tcp, struct tcp_time_wait4 *wait)
{
    uint32_t index = (uint32_t)(wait - tcp->time_wait);
    wisp_tcp_table_remove(&tcp->table, (uint32_t)hash_of(tcp, wait),
                          tcp_entry(TCP_KIND_WAIT, index));
    unlink(tcp, wait);
    wait->flags = 0;
    wait->next = tcp->free_wait;
    tcp->free_wait = index;
    tcp->waits--;
}

static struct tcp_time_wait4 *wait_alloc(struct wisp_tcp *tcp)
{
    if (tcp->free_wait == TCP_NONE) {
        tcp->count[TCP_TIME_WAIT_EVICTED]++;
        wisp_tcp_time_wait_remove(tcp, at(tcp, tcp->waiting.head));
    }
    struct tcp_time_wait4 *wait = at(tcp, tcp->free_wait);
    tcp->free_wait = wait->next;
    tcp->waits++;
    return wait;
}

void wisp_tcp_time_wait_enter(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct wisp_tcp *tcp = conn->tcp;
    struct tcp_time_wait4 *wait = wait_alloc(tcp);
    uint32_t window = seq_span(conn->rcv_nxt, conn->rcv_edge) >> conn->rcv_shift;
    *wait = (struct tcp_time_wait4){.local = conn->flow.local.u.ip4,
                                    .remote = conn->flow.remote.u.ip4,
                                    .local_port = conn->local_port,
                                    .remote_port = conn->remote_port,
                                    .rcv_nxt = conn->rcv_nxt,
                                    .snd_nxt = conn->snd_nxt,
                                    .ts_recent = wisp_tcp_cold(conn)->ts_recent,
                                    .window = (uint16_t)(window < UINT16_MAX ? window : UINT16_MAX),
                                    .flags = TCP_HALF_USED};
    wait->flags |= (conn->flags & TCP_HAS_TS) ? TCP_HALF_TS : 0;
    wait_append(tcp, wait, now);
    wisp_tcp_table_replace(&tcp->table, wisp_tcp_cold(conn)->hash,
                           tcp_entry(TCP_KIND_CONN, tcp_conn_index(conn)),
                           tcp_entry(TCP_KIND_WAIT, (uint32_t)(wait - tcp->time_wait)));
    conn->flags &= ~(uint32_t)(TCP_TABLED | TCP_ACK_LATER);
    tcp_forget(tcp, conn);
    wisp_wheel_clear(&tcp->wheel, &conn->timer);
    conn->rexmit_at = WISP_NEVER;
    conn->state = WISP_TCP_STATE_TIME_WAIT;
    conn->reason = WISP_OK;
    conn->flags |= TCP_TELL_CLOSED;
    wisp_tcp_event_add(conn);
    wisp_tcp_output_add(conn);
}

static void wait_ack(struct wisp_tcp *tcp, struct tcp_time_wait4 *wait,
                     const struct tcp_tuple *tuple)
{
    struct tcp_reply *reply = wisp_tcp_reply_new(tcp, tuple);
    if (!reply) {
        return;
    }
    reply->seq = wait->snd_nxt;
    reply->ack = wait->rcv_nxt;
    reply->window = wait->window;
    reply->flags = TCP_ACK;
    reply->has_ts = wait->flags & TCP_HALF_TS;
    reply->ts_offset = (uint32_t)(hash_of(tcp, wait) >> 32);
    reply->tsecr = wait->ts_recent;
}

/* RFC 6191 §2: newer by timestamp, or, without one, by sequence number. */
static bool may_reopen(const struct tcp_time_wait4 *wait, const struct tcp_segment *seg)
{
    if ((wait->flags & TCP_HALF_TS) && seg->options.has_ts) {
        int32_t newer = (int32_t)(seg->options.tsval - wait->ts_recent);
        return newer > 0 || (newer == 0 && seq_after(seg->seq, wait->rcv_nxt));
    }
    return seq_after(seg->seq, wait->rcv_nxt);
}

bool wisp_tcp_time_wait_input(struct wisp_tcp *tcp, struct tcp_time_wait4 *wait,
                              const struct tcp_tuple *tuple, const struct tcp_segment *seg,
                              struct tcp_seq *iss, wisp_time now)
{
    bool syn = (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN;
    tcp->count[TCP_RX_TIME_WAIT]++;
    if (seg->flags & TCP_RST) {
        return false;
    }
    if (syn && may_reopen(wait, seg) &&
        wisp_tcp_listener_find(tcp, tuple->local, tuple->local_port)) {
        struct tcp_seq isn = wisp_tcp_isn(tcp, tuple, now);
        struct tcp_seq beyond = seq_add(wait->snd_nxt, 1u << 16);
        *iss = seq_later(isn, beyond);
        tcp->count[TCP_TIME_WAIT_REUSED]++;
        wisp_tcp_time_wait_remove(tcp, wait);
        return true;
    }
    bool fin_again =
        (seg->flags & TCP_FIN) && seq_equal(seq_add(seg->seq, seg->length + 1), wait->rcv_nxt);
    if (fin_again) {
        unlink(tcp, wait);
        wait_append(tcp, wait, now);
    }
    bool plain = seg->length == 0 && !(seg->flags & (TCP_SYN | TCP_FIN)) &&
                 seq_equal(seg->seq, wait->rcv_nxt) && seq_equal(seg->ack, wait->snd_nxt);
    if (fin_again || (!plain && wait->challenges < 16)) {
        wait->challenges += !fin_again;
        wait_ack(tcp, wait, tuple);
    }
    return false;
}

void wisp_tcp_time_wait_expire(struct wisp_tcp *tcp, wisp_time now)
{
    while (tcp->waiting.head != TCP_NONE) {
        struct tcp_time_wait4 *wait = at(tcp, tcp->waiting.head);
        if ((int32_t)(tcp_ms(now) - wait->expires) <= 0) {
            return;
        }
        wisp_tcp_time_wait_remove(tcp, wait);
    }
}
