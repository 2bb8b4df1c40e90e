/* SPDX-License-Identifier: ISC */
/*
 * The ring jobs (see ring.h).
 *
 *   netfront-pps-N  batches of N frames of 60 bytes; the backend sends each back: one slot there,
 *                   one back
 *   netfront-gso    batches of 4 segments of 64 KB, or of 3 KB in as many slots; each is sent back
 *   netfront-bulk   TCP from one guest to another, through both of their rings
 *
 * The floor is two bare rings with slots of the same sizes and the same four exchanges for each
 * batch of 16: what any frontend and backend must at least do on one core.
 */
#include "ring.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX  64u
#define GSO_BATCH  4u
#define GSO_VIEWS  16u
#define MSS        1448u
#define HEAD       54u
#define SMALL_VIEW 192u
#define ROUNDS     99u

/* ---- a guest and its backend ---- */

static void open_front(struct ring_guest *guest)
{
    struct wisp_netfront_config config;
    wisp_netfront_config_default(&config);
    config.hv = wisp_memxen_hypervisor(guest->xen);
    config.path = "device/vif/0";
    config.pages = guest->pages;
    guest->mem = bench_memory(wisp_netfront_size(&config));
    guest->front = wisp_netfront_init(guest->mem, wisp_netfront_size(&config), &config);
    guest->dev = guest->front ? wisp_netfront_dev(guest->front) : NULL;
    for (int i = 0; i < 64 && guest->dev && !guest->dev->link; i++) {
        wisp_netfront_step(guest->front, 0);
        wisp_netback_poll(guest->nb, 0);
    }
    if (!guest->dev || !guest->dev->link) {
        bench_fail("wisp", "netfront", "does not connect");
    }
}

void ring_guest_open(struct ring_guest *guest, const struct ring_guest_config *config)
{
    struct wisp_memxen_config xen = {
        .policy = config->policy == RING_STRICT ? WISP_GRANT_STRICT : WISP_GRANT_PERSISTENT,
        .skip_from = config->skip_from};
    struct wisp_netback_config nb = {.mac = {{2, 0, 0, 0, 0, config->number}},
                                     .features = WISP_NETBACK_ALL,
                                     .max_queues = 1,
                                     .slot_bytes = config->small_slots,
                                     .frame = config->frame,
                                     .context = config->context};
    *guest = (struct ring_guest){.xen = wisp_memxen_open(&xen)};
    guest->nb = guest->xen ? wisp_netback_open(guest->xen, &nb) : NULL;
    if (!guest->nb) {
        bench_fail("wisp", "netfront", "no memory");
    }
    guest->memory = bench_memory((size_t)RING_PAGES * WISP_PAGE_SIZE);
    guest->meta = bench_memory(wisp_pool_size(RING_PAGES));
    guest->pages = wisp_pool_init(guest->meta, wisp_pool_size(RING_PAGES), guest->memory,
                                  RING_PAGES, 16, true);
    open_front(guest);
}

void ring_guest_close(struct ring_guest *guest)
{
    char text[128];
    wisp_netback_close(guest->nb);
    wisp_netfront_fini(guest->front);
    if (!wisp_memxen_balanced(guest->xen, text, sizeof(text))) {
        bench_fail("wisp", "netfront", text);
    }
    wisp_memxen_close(guest->xen);
    free(guest->memory);
    free(guest->meta);
    free(guest->mem);
}

void ring_guest_facts(const struct ring_guest *guest, struct ring_facts *facts)
{
    struct wisp_netback_stats stats;
    struct wisp_memxen_ledger ledger;
    wisp_netback_stats(guest->nb, &stats);
    wisp_memxen_ledger(guest->xen, &ledger);
    facts->packets += stats.tx_packets + stats.rx_packets;
    facts->slots += stats.tx_slots + stats.rx_slots;
    facts->notifications += ledger.notified_guest + ledger.notified_backend;
    facts->grant_ops += ledger.grants + ledger.ends;
    facts->copied += guest->dev->stats.bytes_copied;
}

/* ---- frames sent back ---- */

struct echo {
    struct ring_guest guest;
    uint32_t batch;
    uint32_t view_bytes; /* of each of a segment's views; 0: frames of 60 bytes */
    struct wisp_page *page;
};

static void send_back(void *context, const struct wisp_frame *frame, wisp_time now)
{
    struct echo *echo = context;
    wisp_netback_send(echo->guest.nb, frame, now);
}

static void echo_open(struct echo *echo, enum ring_policy policy, uint32_t skip_from)
{
    bool small = echo->view_bytes > 0 && echo->view_bytes < WISP_PAGE_SIZE;
    struct ring_guest_config config = {.policy = policy,
                                       .skip_from = skip_from,
                                       .small_slots = small ? (uint16_t)echo->view_bytes : 0,
                                       .number = 2,
                                       .frame = send_back,
                                       .context = echo};
    ring_guest_open(&echo->guest, &config);
    echo->page = wisp_page_alloc(echo->guest.pages, WISP_ROLE_APP, WISP_HOLDER_APP);
}

/* Ethernet, IPv4 and TCP headers as far as a backend reads them. */
static void put_head(uint8_t *head, uint32_t total)
{
    memset(head, 0, HEAD);
    head[0] = head[6] = 2;
    head[12] = 8;
    head[14] = 0x45;
    head[14 + 2] = (uint8_t)((total - 14) >> 8);
    head[14 + 3] = (uint8_t)(total - 14);
    head[14 + 9] = 6;
    head[14 + 20 + 12] = 5 << 4;
}

static struct wisp_pkt *make_packet(const struct echo *echo)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(echo->guest.dev->tx_pool);
    if (!pkt) {
        bench_fail("wisp", "netfront", "no packet");
    }
    if (echo->view_bytes == 0) {
        wisp_pkt_extend(pkt, 60);
        return pkt;
    }
    uint8_t *head = wisp_pkt_extend(pkt, HEAD);
    for (uint32_t i = 0; i < GSO_VIEWS; i++) {
        /* The last one is shorter: 65535 bytes is the most a packet may have. */
        uint32_t n =
            echo->view_bytes - (i + 1 == GSO_VIEWS && echo->view_bytes == WISP_PAGE_SIZE ? 256 : 0);
        wisp_page_ref(echo->page);
        wisp_pkt_append(pkt, echo->page, 0, n);
    }
    put_head(head, pkt->length);
    pkt->csum = WISP_CSUM_BLANK;
    pkt->csum_start = 34;
    pkt->csum_offset = 16;
    pkt->gso = WISP_GSO_TCP4;
    pkt->gso_size = echo->view_bytes < WISP_PAGE_SIZE ? 256 : MSS;
    return pkt;
}

static void drop_all(struct wisp_pkt **pkts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        wisp_pkt_drop(pkts[i]);
    }
}

static void echo_run(struct echo *echo, uint64_t packets)
{
    struct wisp_netdev *dev = echo->guest.dev;
    struct wisp_pkt *pkts[BATCH_MAX];
    for (uint64_t sent = 0, back = 0; back < packets;) {
        for (uint32_t i = 0; i < echo->batch; i++) {
            pkts[i] = make_packet(echo);
        }
        sent += echo->batch;
        if (dev->ops->transmit(dev, pkts, echo->batch, 0) != echo->batch) {
            bench_fail("wisp", "netfront", "the ring is full");
        }
        dev->ops->kick(dev, 0);
        wisp_netback_work(echo->guest.nb, 0);
        uint32_t got = dev->ops->receive(dev, pkts, echo->batch, 0);
        drop_all(pkts, got);
        drop_all(pkts, dev->ops->completed(dev, pkts, BATCH_MAX));
        back += got;
        if (back != sent) {
            bench_fail("wisp", "netfront", "frames did not come back");
        }
    }
}

static void echo_close(struct echo *echo)
{
    wisp_page_unref(echo->page);
    ring_guest_close(&echo->guest);
}

/* ---- the floor ---- */

struct bare {
    _Atomic uint32_t request, response, request_event, response_event;
    uint8_t slot[256][12];
};

static uint64_t bare_batch(struct bare *bare, uint32_t *at)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < 16; i++) {
        memcpy(bare->slot[(*at + i) & 255], &seen, 8);
    }
    atomic_exchange(&bare->request, *at + 16);
    seen += atomic_load(&bare->request_event);
    for (uint32_t i = 0; i < 16; i++) {
        uint64_t slot;
        memcpy(&slot, bare->slot[(*at + i) & 255], 8);
        seen += slot;
        memcpy(bare->slot[(*at + i) & 255], &slot, 4);
    }
    atomic_exchange(&bare->response, *at + 16);
    atomic_exchange(&bare->request_event, *at + 17);
    for (uint32_t i = 0; i < 16; i++) {
        seen += *(const volatile uint32_t *)(const void *)bare->slot[(*at + i) & 255];
    }
    atomic_exchange(&bare->response_event, *at + 17);
    *at += 16;
    return seen;
}

static double bare_ring(void)
{
    static struct bare ring[2];
    static volatile uint64_t sink;
    uint32_t at[2] = {0, 0};
    const uint64_t batches = 200000;
    uint64_t start = bench_now();
    for (uint64_t i = 0; i < batches; i++) {
        sink += bare_batch(&ring[i & 1], &at[i & 1]);
    }
    (void)sink;
    return (double)(bench_now() - start) / (double)(batches * 16);
}

/* ---- measuring ---- */

struct subject {
    struct echo echo;
    struct tcp_ring *tcp;
    uint64_t units;
    uint64_t slots; /* of the last run */
};

static bool is_bulk(const struct bench_job *job)
{
    return job->kind == BENCH_RING_BULK;
}

static void subject_facts(const struct subject *subject, struct ring_facts *facts)
{
    *facts = (struct ring_facts){0};
    if (subject->tcp) {
        tcp_ring_facts(subject->tcp, facts);
    } else {
        ring_guest_facts(&subject->echo.guest, facts);
    }
}

/* Does units of work; returns nanoseconds. */
static uint64_t subject_run(struct subject *subject, uint64_t units)
{
    struct ring_facts before, after;
    subject_facts(subject, &before);
    uint64_t start = bench_now();
    if (subject->tcp) {
        tcp_ring_run(subject->tcp, units * 1460);
    } else {
        echo_run(&subject->echo, units);
    }
    uint64_t took = bench_now() - start;
    subject_facts(subject, &after);
    subject->slots = after.slots - before.slots;
    return took;
}

static void subject_open(struct subject *subject, const struct bench_job *job,
                         enum ring_policy policy, bool copies, uint32_t view_bytes, uint64_t target)
{
    *subject = (struct subject){.echo = {.batch = job->in_flight, .view_bytes = view_bytes}};
    /* The first 128 bytes of segments must arrive, so that backend and stack know them. */
    uint32_t skip_from = copies ? 0 : job->kind == BENCH_RING_PPS ? 1 : 129;
    if (is_bulk(job)) {
        subject->tcp = tcp_ring_open(policy, skip_from);
    } else {
        echo_open(&subject->echo, policy, skip_from);
    }
    subject->units = 256;
    for (uint64_t took = 0; (took = subject_run(subject, subject->units)) < target / 4;) {
        subject->units *= 2;
    }
}

static void subject_close(struct subject *subject)
{
    if (subject->tcp) {
        tcp_ring_close(subject->tcp);
    } else {
        echo_close(&subject->echo);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *sample, uint32_t n)
{
    qsort(sample, n, sizeof(sample[0]), compare);
    return sample[n / 2];
}

/* Counts over one more run, without what opening and connecting cost. */
static void count_facts(struct subject *subject, struct ring_facts *facts)
{
    struct ring_facts before;
    subject_facts(subject, &before);
    subject_run(subject, subject->units);
    subject_facts(subject, facts);
    facts->packets -= before.packets;
    facts->slots -= before.slots;
    facts->notifications -= before.notifications;
    facts->grant_ops -= before.grant_ops;
    facts->copied -= before.copied;
}

/* [policy][copies], and the small segments. */
struct samples {
    double slot[RING_POLICIES][2][ROUNDS];
    double unit[ROUNDS], small[ROUNDS], floor[ROUNDS];
};

static void take_round(struct subject subject[RING_POLICIES][2], struct subject *small, uint32_t k,
                       struct samples *samples)
{
    for (int policy = 0; policy < RING_POLICIES; policy++) {
        for (int copies = 0; copies < 2; copies++) {
            struct subject *s = &subject[policy][copies];
            double took = (double)subject_run(s, s->units);
            samples->slot[policy][copies][k] = took / (double)s->slots;
            if (policy == RING_PERSISTENT && !copies) {
                samples->unit[k] = took / (double)s->units;
            }
        }
    }
    if (small) {
        samples->small[k] = (double)subject_run(small, small->units) / (double)small->units;
    }
    samples->floor[k] = bare_ring();
}

static void summarise(struct samples *samples, uint32_t rounds, struct ring_result *result)
{
    for (int policy = 0; policy < RING_POLICIES; policy++) {
        result->slot[policy] = median(samples->slot[policy][0], rounds);
        result->copies[policy] = median(samples->slot[policy][1], rounds) - result->slot[policy];
    }
    const double *sorted = samples->slot[RING_PERSISTENT][0];
    result->spread = (sorted[rounds - 1] - sorted[0]) / result->slot[RING_PERSISTENT];
    result->unit = median(samples->unit, rounds);
    result->floor = median(samples->floor, rounds);
}

void ring_job_count(const struct bench_job *job, uint64_t units)
{
    static struct subject subject;
    subject_open(&subject, job, RING_PERSISTENT, false,
                 job->kind == BENCH_RING_GSO ? WISP_PAGE_SIZE : 0, 1);
    subject_run(&subject, units);
    subject_close(&subject);
}

void ring_job_run(const struct bench_job *job, uint32_t rounds, uint64_t target,
                  struct ring_result *result)
{
    static struct subject subject[RING_POLICIES][2], small;
    static struct samples samples;
    bool gso = job->kind == BENCH_RING_GSO;
    for (int policy = 0; policy < RING_POLICIES; policy++) {
        for (int copies = 0; copies < 2; copies++) {
            subject_open(&subject[policy][copies], job, (enum ring_policy)policy, copies,
                         gso ? WISP_PAGE_SIZE : 0, target);
        }
    }
    if (gso) {
        subject_open(&small, job, RING_PERSISTENT, false, SMALL_VIEW, target);
    }
    for (uint32_t k = 0; k < rounds; k++) {
        take_round(subject, gso ? &small : NULL, k, &samples);
    }
    summarise(&samples, rounds, result);
    for (int policy = 0; policy < RING_POLICIES; policy++) {
        count_facts(&subject[policy][1], &result->facts[policy]);
        subject_close(&subject[policy][0]);
        subject_close(&subject[policy][1]);
    }
    if (gso) {
        result->small = median(samples.small, rounds);
        subject_close(&small);
    }
}

/* ---- printing ---- */

void ring_print_head(void)
{
    printf("\n%-20s %9s %9s %9s %9s %7s %9s %9s %9s %9s\n", "through the ring", "ns/slot", "strict",
           "floor", "copies", "spread", "notif/1k", "grants", "strict", "ns");
}

static double per_packet(const struct ring_facts *facts, uint64_t n)
{
    return facts->packets ? (double)n / (double)facts->packets : 0;
}

void ring_print_row(const struct bench_job *job, const struct ring_result *r)
{
    const struct ring_facts *facts = r->facts;
    printf("%-20s %9.1f %9.1f %9.1f %9.1f %6.1f%% %9.1f %9.2f %9.2f %9.1f", job->name, r->slot[0],
           r->slot[1], r->floor, r->copies[0], 100 * r->spread,
           1000 * per_packet(&facts[0], facts[0].notifications),
           per_packet(&facts[0], facts[0].grant_ops), per_packet(&facts[1], facts[1].grant_ops),
           r->unit);
    printf(" per %s", is_bulk(job)                  ? "1460 bytes"
                      : job->kind == BENCH_RING_GSO ? "64 KB segment"
                                                    : "packet");
    if (r->small > 0) {
        printf("; %.1f with 3 KB in as many slots", r->small);
    }
    printf("; copied %llu\n", (unsigned long long)(facts[0].copied + facts[1].copied));
    fflush(stdout);
}

json_t *ring_json(const struct ring_result *r)
{
    const struct ring_facts *facts = r->facts;
    json_t *o = json_object();
    json_object_set_new(o, "strict", json_real(r->slot[RING_STRICT]));
    json_object_set_new(o, "copies", json_real(r->copies[RING_PERSISTENT]));
    json_object_set_new(o, "copies_strict", json_real(r->copies[RING_STRICT]));
    json_object_set_new(o, "ns_per_unit", json_real(r->unit));
    json_object_set_new(o, "ns_per_small_unit", r->small > 0 ? json_real(r->small) : json_null());
    json_object_set_new(o, "notifications_per_1000",
                        json_real(1000 * per_packet(&facts[0], facts[0].notifications)));
    json_object_set_new(o, "grant_ops_per_packet",
                        json_real(per_packet(&facts[0], facts[0].grant_ops)));
    json_object_set_new(o, "grant_ops_per_packet_strict",
                        json_real(per_packet(&facts[1], facts[1].grant_ops)));
    json_object_set_new(o, "payload_bytes_copied",
                        json_integer((json_int_t)(facts[0].copied + facts[1].copied)));
    return o;
}
