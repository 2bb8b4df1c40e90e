/* SPDX-License-Identifier: ISC */
/* Internet checksum sums: known values, and every implementation against the plain definition. */
#include "suite.h"
#include "sum.h"
#include <stdbool.h>
#include <stdlib.h>

/* RFC 1071's definition, word by word. */
static uint16_t plain(const uint8_t *p, size_t len)
{
    uint32_t s = 0;
    for (size_t i = 0; i < len; i += 2) {
        uint8_t two[2] = {p[i], i + 1 < len ? p[i + 1] : 0};
        uint16_t w;
        memcpy(&w, two, 2);
        s += w;
        s = (s & 0xffff) + (s >> 16);
    }
    return (uint16_t)s;
}

static bool same(uint16_t a, uint16_t b)
{
    return a == b || (a == 0xffff && b == 0) || (a == 0 && b == 0xffff);
}

START_TEST(rfc1071_example__summed__gives_the_published_value)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint16_t s = wisp_sum_portable(bytes, sizeof(bytes));
    uint8_t wire[2];
    memcpy(wire, &s, 2);
    ck_assert_uint_eq(wire[0], 0xdd);
    ck_assert_uint_eq(wire[1], 0xf2);
}
END_TEST

START_TEST(every_length_and_alignment__summed__equals_the_definition)
{
    uint8_t bytes[2048 + 64];
    uint32_t x = 12345;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
    bool avx2 = __builtin_cpu_supports("avx2");
    for (size_t align = 0; align < 40; align += 3) {
        for (size_t len = 0; len < 2048; len += len < 300 ? 1 : 37) {
            uint16_t want = plain(bytes + align, len);
            ck_assert_msg(same(wisp_sum_portable(bytes + align, len), want), "portable, %zu at %zu",
                          len, align);
            if (avx2) {
                ck_assert_msg(same(wisp_sum_avx2(bytes + align, len), want), "avx2, %zu at %zu",
                              len, align);
            }
        }
    }
}
END_TEST

START_TEST(all_ones__64_kib__does_not_overflow)
{
    uint8_t *bytes = malloc(65536);
    memset(bytes, 0xff, 65536);
    ck_assert(same(wisp_sum_portable(bytes, 65536), 0xffff));
    ck_assert(same(wisp_sum_portable(bytes, 65535), plain(bytes, 65535)));
    if (__builtin_cpu_supports("avx2")) {
        ck_assert(same(wisp_sum_avx2(bytes, 65535), plain(bytes, 65535)));
    }
    free(bytes);
}
END_TEST

START_TEST(few_bytes_in_line__every_length_and_start__equals_the_definition)
{
    uint8_t bytes[256 + 16];
    uint32_t x = 99;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> (i % 3 ? 24 : 31));
    }
    for (size_t align = 0; align < 9; align++) {
        for (size_t len = 8; len < 256; len++) {
            uint64_t sum = wisp_sum_few(0xfedcba9876543210u, bytes + align, len);
            uint16_t start = wisp_sum_fold(0xfedcba9876543210u);
            ck_assert_msg(same(wisp_sum_fold(sum), wisp_sum_add(start, plain(bytes + align, len))),
                          "%zu at %zu", len, align);
        }
    }
}
END_TEST

START_TEST(sum_with_every_checksum__asked_whether_it_is_right__only_the_right_one_is)
{
    static const uint64_t sums[] = {
        1, 0xfffe, 0x10000, 0x123456789abcdef0u, UINT64_MAX, UINT64_MAX - 0xffff};
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        uint32_t wrong = 0;
        for (uint32_t c = 0; c < 65536; c++) {
            uint64_t sum = wisp_sum_carry(sums[i], c);
            wrong += wisp_sum_is_right(sum) != (wisp_sum_fold(sum) == 0xffff);
        }
        ck_assert_uint_eq(wrong, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sum");
    TCase *tcase = tcase_create("sum");
    tcase_add_test(tcase, rfc1071_example__summed__gives_the_published_value);
    tcase_add_test(tcase, every_length_and_alignment__summed__equals_the_definition);
    tcase_add_test(tcase, few_bytes_in_line__every_length_and_start__equals_the_definition);
    tcase_add_test(tcase,
                   sum_with_every_checksum__asked_whether_it_is_right__only_the_right_one_is);
    tcase_add_test(tcase, all_ones__64_kib__does_not_overflow);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
