/* SPDX-License-Identifier: ISC */
/*
 * What TCP's files share: the instance, the connection in its two parts, listeners, half-open and
 * TIME-WAIT entries. See ARCHITECTURE.md, "TCP".
 *
 *   arrival.c -> expected.c | segment.c           a segment changes a connection,
 *             -> ack.c, receive.c, reorder.c      which goes on the output list
 *   output.c  -> emit.c, express.c, records.c     the step pulls segments from those on the list
 *   timers.c                                      the step lets deadlines act first
 */
#ifndef WISP_TCP_PRIV_H
#define WISP_TCP_PRIV_H

#include "cc.h"
#include "chain.h"
#include "count.h"
#include "options.h"
#include "rng.h"
#include "seq.h"
#include "table.h"
#include "wheel.h"
#include <wisp/tcp.h>

#define TCP_MSS_DEFAULT  536u  /* RFC 9293 MUST-15 */
#define TCP_MSS_FLOOR    216u  /* smaller offers cost more than they are worth (CVE-2019-11479) */
#define TCP_SMALL        256u  /* smaller received payloads are collected */
#define TCP_OWN_BYTES    64u   /* so many bytes to send do */
#define TCP_EXPRESS_MAX  64u   /* and so many go the express way */
#define TCP_REORDER_MAX  1024u /* pieces one connection may hold out of order */
#define TCP_RECENT       4u    /* runs remembered for SACK's order */
#define TCP_NONE         UINT32_MAX /* no index */
#define TCP_RTO_FIRST    1000000u   /* us, RFC 6298 §2.1 */
#define TCP_RTO_MAX      120000000u /* us */
#define TCP_SYN_LIMIT    180000u    /* ms, MUST-23 */
#define TCP_R1           3u         /* retransmissions before the path is doubted, SHLD-10 */
#define TCP_LATE         64u        /* delayed acknowledgements not on the wheel yet */
#define TCP_LINE         64u        /* of the cache */
#define TCP_PART_TOUCHED (3 * TCP_LINE)
#define TCP_FOR_EVER     UINT16_MAX /* user timeout, s */

/* enum wisp_tcp_state, with CLOSED meaning: only the application's handle is left. */

enum tcp_conn_flag {
    TCP_ACK_NOW = 1u << 0,    /* an acknowledgement leaves in this step */
    TCP_ACK_LATER = 1u << 1,  /* one is due at ack_at */
    TCP_FIN_WANTED = 1u << 2, /* the application shut down sending */
    TCP_FIN_SENT = 1u << 3,
    TCP_FIN_LOST = 1u << 4,    /* send it again */
    TCP_FIN_ARRIVED = 1u << 5, /* the peer's FIN was taken in */
    TCP_SYN_DUE = 1u << 6,     /* (re)send SYN or SYN-ACK */
    TCP_RST_DUE = 1u << 7,
    TCP_PROBE_DUE = 1u << 8, /* force a segment through window and silly-window rules */
    TCP_KEEP_DUE = 1u << 9,  /* send a keepalive probe */
    TCP_HAS_TS = 1u << 10,
    TCP_HAS_SACK = 1u << 11,
    TCP_HAS_SCALE = 1u << 12,
    TCP_NODELAY = 1u << 13,
    TCP_DEAF = 1u << 14,       /* closed for receiving: data earns a RST */
    TCP_RELEASED = 1u << 15,   /* the application gave the handle back */
    TCP_URGENT_IN = 1u << 16,  /* part's rcv_up is ahead of what was read */
    TCP_URGENT_OUT = 1u << 17, /* part's snd_up is ahead of SND.UNA */
    TCP_SYN_AGAIN = 1u << 18,  /* the SYN was retransmitted: IW is one segment */
    TCP_TABLED = 1u << 19,     /* in the table of connections */
    TCP_ON_OUTPUT = 1u << 20,
    TCP_ON_EVENTS = 1u << 21,
    TCP_TELL_CLOSED = 1u << 22, /* one-shot events */
    TCP_TELL_ACCEPTED = 1u << 23,
    TCP_TELL_CONNECTED = 1u << 24,
    TCP_TELL_URGENT = 1u << 25,
    TCP_TELL_SOFT = 1u << 26,
    TCP_TELL_RELEASED = 1u << 27,
    TCP_ANSWERED = 1u << 28,     /* the last window probe was */
    TCP_CHECK_UPDATE = 1u << 29, /* the application read: look whether the window may open */
    TCP_HUNGRY = 1u << 30        /* a send failed for lack of a working part or block */
};

/* A place in a queue of views: offset bytes into the view at a spot. */
struct tcp_cursor {
    struct tcp_spot at;
    uint32_t offset;
};

enum tcp_part_holder {
    TCP_PART_FREE,
    TCP_PART_OF_ANY,
    TCP_PART_AT_PLACE /* the connection that has the same number */
};

/*
 * A connection is kept in three parts, so that ten thousand that are asked at random cost few cache lines:
 * wisp_tcp_conn and tcp_cold for as long as it lives, at the same place of two arrays, and tcp_part while there is
 * work. tcp_part is what it needs while data is queued, in flight, unread or out of order; its first three cache
 * lines are what a request and an answer of up to 19 bytes touch.
 */
struct tcp_part {
    _Alignas(TCP_LINE) union {
        struct {
            struct tcp_part *next, *before;
        } free;
        struct {
            wisp_time at; /* work ended, history is kept; 0: there is work */
            /* the page wisp_tcp_write fills, if it is still the last one queued */
            struct wisp_page *write_page;
        } used;
    } u;
    struct tcp_chain send;  /* views from SND.UNA on */
    struct tcp_cursor next; /* where SND.NXT stands in send; void while unsent is 0 */

    struct tcp_chain records; /* of what was sent and is not both acknowledged and let go of */
    struct tcp_chain receive; /* views in order, unread */
    struct tcp_spot held_at;  /* where the next completion is expected in records, in a block */

    /* from here to recover: 0 at the start */
    uint32_t unsent;          /* bytes queued and never sent */
    struct tcp_seq small_end; /* end of the last segment below MSS (Minshall) */
    struct tcp_seq peak_end;  /* SND.NXT when peak was seen */
    uint32_t peak;            /* most bytes in flight in this round trip */
    uint32_t unread;
    uint32_t reordered; /* bytes in pieces: 0 if there are none */
    uint8_t recents;
    uint8_t dupacks;
    bool recovering;
    bool fin_known;         /* fin_at is set */
    bool urge;              /* send the first lost segment whatever the window says */
    bool history;           /* worth keeping for an idle time */
    bool small_sent;        /* small_end is set */
    uint32_t lost;          /* bytes of records marked lost */
    uint32_t left;          /* bytes that duplicate ACKs say have left the network */
    struct tcp_seq recover; /* RFC 6582 */
    uint8_t holder;         /* enum tcp_part_holder */
    /* the bytes of a view in send without a page, the first one there */
    uint8_t own[TCP_OWN_BYTES];

    struct tcp_chain pieces; /* out of order, sorted, disjoint */
    struct tcp_sack sacked;  /* the first block of the last acknowledgement that had any */
    struct tcp_seq snd_up, rcv_up;
    struct tcp_seq fin_at;             /* number of a FIN that came out of order */
    struct tcp_seq recent[TCP_RECENT]; /* latest out-of-order arrivals, latest first */
};

_Static_assert(offsetof(struct tcp_part, own) + 19 == TCP_PART_TOUCHED, "it lies together");

/* What is touched by each segment: three cache lines. What is asked most comes first: its offsets are short. */
struct wisp_tcp_conn {
    /* time, and what is asked when it has come */
    _Alignas(TCP_LINE) struct wisp_timer timer; /* at the earliest of all deadlines, or earlier */
    wisp_time rexmit_at; /* SYN, retransmission or persist timer; WISP_NEVER: off */
    struct tcp_part *part;
    struct wisp_tcp *tcp;
    uint32_t flags;
    uint32_t ack_at; /* ms */
    uint16_t mss;    /* payload of a full segment now */
    uint8_t state;
    uint8_t snd_shift : 4;
    uint8_t rcv_shift : 4;
    uint8_t keep_probes;
    bool keeps; /* keepalive is on */
    uint8_t generation;
    uint8_t reason; /* enum wisp_err */

    /* sending */
    struct tcp_seq snd_una, snd_nxt;
    uint32_t snd_wnd;
    struct tcp_seq snd_wl1, snd_wl2;
    struct wisp_tcp_window cc;
    uint32_t srtt8;   /* us * 8; 0: no sample yet */
    uint32_t rttvar4; /* us * 4 */
    uint32_t output_next;
    uint32_t event_next;
    uint32_t acked;    /* stream offset of SND.UNA, low half */
    uint32_t received; /* stream offset of RCV.NXT, low half */
    uint32_t taken;    /* bytes the application took over and holds */
    uint16_t held;     /* packets with data in the device's hands */
    uint16_t pages;    /* charged for received data */
    uint16_t queue;    /* of the device: its segments stay on one */
    uint8_t want;
    uint8_t retries;

    /* what arrives, and who */
    struct tcp_seq rcv_nxt;
    struct tcp_seq rcv_edge;       /* right edge of the window offered; never moves back */
    struct tcp_seq ack_sent;       /* Last.ACK.sent */
    uint32_t heard_at, unacked_at; /* ms */
    uint16_t local_port, remote_port;
    uint16_t pseudo; /* sum of the pseudo-header without length */
    struct wisp_flow flow;
};

/* What is not; but timestamps, which each segment of a connection that has them asks for. */
struct tcp_cold {
    union {
        void *cookie;
        struct wisp_tcp_listener *listener; /* until ACCEPTED is told */
    } u;
    uint32_t ts_recent, ts_offset;
    uint16_t ts_recent_at; /* min */
    uint16_t challenge_at; /* 128 ms */
    uint32_t hash;
    uint32_t acked_high, received_high;
    uint32_t max_wnd;
    uint32_t again_bytes;                            /* sent more than once */
    uint16_t user_timeout, keep_idle, keep_interval; /* s */
    uint16_t peer_mss;
    uint8_t challenges; /* left until challenge_at */
    uint8_t keep_count;
    uint8_t soft; /* enum wisp_err */
};

_Static_assert(offsetof(struct wisp_tcp_conn, snd_una) == TCP_LINE, "lines");
_Static_assert(offsetof(struct wisp_tcp_conn, rcv_nxt) == 2 * TCP_LINE, "lines");
_Static_assert(sizeof(struct wisp_tcp_conn) == 3 * TCP_LINE, "lines");
_Static_assert(sizeof(struct wisp_tcp_conn) + sizeof(struct tcp_cold) + sizeof(struct tcp_slot) <=
                   256,
               "an idle connection and its table slot: 256 bytes");

struct wisp_tcp_listener {
    struct wisp_tcp *tcp;
    void *cookie;
    struct wisp_addr local;
    uint16_t port;
    bool open;
    uint32_t backlog;
    uint32_t waiting; /* established and not yet told */
};

/* A handshake of a passive open: SYN received, SYN-ACK sent. */
struct tcp_half4 {
    struct wisp_timer timer; /* first: the wheel gives it back */
    struct wisp_ip4 local, remote;
    uint16_t local_port, remote_port;
    struct tcp_seq irs, iss;
    uint32_t ts_recent;
    uint32_t next; /* free list, list of SYN-ACKs due */
    uint16_t mss;
    uint8_t shift;
    uint8_t flags; /* enum tcp_half_flag */
    uint16_t listener;
    uint8_t retries;
    uint8_t tos;
};

enum tcp_half_flag {
    TCP_HALF_USED = 1,
    TCP_HALF_DUE = 2, /* on the list of SYN-ACKs to send */
    TCP_HALF_TS = 4,
    TCP_HALF_SACK = 8,
    TCP_HALF_SCALE = 16,
    TCP_HALF_GONE = 32 /* to be freed when it is taken off that list */
};

_Static_assert(sizeof(struct tcp_half4) <= 64, "a half-open entry");

struct tcp_time_wait4 {
    struct wisp_ip4 local, remote;
    uint16_t local_port, remote_port;
    struct tcp_seq rcv_nxt, snd_nxt;
    uint32_t ts_recent;
    uint32_t expires;    /* ms */
    uint32_t next, prev; /* in order of expiry; next also: free list */
    uint16_t window;
    uint8_t flags; /* enum tcp_half_flag: USED, TS */
    uint8_t challenges;
};

_Static_assert(sizeof(struct tcp_time_wait4) + sizeof(struct tcp_slot) <= 48,
               "TIME-WAIT with its table slot: 48 bytes");

/* A segment that belongs to no connection (any more): RST, ACK of TIME-WAIT. */
struct tcp_reply {
    struct wisp_flow flow;
    uint16_t local_port, remote_port;
    struct tcp_seq seq, ack;
    uint16_t window;
    uint8_t flags;
    bool has_ts;
    uint32_t ts_offset, tsecr;
};

#define TCP_REPLIES 128u

/* The tuple hashed last: a handshake asks for the same one again and again. */
struct tcp_hashed {
    struct wisp_addr local, remote;
    uint16_t local_port, remote_port;
    uint64_t hash;
};

struct tcp_list {
    uint32_t head, tail;
};

/* See parts.c. */
struct tcp_parts {
    struct tcp_part *part, *free;
    uint8_t *at_place; /* of each: whether the connection of its number took it at its place */
    uint32_t count;
};

struct wisp_tcp {
    struct wisp_transport transport;
    struct wisp_l3 *l3;
    struct wisp_tcp_conn *conn;
    struct tcp_cold *cold;      /* of each */
    struct wisp_tcp_conn *last; /* the connection the last segment was for */
    struct wisp_tcp_conn *sent; /* the one that sent the last data: an answer is for it */
    struct tcp_blocks blocks;
    struct tcp_parts parts;
    struct tcp_list output;
    struct tcp_list events;
    struct tcp_list told;
    bool strays; /* a connection was released while it stood on events */
    wisp_time now;
    wisp_time timers_at;                  /* nothing is due on either wheel, or of late, before */
    struct wisp_tcp_conn *late[TCP_LATE]; /* or null; see timers.c */
    wisp_time late_at;                    /* none of them is due before */
    uint32_t lates;                       /* so far */
    struct tcp_table table;
    struct tcp_hashed hashed;
    uint32_t free_conn, conns;
    uint32_t reply_in, reply_out;
    struct tcp_list half_due;
    struct tcp_half4 *half;
    uint32_t free_half, halves;
    struct tcp_time_wait4 *time_wait;
    struct tcp_list waiting;
    uint32_t free_wait, waits;
    struct wisp_tcp_listener *listener;
    struct wisp_tcp_config config;
    struct wisp_rng rng;
    uint8_t key_table[WISP_HASH_KEY];
    uint8_t key_isn[WISP_HASH_KEY];
    uint8_t key_port[WISP_HASH_KEY];
    uint32_t port_counter;
    uint8_t window_shift;  /* what we offer */
    uint16_t first_window; /* and in a SYN, where it is never scaled */
    struct tcp_reply reply[TCP_REPLIES];
    struct wisp_wheel wheel;
    struct wisp_wheel half_wheel;
    uint64_t count[TCP_COUNTS];
};

/* A received segment, decoded. */
struct tcp_segment {
    struct tcp_seq seq, ack;
    uint32_t length; /* payload */
    uint32_t header; /* bytes before it */
    uint16_t window; /* as it stands in the header */
    uint16_t urgent;
    uint8_t flags; /* enum tcp_wire_flag */
    struct tcp_options options;
};

static inline uint32_t tcp_ms(wisp_time now)
{
    return (uint32_t)(now / 1000000u);
}

/* Before it leaves the table. */
static inline void tcp_forget(struct wisp_tcp *tcp, const struct wisp_tcp_conn *conn)
{
    if (tcp->last == conn) {
        tcp->last = NULL;
    }
    if (tcp->sent == conn) {
        tcp->sent = NULL;
    }
}

static inline uint32_t tcp_conn_index(const struct wisp_tcp_conn *conn)
{
    return (uint32_t)(conn - conn->tcp->conn);
}

/* conn.c */
struct tcp_cold *wisp_tcp_cold(const struct wisp_tcp_conn *conn);

/* conn.c: the low half of conn's acked or received went round. */
__attribute__((cold)) void wisp_tcp_conn_carry(struct wisp_tcp_conn *conn, bool acked);

static inline void tcp_count_acked(struct wisp_tcp_conn *conn, uint32_t bytes)
{
    conn->acked += bytes;
    if (conn->acked < bytes) {
        wisp_tcp_conn_carry(conn, true);
    }
}

static inline void tcp_count_received(struct wisp_tcp_conn *conn, uint32_t bytes)
{
    conn->received += bytes;
    if (conn->received < bytes) {
        wisp_tcp_conn_carry(conn, false);
    }
}

/* Stream offset of SND.UNA. */
static inline uint64_t tcp_acked(const struct wisp_tcp_conn *conn)
{
    return (uint64_t)wisp_tcp_cold(conn)->acked_high << 32 | conn->acked;
}

/* Data sequence numbers (and FIN) sent and not acknowledged. */
static inline uint32_t tcp_in_flight(const struct wisp_tcp_conn *conn)
{
    return seq_span(conn->snd_una, conn->snd_nxt);
}

/* emit.c: offers more, if the window that is free would move the right edge by worth or more. */
void wisp_tcp_emit_open(struct wisp_tcp_conn *conn, uint32_t worth);

/*
 * The window field of the segment being built. It says all that was offered, and more if that is
 * worth it, which it cannot be while nearly all is offered; rounded up to what the shift can say,
 * so that the right edge does not seem to move back.
 */
static inline uint16_t tcp_window_field(struct wisp_tcp_conn *conn)
{
    uint32_t whole = conn->tcp->config.receive_window;
    uint32_t worth = conn->mss < whole / 2 ? conn->mss : whole / 2;
    if (seq_span(conn->rcv_nxt, conn->rcv_edge) + worth <= whole) {
        wisp_tcp_emit_open(conn, worth);
    }
    uint32_t offer = seq_span(conn->rcv_nxt, conn->rcv_edge);
    uint32_t unit = (1u << conn->rcv_shift) - 1;
    uint32_t field = (offer + unit) >> conn->rcv_shift;
    field = field < UINT16_MAX ? field : UINT16_MAX;
    if ((field << conn->rcv_shift) > offer) {
        conn->rcv_edge = seq_add(conn->rcv_nxt, field << conn->rcv_shift);
    }
    return (uint16_t)field;
}

static inline bool tcp_synchronised(const struct wisp_tcp_conn *conn)
{
    return conn->state >= WISP_TCP_STATE_ESTABLISHED;
}

/* table.c, conn.c */
struct wisp_tcp_conn *wisp_tcp_conn_alloc(struct wisp_tcp *tcp);
void wisp_tcp_conn_settle(struct wisp_tcp_conn *conn); /* gives back what nobody needs any more */
void wisp_tcp_conn_start(struct wisp_tcp_conn *conn, const struct tcp_tuple *tuple, wisp_time now);
void wisp_tcp_conn_end(struct wisp_tcp_conn *conn, enum wisp_err reason, wisp_time now);
void wisp_tcp_conn_reset(struct wisp_tcp_conn *conn, enum wisp_err reason, wisp_time now);
void wisp_tcp_conn_established(struct wisp_tcp_conn *conn, wisp_time now);
void wisp_tcp_conn_set_mss(struct wisp_tcp_conn *conn);
void wisp_tcp_part_init(struct tcp_part *part);
/* False: none is free. */
bool wisp_tcp_part_get(struct wisp_tcp_conn *conn);
/* The same for what was received. */
bool wisp_tcp_part_get_at_place(struct wisp_tcp_conn *conn);
void wisp_tcp_part_settle(struct wisp_tcp_conn *conn, wisp_time now);
void wisp_tcp_part_give(struct wisp_tcp_conn *conn);
void wisp_tcp_conn_tuple(const struct wisp_tcp_conn *conn, struct tcp_tuple *tuple);

/* parts.c: count of both */
void wisp_tcp_parts_init(struct tcp_parts *pool, struct tcp_part *part, uint8_t *at_place,
                         uint32_t count);
struct tcp_part *wisp_tcp_parts_take(struct tcp_parts *pool);
/* The one with that number if it is free, else any. Null, both: none is free. */
struct tcp_part *wisp_tcp_parts_take_at(struct tcp_parts *pool, uint32_t place);
void wisp_tcp_parts_give(struct tcp_parts *pool, struct tcp_part *part);

/* state.c */
enum tcp_transition {
    TCP_SEND_FIN,  /* our FIN was sent */
    TCP_ACKED_FIN, /* and acknowledged */
    TCP_TAKE_FIN   /* the peer's FIN was taken in */
};
uint8_t wisp_tcp_state_after(uint8_t state, enum tcp_transition transition);

/* lists.c */
void wisp_tcp_output_add(struct wisp_tcp_conn *conn);
void wisp_tcp_event_add(struct wisp_tcp_conn *conn);
void wisp_tcp_told_add(struct wisp_tcp_conn *conn);
void wisp_tcp_told_again(struct wisp_tcp *tcp);

/* arrival.c */
void wisp_tcp_arrival_input(struct wisp_tcp *tcp, struct wisp_pkt *pkt,
                            const struct wisp_arrival *arrival, wisp_time now);
void wisp_tcp_challenge(struct wisp_tcp_conn *conn, wisp_time now);

/* Who a four-tuple belongs to (see table.h), 0: nobody. */
uint32_t wisp_tcp_find(struct wisp_tcp *tcp, const struct tcp_tuple *tuple);

/* The hash under which a tuple stands in the table, and its timestamps' offset (high half). */
uint64_t wisp_tcp_hash(struct wisp_tcp *tcp, const struct tcp_tuple *tuple);

/* The steps of RFC 9293 §3.10.7.4 for a segment of conn, which stays the caller's. */
void wisp_tcp_segment_input(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt,
                            struct tcp_segment *seg, wisp_time now);

void wisp_tcp_take_timestamp(struct wisp_tcp_conn *conn, const struct tcp_segment *seg,
                             wisp_time now);

/* expected.c: false, and nothing changed: the segment has to go the long way. */
bool wisp_tcp_expected_input(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt,
                             const struct tcp_segment *seg, wisp_time now);

/* synsent.c */
void wisp_tcp_syn_sent_input(struct wisp_tcp_conn *conn, const struct tcp_segment *seg,
                             wisp_time now);

/* ack.c: false when the segment goes no further. */
bool wisp_tcp_ack_input(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, wisp_time now);
/* SND.UNA moves to ack, which lies in SND.UNA < ack <= SND.NXT. */
void wisp_tcp_ack_advance(struct wisp_tcp_conn *conn, struct tcp_seq ack, wisp_time now);
/* Takes the window offered, unless what was taken already is newer. */
void wisp_tcp_ack_window(struct wisp_tcp_conn *conn, const struct tcp_segment *seg, wisp_time now);

/* receive.c, reorder.c */
void wisp_tcp_receive_text(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt,
                           const struct tcp_segment *seg, wisp_time now);
/* Text came in order: an acknowledgement is due. */
void wisp_tcp_receive_acknowledge(struct wisp_tcp_conn *conn, wisp_time now);
bool wisp_tcp_receive_view(struct wisp_tcp_conn *conn, const struct wisp_view *view);
uint32_t wisp_tcp_receive_window(const struct wisp_tcp_conn *conn);
/* The window opened far enough since it was last told to be worth a segment of its own: by two segments or half
 * the buffer, whichever is less. */
bool wisp_tcp_receive_opened(const struct wisp_tcp_conn *conn);
void wisp_tcp_receive_drop(struct wisp_tcp_conn *conn);
void wisp_tcp_reorder_insert(struct wisp_tcp_conn *conn, const struct wisp_pkt *pkt,
                             struct tcp_seq seq, uint32_t skip, uint32_t length);
void wisp_tcp_reorder_deliver(struct wisp_tcp_conn *conn);
void wisp_tcp_reorder_prune(struct wisp_tcp_conn *conn);
uint32_t wisp_tcp_reorder_blocks(const struct wisp_tcp_conn *conn, struct tcp_sack *blocks,
                                 uint32_t max);

/* send.c */
void wisp_tcp_send_acked(struct wisp_tcp_conn *conn, uint32_t bytes);
void wisp_tcp_send_drop(struct wisp_tcp_conn *conn);
void wisp_tcp_send_find(const struct wisp_tcp_conn *conn, struct tcp_seq seq,
                        struct tcp_cursor *cursor);
/* Bytes, at most want, that lie in at most views views from cursor on. */
uint32_t wisp_tcp_send_reach(const struct tcp_cursor *cursor, uint32_t want, uint32_t views);

/* records.c */
bool wisp_tcp_record_push(struct wisp_tcp_conn *conn, struct tcp_seq seq, uint32_t length,
                          wisp_time now);
/* time the newest was sent, or NEVER */
wisp_time wisp_tcp_record_acked(struct wisp_tcp_conn *conn);
void wisp_tcp_record_sent(struct wisp_tcp_conn *conn, struct tcp_seq seq);
void wisp_tcp_record_lose_all(struct wisp_tcp_conn *conn);
void wisp_tcp_record_lose_first(struct wisp_tcp_conn *conn, uint32_t length);
/* The first lost one, cut to most bytes; whole, if there is no block to cut it with. Null: none, or the device holds it. */
struct tcp_record *wisp_tcp_record_next_lost(struct wisp_tcp_conn *conn, uint32_t most);
void wisp_tcp_record_clear_lost(struct wisp_tcp_conn *conn, struct tcp_record *record);
uint64_t wisp_tcp_record_released(const struct wisp_tcp_conn *conn);

/* rtt.c */
void wisp_tcp_rtt_sample(struct wisp_tcp_conn *conn, uint32_t us);
uint32_t wisp_tcp_rto(const struct wisp_tcp_conn *conn); /* us, backed off */

/* recovery.c */
void wisp_tcp_recovery_dupack(struct wisp_tcp_conn *conn, wisp_time now);
void wisp_tcp_recovery_acked(struct wisp_tcp_conn *conn, uint32_t bytes, wisp_time now);
/* The same outside of recovery. */
void wisp_tcp_recovery_unneeded(struct wisp_tcp_conn *conn, uint32_t bytes, wisp_time now);
void wisp_tcp_recovery_timeout(struct wisp_tcp_conn *conn, wisp_time now);

/* output.c, emit.c */
void wisp_tcp_output_run(struct wisp_tcp *tcp, wisp_time now);

struct wisp_pkt *wisp_tcp_emit_packet(struct wisp_tcp *tcp, bool reserved);
void wisp_tcp_emit_data(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt, struct tcp_seq seq,
                        uint32_t length, struct tcp_cursor *from, uint8_t flags, wisp_time now);
/* The device and the connection know a packet with data by these. */
static inline void tcp_mark_data(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt,
                                 struct tcp_seq seq, uint32_t length)
{
    struct wisp_tcp *tcp = conn->tcp;
    pkt->owner = &tcp->transport;
    pkt->mark = conn;
    pkt->mark_value = seq.v;
    conn->held++;
    tcp->sent = conn;
    tcp->count[TCP_TX_BYTES] += length;
}
bool wisp_tcp_emit_control(struct wisp_tcp_conn *conn, struct tcp_seq seq, uint8_t flags,
                           wisp_time now);
bool wisp_tcp_emit_syn(struct wisp_tcp_conn *conn, wisp_time now);
bool wisp_tcp_emit_syn_ack(struct wisp_tcp *tcp, const struct tcp_half4 *half, wisp_time now);
bool wisp_tcp_emit_reply(struct wisp_tcp *tcp, const struct tcp_reply *reply, wisp_time now);
uint32_t wisp_tcp_emit_small_max(const struct wisp_tcp_conn *conn);
/* express.c; false, and nothing changed: it takes emit.c */
bool wisp_tcp_express_ack(struct wisp_tcp_conn *conn, struct tcp_seq seq, wisp_time now);
/* As wisp_tcp_emit_data. */
bool wisp_tcp_express_data(struct wisp_tcp_conn *conn, struct tcp_seq seq, uint32_t length,
                           struct tcp_cursor *from, uint8_t flags, wisp_time now);
/* All that the connection has to say in this step, if that is a few bytes of data with nothing in
 * flight. */
bool wisp_tcp_express_all(struct wisp_tcp_conn *conn, wisp_time now);

/* reply.c */
void wisp_tcp_reply_rst(struct wisp_tcp *tcp, const struct tcp_tuple *tuple,
                        const struct tcp_segment *seg);
struct tcp_reply *wisp_tcp_reply_new(struct wisp_tcp *tcp, const struct tcp_tuple *tuple);
void wisp_tcp_reply_run(struct wisp_tcp *tcp, wisp_time now);

/* timers.c */
void wisp_tcp_timer_arm(struct wisp_tcp_conn *conn, wisp_time at);
void wisp_tcp_timer_half(struct wisp_tcp *tcp, struct tcp_half4 *half, wisp_time at);
void wisp_tcp_timer_rexmit(struct wisp_tcp_conn *conn, wisp_time now);
/* Data or FIN is being sent: the retransmission timer runs, unless it does already. */
void wisp_tcp_timer_data(struct wisp_tcp_conn *conn, wisp_time now);
/* An acknowledgement is due at that time, unless data takes it along before. */
void wisp_tcp_timer_late(struct wisp_tcp_conn *conn, wisp_time at);
void wisp_tcp_timer_expire(struct wisp_tcp *tcp, wisp_time now);

/* half.c (listener.c: the public half) */
/* A SYN for a listener. */
void wisp_tcp_half_syn(struct wisp_tcp *tcp, struct wisp_tcp_listener *listener,
                       const struct tcp_tuple *tuple, const struct tcp_segment *seg,
                       struct tcp_seq iss, wisp_time now);
/* The connection the handshake just became, for which the segment goes on, or null. */
struct wisp_tcp_conn *wisp_tcp_half_input(struct wisp_tcp *tcp, struct tcp_half4 *half,
                                          const struct tcp_tuple *tuple,
                                          const struct tcp_segment *seg, wisp_time now);
void wisp_tcp_half_expire(struct wisp_tcp *tcp, struct tcp_half4 *half, wisp_time now);
void wisp_tcp_half_remove(struct wisp_tcp *tcp, struct tcp_half4 *half);
void wisp_tcp_half_run(struct wisp_tcp *tcp, wisp_time now);
void wisp_tcp_half_tuple(const struct tcp_half4 *half, struct wisp_addr addrs[2],
                         struct tcp_tuple *tuple);
struct wisp_tcp_listener *wisp_tcp_listener_find(struct wisp_tcp *tcp,
                                                 const struct wisp_addr *local, uint16_t port);

/* time_wait.c */
void wisp_tcp_time_wait_enter(struct wisp_tcp_conn *conn, wisp_time now);
/* true: the segment was a SYN that may reopen; *iss is the lowest number to use. */
bool wisp_tcp_time_wait_input(struct wisp_tcp *tcp, struct tcp_time_wait4 *wait,
                              const struct tcp_tuple *tuple, const struct tcp_segment *seg,
                              struct tcp_seq *iss, wisp_time now);
void wisp_tcp_time_wait_remove(struct wisp_tcp *tcp, struct tcp_time_wait4 *wait);
void wisp_tcp_time_wait_expire(struct wisp_tcp *tcp, wisp_time now);

/* ports.c */
struct tcp_seq wisp_tcp_isn(struct wisp_tcp *tcp, const struct tcp_tuple *tuple, wisp_time now);
uint16_t wisp_tcp_port_pick(struct wisp_tcp *tcp, struct tcp_tuple *tuple); /* 0: none is free */

/* error.c */
void wisp_tcp_error_input(struct wisp_tcp *tcp, const struct wisp_icmp_error *error, wisp_time now);

#endif
