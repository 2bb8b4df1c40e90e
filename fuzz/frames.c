/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes everything between the wire and an application: the input is a list of actions on a stack that listens,
 * has one connection of its own and a UDP socket. Checksums are repaired, or else hardly anything would pass the
 * first check; one action in four leaves them as they are.
 *
 *   action byte a:  a & 3 == 3   time passes: 2^(a >> 2 & 31) microseconds
 *                   otherwise    a frame: two bytes of length, then its bytes; bit 2 leaves checksums alone,
 *                                bit 3 gives sequence numbers relative to the live connection
 *
 * At the end nothing may be left: no page, no packet.
 */
#include "bytes.h"
#include "link.h"
#include "reader.h"
#include "sum.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdlib.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>
#include <wisp/udp.h>

#define PAGES 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct wisp_link link;
    struct wisp_pool *pool[2];
    struct wisp_stack *stack;
    struct wisp_tcp *tcp;
    struct wisp_udp *udp;
    struct wisp_udp_socket *socket;
    wisp_time now;
    uint32_t our_seq, our_ack; /* of the last segment we sent */
    uint16_t our_port;
};

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint64_t out;
    crypto_shorthash_siphash24((uint8_t *)&out, data, len, key);
    return out;
}

/* Memory for everything is taken once and used again by each input. */
static void *region(int index, size_t size)
{
    static void *memory[12];
    if (!memory[index]) {
        memory[index] = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
    }
    memset(memory[index], 0, size);
    return memory[index];
}

static void open_world(struct world *w)
{
    struct wisp_link_config link = {.mtu = 1500, .packets = 64};
    w->now = WISP_SEC(1);
    for (int i = 0; i < 2; i++) {
        w->pool[i] = wisp_pool_init(region(2 * i, wisp_pool_size(PAGES)), wisp_pool_size(PAGES),
                                    region(2 * i + 1, PAGES * WISP_PAGE_SIZE), PAGES, 8, true);
    }
    wisp_link_init(&w->link, &link, region(4, wisp_link_size(&link)), wisp_link_size(&link),
                   w->pool);
    struct wisp_stack_config config;
    wisp_stack_config_default(&config);
    config.netdev = wisp_link_dev(&w->link, 0);
    config.pages = w->pool[0];
    config.hash = siphash;
    config.sum = wisp_sum_portable;
    config.reassembly = &wisp_ipv4_reassembly;
    size_t size = wisp_stack_size(&config);
    w->stack = wisp_stack_init(region(5, size), size, &config, w->now);
    struct wisp_tcp_config tcp;
    wisp_tcp_config_default(&tcp);
    tcp.cc = &wisp_tcp_cc_newreno;
    tcp.hash = siphash;
    tcp.connections = 16;
    tcp.half_open = 8;
    tcp.time_wait = 8;
    size = wisp_tcp_size(&tcp);
    w->tcp = wisp_tcp_init(region(6, size), size, &tcp);
    wisp_stack_attach(w->stack, wisp_tcp_transport(w->tcp), w->now);
    struct wisp_udp_config udp;
    wisp_udp_config_default(&udp);
    udp.hash = siphash;
    size = wisp_udp_size(&udp);
    w->udp = wisp_udp_init(region(7, size), size, &udp);
    wisp_stack_attach(w->stack, wisp_udp_transport(w->udp), w->now);
}

static void open_conversations(struct world *w)
{
    struct wisp_addr own = wisp_addr_ip4(wisp_ip4(10, 0, 0, 1));
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    struct wisp_tcp_listener *listener;
    struct wisp_tcp_conn *conn;
    wisp_stack_address_add(w->stack, &own, 24, w->now);
    wisp_tcp_listen(w->tcp, NULL, 80, 4, &listener);
    wisp_udp_open(w->udp, NULL, 53, true, &w->socket);
    wisp_tcp_connect(w->tcp, NULL, 4000, &peer, 4000, w->now, &conn);
}

/* Echoes what arrives, closes what ended; looks at what the stack sent. */
static void act(struct world *w)
{
    struct wisp_tcp_event event;
    struct wisp_udp_socket *socket;
    struct wisp_udp_datagram datagram;
    struct wisp_pkt *pkt;
    uint8_t bytes[2000];
    while (wisp_tcp_next_event(w->tcp, &event)) {
        if (event.what & WISP_TCP_READABLE) {
            uint32_t n = wisp_tcp_read(event.conn, bytes, sizeof(bytes));
            wisp_tcp_write(event.conn, bytes, n);
        }
        if (event.what & WISP_TCP_END) {
            wisp_tcp_close(event.conn);
        }
        if (event.what & WISP_TCP_CLOSED) {
            wisp_tcp_release(event.conn);
        }
    }
    while ((socket = wisp_udp_next(w->udp))) {
        while (wisp_udp_receive(socket, &datagram)) {
            wisp_pkt_drop(datagram.pkt);
        }
    }
    struct wisp_netdev *dev = wisp_link_dev(&w->link, 1);
    while (dev->ops->receive(dev, &pkt, 1, w->now) == 1) {
        if (pkt->length >= 54 && wisp_pkt_read(pkt, 0, bytes, 54) && bytes[12] == 8 &&
            bytes[23] == 6) {
            w->our_port = wisp_be16_get(bytes + 34);
            w->our_seq = wisp_be32_get(bytes + 38);
            w->our_ack = wisp_be32_get(bytes + 42);
        }
        wisp_pkt_drop(pkt);
    }
}

static void repair(uint8_t *f, uint32_t length)
{
    if (length < 34 || wisp_be16_get(f + 12) != 0x0800) {
        return;
    }
    uint32_t head = (uint32_t)(f[14] & 15) * 4;
    uint32_t total = wisp_be16_get(f + 16);
    if (head < 20 || total < head || total + 14 > length) {
        return;
    }
    f[24] = f[25] = 0;
    wisp_sum_store(f + 24, wisp_sum_portable(f + 14, head));
    uint8_t *p = f + 14 + head;
    uint32_t n = total - head;
    uint32_t at = f[23] == 6 ? 16 : f[23] == 17 ? 6 : f[23] == 1 ? 2 : 0;
    if (at == 0 || n < at + 2) {
        return;
    }
    p[at] = p[at + 1] = 0;
    uint16_t sum = wisp_sum_portable(p, n);
    if (f[23] != 1) {
        sum = wisp_sum_add(sum, wisp_sum_portable(f + 26, 8));
        sum = wisp_sum_add(sum, wisp_sum_word(f[23]));
        sum = wisp_sum_add(sum, wisp_sum_word((uint16_t)n));
    }
    wisp_sum_store(p + at, sum);
}

/* Two bytes as a step forwards or backwards. */
static uint32_t small_step(const uint8_t *p)
{
    uint32_t v = wisp_be16_get(p);
    return v & 0x8000 ? v | 0xffff0000u : v;
}

/* Numbers in the frame become small steps from the live connection's. */
static void follow(const struct world *w, uint8_t *f, uint32_t length)
{
    if (length < 54 || f[14] != 0x45 || f[23] != 6) {
        return;
    }
    wisp_be16_put(f + 36, w->our_port);
    wisp_be32_put(f + 38, w->our_ack + small_step(f + 40));
    wisp_be32_put(f + 42, w->our_seq + small_step(f + 44));
}

static void run_frame(struct world *w, uint8_t action, struct wisp_reader *r)
{
    uint8_t frame[2048];
    uint32_t length = wisp_reader_be16(r) & 2047;
    length = length < r->left ? length : (uint32_t)r->left;
    const uint8_t *bytes = wisp_reader_take(r, length);
    if (!bytes || length == 0) {
        return;
    }
    memcpy(frame, bytes, length);
    if (action & 8) {
        follow(w, frame, length);
    }
    if (!(action & 4)) {
        repair(frame, length);
    }
    wisp_link_inject(wisp_link_dev(&w->link, 0), frame, length);
}

static void close_world(struct world *w)
{
    struct wisp_pool_stats stats;
    wisp_tcp_fini(w->tcp);
    wisp_udp_fini(w->udp);
    wisp_stack_fini(w->stack);
    wisp_link_fini(&w->link);
    wisp_pool_stats(w->pool[0], &stats);
    if (stats.in_use != 0) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    memset(&w, 0, sizeof(w));
    open_world(&w);
    open_conversations(&w);
    struct wisp_reader r = wisp_reader_over(data, size);
    for (uint32_t actions = 0; actions < 200 && r.left > 0; actions++) {
        uint8_t action = wisp_reader_u8(&r);
        if ((action & 3) == 3) {
            w.now += WISP_US((uint64_t)1 << (action >> 2 & 31));
        } else {
            run_frame(&w, action, &r);
        }
        for (int i = 0; i < 50 && wisp_stack_poll(w.stack, w.now) <= w.now; i++) {
            act(&w);
        }
        act(&w);
    }
    close_world(&w);
    return 0;
}
