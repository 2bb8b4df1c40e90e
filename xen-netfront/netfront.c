/* SPDX-License-Identifier: ISC */
/*
 * The device: struct wisp_netdev over xenbus (the connection) and queues (the rings).
 *
 * Its memory, cut by an arena:  | struct wisp_netfront | queues | packets to send | received
 * packets |
 *
 * While there is no connection it takes nothing (room 0) and has nothing; frames that were in
 * flight when one ended come back as completed, so that TCP sends them again and pages find their
 * way home.
 *
 * The pages of header cells are granted when a connection begins and stay so under either policy:
 * they hold nothing but what this backend was sent, and granting each for every small frame would
 * cost more than the frame.
 */
#include "arena.h"
#include "assert.h"
#include "count_names.h"
#include "netfront_priv.h"

static struct wisp_netfront *front_of(struct wisp_netdev *dev)
{
    return (struct wisp_netfront *)(void *)dev;
}

static struct wisp_pool *shared_pages(const struct wisp_netfront *front)
{
    return front->config.shared ? front->config.shared : front->config.pages;
}

/* ---- a connection's rings ---- */

/* Grants header pages one by one; counts those done, so that as many are undone. */
struct headers {
    struct grants *grants;
    uint32_t done;
    bool good;
};

static void grant_header(void *context, struct wisp_page *page)
{
    struct headers *headers = context;
    if (grants_foreign(headers->grants, page)) {
        page->grant =
            WISP_GRANT_NONE; /* an earlier backend kept it; what it sees is no secret to it */
    }
    if (headers->good && grants_use(headers->grants, page, false)) {
        headers->done++;
    } else {
        headers->good = false;
    }
}

static void end_header(void *context, struct wisp_page *page)
{
    struct headers *headers = context;
    if (headers->done > 0) {
        headers->done--;
        grants_done(headers->grants, page);
    }
}

static void share(struct wisp_netfront *front, const struct identity *identity, uint16_t domain)
{
    const struct wisp_netfront_config *config = &front->config;
    struct queue_shared *shared = &front->shared;
    bool trusted = config->trust == WISP_TRUST_YES ||
                   (config->trust == WISP_TRUST_XENSTORE && identity->trusted);
    bool keep = config->hv->policy == WISP_GRANT_PERSISTENT;
    shared->grants.domain = domain;
    shared->grants.keep = keep;
    shared->grants.lost = false;
    shared->trusted = trusted;
    shared->split = front->features.split;
    shared->tx.sg = front->features.sg_tx;
    shared->tx.own_copies = keep && !trusted;
    shared->tx.wary = !keep && !trusted;
    shared->tx.share_roles =
        keep && !trusted ? 0 : 1u << WISP_ROLE_RX | 1u << WISP_ROLE_SEND | 1u << WISP_ROLE_APP;
    shared->rx.copy = keep && !trusted;
    shared->rx.exposed = keep && trusted;
    shared->rx.offload.csum = front->features.csum_rx;
    shared->rx.offload.validated = trusted;
    shared->rx.offload.gso = front->features.gso_rx;
}

static void set_caps(struct wisp_netfront *front, const struct identity *identity)
{
    const struct features *features = &front->features;
    struct wisp_netdev_caps *caps = &front->dev.caps;
    uint8_t both = WISP_OFFLOAD_TCP4 | WISP_OFFLOAD_UDP4;
    struct wisp_netdev_caps next = {
        .mac = identity->mac,
        .mtu = features->sg_tx || identity->mtu < 1500 ? identity->mtu : 1500,
        .csum_tx = features->csum_tx ? both : 0,
        .csum_rx = features->csum_rx || front->shared.rx.offload.validated ? both : 0,
        .gso_tx = features->gso_tx ? XEN_NETIF_MAX_TX_SIZE - NETFRONT_ETH_HEAD : 0,
        .gso_rx = features->gso_rx ? UINT16_MAX : 0,
        .views_tx = WISP_PKT_VIEWS - 1,
        .generation = caps->generation,
    };
    if (!wisp_mac_equal(next.mac, caps->mac) || next.mtu != caps->mtu ||
        next.csum_tx != caps->csum_tx || next.csum_rx != caps->csum_rx ||
        next.gso_tx != caps->gso_tx || next.gso_rx != caps->gso_rx) {
        next.generation++;
    }
    *caps = next;
}

bool netfront_open_rings(struct wisp_netfront *front, const struct identity *identity,
                         uint16_t domain, wisp_time now)
{
    share(front, identity, domain);
    struct headers headers = {&front->shared.grants, 0, true};
    wisp_pktpool_each_page(front->dev.tx_pool, grant_header, &headers);
    bool good = headers.good;
    while (good && front->queues < front->features.queues) {
        good = queue_open(&front->queue[front->queues++], &front->shared, now);
    }
    front->header_pages = headers.done;
    if (!good) {
        netfront_close_rings(front, false);
        return false;
    }
    for (uint32_t i = 0; i < NETFRONT_GROUPS; i++) {
        front->group[i].told = false;
    }
    front->groups_due = front->features.multicast;
    set_caps(front, identity);
    return true;
}

void netfront_close_rings(struct wisp_netfront *front, bool lost)
{
    struct queue_shared *shared = &front->shared;
    struct headers headers = {&shared->grants, front->header_pages, true};
    shared->grants.lost = lost;
    while (front->queues > 0) {
        queue_close(&front->queue[--front->queues], shared);
    }
    wisp_pktpool_each_page(front->dev.tx_pool, end_header, &headers);
    front->header_pages = 0;
    front->ring_lies = false;
    if (shared->grants.keep || lost) {
        grants_sweep(&shared->grants, front->config.pages);
        if (front->config.shared) {
            grants_sweep(&shared->grants, front->config.shared);
        }
    }
}

void netfront_set_link(struct wisp_netfront *front, bool link)
{
    front->dev.link = link;
}

/* ---- multicast ---- */

static bool tell_group(struct wisp_netfront *front, const struct group *group)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(front->dev.tx_pool);
    if (!pkt) {
        return false;
    }
    /* A frame nobody will see: the backend takes the extra and answers. */
    memset(wisp_pkt_extend(pkt, NETFRONT_ETH_HEAD), 0, NETFRONT_ETH_HEAD);
    if (!tx_push_control(&front->queue[0].tx, &front->shared.tx, pkt,
                         slot_mcast_emit(group->mac.octet, group->wanted))) {
        wisp_pkt_drop(pkt);
        return false;
    }
    return true;
}

static void tell_groups(struct wisp_netfront *front, wisp_time now)
{
    front->groups_due = false;
    for (uint32_t i = 0; i < NETFRONT_GROUPS; i++) {
        struct group *group = &front->group[i];
        if (!group->used || group->told) {
            continue;
        }
        group->told = tell_group(front, group);
        front->groups_due |= !group->told;
        group->used = group->wanted || !group->told;
    }
    queue_kick(&front->queue[0], &front->shared, now);
}

bool wisp_netfront_multicast(struct wisp_netfront *front, struct wisp_mac group, bool join)
{
    struct group *free = NULL;
    for (uint32_t i = 0; i < NETFRONT_GROUPS; i++) {
        struct group *known = &front->group[i];
        if (!known->used) {
            free = known;
        } else if (wisp_mac_equal(known->mac, group)) {
            known->told &= known->wanted == join;
            known->wanted = join;
            front->groups_due = front->features.multicast;
            return front->features.multicast;
        }
    }
    if (!free || !join) {
        return !join;
    }
    *free = (struct group){.mac = group, .wanted = true, .used = true};
    front->groups_due = front->features.multicast;
    return front->features.multicast;
}

/* ---- struct wisp_netdev_ops ---- */

/* May rings and grants be touched? Not between a resume and the next step, which is when it is
 * noticed. */
static bool connected(const struct wisp_netfront *front)
{
    return front->xenbus.state == WISP_NETFRONT_CONNECTED && !front->ring_lies &&
           front->xenbus.resumes == front->config.hv->resumes;
}

static void break_if_lied_to(struct wisp_netfront *front, wisp_time now)
{
    if (front->xenbus.state != WISP_NETFRONT_CONNECTED) {
        return;
    }
    if (front->ring_lies) {
        xenbus_break(front, "the backend lied about a ring", now);
    } else if (front->shared.grants.stuck > NETFRONT_STUCK_MAX) {
        xenbus_break(front, "the backend keeps too many pages", now);
    }
}

static uint32_t receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now)
{
    struct wisp_netfront *front = front_of(dev);
    uint32_t total = 0;
    xenbus_step(front, now);
    /* Another queue is first each time: what fills the batch takes nobody's turn for long. */
    front->turn = front->turn + 1 < front->queues ? front->turn + 1 : 0;
    for (uint32_t i = 0; connected(front) && i < front->queues; i++) {
        struct queue *queue = &front->queue[(front->turn + i) % front->queues];
        uint32_t got = 0;
        if (!queue_receive(queue, &front->shared, pkts + total, max - total, &got, now)) {
            front->ring_lies = true;
        }
        total += got;
    }
    if (front->groups_due && connected(front)) {
        tell_groups(front, now);
    }
    break_if_lied_to(front, now);
    front->dev.stats.grants = front->counts.value[COUNT_GRANTS];
    front->dev.stats.grants_ended = front->counts.value[COUNT_GRANTS_ENDED];
    return total;
}

static uint32_t room(struct wisp_netdev *dev)
{
    struct wisp_netfront *front = front_of(dev);
    if (!dev->link || !connected(front)) {
        return 0;
    }
    uint32_t least = NETFRONT_TX_WAITING;
    for (uint32_t i = 0; i < front->queues; i++) {
        uint32_t room = tx_room(&front->queue[i].tx);
        least = room < least ? room : least;
    }
    return least;
}

/* The queue of a flow: all its segments hash alike, so they stay in order. */
static struct queue *queue_for(struct wisp_netfront *front, const struct wisp_pkt *pkt)
{
    return &front->queue[(uint32_t)pkt->queue * front->queues >> 16];
}

static uint32_t transmit(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count,
                         wisp_time now)
{
    struct wisp_netfront *front = front_of(dev);
    uint32_t n = 0;
    (void)now;
    if (!dev->link || !connected(front)) {
        return 0;
    }
    while (n < count && tx_push(&queue_for(front, pkts[n])->tx, &front->shared.tx, pkts[n])) {
        n++;
    }
    return n;
}

static void kick(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_netfront *front = front_of(dev);
    for (uint32_t i = 0; connected(front) && i < front->queues; i++) {
        queue_kick(&front->queue[i], &front->shared, now);
    }
}

static uint32_t completed(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max)
{
    struct wisp_netfront *front = front_of(dev);
    uint32_t n = 0;
    for (uint32_t i = 0; connected(front) && i < front->queues; i++) {
        front->ring_lies = !queue_reclaim(&front->queue[i], &front->shared);
    }
    while (n < max && front->done.head) {
        pkts[n++] = pkt_list_pop(&front->done);
    }
    return n;
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_netfront *front = front_of(dev);
    wisp_time at = front->xenbus.at;
    if (front->done.head || front->ring_lies ||
        front->xenbus.resumes != front->config.hv->resumes) {
        return now;
    }
    for (uint32_t i = 0; connected(front) && i < front->queues; i++) {
        at = wisp_time_min(at, queue_deadline(&front->queue[i], now));
    }
    return at;
}

static bool counter_of(const struct wisp_netdev *dev, uint32_t index, struct wisp_counter *counter)
{
    return wisp_netfront_counter((const struct wisp_netfront *)dev, index, counter);
}

static const struct wisp_netdev_ops netfront_ops = {
    .receive = receive,
    .room = room,
    .transmit = transmit,
    .kick = kick,
    .completed = completed,
    .deadline = deadline,
    .counter = counter_of,
};

/* ---- life ---- */

void wisp_netfront_config_default(struct wisp_netfront_config *config)
{
    *config =
        (struct wisp_netfront_config){.offers = WISP_OFFER_ALL & ~(uint32_t)WISP_OFFER_MULTICAST,
                                      .trust = WISP_TRUST_XENSTORE,
                                      .queues = 1,
                                      .tx_packets = 512,
                                      .rx_packets = 512};
}

struct layout {
    struct wisp_netfront *front;
    struct queue *queue;
    void *tx;
    void *rx;
};

static struct layout lay_out(struct wisp_arena *arena, const struct wisp_netfront_config *config)
{
    struct layout layout;
    layout.front = wisp_arena_take(arena, 1, sizeof(*layout.front), 64);
    layout.queue = wisp_arena_take(arena, config->queues, sizeof(*layout.queue), 64);
    layout.tx = wisp_arena_take(arena, 1, wisp_pktpool_size(config->tx_packets), 64);
    layout.rx = wisp_arena_take(arena, 1, wisp_pktpool_size(config->rx_packets), 64);
    return layout;
}

size_t wisp_netfront_size(const struct wisp_netfront_config *config)
{
    struct wisp_arena arena = {NULL, 0};
    lay_out(&arena, config);
    return arena.used;
}

static uint32_t slots_to_post(const struct wisp_netfront *front)
{
    uint32_t slots = front->config.rx_slots;
    if (slots == 0) {
        struct wisp_pool_stats stats;
        wisp_pool_stats(shared_pages(front), &stats);
        slots = stats.pages / 4 / front->config.queues;
    }
    slots = slots < 32 ? 32 : slots;
    return slots < NETFRONT_SLOTS ? slots : NETFRONT_SLOTS;
}

static void wire_up(struct wisp_netfront *front)
{
    struct queue_shared *shared = &front->shared;
    struct wisp_hypervisor *hv = front->config.hv;
    shared->hv = hv;
    shared->counts = &front->counts;
    shared->stats = &front->dev.stats;
    shared->pages = shared_pages(front);
    shared->rx_slots = slots_to_post(front);
    shared->grants.hv = hv;
    shared->grants.counts = &front->counts;
    shared->tx.grants = &shared->grants;
    shared->tx.counts = &front->counts;
    shared->tx.stats = &front->dev.stats;
    shared->tx.done = &front->done;
    shared->tx.pages = shared->pages;
    shared->rx.grants = &shared->grants;
    shared->rx.counts = &front->counts;
    shared->rx.stats = &front->dev.stats;
    shared->rx.pages = shared->pages;
    shared->rx.copies = front->config.pages;
    shared->rx.packets = front->rx_pool;
}

struct wisp_netfront *wisp_netfront_init(void *mem, size_t size,
                                         const struct wisp_netfront_config *config)
{
    WISP_ASSERT(config->queues >= 1 && config->queues <= WISP_NETFRONT_QUEUES);
    struct wisp_arena arena = {mem, 0};
    struct layout layout = lay_out(&arena, config);
    struct wisp_netfront *front = layout.front;
    if (arena.used > size) {
        return NULL;
    }
    *front = (struct wisp_netfront){.config = *config, .queue = layout.queue};
    front->dev.ops = &netfront_ops;
    front->dev.pages = config->pages;
    front->dev.tx_pool = wisp_pktpool_init(layout.tx, wisp_pktpool_size(config->tx_packets),
                                           config->tx_packets, shared_pages(front));
    front->rx_pool = wisp_pktpool_init(layout.rx, wisp_pktpool_size(config->rx_packets),
                                       config->rx_packets, NULL);
    if (!front->dev.tx_pool || !front->rx_pool) {
        return NULL;
    }
    pkt_list_init(&front->done);
    for (uint32_t i = 0; i < config->queues; i++) {
        front->queue[i].rings = false;
    }
    wire_up(front);
    front->dev.caps = (struct wisp_netdev_caps){.mtu = 1500, .views_tx = WISP_PKT_VIEWS - 1};
    xenbus_init(front);
    return front;
}

void wisp_netfront_close(struct wisp_netfront *front, wisp_time now)
{
    xenbus_leave(front, now);
}

void wisp_netfront_fini(struct wisp_netfront *front)
{
    struct wisp_hypervisor *hv = front->config.hv;
    /* A resume that no step noticed: what the references and ports name now is not ours to end. */
    bool lost = front->xenbus.resumes != hv->resumes;
    if (lost) {
        hv->ops->forget_grants(hv);
    }
    xenbus_fini(front);
    netfront_close_rings(front, lost);
    while (front->done.head) {
        wisp_pkt_drop(pkt_list_pop(&front->done));
    }
    wisp_pktpool_fini(front->dev.tx_pool);
}

struct wisp_netdev *wisp_netfront_dev(struct wisp_netfront *front)
{
    return &front->dev;
}

wisp_time wisp_netfront_step(struct wisp_netfront *front, wisp_time now)
{
    xenbus_step(front, now);
    return deadline(&front->dev, now);
}

/* ---- facts ---- */

enum wisp_netfront_state wisp_netfront_state(const struct wisp_netfront *front)
{
    return front->xenbus.state;
}

const char *wisp_netfront_reason(const struct wisp_netfront *front)
{
    return front->xenbus.reason;
}

uint32_t wisp_netfront_queues(const struct wisp_netfront *front)
{
    return front->xenbus.state == WISP_NETFRONT_CONNECTED ? front->queues : 0;
}

bool wisp_netfront_trusted(const struct wisp_netfront *front)
{
    return front->shared.trusted;
}

#define NAMES(NAME)                                                                                \
    NAME(COUNT_RX_SLOTS, "netfront.rx.slots")                                                      \
    NAME(COUNT_RX_BAD_ID, "netfront.rx.bad_id")                                                    \
    NAME(COUNT_RX_BAD_STATUS, "netfront.rx.bad_status")                                            \
    NAME(COUNT_RX_BAD_EXTENT, "netfront.rx.bad_extent")                                            \
    NAME(COUNT_RX_BAD_EXTRA, "netfront.rx.bad_extra")                                              \
    NAME(COUNT_RX_BAD_OFFLOAD, "netfront.rx.bad_offload")                                          \
    NAME(COUNT_RX_TOO_LONG, "netfront.rx.too_long")                                                \
    NAME(COUNT_RX_STALLED, "netfront.rx.stalled")                                                  \
    NAME(COUNT_RX_NO_PACKET, "netfront.rx.no_packet")                                              \
    NAME(COUNT_RX_NO_PAGE, "netfront.rx.no_page")                                                  \
    NAME(COUNT_RX_EMPTY, "netfront.rx.empty")                                                      \
    NAME(COUNT_RX_REVOKE, "netfront.rx.not_revoked")                                               \
    NAME(COUNT_TX_SLOTS, "netfront.tx.slots")                                                      \
    NAME(COUNT_TX_BAD_ID, "netfront.tx.bad_id")                                                    \
    NAME(COUNT_TX_BAD_NULL, "netfront.tx.bad_null")                                                \
    NAME(COUNT_TX_ERROR, "netfront.tx.error")                                                      \
    NAME(COUNT_TX_REFUSED, "netfront.tx.refused")                                                  \
    NAME(COUNT_TX_NO_GRANT, "netfront.tx.no_grant")                                                \
    NAME(COUNT_TX_WAITED, "netfront.tx.waited")                                                    \
    NAME(COUNT_GRANTS, "netfront.grants")                                                          \
    NAME(COUNT_GRANTS_ENDED, "netfront.grants.ended")                                              \
    NAME(COUNT_GRANTS_STUCK, "netfront.grants.stuck")                                              \
    NAME(COUNT_EVENTS, "netfront.events")                                                          \
    NAME(COUNT_EVENTS_SPURIOUS, "netfront.events.spurious")                                        \
    NAME(COUNT_EVENTS_BACKED_OFF, "netfront.events.backed_off")                                    \
    NAME(COUNT_CONNECTS, "netfront.connects")                                                      \
    NAME(COUNT_BROKEN, "netfront.broken")                                                          \
    NAME(COUNT_XENSTORE_BAD, "netfront.xenstore.bad")                                              \
    NAME(COUNT_RETURNED, "netfront.tx.returned")
WISP_COUNT_NAMES(NAMES, NETFRONT_COUNTS);

bool wisp_netfront_counter(const struct wisp_netfront *front, uint32_t index,
                           struct wisp_counter *counter)
{
    return wisp_count_at(&count_names, front->counts.value, index, counter);
}

uint64_t wisp_netfront_count(const struct wisp_netfront *front, const char *name)
{
    struct wisp_counter counter;
    for (uint32_t i = 0; wisp_netfront_counter(front, i, &counter); i++) {
        if (text_equal(counter.name, name)) {
            return counter.value;
        }
    }
    WISP_ASSERT(false);
    return 0;
}
