/* SPDX-License-Identifier: ISC */
/* Text of the applications. */
#include "suite.h"
#include "text.h"
#include <string.h>

static char bytes[64];

static const char *decimals(uint64_t number, uint32_t n)
{
    struct wisp_text text = {bytes, sizeof(bytes) - 1, 0};
    wisp_text_add_decimals(&text, number, n);
    bytes[text.used] = 0;
    return bytes;
}

START_TEST(numbers__written__as_people_do)
{
    ck_assert_str_eq(decimals(0, 0), "0");
    ck_assert_str_eq(decimals(120, 0), "120");
    ck_assert_str_eq(decimals(UINT64_MAX, 0), "18446744073709551615");
    ck_assert_str_eq(decimals(0, 3), "0.000");
    ck_assert_str_eq(decimals(7, 3), "0.007");
    ck_assert_str_eq(decimals(1000, 3), "1.000");
    ck_assert_str_eq(decimals(123456, 3), "123.456");
    ck_assert_str_eq(decimals(UINT64_MAX, 19), "1.8446744073709551615");
}
END_TEST

START_TEST(text_of_four__six_added__cut_and_counted)
{
    struct wisp_text text = {bytes, 4, 0};
    memset(bytes, '-', sizeof(bytes));
    wisp_text_add(&text, "abcdef");
    ck_assert_uint_eq(text.used, 6);
    ck_assert_mem_eq(bytes, "abcd-", 5);
}
END_TEST

static const struct {
    const char *text;
    uint64_t most;
    bool good;
    uint64_t number;
} numbers[] = {
    {"0", 9, true, 0},
    {"007", 9, true, 7},
    {"9", 9, true, 9},
    {"10", 9, false, 0},
    {"65535", 65535, true, 65535},
    {"65536", 65535, false, 0},
    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"18446744073709551616", UINT64_MAX, false, 0},
    {"", 9, false, 0},
    {"-1", 9, false, 0},
    {"1 ", 9, false, 0},
    {"0x1", 9, false, 0},
    {"5", 3, false, 0},
};

START_TEST(table__number__as_written)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t number = 0;
        bool good =
            wisp_text_number(numbers[i].text, strlen(numbers[i].text), numbers[i].most, &number);
        ck_assert_msg(good == numbers[i].good && (!good || number == numbers[i].number), "%s",
                      numbers[i].text);
    }
}
END_TEST

START_TEST(words__compared__whole_and_caseless)
{
    ck_assert(wisp_text_equal("ab", "ab"));
    ck_assert(!wisp_text_equal("ab", "abc"));
    ck_assert(!wisp_text_equal("abc", "ab"));
    ck_assert(wisp_text_equal_caseless("hOsT:", 4, "host"));
    ck_assert(!wisp_text_equal_caseless("hos", 3, "host"));
    ck_assert(!wisp_text_equal_caseless("hosts", 5, "host"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tc = tcase_create("text");
    tcase_add_test(tc, numbers__written__as_people_do);
    tcase_add_test(tc, text_of_four__six_added__cut_and_counted);
    tcase_add_test(tc, table__number__as_written);
    tcase_add_test(tc, words__compared__whole_and_caseless);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
