/* SPDX-License-Identifier: ISC */
/*
 * The netback's TX ring: what the guest sends. Every slot is copied out of the shared page once, then judged
 * as Linux judges it:
 *
 *   disabled until reconnect: more requests than the ring has; a chain that goes on where no slot was
 *     published; a slot across a page's end; an unknown extra; a GSO extra of size 0 or unknown type; 20 slots
 *   answered with an error: 19 slots; slots larger than the packet; fewer than 14 bytes in the first slot;
 *     a page that is not granted
 *
 * The first 128 bytes are copied, over slots where they are spread; pages that hold more are mapped and stay
 * so until the frame is let go of (hold). A slot that was copied whole is answered at once, the others then.
 */
#include "netback_priv.h"
#include <string.h>

#define ETH_HEADER 14u

/* The packet being taken off the ring. */
struct tx_packet {
    struct netif_tx_request slot[NETBACK_SLOTS_FATAL];
    uint32_t slots;
    uint32_t total;
    uint32_t extras;
    bool has[XEN_NETIF_EXTRA_TYPE_MAX];
    struct netif_extra_info extra[XEN_NETIF_EXTRA_TYPE_MAX];
    const char *bad; /* to be answered with an error: why */
};

static inline void respond(struct netback_queue *queue, uint16_t id, int16_t status,
                           uint32_t extras)
{
    struct ring *ring = &queue->tx;
    uint32_t raw = id | (uint32_t)(uint16_t)status << 16;
    memcpy(&ring->page->slot.tx[ring->rsp_prod++ & (RING_SLOTS - 1)], &raw, sizeof(raw));
    for (uint32_t i = 0; i < extras; i++) {
        ring->page->slot.tx[ring->rsp_prod++ & (RING_SLOTS - 1)].rsp.status = NETIF_RSP_NULL;
    }
}

static void respond_error(struct netback_queue *queue, const struct tx_packet *packet)
{
    queue->nb->stats.tx_errors++;
    for (uint32_t i = 0; i < packet->slots; i++) {
        respond(queue, packet->slot[i].id, NETIF_RSP_ERROR, i == 0 ? packet->extras : 0);
    }
}

/* Copies the next slot off the ring; false: none was published. */
static bool next_slot(struct netback_queue *queue, uint32_t prod, void *slot)
{
    struct ring *ring = &queue->tx;
    if (ring->req_cons == prod) {
        return false;
    }
    memcpy(slot, &ring->page->slot.tx[ring->req_cons & (RING_SLOTS - 1)],
           sizeof(struct netif_tx_request));
    ring->req_cons++;
    return true;
}

static bool take_extras(struct netback_queue *queue, uint32_t prod, struct tx_packet *packet)
{
    union {
        struct netif_tx_request request;
        struct netif_extra_info extra;
    } slot;
    do {
        if (!next_slot(queue, prod, &slot)) {
            netback_disable(queue->nb, "missing extra info");
            return false;
        }
        if (slot.extra.type == XEN_NETIF_EXTRA_TYPE_NONE ||
            slot.extra.type >= XEN_NETIF_EXTRA_TYPE_MAX) {
            netback_disable(queue->nb, "invalid extra type");
            return false;
        }
        packet->extras++;
        packet->has[slot.extra.type] = true;
        packet->extra[slot.extra.type] = slot.extra;
    } while (slot.extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return true;
}

/* Takes the slots behind the first; its size becomes that of its own bytes. */
static bool take_chain(struct netback_queue *queue, uint32_t prod, struct tx_packet *packet)
{
    struct netif_tx_request *first = &packet->slot[0];
    uint32_t own = first->size;
    while (packet->slot[packet->slots - 1].flags & NETTXF_more_data) {
        struct netif_tx_request *slot = &packet->slot[packet->slots];
        if (packet->slots + 1 >= NETBACK_SLOTS_FATAL) {
            netback_disable(queue->nb, "too many slots");
            return false;
        }
        if (!next_slot(queue, prod, slot)) {
            netback_disable(queue->nb, "chain goes on where no slot was published");
            return false;
        }
        packet->slots++;
        if (packet->slots > NETBACK_SLOTS_MAX) {
            packet->bad = "more than 18 slots";
        }
        if (slot->size > own && !packet->bad) {
            packet->bad = "slots larger than the packet";
        }
        own = slot->size > own ? 0 : own - slot->size;
        if ((uint32_t)slot->offset + slot->size > WISP_PAGE_SIZE) {
            netback_disable(queue->nb, "slot crosses a page boundary");
            return false;
        }
    }
    first->size = (uint16_t)own;
    return true;
}

static bool check_packet(struct netback_queue *queue, struct tx_packet *packet)
{
    const struct netif_tx_request *first = &packet->slot[0];
    if (!packet->bad && first->size < ETH_HEADER) {
        packet->bad = "fewer than 14 bytes in the first slot";
    }
    if (packet->bad) {
        return true;
    }
    if ((uint32_t)first->offset + first->size > WISP_PAGE_SIZE) {
        netback_disable(queue->nb, "slot crosses a page boundary");
        return false;
    }
    if (packet->has[XEN_NETIF_EXTRA_TYPE_GSO]) {
        const struct netif_extra_info *extra = &packet->extra[XEN_NETIF_EXTRA_TYPE_GSO];
        if (extra->u.gso.size == 0) {
            netback_disable(queue->nb, "GSO size is zero");
            return false;
        }
        if (extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
            extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6) {
            netback_disable(queue->nb, "bad GSO type");
            return false;
        }
    }
    return true;
}

/* ---- the packet's bytes ---- */

/* Lets go of the mapped slots of packet and answers them. */
static void release(struct netback_queue *queue, const struct held_packet *packet)
{
    for (uint32_t i = 0; i < packet->slots; i++) {
        wisp_memxen_unmap(queue->nb->xen, packet->slot[i].gref, false);
        respond(queue, packet->slot[i].id, NETIF_RSP_OKAY, 0);
    }
}

/*
 * Copies the head, maps the rest. Slots copied whole are answered here. Returns false, with everything
 * undone and answered, when a page is not granted.
 */
static bool gather(struct netback_queue *queue, const struct tx_packet *packet,
                   struct wisp_frame *frame, struct held_packet *held)
{
    struct wisp_memxen *xen = queue->nb->xen;
    uint32_t head = 0;
    const uint8_t *mapped[NETBACK_SLOTS_FATAL];
    uint32_t copied[NETBACK_SLOTS_FATAL];
    held->slots = 0;
    frame->pieces = 1;
    for (uint32_t i = 0; i < packet->slots; i++) {
        const struct netif_tx_request *slot = &packet->slot[i];
        uint32_t part = NETBACK_COPY - head < slot->size ? NETBACK_COPY - head : slot->size;
        bool good = part == 0 ||
                    wisp_memxen_copy_out(xen, slot->gref, slot->offset, queue->head + head, part);
        mapped[i] = good && part < slot->size ? wisp_memxen_map(xen, slot->gref, false) : NULL;
        copied[i] = part;
        head += part;
        if (mapped[i]) {
            held->slot[held->slots++] = (struct held_slot){slot->gref, slot->id};
            frame->piece[frame->pieces++] =
                (struct wisp_piece){mapped[i] + slot->offset + part, slot->size - part};
        }
        if (!good || (part < slot->size && !mapped[i])) {
            for (uint32_t k = 0; k < held->slots; k++) {
                wisp_memxen_unmap(xen, held->slot[k].gref, false);
            }
            return false;
        }
    }
    frame->piece[0] = (struct wisp_piece){queue->head, head};
    uint32_t extras = packet->extras;
    for (uint32_t i = 0; i < packet->slots; i++) {
        if (!mapped[i] && copied[i] == packet->slot[i].size) {
            respond(queue, packet->slot[i].id, NETIF_RSP_OKAY, extras);
            extras = 0;
        }
    }
    /* The extras' own answers belong to no page: they need not wait either. */
    for (; extras > 0; extras--) {
        queue->tx.page->slot.tx[queue->tx.rsp_prod++ & (RING_SLOTS - 1)].rsp.status =
            NETIF_RSP_NULL;
    }
    return true;
}

/* Linux cannot find the checksum field in what is no TCP or UDP, and drops such a packet. */
static __attribute__((noinline)) bool find_checksum(const struct wisp_frame *frame)
{
    uint32_t start;
    uint8_t protocol;
    const struct wisp_piece *head = &frame->piece[0];
    if (head->length >= ETH_HEADER && head->bytes[12] == 0x86 && head->bytes[13] == 0xdd) {
        return true;
    }
    return wisp_frame_transport(head->bytes, head->length, &start, &protocol) &&
           (protocol == 6 || (protocol == 17 && !frame->gso_size));
}

static inline bool checksum_found(const struct wisp_frame *frame)
{
    return (!frame->csum_blank && !frame->gso_size) || find_checksum(frame);
}

static void count_packet(struct wisp_netback *nb, const struct tx_packet *packet,
                         const struct wisp_frame *frame)
{
    nb->stats.tx_packets++;
    nb->stats.tx_bytes += packet->total;
    nb->stats.tx_slots += packet->slots + packet->extras;
    nb->stats.tx_extras += packet->extras;
    nb->stats.tx_gso += frame->gso_size != 0;
    nb->stats.tx_blank += frame->csum_blank;
    nb->stats.tx_gso_fixup += frame->gso_size != 0 && !frame->csum_blank;
}

static void deliver(struct netback_queue *queue, const struct tx_packet *packet, wisp_time now)
{
    struct wisp_netback *nb = queue->nb;
    struct held_packet *held = &queue->held[queue->held_in & (RING_SLOTS - 1)];
    uint16_t flags = packet->slot[0].flags;
    struct wisp_frame frame;
    frame.length = packet->total;
    frame.csum_blank = (flags & NETTXF_csum_blank) != 0;
    frame.validated = (flags & (NETTXF_data_validated | NETTXF_csum_blank)) != 0;
    frame.gso_size = packet->has[XEN_NETIF_EXTRA_TYPE_GSO]
                         ? packet->extra[XEN_NETIF_EXTRA_TYPE_GSO].u.gso.size
                         : 0;
    frame.queue = queue->number;
    if (!gather(queue, packet, &frame, held)) {
        respond_error(queue, packet);
        return;
    }
    count_packet(nb, packet, &frame);
    if (checksum_found(&frame) && nb->config.frame) {
        nb->config.frame(nb->config.context, &frame, now);
    }
    if (nb->config.hold == 0 || held->slots == 0) {
        release(queue, held);
        return;
    }
    held->until = wisp_time_add(now, nb->config.hold);
    queue->held_in++;
}

/* ---- packets of one small slot: most of what is not data ---- */

/* Nothing of it is mapped, nothing follows it, nothing is wrong with it. */
static inline bool is_small(const struct netif_tx_request *slot)
{
    return !(slot->flags & (NETTXF_extra_info | NETTXF_more_data)) && slot->size >= ETH_HEADER &&
           slot->size <= NETBACK_COPY && (uint32_t)slot->offset + slot->size <= WISP_PAGE_SIZE;
}

static inline __attribute__((always_inline)) void
deliver_small(struct netback_queue *queue, const struct netif_tx_request *slot, wisp_time now)
{
    struct wisp_netback *nb = queue->nb;
    struct wisp_frame frame;
    if (!wisp_memxen_copy_out(nb->xen, slot->gref, slot->offset, queue->head, slot->size)) {
        nb->stats.tx_errors++;
        respond(queue, slot->id, NETIF_RSP_ERROR, 0);
        return;
    }
    frame.piece[0] = (struct wisp_piece){queue->head, slot->size};
    frame.pieces = 1;
    frame.length = slot->size;
    frame.csum_blank = (slot->flags & NETTXF_csum_blank) != 0;
    frame.validated = (slot->flags & (NETTXF_data_validated | NETTXF_csum_blank)) != 0;
    frame.gso_size = 0;
    frame.queue = queue->number;
    respond(queue, slot->id, NETIF_RSP_OKAY, 0);
    nb->stats.tx_packets++;
    nb->stats.tx_bytes += slot->size;
    nb->stats.tx_slots++;
    nb->stats.tx_blank += frame.csum_blank;
    if (nb->config.frame && checksum_found(&frame)) {
        nb->config.frame(nb->config.context, &frame, now);
    }
}

/* ---- multicast control ---- */

static uint32_t find_group(const struct wisp_netback *nb, const uint8_t *addr)
{
    uint32_t i = 0;
    while (i < nb->multicasts && memcmp(nb->multicast[i].octet, addr, 6) != 0) {
        i++;
    }
    return i;
}

static bool join(struct wisp_netback *nb, const uint8_t *addr)
{
    uint32_t i = find_group(nb, addr);
    if (i == NETBACK_MULTICAST) {
        return false;
    }
    memcpy(nb->multicast[i].octet, addr, 6);
    nb->multicasts += i == nb->multicasts;
    return true;
}

static void leave(struct wisp_netback *nb, const uint8_t *addr)
{
    uint32_t i = find_group(nb, addr);
    if (i < nb->multicasts) {
        nb->multicast[i] = nb->multicast[--nb->multicasts];
    }
}

/* True when the request was about multicast groups and is answered. */
static bool multicast_request(struct netback_queue *queue, const struct tx_packet *packet)
{
    struct wisp_netback *nb = queue->nb;
    if (packet->has[XEN_NETIF_EXTRA_TYPE_MCAST_ADD]) {
        bool good = join(nb, packet->extra[XEN_NETIF_EXTRA_TYPE_MCAST_ADD].u.mcast.addr);
        respond(queue, packet->slot[0].id, good ? NETIF_RSP_OKAY : NETIF_RSP_ERROR, packet->extras);
        return true;
    }
    if (packet->has[XEN_NETIF_EXTRA_TYPE_MCAST_DEL]) {
        leave(nb, packet->extra[XEN_NETIF_EXTRA_TYPE_MCAST_DEL].u.mcast.addr);
        respond(queue, packet->slot[0].id, NETIF_RSP_OKAY, packet->extras);
        return true;
    }
    return false;
}

/* ---- the ring ---- */

/* False: the rate's credit is used up; the ring waits. */
static __attribute__((noinline)) bool has_credit(struct netback_queue *queue, uint32_t size,
                                                 wisp_time now)
{
    const struct wisp_netback_config *config = &queue->nb->config;
    const uint64_t burst = config->credit_bytes > 131072 ? config->credit_bytes : 131072;
    if (config->credit_bytes == 0) {
        return true;
    }
    if (now >= queue->credit_at) {
        uint64_t credit = queue->credit + config->credit_bytes;
        queue->credit = credit < burst ? credit : burst;
        queue->credit_at = wisp_time_add(now, config->credit_time);
    }
    if (size > queue->credit) {
        queue->nb->stats.credit_waits++;
        return false;
    }
    queue->credit -= size;
    return true;
}

/* A hostile backend's way with a packet: answered before it was read, its pages kept. */
static void answer_early(struct netback_queue *queue, const struct tx_packet *packet)
{
    for (uint32_t i = 0; i < packet->slots; i++) {
        netback_keep(queue->nb, packet->slot[i].gref, false);
        respond(queue, packet->slot[i].id, NETIF_RSP_OKAY, i == 0 ? packet->extras : 0);
    }
}

/* The rest of the packet whose first slot was taken; false: the device is disabled. Kept apart, so that small
 * packets do not pay for its registers. */
static __attribute__((noinline)) bool take_rest(struct netback_queue *queue, uint32_t prod,
                                                struct netif_tx_request first, wisp_time now)
{
    struct tx_packet packet;
    packet.extras = 0;
    packet.bad = NULL;
    packet.slots = 1;
    packet.slot[0] = first;
    packet.total = first.size;
    memset(packet.has, 0, sizeof(packet.has));
    if ((first.flags & NETTXF_extra_info) && !take_extras(queue, prod, &packet)) {
        return false;
    }
    if (multicast_request(queue, &packet)) {
        return true;
    }
    if (!take_chain(queue, prod, &packet) || !check_packet(queue, &packet)) {
        return false;
    }
    if (packet.bad) {
        respond_error(queue, &packet);
    } else if (queue->nb->habits.early_tx) {
        answer_early(queue, &packet);
    } else {
        deliver(queue, &packet, now);
    }
    return true;
}

/* Takes one packet; false: nothing more to take now. fast: no credit to count, no habit to follow. */
static inline __attribute__((always_inline)) bool
take_packet(struct netback_queue *queue, uint32_t prod, bool fast, wisp_time now)
{
    struct netif_tx_request first;
    const struct ring *ring = &queue->tx;
    if (ring->req_cons == prod || queue->held_in - queue->held_out == RING_SLOTS ||
        (!fast &&
         !has_credit(queue, ring->page->slot.tx[ring->req_cons & (RING_SLOTS - 1)].req.size,
                     now))) {
        return false;
    }
    next_slot(queue, prod, &first);
    if (!fast || !is_small(&first)) {
        return take_rest(queue, prod, first, now);
    }
    deliver_small(queue, &first, now);
    return true;
}

void netback_tx_work(struct netback_queue *queue, wisp_time now)
{
    struct wisp_netback *nb = queue->nb;
    if (!queue->tx_work || nb->habits.stall_tx) {
        return;
    }
    uint32_t prod = ring_req_prod(&queue->tx);
    if (prod - queue->tx.req_cons > RING_SLOTS) {
        netback_disable(nb, "impossible number of requests");
        return;
    }
    bool fast = nb->config.credit_bytes == 0 && !nb->habits.early_tx;
    while (take_packet(queue, prod, fast, now)) {
    }
    if (nb->fatal) {
        return;
    }
    if (queue->tx.req_cons == prod) {
        /* Sleep only when nothing came between the last look and the asking. */
        uint32_t later = nb->habits.deaf ? prod : ring_ask(&queue->tx, queue->tx.req_cons + 1);
        queue->tx_work = later != queue->tx.req_cons;
    }
}

void netback_tx_release(struct netback_queue *queue, wisp_time now)
{
    while (queue->held_out != queue->held_in) {
        const struct held_packet *packet = &queue->held[queue->held_out & (RING_SLOTS - 1)];
        if (packet->until > now) {
            return;
        }
        release(queue, packet);
        queue->held_out++;
    }
}

void netback_tx_drop_held(struct netback_queue *queue)
{
    while (queue->held_out != queue->held_in) {
        const struct held_packet *packet = &queue->held[queue->held_out++ & (RING_SLOTS - 1)];
        for (uint32_t i = 0; i < packet->slots; i++) {
            wisp_memxen_unmap(queue->nb->xen, packet->slot[i].gref, false);
        }
    }
}
