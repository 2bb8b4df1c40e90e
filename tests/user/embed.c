/* SPDX-License-Identifier: ISC */
/* The stack inside a program of a user's own, without wisp's platform: own device, own clock, own hash. The
 * device swallows what it is given; the stack must announce its address and end without a page in use.
 * Compiles as C11 and as C++11. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wisp/pkt.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>

#define PAGES 64u

static struct wisp_pkt *held[16];
static uint32_t held_count;
static uint32_t announcements;

static uint32_t receive(struct wisp_netdev *, struct wisp_pkt **, uint32_t, wisp_time);
static uint32_t room(struct wisp_netdev *);
static uint32_t transmit(struct wisp_netdev *, struct wisp_pkt **, uint32_t, wisp_time);
static void kick(struct wisp_netdev *, wisp_time);
static uint32_t completed(struct wisp_netdev *, struct wisp_pkt **, uint32_t);
static wisp_time deadline(struct wisp_netdev *, wisp_time);

static uint32_t receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now)
{
    (void)dev, (void)pkts, (void)max, (void)now;
    return 0;
}

static uint32_t room(struct wisp_netdev *dev)
{
    (void)dev;
    return 16 - held_count;
}

/* An announcement is an ARP request (RFC 5227 §2.3) of 10.0.0.2 for itself. */
static uint32_t transmit(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count,
                         wisp_time now)
{
    static const uint8_t own[4] = {10, 0, 0, 2};
    uint8_t frame[42];
    (void)dev, (void)now;
    uint32_t n = 0;
    while (n < count && held_count < 16) {
        if (wisp_pkt_read(pkts[n], 0, frame, sizeof(frame)) && frame[12] == 8 && frame[13] == 6 &&
            memcmp(frame + 28, own, 4) == 0 && memcmp(frame + 38, own, 4) == 0) {
            announcements++;
        }
        held[held_count++] = pkts[n++];
    }
    return n;
}

static void kick(struct wisp_netdev *dev, wisp_time now)
{
    (void)dev, (void)now;
}

static uint32_t completed(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max)
{
    uint32_t n = 0;
    (void)dev;
    while (n < max && held_count > 0) {
        pkts[n++] = held[--held_count];
    }
    return n;
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    (void)dev, (void)now;
    return WISP_NEVER;
}

/* Not fit for a network: a user brings SipHash. */
static uint64_t hash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)data;
    uint64_t h = 14695981039346656037u ^ key[0];
    for (size_t i = 0; i < len; i++) {
        h = (h ^ bytes[i]) * 1099511628211u;
    }
    return h;
}

static void *zeroed(size_t size)
{
    size = (size + WISP_PAGE_SIZE - 1) & ~(size_t)(WISP_PAGE_SIZE - 1);
    void *mem = aligned_alloc(WISP_PAGE_SIZE, size);
    return memset(mem, 0, size);
}

int main(void)
{
    static const struct wisp_netdev_ops ops = {.receive = receive,
                                               .room = room,
                                               .transmit = transmit,
                                               .kick = kick,
                                               .completed = completed,
                                               .deadline = deadline,
                                               .counter = NULL};
    struct wisp_netdev dev;
    struct wisp_stack_config config;
    struct wisp_pool_stats stats;
    size_t meta = wisp_pool_size(PAGES);
    struct wisp_pool *pool =
        wisp_pool_init(zeroed(meta), meta, zeroed(PAGES * WISP_PAGE_SIZE), PAGES, 4, true);
    memset(&dev, 0, sizeof(dev));
    dev.ops = &ops;
    dev.link = true;
    dev.caps.mac.octet[5] = 2;
    dev.caps.mtu = 1500;
    dev.caps.views_tx = WISP_PKT_VIEWS - 1;
    dev.pages = pool;
    dev.tx_pool = wisp_pktpool_init(zeroed(wisp_pktpool_size(32)), wisp_pktpool_size(32), 32, pool);
    wisp_stack_config_default(&config);
    config.netdev = &dev;
    config.pages = pool;
    config.hash = hash;
    config.sum = wisp_sum_portable;
    size_t size = wisp_stack_size(&config);
    struct wisp_stack *stack = wisp_stack_init(zeroed(size), size, &config, 0);
    struct wisp_addr own = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    if (wisp_stack_address_add(stack, &own, 24, 0) != WISP_OK) {
        return 1;
    }
    for (wisp_time now = 0; now < WISP_SEC(20); now += WISP_MS(100)) {
        wisp_stack_poll(stack, now);
    }
    wisp_stack_fini(stack);
    wisp_pktpool_fini(dev.tx_pool);
    wisp_pool_stats(pool, &stats);
    printf("%u announcements, %u pages in use\n", announcements, stats.in_use);
    return announcements >= 2 && stats.in_use == 0 ? 0 : 1;
}
