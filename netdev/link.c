/* SPDX-License-Identifier: ISC */
/*
 * The link in memory (see link.h). An end's `arrived` ring holds packets on pages of its own pool, filled by
 * the other end's transmit; its `done` ring holds its own transmitted packets, let go of at once.
 *
 * Where a frame starts in its page moves by 64 bytes from frame to frame as long as it fits: page-aligned
 * headers would all fall into one set of the first-level cache (performance.md §3.4).
 */
#include "link.h"
#include "assert.h"
#include <string.h>

#define RING_MASK (WISP_LINK_RING - 1)

/* Copies bytes of a packet out in order. */
struct cursor {
    const struct wisp_pkt *pkt;
    uint32_t view;
    uint32_t offset;
};

static void copy_out(struct cursor *from, uint8_t *to, uint32_t length)
{
    while (length > 0) {
        const struct wisp_view *view = &from->pkt->view[from->view];
        uint32_t part = view->length - from->offset;
        if (part > length) {
            part = length;
        }
        memcpy(to, wisp_view_bytes(view) + from->offset, part);
        to += part;
        length -= part;
        from->offset += part;
        if (from->offset == view->length) {
            from->view++;
            from->offset = 0;
        }
    }
}

static uint32_t start_offset(struct wisp_link_end *end, uint32_t length)
{
    uint32_t offset = 64 * (end->slot++ & 31);
    return length + offset <= WISP_PAGE_SIZE ? offset : 0;
}

/* A packet on pages of end with room for length bytes, or null. */
static struct wisp_pkt *receive_room(struct wisp_link_end *end, uint32_t length)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(end->rx_pool);
    if (!pkt) {
        return NULL;
    }
    uint32_t offset = start_offset(end, length);
    uint32_t most = end->split ? end->split : WISP_PAGE_SIZE;
    while (length > 0) {
        uint32_t part = WISP_PAGE_SIZE - offset;
        if (pkt->views == WISP_PKT_VIEWS - 1) {
            most = WISP_PAGE_SIZE; /* the last view takes the rest */
        }
        part = part < most ? part : most;
        part = part < length ? part : length;
        struct wisp_page *page = wisp_page_alloc(end->dev.pages, WISP_ROLE_RX, WISP_HOLDER_PACKET);
        if (!page || !wisp_pkt_append(pkt, page, offset, part)) {
            if (page) {
                wisp_page_unref(page);
            }
            wisp_pkt_drop(pkt);
            return NULL;
        }
        length -= part;
        offset = 0;
    }
    return pkt;
}

static void copy_frame(struct wisp_pkt *to, const struct wisp_pkt *from)
{
    struct cursor at = {from, 0, 0};
    while (at.view < from->views && from->view[at.view].length == 0) {
        at.view++;
    }
    for (uint32_t i = 0; i < to->views; i++) {
        copy_out(&at, wisp_view_bytes(&to->view[i]), to->view[i].length);
    }
}

/* What went out as one view arrives as one: most frames. Null: for lack of memory. */
static struct wisp_pkt *copy_view(struct wisp_link_end *to, const struct wisp_view *view)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(to->rx_pool);
    struct wisp_page *page =
        pkt ? wisp_page_alloc(to->dev.pages, WISP_ROLE_RX, WISP_HOLDER_PACKET) : NULL;
    if (!page) {
        wisp_pkt_drop(pkt);
        return NULL;
    }
    uint32_t offset = start_offset(to, view->length);
    memcpy(page->data + offset, wisp_view_bytes(view), view->length);
    wisp_view_set(&pkt->view[0], page, offset, view->length);
    pkt->views = 1;
    pkt->length = view->length;
    return pkt;
}

static __attribute__((noinline)) struct wisp_pkt *copy_any(struct wisp_link_end *to,
                                                           const struct wisp_pkt *sent)
{
    struct wisp_pkt *pkt = receive_room(to, sent->length);
    if (pkt) {
        copy_frame(pkt, sent);
    }
    return pkt;
}

static void deliver(struct wisp_link_end *to, const struct wisp_pkt *sent)
{
    struct wisp_pkt *pkt =
        sent->views == 1 && !to->split ? copy_view(to, &sent->view[0]) : copy_any(to, sent);
    if (!pkt) {
        to->dev.stats.rx_dropped++;
        return;
    }
    to->bytes_moved += sent->length;
    pkt->csum = sent->csum;
    pkt->csum_start = sent->csum_start;
    pkt->csum_offset = sent->csum_offset;
    pkt->gso = sent->gso;
    pkt->gso_size = sent->gso_size;
    to->dev.stats.rx_packets++;
    to->dev.stats.rx_bytes += sent->length;
    to->arrived[to->arrived_in++ & RING_MASK] = pkt;
}

static struct wisp_link_end *end_of(struct wisp_netdev *dev)
{
    return (struct wisp_link_end *)(void *)dev;
}

static uint32_t receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now)
{
    struct wisp_link_end *end = end_of(dev);
    uint32_t n = 0;
    (void)now;
    while (n < max && end->arrived_out != end->arrived_in) {
        pkts[n++] = end->arrived[end->arrived_out++ & RING_MASK];
    }
    return n;
}

static uint32_t room(struct wisp_netdev *dev)
{
    struct wisp_link_end *end = end_of(dev);
    uint32_t waiting = end->peer->arrived_in - end->peer->arrived_out;
    uint32_t done = end->done_in - end->done_out;
    uint32_t most = waiting > done ? waiting : done;
    return WISP_LINK_RING - most;
}

static uint32_t transmit(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count,
                         wisp_time now)
{
    struct wisp_link_end *end = end_of(dev);
    uint32_t space = room(dev);
    uint32_t n = count < space ? count : space;
    (void)now;
    for (uint32_t i = 0; i < n; i++) {
        dev->stats.tx_packets++;
        dev->stats.tx_bytes += pkts[i]->length;
        if (dev->link && end->peer->dev.link) {
            deliver(end->peer, pkts[i]);
        }
        end->done[end->done_in++ & RING_MASK] = pkts[i];
    }
    return n;
}

static void kick(struct wisp_netdev *dev, wisp_time now)
{
    (void)now;
    dev->stats.kicks++;
}

static uint32_t completed(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max)
{
    struct wisp_link_end *end = end_of(dev);
    uint32_t n = 0;
    while (n < max && end->done_out != end->done_in) {
        pkts[n++] = end->done[end->done_out++ & RING_MASK];
    }
    return n;
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_link_end *end = end_of(dev);
    bool work = end->arrived_in != end->arrived_out || end->done_in != end->done_out;
    return work ? now : WISP_NEVER;
}

static const struct wisp_netdev_ops link_ops = {
    .receive = receive,
    .room = room,
    .transmit = transmit,
    .kick = kick,
    .completed = completed,
    .deadline = deadline,
};

static uint32_t packet_count(const struct wisp_link_config *config)
{
    return config->packets ? config->packets : 512;
}

size_t wisp_link_size(const struct wisp_link_config *config)
{
    size_t tx = (wisp_pktpool_size(packet_count(config)) + 63) & ~(size_t)63;
    size_t rx = (wisp_pktpool_size(WISP_LINK_RING + 64) + 63) & ~(size_t)63;
    return 2 * (tx + rx);
}

static bool end_init(struct wisp_link_end *end, const struct wisp_link_config *config, int index,
                     uint8_t *mem, struct wisp_pool *pages)
{
    size_t tx = (wisp_pktpool_size(packet_count(config)) + 63) & ~(size_t)63;
    size_t rx = wisp_pktpool_size(WISP_LINK_RING + 64);
    *end = (struct wisp_link_end){.split = config->split};
    end->dev.ops = &link_ops;
    end->dev.pages = pages;
    end->dev.link = true;
    end->dev.caps = (struct wisp_netdev_caps){
        .mac = {{0x02, 0, 0, 0, 0, (uint8_t)(index + 1)}},
        .mtu = config->mtu,
        .csum_tx = config->csum ? WISP_OFFLOAD_TCP4 | WISP_OFFLOAD_UDP4 : 0,
        .csum_rx = config->csum ? WISP_OFFLOAD_TCP4 | WISP_OFFLOAD_UDP4 : 0,
        .gso_tx = config->gso,
        .gso_rx = config->gso,
        .views_tx = WISP_PKT_VIEWS - 1,
    };
    end->dev.tx_pool = wisp_pktpool_init(mem, tx, packet_count(config), pages);
    end->rx_pool = wisp_pktpool_init(mem + tx, rx, WISP_LINK_RING + 64, NULL);
    return end->dev.tx_pool && end->rx_pool;
}

bool wisp_link_init(struct wisp_link *link, const struct wisp_link_config *config, void *mem,
                    size_t size, struct wisp_pool *const pages[2])
{
    if (size < wisp_link_size(config)) {
        return false;
    }
    bool good = end_init(&link->end[0], config, 0, mem, pages[0]);
    good &=
        end_init(&link->end[1], config, 1, (uint8_t *)mem + wisp_link_size(config) / 2, pages[1]);
    link->end[0].peer = &link->end[1];
    link->end[1].peer = &link->end[0];
    return good;
}

void wisp_link_fini(struct wisp_link *link)
{
    for (int i = 0; i < 2; i++) {
        struct wisp_link_end *end = &link->end[i];
        while (end->arrived_out != end->arrived_in) {
            wisp_pkt_drop(end->arrived[end->arrived_out++ & RING_MASK]);
        }
        while (end->done_out != end->done_in) {
            wisp_pkt_drop(end->done[end->done_out++ & RING_MASK]);
        }
    }
    for (int i = 0; i < 2; i++) {
        wisp_pktpool_fini(link->end[i].dev.tx_pool);
    }
}

bool wisp_link_inject(struct wisp_netdev *dev, const void *frame, uint32_t length)
{
    struct wisp_link_end *end = end_of(dev);
    if (end->arrived_in - end->arrived_out == WISP_LINK_RING) {
        return false;
    }
    struct wisp_pkt *pkt = receive_room(end, length);
    if (!pkt) {
        return false;
    }
    const uint8_t *from = frame;
    for (uint32_t i = 0; i < pkt->views; i++) {
        memcpy(wisp_view_bytes(&pkt->view[i]), from, pkt->view[i].length);
        from += pkt->view[i].length;
    }
    end->arrived[end->arrived_in++ & RING_MASK] = pkt;
    return true;
}
