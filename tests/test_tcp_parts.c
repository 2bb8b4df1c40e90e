/* SPDX-License-Identifier: ISC */
/* The pool of working parts: each is given once, the last one back is the first one out, or the one at a place. */
#include "suite.h"
#include "tcp_priv.h"

#define PARTS 8u

static struct tcp_part part[PARTS];
static uint8_t at_place[PARTS];
static struct tcp_parts pool;

static void setup(void)
{
    wisp_tcp_parts_init(&pool, part, at_place, PARTS);
}

static uint32_t number(const struct tcp_part *one)
{
    ck_assert_ptr_nonnull(one);
    return (uint32_t)(one - part);
}

START_TEST(all_taken__each_once__then_none)
{
    bool seen[PARTS] = {false};
    for (uint32_t i = 0; i < PARTS; i++) {
        uint32_t n = number(wisp_tcp_parts_take(&pool));
        ck_assert(!seen[n]);
        seen[n] = true;
    }
    ck_assert_ptr_null(wisp_tcp_parts_take(&pool));
    ck_assert_ptr_null(wisp_tcp_parts_take_at(&pool, 3));
}
END_TEST

START_TEST(given_back__the_last_one_comes_first)
{
    struct tcp_part *a = wisp_tcp_parts_take(&pool);
    struct tcp_part *b = wisp_tcp_parts_take(&pool);
    wisp_tcp_parts_give(&pool, b);
    wisp_tcp_parts_give(&pool, a);
    ck_assert_ptr_eq(wisp_tcp_parts_take(&pool), a);
    ck_assert_ptr_eq(wisp_tcp_parts_take(&pool), b);
}
END_TEST

START_TEST(taken_at_a_place__that_one__and_it_is_told_until_it_is_given_back)
{
    struct tcp_part *five = wisp_tcp_parts_take_at(&pool, 5);
    ck_assert_uint_eq(number(five), 5);
    ck_assert_uint_eq(at_place[5], 1);
    wisp_tcp_parts_give(&pool, five);
    ck_assert_uint_eq(at_place[5], 0);
}
END_TEST

START_TEST(place_that_is_taken_or_is_none__another_one__not_told)
{
    struct tcp_part *five = wisp_tcp_parts_take_at(&pool, 5);
    ck_assert_uint_ne(number(wisp_tcp_parts_take_at(&pool, 5)), 5);
    ck_assert_uint_lt(number(wisp_tcp_parts_take_at(&pool, PARTS)), PARTS);
    uint32_t told = 0;
    for (uint32_t i = 0; i < PARTS; i++) {
        told += at_place[i];
    }
    ck_assert_uint_eq(told, 1);
    wisp_tcp_parts_give(&pool, five);
}
END_TEST

/* Against a list of who holds what. */
START_TEST(taken_and_given_in_any_order__none_twice_and_none_lost)
{
    struct tcp_part *held[PARTS] = {NULL};
    uint32_t seed = 11, count = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t slot = (seed >> 8) % PARTS;
        if (held[slot]) {
            wisp_tcp_parts_give(&pool, held[slot]);
            held[slot] = NULL;
            count--;
            continue;
        }
        bool place = seed >> 31;
        struct tcp_part *one =
            place ? wisp_tcp_parts_take_at(&pool, slot) : wisp_tcp_parts_take(&pool);
        ck_assert_uint_lt(number(one), PARTS);
        for (uint32_t i = 0; i < PARTS; i++) {
            ck_assert_ptr_ne(held[i], one);
        }
        held[slot] = one;
        count++;
        for (uint32_t i = 0; i < PARTS; i++) {
            bool told = held[i] == &part[i] && part[i].holder == TCP_PART_AT_PLACE;
            ck_assert_uint_eq(at_place[i], told);
        }
    }
    for (; count < PARTS; count++) {
        ck_assert_ptr_nonnull(wisp_tcp_parts_take(&pool));
    }
    ck_assert_ptr_null(pool.free);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp: parts");
    TCase *tcase = tcase_create("parts");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, all_taken__each_once__then_none);
    tcase_add_test(tcase, given_back__the_last_one_comes_first);
    tcase_add_test(tcase, taken_at_a_place__that_one__and_it_is_told_until_it_is_given_back);
    tcase_add_test(tcase, place_that_is_taken_or_is_none__another_one__not_told);
    tcase_add_test(tcase, taken_and_given_in_any_order__none_twice_and_none_lost);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
