/* SPDX-License-Identifier: ISC */
/*
 * Congestion control as an object: what struct wisp_tcp_cc of tcp.h holds. It decides how large the window is;
 * what is lost and when it is sent again is recovery.c's business. All sizes are bytes.
 */
#ifndef WISP_TCP_CC_H
#define WISP_TCP_CC_H

#include <wisp/clock.h>
#include <wisp/tcp.h>

/* The part of its state that outlives the working part. */
struct wisp_tcp_window {
    uint32_t cwnd;
    uint32_t ssthresh;
};

struct wisp_tcp_cc {
    const char *name;
    /* A connection starts; window->cwnd is the initial window. */
    void (*init)(struct wisp_tcp_window *window);
    /* bytes were acknowledged outside of loss recovery while the window was the limit. */
    void (*acked)(struct wisp_tcp_window *window, uint32_t bytes, uint32_t mss, wisp_time now);
    /* A loss was noticed by duplicate ACKs with flight bytes outstanding: the window to go on with. */
    void (*lost)(struct wisp_tcp_window *window, uint32_t flight, uint32_t mss, wisp_time now);
    /* The retransmission timer expired; first: for this segment for the first time. */
    void (*timeout)(struct wisp_tcp_window *window, uint32_t flight, uint32_t mss, bool first,
                    wisp_time now);
};

#endif
