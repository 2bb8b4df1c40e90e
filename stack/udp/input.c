/* SPDX-License-Identifier: ISC */
/*
 * Received datagrams (RFC 768, RFC 1122 §4.1, RFC 8085) and ICMP errors.
 *
 * A queued datagram leaves the device's packet at once, for one of UDP's own, so that a slow
 * application cannot starve reception of packets. A payload of up to SMALL bytes is copied onto a
 * page shared by such payloads of its socket; a larger one stays on its pages. What sockets hold is
 * charged in pages; a shared page is charged with the first payload on it.
 */
#include "sum.h"
#include "udp_priv.h"

#define SMALL (WISP_CELL_BODY - WISP_UDP_HEADER) /* fits the header cell, if it is sent back */

/* Zero: the sender computed none. Otherwise the sum over pseudo-header and datagram must be right,
 * unless the device vouches for it. */
static bool checksum_is_good(const struct wisp_udp *udp, const struct wisp_pkt *pkt,
                             const struct wisp_arrival *arrival, const struct wisp_udp_header *h)
{
    if (h->checksum == 0 || pkt->csum != WISP_CSUM_UNKNOWN) {
        return true;
    }
    uint16_t sum =
        udp->l3->ops->pseudo_sum(&arrival->local, &arrival->remote, WISP_UDP_PROTOCOL, h->length);
    return wisp_sum_add(sum, wisp_pkt_sum(pkt, 0, h->length, udp->l3->sum)) == 0xffff;
}

static enum wisp_udp_count check(const struct wisp_udp *udp, struct wisp_pkt *pkt,
                                 const struct wisp_arrival *arrival, struct wisp_udp_header *h)
{
    uint8_t bytes[WISP_UDP_HEADER];
    if (!wisp_pkt_read(pkt, 0, bytes, sizeof(bytes))) {
        return WISP_UDP_RX_SHORT;
    }
    *h = wisp_udp_parse(bytes);
    if (h->length < WISP_UDP_HEADER || h->length > pkt->length) {
        return WISP_UDP_RX_BAD_LENGTH;
    }
    if (!checksum_is_good(udp, pkt, arrival, h)) {
        return WISP_UDP_RX_BAD_CHECKSUM;
    }
    return h->source == 0 || h->destination == 0 ? WISP_UDP_RX_PORT_ZERO : WISP_UDP_RX_DELIVERED;
}

/* The pages *charge says fit; counts them. */
static bool charge_pages(struct wisp_udp *udp, uint32_t charge)
{
    if (udp->config.pages - udp->pages < charge) {
        return false;
    }
    udp->pages += charge;
    return true;
}

/* Room for length bytes on the socket's shared page, a new one if need be. */
static uint8_t *collect_room(struct wisp_udp_socket *socket, uint32_t length, uint32_t *charge)
{
    struct wisp_udp *udp = socket->udp;
    *charge = 0;
    if (socket->collect && socket->collect_at + length > WISP_PAGE_SIZE) {
        wisp_page_unref(socket->collect);
        socket->collect = NULL;
    }
    if (!socket->collect) {
        if (!charge_pages(udp, 1)) {
            return NULL;
        }
        socket->collect = wisp_page_alloc(udp->l3->pages, WISP_ROLE_PRIVATE, WISP_HOLDER_UDP);
        socket->collect_at = 0;
        if (!socket->collect) {
            udp->pages--;
            return NULL;
        }
        *charge = 1;
    }
    return socket->collect->data + socket->collect_at;
}

/* Copies the payload at pkt to the shared page and onto own. */
static bool collect(struct wisp_udp_socket *socket, struct wisp_pkt *own,
                    const struct wisp_pkt *pkt, uint32_t *charge)
{
    uint8_t *room = collect_room(socket, pkt->length, charge);
    if (!room) {
        return false;
    }
    wisp_pkt_read(pkt, 0, room, pkt->length);
    wisp_page_ref(socket->collect);
    if (pkt->length > 0) {
        wisp_pkt_append(own, socket->collect, socket->collect_at, pkt->length);
    } else {
        own->view[own->views++] = (struct wisp_view){socket->collect, socket->collect_at, 0};
    }
    socket->collect_at += pkt->length;
    socket->udp->count[WISP_UDP_BYTES_COLLECTED] += pkt->length;
    return true;
}

/* Hands pkt's pages to own. */
static bool take_over(struct wisp_udp *udp, struct wisp_pkt *own, const struct wisp_pkt *pkt,
                      uint32_t *charge)
{
    *charge = pkt->views;
    if (!charge_pages(udp, pkt->views)) {
        return false;
    }
    for (uint32_t i = 0; i < pkt->views; i++) {
        const struct wisp_view *view = &pkt->view[i];
        wisp_page_ref(view->page);
        wisp_page_hold(view->page, WISP_HOLDER_UDP);
        wisp_pkt_append(own, view->page, view->offset, view->length);
    }
    return true;
}

static bool enqueue(struct wisp_udp_socket *socket, const struct wisp_pkt *pkt,
                    const struct wisp_arrival *arrival, const struct wisp_udp_header *h)
{
    struct wisp_udp *udp = socket->udp;
    uint32_t charge;
    if (socket->in - socket->out == udp->config.queue) {
        return false;
    }
    struct wisp_pkt *own = wisp_pkt_alloc(udp->packets);
    if (!own) {
        return false;
    }
    bool fits = pkt->length <= SMALL ? collect(socket, own, pkt, &charge)
                                     : take_over(udp, own, pkt, &charge);
    if (!fits) {
        wisp_pkt_drop(own);
        return false;
    }
    struct udp_entry *entry = &socket->queue[socket->in++ % udp->config.queue];
    entry->pages = charge;
    entry->datagram = (struct wisp_udp_datagram){.local = arrival->local,
                                                 .remote = arrival->remote,
                                                 .local_port = h->destination,
                                                 .remote_port = h->source,
                                                 .ttl = arrival->ttl,
                                                 .tos = arrival->tos,
                                                 .broadcast = arrival->broadcast,
                                                 .pkt = own};
    wisp_udp_make_ready(socket);
    return true;
}

static enum wisp_udp_count deliver(struct wisp_udp *udp, struct wisp_pkt *pkt,
                                   const struct wisp_arrival *arrival,
                                   const struct wisp_udp_header *h, wisp_time now)
{
    struct wisp_udp_socket *socket =
        wisp_udp_find(udp, &arrival->local, h->destination, arrival->broadcast);
    if (!socket) {
        udp->l3->ops->refuse(udp->l3->self, pkt, arrival, now);
        return WISP_UDP_RX_NO_SOCKET;
    }
    wisp_pkt_trim(pkt, h->length);
    wisp_pkt_pull(pkt, WISP_UDP_HEADER);
    return enqueue(socket, pkt, arrival, h) ? WISP_UDP_RX_DELIVERED : WISP_UDP_RX_QUEUE_FULL;
}

void wisp_udp_input(void *self, struct wisp_pkt *pkt, const struct wisp_arrival *arrival,
                    wisp_time now)
{
    struct wisp_udp *udp = self;
    struct wisp_udp_header h;
    enum wisp_udp_count verdict = check(udp, pkt, arrival, &h);
    if (verdict == WISP_UDP_RX_DELIVERED) {
        verdict = deliver(udp, pkt, arrival, &h, now);
    }
    udp->count[verdict]++;
    wisp_pkt_drop(pkt);
}

/* RFC 1122 §4.1.3.3. All that can be checked of a datagram that was not kept: its socket is there
 * and has sent something. The newest error stays. */
void wisp_udp_icmp_error(void *self, const struct wisp_icmp_error *error, wisp_time now)
{
    struct wisp_udp *udp = self;
    struct wisp_udp_header h = wisp_udp_parse(error->quote);
    struct wisp_udp_socket *socket = wisp_udp_find(udp, &error->local, h.source, false);
    (void)now;
    if (!socket || !socket->has_sent) {
        udp->count[WISP_UDP_RX_ERROR_UNMATCHED]++;
        return;
    }
    udp->count[WISP_UDP_RX_ERROR]++;
    socket->error = *error;
    socket->error_port = h.destination;
    socket->has_error = true;
    wisp_udp_make_ready(socket);
}
