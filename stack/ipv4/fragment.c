/* SPDX-License-Identifier: ISC */
/*
 * Cutting a datagram into fragments (RFC 791 §3.2). Each piece has a packet and a header cell of
 * its own; payload pages are referenced, not copied; only what lay in the datagram's own cell
 * (headers and a small payload) is copied, since that cell goes free with its packet. All pieces or
 * none are sent.
 */
#include "assert.h"
#include "ipv4_priv.h"

/* Appends length bytes of pkt from offset on to piece. False: too many views. */
static bool add_bytes(struct wisp_pkt *piece, const struct wisp_pkt *pkt, uint32_t offset,
                      uint32_t length)
{
    for (uint32_t i = 0; length > 0; i++) {
        const struct wisp_view *view = &pkt->view[i];
        if (offset >= view->length) {
            offset -= view->length;
            continue;
        }
        uint32_t part = view->length - offset;
        part = part < length ? part : length;
        if (view->page == pkt->cell.page) {
            memcpy(wisp_pkt_extend(piece, part), wisp_view_bytes(view) + offset, part);
        } else {
            if (!wisp_pkt_append(piece, view->page, view->offset + offset, part)) {
                return false;
            }
            wisp_page_ref(view->page);
        }
        length -= part;
        offset = 0;
    }
    return true;
}

/* The piece of pkt (payload only) from offset on, with its header; null: no packet, or too many
 * views. */
static struct wisp_pkt *make_piece(struct wisp_ipv4 *ip, const struct wisp_pkt *pkt,
                                   const struct wisp_ipv4_header *whole, uint32_t offset,
                                   uint32_t length)
{
    struct wisp_pkt *piece = wisp_ethif_alloc(ip->eth, false);
    if (!piece) {
        return NULL;
    }
    uint8_t *p = wisp_pkt_push(piece, WISP_IPV4_HEADER);
    if (!add_bytes(piece, pkt, offset, length)) {
        wisp_pkt_drop(piece);
        return NULL;
    }
    struct wisp_ipv4_header h = *whole;
    h.total = (uint16_t)(WISP_IPV4_HEADER + length);
    h.fragment = (uint16_t)(offset / 8 | (offset + length < pkt->length ? WISP_IPV4_MF : 0));
    wisp_ipv4_emit(p, &h);
    return piece;
}

static uint32_t piece_payload(const struct wisp_ipv4 *ip)
{
    return (ip->eth->dev->caps.mtu - WISP_IPV4_HEADER) & ~7u;
}

/* Makes and sends the pieces of pkt, which is at its payload. */
static bool send_pieces(struct wisp_ipv4 *ip, struct wisp_pkt *pkt,
                        const struct wisp_ipv4_header *whole, const uint8_t *header, wisp_time now)
{
    uint32_t most = piece_payload(ip);
    if (wisp_ethif_room(ip->eth) < (pkt->length + most - 1) / most) {
        return false;
    }
    for (uint32_t offset = 0; offset < pkt->length; offset += most) {
        uint32_t left = pkt->length - offset;
        struct wisp_pkt *piece = make_piece(ip, pkt, whole, offset, left < most ? left : most);
        if (!piece) {
            return false;
        }
        if (left <= most) {
            /* Whoever waits for the device to let go of the datagram waits for its last piece. */
            piece->owner = pkt->owner;
            piece->mark = pkt->mark;
            piece->mark_value = pkt->mark_value;
        }
        ip->count[WISP_IPV4_TX_FRAGMENTS]++;
        wisp_ethif_send(ip->eth, piece, header, now);
    }
    return true;
}

void wisp_ipv4_fragment(struct wisp_ipv4 *ip, struct wisp_pkt *pkt, const uint8_t *header,
                        wisp_time now)
{
    struct wisp_ipv4_header whole;
    wisp_ipv4_parse(wisp_pkt_head(pkt), &whole);
    if (whole.fragment & WISP_IPV4_DF) {
        ip->count[WISP_IPV4_TX_TOO_BIG]++; /* the MTU shrank while it waited */
        wisp_pkt_drop(pkt);
        return;
    }
    wisp_pkt_fill_csum(pkt, ip->l3.sum);
    wisp_pkt_pull(pkt, WISP_IPV4_HEADER);
    bool sent = send_pieces(ip, pkt, &whole, header, now);
    ip->count[sent ? WISP_IPV4_TX_FRAGMENTED : WISP_IPV4_TX_NO_PACKET]++;
    wisp_pkt_drop(pkt);
}
