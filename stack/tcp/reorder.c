/* SPDX-License-Identifier: ISC */
/*
 * Data out of order (RFC 9293 SHLD-31): pieces of pages, sorted by sequence number and disjoint; of two arrivals of
 * the same byte the first counts. Bounded in count, and in pages by the connection's budget; when pages run
 * short all of it goes first, as it was never acknowledged.
 *
 * Also what SACK reports (RFC 2018): the run the latest arrival lies in first, then earlier ones. Runs are
 * not kept but read off the pieces when an acknowledgement is built, once per step.
 */
#include "tcp_priv.h"

static struct tcp_seq piece_end(const struct tcp_piece *piece)
{
    return seq_add(piece->seq, piece->length);
}

/* The first piece that ends behind seq; the spot may name none. */
static struct tcp_spot piece_find(const struct tcp_chain *pieces, struct tcp_seq seq)
{
    struct tcp_spot spot = chain_begin(pieces);
    while (spot.block && spot.block->next &&
           !seq_after(piece_end(&block_entry(spot.block, spot.block->end - 1u)->piece), seq)) {
        spot.block = spot.block->next;
        spot.index = spot.block->first;
    }
    for (union tcp_entry *entry; (entry = chain_at(spot)) != NULL; spot = chain_after(spot)) {
        if (seq_after(piece_end(&entry->piece), seq)) {
            break;
        }
    }
    return spot;
}

static bool insert(struct wisp_tcp_conn *conn, struct tcp_spot spot, const struct tcp_piece *piece)
{
    struct tcp_chain *pieces = &conn->part->pieces;
    struct tcp_blocks *pool = &conn->tcp->blocks;
    if (pieces->count >= TCP_REORDER_MAX || conn->pages >= conn->tcp->config.receive_pages) {
        return false;
    }
    if (chain_at(spot)) {
        if (!wisp_tcp_chain_insert(pieces, pool, &spot)) {
            return false;
        }
        block_entry(spot.block, spot.index)->piece = *piece;
    } else {
        union tcp_entry *entry = chain_push(pieces, pool);
        if (!entry) {
            return false;
        }
        entry->piece = *piece;
    }
    wisp_page_ref(piece->page);
    wisp_page_hold(piece->page, WISP_HOLDER_TCP_REORDER);
    conn->pages++;
    conn->part->reordered += piece->length;
    return true;
}

/* Inserts those parts of view, whose first byte is seq, that are not there yet. */
static bool insert_view(struct wisp_tcp_conn *conn, const struct wisp_view *view,
                        struct tcp_seq seq)
{
    struct tcp_seq end = seq_add(seq, view->length);
    uint32_t offset = view->offset;
    while (seq_before(seq, end)) {
        struct tcp_spot spot = piece_find(&conn->part->pieces, seq);
        union tcp_entry *next = chain_at(spot);
        uint32_t gap = seq_span(seq, end);
        if (next && !seq_after(next->piece.seq, seq)) {
            uint32_t covered = seq_span(seq, piece_end(&next->piece));
            covered = covered < gap ? covered : gap;
            conn->tcp->count[TCP_RX_DUPLICATE_BYTES] += covered;
            seq = seq_add(seq, covered);
            offset += covered;
            continue;
        }
        if (next && seq_before(next->piece.seq, end)) {
            gap = seq_span(seq, next->piece.seq);
        }
        struct tcp_piece piece = {view->page, seq, (uint16_t)offset, (uint16_t)gap};
        if (!insert(conn, spot, &piece)) {
            return false;
        }
        seq = seq_add(seq, gap);
        offset += gap;
    }
    return true;
}

/* The latest arrival goes first; the array is short. */
static void remember(struct tcp_part *part, struct tcp_seq seq)
{
    uint32_t n = part->recents < TCP_RECENT ? part->recents : TCP_RECENT - 1;
    for (uint32_t i = n; i > 0; i--) {
        part->recent[i] = part->recent[i - 1];
    }
    part->recent[0] = seq;
    part->recents = (uint8_t)(n + 1);
}

/* A new arrival that continues the run of the latest one replaces it, so that four runs are remembered. */
static void note_arrival(struct tcp_part *part, struct tcp_seq seq, uint32_t length)
{
    struct tcp_spot spot = piece_find(&part->pieces, part->recent[0]);
    const union tcp_entry *entry = part->recents ? chain_at(spot) : NULL;
    bool continues = entry && seq_equal(piece_end(&entry->piece), seq);
    if (continues) {
        part->recent[0] = seq;
    } else {
        remember(part, seq);
    }
    (void)length;
}

void wisp_tcp_reorder_insert(struct wisp_tcp_conn *conn, const struct wisp_pkt *pkt,
                             struct tcp_seq seq, uint32_t skip, uint32_t length)
{
    conn->tcp->count[TCP_RX_OUT_OF_ORDER]++;
    note_arrival(conn->part, seq, length);
    for (uint32_t i = 0; length > 0; i++) {
        struct wisp_view view = pkt->view[i];
        if (skip >= view.length) {
            skip -= view.length;
            continue;
        }
        view.offset += skip;
        view.length -= skip;
        view.length = view.length < length ? view.length : length;
        skip = 0;
        bool cell = pkt->cell.length && view.page == pkt->cell.page;
        if (cell || !insert_view(conn, &view, seq)) {
            conn->tcp->count[TCP_RX_NO_MEMORY]++;
            return;
        }
        seq = seq_add(seq, view.length);
        length -= view.length;
    }
}

static void piece_pop(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    const struct tcp_piece *piece = &chain_front(&part->pieces)->piece;
    struct wisp_page *page = piece->page;
    part->reordered -= piece->length;
    conn->pages--;
    chain_pop(&part->pieces, &conn->tcp->blocks);
    wisp_page_unref(page);
}

void wisp_tcp_reorder_deliver(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    while (part->reordered) {
        struct tcp_piece piece = chain_front(&part->pieces)->piece;
        if (seq_after(piece.seq, conn->rcv_nxt)) {
            return;
        }
        uint32_t old = seq_span(piece.seq, conn->rcv_nxt);
        if (old < piece.length) {
            struct wisp_view view = {piece.page, piece.offset + old, piece.length - old};
            conn->pages--; /* its charge moves along */
            bool done = wisp_tcp_receive_view(conn, &view);
            conn->pages++;
            if (!done) {
                wisp_tcp_reorder_prune(conn);
                return;
            }
        }
        piece_pop(conn);
    }
    part->recents = 0;
}

void wisp_tcp_reorder_prune(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    if (part->reordered) {
        conn->tcp->count[TCP_RX_PRUNED]++;
    }
    while (part->reordered) {
        piece_pop(conn);
    }
    part->recents = 0;
}

/* The run of pieces around seq, if there is one. */
static bool run_of(const struct tcp_part *part, struct tcp_seq seq, struct tcp_sack *run)
{
    struct tcp_spot spot = chain_begin(&part->pieces);
    bool inside = false;
    for (union tcp_entry *entry; (entry = chain_at(spot)) != NULL; spot = chain_after(spot)) {
        const struct tcp_piece *piece = &entry->piece;
        if (!inside || !seq_equal(piece->seq, run->end)) {
            if (inside && seq_before(seq, run->end)) {
                return true;
            }
            run->start = piece->seq;
            inside = true;
        }
        run->end = piece_end(piece);
        if (seq_before(seq, run->start)) {
            return false;
        }
    }
    return inside && seq_before(seq, run->end);
}

static bool reported(const struct tcp_sack *blocks, uint32_t n, const struct tcp_sack *run)
{
    for (uint32_t i = 0; i < n; i++) {
        if (seq_equal(blocks[i].start, run->start)) {
            return true;
        }
    }
    return false;
}

uint32_t wisp_tcp_reorder_blocks(const struct wisp_tcp_conn *conn, struct tcp_sack *blocks,
                                 uint32_t max)
{
    const struct tcp_part *part = conn->part;
    uint32_t n = 0;
    for (uint32_t i = 0; i < part->recents && n < max; i++) {
        struct tcp_sack run;
        if (run_of(part, part->recent[i], &run) && !reported(blocks, n, &run)) {
            blocks[n++] = run;
        }
    }
    return n;
}
