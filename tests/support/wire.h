/* SPDX-License-Identifier: ISC */
/*
 * One stack with TCP and UDP on a link in memory, in virtual time; the test is the peer, and speaks in segments:
 *
 *     wire_open(&w, NULL);
 *     wire_listen(&w, 80);
 *     wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
 *     wire_expect(&w, SEG(.flags = SYN | ACK, .ack = 1));
 *
 * Sequence numbers are relative to each side's first one: the peer's SYN is 0, its first byte 1; so is ours. What
 * is not named in a SEG for the peer gets a sensible default (ports, window, acknowledgement of all we sent); what
 * is not named in an expectation is not looked at, flags excepted.
 */
#ifndef WISP_TESTS_WIRE_H
#define WISP_TESTS_WIRE_H

#include "link.h"
#include <stdbool.h>
#include <stdint.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>
#include <wisp/udp.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

/* A value of a field that a test does not name. */
#define ANY UINT32_MAX

struct seg {
    uint32_t flags;
    uint32_t seq, ack; /* relative */
    uint32_t window;   /* as on the wire, not scaled */
    uint32_t length;   /* payload bytes */
    const void *data;  /* payload; null: a pattern that depends on the position */
    uint32_t urgent;
    uint32_t mss;   /* option; 0: none, ANY: not looked at */
    uint32_t scale; /* option value + 1; 0: none */
    bool sack_permitted;
    bool timestamps; /* option present; */
    uint32_t tsval, tsecr;
    uint32_t sack[4][2]; /* relative; 0, 0: none */
    /* raw option bytes instead of all of the above (padded with zeros to 4) */
    const uint8_t *options;
    uint32_t options_length;
    uint32_t source, port; /* ports: peer's, ours */
    uint8_t peer;          /* last octet of the peer's address, 0: 2 */
    uint8_t ttl, tos;      /* 0: default */
    bool bad_checksum;
    bool raw_numbers;      /* seq and ack are not relative */
    uint32_t offset_words; /* data offset to write instead of the true one */
};

/* For the peer. */
#define SEG(...)                                                                                   \
    ((struct seg){.seq = ANY, .ack = ANY, .window = ANY, .tsval = ANY, .tsecr = ANY, __VA_ARGS__})
/* For expectations. */
#define GOT(...)                                                                                   \
    ((struct seg){.seq = ANY,                                                                      \
                  .ack = ANY,                                                                      \
                  .window = ANY,                                                                   \
                  .length = ANY,                                                                   \
                  .urgent = ANY,                                                                   \
                  .mss = ANY,                                                                      \
                  .scale = ANY,                                                                    \
                  .tsval = ANY,                                                                    \
                  .tsecr = ANY,                                                                    \
                  __VA_ARGS__})

struct wire_options {
    bool csum; /* device completes and trusts checksums */
    uint32_t gso;
    uint16_t mtu;   /* 0: 1500 */
    uint16_t split; /* receive in views of at most that */
    uint32_t pages; /* 0: 512 */
    void (*tune)(struct wisp_tcp_config *config);
};

struct wire {
    struct wisp_link link;
    struct wisp_pool *pool, *peer_pool;
    struct wisp_stack *stack;
    struct wisp_tcp *tcp;
    struct wisp_udp *udp;
    struct wisp_tcp_listener *listener;
    wisp_time now, deadline;
    uint32_t peer_iss, our_iss; /* peer_iss may be set before the first segment */
    bool our_iss_known;
    uint32_t peer_next;    /* absolute: behind the last in-order byte the peer sent */
    uint32_t our_next;     /* absolute: behind what we sent so far */
    uint32_t source, port; /* ports in use: the peer's, ours */
    uint32_t last_tsval;   /* ours, as last seen */
    uint32_t peer_tsval;   /* the peer's clock, grows with virtual milliseconds */
    bool peer_timestamps;  /* default segments carry them */
    uint32_t swallowed;    /* frames not TCP (ARP answered, ...) */
    bool device_holds;     /* after wire_can_hold */
    struct wisp_netdev_ops ops;
    const struct wisp_netdev_ops *link_ops; /* what ops stands before */
    void *memory[10];
    uint8_t last_frame[65600];
    uint32_t last_length;
};

void wire_open(struct wire *w, const struct wire_options *options);

/* From now on the device lets go of what it sent only while device_holds is false. */
void wire_can_hold(struct wire *w);

/* Ends everything and checks that no page, packet or connection is left. */
void wire_close(struct wire *w);

/* Listens on port, which becomes our port of later segments; the peer's port becomes 40000. */
void wire_listen(struct wire *w, uint16_t port);

/* Opens a connection from us to the peer's port; our port is learned from the SYN. */
struct wisp_tcp_conn *wire_connect(struct wire *w, uint16_t port);

/* The peer sends a segment, and the stack takes one step. */
void wire_tell(struct wire *w, struct seg seg);

/* The same without the step, so that several arrive in one batch. */
void wire_queue(struct wire *w, struct seg seg);

/* Raw frame to the stack, without a step. */
void wire_frame(struct wire *w, const void *frame, uint32_t length);

/* The stack steps until it has nothing to do at this time. */
void wire_step(struct wire *w);

/* Time passes; timers due on the way fire when they are due. What is sent waits to be looked at. */
void wire_wait(struct wire *w, wisp_time time);

/* The next TCP segment the stack sent, decoded with relative numbers; false: none is waiting. */
bool wire_next(struct wire *w, struct seg *seg);

/* What the stack sent so far is of no interest. */
void wire_drain(struct wire *w);

/* The application writes that many zeros, all of which must be taken, and the stack steps. */
void wire_write(struct wire *w, struct wisp_tcp_conn *conn, uint32_t length);

/* The next segment must be like want; returns it. A failure prints both. */
struct seg wire_expect_at(struct wire *w, struct seg want, const char *file, int line);
#define wire_expect(w, ...) wire_expect_at((w), (__VA_ARGS__), __FILE__, __LINE__)

/* Nothing may be waiting. */
void wire_silent_at(struct wire *w, const char *file, int line);
#define wire_silent(w) wire_silent_at((w), __FILE__, __LINE__)

/* Waits until the next segment, at most time, and gives how long it took; fails if none came. */
wisp_time wire_wait_segment(struct wire *w, wisp_time most, struct seg *seg);

/* Handshake with the peer as client (wire_listen first); returns the accepted connection. With options of syn. */
struct wisp_tcp_conn *wire_accept(struct wire *w, struct seg syn);
/* Listens on port 80 and accepts count peers, from ports 40000 on. ask: as each one's next segment, one byte; nothing
 * is on the way and no timer is due. */
void wire_accept_many(struct wire *w, struct wisp_tcp_conn **conn, struct seg *ask, uint32_t count);
/* Both: listens on port 80 and accepts a peer of MSS 1460. */
struct wisp_tcp_conn *wire_server(struct wire *w);
/* Handshake with us as client. */
struct wisp_tcp_conn *wire_established(struct wire *w, struct seg synack);

/* Collects events: the union of what was told for conn since the last call; *reason from CLOSED. */
uint32_t wire_events(struct wire *w, const struct wisp_tcp_conn *conn, enum wisp_err *reason);

/* The connection accepted by the last call of wire_events, or null. */
struct wisp_tcp_conn *wire_accepted(struct wire *w);

struct wisp_tcp_info wire_info(const struct wisp_tcp_conn *conn);

/* The value of a counter of any layer. */
uint64_t wire_count(const struct wire *w, const char *name);

/* Byte number position of the pattern that segments carry by default. */
uint8_t wire_pattern(uint32_t position);

#endif
