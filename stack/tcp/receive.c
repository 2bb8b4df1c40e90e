/* SPDX-License-Identifier: ISC */
/*
 * The receive queue and the window (RFC 9293 §3.8.6). Payload stays on the pages the device filled, one entry
 * per view; a small payload is collected on a page of the connection (role PRIVATE) once another is queued,
 * so that no page is pinned for a few bytes each.
 *
 * Charging is by pages (conn->pages): an entry costs a page unless the one before it lies on the same. The
 * right edge offered never moves back (SHLD-14); how far it moves forward depends on bytes unread and pages
 * left, a page being counted for what a full segment of this connection puts on it.
 */
#include "assert.h"
#include "tcp_priv.h"
#include <string.h>

/* Payload below this is copied together with its neighbours: more when half the page budget is used. */
static uint32_t collect_below(const struct wisp_tcp_conn *conn)
{
    return 2u * conn->pages > conn->tcp->config.receive_pages ? 4 * TCP_SMALL : TCP_SMALL;
}

static bool charge_left(const struct wisp_tcp_conn *conn)
{
    return conn->pages < conn->tcp->config.receive_pages;
}

/* Appends a view, referencing its page anew. */
static bool receive_push(struct wisp_tcp_conn *conn, const struct wisp_view *view)
{
    struct tcp_part *part = conn->part;
    bool same = !chain_empty(&part->receive) && chain_back(&part->receive)->view.page == view->page;
    if (!same && !charge_left(conn)) {
        return false;
    }
    union tcp_entry *entry = chain_push(&part->receive, &conn->tcp->blocks);
    if (!entry) {
        return false;
    }
    wisp_view_set(&entry->view, view->page, view->offset, view->length);
    wisp_page_ref(view->page);
    wisp_page_hold(view->page, WISP_HOLDER_TCP_RECEIVE);
    conn->pages = (uint16_t)(conn->pages + !same);
    part->unread += view->length;
    return true;
}

/* The last entry, if it is a page of ours with length bytes of room behind it that nobody else holds. */
static struct wisp_view *collecting(const struct tcp_part *part, uint32_t length)
{
    if (chain_empty(&part->receive)) {
        return NULL;
    }
    struct wisp_view *last = &chain_back(&part->receive)->view;
    bool fits = last->page->role == WISP_ROLE_PRIVATE && last->page->refs == 1 &&
                last->offset + last->length + length <= WISP_PAGE_SIZE;
    return fits ? last : NULL;
}

static bool collect(struct wisp_tcp_conn *conn, const struct wisp_view *view)
{
    struct wisp_view *last = collecting(conn->part, view->length);
    if (last) {
        memcpy(wisp_view_bytes(last) + last->length, wisp_view_bytes(view), view->length);
        last->length += view->length;
        conn->part->unread += view->length;
        conn->tcp->count[TCP_COPIED_COLLECT] += view->length;
        return true;
    }
    struct wisp_page *page =
        wisp_page_alloc(conn->tcp->l3->pages, WISP_ROLE_PRIVATE, WISP_HOLDER_TCP_RECEIVE);
    if (!page) {
        return false;
    }
    struct wisp_view copy = {page, 0, view->length};
    memcpy(page->data, wisp_view_bytes(view), view->length);
    bool done = receive_push(conn, &copy);
    conn->tcp->count[TCP_COPIED_COLLECT] += done ? view->length : 0;
    wisp_page_unref(page);
    return done;
}

bool wisp_tcp_receive_view(struct wisp_tcp_conn *conn, const struct wisp_view *view)
{
    bool alone = chain_empty(&conn->part->receive);
    bool done = !alone && view->length < collect_below(conn) ? collect(conn, view)
                                                             : receive_push(conn, view);
    if (done) {
        conn->rcv_nxt = seq_add(conn->rcv_nxt, view->length);
        tcp_count_received(conn, view->length);
    }
    return done;
}

/* A packet sent to ourselves may bring payload in its own header cell, which cannot be kept. */
static bool keep(struct wisp_tcp_conn *conn, const struct wisp_pkt *pkt,
                 const struct wisp_view *view)
{
    bool cell = pkt->cell.length && view->page == pkt->cell.page;
    if (!cell) {
        return wisp_tcp_receive_view(conn, view);
    }
    bool done = collect(conn, view);
    conn->rcv_nxt = seq_add(conn->rcv_nxt, done ? view->length : 0);
    tcp_count_received(conn, done ? view->length : 0);
    return done;
}

static void take_in_order(struct wisp_tcp_conn *conn, const struct wisp_pkt *pkt, uint32_t skip,
                          uint32_t length)
{
    for (uint32_t i = 0; length > 0; i++) {
        const struct wisp_view *from = &pkt->view[i];
        if (skip >= from->length) {
            skip -= from->length;
            continue;
        }
        struct wisp_view view;
        uint32_t left = from->length - skip;
        wisp_view_set(&view, from->page, from->offset + skip, left < length ? left : length);
        skip = 0;
        length -= view.length;
        if (!keep(conn, pkt, &view)) {
            wisp_tcp_reorder_prune(conn);
            if (!keep(conn, pkt, &view)) {
                conn->tcp->count[TCP_RX_NO_MEMORY]++;
                return;
            }
        }
    }
}

/* What is due for data that came in order: at once for every second full segment (SHLD-19), else later. */
void wisp_tcp_receive_acknowledge(struct wisp_tcp_conn *conn, wisp_time now)
{
    if (conn->flags & TCP_ACK_NOW) {
        return;
    }
    if (seq_span(conn->ack_sent, conn->rcv_nxt) >= 2u * conn->mss) {
        conn->flags |= TCP_ACK_NOW;
        wisp_tcp_output_add(conn);
    } else if (!(conn->flags & TCP_ACK_LATER)) {
        wisp_time at = wisp_time_add(now, conn->tcp->config.delayed_ack);
        wisp_tcp_timer_late(conn, at);
    }
}

static void ack_at_once(struct wisp_tcp_conn *conn)
{
    conn->flags |= TCP_ACK_NOW;
    wisp_tcp_output_add(conn);
}

void wisp_tcp_receive_text(struct wisp_tcp_conn *conn, struct wisp_pkt *pkt,
                           const struct tcp_segment *seg, wisp_time now)
{
    struct tcp_seq seq = seg->seq;
    uint32_t skip = seg->header;
    uint32_t length = seg->length;
    if (seq_before(seq, conn->rcv_nxt)) {
        uint32_t old = seq_span(seq, conn->rcv_nxt);
        old = old < length ? old : length;
        conn->tcp->count[TCP_RX_DUPLICATE_BYTES] += old;
        seq = seq_add(seq, old);
        skip += old;
        length -= old;
        ack_at_once(conn);
    }
    uint32_t room = seq_before(seq, conn->rcv_edge) ? seq_span(seq, conn->rcv_edge) : 0;
    length = length < room ? length : room;
    if (length == 0) {
        return;
    }
    conn->tcp->count[TCP_RX_BYTES] += length;
    if (!wisp_tcp_part_get_at_place(conn)) {
        conn->tcp->count[TCP_RX_NO_MEMORY]++;
        return;
    }
    if (seq_equal(seq, conn->rcv_nxt)) {
        take_in_order(conn, pkt, skip, length);
        if (conn->part->reordered) {
            wisp_tcp_reorder_deliver(conn);
            ack_at_once(conn);
        }
        wisp_tcp_receive_acknowledge(conn, now);
        wisp_tcp_event_add(conn);
    } else {
        wisp_tcp_reorder_insert(conn, pkt, seq, skip, length);
        ack_at_once(conn);
    }
    if (conn->part->unread == 0) {
        wisp_tcp_part_settle(conn, now);
    }
}

/* Bytes a page of the budget is good for. */
static uint32_t per_page(const struct wisp_tcp_conn *conn)
{
    return conn->mss <= WISP_PAGE_SIZE ? conn->mss : WISP_PAGE_SIZE / 2;
}

uint32_t wisp_tcp_receive_window(const struct wisp_tcp_conn *conn)
{
    const struct wisp_tcp_config *config = &conn->tcp->config;
    uint32_t used = conn->taken + (conn->part ? conn->part->unread : 0);
    uint32_t bytes = config->receive_window > used ? config->receive_window - used : 0;
    uint32_t pages = charge_left(conn) ? config->receive_pages - conn->pages : 0;
    uint64_t most = (uint64_t)pages * per_page(conn);
    return bytes < most ? bytes : (uint32_t)most;
}

/* Takes the first length bytes (at most the first entry's) off the queue and, unless kept, drops its page. */
static void take_front(struct wisp_tcp_conn *conn, uint32_t length, bool kept)
{
    struct tcp_part *part = conn->part;
    struct wisp_view *view = &chain_front(&part->receive)->view;
    struct wisp_page *page = view->page;
    part->unread -= length;
    if (length < view->length) {
        view->offset += length;
        view->length -= length;
        return;
    }
    chain_pop(&part->receive, &conn->tcp->blocks);
    bool more = !chain_empty(&part->receive) && chain_front(&part->receive)->view.page == page;
    if (kept) {
        conn->pages = (uint16_t)(conn->pages + more);
        return;
    }
    conn->pages = (uint16_t)(conn->pages - !more);
    wisp_page_unref(page);
}

/* All there is unread, in one entry that nobody else's page is: the usual case of taking off the
 * front. */
static bool take_single(struct wisp_tcp_conn *conn, uint32_t length)
{
    struct tcp_part *part = conn->part;
    if (length != part->unread || !chain_is_single(&part->receive)) {
        return false;
    }
    struct wisp_page *page = chain_front(&part->receive)->view.page;
    chain_pop_single(&part->receive);
    part->unread = 0;
    conn->pages--;
    wisp_page_unref(page);
    return true;
}

bool wisp_tcp_receive_opened(const struct wisp_tcp_conn *conn)
{
    uint32_t whole = conn->tcp->config.receive_window;
    uint32_t worth = 2u * conn->mss < whole / 2 ? 2u * conn->mss : whole / 2;
    if (seq_span(conn->rcv_nxt, conn->rcv_edge) + worth > whole) {
        return false; /* nearly all of it is offered */
    }
    struct tcp_seq edge = seq_add(conn->rcv_nxt, wisp_tcp_receive_window(conn));
    return seq_after(edge, conn->rcv_edge) && seq_span(conn->rcv_edge, edge) >= worth;
}

/* The application made room: the step looks again whether that is worth telling. */
static void made_room(struct wisp_tcp_conn *conn)
{
    if (!(conn->flags & TCP_FIN_ARRIVED) && wisp_tcp_receive_opened(conn)) {
        conn->flags |= TCP_CHECK_UPDATE;
        wisp_tcp_output_add(conn);
    }
}

static void read_done(struct wisp_tcp_conn *conn)
{
    if ((conn->flags & TCP_URGENT_IN) && !wisp_tcp_urgent(conn)) {
        conn->flags &= ~(uint32_t)TCP_URGENT_IN;
    }
    wisp_tcp_part_settle(conn, conn->tcp->now);
    made_room(conn);
}

uint32_t wisp_tcp_readable(const struct wisp_tcp_conn *conn)
{
    return conn->part ? conn->part->unread : 0;
}

uint32_t wisp_tcp_peek(struct wisp_tcp_conn *conn, struct wisp_view *views, uint32_t max)
{
    uint32_t n = 0;
    if (!conn->part) {
        return 0;
    }
    struct tcp_spot spot = chain_begin(&conn->part->receive);
    for (union tcp_entry *entry; n < max && (entry = chain_at(spot)) != NULL;
         spot = chain_after(spot)) {
        views[n++] = entry->view;
    }
    return n;
}

void wisp_tcp_consume(struct wisp_tcp_conn *conn, uint32_t length)
{
    WISP_ASSERT(length <= wisp_tcp_readable(conn));
    if (length == 0) {
        return;
    }
    while (length > 0 && !take_single(conn, length)) {
        uint32_t first = chain_front(&conn->part->receive)->view.length;
        uint32_t part = first < length ? first : length;
        take_front(conn, part, false);
        length -= part;
    }
    read_done(conn);
}

uint32_t wisp_tcp_read(struct wisp_tcp_conn *conn, void *bytes, uint32_t length)
{
    uint8_t *to = bytes;
    uint32_t done = 0;
    uint32_t readable = wisp_tcp_readable(conn);
    length = length < readable ? length : readable;
    while (done < length) {
        const struct wisp_view *view = &chain_front(&conn->part->receive)->view;
        uint32_t part = view->length < length - done ? view->length : length - done;
        memcpy(to + done, wisp_view_bytes(view), part);
        take_front(conn, part, false);
        done += part;
    }
    conn->tcp->count[TCP_COPIED_READ] += done;
    if (done) {
        read_done(conn);
    }
    return done;
}

uint32_t wisp_tcp_take(struct wisp_tcp_conn *conn, struct wisp_view *views, uint32_t max)
{
    uint32_t n = 0;
    while (n < max && conn->part && !chain_empty(&conn->part->receive)) {
        views[n] = chain_front(&conn->part->receive)->view;
        wisp_page_hold(views[n].page, WISP_HOLDER_APP);
        conn->taken += views[n].length;
        take_front(conn, views[n].length, true);
        n++;
    }
    if (n) {
        read_done(conn);
    }
    return n;
}

void wisp_tcp_let_go(struct wisp_tcp_conn *conn, const struct wisp_view *view)
{
    wisp_page_unref(view->page);
    if (conn) {
        WISP_ASSERT(conn->taken >= view->length && conn->pages > 0);
        conn->taken -= view->length;
        conn->pages--;
        made_room(conn);
    }
}

uint32_t wisp_tcp_urgent(const struct wisp_tcp_conn *conn)
{
    if (!(conn->flags & TCP_URGENT_IN) || !conn->part) {
        return 0;
    }
    struct tcp_seq first_unread = seq_sub(conn->rcv_nxt, conn->part->unread);
    if (conn->flags & TCP_FIN_ARRIVED) {
        first_unread = seq_sub(first_unread, 1);
    }
    return seq_after(conn->part->rcv_up, first_unread) ? seq_span(first_unread, conn->part->rcv_up)
                                                       : 0;
}

void wisp_tcp_receive_drop(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    while (!chain_empty(&part->receive)) {
        take_front(conn, chain_front(&part->receive)->view.length, false);
    }
    wisp_tcp_reorder_prune(conn);
    part->fin_known = false;
    conn->flags &= ~(uint32_t)TCP_URGENT_IN;
}
