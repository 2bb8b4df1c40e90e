/* SPDX-License-Identifier: ISC */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool condition, const char *otherwise)
{
    if (!condition) {
        rig_fail(otherwise);
    }
}

static void frame_out(void *context, const struct wisp_frame *frame, wisp_time now)
{
    struct rig *rig = context;
    (void)now;
    wisp_frame_copy(frame, 0, rig->last, sizeof(rig->last));
    rig->seen = *frame;
    if (rig->frames < RIG_FRAMES) {
        rig->lengths[rig->frames] = (uint16_t)frame->length;
        rig->queues[rig->frames] = frame->queue;
    }
    rig->frames++;
}

static void open_pool(struct rig *rig)
{
    uint32_t pages = rig->config.pages ? rig->config.pages : RIG_PAGES;
    rig->memory = aligned_alloc(WISP_PAGE_SIZE, pages * WISP_PAGE_SIZE);
    memset(rig->memory, 0, pages * WISP_PAGE_SIZE);
    rig->meta = malloc(wisp_pool_size(pages));
    rig->pool = wisp_pool_init(rig->meta, wisp_pool_size(pages), rig->memory, pages, 8, true);
}

static void open_front(struct rig *rig)
{
    struct wisp_netfront_config config;
    wisp_netfront_config_default(&config);
    config.hv = wisp_memxen_hypervisor(rig->xen);
    config.path = "device/vif/0";
    config.token = 10;
    config.pages = rig->pool;
    config.trust = (uint8_t)rig->config.trust;
    config.queues = rig->config.queues ? rig->config.queues : 1;
    config.offers = rig->config.offers ? rig->config.offers : config.offers;
    config.rx_slots = rig->config.rx_slots;
    config.tx_packets = 128;
    config.rx_packets = 400;
    size_t size = wisp_netfront_size(&config);
    rig->front_mem = aligned_alloc(64, (size + 63) & ~(size_t)63);
    rig->front = wisp_netfront_init(rig->front_mem, size, &config);
    need(rig->front, "no room for the device");
    rig->dev = wisp_netfront_dev(rig->front);
}

void rig_open(struct rig *rig, const struct rig_config *config)
{
    memset(rig, 0, sizeof(*rig));
    rig->config = *config;
    rig->now = WISP_MS(1);
    struct wisp_memxen_config xen_config = {.policy = config->policy, .grants = config->grants};
    struct wisp_netback_config back = {.mac = {{2, 0, 0, 0, 0, 1}},
                                       .mtu = config->mtu,
                                       .features =
                                           config->features ? config->features : WISP_NETBACK_ALL,
                                       .max_queues = config->max_queues,
                                       .untrusted = config->untrusted,
                                       .late_hotplug = config->late_hotplug,
                                       .slot_bytes = config->slot_bytes,
                                       .frame = frame_out,
                                       .context = rig};
    rig->xen = wisp_memxen_open(&xen_config);
    open_pool(rig);
    if (config->born_shared) {
        need(wisp_memxen_share(rig->xen, rig->pool), "pages cannot be shared");
    }
    rig->nb = wisp_netback_open(rig->xen, &back);
    open_front(rig);
}

static void close_front(struct rig *rig)
{
    wisp_netfront_close(rig->front, rig->now);
    for (int i = 0; i < 20 && wisp_netfront_state(rig->front) != WISP_NETFRONT_CLOSED; i++) {
        rig->now += WISP_MS(500);
        wisp_netback_poll(rig->nb, rig->now);
        wisp_netfront_step(rig->front, rig->now);
    }
    need(wisp_netfront_state(rig->front) == WISP_NETFRONT_CLOSED, "does not close");
    wisp_netfront_fini(rig->front);
}

void rig_close(struct rig *rig)
{
    char text[160];
    struct wisp_pool_stats stats;
    rig_drop(rig);
    close_front(rig);
    wisp_netback_close(rig->nb);
    wisp_pool_stats(rig->pool, &stats);
    need(stats.in_use == 0, "pages still in use");
    if (rig->config.born_shared) {
        need(wisp_memxen_retire(rig->xen), "shared pages are still mapped");
    }
    if (!rig->config.gentle) {
        need(stats.quarantined == 0, "pages in quarantine");
        need(wisp_memxen_balanced(rig->xen, text, sizeof(text)), text);
    }
    wisp_memxen_close(rig->xen);
    free(rig->front_mem);
    free(rig->meta);
    free(rig->memory);
}

void rig_front(struct rig *rig)
{
    struct wisp_pkt *done[RIG_FRAMES];
    uint32_t n = rig->dev->ops->completed(rig->dev, done, RIG_FRAMES);
    for (uint32_t i = 0; i < n; i++) {
        rig->failed += (done[i]->flags & WISP_PKT_FAILED) != 0;
        wisp_pkt_drop(done[i]);
    }
    rig->completed += n;
    rig->pkts +=
        rig->dev->ops->receive(rig->dev, rig->pkt + rig->pkts, RIG_FRAMES - rig->pkts, rig->now);
}

void rig_run(struct rig *rig, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        rig->now += WISP_MS(1);
        wisp_memxen_set_time(rig->xen, rig->now);
        rig_front(rig);
        wisp_netback_poll(rig->nb, rig->now);
    }
    rig_front(rig);
}

void rig_connect(struct rig *rig)
{
    for (int i = 0; i < 20 && !rig->dev->link; i++) {
        rig_run(rig, 1);
    }
    need(rig->dev->link, wisp_netfront_reason(rig->front));
}

struct wisp_pkt *rig_packet(struct rig *rig, uint32_t head, const uint16_t *views, uint8_t seed)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(rig->dev->tx_pool);
    need(pkt, "no packet");
    uint8_t *bytes = wisp_pkt_extend(pkt, head);
    for (uint32_t i = 0; i < head; i++) {
        bytes[i] = seed++;
    }
    for (; views && *views; views++) {
        struct wisp_page *page = wisp_page_alloc(rig->pool, WISP_ROLE_APP, WISP_HOLDER_APP);
        need(page, "no page");
        for (uint32_t i = 0; i < *views; i++) {
            page->data[i] = seed++;
        }
        need(wisp_pkt_append(pkt, page, 0, *views), "too many views");
    }
    return pkt;
}

bool rig_send(struct rig *rig, struct wisp_pkt *pkt)
{
    bool taken = rig->dev->ops->transmit(rig->dev, &pkt, 1, rig->now) == 1;
    if (!taken) {
        wisp_pkt_drop(pkt);
    }
    rig->dev->ops->kick(rig->dev, rig->now);
    return taken;
}

void rig_deliver(struct rig *rig, uint32_t length, uint8_t seed)
{
    static uint8_t bytes[WISP_FRAME_MAX];
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(seed + i);
    }
    struct wisp_frame frame = wisp_frame_of(bytes, length);
    need(wisp_netback_send(rig->nb, &frame, rig->now), "the backend drops the frame");
}

bool rig_counts_up(const struct wisp_pkt *pkt, uint32_t length, uint8_t seed)
{
    static uint8_t bytes[WISP_FRAME_MAX];
    if (pkt->length != length || !wisp_pkt_read(pkt, 0, bytes, length)) {
        return false;
    }
    for (uint32_t i = 0; i < length; i++) {
        if (bytes[i] != (uint8_t)(seed + i)) {
            return false;
        }
    }
    return true;
}

void rig_drop(struct rig *rig)
{
    while (rig->pkts > 0) {
        wisp_pkt_drop(rig->pkt[--rig->pkts]);
    }
}

bool rig_lie(struct rig *rig, struct wisp_lie lie)
{
    return wisp_netback_lie(rig->nb, &lie);
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t add_words(const uint8_t *p, uint32_t length)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i + 1 < length; i += 2) {
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    }
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

uint32_t rig_ip_frame(uint8_t *bytes, uint8_t protocol, uint32_t payload, bool blank)
{
    uint32_t head = protocol == 6 ? 20 : 8;
    uint32_t total = 14 + 20 + head + payload;
    memset(bytes, 0, total);
    bytes[0] = 2;
    bytes[5] = 1;
    bytes[6] = 2;
    bytes[11] = 2;
    put16(bytes + 12, 0x0800);
    uint8_t *ip = bytes + 14;
    ip[0] = 0x45;
    put16(ip + 2, 20 + head + payload);
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
    put16(ip + 10, (uint16_t)~fold(add_words(ip, 20)));
    uint8_t *l4 = ip + 20;
    put16(l4, 1234);
    put16(l4 + 2, 80);
    if (protocol == 6) {
        l4[12] = 0x50;
        l4[13] = 0x10;
    } else {
        put16(l4 + 4, head + payload);
    }
    for (uint32_t i = 0; i < payload; i++) {
        l4[head + i] = (uint8_t)i;
    }
    if (blank) {
        put16(l4 + (protocol == 6 ? 16 : 6),
              fold(add_words(ip + 12, 8) + protocol + head + payload));
    } else {
        wisp_frame_fill_csum(bytes, total);
    }
    return total;
}
