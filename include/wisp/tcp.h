/* SPDX-License-Identifier: ISC */
/*
 * TCP (RFC 9293 and companions; docs/rfc.md lists them row by row).
 *
 * A connection is a handle, valid from the call or event that gave it until wisp_tcp_release, whatever the
 * peer does. The application asks for events and acts; nothing is called back. What it writes leaves in the
 * next wisp_stack_flush or wisp_stack_poll, whichever comes first. One struct wisp_tcp belongs to one stack and one thread at a time.
 *
 * Memory is bounded at start: connections, listeners, handshakes, TIME-WAIT entries, and working parts (what
 * a connection needs while data is in flight or out of order) come from memory handed in; pages come from
 * the stack's pool, and each connection is charged for the pages it holds.
 */
#ifndef WISP_TCP_H
#define WISP_TCP_H

#include <wisp/l3.h>
#include <wisp/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_tcp;
struct wisp_tcp_conn;
struct wisp_tcp_listener;

/* Congestion control, chosen by naming it, so that only that one is linked. */
struct wisp_tcp_cc;
extern const struct wisp_tcp_cc wisp_tcp_cc_newreno; /* RFC 5681, 6582, 6928 */

struct wisp_tcp_config {
    uint32_t connections;    /* default 256 */
    uint32_t listeners;      /* default 8 */
    uint32_t half_open;      /* handshakes of passive opens in progress, default 256 */
    uint32_t time_wait;      /* default 1024; the oldest goes when full */
    uint32_t working;        /* working parts, default: connections */
    uint32_t blocks;         /* of queue memory, 512 bytes each, default 8 per working part */
    uint32_t send_pages;     /* pages one connection may have queued to send, default 256 */
    uint32_t receive_pages;  /* pages one connection's received data may hold, default 256 */
    uint32_t receive_window; /* largest window offered, bytes, default 512 KiB; up to 1 GiB */
    /* floor of the retransmission timer, default 200 ms (RFC 6298 says 1 s) */
    wisp_time rto_min;
    wisp_time delayed_ack;   /* default 40 ms, below 500 ms */
    wisp_time time_wait_for; /* 2 MSL, default 60 s */
    /* an empty working part goes back at once; after a loss it keeps that history this long, default 1 s */
    wisp_time working_idle;
    bool timestamps;     /* offered and accepted, default true */
    bool sack;           /* default true */
    bool window_scaling; /* default true */
    uint8_t ttl;         /* default 64 */
    /* default wisp_tcp_cc_newreno is not set by config_default: name it */
    const struct wisp_tcp_cc *cc;
    wisp_hash_fn hash;
    uint8_t seed[32]; /* secret */
};

/* Fills config with defaults; cc, hash, seed stay for the caller. */
void wisp_tcp_config_default(struct wisp_tcp_config *config);

/* Bytes of memory that wisp_tcp_init needs for config, which it reads and does not keep. Pure: no errors. */
size_t wisp_tcp_size(const struct wisp_tcp_config *config);

/* Null when mem (64-aligned) is too small. */
struct wisp_tcp *wisp_tcp_init(void *mem, size_t size, const struct wisp_tcp_config *config);

/* Ends everything at once without a word to the peers; afterwards it holds no page. */
void wisp_tcp_fini(struct wisp_tcp *tcp);

/* For wisp_stack_attach. */
struct wisp_transport *wisp_tcp_transport(struct wisp_tcp *tcp);

/* ---- opening ---- */

/*
 * Listens on local (null: any address of ours) and port. Up to backlog established connections wait to be
 * taken by wisp_tcp_next_event. IN_USE, FULL. May be called while connections on that port exist (MUST-41,
 * MUST-42).
 */
enum wisp_err wisp_tcp_listen(struct wisp_tcp *tcp, const struct wisp_addr *local, uint16_t port,
                              uint32_t backlog, struct wisp_tcp_listener **listener);

/* Stops listening: handshakes in progress and connections not yet taken are reset. */
void wisp_tcp_listener_close(struct wisp_tcp_listener *listener);

/* A pointer of the application's for its own use, kept and never followed; null until set. At any time before
 * wisp_tcp_listener_close. */
void wisp_tcp_listener_set_cookie(struct wisp_tcp_listener *listener, void *cookie);
void *wisp_tcp_listener_cookie(const struct wisp_tcp_listener *listener);

/*
 * Starts an active open to remote and port. local null: the route's source; local_port 0: an unpredictable
 * one (RFC 6056). The handle is given at once; CONNECTED or CLOSED tells the outcome.
 * INVALID: remote is no single host; UNREACHABLE; IN_USE: the four-tuple exists; FULL.
 */
enum wisp_err wisp_tcp_connect(struct wisp_tcp *tcp, const struct wisp_addr *local,
                               uint16_t local_port, const struct wisp_addr *remote, uint16_t port,
                               wisp_time now, struct wisp_tcp_conn **conn);

/* ---- events ---- */

enum wisp_tcp_event_bit {
    WISP_TCP_ACCEPTED = 1,  /* a new connection of event.listener; told once */
    WISP_TCP_CONNECTED = 2, /* an active open succeeded; told once */
    WISP_TCP_READABLE = 4,  /* bytes to read */
    WISP_TCP_WRITABLE = 8,  /* room to send (only while wanted) */
    WISP_TCP_END = 16,      /* the peer closed its direction and everything before was consumed */
    WISP_TCP_RELEASED = 32, /* wisp_tcp_released has grown (only while wanted) */
    WISP_TCP_URGENT = 64,   /* the peer has urgent data; told once per urgent pointer */
    WISP_TCP_SOFT_ERROR = 128, /* see wisp_tcp_soft_error; told once (only while wanted) */
    /* over in both directions: event.reason; the handle waits for release */
    WISP_TCP_CLOSED = 256
};

struct wisp_tcp_event {
    struct wisp_tcp_conn *conn;
    struct wisp_tcp_listener *listener; /* ACCEPTED only */
    uint32_t what;                      /* set of enum wisp_tcp_event_bit */
    /* CLOSED: OK after an orderly close of both sides, else why */
    enum wisp_err reason;
};

/*
 * The next connection with something to tell, or false. Level-triggered: a condition that still holds is
 * told again, once per wisp_stack_poll. Any call on any connection is allowed between two calls of this.
 */
bool wisp_tcp_next_event(struct wisp_tcp *tcp, struct wisp_tcp_event *event);

/* Which of READABLE, WRITABLE, END, RELEASED, SOFT_ERROR are told; default READABLE | END. The others are
 * always told. Want WRITABLE after a send took less than offered. */
void wisp_tcp_want(struct wisp_tcp_conn *conn, uint32_t what);

/* A pointer of the application's for its own use, kept and never followed; null until set, on accepted connections,
 * too. At any time before wisp_tcp_release. */
void wisp_tcp_set_cookie(struct wisp_tcp_conn *conn, void *cookie);
void *wisp_tcp_cookie(const struct wisp_tcp_conn *conn);

/* ---- sending ---- */

/*
 * Queues views by reference, in order, and returns how many bytes it took (0 .. all; less than all: want
 * WRITABLE). Each page taken is referenced anew; the bytes must not change until it is let go of. A
 * connection that cannot send any more (closed, reset) takes 0.
 */
uint32_t wisp_tcp_send(struct wisp_tcp_conn *conn, const struct wisp_view *views, uint32_t count);

/* Copies bytes onto pages of the stack (counted) and queues them; returns how many it took. */
uint32_t wisp_tcp_write(struct wisp_tcp_conn *conn, const void *bytes, uint32_t length);

/* Bytes a send would take now; 0 when closed. An estimate for views, exact for wisp_tcp_write. */
uint32_t wisp_tcp_send_room(const struct wisp_tcp_conn *conn);

/* Everything queued up to here is urgent (RFC 9293 §3.8.5; new applications should not, SHLD-13). */
void wisp_tcp_mark_urgent(struct wisp_tcp_conn *conn);

/* Bytes the application has queued since the start, and how many of these, from the start on, are
 * acknowledged with every lent page let go of by the device as well. */
uint64_t wisp_tcp_queued(const struct wisp_tcp_conn *conn);
uint64_t wisp_tcp_released(const struct wisp_tcp_conn *conn);

/* ---- receiving ---- */

/* Bytes that can be read now. */
uint32_t wisp_tcp_readable(const struct wisp_tcp_conn *conn);

/*
 * Lends up to max views of the oldest unread bytes, on the very pages the device filled; returns how many.
 * They stay valid until consumed, released or the next wisp_stack_poll.
 */
uint32_t wisp_tcp_peek(struct wisp_tcp_conn *conn, struct wisp_view *views, uint32_t max);

/* Is done with the oldest length bytes (at most wisp_tcp_readable): pages go back, the window opens. */
void wisp_tcp_consume(struct wisp_tcp_conn *conn, uint32_t length);

/* Copies up to length of the oldest bytes out and consumes them; returns how many. Counted. */
uint32_t wisp_tcp_read(struct wisp_tcp_conn *conn, void *bytes, uint32_t length);

/*
 * Takes over up to max views of the oldest bytes with one page reference each; returns how many. They count
 * against the connection's pages, and the window stays as closed, until wisp_tcp_let_go for each of them
 * (which drops the reference; to keep the page longer reference it first). Valid even after release: a
 * page taken is the application's, and let_go with a null conn then drops the reference.
 */
uint32_t wisp_tcp_take(struct wisp_tcp_conn *conn, struct wisp_view *views, uint32_t max);
void wisp_tcp_let_go(struct wisp_tcp_conn *conn, const struct wisp_view *view);

/* Unread bytes up to the end of urgent data, 0: none is outstanding. */
uint32_t wisp_tcp_urgent(const struct wisp_tcp_conn *conn);

/* ---- closing ---- */

/* No more sending: FIN goes out after what is queued. Receiving goes on (half-close). */
void wisp_tcp_shutdown(struct wisp_tcp_conn *conn);

/*
 * No more sending nor receiving: FIN after what is queued, or a RST at once if unread data was there or
 * comes later (SHLD-3). The handle stays until release; CLOSED is still told.
 */
void wisp_tcp_close(struct wisp_tcp_conn *conn);

/* RST now; queued data is lost. CLOSED with WISP_ERR_CLOSED follows. */
void wisp_tcp_abort(struct wisp_tcp_conn *conn);

/* Gives the handle back; a connection not yet closed is closed as by wisp_tcp_close and ends by itself. */
void wisp_tcp_release(struct wisp_tcp_conn *conn);

/* ---- settings and facts ---- */

/* Nagle off (MUST-17); default off: Nagle on */
void wisp_tcp_set_nodelay(struct wisp_tcp_conn *conn, bool nodelay);
/* MUST-48, MUST-49; tos: low two bits are ECN's and ignored */
void wisp_tcp_set_service(struct wisp_tcp_conn *conn, uint8_t ttl, uint8_t tos);
/* Keepalive (MUST-24..28): idle 0 turns it off (default); idle at least 1 s, RFC 9293 asks for 2 h as default
 * and WISP_TCP_KEEPALIVE_IDLE is that; then count probes, interval apart. */
#define WISP_TCP_KEEPALIVE_IDLE WISP_SEC(7200)
void wisp_tcp_set_keepalive(struct wisp_tcp_conn *conn, wisp_time idle, wisp_time interval,
                            uint8_t count);
/* R2 (MUST-21): how long data may stay unacknowledged; WISP_NEVER: for ever. Default 120 s, SYN 180 s. */
void wisp_tcp_set_user_timeout(struct wisp_tcp_conn *conn, wisp_time timeout);

/* The last soft error (ICMP told, R1 reached), and forgets it; OK: none. */
enum wisp_err wisp_tcp_soft_error(struct wisp_tcp_conn *conn);

enum wisp_tcp_state {
    WISP_TCP_STATE_CLOSED,
    WISP_TCP_STATE_LISTEN,
    WISP_TCP_STATE_SYN_SENT,
    WISP_TCP_STATE_SYN_RECEIVED,
    WISP_TCP_STATE_ESTABLISHED,
    WISP_TCP_STATE_FIN_WAIT_1,
    WISP_TCP_STATE_FIN_WAIT_2,
    WISP_TCP_STATE_CLOSE_WAIT,
    WISP_TCP_STATE_CLOSING,
    WISP_TCP_STATE_LAST_ACK,
    WISP_TCP_STATE_TIME_WAIT
};

struct wisp_tcp_info {
    enum wisp_tcp_state state;
    struct wisp_addr local, remote;
    uint16_t local_port, remote_port;
    uint32_t mss;            /* payload bytes of a full segment now */
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t snd_wnd, rcv_wnd;
    uint32_t in_flight; /* bytes sent and not acknowledged */
    uint32_t queued;    /* bytes not yet acknowledged, sent or not */
    uint32_t readable;
    uint32_t pages; /* charged for received data */
    wisp_time srtt, rttvar, rto;
    uint64_t bytes_sent, bytes_received, bytes_retransmitted;
    bool timestamps, sack, window_scaling;
};

/* Fills info with how the connection stands now (RFC 9293 §3.3.1; srtt, rttvar and rto as RFC 6298 has them, in
 * nanoseconds; windows scaled to bytes). At any time before wisp_tcp_release, after CLOSED too; changes nothing. */
void wisp_tcp_info(const struct wisp_tcp_conn *conn, struct wisp_tcp_info *info);

/* Bytes of connection memory used for one idle established connection, table slot and timer included, and
 * for one TIME-WAIT entry. */
size_t wisp_tcp_idle_size(void);
size_t wisp_tcp_time_wait_size(void);

/* Connections, half-open ones and TIME-WAIT entries now. */
void wisp_tcp_population(const struct wisp_tcp *tcp, uint32_t *connections, uint32_t *half_open,
                         uint32_t *time_wait);

/* Counter number index, as wisp_stack_counter. */
bool wisp_tcp_counter(const struct wisp_tcp *tcp, uint32_t index, struct wisp_counter *counter);

#ifdef __cplusplus
}
#endif
#endif
