/* SPDX-License-Identifier: ISC */
/* Packets: whatever pieces the bytes lie in, every operation does what it does to bytes that lie together. */
#include "suite.h"
#include "sum.h"
#include <stdlib.h>
#include <string.h>
#include <wisp/pkt.h>

#define PAGES   64u
#define PACKETS 4u

static void *memory, *meta, *packets_memory;
static struct wisp_pool *pool;
static struct wisp_pktpool *packets;
static uint64_t random_state;
static uint8_t flat[WISP_PKT_VIEWS * WISP_PAGE_SIZE]; /* what the packet should hold */
static uint32_t flat_length;

static uint32_t below(uint32_t bound)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % bound;
}

static void open_pools(bool cells)
{
    memory = aligned_alloc(WISP_PAGE_SIZE, PAGES * WISP_PAGE_SIZE);
    memset(memory, 0, PAGES * WISP_PAGE_SIZE);
    meta = calloc(1, wisp_pool_size(PAGES));
    packets_memory = calloc(1, wisp_pktpool_size(PACKETS));
    pool = wisp_pool_init(meta, wisp_pool_size(PAGES), memory, PAGES, 2, true);
    packets =
        wisp_pktpool_init(packets_memory, wisp_pktpool_size(PACKETS), PACKETS, cells ? pool : NULL);
    ck_assert_ptr_nonnull(packets);
}

static void close_pools(void)
{
    struct wisp_pool_stats stats;
    ck_assert_uint_eq(wisp_pktpool_available(packets), PACKETS);
    wisp_pktpool_fini(packets);
    wisp_pool_stats(pool, &stats);
    ck_assert_msg(stats.in_use == 0, "%u pages are still in use", stats.in_use);
    free(memory);
    free(meta);
    free(packets_memory);
}

static void setup(void)
{
    open_pools(false);
}

/* A packet of random bytes in count pieces of at most most bytes; flat has them together. */
static struct wisp_pkt *make(uint32_t count, uint32_t most)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(packets);
    flat_length = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = 1 + below(most);
        uint32_t offset = below(WISP_PAGE_SIZE - length + 1);
        struct wisp_page *page = wisp_page_alloc(pool, WISP_ROLE_RX, WISP_HOLDER_PACKET);
        for (uint32_t k = 0; k < length; k++) {
            flat[flat_length++] = page->data[offset + k] = (uint8_t)below(256);
        }
        ck_assert(wisp_pkt_append(pkt, page, offset, length));
    }
    return pkt;
}

/* The packet holds exactly what flat does, and says so of itself. */
static void check(const struct wisp_pkt *pkt, uint32_t at)
{
    static uint8_t bytes[sizeof(flat)];
    uint32_t total = 0;
    for (uint32_t i = 0; i < pkt->views; i++) {
        total += pkt->view[i].length;
    }
    ck_assert_uint_eq(total, pkt->length);
    ck_assert_uint_eq(pkt->length, flat_length - at);
    ck_assert(wisp_pkt_read(pkt, 0, bytes, pkt->length));
    ck_assert_mem_eq(bytes, flat + at, pkt->length);
    ck_assert(!wisp_pkt_read(pkt, 0, bytes, pkt->length + 1));
    ck_assert(!wisp_pkt_read(pkt, pkt->length + 1, bytes, 0));
}

/* Zero has two forms. */
static uint16_t one_zero(uint16_t sum)
{
    return sum == 0xffff ? 0 : sum;
}

static void one_operation(struct wisp_pkt *pkt, uint32_t *at)
{
    uint64_t copied = 0;
    uint32_t length = pkt->length;
    uint32_t n = below(length + 1);
    switch (below(4)) {
    case 0:
        n = n < 90 ? n : below(90);
        wisp_pkt_pull(pkt, n);
        *at += n;
        break;
    case 1:
        n = length - (n < 90 ? n : below(90));
        wisp_pkt_trim(pkt, n);
        flat_length = *at + n;
        break;
    case 2:
        n = n < WISP_PAGE_SIZE ? n : WISP_PAGE_SIZE;
        ck_assert(wisp_pkt_linearise(pkt, pool, n, &copied));
        ck_assert_uint_ge(wisp_pkt_linear(pkt), n);
        break;
    default: {
        uint32_t from = below(length + 1);
        uint32_t part = below(length - from + 1);
        ck_assert_uint_eq(one_zero(wisp_pkt_sum(pkt, from, part, wisp_sum_portable)),
                          one_zero(wisp_sum_portable(flat + *at + from, part)));
    }
    }
}

START_TEST(bytes_in_pieces__pulled_trimmed_joined_and_summed__as_if_they_lay_together)
{
    for (uint32_t run = 0; run < 3000; run++) {
        random_state = run;
        uint32_t at = 0;
        struct wisp_pkt *pkt = make(1 + below(WISP_PKT_VIEWS), run % 2 ? 60 : 700);
        check(pkt, 0);
        for (int i = 0; i < 12; i++) {
            one_operation(pkt, &at);
            check(pkt, at);
        }
        wisp_pkt_drop(pkt);
    }
}
END_TEST

START_TEST(eighteen_views__one_more__refused_and_nothing_changes)
{
    struct wisp_pkt *pkt = make(WISP_PKT_VIEWS, 10);
    struct wisp_page *page = wisp_page_alloc(pool, WISP_ROLE_RX, WISP_HOLDER_PACKET);
    struct wisp_view view = {page, 0, 5};
    uint64_t copied = 0;
    ck_assert(!wisp_pkt_append(pkt, page, 0, 5));
    ck_assert(!wisp_pkt_append_received(pkt, &view, pool, &copied));
    ck_assert_uint_eq(page->refs, 1);
    check(pkt, 0);
    wisp_page_unref(page);
    wisp_pkt_drop(pkt);
}
END_TEST

START_TEST(received_view__appended_to_be_sent__shared_or_copied_if_no_device_may_read_it)
{
    static const enum wisp_role roles[] = {WISP_ROLE_PRIVATE, WISP_ROLE_RX, WISP_ROLE_SEND,
                                           WISP_ROLE_APP};
    for (size_t i = 0; i < 4; i++) {
        struct wisp_pkt *pkt = wisp_pkt_alloc(packets);
        struct wisp_page *page = wisp_page_alloc(pool, roles[i], WISP_HOLDER_PACKET);
        struct wisp_view view = {page, 100, 50};
        uint64_t copied = 0;
        bool secret = roles[i] == WISP_ROLE_PRIVATE;
        memset(page->data, 7, WISP_PAGE_SIZE);
        ck_assert(wisp_pkt_append_received(pkt, &view, pool, &copied));
        ck_assert_uint_eq(copied, secret ? 50 : 0);
        ck_assert_int_eq(pkt->view[0].page == page, !secret);
        ck_assert_uint_eq(page->refs, secret ? 1 : 2);
        ck_assert_uint_eq(*wisp_pkt_head(pkt), 7);
        if (secret) {
            ck_assert_uint_eq(pkt->view[0].page->data[50], 0); /* nothing of the rest came along */
        }
        wisp_pkt_drop(pkt);
        wisp_page_unref(page);
    }
}
END_TEST

START_TEST(pool_empty__headers_in_pieces_to_be_joined__refused_and_nothing_changes)
{
    struct wisp_page *held[PAGES];
    struct wisp_pkt *pkt = make(5, 10);
    uint32_t n = 0;
    uint64_t copied = 0;
    while ((held[n] = wisp_page_alloc(pool, WISP_ROLE_APP, WISP_HOLDER_APP)) != NULL) {
        n++;
    }
    ck_assert(!wisp_pkt_linearise(pkt, pool, pkt->length, &copied));
    ck_assert_uint_eq(copied, 0);
    check(pkt, 0);
    while (n > 0) {
        wisp_page_unref(held[--n]);
    }
    wisp_pkt_drop(pkt);
}
END_TEST

START_TEST(blank_checksum__at_every_place_of_every_cut__filled_in_as_the_device_would)
{
    for (uint32_t cut = 1; cut < 40; cut++) {
        for (uint32_t start = 0; start < 20; start++) {
            struct wisp_pkt *pkt = wisp_pkt_alloc(packets);
            struct wisp_page *page = wisp_page_alloc(pool, WISP_ROLE_RX, WISP_HOLDER_PACKET);
            for (uint32_t i = 0; i < 40; i++) {
                page->data[i] = (uint8_t)(i * 37 + cut);
            }
            wisp_page_ref(page);
            wisp_pkt_append(pkt, page, 0, cut);
            wisp_pkt_append(pkt, page, cut, 40 - cut);
            pkt->csum = WISP_CSUM_BLANK;
            pkt->csum_start = (uint16_t)start;
            pkt->csum_offset = 6;
            wisp_pkt_fill_csum(pkt, wisp_sum_portable);
            ck_assert_uint_eq(pkt->csum, WISP_CSUM_UNKNOWN);
            /* The sum of what is covered, field included, is that of the field as it was: its place held it. */
            uint8_t before[40];
            for (uint32_t i = 0; i < 40; i++) {
                before[i] = (uint8_t)(i * 37 + cut);
            }
            uint16_t sum = wisp_sum_portable(before + start, 40 - start);
            uint16_t field;
            memcpy(&field, page->data + start + 6, 2);
            ck_assert_uint_eq(one_zero((uint16_t)~field), one_zero(sum));
            memcpy(before + start + 6, &field, 2);
            ck_assert_mem_eq(page->data, before, 40);
            wisp_pkt_drop(pkt);
        }
    }
}
END_TEST

START_TEST(packets_with_cells__filled_and_dropped__cells_never_overlap_and_stay_theirs)
{
    close_pools();
    open_pools(true);
    struct wisp_pkt *pkt[PACKETS];
    for (uint32_t i = 0; i < PACKETS; i++) {
        pkt[i] = wisp_pkt_alloc(packets);
        memset(wisp_pkt_extend(pkt[i], WISP_CELL_BODY), (int)i + 1, WISP_CELL_BODY);
        memset(wisp_pkt_push(pkt[i], WISP_CELL_HEAD), (int)i + 101, WISP_CELL_HEAD);
        ck_assert_ptr_null(wisp_pkt_push(pkt[i], 1)); /* no headroom left */
    }
    ck_assert_ptr_null(wisp_pkt_alloc(packets));
    for (uint32_t i = 0; i < PACKETS; i++) {
        const uint8_t *bytes = wisp_pkt_head(pkt[i]);
        for (uint32_t k = 0; k < WISP_CELL_SIZE; k++) {
            ck_assert_uint_eq(bytes[k], k < WISP_CELL_HEAD ? i + 101 : i + 1);
        }
        ck_assert_uint_eq(pkt[i]->view[0].page->role, WISP_ROLE_SEND);
        wisp_pkt_drop(pkt[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pkt");
    TCase *tcase = tcase_create("pkt");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, close_pools);
    tcase_add_test(tcase,
                   bytes_in_pieces__pulled_trimmed_joined_and_summed__as_if_they_lay_together);
    tcase_add_test(tcase, eighteen_views__one_more__refused_and_nothing_changes);
    tcase_add_test(tcase,
                   received_view__appended_to_be_sent__shared_or_copied_if_no_device_may_read_it);
    tcase_add_test(tcase, pool_empty__headers_in_pieces_to_be_joined__refused_and_nothing_changes);
    tcase_add_test(tcase,
                   blank_checksum__at_every_place_of_every_cut__filled_in_as_the_device_would);
    tcase_add_test(tcase,
                   packets_with_cells__filled_and_dropped__cells_never_overlap_and_stay_theirs);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
