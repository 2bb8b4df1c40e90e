/* SPDX-License-Identifier: ISC */
/*
 * The floor: what any stack must at least do on this link. Headers are built and parsed, the four-tuple is
 * found in a hash table, payload is summed at both ends with the stack's own fastest sum, every second segment
 * is acknowledged. No options, no timers, no loss, no interface to speak of: not a stack, a distance marker.
 */
#include "bench.h"
#include "bytes.h"
#include "sum.h"
#include <stdlib.h>
#include <wisp/hash.h>

#define SLOTS     1024u
#define SLOT_SIZE 2048u
#define GSO_SIZE  (68u * 1024u)
#define HEADERS   54u

struct pcb {
    uint32_t key;
    uint32_t snd_nxt, snd_una, rcv_nxt, unacked;
    uint8_t pad[44];
};

struct ring {
    uint32_t in, out;
    uint16_t slot[SLOTS];
    uint32_t length[SLOTS];
};

struct end {
    struct pcb *pcb; /* a hash table, linear probing, never full */
    struct ring arrived;
};

struct floor {
    const struct bench_job *job;
    wisp_sum_fn sum;
    struct end end[2];
    uint8_t *memory;
    uint32_t slot_size, stagger;
    uint16_t *free;
    uint32_t free_count, mask, random;
    struct bench_facts facts;
    struct bench_check check;
    uint64_t source_at;
};

static uint32_t hash_of(uint32_t key)
{
    return (uint32_t)(((uint64_t)key * 0x9e3779b97f4a7c15u) >> 32);
}

static struct pcb *find(struct floor *f, int side, uint32_t key)
{
    uint32_t i = hash_of(key) & f->mask;
    while (f->end[side].pcb[i].key != key) {
        i = (i + 1) & f->mask;
    }
    return &f->end[side].pcb[i];
}

static void add(struct floor *f, int side, uint32_t key)
{
    uint32_t i = hash_of(key) & f->mask;
    while (f->end[side].pcb[i].key) {
        i = (i + 1) & f->mask;
    }
    f->end[side].pcb[i].key = key;
}

/* A 32-bit number in host order, as part of a sum. */
static uint32_t wire32(uint32_t host)
{
    return __builtin_bswap32(host);
}

static uint64_t pseudo(uint32_t length)
{
    return (uint64_t)wire32(0x0a000001) + wire32(0x0a000002) + wire32(6) + wire32(length);
}

/* Checksums come from the numbers, not from the bytes just stored: a load right behind narrower stores waits
 * for them. */
static void put_headers(const struct floor *f, uint8_t *head, const struct pcb *p, uint32_t n,
                        uint16_t payload)
{
    uint32_t length = 40 + n;
    wisp_be32_put(head, 0x02000000);
    wisp_be32_put(head + 4, 0x00010200);
    wisp_be32_put(head + 8, 0x00000002);
    wisp_be32_put(head + 12, 0x08004500);
    wisp_be32_put(head + 16, length << 16);
    wisp_be32_put(head + 20, 0x40004006);
    uint64_t ip = (uint64_t)wire32(0x45000000 + length) + wire32(0x00004000) + wire32(0x40060000) +
                  wire32(0x0a000001) + wire32(0x0a000002);
    wisp_sum_store(head + 24, wisp_sum_fold(ip));
    wisp_be32_put(head + 26, 0x0a000001);
    wisp_be32_put(head + 30, 0x0a000002);
    wisp_be32_put(head + 34, p->key);
    wisp_be32_put(head + 38, p->snd_nxt);
    wisp_be32_put(head + 42, p->rcv_nxt);
    wisp_be32_put(head + 46, 0x5010ffff);
    uint16_t sum = 0xffff;
    if (f->job->csum) {
        sum = wisp_sum_fold(pseudo(20 + n) + wire32(p->key) + wire32(p->snd_nxt) +
                            wire32(p->rcv_nxt) + wire32(0x5010ffff) + payload);
    }
    wisp_sum_store(head + 50, sum);
    head[52] = head[53] = 0;
}

/* Builds the headers of a segment of pcb and moves it with its payload to the other side. */
static void send_segment(struct floor *f, int side, struct pcb *p, const uint8_t *data, uint32_t n)
{
    uint8_t head[HEADERS];
    put_headers(f, head, p, n, f->job->csum && n ? f->sum(data, n) : 0);
    p->snd_nxt += n;
    p->unacked = 0;
    struct ring *ring = &f->end[!side].arrived;
    uint16_t slot = f->free[--f->free_count];
    uint32_t offset = f->stagger ? 64 * (f->facts.frames & 7) : 0;
    uint8_t *to = f->memory + (size_t)slot * f->slot_size + offset;
    memcpy(to, head, HEADERS);
    if (n) {
        memcpy(to + HEADERS, data, n);
    }
    f->facts.link_copied += HEADERS + n;
    f->facts.frames++;
    uint32_t i = ring->in++ & (SLOTS - 1);
    ring->slot[i] = slot;
    ring->length[i] = (offset << 20) | (HEADERS + n);
}

struct segment {
    struct pcb *pcb;
    const uint8_t *data;
    uint32_t length;
};

/* Takes one arrived frame apart; false: none. The slot is free again when the next frame is sent. */
static bool receive(struct floor *f, int side, struct segment *segment)
{
    struct ring *ring = &f->end[side].arrived;
    if (ring->in == ring->out) {
        return false;
    }
    uint32_t i = ring->out++ & (SLOTS - 1);
    uint32_t length = ring->length[i] & 0xfffff;
    const uint8_t *p = f->memory + (size_t)ring->slot[i] * f->slot_size + (ring->length[i] >> 20);
    f->free[f->free_count++] = ring->slot[i];
    bool good = wisp_be16_get(p + 12) == 0x0800 && p[14] == 0x45 && p[23] == 6 &&
                wisp_be16_get(p + 16) == (uint16_t)(length - 14) &&
                wisp_sum_portable(p + 14, 20) == 0xffff;
    if (good && f->job->csum) {
        good = wisp_sum_fold(pseudo(length - 34) + f->sum(p + 34, length - 34)) == 0xffff;
    }
    struct pcb *pcb = find(f, side, wisp_be32_get(p + 34));
    if (!good || wisp_be32_get(p + 38) != pcb->rcv_nxt) {
        bench_fail("floor", f->job->name, "a frame was damaged");
    }
    pcb->snd_una = wisp_be32_get(p + 42);
    pcb->rcv_nxt += length - HEADERS;
    *segment = (struct segment){pcb, p + HEADERS, length - HEADERS};
    return true;
}

static void run_bulk(struct floor *f, uint64_t units)
{
    uint64_t left = units * 1460;
    struct pcb *p = find(f, 0, 1);
    struct segment s;
    uint32_t most = f->job->gso ? 43 * 1460 : f->job->mtu - 40u;
    while (left > 0) {
        while (left > 0 && p->snd_nxt - p->snd_una + most <= f->job->window) {
            uint32_t at = (uint32_t)(f->source_at % BENCH_SOURCE_SIZE);
            uint32_t n = BENCH_SOURCE_SIZE - at < most ? BENCH_SOURCE_SIZE - at : most;
            n = n < left ? n : (uint32_t)left;
            send_segment(f, 0, p, bench_source() + at, n);
            f->source_at += n;
            left -= n;
        }
        while (receive(f, 1, &s)) {
            bench_check_bytes(&f->check, s.data, s.length);
            if (++s.pcb->unacked >= 2 || f->job->gso || left == 0) {
                send_segment(f, 1, s.pcb, NULL, 0);
            }
        }
        while (receive(f, 0, &s)) {
        }
    }
}

static void run_rr(struct floor *f, uint64_t units)
{
    struct segment s;
    for (uint64_t i = 0; i < units; i++) {
        uint32_t key = 1 + bench_random(&f->random) % f->job->connections;
        send_segment(f, 0, find(f, 0, key), (const uint8_t *)"q", 1);
        receive(f, 1, &s);
        send_segment(f, 1, s.pcb, s.data, 1);
        receive(f, 0, &s);
    }
}

static bool floor_can(const struct bench_job *job)
{
    return job->kind == BENCH_BULK || job->kind == BENCH_RR;
}

static void *floor_open(const struct bench_job *job)
{
    struct floor *f = calloc(1, sizeof(*f));
    uint32_t table = 4;
    while (table < 2 * (job->connections ? job->connections : 1)) {
        table *= 2;
    }
    f->job = job;
    f->mask = table - 1;
    f->random = 1;
    f->sum = __builtin_cpu_supports("avx2") ? wisp_sum_avx2 : wisp_sum_portable;
    f->slot_size = job->gso ? GSO_SIZE : SLOT_SIZE;
    f->stagger = !job->gso && job->mtu <= 1500;
    uint32_t slots = job->gso ? 64 : SLOTS;
    f->memory = bench_memory((size_t)slots * f->slot_size);
    f->free = calloc(slots, sizeof(*f->free));
    f->free_count = slots;
    for (uint32_t i = 0; i < slots; i++) {
        f->free[i] = (uint16_t)i;
    }
    for (int side = 0; side < 2; side++) {
        f->end[side].pcb = bench_memory(table * sizeof(struct pcb));
        for (uint32_t k = 1; k <= (job->connections ? job->connections : 1); k++) {
            add(f, side, k);
        }
    }
    return f;
}

static void floor_run(void *state, uint64_t units)
{
    struct floor *f = state;
    f->facts.units += units;
    if (f->job->kind == BENCH_BULK) {
        run_bulk(f, units);
    } else {
        run_rr(f, units);
    }
}

static void floor_facts(void *state, struct bench_facts *facts)
{
    *facts = ((struct floor *)state)->facts;
}

static void floor_close(void *state)
{
    struct floor *f = state;
    free(f->end[0].pcb);
    free(f->end[1].pcb);
    free(f->memory);
    free(f->free);
    free(f);
}

const struct bench_peer bench_floor = {
    .name = "floor",
    .can = floor_can,
    .open = floor_open,
    .run = floor_run,
    .facts = floor_facts,
    .close = floor_close,
};
