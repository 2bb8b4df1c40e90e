/* SPDX-License-Identifier: ISC */
/*
 * TCP between two guests (see ring.h), as between two domains of one host: each has a stack,
 * netfront, a ring and a netback; what one netback takes off its ring it gives to the other one,
 * still mapped, which copies it once into the receiver's pages.
 */
#include "ring.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdlib.h>
#include <string.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>

#define SOURCE_PAGES (BENCH_SOURCE_SIZE / WISP_PAGE_SIZE)
#define WINDOW       524288u

struct end {
    struct tcp_ring *pair;
    struct ring_guest guest;
    struct wisp_stack *stack;
    struct wisp_tcp *tcp;
    void *memory[2];
};

struct tcp_ring {
    struct end end[2];
    struct wisp_tcp_conn *conn;
    struct wisp_page *source[SOURCE_PAGES];
    uint64_t source_at, received, now;
    bool up;
};

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint64_t out;
    crypto_shorthash_siphash24((uint8_t *)&out, data, len, key);
    return out;
}

/* The bridge between the two vifs. */
static void cross(void *context, const struct wisp_frame *frame, wisp_time now)
{
    struct end *end = context;
    struct end *other = &end->pair->end[end == &end->pair->end[0]];
    wisp_netback_send(other->guest.nb, frame, now);
}

static void open_stack(struct end *end, int side, wisp_time now)
{
    struct wisp_stack_config config;
    wisp_stack_config_default(&config);
    config.netdev = end->guest.dev;
    config.pages = end->guest.pages;
    config.hash = siphash;
    config.sum = wisp_sum_portable;
    config.probe = WISP_PROBE_NONE;
    memset(config.seed, side + 1, sizeof(config.seed));
    end->memory[0] = bench_memory(wisp_stack_size(&config));
    end->stack = wisp_stack_init(end->memory[0], wisp_stack_size(&config), &config, now);

    struct wisp_tcp_config tcp;
    wisp_tcp_config_default(&tcp);
    tcp.cc = &wisp_tcp_cc_newreno;
    tcp.hash = siphash;
    tcp.receive_window = WINDOW;
    tcp.receive_pages = 1024;
    tcp.send_pages = 1024;
    memset(tcp.seed, side + 11, sizeof(tcp.seed));
    end->memory[1] = bench_memory(wisp_tcp_size(&tcp));
    end->tcp = wisp_tcp_init(end->memory[1], wisp_tcp_size(&tcp), &tcp);
    wisp_stack_attach(end->stack, wisp_tcp_transport(end->tcp), now);
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(10, 0, 0, (uint8_t)(side + 1)));
    if (wisp_stack_address_add(end->stack, &addr, 24, now) != WISP_OK) {
        bench_fail("wisp", "netfront-bulk", "no address");
    }
}

static void poll_end(struct end *end, wisp_time now)
{
    wisp_memxen_set_time(end->guest.xen, now);
    wisp_stack_poll(end->stack, now);
    wisp_netback_work(end->guest.nb, now);
}

/* Receives at end 1, by reference, and hears of the connection at end 0. */
static void serve(struct tcp_ring *pair)
{
    struct wisp_tcp_event event;
    while (wisp_tcp_next_event(pair->end[1].tcp, &event)) {
        uint32_t n = event.what & WISP_TCP_READABLE ? wisp_tcp_readable(event.conn) : 0;
        wisp_tcp_consume(event.conn, n);
        pair->received += n;
    }
    while (wisp_tcp_next_event(pair->end[0].tcp, &event)) {
        pair->up |= (event.what & WISP_TCP_CONNECTED) != 0;
    }
}

static void step(struct tcp_ring *pair)
{
    pair->now = bench_now();
    poll_end(&pair->end[0], pair->now);
    wisp_netback_work(pair->end[1].guest.nb, pair->now);
    poll_end(&pair->end[1], pair->now);
    serve(pair);
    poll_end(&pair->end[1], pair->now);
    wisp_netback_work(pair->end[0].guest.nb, pair->now);
}

static void connect_ends(struct tcp_ring *pair)
{
    struct wisp_tcp_listener *listener;
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    if (wisp_tcp_listen(pair->end[1].tcp, NULL, 80, 8, &listener) != WISP_OK ||
        wisp_tcp_connect(pair->end[0].tcp, NULL, 0, &peer, 80, pair->now, &pair->conn) != WISP_OK) {
        bench_fail("wisp", "netfront-bulk", "no connection");
    }
    for (int i = 0; i < 1000 && !pair->up; i++) {
        step(pair);
    }
    if (!pair->up) {
        bench_fail("wisp", "netfront-bulk", "the connection did not come up");
    }
}

struct tcp_ring *tcp_ring_open(enum ring_policy policy, uint32_t skip_from)
{
    struct tcp_ring *pair = calloc(1, sizeof(*pair));
    if (!pair) {
        bench_fail("wisp", "netfront-bulk", "no memory");
    }
    pair->now = bench_now();
    for (int side = 0; side < 2; side++) {
        struct end *end = &pair->end[side];
        struct ring_guest_config config = {.policy = policy,
                                           .skip_from = skip_from,
                                           .number = (uint8_t)(side + 1),
                                           .frame = cross,
                                           .context = end};
        end->pair = pair;
        ring_guest_open(&end->guest, &config);
        open_stack(end, side, pair->now);
    }
    for (uint32_t i = 0; i < SOURCE_PAGES; i++) {
        pair->source[i] = wisp_page_alloc(pair->end[0].guest.pages, WISP_ROLE_APP, WISP_HOLDER_APP);
        memcpy(pair->source[i]->data, bench_source() + i * WISP_PAGE_SIZE, WISP_PAGE_SIZE);
    }
    connect_ends(pair);
    return pair;
}

void tcp_ring_run(struct tcp_ring *pair, uint64_t bytes)
{
    uint64_t want = pair->received + bytes;
    uint64_t left = bytes;
    for (uint32_t idle = 0; pair->received < want; idle++) {
        while (left > 0) {
            uint32_t at = (uint32_t)(pair->source_at % BENCH_SOURCE_SIZE);
            uint32_t n = WISP_PAGE_SIZE - at % WISP_PAGE_SIZE;
            n = n < left ? n : (uint32_t)left;
            struct wisp_view view = {pair->source[at / WISP_PAGE_SIZE], at % WISP_PAGE_SIZE, n};
            uint32_t took = wisp_tcp_send(pair->conn, &view, 1);
            pair->source_at += took;
            left -= took;
            if (took < n) {
                break;
            }
        }
        uint64_t before = pair->received;
        step(pair);
        idle = pair->received > before ? 0 : idle;
        if (idle > 10000000) {
            bench_fail("wisp", "netfront-bulk", "the stream stands still");
        }
    }
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

void tcp_ring_facts(const struct tcp_ring *pair, struct ring_facts *facts)
{
    for (int side = 0; side < 2; side++) {
        const struct end *end = &pair->end[side];
        ring_guest_facts(&end->guest, facts);
        facts->copied += counter(end->tcp, "tcp.bytes_copied_collect");
        facts->copied += counter(end->tcp, "tcp.bytes_copied_write");
        facts->copied += counter(end->tcp, "tcp.bytes_copied_small");
    }
}

void tcp_ring_close(struct tcp_ring *pair)
{
    for (int side = 0; side < 2; side++) {
        wisp_tcp_fini(pair->end[side].tcp);
        wisp_stack_fini(pair->end[side].stack);
    }
    for (uint32_t i = 0; i < SOURCE_PAGES; i++) {
        wisp_page_unref(pair->source[i]);
    }
    for (int side = 0; side < 2; side++) {
        ring_guest_close(&pair->end[side].guest);
        free(pair->end[side].memory[0]);
        free(pair->end[side].memory[1]);
    }
    free(pair);
}
