/* SPDX-License-Identifier: ISC */
/*
 * The ring between two threads: netfront on this one, the netback in memory on another, which sends every packet
 * back. Nothing but the ring's indices, the grants' words and the ports' pending bits orders their accesses: under
 * ThreadSanitizer every missing acquire or release is a report, at full speed a lost notification is a standstill.
 *
 * WISP_SLOTS says how many slots pass (default 200 000; the script tests/replay/memory_order.sh asks for ten million).
 */
#include "netback.h"
#include "netfront.h"
#include "suite.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGES    2048u
#define PAYLOAD  64u
#define FRAME    8192u
#define BATCH    16u
#define PATIENCE 60 /* seconds without progress */

struct bed {
    struct wisp_memxen *xen;
    struct wisp_netback *nb;
    struct wisp_netfront *front;
    struct wisp_netdev *dev;
    struct wisp_pool *pages;
    void *memory, *meta, *mem;
    atomic_bool stop;
    uint64_t bounced, wrong_back; /* the backend's thread */
    uint64_t sent, received, wrong;
};

/*
 * The bytes of packet number n, byte i being 7 * (31 * n + n / 256 + i). They lie ready, so that they are written and
 * compared in one go: a sanitizer looks at a range as it looks at each byte, for less.
 */
static uint8_t ramp[256 + FRAME];

static void fill_ramp(void)
{
    for (uint32_t i = 0; i < sizeof(ramp); i++) {
        ramp[i] = (uint8_t)(7 * i);
    }
}

static const uint8_t *pattern(uint64_t n)
{
    return ramp + (uint8_t)(n * 31 + (n >> 8));
}

static uint64_t number_of(const uint8_t *bytes)
{
    uint64_t n;
    memcpy(&n, bytes + 14, sizeof(n));
    return n;
}

static bool is_whole(const uint8_t *bytes, uint32_t length)
{
    return length > 22 && memcmp(bytes + 22, pattern(number_of(bytes)) + 22, length - 22) == 0;
}

/* On the backend's thread. */
static void bounce(void *context, const struct wisp_frame *frame, wisp_time now)
{
    struct bed *bed = context;
    uint8_t bytes[FRAME];
    uint32_t length = wisp_frame_copy(frame, 0, bytes, sizeof(bytes));
    bed->bounced++;
    bed->wrong_back += !is_whole(bytes, length);
    struct wisp_frame back = wisp_frame_of(bytes, length);
    back.queue = 0;
    wisp_netback_send(bed->nb, &back, now);
}

static void *backend(void *context)
{
    struct bed *bed = context;
    while (!atomic_load_explicit(&bed->stop, memory_order_acquire)) {
        wisp_netback_work(bed->nb, 0);
        sched_yield();
    }
    return NULL;
}

static void open_bed(struct bed *bed, enum wisp_grant_policy policy)
{
    struct wisp_memxen_config xen = {.policy = policy, .grants = 8192};
    struct wisp_netback_config nb = {.mac = {{2, 0, 0, 0, 0, 2}},
                                     .features = WISP_NETBACK_ALL,
                                     .max_queues = 1,
                                     .frame = bounce,
                                     .context = bed};
    struct wisp_netfront_config front;
    memset(bed, 0, sizeof(*bed));
    fill_ramp();
    bed->xen = wisp_memxen_open(&xen);
    bed->nb = wisp_netback_open(bed->xen, &nb);
    bed->memory = aligned_alloc(WISP_PAGE_SIZE, (size_t)PAGES * WISP_PAGE_SIZE);
    bed->meta = aligned_alloc(64, (wisp_pool_size(PAGES) + 63) & ~(size_t)63);
    bed->pages = wisp_pool_init(bed->meta, wisp_pool_size(PAGES), bed->memory, PAGES, 8, false);
    wisp_netfront_config_default(&front);
    front.hv = wisp_memxen_hypervisor(bed->xen);
    front.path = "device/vif/0";
    front.pages = bed->pages;
    bed->mem = aligned_alloc(64, (wisp_netfront_size(&front) + 63) & ~(size_t)63);
    bed->front = wisp_netfront_init(bed->mem, wisp_netfront_size(&front), &front);
    ck_assert_ptr_nonnull(bed->front);
    bed->dev = wisp_netfront_dev(bed->front);
    for (int i = 0; i < 64 && !bed->dev->link; i++) {
        wisp_netfront_step(bed->front, 0);
        wisp_netback_poll(bed->nb, 0);
    }
    ck_assert(bed->dev->link);
}

static void close_bed(struct bed *bed)
{
    char text[128];
    struct wisp_pool_stats stats;
    wisp_netback_close(bed->nb);
    wisp_netfront_fini(bed->front);
    wisp_pool_stats(bed->pages, &stats);
    ck_assert_uint_eq(stats.in_use, 0);
    ck_assert_uint_eq(stats.quarantined, 0);
    ck_assert_msg(wisp_memxen_balanced(bed->xen, text, sizeof(text)), "left over: %s", text);
    wisp_memxen_close(bed->xen);
    free(bed->memory);
    free(bed->meta);
    free(bed->mem);
}

/* A packet of a header cell and a view on a page of its own. */
static struct wisp_pkt *make_packet(struct bed *bed)
{
    uint64_t n = bed->sent;
    struct wisp_pkt *pkt = wisp_pkt_alloc(bed->dev->tx_pool);
    struct wisp_page *page =
        pkt ? wisp_page_alloc(bed->pages, WISP_ROLE_APP, WISP_HOLDER_APP) : NULL;
    if (!page) {
        wisp_pkt_drop(pkt);
        return NULL;
    }
    uint8_t *head = wisp_pkt_extend(pkt, PAYLOAD);
    memset(head, 0x11, 14);
    memcpy(head + 14, &n, sizeof(n));
    memcpy(head + 22, pattern(n) + 22, PAYLOAD - 22);
    uint32_t more = 1 + (uint32_t)(n % 200);
    memcpy(page->data, pattern(n) + PAYLOAD, more);
    wisp_pkt_append(pkt, page, 0, more);
    return pkt;
}

static void send_some(struct bed *bed)
{
    struct wisp_pkt *pkts[BATCH];
    uint32_t room = bed->dev->ops->room(bed->dev);
    uint32_t n = 0;
    /* No more in flight than the backend keeps for a ring without slots. */
    while (n < BATCH && n < room && bed->sent - bed->received < 200) {
        pkts[n] = make_packet(bed);
        if (!pkts[n]) {
            break;
        }
        n++;
        bed->sent++;
    }
    if (n > 0) {
        ck_assert_uint_eq(bed->dev->ops->transmit(bed->dev, pkts, n, 0), n);
        bed->dev->ops->kick(bed->dev, 0);
    }
}

static bool receive_some(struct bed *bed)
{
    struct wisp_pkt *pkts[BATCH];
    uint8_t bytes[FRAME];
    uint32_t n = bed->dev->ops->completed(bed->dev, pkts, BATCH);
    for (uint32_t i = 0; i < n; i++) {
        wisp_pkt_drop(pkts[i]);
    }
    uint32_t got = bed->dev->ops->receive(bed->dev, pkts, BATCH, 0);
    for (uint32_t i = 0; i < got; i++) {
        uint32_t length = pkts[i]->length;
        bool good = wisp_pkt_read(pkts[i], 0, bytes, length) && is_whole(bytes, length) &&
                    number_of(bytes) == bed->received;
        bed->wrong += !good;
        bed->received++;
        wisp_pkt_drop(pkts[i]);
    }
    bed->dev->ops->kick(bed->dev, 0);
    return got > 0 || n > 0;
}

static uint64_t slots_wanted(void)
{
    const char *text = getenv("WISP_SLOTS");
    return text ? strtoull(text, NULL, 10) : 200000;
}

static void run_bed(struct bed *bed, uint64_t packets)
{
    time_t moved = time(NULL);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, backend, bed), 0);
    while (bed->received < packets) {
        send_some(bed);
        if (receive_some(bed)) {
            moved = time(NULL);
        } else {
            ck_assert_msg(time(NULL) - moved < PATIENCE, "standstill: %llu sent, %llu back",
                          (unsigned long long)bed->sent, (unsigned long long)bed->received);
            sched_yield();
        }
    }
    while (bed->received < bed->sent) {
        receive_some(bed);
    }
    atomic_store_explicit(&bed->stop, true, memory_order_release);
    pthread_join(thread, NULL);
}

static void bounce_slots(enum wisp_grant_policy policy)
{
    struct bed bed;
    struct wisp_netback_stats stats;
    open_bed(&bed, policy);
    run_bed(&bed, slots_wanted() / 3); /* two slots there, one back */
    wisp_netback_stats(bed.nb, &stats);
    ck_assert_uint_ge(stats.tx_slots + stats.rx_slots, slots_wanted() / 3 * 3);
    ck_assert_uint_eq(bed.wrong, 0);
    ck_assert_uint_eq(bed.wrong_back, 0);
    ck_assert_uint_eq(bed.bounced, bed.received);
    close_bed(&bed);
}

START_TEST(two_threads__strict_grants__every_packet_whole_and_in_order)
{
    bounce_slots(WISP_GRANT_STRICT);
}
END_TEST

START_TEST(two_threads__persistent_grants__every_packet_whole_and_in_order)
{
    bounce_slots(WISP_GRANT_PERSISTENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory_order");
    TCase *tests = tcase_create("memory_order");
    tcase_set_timeout(tests, 86400);
    tcase_add_test(tests, two_threads__strict_grants__every_packet_whole_and_in_order);
    tcase_add_test(tests, two_threads__persistent_grants__every_packet_whole_and_in_order);
    suite_add_tcase(suite, tests);
    return wisp_suite_run(suite);
}
