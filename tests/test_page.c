/* SPDX-License-Identifier: ISC */
/* The page pool: balance, roles and clearing, reserve, quarantine, ledger. */
#include "suite.h"
#include <stdlib.h>
#include <string.h>
#include <wisp/page.h>

#define PAGES 8u

static void *memory;
static void *meta;
static struct wisp_pool *pool;

static void setup(void)
{
    memory = aligned_alloc(WISP_PAGE_SIZE, PAGES * WISP_PAGE_SIZE);
    memset(memory, 0, PAGES * WISP_PAGE_SIZE);
    meta = malloc(wisp_pool_size(PAGES));
    pool = wisp_pool_init(meta, wisp_pool_size(PAGES), memory, PAGES, 2, true);
    ck_assert_ptr_nonnull(pool);
}

static void teardown(void)
{
    struct wisp_pool_stats stats;
    wisp_pool_stats(pool, &stats);
    ck_assert_uint_eq(stats.in_use, 0);
    free(memory);
    free(meta);
}

START_TEST(pool_with_reserve__all_taken__last_pages_only_for_the_reserved_call)
{
    struct wisp_page *page[PAGES];
    for (uint32_t i = 0; i < PAGES - 2; i++) {
        page[i] = wisp_page_alloc(pool, WISP_ROLE_RX, WISP_HOLDER_DEVICE);
        ck_assert_ptr_nonnull(page[i]);
    }
    ck_assert_ptr_null(wisp_page_alloc(pool, WISP_ROLE_RX, WISP_HOLDER_DEVICE));
    page[6] = wisp_page_alloc_reserved(pool, WISP_ROLE_SEND, WISP_HOLDER_TCP_SEND);
    page[7] = wisp_page_alloc_reserved(pool, WISP_ROLE_SEND, WISP_HOLDER_TCP_SEND);
    ck_assert_ptr_nonnull(page[7]);
    ck_assert_ptr_null(wisp_page_alloc_reserved(pool, WISP_ROLE_SEND, WISP_HOLDER_TCP_SEND));
    uint32_t counts[WISP_HOLDERS];
    wisp_pool_ledger(pool, counts);
    ck_assert_uint_eq(counts[WISP_HOLDER_DEVICE], 6);
    ck_assert_uint_eq(counts[WISP_HOLDER_TCP_SEND], 2);
    for (uint32_t i = 0; i < PAGES; i++) {
        wisp_page_unref(page[i]);
    }
}
END_TEST

START_TEST(page_with_application_data__reused_in_another_role__is_cleared)
{
    struct wisp_page *page[PAGES];
    for (uint32_t i = 0; i < PAGES; i++) {
        page[i] = wisp_page_alloc_reserved(pool, WISP_ROLE_APP, WISP_HOLDER_APP);
        memset(page[i]->data, 0x5a, WISP_PAGE_SIZE);
    }
    for (uint32_t i = 0; i < PAGES; i++) {
        wisp_page_unref(page[i]);
    }
    struct wisp_page *same = wisp_page_alloc(pool, WISP_ROLE_APP, WISP_HOLDER_APP);
    ck_assert_uint_eq(same->data[100], 0x5a);
    struct wisp_page *other = wisp_page_alloc(pool, WISP_ROLE_RX, WISP_HOLDER_DEVICE);
    for (uint32_t i = 0; i < WISP_PAGE_SIZE; i++) {
        ck_assert_uint_eq(other->data[i], 0);
    }
    struct wisp_pool_stats stats;
    wisp_pool_stats(pool, &stats);
    ck_assert_uint_eq(stats.cleared, 1);
    wisp_page_unref(same);
    wisp_page_unref(other);
}
END_TEST

START_TEST(tainted_page__reused_in_the_same_role__is_cleared)
{
    struct wisp_page *page[PAGES];
    for (uint32_t i = 0; i < PAGES; i++) {
        page[i] = wisp_page_alloc_reserved(pool, WISP_ROLE_SEND, WISP_HOLDER_APP);
        page[i]->data[7] = 1;
        wisp_page_taint(page[i]);
    }
    for (uint32_t i = 0; i < PAGES; i++) {
        wisp_page_unref(page[i]);
    }
    struct wisp_page *again = wisp_page_alloc(pool, WISP_ROLE_SEND, WISP_HOLDER_APP);
    ck_assert_uint_eq(again->data[7], 0);
    wisp_page_unref(again);
}
END_TEST

START_TEST(quarantined_page__last_reference_goes__never_comes_back)
{
    struct wisp_page *bad = wisp_page_alloc(pool, WISP_ROLE_RX, WISP_HOLDER_DEVICE);
    wisp_page_quarantine(bad);
    wisp_page_unref(bad);
    struct wisp_page *page[PAGES];
    for (uint32_t i = 0; i < PAGES - 1; i++) {
        page[i] = wisp_page_alloc_reserved(pool, WISP_ROLE_RX, WISP_HOLDER_DEVICE);
        ck_assert_ptr_nonnull(page[i]);
        ck_assert_ptr_ne(page[i], bad);
    }
    ck_assert_ptr_null(wisp_page_alloc_reserved(pool, WISP_ROLE_RX, WISP_HOLDER_DEVICE));
    struct wisp_pool_stats stats;
    wisp_pool_stats(pool, &stats);
    ck_assert_uint_eq(stats.quarantined, 1);
    for (uint32_t i = 0; i < PAGES - 1; i++) {
        wisp_page_unref(page[i]);
    }
}
END_TEST

START_TEST(foreign_data__described_as_pages__is_never_freed)
{
    static _Alignas(4096) const uint8_t data[3 * 4096] = {1, 2, 3};
    struct wisp_page page[3];
    ck_assert_uint_eq(wisp_foreign_pages(2 * 4096 + 1), 3);
    wisp_foreign_init(page, data, 2 * 4096 + 1);
    ck_assert_ptr_eq(page[2].data, data + 8192);
    wisp_page_ref(&page[1]);
    wisp_page_unref(&page[1]);
    ck_assert_uint_eq(page[1].refs, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("page");
    TCase *tcase = tcase_create("pool");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, pool_with_reserve__all_taken__last_pages_only_for_the_reserved_call);
    tcase_add_test(tcase, page_with_application_data__reused_in_another_role__is_cleared);
    tcase_add_test(tcase, tainted_page__reused_in_the_same_role__is_cleared);
    tcase_add_test(tcase, quarantined_page__last_reference_goes__never_comes_back);
    tcase_add_test(tcase, foreign_data__described_as_pages__is_never_freed);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
