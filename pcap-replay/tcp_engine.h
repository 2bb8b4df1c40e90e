/* SPDX-License-Identifier: ISC */
/*
 * A captured TCP connection in replay: the peer rebuilt (tcp_peer.c), our application inferred (tcp_app.c), and what
 * drives and judges them (tcp_replay.c).
 *
 * Positions are stream offsets (stream.h): 0 is the byte behind a SYN. The peer's sequence numbers are the captured
 * ones; the stack's are its own, and `dut_first` is what its offset 0 has. So of a peer's frame only what speaks of
 * the stack's numbers is translated: acknowledgement, SACK blocks, timestamp echo.
 */
#ifndef REPLAY_TCP_ENGINE_H
#define REPLAY_TCP_ENGINE_H

#include "session.h"
#include "stream.h"

/* A segment the stack sent, for the judge of headers. */
struct sent_segment {
    uint64_t seq, ack; /* offsets; of a SYN 0 */
    uint32_t length;
    uint16_t window;
    uint8_t flags, ttl, tos;
    bool dont_fragment;
    uint8_t options_length;
    uint8_t options[40];
};

struct tcp_engine {
    struct session *session;
    struct stream *in, *out; /* to the stack, from it: as captured */

    /* What the peer heard from the stack. */
    bool dut_known;
    uint32_t dut_first; /* the stack's sequence number of offset 0 */
    struct ranges heard;
    uint64_t heard_whole;
    bool dut_fin, dut_rst;
    uint64_t dut_fin_at;
    bool dut_timestamps, dut_sack;
    uint8_t dut_shift; /* window scale, 0 when not agreed on */
    uint16_t dut_mss;
    uint32_t dut_tsval; /* latest, for echoing */
    uint64_t dut_ack;   /* offset in `in` the stack has acknowledged */
    bool dut_fin_acked; /* and our FIN */
    uint64_t dut_edge;  /* end of the window it offers */
    bool wrong;         /* a byte differed: reported */

    /* What the peer sent. */
    uint64_t sent; /* highest offset */
    bool sent_fin, sent_rst;
    uint64_t acked; /* of the stack's stream */
    bool acked_fin;
    const struct flow_frame *latest; /* frame whose window and timestamp hold now */
    wisp_time ack_due, resend_due;
    wisp_time resend_after;

    /* Our application. */
    struct wisp_tcp_listener *listener;
    struct wisp_tcp_conn *conn;
    bool connected, closed, shut, paused, aborted;
    /* the captured side closed once it had written everything up to fin_at */
    bool end_wanted;
    uint64_t may_write; /* captured as sent so far */
    uint64_t written, read;
    uint64_t told; /* of the peer's stream, acknowledged by the captured side so far */

    struct sent_segment *segments;
    uint32_t segment_count, segment_space;
};

/* ---- tcp_peer.c ---- */

/* Whatever the stack sent. */
void tcp_peer_hear(void *engine, const struct packet *packet, wisp_time now);

/* Sends the captured frame, translated. */
void tcp_peer_send(struct tcp_engine *engine, const struct flow_frame *frame);

/* When the peer has something to do of its own accord (acknowledge, send again); and does it. */
wisp_time tcp_peer_deadline(const struct tcp_engine *engine);
void tcp_peer_expire(struct tcp_engine *engine);

/* The frame's offset in the peer's stream. */
uint64_t tcp_peer_offset(const struct tcp_engine *engine, const struct flow_frame *frame);

/* How much of the stack's stream the captured frame acknowledges; a FIN counts one. */
uint64_t tcp_peer_wants(const struct tcp_engine *engine, const struct flow_frame *frame);

/* ---- tcp_app.c ---- */

bool tcp_app_open(struct tcp_engine *engine);

/* Takes what the captured side's frame shows its application did. */
void tcp_app_follow(struct tcp_engine *engine, const struct flow_frame *frame);

/* Reads, writes and closes as far as it can now; true: it did something, poll again. */
bool tcp_app_step(struct tcp_engine *engine);
void tcp_app_close(struct tcp_engine *engine);

#endif
