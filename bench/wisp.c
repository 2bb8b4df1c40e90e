/* SPDX-License-Identifier: ISC */
/*
 * wisp as a peer: two stacks over the link in memory. The clock is read once per round of both ends, which is
 * what one reading per step means when both ends share a core. It stands still while other peers run: ten thousand
 * delayed acknowledgements, all due after the others' turn, are no part of a request.
 */
#include "bench.h"
#include "link.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdlib.h>
#include <string.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>
#include <wisp/udp.h>

#define SOURCE_PAGES (BENCH_SOURCE_SIZE / WISP_PAGE_SIZE)

struct end {
    struct wisp_pool *pool;
    struct wisp_stack *stack;
    struct wisp_tcp *tcp;
    struct wisp_udp *udp;
    struct wisp_udp_socket *socket;
    struct wisp_tcp_conn *conn; /* bulk, and the newest of others */
    void *memory[6];
};

struct state {
    const struct bench_job *job;
    struct wisp_link *link;
    void *link_memory;
    struct end end[2];
    struct wisp_tcp_conn **conn; /* of end 0 */
    struct wisp_page source[SOURCE_PAGES];
    uint64_t source_at, received, replies, closed, units, now;
    uint64_t away, left_at; /* time that others ran, and since when they do */
    uint32_t random, live;
    struct bench_check check;
};

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint64_t out;
    crypto_shorthash_siphash24((uint8_t *)&out, data, len, key);
    return out;
}

static wisp_sum_fn best_sum(void)
{
    return __builtin_cpu_supports("avx2") ? wisp_sum_avx2 : wisp_sum_portable;
}

static void *zeroed(struct end *end, int slot, size_t size)
{
    end->memory[slot] = bench_memory(size);
    return end->memory[slot];
}

static uint32_t connection_count(const struct bench_job *job)
{
    return (job->connections ? job->connections : 1) + 64;
}

static void open_pool(const struct state *s, struct end *end)
{
    /* An answer waits for its acknowledgement up to the delayed ACK: each connection may hold a page. */
    uint32_t pages = 4096 + s->job->connections;
    void *memory = zeroed(end, 0, (size_t)pages * WISP_PAGE_SIZE);
    void *meta = zeroed(end, 1, wisp_pool_size(pages));
    end->pool = wisp_pool_init(meta, wisp_pool_size(pages), memory, pages, 16, true);
}

static void open_end(struct state *s, int side)
{
    struct end *end = &s->end[side];
    struct wisp_stack_config config;
    wisp_stack_config_default(&config);
    config.netdev = wisp_link_dev(s->link, side);
    config.pages = end->pool;
    config.hash = siphash;
    config.sum = best_sum();
    config.probe = WISP_PROBE_NONE;
    memset(config.seed, side + 1, sizeof(config.seed));
    size_t size = wisp_stack_size(&config);
    end->stack = wisp_stack_init(zeroed(end, 2, size), size, &config, s->now);

    struct wisp_tcp_config tcp;
    wisp_tcp_config_default(&tcp);
    tcp.cc = &wisp_tcp_cc_newreno;
    tcp.hash = siphash;
    memset(tcp.seed, side + 11, sizeof(tcp.seed));
    tcp.connections = connection_count(s->job);
    tcp.working = s->job->kind == BENCH_IDLE ? 64 : tcp.connections;
    tcp.blocks = 2 * tcp.working + 4096;
    tcp.half_open = 1024;
    tcp.time_wait = s->job->kind == BENCH_CRR ? s->job->connections + 1 : 1024;
    tcp.receive_window = s->job->window;
    tcp.receive_pages = 2048;
    tcp.send_pages = 2048;
    tcp.timestamps = s->job->timestamps;
    size = wisp_tcp_size(&tcp);
    end->tcp = wisp_tcp_init(zeroed(end, 3, size), size, &tcp);
    wisp_stack_attach(end->stack, wisp_tcp_transport(end->tcp), s->now);

    struct wisp_udp_config udp;
    wisp_udp_config_default(&udp);
    udp.hash = siphash;
    memset(udp.seed, side + 21, sizeof(udp.seed));
    size = wisp_udp_size(&udp);
    end->udp = wisp_udp_init(zeroed(end, 4, size), size, &udp);
    wisp_stack_attach(end->stack, wisp_udp_transport(end->udp), s->now);

    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(10, 0, 0, (uint8_t)(side + 1)));
    if (wisp_stack_address_add(end->stack, &addr, 24, s->now) != WISP_OK) {
        bench_fail("wisp", s->job->name, "no address");
    }
}

static void look_at_clock(struct state *s)
{
    s->now = bench_now() - s->away;
}

static void poll_both(struct state *s)
{
    look_at_clock(s);
    wisp_stack_poll(s->end[0].stack, s->now);
    wisp_stack_poll(s->end[1].stack, s->now);
}

/* The server: consumes what bulk sends, answers each byte of a request, closes when the client did. */
static void serve(struct state *s, bool answer)
{
    struct wisp_tcp_event event;
    struct wisp_view view[32];
    while (wisp_tcp_next_event(s->end[1].tcp, &event)) {
        if (event.what & WISP_TCP_ACCEPTED) {
            wisp_tcp_set_nodelay(event.conn, true);
        }
        if (event.what & WISP_TCP_READABLE) {
            uint32_t n;
            while ((n = wisp_tcp_peek(event.conn, view, 32)) > 0) {
                uint32_t bytes = 0;
                for (uint32_t i = 0; i < n; i++) {
                    bench_check_bytes(&s->check, wisp_view_bytes(&view[i]), view[i].length);
                    bytes += view[i].length;
                }
                if (answer) {
                    wisp_tcp_write(event.conn, wisp_view_bytes(&view[0]), 1);
                }
                wisp_tcp_consume(event.conn, bytes);
                s->received += bytes;
            }
        }
        if (event.what & WISP_TCP_END) {
            wisp_tcp_close(event.conn);
        }
        if (event.what & WISP_TCP_CLOSED) {
            wisp_tcp_release(event.conn);
        }
    }
}

/* The client: takes answers, and tells of ends. */
static void take_answers(struct state *s)
{
    struct wisp_tcp_event event;
    while (wisp_tcp_next_event(s->end[0].tcp, &event)) {
        if (event.what & WISP_TCP_CONNECTED) {
            s->live++;
        }
        if (event.what & WISP_TCP_READABLE) {
            uint32_t n = wisp_tcp_readable(event.conn);
            wisp_tcp_consume(event.conn, n);
            s->replies += n;
        }
        if (event.what & WISP_TCP_CLOSED) {
            wisp_tcp_release(event.conn);
            s->closed++;
        }
    }
}

static struct wisp_tcp_conn *connect_one(struct state *s)
{
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    struct wisp_tcp_conn *conn;
    enum wisp_err err = wisp_tcp_connect(s->end[0].tcp, NULL, 0, &peer, 80, s->now, &conn);
    if (err != WISP_OK) {
        bench_fail("wisp", s->job->name, wisp_err_text(err));
    }
    wisp_tcp_set_nodelay(conn, true);
    return conn;
}

static void connect_all(struct state *s, uint32_t count)
{
    s->conn = calloc(count, sizeof(struct wisp_tcp_conn *));
    for (uint32_t i = 0; i < count; i++) {
        s->conn[i] = connect_one(s);
        for (int k = 0; k < 1000 && s->live <= i; k++) {
            poll_both(s);
            take_answers(s);
            serve(s, true);
        }
        if (s->live != i + 1) {
            bench_fail("wisp", s->job->name, "a connection did not come up");
        }
    }
}

static void open_udp(struct state *s)
{
    for (int side = 0; side < 2; side++) {
        struct end *end = &s->end[side];
        if (wisp_udp_open(end->udp, NULL, side ? 7 : 0, false, &end->socket) != WISP_OK) {
            bench_fail("wisp", s->job->name, "no socket");
        }
    }
}

static bool wisp_can(const struct bench_job *job)
{
    (void)job;
    return true;
}

static void run(void *state, uint64_t units);
static void run_udp_window(struct state *s, uint64_t units, uint32_t in_flight);

static void *open_state(const struct bench_job *job)
{
    struct state *s = calloc(1, sizeof(*s));
    struct wisp_link_config link = {.mtu = job->mtu, .csum = !job->csum, .gso = job->gso};
    s->job = job;
    s->random = 1;
    look_at_clock(s);
    open_pool(s, &s->end[0]);
    open_pool(s, &s->end[1]);
    struct wisp_pool *pools[2] = {s->end[0].pool, s->end[1].pool};
    s->link = calloc(1, sizeof(*s->link));
    s->link_memory = bench_memory(wisp_link_size(&link));
    if (!wisp_link_init(s->link, &link, s->link_memory, wisp_link_size(&link), pools)) {
        bench_fail("wisp", job->name, "no link");
    }
    wisp_foreign_init(s->source, bench_source(), BENCH_SOURCE_SIZE);
    open_end(s, 0);
    open_end(s, 1);
    struct wisp_tcp_listener *listener;
    if (wisp_tcp_listen(s->end[1].tcp, NULL, 80, 64, &listener) != WISP_OK) {
        bench_fail("wisp", job->name, "no listener");
    }
    if (job->kind == BENCH_UDP_ECHO) {
        open_udp(s);
        run_udp_window(s, 1, 1);
    } else if (job->kind != BENCH_CRR) {
        connect_all(s, job->connections ? job->connections : 1);
    }
    s->left_at = bench_now();
    run(s, job->kind == BENCH_BULK ? 2000 : 200);
    if (job->kind == BENCH_CRR) {
        run(s, job->connections); /* fills TIME-WAIT */
    }
    return s;
}

static void run_bulk(struct state *s, uint64_t units)
{
    uint64_t left = units * 1460;
    uint64_t want = s->received + left;
    struct wisp_tcp_conn *conn = s->conn[0];
    while (s->received < want) {
        while (left > 0) {
            uint32_t at = (uint32_t)(s->source_at % BENCH_SOURCE_SIZE);
            uint32_t n = WISP_PAGE_SIZE - at % WISP_PAGE_SIZE;
            n = n < left ? n : (uint32_t)left;
            struct wisp_view view = {&s->source[at / WISP_PAGE_SIZE], at % WISP_PAGE_SIZE, n};
            uint32_t took = wisp_tcp_send(conn, &view, 1);
            s->source_at += took;
            left -= took;
            if (took < n) {
                break;
            }
        }
        poll_both(s);
        serve(s, false);
        wisp_stack_flush(s->end[1].stack, s->now);
    }
}

static void run_rr(struct state *s, uint64_t units)
{
    for (uint64_t i = 0; i < units; i++) {
        uint64_t want = s->replies + 1;
        wisp_tcp_write(s->conn[bench_random(&s->random) % s->job->connections], "q", 1);
        look_at_clock(s);
        wisp_stack_flush(s->end[0].stack, s->now);
        for (int k = 0; s->replies < want; k++) {
            wisp_stack_poll(s->end[1].stack, s->now);
            serve(s, true);
            wisp_stack_flush(s->end[1].stack, s->now);
            wisp_stack_poll(s->end[0].stack, s->now);
            take_answers(s);
            if (k > 1000) {
                bench_fail("wisp", s->job->name, "an answer did not come");
            }
        }
    }
}

static void run_crr(struct state *s, uint64_t units)
{
    for (uint64_t i = 0; i < units; i++) {
        uint64_t want = s->replies + 1;
        uint32_t live = s->live + 1;
        struct wisp_tcp_conn *conn = connect_one(s);
        bool asked = false;
        bool closed = false;
        uint64_t done = s->closed + 1;
        for (int k = 0; s->closed < done; k++) {
            poll_both(s);
            serve(s, true);
            take_answers(s);
            if (s->live == live && !asked) {
                wisp_tcp_write(conn, "q", 1);
                asked = true;
            }
            if (s->replies == want && !closed) {
                wisp_tcp_close(conn);
                closed = true;
            }
            if (k > 1000) {
                bench_fail("wisp", s->job->name, "a connection did not end");
            }
        }
    }
}

static void send_datagram(struct state *s)
{
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    wisp_udp_send(s->end[0].socket, NULL, &peer, 7, "eighteen bytes....", 18, s->now);
}

/* Takes all datagrams of one end; the server sends each back. */
static uint64_t take_datagrams(struct state *s, int side)
{
    struct wisp_udp_datagram d;
    struct wisp_udp_socket *socket;
    uint64_t n = 0;
    while ((socket = wisp_udp_next(s->end[side].udp))) {
        while (wisp_udp_receive(socket, &d)) {
            if (side == 1) {
                wisp_udp_send(socket, &d.local, &d.remote, d.remote_port, wisp_pkt_head(d.pkt),
                              d.pkt->length, s->now);
            }
            wisp_pkt_drop(d.pkt);
            n++;
        }
    }
    return n;
}

/* in_flight at once; one alone at first, so that ARP is settled: its queue would lose most of a burst. */
static void run_udp_window(struct state *s, uint64_t units, uint32_t in_flight)
{
    uint64_t sent = 0;
    uint64_t back = 0;
    int idle = 0;
    while (back < units) {
        while (sent < units && sent - back < in_flight) {
            send_datagram(s);
            sent++;
        }
        look_at_clock(s);
        wisp_stack_flush(s->end[0].stack, s->now);
        wisp_stack_poll(s->end[1].stack, s->now);
        take_datagrams(s, 1);
        wisp_stack_flush(s->end[1].stack, s->now);
        wisp_stack_poll(s->end[0].stack, s->now);
        uint64_t n = take_datagrams(s, 0);
        back += n;
        idle = n ? 0 : idle + 1;
        if (idle > 1000) {
            bench_fail("wisp", s->job->name, "a datagram did not come back");
        }
    }
}

static void run_udp(struct state *s, uint64_t units)
{
    run_udp_window(s, units, s->job->in_flight);
}

static void run(void *state, uint64_t units)
{
    struct state *s = state;
    s->units += units;
    s->away += bench_now() - s->left_at;
    switch (s->job->kind) {
    case BENCH_BULK:
        run_bulk(s, units);
        break;
    case BENCH_RR:
        run_rr(s, units);
        break;
    case BENCH_CRR:
        run_crr(s, units);
        break;
    case BENCH_UDP_ECHO:
        run_udp(s, units);
        break;
    case BENCH_IDLE:
    case BENCH_RING_PPS:
    case BENCH_RING_GSO:
    case BENCH_RING_BULK:
        break;
    }
    s->left_at = bench_now();
}

static double measure(void *state)
{
    (void)state;
    return (double)wisp_tcp_idle_size();
}

static uint64_t counter(const struct wisp_tcp *tcp, const char *name)
{
    struct wisp_counter c;
    for (uint32_t i = 0; wisp_tcp_counter(tcp, i, &c); i++) {
        if (strcmp(c.name, name) == 0) {
            return c.value;
        }
    }
    return 0;
}

static void facts(void *state, struct bench_facts *facts)
{
    struct state *s = state;
    *facts = (struct bench_facts){.units = s->units};
    for (int side = 0; side < 2; side++) {
        const struct wisp_link_end *end = &s->link->end[side];
        facts->frames += end->dev.stats.tx_packets;
        facts->link_copied += end->bytes_moved;
        facts->payload_copied += end->dev.stats.bytes_copied;
        facts->payload_copied += counter(s->end[side].tcp, "tcp.bytes_copied_collect");
        facts->payload_copied += counter(s->end[side].tcp, "tcp.bytes_copied_write");
        facts->payload_copied += counter(s->end[side].tcp, "tcp.bytes_copied_small");
    }
}

static void close_state(void *state)
{
    struct state *s = state;
    for (int side = 0; side < 2; side++) {
        wisp_tcp_fini(s->end[side].tcp);
        wisp_udp_fini(s->end[side].udp);
        wisp_stack_fini(s->end[side].stack);
    }
    wisp_link_fini(s->link);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 6; i++) {
            free(s->end[side].memory[i]);
        }
    }
    free(s->link_memory);
    free(s->link);
    free(s->conn);
    free(s);
}

const struct bench_peer bench_wisp = {
    .name = "wisp",
    .can = wisp_can,
    .open = open_state,
    .run = run,
    .measure = measure,
    .facts = facts,
    .close = close_state,
};
