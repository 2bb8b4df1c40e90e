/* SPDX-License-Identifier: ISC */
/*
 * The retransmission timer's value (RFC 6298), in microseconds. Samples come from records sent once (Karn,
 * MUST-18) with the clock's full resolution. Invariant: wisp_tcp_rto lies in [config.rto_min, TCP_RTO_MAX].
 */
#include "tcp_priv.h"

#define SAMPLE_MAX  100000000u /* us; keeps srtt8 and rttvar4 within 32 bits */
#define GRANULARITY 66u        /* us: the wheel's tick */

void wisp_tcp_rtt_sample(struct wisp_tcp_conn *conn, uint32_t us)
{
    us = us < SAMPLE_MAX ? us : SAMPLE_MAX;
    if (conn->srtt8 == 0) {
        conn->srtt8 = us ? us * 8 : 1;
        conn->rttvar4 = us * 2;
        return;
    }
    uint32_t srtt = conn->srtt8 / 8;
    uint32_t error = us > srtt ? us - srtt : srtt - us;
    conn->rttvar4 = conn->rttvar4 - conn->rttvar4 / 4 + error;
    conn->srtt8 = conn->srtt8 - srtt + us;
    conn->srtt8 = conn->srtt8 ? conn->srtt8 : 1;
}

uint32_t wisp_tcp_rto(const struct wisp_tcp_conn *conn)
{
    uint32_t base = TCP_RTO_FIRST;
    uint32_t least = (uint32_t)(conn->tcp->config.rto_min / 1000u);
    if (conn->srtt8) {
        base = conn->srtt8 / 8 + (conn->rttvar4 > GRANULARITY ? conn->rttvar4 : GRANULARITY);
    } else if ((conn->flags & TCP_SYN_AGAIN) && tcp_synchronised(conn)) {
        base = 3 * TCP_RTO_FIRST; /* RFC 6298 §5.7 */
    }
    base = base > least ? base : least;
    uint32_t shift = conn->retries < 12 ? conn->retries : 12;
    uint64_t rto = (uint64_t)base << shift;
    return rto < TCP_RTO_MAX ? (uint32_t)rto : TCP_RTO_MAX;
}
