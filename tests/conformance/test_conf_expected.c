/* SPDX-License-Identifier: ISC */
/*
 * The short way of expected segments (stack/tcp/expected.c) against the long one (segment.c): two
 * stacks are told the same, segments of every kind and what an application does, and one of them
 * takes the long way always. After every act both must have sent the same frames, counted the same
 * and remember the same, to the byte.
 */
#include "suite.h"
#include "tcp_priv.h"
#include "wire.h"
#include <stdlib.h>
#include <string.h>

#define ACTS    500
#define LOOK    4096u
#define CHOICES 64u

static struct wire pair[2];
static struct wisp_tcp_conn *conn[2];
static uint64_t taken; /* segments that took the short way */
static uint64_t refused;
static uint32_t state;
static bool quiet; /* small writes, longer waits: one segment in flight, sent again now and then */
static int act;    /* number of the act, for messages */

/* The link puts these between arrival.c and expected.c. */
bool __real_wisp_tcp_expected_input(struct wisp_tcp_conn *c, struct wisp_pkt *pkt,
                                    const struct tcp_segment *seg, wisp_time now);
bool __wrap_wisp_tcp_expected_input(struct wisp_tcp_conn *c, struct wisp_pkt *pkt,
                                    const struct tcp_segment *seg, wisp_time now);

bool __wrap_wisp_tcp_expected_input(struct wisp_tcp_conn *c, struct wisp_pkt *pkt,
                                    const struct tcp_segment *seg, wisp_time now)
{
    if (c->tcp == pair[1].tcp) {
        return false;
    }
    bool done = __real_wisp_tcp_expected_input(c, pkt, seg, now);
    taken += done;
    refused += !done;
    return done;
}

static uint32_t draw(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * below >> 32);
}

static bool one_in(uint32_t n)
{
    return draw(n) == 0;
}

/* No assertion of Check's in what runs for every act: each makes a system call. */

/* ---- what a stack remembers ---- */

/* Bytes that two stacks must agree on: everything but addresses. */
struct look {
    uint32_t length;
    uint8_t bytes[LOOK];
};

static void see(struct look *look, const void *bytes, size_t length)
{
    if (look->length + length > LOOK) {
        ck_abort_msg("LOOK is too small");
    }
    memcpy(look->bytes + look->length, bytes, length);
    look->length += (uint32_t)length;
}

static uint64_t page_number(const struct wire *w, const struct wisp_page *page)
{
    return page ? 1 + (uint64_t)(page - wisp_pool_page(w->pool, 0)) : 0;
}

/* Entries hold a page, and what one thinks of it, first; records hold numbers only. */
static void see_chain(struct look *look, const struct wire *w, const struct tcp_chain *chain,
                      bool pages)
{
    see(look, &chain->count, sizeof(chain->count));
    struct tcp_spot spot = chain_begin(chain);
    for (union tcp_entry *at; (at = chain_at(spot)) != NULL; spot = chain_after(spot)) {
        union tcp_entry entry = *at;
        uint64_t number = pages ? page_number(w, entry.view.page) : 0;
        uint64_t refs = pages && entry.view.page ? entry.view.page->refs : 0;
        entry.view.page = pages ? NULL : entry.view.page;
        see(look, &number, sizeof(number));
        see(look, &refs, sizeof(refs));
        see(look, &entry, sizeof(entry));
    }
}

static void see_part(struct look *look, const struct wire *w, const struct tcp_part *part)
{
    struct tcp_part copy = *part;
    uint32_t next[2] = {part->unsent ? part->next.at.index : 0,
                        part->unsent ? part->next.offset : 0};
    uint32_t held = part->held_at.block ? 1 + part->held_at.index : 0;
    uint64_t write_page = page_number(w, part->u.used.write_page);
    struct tcp_chain *chains[] = {&copy.send, &copy.records, &copy.receive, &copy.pieces};
    for (size_t i = 0; i < 4; i++) {
        memset(chains[i], 0, sizeof(*chains[i]));
    }
    memset(&copy.next, 0, sizeof(copy.next));
    memset(&copy.held_at, 0, sizeof(copy.held_at));
    copy.u.used.write_page = NULL;
    see(look, &copy, sizeof(copy));
    see(look, next, sizeof(next));
    see(look, &held, sizeof(held));
    see(look, &write_page, sizeof(write_page));
    see_chain(look, w, &part->send, true);
    see_chain(look, w, &part->records, false);
    see_chain(look, w, &part->receive, true);
    see_chain(look, w, &part->pieces, true);
}

static void see_stack(struct look *look, const struct wire *w, const struct wisp_tcp_conn *c)
{
    struct wisp_tcp_conn copy = *c;
    struct tcp_cold cold = *wisp_tcp_cold(c);
    bool timer = wisp_timer_is_set(&c->timer);
    copy.tcp = NULL;
    copy.part = NULL;
    copy.timer.next = NULL;
    copy.timer.link = NULL;
    memset(&copy.flow.local.u.ip6.octet[4], 0, 12); /* beyond an IPv4 address */
    memset(&copy.flow.remote.u.ip6.octet[4], 0, 12);
    look->length = 0;
    cold.u.cookie = NULL;
    see(look, &copy, sizeof(copy));
    see(look, &cold, sizeof(cold));
    see(look, &timer, sizeof(timer));
    see(look, &w->tcp->output, sizeof(w->tcp->output));
    see(look, &w->tcp->events, sizeof(w->tcp->events));
    see(look, &w->tcp->told, sizeof(w->tcp->told));
    see(look, &w->tcp->timers_at, sizeof(w->tcp->timers_at));
    see(look, &w->tcp->lates, sizeof(w->tcp->lates));
    see(look, &w->tcp->blocks.available, sizeof(w->tcp->blocks.available));
    see(look, &w->deadline, sizeof(w->deadline));
    bool part = c->part != NULL;
    see(look, &part, sizeof(part));
    if (part) {
        see_part(look, w, c->part);
    }
}

static void compare_memory(void)
{
    static struct look look[2];
    for (int i = 0; i < 2; i++) {
        see_stack(&look[i], &pair[i], conn[i]);
    }
    if (look[0].length == look[1].length &&
        memcmp(look[0].bytes, look[1].bytes, look[0].length) == 0) {
        return;
    }
    for (uint32_t i = 0; i < look[0].length; i++) {
        ck_assert_msg(look[0].bytes[i] == look[1].bytes[i],
                      "act %d: byte %u of what is remembered differs", act, i);
    }
    ck_abort_msg("act %d: what is remembered is not as long", act);
}

/* TCP's after every act, all of them in the end: looking one up by number walks through the tables.
 */
static void compare_tcp_counters(void)
{
    if (memcmp(pair[0].tcp->count, pair[1].tcp->count, sizeof(pair[0].tcp->count)) != 0) {
        ck_abort_msg("act %d: TCP counted differently", act);
    }
}

static void compare_counters(void)
{
    struct wisp_counter a, b;
    for (uint32_t i = 0; wisp_stack_counter(pair[0].stack, i, &a); i++) {
        if (!wisp_stack_counter(pair[1].stack, i, &b) || a.value != b.value) {
            ck_abort_msg("act %d: %s is %llu and %llu", act, a.name, (unsigned long long)a.value,
                         (unsigned long long)b.value);
        }
    }
    struct wisp_pool_stats stats[2];
    wisp_pool_stats(pair[0].pool, &stats[0]);
    wisp_pool_stats(pair[1].pool, &stats[1]);
    if (stats[0].in_use != stats[1].in_use) {
        ck_abort_msg("act %d: %u and %u pages", act, stats[0].in_use, stats[1].in_use);
    }
}

static void compare_frames(void)
{
    struct seg seg;
    while (wire_next(&pair[0], &seg)) {
        ck_assert_msg(wire_next(&pair[1], &seg), "act %d: the short way sent more", act);
        ck_assert_uint_eq(pair[0].last_length, pair[1].last_length);
        ck_assert_mem_eq(pair[0].last_frame, pair[1].last_frame, pair[0].last_length);
    }
    ck_assert_msg(!wire_next(&pair[1], &seg), "act %d: the long way sent more", act);
}

static void compare_events(void)
{
    struct wisp_tcp_event a, b;
    while (wisp_tcp_next_event(pair[0].tcp, &a)) {
        ck_assert_msg(wisp_tcp_next_event(pair[1].tcp, &b), "act %d: more events", act);
        ck_assert_uint_eq(a.what, b.what);
        ck_assert_int_eq(a.reason, b.reason);
    }
    ck_assert_msg(!wisp_tcp_next_event(pair[1].tcp, &b), "act %d: fewer events", act);
}

/* ---- what happens to them ---- */

static uint32_t some_length(void)
{
    static const uint32_t lengths[] = {0, 0, 1, 1, 1, 5, 64, 200, 300, 1000, 1448, 1448};
    return lengths[draw(sizeof(lengths) / sizeof(lengths[0]))];
}

/* What the peer has of what we sent: all, nothing new (a duplicate, often several in a row), or a part. */
static uint32_t some_ack(void)
{
    static uint32_t again;
    uint32_t oldest = conn[0]->snd_una.v - pair[0].our_iss;
    uint32_t flight = seq_span(conn[0]->snd_una, conn[0]->snd_nxt);
    again = again ? again - 1 : one_in(8) ? 2 + draw(4) : 0;
    if (again || one_in(4)) {
        return oldest;
    }
    return one_in(3) ? oldest + draw(flight + 1) : oldest + flight;
}

/* A segment the peer may well send, with one thing or another wrong with it now and then. */
static struct seg some_segment(uint32_t strange)
{
    const struct wire *w = &pair[0];
    struct seg seg = SEG(.flags = ACK, .length = some_length());
    uint32_t next = w->peer_next - w->peer_iss;
    uint32_t ack = w->our_next - w->our_iss;
    seg.flags |= one_in(2) ? PSH : 0;
    seg.window = one_in(3) ? 1000 + draw(3) : 60000;
    seg.ack = some_ack();
    if (!one_in(strange)) {
        return seg;
    }
    switch (draw(16)) {
    case 0:
        seg.seq = next - draw(3000);
        break;
    case 1:
        seg.seq = next + draw(3000);
        break;
    case 2:
        seg.seq = draw(UINT32_MAX);
        break;
    case 3:
        seg.ack = ack - draw(3000);
        break;
    case 4:
        seg.ack = ack + 1 + draw(10);
        break;
    case 5:
        seg.ack = draw(UINT32_MAX);
        break;
    case 6:
        seg.window = draw(4) * 50;
        break;
    case 7:
        seg.flags |= URG;
        seg.urgent = draw(100);
        break;
    case 8:
        seg.flags &= ~(uint32_t)ACK;
        break;
    case 9:
        seg.bad_checksum = true;
        break;
    case 10:
        seg.flags |= CWR | ECE;
        break;
    case 11:
        seg.timestamps = true;
        seg.tsval = w->peer_tsval - 100;
        break;
    case 12:
        seg.options = (const uint8_t *)"\x01\x01\x05\x0a\x00\x00\x00\x01\x00\x00\x00\x02";
        seg.options_length = 12;
        break;
    case 13:
        seg.options = (const uint8_t *)"\x08\x00\x01\x01";
        seg.options_length = 4;
        break;
    case 14:
        seg.flags |= one_in(8) ? FIN : one_in(8) ? RST : one_in(2) ? SYN : 0;
        break;
    default:
        seg.offset_words = 4 + draw(12);
        break;
    }
    return seg;
}

static void tell(uint32_t strange)
{
    struct seg seg = some_segment(strange);
    for (int i = 0; i < 2; i++) {
        wire_queue(&pair[i], seg);
    }
}

static void read_some(void)
{
    uint32_t readable = wisp_tcp_readable(conn[0]);
    uint32_t n = one_in(4) ? draw(readable + 1) : readable;
    bool copy = one_in(4);
    static uint8_t bytes[2][65536];
    n = n < sizeof(bytes[0]) ? n : sizeof(bytes[0]);
    for (int i = 0; i < 2; i++) {
        if (copy) {
            wisp_tcp_read(conn[i], bytes[i], n);
        } else {
            wisp_tcp_consume(conn[i], n);
        }
    }
    if (copy) {
        ck_assert_mem_eq(bytes[0], bytes[1], n);
    }
}

static void write_some(void)
{
    static uint8_t bytes[8000];
    static const uint32_t lengths[] = {1, 1, 1, 10, 60, 65, 700, 1448, 7000};
    uint32_t n = lengths[draw(quiet ? 4 : sizeof(lengths) / sizeof(lengths[0]))];
    uint32_t took = wisp_tcp_write(conn[0], bytes, n);
    ck_assert_uint_eq(wisp_tcp_write(conn[1], bytes, n), took);
}

static void want_some(void)
{
    uint32_t what = WISP_TCP_READABLE | WISP_TCP_END | (one_in(2) ? WISP_TCP_WRITABLE : 0u) |
                    (one_in(2) ? WISP_TCP_RELEASED : 0u);
    for (int i = 0; i < 2; i++) {
        wisp_tcp_want(conn[i], what);
    }
}

static void step_or_wait(void)
{
    wisp_time time = one_in(quiet ? 4 : 20) ? WISP_MS(1 + draw(1500))
                     : one_in(3)            ? WISP_MS(draw(50))
                                            : WISP_US(draw(100));
    for (int i = 0; i < 2; i++) {
        wire_wait(&pair[i], time);
    }
}

static void flush(void)
{
    for (int i = 0; i < 2; i++) {
        wisp_stack_flush(pair[i].stack, pair[i].now);
    }
}

static void mark_urgent(void)
{
    for (int i = 0; i < 2; i++) {
        wisp_tcp_mark_urgent(conn[i]);
    }
}

static void act_once(uint32_t strange)
{
    switch (draw(CHOICES)) {
    case 0:
        want_some();
        break;
    case 1:
        mark_urgent();
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        flush();
        break;
    default:
        if (one_in(3)) {
            write_some();
        } else if (one_in(3)) {
            read_some();
        } else if (one_in(2)) {
            step_or_wait();
        } else {
            tell(strange);
        }
        break;
    }
    compare_events();
    compare_frames();
    compare_tcp_counters();
    compare_memory();
}

static void tune(struct wisp_tcp_config *config)
{
    config->receive_pages = 24;
    config->send_pages = 12;
    config->receive_window = 32768;
}

static void tune_small(struct wisp_tcp_config *config)
{
    tune(config);
    config->receive_window = 2000;
}

static void open_pair(uint32_t seed)
{
    struct wire_options options = {.tune = seed % 3 == 0 ? tune_small : tune,
                                   .pages = 160,
                                   .csum = seed & 1,
                                   .split = seed & 2 ? 700 : 0};
    bool timestamps = seed & 4;
    for (int i = 0; i < 2; i++) {
        wire_open(&pair[i], &options);
        wire_listen(&pair[i], 80);
        conn[i] = wire_accept(&pair[i], SEG(.flags = SYN, .mss = 1460, .timestamps = timestamps,
                                            .scale = seed & 8 ? 3 : 0));
        pair[i].peer_timestamps = timestamps;
        wisp_tcp_set_user_timeout(conn[i], WISP_NEVER);
    }
}

static void converse(uint32_t seed, uint32_t strange)
{
    state = seed * 2654435761u + 12345;
    quiet = seed & 16;
    open_pair(seed);
    for (act = 0; act < ACTS && wire_info(conn[0]).state == WISP_TCP_STATE_ESTABLISHED; act++) {
        act_once(strange);
    }
    compare_counters();
    wire_close(&pair[0]);
    wire_close(&pair[1]);
}

/* ---- the tests ---- */

START_TEST(peer_behaves__anything_done_by_the_application__short_and_long_way_agree)
{
    taken = refused = 0;
    for (uint32_t seed = 0; seed < 32; seed++) {
        converse(seed, UINT32_MAX);
    }
    ck_assert_uint_gt(taken, 32 * 20);
}
END_TEST

START_TEST(every_fourth_segment_strange_or_hostile__short_and_long_way_agree)
{
    taken = refused = 0;
    for (uint32_t seed = 0; seed < 64; seed++) {
        converse(seed, 4);
    }
    ck_assert_uint_gt(taken, 64 * 4);
    ck_assert_uint_gt(refused, 64 * 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: expected segments");
    TCase *tcase = tcase_create("expected");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, peer_behaves__anything_done_by_the_application__short_and_long_way_agree);
    tcase_add_test(tcase, every_fourth_segment_strange_or_hostile__short_and_long_way_agree);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
