/* SPDX-License-Identifier: ISC */
/* The guest's entropy: sources that fail or repeat are refused, what is mixed in matters, what was
 * given stays given. */
#include "entropy.h"
#include "suite.h"
#include <string.h>

static struct wisp_entropy pool, other;
static uint64_t words;
static unsigned calls;

static void setup(void)
{
    memset(&pool, 0, sizeof(pool));
    memset(&other, 0, sizeof(other));
    words = 0;
    calls = 0;
}

static bool counting(uint64_t *word)
{
    *word = ++words;
    return true;
}

static bool absent(uint64_t *word)
{
    (void)word;
    calls++;
    return false;
}

static bool every_third(uint64_t *word)
{
    *word = ++words;
    return ++calls % 3 == 0;
}

static bool stuck(uint64_t *word)
{
    *word = UINT64_MAX;
    return true;
}

static bool stuck_at_zero(uint64_t *word)
{
    *word = 0;
    return true;
}

START_TEST(source_answers__gather__good)
{
    ck_assert(wisp_entropy_gather(&pool, counting));
    ck_assert_uint_ge(words, 8); /* 512 bits */
}
END_TEST

START_TEST(no_source__gather__refused_after_ten_tries)
{
    ck_assert(!wisp_entropy_gather(&pool, absent));
    ck_assert_uint_eq(calls, 10);
}
END_TEST

START_TEST(source_slow__gather__waits_for_it)
{
    ck_assert(wisp_entropy_gather(&pool, every_third));
}
END_TEST

START_TEST(source_stuck__gather__refused)
{
    ck_assert(!wisp_entropy_gather(&pool, stuck));
    ck_assert(!wisp_entropy_gather(&pool, stuck_at_zero));
}
END_TEST

START_TEST(same_mixed__take__same_given)
{
    uint8_t a[80], b[80];
    wisp_entropy_mix(&pool, "seed", 4);
    wisp_entropy_mix(&other, "seed", 4);
    wisp_entropy_take(&pool, a, sizeof(a));
    wisp_entropy_take(&other, b, sizeof(b));
    ck_assert_mem_eq(a, b, sizeof(a));
    ck_assert_mem_ne(a, a + 32, 32);
    ck_assert_mem_ne(a + 32, a + 64, 16);
}
END_TEST

/* One bit, at any place of a long or short input, and its length: all matter. */
START_TEST(inputs_differ__take__differs)
{
    uint8_t input[64] = {0}, zero[64] = {0}, a[32], b[32];
    for (size_t length = 1; length <= sizeof(input); length++) {
        setup();
        wisp_entropy_mix(&pool, zero, length);
        wisp_entropy_mix(&other, zero, length - 1);
        wisp_entropy_take(&pool, a, sizeof(a));
        wisp_entropy_take(&other, b, sizeof(b));
        ck_assert_msg(memcmp(a, b, sizeof(a)) != 0, "length %zu", length);
    }
    for (size_t bit = 0; bit < 8 * sizeof(input); bit++) {
        setup();
        input[bit / 8] = (uint8_t)(1u << bit % 8);
        wisp_entropy_mix(&pool, input, sizeof(input));
        wisp_entropy_mix(&other, zero, sizeof(zero));
        input[bit / 8] = 0;
        wisp_entropy_take(&pool, a, sizeof(a));
        wisp_entropy_take(&other, b, sizeof(b));
        ck_assert_msg(memcmp(a, b, sizeof(a)) != 0, "bit %zu", bit);
    }
}
END_TEST

/* What was given cannot be found in, nor be made again from, what is left. */
START_TEST(taken__state_left__gives_something_else)
{
    uint8_t given[32], again[32];
    wisp_entropy_mix(&pool, "seed", 4);
    wisp_entropy_take(&pool, given, sizeof(given));
    ck_assert_mem_ne(pool.state, given, sizeof(given));
    wisp_entropy_take(&pool, again, sizeof(again));
    ck_assert_mem_ne(again, given, sizeof(given));
}
END_TEST

START_TEST(taken__lengths__as_many_bytes_as_asked)
{
    for (size_t length = 0; length < 70; length++) {
        uint8_t bytes[72];
        memset(bytes, 0xa5, sizeof(bytes));
        wisp_entropy_take(&pool, bytes, length);
        for (size_t i = length; i < sizeof(bytes); i++) {
            ck_assert_uint_eq(bytes[i], 0xa5);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("entropy");
    TCase *tests = tcase_create("entropy");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, source_answers__gather__good);
    tcase_add_test(tests, no_source__gather__refused_after_ten_tries);
    tcase_add_test(tests, source_slow__gather__waits_for_it);
    tcase_add_test(tests, source_stuck__gather__refused);
    tcase_add_test(tests, same_mixed__take__same_given);
    tcase_add_test(tests, inputs_differ__take__differs);
    tcase_add_test(tests, taken__state_left__gives_something_else);
    tcase_add_test(tests, taken__lengths__as_many_bytes_as_asked);
    suite_add_tcase(suite, tests);
    return wisp_suite_run(suite);
}
