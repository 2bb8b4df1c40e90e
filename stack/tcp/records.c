/* SPDX-License-Identifier: ISC */
/*
 * Transmit records: one per segment with data that was sent, in sequence order, until the segment is both
 * acknowledged and let go of by the device. A packet's mark_value is its record's first number, so a
 * completion finds it; completions come nearly always in order, so part->held_at names the next expected.
 *
 * Invariants: records are disjoint and ascending and cover SND.UNA .. SND.NXT without SYN and FIN; a HELD record
 * is neither split, trimmed nor removed; part->lost is the number of bytes of LOST records beyond SND.UNA.
 */
#include "tcp_priv.h"

static struct tcp_seq record_end(const struct tcp_record *record)
{
    return seq_add(record->seq, record->length);
}

bool wisp_tcp_record_push(struct wisp_tcp_conn *conn, struct tcp_seq seq, uint32_t length,
                          wisp_time now)
{
    union tcp_entry *entry = chain_push(&conn->part->records, &conn->tcp->blocks);
    if (!entry) {
        conn->tcp->count[TCP_STARVED]++;
        return false;
    }
    entry->record = (struct tcp_record){seq, length & 0xffffffu, TCP_RECORD_HELD, now};
    return true;
}

static void record_pop(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    const struct tcp_block *head = part->records.u.list.head; /* no block, if it is single */
    chain_pop(&part->records, &conn->tcp->blocks);
    if (part->held_at.block == head && part->records.u.list.head != head) {
        part->held_at.block = NULL;
    }
}

void wisp_tcp_record_clear_lost(struct wisp_tcp_conn *conn, struct tcp_record *record)
{
    if (record->flags & TCP_RECORD_LOST) {
        record->flags &= (uint8_t)~TCP_RECORD_LOST;
        conn->part->lost -= record->length;
    }
}

/* The first record begins where nothing is acknowledged yet. */
static void trim(struct wisp_tcp_conn *conn, struct tcp_record *record)
{
    if (!seq_before(record->seq, conn->snd_una) || (record->flags & TCP_RECORD_HELD)) {
        return;
    }
    uint32_t done = seq_span(record->seq, conn->snd_una);
    if (record->flags & TCP_RECORD_LOST) {
        conn->part->lost -= done;
    }
    record->seq = conn->snd_una;
    record->length = (record->length - done) & 0xffffffu;
}

/* Acknowledged records the device still holds stay, but are not lost. */
static void pardon_held(struct wisp_tcp_conn *conn)
{
    struct tcp_spot spot = chain_begin(&conn->part->records);
    union tcp_entry *entry;
    while ((entry = chain_at(spot)) != NULL &&
           !seq_after(record_end(&entry->record), conn->snd_una)) {
        wisp_tcp_record_clear_lost(conn, &entry->record);
        spot = chain_after(spot);
    }
}

/* One acknowledgement of something sent again is no sample for what was sent once either (MUST-18): the latter may
 * have waited at the peer, out of order, for as long as the recovery took. */
wisp_time wisp_tcp_record_acked(struct wisp_tcp_conn *conn)
{
    struct tcp_part *part = conn->part;
    wisp_time newest = WISP_NEVER;
    bool again = false;
    while (!chain_empty(&part->records)) {
        struct tcp_record *record = &chain_front(&part->records)->record;
        if (seq_after(record_end(record), conn->snd_una)) {
            trim(conn, record);
            break;
        }
        again |= (record->flags & TCP_RECORD_AGAIN) != 0;
        newest = record->sent_at;
        if (record->flags & TCP_RECORD_HELD) {
            pardon_held(conn);
            break;
        }
        wisp_tcp_record_clear_lost(conn, record);
        record_pop(conn);
    }
    return again ? WISP_NEVER : newest;
}

static struct tcp_record *find_held(struct wisp_tcp_conn *conn, struct tcp_seq seq)
{
    struct tcp_part *part = conn->part;
    if (part->records.count == 1 && seq_equal(chain_front(&part->records)->record.seq, seq)) {
        return &chain_front(&part->records)->record; /* a quiet connection's only one */
    }
    struct tcp_spot spot = part->held_at;
    union tcp_entry *entry = chain_at(spot);
    if (!entry || spot.index < spot.block->first || !seq_equal(entry->record.seq, seq)) {
        spot = chain_begin(&part->records);
        while ((entry = chain_at(spot)) != NULL && !seq_equal(entry->record.seq, seq)) {
            spot = chain_after(spot);
        }
    }
    part->held_at = entry ? chain_after(spot) : (struct tcp_spot){NULL, 0};
    return entry ? &entry->record : NULL;
}

void wisp_tcp_record_sent(struct wisp_tcp_conn *conn, struct tcp_seq seq)
{
    struct tcp_record *record = conn->part ? find_held(conn, seq) : NULL;
    if (!record) {
        return;
    }
    record->flags &= (uint8_t)~TCP_RECORD_HELD;
    if (seq_after(record_end(record), conn->snd_una)) {
        if (record->flags & TCP_RECORD_LOST) {
            wisp_tcp_output_add(conn);
        }
        return;
    }
    if (record == &chain_front(&conn->part->records)->record) {
        wisp_tcp_record_acked(conn);
        if (conn->part->unsent) {
            wisp_tcp_output_add(conn); /* there may have been no block */
        }
        if (conn->want & WISP_TCP_RELEASED) {
            conn->flags |= TCP_TELL_RELEASED;
            wisp_tcp_event_add(conn);
        }
        wisp_tcp_part_settle(conn, conn->tcp->now);
    }
}

static void lose(struct wisp_tcp_conn *conn, struct tcp_record *record)
{
    if (!(record->flags & TCP_RECORD_LOST)) {
        record->flags |= TCP_RECORD_LOST;
        conn->part->lost += record->length;
    }
}

void wisp_tcp_record_lose_all(struct wisp_tcp_conn *conn)
{
    struct tcp_spot spot = chain_begin(&conn->part->records);
    for (union tcp_entry *entry; (entry = chain_at(spot)) != NULL; spot = chain_after(spot)) {
        if (seq_after(record_end(&entry->record), conn->snd_una)) {
            lose(conn, &entry->record);
        }
    }
}

/* Cuts the record at *spot after length bytes; both parts keep its flags. False: no block, nothing changed. */
static bool split_record(struct wisp_tcp_conn *conn, struct tcp_spot *spot, uint32_t length)
{
    struct tcp_part *part = conn->part;
    struct tcp_spot second = {spot->block, spot->index + 1};
    if (!wisp_tcp_chain_insert(&part->records, &conn->tcp->blocks, &second)) {
        conn->tcp->count[TCP_STARVED]++;
        return false;
    }
    part->held_at.block = NULL;
    *spot = (struct tcp_spot){second.block, second.index - 1};
    struct tcp_record *a = &block_entry(spot->block, spot->index)->record;
    struct tcp_record *b = a + 1;
    *b = *a;
    b->seq = seq_add(a->seq, length);
    b->length = (a->length - length) & 0xffffffu;
    a->length = length & 0xffffffu;
    return true;
}

void wisp_tcp_record_lose_first(struct wisp_tcp_conn *conn, uint32_t length)
{
    struct tcp_spot spot = chain_begin(&conn->part->records);
    union tcp_entry *entry;
    while ((entry = chain_at(spot)) != NULL &&
           !seq_after(record_end(&entry->record), conn->snd_una)) {
        spot = chain_after(spot);
    }
    if (!entry) {
        return;
    }
    trim(conn, &entry->record);
    if (!(entry->record.flags & TCP_RECORD_HELD) && entry->record.length > length) {
        split_record(conn, &spot, length);
    }
    lose(conn, &chain_at(spot)->record);
}

struct tcp_record *wisp_tcp_record_next_lost(struct wisp_tcp_conn *conn, uint32_t most)
{
    struct tcp_spot spot = chain_begin(&conn->part->records);
    for (union tcp_entry *entry; (entry = chain_at(spot)) != NULL; spot = chain_after(spot)) {
        struct tcp_record *record = &entry->record;
        if (!(record->flags & TCP_RECORD_LOST)) {
            continue;
        }
        if (record->flags & TCP_RECORD_HELD) {
            conn->tcp->count[TCP_WAITED_FOR_DEVICE]++;
            return NULL;
        }
        trim(conn, record);
        if (record->length > most) {
            split_record(conn, &spot, most); /* or, for want of a block, all of it */
        }
        return &chain_at(spot)->record;
    }
    return NULL;
}

uint64_t wisp_tcp_record_released(const struct wisp_tcp_conn *conn)
{
    if (!conn->part || chain_empty(&conn->part->records)) {
        return tcp_acked(conn);
    }
    const struct tcp_record *record = &chain_front(&conn->part->records)->record;
    if (!seq_before(record->seq, conn->snd_una)) {
        return tcp_acked(conn);
    }
    bool fin_acked = (conn->flags & TCP_FIN_SENT) && tcp_in_flight(conn) == 0;
    return tcp_acked(conn) - (seq_span(record->seq, conn->snd_una) - fin_acked);
}
