/* SPDX-License-Identifier: ISC */
/* The scripted peer (see wire.h). The peer is 02:..:02 at 10.0.0.2, we are 02:..:01 at 10.0.0.1. */
#include "wire.h"
#include "bytes.h"
#include "suite.h"
#include "sum.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdio.h>
#include <stdlib.h>

#define TCP_AT     34u
#define PEER_SLOT  2 /* in memory[] */
#define PEER_PAGES 2048u

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint64_t out;
    crypto_shorthash_siphash24((uint8_t *)&out, data, len, key);
    return out;
}

uint8_t wire_pattern(uint32_t position)
{
    return (uint8_t)(position * 7 + (position >> 8) * 13 + 5);
}

/* Not zeroed: the pool clears a page when it is first used, which is cheaper for pages that never are. */
static void *raw_memory(struct wire *w, int slot, size_t size)
{
    w->memory[slot] = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
    ck_assert_ptr_nonnull(w->memory[slot]);
    return w->memory[slot];
}

static void *memory(struct wire *w, int slot, size_t size)
{
    return memset(raw_memory(w, slot, size), 0, size);
}

static struct wisp_pool *pool(struct wire *w, int slot, uint32_t pages, void *data)
{
    size_t size = wisp_pool_size(pages);
    return wisp_pool_init(memory(w, slot + 1, size), size, data, pages, 8, false);
}

/* Pages of peers that are gone, for the next: tests open thousands of worlds, and to have the peer's
 * memory filled by malloc each time (MALLOC_PERTURB_) took longer than all they do. The stack's own
 * is new in each. */
static void *spare[2];
static uint32_t spares;

static void *peer_memory(struct wire *w)
{
    w->memory[PEER_SLOT] = spares > 0 ? spare[--spares] : NULL;
    return w->memory[PEER_SLOT] ? w->memory[PEER_SLOT]
                                : raw_memory(w, PEER_SLOT, PEER_PAGES * WISP_PAGE_SIZE);
}

static void keep_peer_memory(struct wire *w)
{
    if (spares < sizeof(spare) / sizeof(spare[0])) {
        spare[spares++] = w->memory[PEER_SLOT];
        w->memory[PEER_SLOT] = NULL;
    }
}

static void open_stack(struct wire *w)
{
    struct wisp_stack_config config;
    wisp_stack_config_default(&config);
    config.netdev = wisp_link_dev(&w->link, 0);
    config.pages = w->pool;
    config.hash = siphash;
    config.sum = wisp_sum_portable;
    config.probe = WISP_PROBE_NONE;
    config.reassembly = &wisp_ipv4_reassembly;
    memset(config.seed, 1, sizeof(config.seed));
    size_t size = wisp_stack_size(&config);
    w->stack = wisp_stack_init(memory(w, 4, size), size, &config, w->now);
    ck_assert_ptr_nonnull(w->stack);
}

static void open_transports(struct wire *w, const struct wire_options *options)
{
    struct wisp_tcp_config tcp;
    wisp_tcp_config_default(&tcp);
    tcp.cc = &wisp_tcp_cc_newreno;
    tcp.hash = siphash;
    memset(tcp.seed, 2, sizeof(tcp.seed));
    if (options->tune) {
        options->tune(&tcp);
    }
    size_t size = wisp_tcp_size(&tcp);
    w->tcp = wisp_tcp_init(memory(w, 5, size), size, &tcp);
    ck_assert_ptr_nonnull(w->tcp);
    wisp_stack_attach(w->stack, wisp_tcp_transport(w->tcp), w->now);

    struct wisp_udp_config udp;
    wisp_udp_config_default(&udp);
    udp.hash = siphash;
    memset(udp.seed, 3, sizeof(udp.seed));
    size = wisp_udp_size(&udp);
    w->udp = wisp_udp_init(memory(w, 6, size), size, &udp);
    ck_assert_ptr_nonnull(w->udp);
    wisp_stack_attach(w->stack, wisp_udp_transport(w->udp), w->now);
}

void wire_open(struct wire *w, const struct wire_options *options)
{
    static const struct wire_options none = {0};
    options = options ? options : &none;
    memset(w, 0, sizeof(*w));
    w->now = WISP_SEC(100);
    w->peer_iss = 1000000;
    w->source = 40000;
    w->peer_tsval = 5000;
    uint32_t pages = options->pages ? options->pages : 512;
    w->pool = pool(w, 0, pages, raw_memory(w, 0, (size_t)pages * WISP_PAGE_SIZE));
    w->peer_pool = pool(w, PEER_SLOT, PEER_PAGES, peer_memory(w));
    struct wisp_link_config link = {.mtu = options->mtu ? options->mtu : 1500,
                                    .csum = options->csum,
                                    .gso = options->gso,
                                    .split = options->split,
                                    .packets = 256};
    struct wisp_pool *pools[2] = {w->pool, w->peer_pool};
    size_t size = wisp_link_size(&link);
    ck_assert(wisp_link_init(&w->link, &link, memory(w, 7, size), size, pools));
    open_stack(w);
    open_transports(w, options);
    struct wisp_addr own = wisp_addr_ip4(wisp_ip4(10, 0, 0, 1));
    ck_assert_int_eq(wisp_stack_address_add(w->stack, &own, 24, w->now), WISP_OK);
    wire_step(w);
    struct seg seg;
    while (wire_next(w, &seg)) {
    }
}

static struct wire *wire_of(struct wisp_netdev *dev)
{
    return (struct wire *)(void *)((uint8_t *)dev - offsetof(struct wire, link.end[0].dev));
}

static uint32_t completed(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max)
{
    struct wire *w = wire_of(dev);
    return w->device_holds ? 0 : w->link_ops->completed(dev, pkts, max);
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    struct wire *w = wire_of(dev);
    const struct wisp_link_end *end = &w->link.end[0];
    bool completes = !w->device_holds && end->done_in != end->done_out;
    return end->arrived_in != end->arrived_out || completes ? now : WISP_NEVER;
}

void wire_can_hold(struct wire *w)
{
    struct wisp_netdev *dev = wisp_link_dev(&w->link, 0);
    w->link_ops = dev->ops;
    w->ops = *dev->ops;
    w->ops.completed = completed;
    w->ops.deadline = deadline;
    dev->ops = &w->ops;
}

void wire_close(struct wire *w)
{
    struct wisp_pool_stats stats;
    if (w->link_ops) {
        w->device_holds = false;
        wire_step(w);
    }
    wisp_tcp_fini(w->tcp);
    wisp_udp_fini(w->udp);
    wisp_stack_fini(w->stack);
    wisp_link_fini(&w->link);
    wisp_pool_stats(w->pool, &stats);
    ck_assert_msg(stats.in_use == 0, "%u pages are still in use", stats.in_use);
    keep_peer_memory(w);
    for (size_t i = 0; i < sizeof(w->memory) / sizeof(w->memory[0]); i++) {
        free(w->memory[i]);
    }
}

/* ---- the peer's frames ---- */

static void put_lower_headers(struct wire *w, uint8_t *frame, const struct seg *seg,
                              uint32_t tcp_length)
{
    (void)w;
    memset(frame, 0, TCP_AT);
    frame[0] = 2;
    frame[5] = 1;
    frame[6] = 2;
    frame[11] = seg->peer ? seg->peer : 2;
    wisp_be16_put(frame + 12, 0x0800);
    uint8_t *ip = frame + 14;
    ip[0] = 0x45;
    ip[1] = seg->tos;
    wisp_be16_put(ip + 2, (uint16_t)(20 + tcp_length));
    wisp_be16_put(ip + 6, 0x4000);
    ip[8] = seg->ttl ? seg->ttl : 64;
    ip[9] = 6;
    wisp_ip4_put(ip + 12, wisp_ip4(10, 0, 0, seg->peer ? seg->peer : 2));
    wisp_ip4_put(ip + 16, wisp_ip4(10, 0, 0, 1));
    wisp_sum_store(ip + 10, wisp_sum_portable(ip, 20));
}

static uint16_t tcp_sum(const uint8_t *frame, uint32_t tcp_length)
{
    uint16_t sum = wisp_sum_portable(frame + 26, 8);
    sum = wisp_sum_add(sum, wisp_sum_word(6));
    sum = wisp_sum_add(sum, wisp_sum_word((uint16_t)tcp_length));
    return wisp_sum_add(sum, wisp_sum_portable(frame + TCP_AT, tcp_length));
}

static uint32_t put_sack(struct wire *w, uint8_t *p, const struct seg *seg)
{
    uint32_t n = 0;
    uint8_t *start = p;
    while (n < 4 && (seg->sack[n][0] || seg->sack[n][1])) {
        n++;
    }
    if (n == 0) {
        return 0;
    }
    *p++ = 1;
    *p++ = 1;
    *p++ = 5;
    *p++ = (uint8_t)(2 + 8 * n);
    for (uint32_t i = 0; i < n; i++) {
        wisp_be32_put(p, w->our_iss + seg->sack[i][0]);
        wisp_be32_put(p + 4, w->our_iss + seg->sack[i][1]);
        p += 8;
    }
    return (uint32_t)(p - start);
}

static uint32_t put_options(struct wire *w, uint8_t *p, const struct seg *seg)
{
    uint8_t *start = p;
    if (seg->options) {
        memcpy(p, seg->options, seg->options_length);
        p += seg->options_length;
    } else {
        if (seg->mss && seg->mss != ANY) {
            p[0] = 2;
            p[1] = 4;
            wisp_be16_put(p + 2, (uint16_t)seg->mss);
            p += 4;
        }
        if (seg->sack_permitted) {
            memcpy(p, "\x01\x01\x04\x02", 4);
            p += 4;
        }
        if (seg->scale && seg->scale != ANY) {
            p[0] = 1;
            p[1] = 3;
            p[2] = 3;
            p[3] = (uint8_t)(seg->scale - 1);
            p += 4;
        }
        if (seg->timestamps || (w->peer_timestamps && !(seg->flags & SYN))) {
            memcpy(p, "\x01\x01\x08\x0a", 4);
            wisp_be32_put(p + 4, seg->tsval == ANY ? w->peer_tsval : seg->tsval);
            wisp_be32_put(p + 8, seg->tsecr != ANY  ? seg->tsecr
                                 : seg->flags & ACK ? w->last_tsval
                                                    : 0);
            p += 12;
        }
        p += put_sack(w, p, seg);
    }
    while ((p - start) % 4) {
        *p++ = 0;
    }
    return (uint32_t)(p - start);
}

static void put_payload(struct wire *w, uint8_t *p, const struct seg *seg, uint32_t seq)
{
    if (seg->data) {
        memcpy(p, seg->data, seg->length);
        return;
    }
    for (uint32_t i = 0; i < seg->length; i++) {
        p[i] = wire_pattern(seq - w->peer_iss + i);
    }
}

void wire_frame(struct wire *w, const void *frame, uint32_t length)
{
    ck_assert_msg(wisp_link_inject(wisp_link_dev(&w->link, 0), frame, length),
                  "no room on the link");
}

void wire_queue(struct wire *w, struct seg seg)
{
    static uint8_t frame[65600];
    uint8_t *tcp = frame + TCP_AT;
    uint32_t seq = seg.raw_numbers  ? seg.seq
                   : seg.seq == ANY ? w->peer_next
                                    : w->peer_iss + seg.seq;
    uint32_t ack = seg.raw_numbers ? seg.ack : seg.ack == ANY ? w->our_next : w->our_iss + seg.ack;
    if (seg.seq == ANY && (seg.flags & SYN)) {
        seq = w->peer_iss;
    }
    uint32_t options = put_options(w, tcp + 20, &seg);
    uint32_t length = 20 + options + seg.length;
    put_lower_headers(w, frame, &seg, length);
    wisp_be16_put(tcp, (uint16_t)(seg.source ? seg.source : w->source));
    wisp_be16_put(tcp + 2, (uint16_t)(seg.port ? seg.port : w->port));
    wisp_be32_put(tcp + 4, seq);
    wisp_be32_put(tcp + 8, seg.flags & ACK ? ack : seg.ack == ANY ? 0 : ack);
    tcp[12] = (uint8_t)((seg.offset_words ? seg.offset_words : 5 + options / 4) << 4);
    tcp[13] = (uint8_t)seg.flags;
    wisp_be16_put(tcp + 14, (uint16_t)(seg.window == ANY ? 65535 : seg.window));
    wisp_be16_put(tcp + 16, 0);
    wisp_be16_put(tcp + 18, (uint16_t)seg.urgent);
    put_payload(w, tcp + 20 + options, &seg, seq);
    wisp_sum_store(tcp + 16, tcp_sum(frame, length));
    if (seg.bad_checksum) {
        tcp[16] ^= 0x40;
    }
    uint32_t end = seq + seg.length + (seg.flags & SYN ? 1 : 0) + (seg.flags & FIN ? 1 : 0);
    if (!seg.raw_numbers && (seg.flags & SYN || seq == w->peer_next)) {
        w->peer_next = end;
    }
    wire_frame(w, frame, TCP_AT + length);
}

void wire_tell(struct wire *w, struct seg seg)
{
    wire_queue(w, seg);
    wire_step(w);
}

/* ---- time ---- */

void wire_step(struct wire *w)
{
    int steps = 0;
    do {
        w->deadline = wisp_stack_poll(w->stack, w->now);
        ck_assert_msg(++steps < 10000, "the stack never comes to rest");
    } while (w->deadline <= w->now);
}

void wire_wait(struct wire *w, wisp_time time)
{
    wisp_time end = w->now + time;
    wire_step(w);
    while (w->deadline <= end) {
        w->peer_tsval += (uint32_t)((w->deadline - w->now) / 1000000);
        w->now = w->deadline;
        wire_step(w);
    }
    w->peer_tsval += (uint32_t)((end - w->now) / 1000000);
    w->now = end;
    wire_step(w);
}

/* ---- our frames ---- */

static void answer_arp(struct wire *w, const uint8_t *arp)
{
    uint8_t frame[42] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, arp[27], 8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
    if (wisp_be16_get(arp + 6) != 1 || memcmp(arp + 14, arp + 24, 4) == 0) {
        return; /* an announcement, or no request */
    }
    frame[22] = 2;
    frame[27] = arp[27];
    memcpy(frame + 28, arp + 24, 4);
    memcpy(frame + 32, arp + 8, 10);
    wire_frame(w, frame, sizeof(frame));
}

static void parse_options(struct wire *w, const uint8_t *p, uint32_t n, struct seg *seg)
{
    uint32_t blocks = 0;
    while (n > 0 && *p != 0) {
        if (*p == 1) {
            p++;
            n--;
            continue;
        }
        ck_assert_msg(n >= 2 && p[1] >= 2 && p[1] <= n, "an option we sent runs over");
        if (*p == 2) {
            seg->mss = wisp_be16_get(p + 2);
        } else if (*p == 3) {
            seg->scale = p[2] + 1u;
        } else if (*p == 4) {
            seg->sack_permitted = true;
        } else if (*p == 8) {
            seg->timestamps = true;
            seg->tsval = wisp_be32_get(p + 2);
            seg->tsecr = wisp_be32_get(p + 6);
            w->last_tsval = seg->tsval;
        } else if (*p == 5) {
            for (uint32_t at = 2; at + 8 <= p[1] && blocks < 4; at += 8, blocks++) {
                seg->sack[blocks][0] = wisp_be32_get(p + at) - w->peer_iss;
                seg->sack[blocks][1] = wisp_be32_get(p + at + 4) - w->peer_iss;
            }
        }
        n -= p[1];
        p += p[1];
    }
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_msg(p[i] == 0, "padding behind the options is not zero");
    }
}

static void parse_segment(struct wire *w, struct seg *seg)
{
    const uint8_t *ip = w->last_frame + 14;
    uint32_t total = wisp_be16_get(ip + 2);
    ck_assert_uint_eq(ip[0], 0x45);
    ck_assert_uint_ne(ip[8], 0);
    ck_assert_msg(wisp_sum_portable(ip, 20) == 0xffff, "IPv4 header checksum we sent is wrong");
    const uint8_t *tcp = ip + 20;
    uint32_t head = (uint32_t)(tcp[12] >> 4) * 4;
    *seg = (struct seg){.flags = tcp[13]};
    seg->port = wisp_be16_get(tcp);
    seg->source = wisp_be16_get(tcp + 2);
    seg->ttl = ip[8];
    seg->tos = ip[1];
    seg->length = total - 20 - head;
    seg->data = tcp + head;
    seg->window = wisp_be16_get(tcp + 14);
    seg->urgent = wisp_be16_get(tcp + 18);
    uint32_t seq = wisp_be32_get(tcp + 4);
    if (seg->flags & SYN) {
        w->our_iss = seq;
        w->our_iss_known = true;
        w->port = seg->port;
        w->source = seg->source;
        w->our_next = seq;
    }
    uint32_t end = seq + seg->length + (seg->flags & SYN ? 1 : 0) + (seg->flags & FIN ? 1 : 0);
    if (!(seg->flags & RST) && (int32_t)(end - w->our_next) > 0) {
        w->our_next = end;
    }
    seg->seq = seq - w->our_iss;
    seg->ack = seg->flags & ACK ? wisp_be32_get(tcp + 8) - w->peer_iss : 0;
    parse_options(w, tcp + 20, head - 20, seg);
}

static void check_sum(struct wire *w, const struct wisp_pkt *pkt)
{
    uint32_t tcp_length = (uint32_t)wisp_be16_get(w->last_frame + 16) - 20;
    if (pkt->csum != WISP_CSUM_BLANK) {
        ck_assert_msg(tcp_sum(w->last_frame, tcp_length) == 0xffff,
                      "TCP checksum we sent is wrong");
    }
}

bool wire_next(struct wire *w, struct seg *seg)
{
    struct wisp_netdev *dev = wisp_link_dev(&w->link, 1);
    struct wisp_pkt *pkt;
    for (;;) {
        while (dev->ops->receive(dev, &pkt, 1, w->now) == 1) {
            w->last_length = pkt->length;
            wisp_pkt_read(pkt, 0, w->last_frame, pkt->length);
            uint16_t type = wisp_be16_get(w->last_frame + 12);
            bool tcp = type == 0x0800 && w->last_frame[23] == 6;
            if (tcp) {
                check_sum(w, pkt);
            }
            wisp_pkt_drop(pkt);
            if (tcp) {
                parse_segment(w, seg);
                return true;
            }
            w->swallowed++;
            if (type == 0x0806) {
                answer_arp(w, w->last_frame + 14);
            }
        }
        struct wisp_link_end *end = &w->link.end[0];
        if (end->arrived_in == end->arrived_out) {
            return false;
        }
        wire_step(w); /* the ARP answer may set something free */
        if (w->link.end[1].arrived_in == w->link.end[1].arrived_out) {
            return false;
        }
    }
}

static void describe(char *text, size_t size, const struct seg *s)
{
    int n =
        snprintf(text, size, "[%s%s%s%s%s%s]", s->flags & SYN ? "S" : "", s->flags & FIN ? "F" : "",
                 s->flags & RST ? "R" : "", s->flags & PSH ? "P" : "", s->flags & URG ? "U" : "",
                 s->flags & ACK ? "." : "");
    const struct {
        const char *name;
        uint32_t value;
    } field[] = {{"seq", s->seq},    {"ack", s->ack},    {"win", s->window},
                 {"len", s->length}, {"urg", s->urgent}, {"mss", s->mss}};
    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
        if (field[i].value != ANY) {
            n += snprintf(text + n, size - (size_t)n, " %s %u", field[i].name, field[i].value);
        }
    }
    if (s->sack[0][1]) {
        snprintf(text + n, size - (size_t)n, " sack %u-%u", s->sack[0][0], s->sack[0][1]);
    }
}

static bool differs(uint32_t want, uint32_t got)
{
    return want != ANY && want != got;
}

void wire_drain(struct wire *w)
{
    struct seg seg;
    while (wire_next(w, &seg)) {
    }
}

void wire_write(struct wire *w, struct wisp_tcp_conn *conn, uint32_t length)
{
    static const uint8_t data[65536];
    ck_assert_uint_eq(wisp_tcp_write(conn, data, length), length);
    wire_step(w);
}

struct seg wire_expect_at(struct wire *w, struct seg want, const char *file, int line)
{
    struct seg got;
    char a[200];
    char b[200];
    describe(a, sizeof(a), &want);
    if (!wire_next(w, &got)) {
        ck_abort_msg("%s:%d: expected %s, nothing was sent", file, line, a);
    }
    describe(b, sizeof(b), &got);
    /* PSH is looked at only where a test names it. */
    uint32_t mask = want.flags & PSH ? 0xffu : 0xffu & ~(uint32_t)PSH;
    bool wrong = (want.flags & mask) != (got.flags & mask) || differs(want.seq, got.seq) ||
                 differs(want.ack, got.ack) || differs(want.window, got.window) ||
                 differs(want.length, got.length) || differs(want.urgent, got.urgent) ||
                 differs(want.mss, got.mss) || differs(want.scale, got.scale);
    for (int i = 0; i < 4 && want.sack[0][1]; i++) {
        wrong |= want.sack[i][0] != got.sack[i][0] || want.sack[i][1] != got.sack[i][1];
    }
    if (wrong) {
        ck_abort_msg("%s:%d: expected %s, got %s", file, line, a, b);
    }
    return got;
}

void wire_silent_at(struct wire *w, const char *file, int line)
{
    struct seg got;
    char text[200];
    if (wire_next(w, &got)) {
        describe(text, sizeof(text), &got);
        ck_abort_msg("%s:%d: expected silence, got %s", file, line, text);
    }
}

wisp_time wire_wait_segment(struct wire *w, wisp_time most, struct seg *seg)
{
    wisp_time start = w->now;
    wire_step(w);
    while (!wire_next(w, seg)) {
        if (w->deadline > start + most) {
            ck_abort_msg("no segment within %llu ms", (unsigned long long)(most / 1000000));
        }
        w->peer_tsval += (uint32_t)((w->deadline - w->now) / 1000000);
        w->now = w->deadline;
        wire_step(w);
    }
    return w->now - start;
}

/* ---- conversations ---- */

void wire_listen(struct wire *w, uint16_t port)
{
    ck_assert_int_eq(wisp_tcp_listen(w->tcp, NULL, port, 16, &w->listener), WISP_OK);
    w->port = port;
}

struct wisp_tcp_conn *wire_connect(struct wire *w, uint16_t port)
{
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    struct wisp_tcp_conn *conn = NULL;
    ck_assert_int_eq(wisp_tcp_connect(w->tcp, NULL, 0, &peer, port, w->now, &conn), WISP_OK);
    w->source = port;
    wire_step(w);
    return conn;
}

static struct wisp_tcp_conn *accepted_conn;

struct wisp_tcp_conn *wire_accepted(struct wire *w)
{
    (void)w;
    return accepted_conn;
}

uint32_t wire_events(struct wire *w, const struct wisp_tcp_conn *conn, enum wisp_err *reason)
{
    struct wisp_tcp_event event;
    uint32_t what = 0;
    accepted_conn = NULL;
    while (wisp_tcp_next_event(w->tcp, &event)) {
        if (event.what & WISP_TCP_ACCEPTED) {
            accepted_conn = event.conn;
        }
        if (event.conn == conn) {
            what |= event.what;
            if (reason && event.what & WISP_TCP_CLOSED) {
                *reason = event.reason;
            }
        }
    }
    return what;
}

struct wisp_tcp_conn *wire_accept(struct wire *w, struct seg syn)
{
    syn.flags |= SYN;
    wire_tell(w, syn);
    struct seg synack = wire_expect(w, GOT(.flags = SYN | ACK, .ack = 1));
    w->peer_timestamps = synack.timestamps;
    if (syn.timestamps && syn.tsval != ANY) {
        w->peer_tsval = syn.tsval;
    }
    wire_tell(w, SEG(.flags = ACK));
    wire_events(w, NULL, NULL);
    ck_assert_msg(wire_accepted(w) != NULL, "the connection was not told");
    return wire_accepted(w);
}

void wire_accept_many(struct wire *w, struct wisp_tcp_conn **conn, struct seg *ask, uint32_t count)
{
    wire_listen(w, 80);
    for (uint32_t i = 0; i < count; i++) {
        w->source = 40000 + i;
        w->our_iss_known = false;
        conn[i] = wire_accept(w, SEG(.mss = 1460));
        ask[i] = SEG(.flags = ACK | PSH, .raw_numbers = true, .source = w->source,
                     .seq = w->peer_next, .ack = w->our_next, .length = 1, .data = "q");
    }
    wire_wait(w, WISP_MS(500));
    wire_silent(w);
}

struct wisp_tcp_conn *wire_server(struct wire *w)
{
    wire_listen(w, 80);
    return wire_accept(w, SEG(.mss = 1460));
}

struct wisp_tcp_info wire_info(const struct wisp_tcp_conn *conn)
{
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    return info;
}

struct wisp_tcp_conn *wire_established(struct wire *w, struct seg synack)
{
    struct wisp_tcp_conn *conn = wire_connect(w, 80);
    struct seg syn = wire_expect(w, GOT(.flags = SYN));
    w->peer_timestamps = synack.timestamps && syn.timestamps;
    synack.flags |= SYN | ACK;
    wire_tell(w, synack);
    wire_expect(w, GOT(.flags = ACK, .seq = 1, .ack = 1, .length = 0));
    ck_assert(wire_events(w, conn, NULL) & WISP_TCP_CONNECTED);
    return conn;
}

uint64_t wire_count(const struct wire *w, const char *name)
{
    return wisp_stack_count(w->stack, name);
}
