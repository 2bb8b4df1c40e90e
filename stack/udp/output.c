/* SPDX-License-Identifier: ISC */
/*
 * Sending datagrams (RFC 768, RFC 8085 §3.4). The checksum is always there: left to the device if
 * it offers to, and the datagram needs no cutting; computed otherwise, with a computed zero sent as
 * all ones.
 */
#include "sum.h"
#include "udp_priv.h"

#define CELL_PAYLOAD (WISP_CELL_BODY - WISP_UDP_HEADER)

/* Where a datagram goes, and the packet that will carry it, with room for the header already taken.
 */
struct outgoing {
    struct wisp_flow flow;
    uint16_t port;
    struct wisp_pkt *pkt;
    uint8_t *header;
};

static enum wisp_err refuse(struct wisp_udp *udp, struct outgoing *out, enum wisp_err err)
{
    udp->count[WISP_UDP_TX_REFUSED]++;
    wisp_pkt_drop(out->pkt);
    return err;
}

/* Chooses the source and takes a packet. Without any address of ours only a broadcast can leave, as
 * DHCP's do: the network layer decides. */
static enum wisp_err start(struct wisp_udp_socket *socket, const struct wisp_addr *local,
                           const struct wisp_addr *remote, uint16_t port, uint32_t length,
                           struct outgoing *out)
{
    struct wisp_udp *udp = socket->udp;
    *out = (struct outgoing){.port = port};
    out->flow = (struct wisp_flow){
        .remote = *remote, .protocol = WISP_UDP_PROTOCOL, .ttl = socket->ttl, .tos = socket->tos};
    if (port == 0 || length > WISP_UDP_PAYLOAD_MAX) {
        return refuse(udp, out, WISP_ERR_INVALID);
    }
    if (local) {
        out->flow.local = *local;
    } else if (socket->local.family != WISP_FAMILY_NONE) {
        out->flow.local = socket->local;
    } else {
        udp->l3->ops->source(udp->l3->self, remote, &out->flow.local);
    }
    out->pkt = udp->l3->ops->alloc(udp->l3->self, false);
    if (!out->pkt) {
        return refuse(udp, out, WISP_ERR_AGAIN);
    }
    out->header = wisp_pkt_extend(out->pkt, WISP_UDP_HEADER);
    return WISP_OK;
}

static void put_checksum(struct wisp_udp *udp, struct outgoing *out)
{
    struct wisp_pkt *pkt = out->pkt;
    const struct wisp_l3 *l3 = udp->l3;
    uint16_t sum =
        l3->ops->pseudo_sum(&out->flow.local, &out->flow.remote, WISP_UDP_PROTOCOL, pkt->length);
    uint8_t *field = out->header + WISP_UDP_CSUM_OFFSET;
    if (l3->udp.csum_tx &&
        pkt->length + l3->udp.overhead <= l3->ops->mtu(l3->self, &out->flow.remote)) {
        pkt->csum = WISP_CSUM_BLANK;
        pkt->csum_start = 0;
        pkt->csum_offset = WISP_UDP_CSUM_OFFSET;
        wisp_sum_store_blank(field, sum);
        return;
    }
    sum = wisp_sum_add(sum, wisp_pkt_sum(pkt, 0, pkt->length, l3->sum));
    wisp_sum_store(field, sum == 0xffff ? 0 : sum);
}

static enum wisp_err finish(struct wisp_udp_socket *socket, struct outgoing *out, wisp_time now)
{
    struct wisp_udp *udp = socket->udp;
    struct wisp_udp_header h = {
        .source = socket->port, .destination = out->port, .length = (uint16_t)out->pkt->length};
    bool unconfigured = out->flow.local.family == WISP_FAMILY_NONE;
    wisp_udp_emit(out->header, &h);
    put_checksum(udp, out);
    enum wisp_err err = udp->l3->ops->send(udp->l3->self, out->pkt, &out->flow, now);
    if (err == WISP_OK) {
        socket->has_sent = true;
    }
    udp->count[err == WISP_OK ? WISP_UDP_TX_SENT : WISP_UDP_TX_REFUSED]++;
    return err == WISP_ERR_ADDRESS_LOST && unconfigured ? WISP_ERR_UNREACHABLE : err;
}

/* Appends bytes on pages of the stack's. False: pages ran out. */
static bool add_copied(struct wisp_udp *udp, struct wisp_pkt *pkt, const uint8_t *bytes,
                       uint32_t length)
{
    udp->count[WISP_UDP_BYTES_COPIED] += length;
    while (length > 0) {
        uint32_t part = length < WISP_PAGE_SIZE ? length : WISP_PAGE_SIZE;
        struct wisp_page *page =
            wisp_page_alloc(udp->l3->pages, WISP_ROLE_SEND, WISP_HOLDER_PACKET);
        if (!page) {
            return false;
        }
        memcpy(page->data, bytes, part);
        wisp_pkt_append(pkt, page, 0, part);
        bytes += part;
        length -= part;
    }
    return true;
}

enum wisp_err wisp_udp_send(struct wisp_udp_socket *socket, const struct wisp_addr *local,
                            const struct wisp_addr *remote, uint16_t port, const void *bytes,
                            uint32_t length, wisp_time now)
{
    struct outgoing out;
    enum wisp_err err = start(socket, local, remote, port, length, &out);
    if (err != WISP_OK) {
        return err;
    }
    if (length == 0) {
        return finish(socket, &out, now);
    }
    if (length <= CELL_PAYLOAD) {
        memcpy(wisp_pkt_extend(out.pkt, length), bytes, length);
    } else if (!add_copied(socket->udp, out.pkt, bytes, length)) {
        return refuse(socket->udp, &out, WISP_ERR_AGAIN);
    }
    return finish(socket, &out, now);
}

/* Appends views by reference; copies what no device may read. False: pages or views ran out. */
static bool add_views(struct wisp_udp *udp, struct wisp_pkt *pkt, const struct wisp_view *views,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].length > 0 && !wisp_pkt_append_received(pkt, &views[i], udp->l3->pages,
                                                             &udp->count[WISP_UDP_BYTES_COPIED])) {
            return false;
        }
    }
    return true;
}

static void copy_views(uint8_t *to, const struct wisp_view *views, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        memcpy(to, wisp_view_bytes(&views[i]), views[i].length);
        to += views[i].length;
    }
}

enum wisp_err wisp_udp_send_views(struct wisp_udp_socket *socket, const struct wisp_addr *local,
                                  const struct wisp_addr *remote, uint16_t port,
                                  const struct wisp_view *views, uint32_t count, wisp_time now)
{
    struct outgoing out;
    uint32_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        length += views[i].length;
    }
    enum wisp_err err = start(socket, local, remote, port, length, &out);
    if (err != WISP_OK) {
        return err;
    }
    if (length <= CELL_PAYLOAD) {
        copy_views(wisp_pkt_extend(out.pkt, length), views, count);
    } else if (count > socket->udp->l3->udp.views) {
        return refuse(socket->udp, &out, WISP_ERR_INVALID);
    } else if (!add_views(socket->udp, out.pkt, views, count)) {
        return refuse(socket->udp, &out, WISP_ERR_AGAIN);
    }
    return finish(socket, &out, now);
}

enum wisp_err wisp_udp_send_pkt(struct wisp_udp_socket *socket, const struct wisp_addr *local,
                                const struct wisp_addr *remote, uint16_t port, struct wisp_pkt *pkt,
                                wisp_time now)
{
    enum wisp_err err =
        wisp_udp_send_views(socket, local, remote, port, pkt->view, pkt->views, now);
    wisp_pkt_drop(pkt);
    return err;
}
