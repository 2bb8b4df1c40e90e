/* SPDX-License-Identifier: ISC */
/*
 * The express way of small segments (l3.h) and the plain one say the same: two worlds of two stacks
 * each do the same things at the same time, one of them with the express way closed. Every frame,
 * what is said of it to the device, and every counter must be equal.
 */
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>
#include <wisp/tcp.h>

#define STEPS 400u
#define LOG   (1u << 20)

/* One end of a world: its device and network layer, watched. */
struct watched {
    struct wisp_netdev_ops dev_ops;
    const struct wisp_netdev_ops *dev_inner;
    struct wisp_l3_ops l3_ops;
    const struct wisp_l3_ops *l3_inner;
    struct wisp_transport spy;
};

struct world {
    struct net net;
    struct watched end[2];
    struct wisp_tcp *tcp[2];
    struct wisp_tcp_conn *conn[2];
    uint8_t *log;
    uint32_t logged, seen;
    uint32_t random; /* for losses: the same in both worlds as long as they do the same */
    uint32_t loss;   /* of 256 */
    bool closed;     /* the express way */
    uint32_t express;
};

struct setting {
    bool csum, timestamps, sack;
    uint16_t mtu;
    uint32_t gso, loss, window;
};

static struct world *current; /* whose stacks run */

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* ---- watching ---- */

static void note(struct world *w, const void *bytes, uint32_t length)
{
    ck_assert_uint_le(w->logged + length, LOG);
    memcpy(w->log + w->logged, bytes, length);
    w->logged += length;
}

static void note_packet(struct world *w, uint32_t end, const struct wisp_pkt *pkt)
{
    uint32_t blank = pkt->csum == WISP_CSUM_BLANK;
    uint32_t facts[] = {end,
                        pkt->length,
                        pkt->views,
                        pkt->view[0].length,
                        pkt->csum,
                        pkt->csum_start,
                        blank ? pkt->csum_offset : 0,
                        pkt->gso,
                        pkt->gso == WISP_GSO_NONE ? 0 : pkt->gso_size,
                        pkt->queue,
                        pkt->flags,
                        pkt->owner != NULL,
                        pkt->owner ? pkt->mark_value : 0};
    note(w, facts, sizeof(facts));
    ck_assert_uint_le(w->logged + pkt->length, LOG);
    ck_assert(wisp_pkt_read(pkt, 0, w->log + w->logged, pkt->length));
    w->logged += pkt->length;
}

static uint32_t end_of(const struct wisp_netdev *dev)
{
    return dev == wisp_link_dev(current->net.link, 1);
}

static uint32_t watch_transmit(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count,
                               wisp_time now)
{
    uint32_t end = end_of(dev);
    for (uint32_t i = 0; i < count; i++) {
        note_packet(current, end, pkts[i]);
    }
    uint32_t taken = current->end[end].dev_inner->transmit(dev, pkts, count, now);
    ck_assert_uint_eq(taken, count);
    return taken;
}

/* Loses some. */
static uint32_t watch_receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                              wisp_time now)
{
    uint32_t n = current->end[end_of(dev)].dev_inner->receive(dev, pkts, max, now);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (draw(&current->random) % 256 < current->loss) {
            wisp_pkt_drop(pkts[i]);
        } else {
            pkts[kept++] = pkts[i];
        }
    }
    return kept;
}

static struct wisp_pkt *watch_express(void *self, const struct wisp_flow *flow, uint16_t pseudo,
                                      uint32_t length, bool reserved, wisp_time now)
{
    if (current->closed) {
        return NULL;
    }
    struct wisp_pkt *pkt =
        current->end[0].l3_inner->express(self, flow, pseudo, length, reserved, now);
    current->express += pkt != NULL;
    return pkt;
}

/* The spy's only duty: to be shown the network layer, and to put itself before it. */
static void spy_attach(void *self, struct wisp_l3 *l3)
{
    struct watched *end = self;
    end->l3_inner = l3->ops;
    end->l3_ops = *l3->ops;
    end->l3_ops.express = watch_express;
    l3->ops = &end->l3_ops;
}

static const struct wisp_transport_ops spy_ops = {.attach = spy_attach};

/* ---- worlds ---- */

static void open_tcp(struct world *w, int end, const struct setting *setting)
{
    struct wisp_tcp_config config;
    wisp_tcp_config_default(&config);
    config.cc = &wisp_tcp_cc_newreno;
    config.hash = test_siphash;
    config.connections = 4;
    config.seed[0] = (uint8_t)(7 + end);
    config.timestamps = setting->timestamps;
    config.sack = setting->sack;
    config.receive_window = setting->window;
    config.rto_min = WISP_MS(50);
    size_t size = wisp_tcp_size(&config);
    w->tcp[end] = wisp_tcp_init(net_memory(&w->net, size), size, &config);
    wisp_stack_attach(w->net.stack[end], wisp_tcp_transport(w->tcp[end]), w->net.now);
}

static void watch_end(struct world *w, int end)
{
    struct watched *watched = &w->end[end];
    struct wisp_netdev *dev = wisp_link_dev(w->net.link, end);
    watched->dev_inner = dev->ops;
    watched->dev_ops = *dev->ops;
    watched->dev_ops.transmit = watch_transmit;
    watched->dev_ops.receive = watch_receive;
    dev->ops = &watched->dev_ops;
    watched->spy = (struct wisp_transport){&spy_ops, watched, 253, NULL};
    wisp_stack_attach(w->net.stack[end], &watched->spy, w->net.now);
}

static void world_open(struct world *w, const struct setting *setting, bool closed)
{
    struct net_options options;
    *w = (struct world){.closed = closed, .random = 5};
    w->log = malloc(LOG);
    current = w;
    net_options_default(&options);
    options.link.mtu = setting->mtu;
    options.link.csum = setting->csum;
    options.link.gso = setting->gso;
    net_open(&w->net, &options);
    for (int end = 0; end < 2; end++) {
        watch_end(w, end);
        open_tcp(w, end, setting);
    }
}

static void serve_events(struct world *w)
{
    struct wisp_tcp_event event;
    for (int end = 0; end < 2; end++) {
        while (wisp_tcp_next_event(w->tcp[end], &event)) {
            if (event.what & WISP_TCP_ACCEPTED) {
                w->conn[end] = event.conn;
            }
        }
    }
}

static void world_connect(struct world *w)
{
    struct wisp_tcp_listener *listener;
    ck_assert_int_eq(wisp_tcp_listen(w->tcp[1], NULL, 80, 4, &listener), WISP_OK);
    ck_assert_int_eq(
        wisp_tcp_connect(w->tcp[0], NULL, 0, &w->net.addr[1], 80, w->net.now, &w->conn[0]),
        WISP_OK);
    net_settle(&w->net);
    serve_events(w);
    ck_assert_ptr_nonnull(w->conn[1]);
}

static void world_close(struct world *w)
{
    current = w;
    for (int end = 0; end < 2; end++) {
        wisp_tcp_abort(w->conn[end]);
        wisp_tcp_release(w->conn[end]);
    }
    net_settle(&w->net);
    wisp_tcp_fini(w->tcp[0]);
    wisp_tcp_fini(w->tcp[1]);
    net_close(&w->net);
    free(w->log);
}

/* ---- what they do ---- */

static uint8_t text[8192];

/* Something the application at end does. */
static void act(struct world *w, uint32_t what, uint32_t end, uint32_t amount)
{
    struct wisp_tcp_conn *conn = w->conn[end];
    struct wisp_netdev *dev = wisp_link_dev(w->net.link, (int)end);
    switch (what) {
    case 0:
        wisp_tcp_write(conn, text + amount % 64, 1 + amount % 3000);
        break;
    case 1:
        wisp_tcp_write(conn, text, 1 + amount % 64);
        wisp_tcp_mark_urgent(conn);
        break;
    case 2:
        wisp_tcp_set_service(conn, (uint8_t)(1 + amount % 255), (uint8_t)(amount >> 8));
        break;
    case 3:
        wisp_tcp_set_nodelay(conn, amount & 1);
        break;
    case 4: /* another MTU */
        dev->caps.mtu = (uint16_t)(68 + amount % 1433);
        dev->caps.generation++;
        break;
    case 5: /* the hop must be looked for anew */
        wisp_stack_routes_clear(w->net.stack[end]);
        break;
    case 6:
        dev->caps.csum_tx ^= WISP_OFFLOAD_TCP4;
        dev->caps.generation++;
        break;
    case 7:
    case 8:
    case 9:
        wisp_tcp_consume(conn, wisp_tcp_readable(conn) ? amount % wisp_tcp_readable(conn) + 1 : 0);
        break;
    default:
        wisp_tcp_write(conn, text + amount % 64, 1 + amount % 100);
        break;
    }
}

static void step(struct world *w, uint32_t random)
{
    uint32_t state = random;
    current = w;
    uint32_t actions = 1 + draw(&state) % 3;
    for (uint32_t i = 0; i < actions; i++) {
        uint32_t what = draw(&state) % 32;
        uint32_t end = draw(&state) & 1;
        act(w, what, end, draw(&state));
    }
    uint32_t pause = draw(&state) % 8;
    if (pause == 0) {
        net_run(&w->net, WISP_MS(1 + draw(&state) % 1500));
    } else if (pause < 4) {
        net_run(&w->net, WISP_US(1 + draw(&state) % 60000));
    } else {
        wisp_stack_flush(w->net.stack[0], w->net.now);
        wisp_stack_poll(w->net.stack[1], w->net.now);
        wisp_stack_flush(w->net.stack[1], w->net.now);
        wisp_stack_poll(w->net.stack[0], w->net.now);
    }
    serve_events(w);
}

static void compare_counters(const struct world *a, const struct world *b, uint32_t at)
{
    for (int end = 0; end < 2; end++) {
        struct wisp_counter x, y;
        for (uint32_t i = 0; wisp_stack_counter(a->net.stack[end], i, &x); i++) {
            ck_assert(wisp_stack_counter(b->net.stack[end], i, &y));
            ck_assert_msg(x.value == y.value, "step %u, end %d: %s is %llu and %llu", at, end,
                          x.name, (unsigned long long)x.value, (unsigned long long)y.value);
        }
    }
}

static void compare(struct world *a, struct world *b, uint32_t at)
{
    ck_assert_msg(a->logged == b->logged, "step %u: other frames were sent", at);
    uint32_t n = a->logged;
    ck_assert_msg(memcmp(a->log, b->log, n) == 0, "step %u: the frames differ", at);
    a->seen += n;
    a->logged = b->logged = 0;
    compare_counters(a, b, at);
}

static void compare_worlds(const struct setting *setting, uint32_t seed)
{
    static struct world a, b;
    world_open(&a, setting, false);
    world_open(&b, setting, true);
    current = &a;
    world_connect(&a);
    current = &b;
    world_connect(&b);
    compare(&a, &b, 0);
    a.loss = b.loss = setting->loss;
    for (uint32_t i = 1; i <= STEPS; i++) {
        uint32_t random = draw(&seed) << 8 | i;
        step(&a, random);
        step(&b, random);
        compare(&a, &b, i);
    }
    ck_assert_msg(a.express > STEPS / 20, "only %u packets went the express way", a.express);
    ck_assert_uint_gt(a.seen, 10000);
    ck_assert_uint_eq(b.express, 0);
    world_close(&a);
    world_close(&b);
}

START_TEST(same_actions__express_way_open_and_closed__same_frames_and_counters)
{
    const struct setting settings[] = {
        {.mtu = 1500, .window = 65535},
        {.mtu = 1500, .window = 524288, .timestamps = true, .sack = true, .loss = 12},
        {.mtu = 1500, .window = 20000, .csum = true, .sack = true, .loss = 30},
        {.mtu = 576, .window = 65535, .csum = true, .timestamps = true, .gso = 65535, .loss = 5},
    };
    for (uint32_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (uint32_t seed = 0; seed < 2; seed++) {
        compare_worlds(&settings[_i], seed * 77 + (uint32_t)_i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("express");
    TCase *worlds = tcase_create("worlds");
    tcase_add_loop_test(worlds, same_actions__express_way_open_and_closed__same_frames_and_counters,
                        0, 4);
    suite_add_tcase(suite, worlds);
    return wisp_suite_run(suite);
}
