/* SPDX-License-Identifier: ISC */
/*
 * Debian's lwIP as a peer. Its state is global, so the shared library is loaded twice with dlmopen, each copy
 * with a C library of its own; lwip_init() instead of tcpip_init() starts no thread, and the raw API is used.
 * The link copies each frame once at transmit into a slot; it is received by reference (a custom pbuf).
 *
 * What Debian's build fixes: window 65535, software checksums, and tcp_write copies even when asked not to
 * (LWIP_NETIF_TX_SINGLE_PBUF). It has no super-segments and no way to leave checksums out.
 */
#define _GNU_SOURCE
#include "bench.h"
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>
#pragma GCC diagnostic pop

#define SLOTS     1024u
#define SLOT_SIZE 1536u

/* The functions used, one set per copy of the library. */
struct api {
    void *handle;
    __typeof__(lwip_init) *lwip_init;
    __typeof__(netif_add) *netif_add;
    __typeof__(netif_remove) *netif_remove;
    __typeof__(netif_set_default) *netif_set_default;
    __typeof__(netif_set_up) *netif_set_up;
    __typeof__(netif_set_link_up) *netif_set_link_up;
    __typeof__(etharp_output) *etharp_output;
    __typeof__(ethernet_input) *ethernet_input;
    __typeof__(pbuf_alloced_custom) *pbuf_alloced_custom;
    __typeof__(pbuf_alloc) *pbuf_alloc;
    __typeof__(pbuf_free) *pbuf_free;
    __typeof__(pbuf_copy_partial) *pbuf_copy_partial;
    __typeof__(tcp_new) *tcp_new;
    __typeof__(tcp_arg) *tcp_arg;
    __typeof__(tcp_bind) *tcp_bind;
    __typeof__(tcp_listen_with_backlog) *tcp_listen_with_backlog;
    __typeof__(tcp_accept) *tcp_accept;
    __typeof__(tcp_connect) *tcp_connect;
    __typeof__(tcp_write) *tcp_write;
    __typeof__(tcp_output) *tcp_output;
    __typeof__(tcp_recv) *tcp_recv;
    __typeof__(tcp_recved) *tcp_recved;
    __typeof__(tcp_close) *tcp_close;
    __typeof__(tcp_abort) *tcp_abort;
    __typeof__(tcp_tmr) *tcp_tmr;
    __typeof__(udp_new) *udp_new;
    __typeof__(udp_bind) *udp_bind;
    __typeof__(udp_recv) *udp_recv;
    __typeof__(udp_sendto) *udp_sendto;
    __typeof__(udp_remove) *udp_remove;
    struct mallinfo2 (*mallinfo2)(void);
    struct tcp_pcb **waiting; /* the library's list of TIME-WAIT, newest first */
};

struct slot {
    struct pbuf_custom pbuf; /* first: freed through it */
    struct state *state;
    uint32_t length;
    uint8_t bytes[SLOT_SIZE];
};

struct end {
    struct api api;
    struct netif netif;
    struct state *state;
    struct udp_pcb *udp;
    struct slot *arrived[SLOTS];
    uint32_t in, out;
};

struct state {
    const struct bench_job *job;
    struct end end[2];
    struct slot *slot;
    struct slot **free;
    uint32_t free_count, live, random;
    struct tcp_pcb **conn;
    uint64_t replies, closed, source_at, sent_bytes, last_tick;
    uint64_t memory_before;
    uint32_t waiting[2];
    struct bench_check check;
    struct bench_facts facts;
};

static void fail(const struct state *s, const char *why)
{
    bench_fail("lwip", s->job->name, why);
}

static void load(struct state *s, struct api *api)
{
    api->handle = dlmopen(LM_ID_NEWLM, "liblwip.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!api->handle) {
        fail(s, dlerror());
    }
#define LOAD(name)                                                                                 \
    do {                                                                                           \
        void *symbol = dlsym(api->handle, #name);                                                  \
        if (!symbol) {                                                                             \
            fail(s, "the library lacks " #name);                                                   \
        }                                                                                          \
        memcpy(&api->name, &symbol, sizeof(symbol));                                               \
    } while (0)
    LOAD(lwip_init);
    LOAD(netif_add);
    LOAD(netif_remove);
    LOAD(netif_set_default);
    LOAD(netif_set_up);
    LOAD(netif_set_link_up);
    LOAD(etharp_output);
    LOAD(ethernet_input);
    LOAD(pbuf_alloced_custom);
    LOAD(pbuf_alloc);
    LOAD(pbuf_free);
    LOAD(pbuf_copy_partial);
    LOAD(tcp_new);
    LOAD(tcp_arg);
    LOAD(tcp_bind);
    LOAD(tcp_listen_with_backlog);
    LOAD(tcp_accept);
    LOAD(tcp_connect);
    LOAD(tcp_write);
    LOAD(tcp_output);
    LOAD(tcp_recv);
    LOAD(tcp_recved);
    LOAD(tcp_close);
    LOAD(tcp_abort);
    LOAD(tcp_tmr);
    LOAD(udp_new);
    LOAD(udp_bind);
    LOAD(udp_recv);
    LOAD(udp_sendto);
    LOAD(udp_remove);
    LOAD(mallinfo2);
#undef LOAD
    api->waiting = dlsym(api->handle, "tcp_tw_pcbs");
    if (!api->waiting) {
        fail(s, "the library lacks tcp_tw_pcbs");
    }
}

/* ---- the link ---- */

static void slot_free(struct pbuf *p)
{
    struct slot *slot = (struct slot *)(void *)p;
    slot->state->free[slot->state->free_count++] = slot;
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
    struct end *end = netif->state;
    struct state *s = end->state;
    struct end *peer = end == &s->end[0] ? &s->end[1] : &s->end[0];
    if (s->free_count == 0 || peer->in - peer->out == SLOTS) {
        return ERR_MEM;
    }
    struct slot *slot = s->free[--s->free_count];
    uint32_t at = 0;
    for (struct pbuf *q = p; q; q = q->next) {
        memcpy(slot->bytes + at, q->payload, q->len);
        at += q->len;
    }
    slot->length = at;
    peer->arrived[peer->in++ % SLOTS] = slot;
    s->facts.frames++;
    s->facts.link_copied += at;
    return ERR_OK;
}

static err_t link_init(struct netif *netif)
{
    struct end *end = netif->state;
    netif->output = end->api.etharp_output;
    netif->linkoutput = link_output;
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    netif->hwaddr[0] = 2;
    netif->hwaddr[5] = (uint8_t)(end == &end->state->end[0] ? 1 : 2);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return ERR_OK;
}

static bool deliver(struct end *end)
{
    if (end->in == end->out) {
        return false;
    }
    struct slot *slot = end->arrived[end->out++ % SLOTS];
    slot->pbuf.custom_free_function = slot_free;
    struct pbuf *p = end->api.pbuf_alloced_custom(PBUF_RAW, (u16_t)slot->length, PBUF_REF,
                                                  &slot->pbuf, slot->bytes, SLOT_SIZE);
    if (end->api.ethernet_input(p, &end->netif) != ERR_OK) {
        end->api.pbuf_free(p);
    }
    return true;
}

static void pump(struct state *s)
{
    bool busy = true;
    while (busy) {
        busy = false;
        while (deliver(&s->end[1])) {
            busy = true;
        }
        while (deliver(&s->end[0])) {
            busy = true;
        }
    }
}

/* lwIP's slow and fast timers, every 250 ms as it asks. */
static void tick(struct state *s)
{
    uint64_t now = bench_now();
    if (now - s->last_tick > 250000000) {
        s->last_tick = now;
        s->end[0].api.tcp_tmr();
        s->end[1].api.tcp_tmr();
    }
}

/* ---- the applications ---- */

static err_t server_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct state *s = arg;
    struct api *api = &s->end[1].api;
    (void)err;
    if (!p) {
        api->tcp_arg(pcb, NULL);
        api->tcp_recv(pcb, NULL);
        api->tcp_close(pcb);
        return ERR_OK;
    }
    for (struct pbuf *q = p; q; q = q->next) {
        bench_check_bytes(&s->check, q->payload, q->len);
    }
    api->tcp_recved(pcb, p->tot_len);
    s->facts.units += s->job->kind == BENCH_BULK ? 0 : 1;
    s->replies += s->job->kind == BENCH_BULK ? p->tot_len : 0;
    if (s->job->kind != BENCH_BULK) {
        api->tcp_write(pcb, p->payload, 1, TCP_WRITE_FLAG_COPY);
    }
    api->pbuf_free(p);
    return ERR_OK;
}

static err_t server_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct state *s = arg;
    (void)err;
    s->end[1].api.tcp_arg(pcb, s);
    s->end[1].api.tcp_recv(pcb, server_receive);
    tcp_nagle_disable(pcb);
    return ERR_OK;
}

static err_t client_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct state *s = arg;
    struct api *api = &s->end[0].api;
    (void)err;
    if (!p) {
        s->closed++;
        return ERR_OK;
    }
    api->tcp_recved(pcb, p->tot_len);
    s->replies += p->tot_len;
    api->pbuf_free(p);
    if (s->job->kind == BENCH_CRR) {
        api->tcp_recv(pcb, NULL);
        api->tcp_close(pcb);
    }
    return ERR_OK;
}

static err_t client_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct state *s = arg;
    (void)err;
    s->live++;
    if (s->job->kind == BENCH_CRR) {
        s->end[0].api.tcp_write(pcb, "q", 1, TCP_WRITE_FLAG_COPY);
        s->end[0].api.tcp_output(pcb);
    }
    return ERR_OK;
}

static struct tcp_pcb *connect_one(struct state *s)
{
    struct api *api = &s->end[0].api;
    struct tcp_pcb *pcb = api->tcp_new();
    ip_addr_t peer = IPADDR4_INIT_BYTES(10, 0, 0, 2);
    if (!pcb) {
        fail(s, "no pcb");
    }
    api->tcp_arg(pcb, s);
    api->tcp_recv(pcb, client_receive);
    tcp_nagle_disable(pcb);
    if (api->tcp_connect(pcb, &peer, 80, client_connected) != ERR_OK) {
        fail(s, "connect");
    }
    return pcb;
}

static void connect_all(struct state *s, uint32_t count)
{
    s->conn = calloc(count, sizeof(struct tcp_pcb *));
    for (uint32_t i = 0; i < count; i++) {
        s->conn[i] = connect_one(s);
        pump(s);
        if (s->live != i + 1) {
            fail(s, "a connection did not come up");
        }
    }
}

static void server_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr,
                            u16_t port)
{
    struct state *s = arg;
    struct api *api = &s->end[1].api;
    struct pbuf *answer = api->pbuf_alloc(PBUF_TRANSPORT, p->tot_len, PBUF_RAM);
    api->pbuf_copy_partial(p, answer->payload, p->tot_len, 0);
    api->udp_sendto(pcb, answer, addr, port);
    api->pbuf_free(answer);
    api->pbuf_free(p);
}

static void client_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr,
                            u16_t port)
{
    struct state *s = arg;
    (void)pcb;
    (void)addr;
    (void)port;
    s->replies++;
    s->end[0].api.pbuf_free(p);
}

/* ---- the jobs ---- */

static bool lwip_can(const struct bench_job *job)
{
    uint32_t most = job->kind == BENCH_CRR ? 8192 : 10000;
    return job->csum && job->gso == 0 && job->mtu == 1500 && !job->timestamps &&
           job->connections <= most;
}

static void open_end(struct state *s, int side)
{
    struct end *end = &s->end[side];
    ip4_addr_t ip = {0}, mask = {0}, gateway = {0};
    IP4_ADDR(&ip, 10, 0, 0, side + 1);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    end->state = s;
    load(s, &end->api);
    end->api.lwip_init();
    end->api.netif_add(&end->netif, &ip, &mask, &gateway, end, link_init, end->api.ethernet_input);
    end->api.netif_set_default(&end->netif);
    end->api.netif_set_link_up(&end->netif);
    end->api.netif_set_up(&end->netif);
}

static void listen_on(struct state *s)
{
    struct api *api = &s->end[1].api;
    struct tcp_pcb *pcb = api->tcp_new();
    ip_addr_t any = IPADDR4_INIT(0);
    api->tcp_bind(pcb, &any, 80);
    pcb = api->tcp_listen_with_backlog(pcb, 255);
    api->tcp_arg(pcb, s);
    api->tcp_accept(pcb, server_accept);
}

static void open_udp(struct state *s)
{
    ip_addr_t any = IPADDR4_INIT(0);
    for (int side = 0; side < 2; side++) {
        struct api *api = &s->end[side].api;
        s->end[side].udp = api->udp_new();
        api->udp_bind(s->end[side].udp, &any, side ? 7 : 5000);
        api->udp_recv(s->end[side].udp, side ? server_datagram : client_datagram, s);
    }
}

static void lwip_run(void *state, uint64_t units);
static void resolve(struct state *s);

static void *lwip_open(const struct bench_job *job)
{
    struct state *s = calloc(1, sizeof(*s));
    s->job = job;
    s->random = 1;
    s->slot = calloc(SLOTS, sizeof(*s->slot));
    s->free = calloc(SLOTS, sizeof(*s->free));
    for (uint32_t i = 0; i < SLOTS; i++) {
        s->slot[i].state = s;
        s->free[s->free_count++] = &s->slot[i];
    }
    open_end(s, 0);
    open_end(s, 1);
    listen_on(s);
    pump(s);
    if (job->kind == BENCH_UDP_ECHO) {
        open_udp(s);
        resolve(s);
    } else if (job->kind != BENCH_CRR) {
        connect_all(s, 1);
        s->memory_before = s->end[0].api.mallinfo2().uordblks;
        uint32_t count = job->connections ? job->connections : 1;
        s->live = 0;
        free(s->conn);
        connect_all(s, count);
    }
    lwip_run(s, job->kind == BENCH_BULK ? 2000 : 200);
    if (job->kind == BENCH_CRR) {
        lwip_run(s, job->connections);
    }
    return s;
}

/* One datagram alone, so that ARP is settled: its queue would lose most of a burst. */
static void resolve(struct state *s)
{
    struct api *api = &s->end[0].api;
    ip_addr_t peer = IPADDR4_INIT_BYTES(10, 0, 0, 2);
    struct pbuf *p = api->pbuf_alloc(PBUF_TRANSPORT, 18, PBUF_RAM);
    memset(p->payload, 'x', 18);
    api->udp_sendto(s->end[0].udp, p, &peer, 7);
    api->pbuf_free(p);
    pump(s);
}

static void run_bulk(struct state *s, uint64_t units)
{
    struct api *api = &s->end[0].api;
    struct tcp_pcb *pcb = s->conn[0];
    uint64_t left = units * 1460;
    uint64_t want = s->replies + left;
    while (s->replies < want) {
        tick(s);
        while (left > 0 && pcb->snd_buf > 0) {
            uint32_t at = (uint32_t)(s->source_at % BENCH_SOURCE_SIZE);
            uint32_t n = BENCH_SOURCE_SIZE - at < 1460 ? BENCH_SOURCE_SIZE - at : 1460;
            n = n < left ? n : (uint32_t)left;
            n = n < pcb->snd_buf ? n : pcb->snd_buf;
            if (api->tcp_write(pcb, bench_source() + at, (u16_t)n, 0) != ERR_OK) {
                break;
            }
            s->source_at += n;
            left -= n;
        }
        api->tcp_output(pcb);
        pump(s);
    }
}

static void run_rr(struct state *s, uint64_t units)
{
    struct api *api = &s->end[0].api;
    for (uint64_t i = 0; i < units; i++) {
        uint64_t want = s->replies + 1;
        struct tcp_pcb *pcb = s->conn[bench_random(&s->random) % s->job->connections];
        if ((i & 63) == 0) {
            tick(s);
        }
        api->tcp_write(pcb, "q", 1, TCP_WRITE_FLAG_COPY);
        api->tcp_output(pcb);
        pump(s);
        for (int k = 0; s->replies < want; k++) {
            tick(s);
            pump(s);
            if (k > 100000000) {
                fail(s, "an answer did not come");
            }
        }
    }
}

/* Keeps the job's number in TIME-WAIT by ending the newest, which costs the list least; ports would run out. */
static void hold_waiting(struct state *s)
{
    for (int side = 0; side < 2; side++) {
        struct api *api = &s->end[side].api;
        if (*api->waiting && ++s->waiting[side] > s->job->connections) {
            api->tcp_abort(*api->waiting);
            s->waiting[side]--;
        }
    }
}

static void run_crr(struct state *s, uint64_t units)
{
    for (uint64_t i = 0; i < units; i++) {
        uint64_t want = s->replies + 1;
        connect_one(s);
        pump(s);
        if (s->replies != want) {
            fail(s, "a connection was not answered");
        }
        hold_waiting(s);
    }
}

static void run_udp(struct state *s, uint64_t units)
{
    struct api *api = &s->end[0].api;
    ip_addr_t peer = IPADDR4_INIT_BYTES(10, 0, 0, 2);
    uint64_t want = s->replies + units;
    uint64_t sent = s->replies;
    while (s->replies < want) {
        while (sent < want && sent - s->replies < s->job->in_flight) {
            struct pbuf *p = api->pbuf_alloc(PBUF_TRANSPORT, 18, PBUF_RAM);
            memcpy(p->payload, "eighteen bytes....", 18);
            api->udp_sendto(s->end[0].udp, p, &peer, 7);
            api->pbuf_free(p);
            sent++;
        }
        pump(s);
    }
}

static void lwip_run(void *state, uint64_t units)
{
    struct state *s = state;
    switch (s->job->kind) {
    case BENCH_BULK:
        s->facts.units += units;
        run_bulk(s, units);
        break;
    case BENCH_RR:
        run_rr(s, units);
        break;
    case BENCH_CRR:
        run_crr(s, units);
        break;
    case BENCH_UDP_ECHO:
        s->facts.units += units;
        run_udp(s, units);
        break;
    case BENCH_IDLE:
    case BENCH_RING_PPS:
    case BENCH_RING_GSO:
    case BENCH_RING_BULK:
        break;
    }
}

static double lwip_measure(void *state)
{
    struct state *s = state;
    uint64_t now = s->end[0].api.mallinfo2().uordblks;
    return (double)(now - s->memory_before) / s->job->connections;
}

static void lwip_facts(void *state, struct bench_facts *facts)
{
    *facts = ((struct state *)state)->facts;
}

static void lwip_close(void *state)
{
    struct state *s = state;
    for (int side = 0; side < 2; side++) {
        dlclose(s->end[side].api.handle);
    }
    free(s->slot);
    free(s->free);
    free(s->conn);
    free(s);
}

const struct bench_peer bench_lwip = {
    .name = "lwip",
    .can = lwip_can,
    .open = lwip_open,
    .run = lwip_run,
    .measure = lwip_measure,
    .facts = lwip_facts,
    .close = lwip_close,
};
