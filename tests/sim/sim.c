/* SPDX-License-Identifier: ISC */
/* See sim.h. End 0 connects to end 1. Randomness is splitmix64 from the seed, one stream for all decisions. */
#include "sim.h"
#include "capture.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdlib.h>
#include <string.h>

struct end {
    struct wisp_pool *pool;
    struct wisp_stack *stack;
    struct wisp_tcp *tcp;
    struct wisp_impair impair;
    struct wisp_capture capture;
    struct wisp_tcp_conn *conn;
    uint32_t to_send, sent, received;
    bool shut, ended, closed;
    bool acted;    /* in this step: there may be more to do at once */
    uint64_t edge; /* of the stream: as far as the peer may send */
    enum wisp_err reason;
    struct wisp_view held[64]; /* pages taken over and not yet let go of */
    uint32_t held_count;
    void *memory[6];
};

struct sim {
    const struct sim_plan *plan;
    struct sim_result result;
    struct wisp_link *link;
    void *link_memory;
    struct end end[2];
    wisp_time now;
    uint64_t random;
};

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint64_t out;
    crypto_shorthash_siphash24((uint8_t *)&out, data, len, key);
    return out;
}

static uint64_t next(struct sim *s)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t below(struct sim *s, uint32_t bound)
{
    return (uint32_t)(next(s) % bound);
}

static uint8_t pattern(int side, uint32_t position)
{
    uint32_t x = position * 2654435761u + (uint32_t)side * 97;
    return (uint8_t)(x >> 24 ^ position);
}

static void fail(struct sim *s, const char *why)
{
    if (!s->result.failure) {
        s->result.failure = why;
    }
}

/* ---- setting up ---- */

static void *zeroed(struct end *end, int slot, size_t size)
{
    size = (size + 4095) & ~(size_t)4095;
    end->memory[slot] = aligned_alloc(4096, size);
    memset(end->memory[slot], 0, size);
    return end->memory[slot];
}

static void see(void *context, const struct wisp_pkt *pkt, bool sent, wisp_time now)
{
    struct sim *s = context;
    static const uint8_t key[WISP_HASH_KEY];
    static uint8_t bytes[66000];
    if (!sent || pkt->length > sizeof(bytes) - 8) {
        return;
    }
    memcpy(bytes, &now, 8);
    wisp_pkt_read(pkt, 0, bytes + 8, pkt->length);
    s->result.trace = s->result.trace * 31 + siphash(key, bytes, pkt->length + 8);
    s->result.frames++;
}

static void open_end(struct sim *s, int side, uint64_t seed)
{
    struct end *end = &s->end[side];
    struct wisp_stack_config config;
    struct wisp_impair_config impair = s->plan->impair;
    impair.seed = seed * 2 + (uint64_t)side;
    wisp_capture_init(&end->capture, wisp_link_dev(s->link, side), see, s);
    wisp_impair_init(&end->impair, &end->capture.dev, &impair);
    wisp_stack_config_default(&config);
    config.netdev = &end->impair.dev;
    config.pages = end->pool;
    config.hash = siphash;
    config.sum = wisp_sum_portable;
    config.probe = WISP_PROBE_NONE;
    config.reassembly = &wisp_ipv4_reassembly;
    memcpy(config.seed, &seed, 8);
    config.seed[8] = (uint8_t)side;
    size_t size = wisp_stack_size(&config);
    end->stack = wisp_stack_init(zeroed(end, 2, size), size, &config, s->now);
    struct wisp_tcp_config tcp;
    wisp_tcp_config_default(&tcp);
    tcp.cc = &wisp_tcp_cc_newreno;
    tcp.hash = siphash;
    tcp.connections = 8;
    memcpy(tcp.seed, &seed, 8);
    tcp.seed[8] = (uint8_t)(side + 2);
    if (s->plan->tune) {
        s->plan->tune(&tcp);
    }
    size = wisp_tcp_size(&tcp);
    end->tcp = wisp_tcp_init(zeroed(end, 3, size), size, &tcp);
    wisp_stack_attach(end->stack, wisp_tcp_transport(end->tcp), s->now);
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(10, 0, 0, (uint8_t)(side + 1)));
    wisp_stack_address_add(end->stack, &addr, 24, s->now);
    end->to_send = s->plan->bytes[side];
}

static void open_all(struct sim *s, uint64_t seed)
{
    uint32_t pages = s->plan->pages ? s->plan->pages : 1024;
    struct wisp_link_config link = {.mtu = s->plan->mtu ? s->plan->mtu : 1500,
                                    .csum = s->plan->csum,
                                    .gso = s->plan->gso,
                                    .split = s->plan->split,
                                    .packets = 256};
    struct wisp_pool *pools[2];
    for (int side = 0; side < 2; side++) {
        struct end *end = &s->end[side];
        void *data = zeroed(end, 0, (size_t)pages * WISP_PAGE_SIZE);
        size_t size = wisp_pool_size(pages);
        pools[side] = end->pool = wisp_pool_init(zeroed(end, 1, size), size, data, pages, 8, true);
    }
    s->link = calloc(1, sizeof(*s->link));
    s->link_memory = aligned_alloc(64, wisp_link_size(&link));
    wisp_link_init(s->link, &link, s->link_memory, wisp_link_size(&link), pools);
    open_end(s, 0, seed);
    open_end(s, 1, seed);
    struct wisp_tcp_listener *listener;
    wisp_tcp_listen(s->end[1].tcp, NULL, 80, 4, &listener);
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    wisp_tcp_connect(s->end[0].tcp, NULL, 0, &peer, 80, s->now, &s->end[0].conn);
}

/* ---- the applications ---- */

static uint32_t send_lent(struct sim *s, int side, uint32_t want)
{
    struct end *end = &s->end[side];
    struct wisp_page *page = wisp_page_alloc(end->pool, WISP_ROLE_APP, WISP_HOLDER_APP);
    if (!page) {
        return 0;
    }
    uint32_t offset = below(s, 512);
    uint32_t length = WISP_PAGE_SIZE - offset;
    length = length < want ? length : want;
    for (uint32_t i = 0; i < length; i++) {
        page->data[offset + i] = pattern(side, end->sent + i);
    }
    struct wisp_view view = {page, offset, length};
    uint32_t took = wisp_tcp_send(end->conn, &view, 1);
    wisp_page_unref(page);
    return took;
}

static uint32_t send_copied(struct sim *s, int side, uint32_t want)
{
    struct end *end = &s->end[side];
    uint8_t bytes[6000];
    uint32_t length = 1 + below(s, sizeof(bytes) - 1);
    length = length < want ? length : want;
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = pattern(side, end->sent + i);
    }
    return wisp_tcp_write(end->conn, bytes, length);
}

static void send_some(struct sim *s, int side)
{
    struct end *end = &s->end[side];
    while (end->conn && end->sent < end->to_send) {
        uint32_t want = end->to_send - end->sent;
        uint32_t took = s->plan->lend ? send_lent(s, side, want) : send_copied(s, side, want);
        end->sent += took;
        end->acted |= took > 0;
        if (took == 0) {
            wisp_tcp_want(end->conn, WISP_TCP_READABLE | WISP_TCP_END | WISP_TCP_WRITABLE);
            return;
        }
    }
    if (end->conn && !end->shut) {
        end->shut = true;
        end->acted = true;
        wisp_tcp_want(end->conn, WISP_TCP_READABLE | WISP_TCP_END);
        wisp_tcp_shutdown(end->conn);
    }
}

static void check_view(struct sim *s, int side, const struct wisp_view *view)
{
    struct end *end = &s->end[side];
    const uint8_t *p = wisp_view_bytes(view);
    for (uint32_t i = 0; i < view->length; i++) {
        if (p[i] != pattern(!side, end->received + i)) {
            fail(s, "a byte differs from what was sent");
            break;
        }
    }
    end->received += view->length;
    end->acted = true;
}

static void let_go(struct end *end, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        wisp_tcp_let_go(end->conn, &end->held[i]);
    }
    end->held_count -= count;
    memmove(end->held, end->held + count, end->held_count * sizeof(end->held[0]));
}

static void read_some(struct sim *s, int side)
{
    struct end *end = &s->end[side];
    struct wisp_view view[8];
    uint32_t n;
    if (s->plan->stall && below(s, 1000000) < s->plan->stall) {
        return;
    }
    if (s->plan->take) {
        n = wisp_tcp_take(end->conn, end->held + end->held_count, 64 - end->held_count);
        for (uint32_t i = 0; i < n; i++) {
            check_view(s, side, &end->held[end->held_count + i]);
        }
        end->held_count += n;
        let_go(end,
               end->held_count > 8 || end->ended ? end->held_count : below(s, end->held_count + 1));
        return;
    }
    while ((n = wisp_tcp_peek(end->conn, view, 8)) > 0) {
        uint32_t length = 0;
        for (uint32_t i = 0; i < n; i++) {
            check_view(s, side, &view[i]);
            length += view[i].length;
        }
        wisp_tcp_consume(end->conn, length);
    }
}

/* True: it did something, so the stack wants a step, and may then have more to tell. */
static bool act(struct sim *s, int side)
{
    struct end *end = &s->end[side];
    struct wisp_tcp_event event;
    end->acted = false;
    while (wisp_tcp_next_event(end->tcp, &event)) {
        if (event.what & WISP_TCP_ACCEPTED) {
            if (end->conn) {
                fail(s, "a second connection was accepted");
            }
            end->conn = event.conn;
            send_some(s, side);
        }
        if (event.what & WISP_TCP_CONNECTED) {
            send_some(s, side);
        }
        if (event.what & WISP_TCP_READABLE) {
            read_some(s, side);
        }
        if (event.what & WISP_TCP_WRITABLE) {
            send_some(s, side);
        }
        if (event.what & WISP_TCP_END) {
            end->acted |= !end->ended;
            end->ended = true;
        }
        if (event.what & WISP_TCP_CLOSED) {
            let_go(end, end->held_count);
            end->closed = true;
            end->reason = event.reason;
        }
    }
    return end->acted;
}

/* What holds after every step: an offered window is not taken back (SHLD-14), and no more is in flight than the
 * congestion window allows and than there is. */
static void check_invariants(struct sim *s, int side)
{
    struct end *end = &s->end[side];
    struct wisp_tcp_info info;
    if (!end->conn || end->closed) {
        return;
    }
    wisp_tcp_info(end->conn, &info);
    uint64_t edge = info.bytes_received + info.rcv_wnd;
    if (edge + 1 < end->edge && !end->ended) { /* a FIN takes one place */
        fail(s, "the right edge of the window went back");
    }
    end->edge = edge > end->edge ? edge : end->edge;
    /* from then on what is lost counts as in flight as well */
    bool loss_met = info.ssthresh < 1u << 30;
    /* two: limited transmit, RFC 3042 */
    if (!loss_met && info.in_flight > info.cwnd + 2 * info.mss) {
        fail(s, "more is in flight than the congestion window, and nothing was lost");
    }
    if (info.in_flight > info.queued + 1) {
        fail(s, "more is in flight than is queued");
    }
}

static bool over(const struct sim *s)
{
    return s->end[0].closed && s->end[1].closed;
}

static wisp_time step(struct sim *s)
{
    wisp_time deadline = WISP_NEVER;
    for (int side = 0; side < 2; side++) {
        wisp_time at = wisp_stack_poll(s->end[side].stack, s->now);
        deadline = wisp_time_min(deadline, act(s, side) ? s->now : at);
        check_invariants(s, side);
        for (int k = 0; k < 2; k++) {
            struct wisp_netdev *dev = &s->end[k].impair.dev;
            deadline = wisp_time_min(deadline, dev->ops->deadline(dev, s->now));
        }
    }
    return deadline;
}

static void heal(struct sim *s)
{
    for (int side = 0; side < 2; side++) {
        uint64_t seed = s->end[side].impair.config.seed;
        s->end[side].impair.config =
            (struct wisp_impair_config){.delay = s->plan->impair.delay, .seed = seed};
    }
}

static void run(struct sim *s)
{
    wisp_time start = s->now;
    wisp_time limit = s->plan->limit ? s->plan->limit : WISP_SEC(600);
    uint32_t still = 0;
    while (!over(s) && !s->result.failure) {
        wisp_time at = step(s);
        if (s->plan->stall) {
            at = wisp_time_min(at, s->now + WISP_US(50)); /* its reader comes back by itself */
        }
        s->result.steps++;
        if (over(s)) {
            break; /* what comes later is TIME-WAIT's */
        }
        if (at > s->now) {
            s->now = at;
            still = 0;
        } else if (++still > 100000) {
            fail(s, "virtual time stands still");
        }
        if (at == WISP_NEVER) {
            fail(s, "nobody has anything to do, and it is not over");
        } else if (s->now - start > limit) {
            fail(s, "virtual time ran out");
        }
        if (s->plan->heal && s->now - start > s->plan->heal) {
            heal(s);
        }
    }
    s->result.took = s->now - start;
}

static void judge(struct sim *s)
{
    for (int side = 0; side < 2; side++) {
        const struct end *end = &s->end[side];
        if (!s->result.failure && end->reason == WISP_OK &&
            end->received != s->end[!side].to_send) {
            fail(s, "closed in order, but bytes are missing");
        }
        if (!s->result.failure && end->reason != WISP_OK) {
            fail(s, wisp_err_text(end->reason));
        }
        s->result.retransmits += wisp_stack_count(end->stack, "tcp.retransmits");
        s->result.copied += end->impair.inner->stats.bytes_copied;
    }
    s->result.finished = !s->result.failure;
}

static void close_all(struct sim *s)
{
    struct wisp_pool_stats stats;
    for (int side = 0; side < 2; side++) {
        struct end *end = &s->end[side];
        let_go(end, end->held_count);
        if (end->conn) {
            wisp_tcp_release(end->conn);
        }
        wisp_tcp_fini(end->tcp);
        wisp_stack_fini(end->stack);
        wisp_impair_fini(&end->impair);
    }
    wisp_link_fini(s->link);
    for (int side = 0; side < 2; side++) {
        wisp_pool_stats(s->end[side].pool, &stats);
        if (stats.in_use != 0) {
            fail(s, "pages are still in use at the end");
            s->result.finished = false;
        }
        for (int i = 0; i < 6; i++) {
            free(s->end[side].memory[i]);
        }
    }
    free(s->link);
    free(s->link_memory);
}

struct sim_result sim_run(const struct sim_plan *plan, uint64_t seed)
{
    struct sim *s = calloc(1, sizeof(*s));
    s->plan = plan;
    s->random = seed * 77 + 1;
    s->now = WISP_SEC(10) + seed % 1000 * WISP_MS(7);
    open_all(s, seed);
    if (plan->opened) {
        plan->opened();
    }
    run(s);
    judge(s);
    close_all(s);
    struct sim_result result = s->result;
    free(s);
    return result;
}
