/* SPDX-License-Identifier: ISC */
/*
 * NewReno's window (RFC 5681 §3, RFC 6582; initial window RFC 6928 is the connection's). Growth counts bytes,
 * not acknowledgements, so that nobody gains by splitting them (RFC 3465); an acknowledgement of many segments
 * counts in full, as our own batches and segmentation offload make them. Slow start ends at ssthresh exactly.
 */
#include "cc.h"

#define WINDOW_MAX (1u << 30)

static void init(struct wisp_tcp_window *window)
{
    window->ssthresh = WINDOW_MAX;
}

static void acked(struct wisp_tcp_window *window, uint32_t bytes, uint32_t mss, wisp_time now)
{
    (void)now;
    uint32_t growth = window->ssthresh > window->cwnd ? window->ssthresh - window->cwnd : 0;
    growth = growth < bytes ? growth : bytes;
    if (growth < bytes) {
        uint32_t linear = (uint32_t)((uint64_t)mss * (bytes - growth) / window->cwnd);
        growth += linear ? linear : 1;
    }
    window->cwnd = growth < WINDOW_MAX - window->cwnd ? window->cwnd + growth : WINDOW_MAX;
}

static uint32_t half(uint32_t flight, uint32_t mss)
{
    return flight / 2 > 2 * mss ? flight / 2 : 2 * mss;
}

static void lost(struct wisp_tcp_window *window, uint32_t flight, uint32_t mss, wisp_time now)
{
    (void)now;
    window->ssthresh = half(flight, mss);
    window->cwnd = window->ssthresh;
}

static void timeout(struct wisp_tcp_window *window, uint32_t flight, uint32_t mss, bool first,
                    wisp_time now)
{
    (void)now;
    if (first) {
        window->ssthresh = half(flight, mss);
    }
    window->cwnd = mss;
}

const struct wisp_tcp_cc wisp_tcp_cc_newreno = {
    .name = "newreno",
    .init = init,
    .acked = acked,
    .lost = lost,
    .timeout = timeout,
};
