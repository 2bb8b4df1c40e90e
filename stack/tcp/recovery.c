/* SPDX-License-Identifier: ISC */
/*
 * What is lost and when it is sent again (RFC 5681 §3.2, RFC 6582, RFC 3042, RFC 6298 §5). Losses are marked in
 * the records; output.c sends marked ones first.
 *
 *   window left = cwnd - (in flight - lost - left)
 *
 * where lost are bytes marked and not sent again, and left are bytes duplicate ACKs say have arrived: RFC 5681's
 * inflation and RFC 6582's deflation of cwnd, without touching cwnd. left never exceeds what is in flight, so
 * forged duplicates buy nothing more.
 *
 * RFC 3042 lets a duplicate release new data only if SACK, where it is in use, brought news; here each duplicate does:
 * no more leaves than has arrived, and how much is lost is known by counting alone.
 */
#include "tcp_priv.h"

static void enter(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_part *part = conn->part;
    part->recovering = true;
    part->history = true;
    part->recover = conn->snd_nxt;
    conn->tcp->count[TCP_FAST_RETRANSMITS]++;
    conn->tcp->config.cc->lost(&conn->cc, tcp_in_flight(conn), conn->mss, now);
    wisp_tcp_record_lose_first(conn, conn->mss);
    part->urge = true;
}

void wisp_tcp_recovery_dupack(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_part *part = conn->part;
    part->dupacks = (uint8_t)(part->dupacks + (part->dupacks < UINT8_MAX));
    part->left += conn->mss;
    uint32_t flight = tcp_in_flight(conn);
    part->left = part->left < flight ? part->left : flight;
    if (part->dupacks == 3 && !part->recovering && seq_after(conn->snd_una, part->recover)) {
        enter(conn, now);
    }
    wisp_tcp_output_add(conn);
}

static void partial_ack(struct wisp_tcp_conn *conn, uint32_t bytes)
{
    struct tcp_part *part = conn->part;
    part->left = part->left > bytes ? part->left - bytes : 0;
    if (bytes >= conn->mss) {
        part->left += conn->mss;
    }
    wisp_tcp_record_lose_first(conn, conn->mss);
    part->urge = true;
}

static void full_ack(struct wisp_tcp_conn *conn)
{
    uint32_t flight = tcp_in_flight(conn);
    uint32_t least = (flight > conn->mss ? flight : conn->mss) + conn->mss;
    conn->part->recovering = false;
    conn->part->left = 0;
    conn->cc.cwnd = least < conn->cc.ssthresh ? least : conn->cc.ssthresh;
}

/*
 * Whether the window was the limit: only one that was used is known to be good (RFC 2861's idea, RFC 7661). Asked
 * of the most that was in flight until what was sent then is acknowledged, since acknowledgements of a batch are
 * all looked at before anything is sent.
 */
static bool was_limit(struct wisp_tcp_conn *conn, uint32_t bytes)
{
    struct tcp_part *part = conn->part;
    uint32_t flight = bytes + tcp_in_flight(conn);
    if (flight > part->peak || seq_after(conn->snd_una, part->peak_end)) {
        part->peak = flight;
        part->peak_end = conn->snd_nxt;
        /* Kept near: 2 GiB without a loss later it would seem to lie ahead. */
        if (seq_after(conn->snd_una, part->recover)) {
            part->recover = seq_sub(conn->snd_una, 1);
        }
    }
    return 2u * part->peak >= conn->cc.cwnd;
}

void wisp_tcp_recovery_unneeded(struct wisp_tcp_conn *conn, uint32_t bytes, wisp_time now)
{
    struct tcp_part *part = conn->part;
    part->dupacks = 0;
    part->left = 0;
    if (was_limit(conn, bytes)) {
        conn->tcp->config.cc->acked(&conn->cc, bytes, conn->mss, now);
    }
}

void wisp_tcp_recovery_acked(struct wisp_tcp_conn *conn, uint32_t bytes, wisp_time now)
{
    struct tcp_part *part = conn->part;
    part->dupacks = 0;
    if (part->recovering) {
        if (seq_before(conn->snd_una, part->recover)) {
            partial_ack(conn, bytes);
        } else {
            full_ack(conn);
        }
        return;
    }
    wisp_tcp_recovery_unneeded(conn, bytes, now);
}

void wisp_tcp_recovery_timeout(struct wisp_tcp_conn *conn, wisp_time now)
{
    struct tcp_part *part = conn->part;
    if (conn->flags & TCP_FIN_SENT) {
        conn->flags |= TCP_FIN_LOST;
    }
    if (!part || chain_empty(&part->records)) {
        return;
    }
    conn->tcp->config.cc->timeout(&conn->cc, tcp_in_flight(conn), conn->mss, conn->retries == 1,
                                  now);
    part->recovering = false;
    part->history = true;
    part->left = 0;
    part->dupacks = 0;
    part->recover = conn->snd_nxt;
    part->urge = true;
    wisp_tcp_record_lose_all(conn);
}
