/* SPDX-License-Identifier: ISC */
/*
 * TCP between two guests, each with a stack, netfront, a ring and a netback of its own, on one
 * virtual clock; between the netbacks lies a path of 2 ms. What the sender's backend took is
 * watched: as long as it holds a page, the bytes on it stay what they were, and no byte of the
 * stream that is on a held page is queued a second time. The sender writes each of its pages anew
 * as soon as TCP has released it, so a page used too early is a page that changed.
 */
#include "famine.h"
#include "netback.h"
#include "netfront.h"
#include "siphash.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>

#define PAGES    1024u
#define SLOTS    48u /* pages the application sends from, in turn */
#define PATH     WISP_MS(2)
#define STREAM   (2u << 20)
#define BRIEF    (64u << 10)
#define WATCHED  512u
#define PATIENCE WISP_SEC(120)

struct manner {
    const char *name;
    enum wisp_grant_policy policy;
    bool untrusted;
};

static const struct manner manners[] = {
    {"strict", WISP_GRANT_STRICT, false},
    {"persistent", WISP_GRANT_PERSISTENT, false},
    {"persistent, untrusted", WISP_GRANT_PERSISTENT, true},
};
#define MANNERS (sizeof(manners) / sizeof(manners[0]))

/* A frame on the path. */
struct travelling {
    struct travelling *next;
    wisp_time at;
    uint16_t gso_size;
    bool blank;
    uint32_t length;
    uint8_t bytes[];
};

struct guest {
    struct wisp_memxen *xen;
    struct wisp_netback *nb;
    struct wisp_netfront *front;
    struct wisp_netdev *dev;
    struct wisp_pool *pages;
    struct wisp_stack *stack;
    struct wisp_tcp *tcp;
    void *memory[5];
    struct travelling *first, **last; /* frames that left it */
};

/* What the sender's backend holds: bytes of a frame where they lie, and what they were. */
struct watched {
    wisp_time until;
    const uint8_t *at;
    uint32_t length;
    uint32_t seq;     /* of the first byte of the segment's payload ... */
    uint32_t payload; /* ... and its length, in the entry of the first piece */
    uint8_t was[WISP_PAGE_SIZE];
};

static struct guest guest[2]; /* the sender, the receiver */
static wisp_time now;
static wisp_time hold, path; /* path: from the sender */
static struct watched watched[WATCHED];
static uint32_t watch_count;
static uint64_t changed, doubled, announcements;
static struct wisp_tcp_conn *conn;
static struct wisp_page *slot[SLOTS];
static uint64_t queued, received, wrong;
static bool up, ended, reset;
static const char *what = "";

/* Byte number i of the stream. */
static uint8_t pattern(uint64_t i)
{
    return (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- what the backend holds ---- */

static void look(void)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < watch_count; i++) {
        changed += memcmp(watched[i].at, watched[i].was, watched[i].length) != 0;
        if (watched[i].until > now) {
            watched[kept++] = watched[i];
        }
    }
    watch_count = kept;
}

static void watch(const struct wisp_frame *frame)
{
    const uint8_t *head = frame->piece[0].bytes;
    uint32_t payload = frame->length - 34 - (uint32_t)(head[34 + 12] >> 4) * 4;
    uint32_t seq = get32(head + 34 + 4);
    for (uint32_t i = 0; i < watch_count; i++) {
        bool apart = (int32_t)(seq + payload - watched[i].seq) <= 0 ||
                     (int32_t)(watched[i].seq + watched[i].payload - seq) <= 0;
        doubled += !apart && payload > 0 && watched[i].payload > 0;
    }
    for (uint32_t i = 1; i < frame->pieces && watch_count < WATCHED; i++) {
        struct watched *entry = &watched[watch_count++];
        entry->until = now + hold;
        entry->at = frame->piece[i].bytes;
        entry->length = frame->piece[i].length;
        entry->seq = seq;
        entry->payload = i == 1 ? payload : 0;
        memcpy(entry->was, entry->at, entry->length);
    }
}

/* ---- the path ---- */

static void left(void *context, const struct wisp_frame *frame, wisp_time at)
{
    struct guest *from = context;
    struct travelling *t = malloc(sizeof(*t) + frame->length);
    ck_assert_ptr_nonnull(t);
    t->next = NULL;
    t->at = at + (from == &guest[0] ? path : PATH);
    t->gso_size = frame->gso_size;
    t->blank = frame->csum_blank;
    t->length = wisp_frame_copy(frame, 0, t->bytes, frame->length);
    *from->last = t;
    from->last = &t->next;
    const uint8_t *head = frame->piece[0].bytes;
    announcements += from == &guest[0] && head[13] == 6 && memcmp(head + 28, head + 38, 4) == 0;
    if (from == &guest[0] && hold > 0 && head[13] == 0 && head[23] == 6) {
        watch(frame);
    }
}

static void arrive(struct guest *from, struct guest *to)
{
    while (from->first && from->first->at <= now) {
        struct travelling *t = from->first;
        struct wisp_frame frame = wisp_frame_of(t->bytes, t->length);
        frame.gso_size = t->gso_size;
        frame.csum_blank = t->blank;
        frame.validated = t->blank;
        wisp_netback_send(to->nb, &frame, now);
        from->first = t->next;
        from->last = from->first ? from->last : &from->first;
        free(t);
    }
}

/* ---- making ---- */

static void *take(struct guest *g, int which, size_t size)
{
    size = (size + 4095) & ~(size_t)4095;
    g->memory[which] = aligned_alloc(4096, size);
    ck_assert_ptr_nonnull(g->memory[which]);
    memset(g->memory[which], 0, size);
    return g->memory[which];
}

static void open_front(struct guest *g)
{
    struct wisp_netfront_config config;
    wisp_netfront_config_default(&config);
    config.hv = wisp_memxen_hypervisor(g->xen);
    config.path = "device/vif/0";
    config.token = 1;
    config.pages = g->pages;
    void *mem = take(g, 2, wisp_netfront_size(&config));
    g->front = wisp_netfront_init(mem, wisp_netfront_size(&config), &config);
    ck_assert_ptr_nonnull(g->front);
    g->dev = wisp_netfront_dev(g->front);
}

static void open_stack(struct guest *g, int side)
{
    struct wisp_stack_config config;
    struct wisp_tcp_config tcp;
    wisp_stack_config_default(&config);
    config.netdev = g->dev;
    config.pages = g->pages;
    config.hash = test_siphash;
    config.sum = wisp_sum_portable;
    config.probe = WISP_PROBE_NONE;
    config.seed[0] = (uint8_t)side;
    size_t size = wisp_stack_size(&config);
    g->stack = wisp_stack_init(take(g, 3, size), size, &config, now);
    wisp_tcp_config_default(&tcp);
    tcp.cc = &wisp_tcp_cc_newreno;
    tcp.hash = test_siphash;
    tcp.receive_window = 262144;
    size = wisp_tcp_size(&tcp);
    g->tcp = wisp_tcp_init(take(g, 4, size), size, &tcp);
    wisp_stack_attach(g->stack, wisp_tcp_transport(g->tcp), now);
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(10, 0, 0, (uint8_t)(side + 1)));
    ck_assert_int_eq(wisp_stack_address_add(g->stack, &addr, 24, now), WISP_OK);
}

static void open_guest(struct guest *g, int side, const struct manner *manner)
{
    struct wisp_memxen_config xen = {.policy = manner->policy};
    struct wisp_netback_config nb = {.mac = {{2, 0, 0, 0, 0, (uint8_t)(side + 1)}},
                                     .features = WISP_NETBACK_ALL,
                                     .untrusted = manner->untrusted,
                                     .hold = side == 0 ? hold : 0,
                                     .frame = left,
                                     .context = g};
    memset(g, 0, sizeof(*g));
    g->last = &g->first;
    g->xen = wisp_memxen_open(&xen);
    g->nb = wisp_netback_open(g->xen, &nb);
    void *memory = take(g, 0, (size_t)PAGES * WISP_PAGE_SIZE);
    void *meta = take(g, 1, wisp_pool_size(PAGES));
    g->pages = wisp_pool_init(meta, wisp_pool_size(PAGES), memory, PAGES, 16, true);
    open_front(g);
    open_stack(g, side);
}

static void close_guest(struct guest *g)
{
    char text[128];
    struct wisp_pool_stats stats;
    wisp_tcp_fini(g->tcp);
    wisp_stack_fini(g->stack);
    wisp_netback_close(g->nb);
    wisp_netfront_fini(g->front);
    wisp_pool_stats(g->pages, &stats);
    ck_assert_uint_eq(stats.in_use, 0);
    ck_assert_uint_eq(stats.quarantined, 0);
    ck_assert_msg(wisp_memxen_balanced(g->xen, text, sizeof(text)), "%s: left over: %s", what,
                  text);
    wisp_memxen_close(g->xen);
    for (int i = 0; i < 5; i++) {
        free(g->memory[i]);
    }
    while (g->first) {
        struct travelling *t = g->first;
        g->first = t->next;
        free(t);
    }
}

/* ---- running ---- */

/* The sender: each page is written anew once everything sent from it was released. */
static void send_more(uint64_t total)
{
    while (up && !reset && queued < total &&
           queued + WISP_PAGE_SIZE <= wisp_tcp_released(conn) + SLOTS * WISP_PAGE_SIZE) {
        struct wisp_page *page = slot[queued / WISP_PAGE_SIZE % SLOTS];
        for (uint32_t i = 0; i < WISP_PAGE_SIZE; i++) {
            page->data[i] = pattern(queued + i);
        }
        struct wisp_view view = {page, 0, WISP_PAGE_SIZE};
        /* Whole pages only, so that queued says what lies where. */
        if (wisp_tcp_send(conn, &view, 1) != WISP_PAGE_SIZE) {
            break;
        }
        queued += WISP_PAGE_SIZE;
    }
    if (queued == total && up && !ended) {
        wisp_tcp_close(conn);
        ended = true;
    }
}

static void take_events(void)
{
    struct wisp_tcp_event event;
    uint8_t bytes[4096];
    while (wisp_tcp_next_event(guest[0].tcp, &event)) {
        up |= (event.what & WISP_TCP_CONNECTED) != 0;
        reset |= (event.what & WISP_TCP_CLOSED) && !ended;
    }
    while (wisp_tcp_next_event(guest[1].tcp, &event)) {
        uint32_t n;
        while ((event.what & WISP_TCP_READABLE) &&
               (n = wisp_tcp_read(event.conn, bytes, sizeof(bytes))) > 0) {
            for (uint32_t i = 0; i < n; i++) {
                wrong += bytes[i] != pattern(received + i);
            }
            received += n;
        }
        if (event.what & WISP_TCP_END) {
            wisp_tcp_close(event.conn);
            wisp_tcp_want(event.conn, 0);
        }
    }
}

static void step(void)
{
    now += WISP_US(500);
    look();
    arrive(&guest[0], &guest[1]);
    arrive(&guest[1], &guest[0]);
    for (int side = 0; side < 2; side++) {
        wisp_memxen_set_time(guest[side].xen, now);
        wisp_netback_poll(guest[side].nb, now);
        wisp_stack_poll(guest[side].stack, now);
        wisp_netback_poll(guest[side].nb, now);
    }
    take_events();
}

static void open_pair(const struct manner *manner)
{
    struct wisp_tcp_listener *listener;
    struct wisp_addr peer = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    now = WISP_SEC(1);
    queued = received = wrong = changed = doubled = announcements = 0;
    up = ended = reset = false;
    watch_count = 0;
    open_guest(&guest[0], 0, manner);
    open_guest(&guest[1], 1, manner);
    for (uint32_t i = 0; i < SLOTS; i++) {
        slot[i] = wisp_page_alloc(guest[0].pages, WISP_ROLE_APP, WISP_HOLDER_APP);
    }
    ck_assert_int_eq(wisp_tcp_listen(guest[1].tcp, NULL, 80, 4, &listener), WISP_OK);
    ck_assert_int_eq(wisp_tcp_connect(guest[0].tcp, NULL, 0, &peer, 80, now, &conn), WISP_OK);
}

static void close_pair(void)
{
    wisp_netback_set_hold(guest[0].nb, 0);
    watch_count = 0;
    for (uint32_t i = 0; i < SLOTS; i++) {
        wisp_page_unref(slot[i]);
    }
    close_guest(&guest[0]);
    close_guest(&guest[1]);
}

static void transfer(uint64_t total, const char *name)
{
    wisp_time end = now + PATIENCE;
    what = name;
    while (received < total && !reset && now < end) {
        send_more(total);
        step();
    }
    ck_assert_msg(!reset, "%s: the connection did not survive", name);
    ck_assert_msg(received == total, "%s: %llu of %llu bytes after %llu s", name,
                  (unsigned long long)received, (unsigned long long)total,
                  (unsigned long long)(PATIENCE / WISP_SEC(1)));
    ck_assert_msg(wrong == 0, "%s: %llu bytes are others than were sent", name,
                  (unsigned long long)wrong);
}

/* Nothing reused, nothing twice: what the backend's holds must have shown. */
static void check_watched(const char *name)
{
    ck_assert_msg(changed == 0, "%s: %llu pieces changed while the backend held them", name,
                  (unsigned long long)changed);
    ck_assert_msg(doubled == 0, "%s: %llu segments were queued while an earlier copy was held",
                  name, (unsigned long long)doubled);
}

/* ---- the tests ---- */

START_TEST(clean__two_megabytes__arrive_whole)
{
    for (size_t m = 0; m < MANNERS; m++) {
        hold = 0;
        path = PATH;
        open_pair(&manners[m]);
        transfer(STREAM, manners[m].name);
        ck_assert(manners[m].untrusted || guest[0].dev->stats.bytes_copied == 0);
        close_pair();
    }
}
END_TEST

START_TEST(backend_holds_pages_a_second__acknowledged_meanwhile__none_reused_and_none_sent_twice)
{
    for (size_t m = 0; m < MANNERS; m++) {
        hold = WISP_SEC(1);
        path = PATH;
        open_pair(&manners[m]);
        for (int i = 0; i < 200; i++) {
            send_more(STREAM);
            step();
        }
        /* Everything queued was acknowledged long ago, and nothing of it is the application's
         * again. */
        ck_assert_uint_gt(received, 0);
        ck_assert_uint_eq(received, queued);
        ck_assert(manners[m].untrusted || wisp_tcp_released(conn) == 0);
        transfer(STREAM, manners[m].name);
        check_watched(manners[m].name);
        close_pair();
    }
}
END_TEST

START_TEST(
    backend_holds_frames_past_the_retransmission_timeout__no_duplicate_queued_and_stream_whole)
{
    for (size_t m = 0; m < MANNERS; m++) {
        hold = WISP_SEC(5);
        path = PATH;
        open_pair(&manners[m]);
        while (!up) {
            step();
        }
        /* The backend sits on the frames as well: they arrive when it lets go, long after the
         * timeout. */
        path = hold - WISP_MS(10);
        transfer(STREAM / 4, manners[m].name);
        check_watched(manners[m].name);
        close_pair();
    }
}
END_TEST

/* ---- ends in the middle ---- */

static void restart(struct guest *g)
{
    wisp_netback_vanish(g->nb);
    wisp_netback_restart(g->nb);
}

static void suspend_and_resume(struct guest *g)
{
    wisp_netback_migrate(g->nb);
}

static void unplug(struct guest *g)
{
    wisp_netback_unplug(g->nb, true);
}

static const struct {
    const char *name;
    void (*happens)(struct guest *g);
} ends[] = {{"restart", restart}, {"migration", suspend_and_resume}, {"unplug", unplug}};
#define ENDS (sizeof(ends) / sizeof(ends[0]))

START_TEST(transfer__suspended_and_resumed_in_the_middle__stream_whole_and_neighbours_told)
{
    for (size_t m = 0; m < MANNERS; m++) {
        for (int side = 0; side < 2; side++) {
            hold = 0;
            path = PATH;
            open_pair(&manners[m]);
            while (received < STREAM / 2) {
                send_more(STREAM);
                step();
            }
            uint64_t told = announcements;
            suspend_and_resume(&guest[side]);
            transfer(STREAM, manners[m].name);
            ck_assert_msg(side != 0 || announcements > told, "%s: no gratuitous ARP",
                          manners[m].name);
            close_pair();
        }
    }
}
END_TEST

START_TEST(transfer__suspended_while_pages_are_held__granted_anew_and_stream_whole)
{
    for (size_t m = 0; m < MANNERS; m++) {
        hold = WISP_SEC(1);
        path = PATH;
        open_pair(&manners[m]);
        while (received < STREAM / 8) {
            send_more(STREAM / 4);
            step();
        }
        watch_count = 0; /* the backend is gone, and its mappings with it */
        suspend_and_resume(&guest[0]);
        transfer(STREAM / 4, manners[m].name);
        check_watched(manners[m].name);
        close_pair();
    }
}
END_TEST

/* covers: XN-17 */
START_TEST(resumed__ended_before_a_step_noticed__nothing_stale_is_ended)
{
    for (size_t m = 0; m < MANNERS; m++) {
        hold = 0;
        path = PATH;
        open_pair(&manners[m]);
        transfer(STREAM / 64, manners[m].name);
        suspend_and_resume(&guest[0]);
        close_pair(); /* the ledger counts calls for references that are not ours */
    }
}
END_TEST

/* From the first frame on: ARP, handshake, first data, and well into the stream. */
/* covers: XN-17 */
START_TEST(
    any_step_of_a_connection__restart_migration_or_unplug_at_either_end__it_lives_and_stream_is_whole)
{
    for (size_t m = 0; m < MANNERS; m++) {
        for (size_t e = 0; e < ENDS; e++) {
            for (uint32_t at = 0; at < 60; at += 1 + at / 8) {
                char name[64];
                snprintf(name, sizeof(name), "%s, %s at step %u", manners[m].name, ends[e].name,
                         at);
                hold = 0;
                path = PATH;
                open_pair(&manners[m]);
                for (uint32_t i = 0; i < at; i++) {
                    send_more(STREAM / 16);
                    step();
                }
                ends[e].happens(&guest[at & 1]);
                transfer(STREAM / 16, name);
                close_pair();
            }
        }
    }
}
END_TEST

START_TEST(transfer__backend_restarts_every_other_second__stream_whole)
{
    for (size_t m = 0; m < MANNERS; m++) {
        hold = 0;
        path = WISP_SEC(1); /* slow enough to be hit many times */
        open_pair(&manners[m]);
        for (int i = 0; i < 5 && received < STREAM; i++) {
            for (int k = 0; k < 4000 && received < STREAM; k++) {
                send_more(STREAM);
                step();
            }
            ends[(size_t)i % ENDS].happens(&guest[i & 1]);
        }
        transfer(STREAM, manners[m].name);
        close_pair();
    }
}
END_TEST

/* How many requests for pages and packets there were, of the driver's and the stack's. */
static uint64_t starved(const struct manner *manner, uint64_t first, uint64_t span)
{
    hold = 0;
    path = PATH;
    open_pair(manner);
    famine_begin(first, span);
    while (received < BRIEF / 2 && now < WISP_SEC(60)) {
        send_more(BRIEF);
        step();
    }
    restart(&guest[first % 2]);
    transfer(BRIEF, manner->name);
    uint64_t asked = famine_end();
    for (int i = 0; i < 100; i++) {
        step();
    }
    close_pair();
    return asked;
}

/* covers: RS-12 */
START_TEST(pool_fails__at_any_request_and_the_backend_restarts__stream_whole)
{
    static const uint64_t spans[] = {1, 30};
    const struct manner *manner = &manners[_i];
    for (size_t k = 0; k < sizeof(spans) / sizeof(spans[0]); k++) {
        uint64_t asked = starved(manner, 0, 0);
        ck_assert_uint_ge(asked, 100);
        /* the first hundred one by one, of the many of the transfer some */
        for (uint64_t first = 1; first <= asked; first += first < 100 ? 1 : asked / 100 + 1) {
            starved(manner, first, spans[k]);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("netfront_stream");
    TCase *tc = tcase_create("netfront_stream");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, clean__two_megabytes__arrive_whole);
    tcase_add_test(
        tc, backend_holds_pages_a_second__acknowledged_meanwhile__none_reused_and_none_sent_twice);
    tcase_add_test(
        tc,
        backend_holds_frames_past_the_retransmission_timeout__no_duplicate_queued_and_stream_whole);
    tcase_add_test(tc,
                   transfer__suspended_and_resumed_in_the_middle__stream_whole_and_neighbours_told);
    tcase_add_test(tc, transfer__suspended_while_pages_are_held__granted_anew_and_stream_whole);
    tcase_add_test(tc, resumed__ended_before_a_step_noticed__nothing_stale_is_ended);
    tcase_add_test(
        tc,
        any_step_of_a_connection__restart_migration_or_unplug_at_either_end__it_lives_and_stream_is_whole);
    tcase_add_test(tc, transfer__backend_restarts_every_other_second__stream_whole);
    tcase_add_loop_test(tc, pool_fails__at_any_request_and_the_backend_restarts__stream_whole, 0,
                        MANNERS);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return wisp_suite_run(suite());
}
