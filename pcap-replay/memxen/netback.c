/* SPDX-License-Identifier: ISC */
/*
 * The netback in memory (see netback.h): its life, its share of each step, its notifications. Work on a ring
 * begins with a notification, as it does in Linux, so that a guest that forgets to notify is found out.
 */
#include "netback_priv.h"
#include <stdlib.h>
#include <xen/io/xenbus.h>

void netback_note(struct wisp_netback *nb)
{
    nb->plain = nb->served && !nb->fatal && nb->queues == 1 && !nb->multicast_control &&
                nb->config.slot_bytes == 0 && !nb->habits.stall_rx && !nb->habits.keep_rx;
}

void netback_disable(struct wisp_netback *nb, const char *reason)
{
    if (!nb->fatal) {
        nb->stats.fatal++;
    }
    nb->fatal = reason;
    netback_note(nb);
}

void netback_signal(struct netback_queue *queue, uint32_t port)
{
    if (!queue->nb->habits.mute) {
        wisp_memxen_notify(queue->nb->xen, port);
    }
}

__attribute__((noinline)) void netback_keep(struct wisp_netback *nb, uint32_t gref, bool writing)
{
    if (nb->kept_count == NETBACK_KEPT) {
        return;
    }
    uint8_t *bytes = wisp_memxen_map(nb->xen, gref, writing);
    if (bytes) {
        nb->kept[nb->kept_count++] = (struct netback_kept){gref, bytes, writing};
    }
}

void netback_unkeep(struct wisp_netback *nb)
{
    while (nb->kept_count > 0) {
        const struct netback_kept *kept = &nb->kept[--nb->kept_count];
        wisp_memxen_unmap(nb->xen, kept->gref, kept->writing);
    }
}

struct wisp_netback *wisp_netback_open(struct wisp_memxen *xen,
                                       const struct wisp_netback_config *config)
{
    struct wisp_netback *nb = calloc(1, sizeof(*nb));
    if (!nb) {
        return NULL;
    }
    nb->xen = xen;
    nb->config = *config;
    if (nb->config.max_queues > NETBACK_QUEUES) {
        nb->config.max_queues = NETBACK_QUEUES;
    }
    netback_nodes_make(nb);
    return nb;
}

void wisp_netback_close(struct wisp_netback *nb)
{
    netback_disconnect(nb);
    netback_nodes_remove(nb);
    free(nb);
}

void wisp_netback_bus(struct wisp_netback *nb, wisp_time now)
{
    (void)now;
    netback_bus_poll(nb);
}

static void take_events(struct netback_queue *queue)
{
    struct wisp_memxen *xen = queue->nb->xen;
    if (wisp_memxen_pending(xen, queue->tx_port)) {
        queue->tx_work = true;
        queue->rx_work |= queue->rx_port == queue->tx_port;
    }
    if (queue->rx_port != queue->tx_port && wisp_memxen_pending(xen, queue->rx_port)) {
        queue->rx_work = true;
    }
}

static void publish(struct netback_queue *queue)
{
    bool tx = ring_push(&queue->tx);
    bool rx = ring_push(&queue->rx);
    if (tx) {
        netback_signal(queue, queue->tx_port);
    }
    if (rx && !(tx && queue->rx_port == queue->tx_port)) {
        netback_signal(queue, queue->rx_port);
    }
}

void wisp_netback_work(struct wisp_netback *nb, wisp_time now)
{
    if (!nb->served) {
        return;
    }
    for (uint32_t k = 0; k < nb->queues; k++) {
        struct netback_queue *queue = &nb->queue[k];
        take_events(queue);
        netback_tx_release(queue, now);
        if (!nb->fatal) {
            netback_tx_work(queue, now);
        }
        if (!nb->fatal && (queue->rx_work || queue->first)) {
            netback_rx_work(queue, now);
        }
        publish(queue);
    }
}

void wisp_netback_poll(struct wisp_netback *nb, wisp_time now)
{
    wisp_netback_bus(nb, now);
    netback_script_poll(nb);
    wisp_netback_work(nb, now);
}

static wisp_time queue_deadline(const struct netback_queue *queue, wisp_time now)
{
    wisp_time at = WISP_NEVER;
    if (queue->held_out != queue->held_in) {
        at = queue->held[queue->held_out & (RING_SLOTS - 1)].until;
    }
    if (queue->first) {
        at = wisp_time_min(at, queue->first->expires);
    }
    if (queue->tx_work && !queue->nb->habits.stall_tx) {
        at = wisp_time_min(at, queue->nb->config.credit_bytes ? queue->credit_at : now);
    }
    return at;
}

wisp_time wisp_netback_deadline(const struct wisp_netback *nb, wisp_time now)
{
    wisp_time at = WISP_NEVER;
    for (uint32_t k = 0; nb->served && !nb->fatal && k < nb->queues; k++) {
        at = wisp_time_min(at, queue_deadline(&nb->queue[k], now));
    }
    return at;
}

bool wisp_netback_connected(const struct wisp_netback *nb)
{
    return nb->served && !nb->fatal && nb->state == XenbusStateConnected;
}

int wisp_netback_state(const struct wisp_netback *nb)
{
    return nb->state;
}

const char *wisp_netback_fatal(const struct wisp_netback *nb)
{
    return nb->fatal;
}

void wisp_netback_stats(const struct wisp_netback *nb, struct wisp_netback_stats *stats)
{
    *stats = nb->stats;
}

static void turn(struct ring *ring, uint32_t by)
{
    atomic_fetch_add(&ring->page->req_prod, by);
    atomic_fetch_add(&ring->page->req_event, by);
    atomic_fetch_add(&ring->page->rsp_prod, by);
    atomic_fetch_add(&ring->page->rsp_event, by);
    ring->req_cons += by;
    ring->rsp_prod += by;
    ring->rsp_shown += by;
}

void wisp_netback_turn(struct wisp_netback *nb, uint32_t by)
{
    for (uint32_t k = 0; nb->served && k < nb->queues; k++) {
        turn(&nb->queue[k].tx, by);
        turn(&nb->queue[k].rx, by);
    }
}

uint32_t wisp_netback_queues(const struct wisp_netback *nb)
{
    return nb->queues;
}

uint32_t wisp_netback_frontend(const struct wisp_netback *nb)
{
    return nb->frontend;
}

void wisp_netback_set_hold(struct wisp_netback *nb, wisp_time hold)
{
    nb->config.hold = hold;
    for (uint32_t k = 0; k < nb->queues; k++) {
        struct netback_queue *queue = &nb->queue[k];
        for (uint32_t i = queue->held_out; i != queue->held_in; i++) {
            struct held_packet *packet = &queue->held[i & (RING_SLOTS - 1)];
            packet->until = hold == 0 ? 0 : packet->until;
        }
    }
}
