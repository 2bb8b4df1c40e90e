/* SPDX-License-Identifier: ISC */
/*
 * The send queue: views the application lent or pages its bytes were copied to, from SND.UNA to the last byte
 * queued. part->next is where SND.NXT stands in it. Each entry holds one page reference, dropped when its
 * last byte is acknowledged; packets under way hold their own.
 *
 * A few bytes written while nothing is queued take no page: they lie in the working part (part->own), in the
 * first and only view without a page. Every segment copies them behind its headers.
 */
#include "assert.h"
#include "tcp_priv.h"
#include <string.h>

static bool may_send(const struct wisp_tcp_conn *conn)
{
    const uint32_t states = 1u << WISP_TCP_STATE_ESTABLISHED | 1u << WISP_TCP_STATE_CLOSE_WAIT |
                            1u << WISP_TCP_STATE_SYN_SENT | 1u << WISP_TCP_STATE_SYN_RECEIVED;
    return !(conn->flags & TCP_FIN_WANTED) && (states >> conn->state & 1);
}

/* Views behind the cursor; with none unsent it moves to what is about to be appended. */
static void appended(struct wisp_tcp_conn *conn, uint32_t offset, uint32_t bytes)
{
    struct tcp_part *part = conn->part;
    if (part->unsent == 0) {
        part->next.at = chain_last(&part->send);
        part->next.offset = offset;
    }
    part->unsent += bytes;
}

/* Appends a view and takes over a reference of its page. */
static bool send_push(struct wisp_tcp_conn *conn, const struct wisp_view *view)
{
    struct tcp_part *part = conn->part;
    if (part->send.count >= conn->tcp->config.send_pages) {
        return false;
    }
    union tcp_entry *entry = chain_push(&part->send, &conn->tcp->blocks);
    if (!entry) {
        conn->tcp->count[TCP_STARVED]++;
        return false;
    }
    wisp_view_set(&entry->view, view->page, view->offset, view->length);
    appended(conn, 0, view->length);
    return true;
}

static void let_go(const struct wisp_view *view)
{
    if (view->page) {
        wisp_page_unref(view->page);
    }
}

/* More bytes right behind the last ones queued, on the same page. */
static bool extends(const struct tcp_part *part, const struct wisp_page *page, uint32_t offset)
{
    if (chain_empty(&part->send)) {
        return false;
    }
    const struct wisp_view *last = &chain_back(&part->send)->view;
    return last->page == page && last->offset + last->length == offset;
}

static void extend(struct wisp_tcp_conn *conn, uint32_t bytes)
{
    struct wisp_view *last = &chain_back(&conn->part->send)->view;
    uint32_t before = last->length;
    last->length += bytes;
    appended(conn, before, bytes);
}

uint32_t wisp_tcp_send(struct wisp_tcp_conn *conn, const struct wisp_view *views, uint32_t count)
{
    uint32_t taken = 0;
    if (!may_send(conn) || !wisp_tcp_part_get(conn)) {
        conn->flags |= TCP_HUNGRY;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct wisp_view *view = &views[i];
        WISP_ASSERT(view->offset + view->length <= WISP_PAGE_SIZE);
        if (view->length == 0) {
            continue;
        }
        if (extends(conn->part, view->page, view->offset)) {
            extend(conn, view->length);
        } else if (send_push(conn, view)) {
            wisp_page_ref(view->page);
            wisp_page_hold(view->page, WISP_HOLDER_TCP_SEND);
        } else {
            conn->flags |= TCP_HUNGRY;
            break;
        }
        taken += view->length;
    }
    if (taken) {
        wisp_tcp_output_add(conn);
    } else {
        wisp_tcp_part_settle(conn, conn->tcp->now);
    }
    return taken;
}

/* Where the next copied byte goes: behind the last one, or onto a new page. Null: neither can be had. */
static struct wisp_view *write_room(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    struct wisp_view *last = chain_empty(&part->send) ? NULL : &chain_back(&part->send)->view;
    if (last && last->page && last->page == part->u.used.write_page &&
        last->offset + last->length < WISP_PAGE_SIZE) {
        return last;
    }
    struct wisp_page *page =
        wisp_page_alloc(conn->tcp->l3->pages, WISP_ROLE_SEND, WISP_HOLDER_TCP_SEND);
    struct wisp_view view = {page, 0, 0};
    if (!page || !send_push(conn, &view)) {
        if (page) {
            wisp_page_unref(page);
        }
        return NULL;
    }
    part->u.used.write_page = page;
    return &chain_back(&part->send)->view;
}

/* A call of memcpy costs more than to copy so few. */
static void copy_few(uint8_t *to, const uint8_t *from, uint32_t length)
{
    uint64_t word;
    for (; length >= 8; length -= 8, to += 8, from += 8) {
        memcpy(&word, from, 8);
        memcpy(to, &word, 8);
    }
    for (; length > 0; length--) {
        *to++ = *from++;
    }
}

/* Puts all of it beside the connection, if nothing else is queued and it is little. */
static bool write_own(struct wisp_tcp_conn *conn, const uint8_t *bytes, uint32_t length)
{
    struct tcp_part *part = conn->part;
    if (length > TCP_OWN_BYTES || part->send.count > 1) {
        return false;
    }
    if (part->send.count == 0) {
        union tcp_entry *entry = chain_push_single(&part->send);
        wisp_view_set(&entry->view, NULL, 0, length);
        part->next.at = chain_single(&part->send);
        part->next.offset = 0;
        part->unsent = length;
        copy_few(part->own, bytes, length);
        return true;
    }
    const struct wisp_view *last = &chain_back(&part->send)->view;
    uint32_t at = last->offset + last->length;
    if (last->page || at + length > TCP_OWN_BYTES) {
        return false;
    }
    copy_few(part->own + at, bytes, length);
    extend(conn, length);
    return true;
}

/* Copies onto pages; gives how much. */
static uint32_t write_pages(struct wisp_tcp_conn *conn, const uint8_t *from, uint32_t length)
{
    uint32_t taken = 0;
    while (taken < length) {
        struct wisp_view *last = write_room(conn);
        if (!last) {
            conn->flags |= TCP_HUNGRY;
            break;
        }
        uint32_t at = last->offset + last->length;
        uint32_t part = WISP_PAGE_SIZE - at < length - taken ? WISP_PAGE_SIZE - at : length - taken;
        memcpy(last->page->data + at, from + taken, part);
        extend(conn, part);
        taken += part;
    }
    return taken;
}

uint32_t wisp_tcp_write(struct wisp_tcp_conn *conn, const void *bytes, uint32_t length)
{
    if (!may_send(conn) || length == 0 || !wisp_tcp_part_get(conn)) {
        conn->flags |= TCP_HUNGRY;
        return 0;
    }
    uint32_t taken = write_own(conn, bytes, length) ? length : write_pages(conn, bytes, length);
    conn->tcp->count[TCP_COPIED_WRITE] += taken;
    if (taken) {
        wisp_tcp_output_add(conn);
    } else {
        wisp_tcp_part_settle(conn, conn->tcp->now);
    }
    return taken;
}

uint32_t wisp_tcp_send_room(const struct wisp_tcp_conn *conn)
{
    struct wisp_tcp *tcp = conn->tcp;
    if (!may_send(conn) || (!conn->part && !tcp->parts.free)) {
        return 0;
    }
    uint32_t used = conn->part ? conn->part->send.count : 0;
    uint32_t views = used < tcp->config.send_pages ? tcp->config.send_pages - used : 0;
    uint32_t pages = wisp_pool_available(tcp->l3->pages);
    uint32_t slots = tcp->blocks.available * TCP_BLOCK_ENTRIES;
    slots = slots + used > 0 ? slots : 1; /* the only view needs no block */
    views = views < pages ? views : pages;
    views = views < slots ? views : slots;
    uint32_t room = views * WISP_PAGE_SIZE;
    if (used && conn->part->u.used.write_page &&
        chain_back(&conn->part->send)->view.page == conn->part->u.used.write_page) {
        const struct wisp_view *last = &chain_back(&conn->part->send)->view;
        room += WISP_PAGE_SIZE - last->offset - last->length;
    }
    return room;
}

void wisp_tcp_mark_urgent(struct wisp_tcp_conn *conn)
{
    if (!conn->part || conn->part->unsent == 0) {
        return;
    }
    conn->part->snd_up = seq_add(conn->snd_nxt, conn->part->unsent);
    conn->flags |= TCP_URGENT_OUT;
    wisp_tcp_output_add(conn);
}

/* Bytes from SND.UNA on, sent or not; FIN does not count. */
static uint32_t outstanding(const struct wisp_tcp_conn *conn)
{
    uint32_t flight = tcp_in_flight(conn);
    bool no_data = conn->state == WISP_TCP_STATE_SYN_SENT ||
                   conn->state == WISP_TCP_STATE_SYN_RECEIVED ||
                   ((conn->flags & TCP_FIN_SENT) && flight > 0);
    return flight - (no_data && flight ? 1 : 0) + (conn->part ? conn->part->unsent : 0);
}

uint64_t wisp_tcp_queued(const struct wisp_tcp_conn *conn)
{
    return tcp_acked(conn) + outstanding(conn);
}

uint64_t wisp_tcp_released(const struct wisp_tcp_conn *conn)
{
    return wisp_tcp_record_released(conn);
}

void wisp_tcp_send_acked(struct wisp_tcp_conn *conn, uint32_t bytes)
{
    struct tcp_part *part = conn->part;
    while (bytes > 0) {
        struct wisp_view *view = &chain_front(&part->send)->view;
        if (bytes < view->length) {
            if (part->unsent && &chain_at(part->next.at)->view == view) {
                part->next.offset -= bytes;
            }
            view->offset += bytes;
            view->length -= bytes;
            return;
        }
        bytes -= view->length;
        if (view->page == part->u.used.write_page) {
            part->u.used.write_page = NULL;
        }
        let_go(view);
        chain_pop(&part->send, &conn->tcp->blocks);
    }
}

void wisp_tcp_send_drop(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    while (!chain_empty(&part->send)) {
        let_go(&chain_front(&part->send)->view);
        chain_pop(&part->send, &conn->tcp->blocks);
    }
    while (!chain_empty(&part->records)) {
        chain_pop(&part->records, &conn->tcp->blocks);
    }
    part->held_at.block = NULL;
    part->u.used.write_page = NULL;
    part->unsent = 0;
    part->lost = 0;
    conn->flags &= ~(uint32_t)TCP_URGENT_OUT;
}

void wisp_tcp_send_find(const struct wisp_tcp_conn *conn, struct tcp_seq seq,
                        struct tcp_cursor *cursor)
{
    uint32_t skip = seq_span(conn->snd_una, seq);
    cursor->at = chain_begin(&conn->part->send);
    for (union tcp_entry *entry; (entry = chain_at(cursor->at)) != NULL;
         cursor->at = chain_after(cursor->at)) {
        if (skip < entry->view.length) {
            break;
        }
        skip -= entry->view.length;
    }
    cursor->offset = skip;
}

uint32_t wisp_tcp_send_reach(const struct tcp_cursor *cursor, uint32_t want, uint32_t views)
{
    struct tcp_spot spot = cursor->at;
    uint32_t offset = cursor->offset;
    uint32_t reach = 0;
    for (union tcp_entry *entry; views > 0 && reach < want && (entry = chain_at(spot)) != NULL;
         views--) {
        reach += entry->view.length - offset;
        offset = 0;
        spot = chain_after(spot);
    }
    return reach < want ? reach : want;
}
