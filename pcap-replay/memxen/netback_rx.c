/* SPDX-License-Identifier: ISC */
/*
 * The netback's RX ring: frames to the guest. A frame needs a slot per started page and one for a GSO extra;
 * with fewer posted it waits, and the guest is asked to tell of the next one (req_event). Responses take the
 * very slots of their requests, extras included. What waits too long is dropped: 10 s, or 30 ms where the
 * guest never said that it notifies; a queue without slots for 60 s has lost its carrier.
 *
 * A guest that takes no GSO or no blank checksum gets what Linux's stack makes for it in software.
 */
#include "netback_priv.h"
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "responses are put together in registers");
_Static_assert(offsetof(struct netif_rx_response, flags) == 4 &&
                   offsetof(struct netif_rx_response, status) == 6,
               "as answer puts them");

#define DRAIN_AFTER       WISP_SEC(10)
#define DRAIN_AFTER_QUICK WISP_MS(30)
#define STALLED_AFTER     WISP_SEC(60)
#define PLAIN_MAX         (1500u + 18u) /* bytes that every guest takes in one slot */

/* Bytes for slot number k of a frame of which `left` bytes are left. */
static uint32_t slot_part(const struct wisp_netback *nb, uint32_t k, uint32_t left)
{
    uint32_t most = WISP_PAGE_SIZE;
    uint32_t small = nb->config.slot_bytes;
    /* Small slots only while full ones can still take the rest. */
    if (small && k + 1 < NETBACK_SLOTS_MAX &&
        left - (small < left ? small : left) <= (NETBACK_SLOTS_MAX - 1 - k) * WISP_PAGE_SIZE) {
        most = small;
    }
    return left < most ? left : most;
}

uint32_t netback_rx_slots(const struct wisp_netback *nb, uint32_t length, bool gso)
{
    uint32_t k = 0;
    if (nb->config.slot_bytes == 0) {
        return (length + WISP_PAGE_SIZE - 1) / WISP_PAGE_SIZE + gso;
    }
    for (uint32_t left = length; left > 0; k++) {
        left -= slot_part(nb, k, left);
    }
    return k + gso;
}

/* Asks to be told of the next request until none came in between; true: that many are posted. */
static __attribute__((noinline)) bool ask_for_slots(struct netback_queue *queue, uint32_t prod,
                                                    uint32_t needed)
{
    while (!queue->nb->habits.deaf) {
        uint32_t later = ring_ask(&queue->rx, prod + 1);
        if (later == prod) {
            return false;
        }
        prod = later;
        if (prod - queue->rx.req_cons >= needed) {
            return true;
        }
    }
    return false;
}

/* True when that many requests are posted; else the guest is asked to tell. */
static inline bool slots_posted(struct netback_queue *queue, uint32_t needed)
{
    uint32_t prod = ring_req_prod(&queue->rx);
    return prod - queue->rx.req_cons >= needed || ask_for_slots(queue, prod, needed);
}

/* Answers the next request with what fill says of it; the request's slot becomes the response. */
static struct netif_rx_request next_request(struct netback_queue *queue)
{
    struct ring *ring = &queue->rx;
    return ring->page->slot.rx[ring->req_cons++ & (RING_SLOTS - 1)].req;
}

/* A response is put together in a register: it lies in the ring's page as one store. */
static inline void answer(struct netback_queue *queue, uint16_t id, uint16_t flags, int32_t status)
{
    struct ring *ring = &queue->rx;
    uint64_t raw = id | (uint64_t)flags << 32 | (uint64_t)(uint16_t)status << 48;
    memcpy(&ring->page->slot.rx[ring->rsp_prod++ & (RING_SLOTS - 1)], &raw, sizeof(raw));
    queue->nb->stats.rx_slots++;
}

static void answer_gso(struct netback_queue *queue, uint16_t size)
{
    struct ring *ring = &queue->rx;
    struct netif_extra_info extra;
    memset(&extra, 0, sizeof(extra));
    extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
    extra.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
    extra.u.gso.size = size;
    next_request(queue);
    ring->page->slot.rx[ring->rsp_prod++ & (RING_SLOTS - 1)].extra = extra;
    queue->nb->stats.rx_slots++;
}

/* Copies part bytes of frame from offset on into the page of request, a grant copy for each piece they lie in;
 * false: it is not granted. */
static __attribute__((noinline)) bool fill_pieces(struct netback_queue *queue, uint32_t gref,
                                                  const struct wisp_frame *frame, uint32_t offset,
                                                  uint32_t part)
{
    struct wisp_memxen *xen = queue->nb->xen;
    uint32_t done = 0;
    for (uint32_t i = 0; i < frame->pieces && done < part; i++) {
        const struct wisp_piece *piece = &frame->piece[i];
        if (offset >= piece->length) {
            offset -= piece->length;
            continue;
        }
        uint32_t n = piece->length - offset;
        n = n < part - done ? n : part - done;
        if (!wisp_memxen_copy_in(xen, gref, done, piece->bytes + offset, n)) {
            return false;
        }
        done += n;
        offset = 0;
    }
    return true;
}

static inline bool fill_page(struct netback_queue *queue, uint32_t gref,
                             const struct wisp_frame *frame, uint32_t offset, uint32_t part)
{
    struct wisp_memxen *xen = queue->nb->xen;
    if (queue->nb->habits.keep_rx) {
        netback_keep(queue->nb, gref, true);
    }
    if (frame->pieces == 1) {
        return wisp_memxen_copy_in(xen, gref, 0, frame->piece[0].bytes + offset, part);
    }
    return fill_pieces(queue, gref, frame, offset, part);
}

static uint16_t first_flags(const struct wisp_frame *frame)
{
    uint16_t flags = 0;
    if (frame->csum_blank) {
        flags = NETRXF_csum_blank | NETRXF_data_validated;
    } else if (frame->validated) {
        flags = NETRXF_data_validated;
    }
    return flags;
}

/* A frame that fits one slot. */
static void place_one(struct netback_queue *queue, const struct wisp_frame *frame)
{
    struct netif_rx_request request = next_request(queue);
    bool good = fill_page(queue, request.gref, frame, 0, frame->length);
    answer(queue, request.id, first_flags(frame), good ? (int32_t)frame->length : NETIF_RSP_ERROR);
}

/* The same where nothing is special (netback_note), of a frame in one piece. */
static inline void place_plain(struct wisp_netback *nb, struct netback_queue *queue,
                               const struct wisp_frame *frame)
{
    struct netif_rx_request request = next_request(queue);
    uint32_t length = frame->length;
    bool good = wisp_memxen_copy_in(nb->xen, request.gref, 0, frame->piece[0].bytes, length);
    nb->stats.rx_packets++;
    nb->stats.rx_bytes += length;
    answer(queue, request.id, frame->validated ? NETRXF_data_validated : 0,
           good ? (int32_t)length : NETIF_RSP_ERROR);
}

/* A frame of several slots. Kept apart, so that the others do not pay for its registers. */
static __attribute__((noinline)) void place_chain(struct netback_queue *queue,
                                                  const struct wisp_frame *frame)
{
    struct wisp_netback *nb = queue->nb;
    uint32_t offset = 0;
    for (uint32_t k = 0; offset < frame->length; k++) {
        uint32_t part = slot_part(nb, k, frame->length - offset);
        struct netif_rx_request request = next_request(queue);
        bool more = offset + part < frame->length;
        bool gso = k == 0 && frame->gso_size != 0;
        uint16_t flags = (uint16_t)((k == 0 ? first_flags(frame) : 0) |
                                    (more ? NETRXF_more_data : 0) | (gso ? NETRXF_extra_info : 0));
        bool good = fill_page(queue, request.gref, frame, offset, part);
        answer(queue, request.id, flags, good ? (int32_t)part : NETIF_RSP_ERROR);
        if (gso) {
            answer_gso(queue, frame->gso_size);
        }
        offset += part;
    }
}

static inline bool is_one_slot(const struct wisp_netback *nb, const struct wisp_frame *frame)
{
    uint32_t most = nb->config.slot_bytes ? nb->config.slot_bytes : WISP_PAGE_SIZE;
    return frame->length <= most && frame->gso_size == 0;
}

/* Puts a frame into the ring, for which there are slots. */
static void place(struct netback_queue *queue, const struct wisp_frame *frame)
{
    struct wisp_netback *nb = queue->nb;
    nb->stats.rx_packets++;
    nb->stats.rx_bytes += frame->length;
    if (is_one_slot(nb, frame)) {
        place_one(queue, frame);
    } else {
        place_chain(queue, frame);
    }
}

/* ---- frames that wait ---- */

static bool enqueue(struct netback_queue *queue, const struct wisp_frame *frame, wisp_time now)
{
    struct waiting_frame *waiting =
        queue->waiting < NETBACK_WAITING ? malloc(sizeof(*waiting) + frame->length) : NULL;
    if (!waiting) {
        queue->nb->stats.rx_dropped++;
        return false;
    }
    wisp_frame_copy(frame, 0, waiting->bytes, frame->length);
    waiting->frame = *frame;
    waiting->frame.pieces = 1;
    waiting->frame.piece[0] = (struct wisp_piece){waiting->bytes, frame->length};
    waiting->expires = now + (queue->nb->rx_notify ? DRAIN_AFTER : DRAIN_AFTER_QUICK);
    waiting->next = NULL;
    *queue->last = waiting;
    queue->last = &waiting->next;
    queue->waiting++;
    return true;
}

static void dequeue(struct netback_queue *queue)
{
    struct waiting_frame *waiting = queue->first;
    queue->first = waiting->next;
    if (!queue->first) {
        queue->last = &queue->first;
    }
    queue->waiting--;
    free(waiting);
}

void netback_rx_drop_waiting(struct netback_queue *queue)
{
    while (queue->first) {
        queue->nb->stats.rx_dropped++;
        dequeue(queue);
    }
}

static bool fits_now(struct netback_queue *queue, const struct wisp_frame *frame)
{
    return !queue->nb->habits.stall_rx &&
           slots_posted(queue, netback_rx_slots(queue->nb, frame->length, frame->gso_size != 0));
}

void netback_rx_work(struct netback_queue *queue, wisp_time now)
{
    while (queue->first && fits_now(queue, &queue->first->frame)) {
        place(queue, &queue->first->frame);
        dequeue(queue);
    }
    queue->rx_work = false;
    while (queue->first && queue->first->expires <= now) {
        queue->nb->stats.rx_dropped++;
        dequeue(queue);
    }
    if (!queue->first) {
        queue->starved_since = WISP_NEVER;
    } else if (queue->starved_since == WISP_NEVER) {
        queue->starved_since = now;
    }
}

static bool send_one(struct netback_queue *queue, const struct wisp_frame *frame, wisp_time now)
{
    if (!queue->first && fits_now(queue, frame)) {
        place(queue, frame);
        return true;
    }
    if (queue->starved_since != WISP_NEVER && now - queue->starved_since >= STALLED_AFTER) {
        queue->nb->stats.rx_dropped++;
        return false;
    }
    return enqueue(queue, frame, now);
}

/* ---- what the guest does not take ---- */

struct software {
    struct netback_queue *queue;
    wisp_time now;
    bool all;
};

static void send_segment(void *context, const uint8_t *bytes, uint32_t length)
{
    struct software *software = context;
    struct wisp_frame frame = wisp_frame_of(bytes, length);
    frame.validated = true;
    software->all &= send_one(software->queue, &frame, software->now);
}

static bool send_cut(struct netback_queue *queue, const struct wisp_frame *frame, wisp_time now)
{
    uint8_t whole[WISP_FRAME_MAX];
    struct software software = {queue, now, true};
    wisp_frame_copy(frame, 0, whole, frame->length);
    queue->nb->stats.rx_segmented++;
    wisp_frame_segment(whole, frame->length, frame->gso_size, send_segment, &software);
    return software.all;
}

static bool send_summed(struct netback_queue *queue, const struct wisp_frame *frame, wisp_time now)
{
    uint8_t whole[WISP_FRAME_MAX];
    wisp_frame_copy(frame, 0, whole, frame->length);
    wisp_frame_fill_csum(whole, frame->length);
    struct wisp_frame summed = wisp_frame_of(whole, frame->length);
    summed.validated = true;
    summed.gso_size = frame->gso_size;
    return send_one(queue, &summed, now);
}

static bool filtered(const struct wisp_netback *nb, const struct wisp_frame *frame)
{
    uint8_t head[6];
    uint32_t length = wisp_frame_copy(frame, 0, head, sizeof(head));
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (length < 6 || !(head[0] & 1) || memcmp(head, broadcast, 6) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < nb->multicasts; i++) {
        if (memcmp(nb->multicast[i].octet, head, 6) == 0) {
            return false;
        }
    }
    return true;
}

static struct netback_queue *choose(struct wisp_netback *nb, const struct wisp_frame *frame)
{
    if (frame->queue != WISP_FRAME_HASH) {
        return &nb->queue[frame->queue % nb->queues];
    }
    uint8_t head[96];
    uint32_t length = wisp_frame_copy(frame, 0, head, sizeof(head));
    return &nb->queue[wisp_frame_flow_hash(head, length) % nb->queues];
}

/* Without scatter-gather a vif's MTU is at most 1500. */
static bool too_large(const struct wisp_netback *nb, const struct wisp_frame *frame)
{
    uint32_t most = nb->frontend & WISP_NETBACK_SG ? WISP_FRAME_MAX : 1500 + 18;
    return frame->length > most;
}

static __attribute__((noinline)) bool send_any(struct wisp_netback *nb,
                                               const struct wisp_frame *frame, wisp_time now)
{
    if (!nb->served || nb->fatal || frame->length == 0 || frame->length > WISP_FRAME_MAX) {
        nb->stats.rx_dropped++;
        return false;
    }
    struct netback_queue *queue = nb->queues == 1 ? &nb->queue[0] : choose(nb, frame);
    if (nb->multicast_control && filtered(nb, frame)) {
        return true;
    }
    if (frame->gso_size && !(nb->frontend & WISP_NETBACK_GSO4)) {
        return send_cut(queue, frame, now);
    }
    if (too_large(nb, frame)) {
        nb->stats.rx_dropped++;
        return false;
    }
    if (frame->csum_blank && !nb->rx_csum) {
        return send_summed(queue, frame, now);
    }
    return send_one(queue, frame, now);
}

bool wisp_netback_send(struct wisp_netback *nb, const struct wisp_frame *frame, wisp_time now)
{
    struct netback_queue *queue = &nb->queue[0];
    /* In this order: neighbouring fields would be read as one word, which waits for the narrow stores
     * that just made them. */
    if (frame->csum_blank || !nb->plain || frame->gso_size || frame->length - 1 >= PLAIN_MAX ||
        queue->first || frame->pieces != 1 || !slots_posted(queue, 1)) {
        return send_any(nb, frame, now);
    }
    place_plain(nb, queue, frame);
    return true;
}

uint32_t wisp_netback_room(struct wisp_netback *nb, uint32_t length)
{
    uint32_t room = UINT32_MAX;
    if (!nb->served || nb->fatal || length == 0) {
        return 0;
    }
    uint32_t needed = netback_rx_slots(nb, length, false);
    for (uint32_t i = 0; i < nb->queues; i++) {
        struct netback_queue *queue = &nb->queue[i];
        uint32_t posted = ring_req_prod(&queue->rx) - queue->rx.req_cons;
        uint32_t fits = queue->first || nb->habits.stall_rx ? 0 : posted / needed;
        room = fits < room ? fits : room;
    }
    return room;
}

uint32_t wisp_netback_waiting(const struct wisp_netback *nb)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < nb->queues; i++) {
        waiting += nb->queue[i].waiting;
    }
    return waiting;
}
