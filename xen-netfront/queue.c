/* SPDX-License-Identifier: ISC */
/*
 * When a queue is looked at, and when the other side is told.
 *
 * Receiving polls as long as it finds something; only a look that found nothing asks for an event
 * (rsp_event), so that under load the backend sends none. Completions of sent frames are taken
 * whenever the queue is looked at; an event is asked for only when a quarter of the ring is in
 * flight, because a frame that was answered late costs nothing but its page; a timer takes care of
 * the rest, and of a backend that never sends an event (XN-14).
 *
 * While that event is on its way, frames (acknowledgements, mostly) wait for it, unless many come:
 * where both sides share a processor, a guest that is woken by each acknowledgement sends a few
 * segments at a time and costs the backend a switch for each few. At most RX_PATIENCE, once.
 *
 * Events that bring nothing, 32 in a row, are answered by not asking for events for a while: the
 * port stays masked (hypervisor.h), and the timer looks instead (XSA-391).
 */
#include "queue.h"

#define SPURIOUS_MAX   32u
#define QUIET_LEAST    WISP_MS(1)
#define QUIET_DOUBLING 6u /* up to 64 ms */
#define TX_CHECK_LEAST WISP_MS(10)
#define TX_CHECK_MOST  WISP_MS(640)
#define REFILL_RETRY   WISP_MS(10)
#define TX_EVENT_FROM  (NETFRONT_SLOTS / 4)
#define RX_MANY        32u
#define RX_PATIENCE    WISP_US(500)

/* ---- open and close ---- */

static struct wisp_page *ring_page(const struct queue_shared *shared)
{
    struct wisp_page *page = wisp_page_alloc(shared->pages, WISP_ROLE_SEND, WISP_HOLDER_DEVICE);
    if (!page) {
        return NULL;
    }
    memset(page->data, 0, WISP_PAGE_SIZE);
    if (grants_foreign(shared->tx.grants, page) || !grants_use(shared->tx.grants, page, true)) {
        wisp_page_unref(page);
        return NULL;
    }
    return page;
}

static bool open_ports(struct queue *queue, const struct queue_shared *shared)
{
    struct wisp_hypervisor *hv = shared->hv;
    uint16_t domain = shared->grants.domain;
    queue->tx_port = hv->ops->event_open(hv, domain);
    queue->rx_port = queue->tx_port;
    if (shared->split && queue->tx_port != WISP_EVENT_NONE) {
        queue->rx_port = hv->ops->event_open(hv, domain);
    }
    return queue->tx_port != WISP_EVENT_NONE && queue->rx_port != WISP_EVENT_NONE;
}

static void close_ports(struct queue *queue, const struct queue_shared *shared)
{
    struct wisp_hypervisor *hv = shared->hv;
    if (queue->rx_port != queue->tx_port && queue->rx_port != WISP_EVENT_NONE) {
        hv->ops->event_close(hv, queue->rx_port);
    }
    if (queue->tx_port != WISP_EVENT_NONE) {
        hv->ops->event_close(hv, queue->tx_port);
    }
}

static void drop_ring_page(const struct queue_shared *shared, struct wisp_page *page)
{
    if (page) {
        page->device_uses--;
        grants_end(shared->tx.grants, page);
        wisp_page_taint(page);
        wisp_page_unref(page);
    }
}

bool queue_open(struct queue *queue, const struct queue_shared *shared, wisp_time now)
{
    struct wisp_page *tx = ring_page(shared);
    struct wisp_page *rx = tx ? ring_page(shared) : NULL;
    *queue = (struct queue){.tx_port = WISP_EVENT_NONE,
                            .rx_port = WISP_EVENT_NONE,
                            .quiet_until = now,
                            .tx_check = WISP_NEVER,
                            .rx_check = WISP_NEVER,
                            .tx_interval = TX_CHECK_LEAST};
    if (!rx) {
        drop_ring_page(shared, tx);
        return false;
    }
    tx_open(&queue->tx, tx);
    rx_open(&queue->rx, rx, shared->rx_slots);
    queue->rings = true;
    if (!open_ports(queue, shared) || !rx_refill(&queue->rx, &shared->rx)) {
        return false;
    }
    ring_publish(&queue->rx.ring);
    return true;
}

void queue_close(struct queue *queue, const struct queue_shared *shared)
{
    if (!queue->rings) {
        return;
    }
    queue->rings = false;
    if (!shared->grants.lost) {
        close_ports(queue, shared);
    }
    tx_close(&queue->tx, &shared->tx);
    rx_close(&queue->rx, &shared->rx);
    drop_ring_page(shared, queue->tx.ring_page);
    drop_ring_page(shared, queue->rx.ring_page);
}

/* ---- telling the other side ---- */

static void notify(const struct queue_shared *shared, uint32_t port)
{
    shared->hv->ops->event_notify(shared->hv, port);
    shared->stats->kicks++;
}

static void publish_rx(struct queue *queue, const struct queue_shared *shared)
{
    if (ring_publish(&queue->rx.ring)) {
        notify(shared, queue->rx_port);
    }
}

void queue_kick(struct queue *queue, const struct queue_shared *shared, wisp_time now)
{
    bool tell = ring_publish(&queue->tx.ring);
    if (queue->tx_check == WISP_NEVER && ring_outstanding(&queue->tx.ring) > 0) {
        queue->tx_check = wisp_time_add(now, queue->tx_interval);
    }
    if (queue->tx.waiting_count > 0 && !queue->tx.ring.armed &&
        ring_arm(&queue->tx.ring, ring_outstanding(&queue->tx.ring) / 2 + 1)) {
        queue->tx_check = now;
    }
    if (tell) {
        notify(shared, queue->tx_port);
    }
}

/* ---- being told ---- */

static bool told(struct queue *queue, const struct queue_shared *shared)
{
    struct wisp_hypervisor *hv = shared->hv;
    bool event = hv->ops->event_pending(hv, queue->rx_port);
    if (queue->tx_port != queue->rx_port) {
        event |= hv->ops->event_pending(hv, queue->tx_port);
    }
    return event;
}

/* Asks for events, unless they have been coming for nothing. */
static void hear(struct queue *queue, const struct queue_shared *shared, wisp_time now)
{
    if (now < queue->quiet_until || !told(queue, shared)) {
        return;
    }
    count(shared->counts, COUNT_EVENTS);
    if (queue->worked) {
        queue->spurious = 0;
        return;
    }
    count(shared->counts, COUNT_EVENTS_SPURIOUS);
    if (++queue->spurious >= SPURIOUS_MAX) {
        uint32_t doubling = queue->spurious / SPURIOUS_MAX - 1;
        doubling = doubling < QUIET_DOUBLING ? doubling : QUIET_DOUBLING;
        queue->quiet_until = wisp_time_add(now, QUIET_LEAST << doubling);
        count(shared->counts, COUNT_EVENTS_BACKED_OFF);
    }
}

bool queue_reclaim(struct queue *queue, const struct queue_shared *shared)
{
    uint32_t taken;
    if (!tx_reclaim(&queue->tx, &shared->tx, &taken)) {
        return false;
    }
    if (taken > 0) {
        queue->worked = true;
        queue->tx.ring.armed = false;
        queue->tx_check = WISP_NEVER;
        queue->tx_interval = TX_CHECK_LEAST;
    }
    return true;
}

/* After reclaim: sends what waited, asks for an event if much is in flight, and sets the timer. */
static bool tend_tx(struct queue *queue, const struct queue_shared *shared, wisp_time now)
{
    uint32_t in_flight = ring_outstanding(&queue->tx.ring);
    if (queue->tx.waiting_count > 0) {
        tx_advance(&queue->tx, &shared->tx);
        queue_kick(queue, shared, now);
        in_flight = ring_outstanding(&queue->tx.ring);
    }
    if (in_flight == 0) {
        queue->tx_check = queue->tx.waiting_count > 0 ? now + TX_CHECK_LEAST : WISP_NEVER;
        return true;
    }
    if (now >= queue->tx_check && queue->tx_check != WISP_NEVER) {
        queue->tx_interval =
            queue->tx_interval < TX_CHECK_MOST ? 2 * queue->tx_interval : TX_CHECK_MOST;
        queue->tx_check = WISP_NEVER;
    }
    if (queue->tx_check == WISP_NEVER) {
        queue->tx_check = wisp_time_add(now, queue->tx_interval);
    }
    if (in_flight >= TX_EVENT_FROM && !queue->tx.ring.armed &&
        ring_arm(&queue->tx.ring, in_flight / 2)) {
        return queue_reclaim(queue, shared);
    }
    return true;
}

/* Asks for an event; true: there is something already. */
static bool arm_rx(struct queue *queue, wisp_time now)
{
    bool patient = queue->rx_check == WISP_NEVER && queue->tx.ring.armed &&
                   ring_outstanding(&queue->tx.ring) >= TX_EVENT_FROM;
    queue->rx_check = patient ? wisp_time_add(now, RX_PATIENCE) : WISP_NEVER;
    return ring_arm(&queue->rx.ring, patient ? RX_MANY : 1);
}

/* Takes frames; a look that finds nothing asks for an event, and looks once more. */
static bool take(struct queue *queue, const struct queue_shared *shared, struct wisp_pkt **pkts,
                 uint32_t max, uint32_t *got, wisp_time now)
{
    uint32_t taken;
    if (max == 0) {
        queue->rx.ring.armed = false; /* not looked at: to be looked at soon */
        *got = 0;
        return true;
    }
    if (!rx_take(&queue->rx, &shared->rx, pkts, max, now, got, &taken)) {
        return false;
    }
    bool hasty = !queue->rx.ring.armed || now >= queue->rx_check;
    if (taken == 0 && hasty && arm_rx(queue, now) &&
        !rx_take(&queue->rx, &shared->rx, pkts, max, now, got, &taken)) {
        return false;
    }
    if (taken > 0) {
        queue->rx.ring.armed = false;
        queue->rx_check = WISP_NEVER;
        queue->worked = true;
    }
    return true;
}

bool queue_receive(struct queue *queue, const struct queue_shared *shared, struct wisp_pkt **pkts,
                   uint32_t max, uint32_t *got, wisp_time now)
{
    if (!queue_reclaim(queue, shared) || !tend_tx(queue, shared, now) ||
        !take(queue, shared, pkts, max, got, now)) {
        return false;
    }
    rx_expire(&queue->rx, &shared->rx, now);
    queue->refill_short = !rx_refill(&queue->rx, &shared->rx);
    publish_rx(queue, shared);
    hear(queue, shared, now);
    queue->worked = false;
    return true;
}

wisp_time queue_deadline(const struct queue *queue, wisp_time now)
{
    if (!queue->rx.ring.armed) {
        return now;
    }
    wisp_time at = wisp_time_min(queue->tx_check, rx_deadline(&queue->rx));
    at = wisp_time_min(at, queue->rx_check);
    if (queue->refill_short) {
        at = wisp_time_min(at, now + REFILL_RETRY);
    }
    return queue->quiet_until > now ? wisp_time_min(at, queue->quiet_until) : at;
}
