/* SPDX-License-Identifier: ISC */
/* The formatter of both platforms, held against the C library's. */
#include "format.h"
#include "suite.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char ours[200], theirs[200];
static int our_length;

__attribute__((format(printf, 1, 2))) static bool same(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    our_length = wisp_vformat(ours, sizeof(ours), format, args);
    va_end(args);
    va_start(args, format);
    int their_length = vsnprintf(theirs, sizeof(theirs), format, args);
    va_end(args);
    return our_length == their_length && strcmp(ours, theirs) == 0;
}

#define ck_same(...)                                                                               \
    ck_assert_msg(same(__VA_ARGS__), "\"%s\" (%d), the C library: \"%s\"", ours, our_length, theirs)

START_TEST(integers__each_length_at_its_ends__as_the_c_library)
{
    static const long long numbers[] = {
        0,     1,      -1,    9,     10,      127,     128,      -128,      255,      256,
        32767, -32768, 65535, 65536, INT_MAX, INT_MIN, UINT_MAX, LLONG_MAX, LLONG_MIN};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        long long n = numbers[i];
        ck_same("%d %i %u %x %X %o", (int)n, (int)n, (unsigned)n, (unsigned)n, (unsigned)n,
                (unsigned)n);
        ck_same("%ld %lu %lx %lo", (long)n, (unsigned long)n, (unsigned long)n, (unsigned long)n);
        ck_same("%lld %llu %llX %zu %zx %jd %td", n, (unsigned long long)n, (unsigned long long)n,
                (size_t)n, (size_t)n, (intmax_t)n, (ptrdiff_t)n);
        ck_same("%hd %hu %hhd %hhu %hhx", (short)n, (unsigned short)n, (signed char)n,
                (unsigned char)n, (unsigned char)n);
        ck_same("[%5d] [%05d] [%-5d] [%1d] [%012lld] [%-12lld]", (int)n, (int)n, (int)n, (int)n, n,
                n);
        ck_same("[%08x] [%-8x] [%8X] [%*u] [%-*u] [%0*u]", (unsigned)n, (unsigned)n, (unsigned)n, 6,
                (unsigned)n, 6, (unsigned)n, 6, (unsigned)n);
    }
}
END_TEST

START_TEST(texts__widths_and_precisions__as_the_c_library)
{
    static const char unended[3] = {'a', 'b', 'c'};
    ck_same("%s|%10s|%-10s|%.2s|%10.2s|%-10.2s|%.0s|%.s", "wisp", "wisp", "wisp", "wisp", "wisp",
            "wisp", "wisp", "wisp");
    ck_same("%.*s|%*s|%-*s|%*.*s", 3, unended, 7, "wisp", 7, "wisp", 7, 2, "wisp");
    ck_same("%.3s", unended);
    ck_same("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
    ck_same("100%% of %s%%", "it");
    ck_same("%p", (void *)(uintptr_t)0x12345678abcdu);
    ck_same("no conversion at all");
    ck_same("%s", "");
}
END_TEST

__attribute__((format(printf, 3, 4))) static int write_to(char *text, size_t size,
                                                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = wisp_vformat(text, size, format, args);
    va_end(args);
    return length;
}

START_TEST(room__every_size__ends_with_zero_and_keeps_what_lies_behind)
{
    for (size_t size = 0; size <= 12; size++) {
        char text[16], whole[16];
        memset(text, '~', sizeof(text));
        snprintf(whole, sizeof(whole), "%s %03d", "abcde", 42);
        ck_assert_int_eq(write_to(text, size, "%s %03d", "abcde", 42), 9);
        size_t kept = size == 0 ? 0 : size - 1 < 9 ? size - 1 : 9;
        ck_assert_mem_eq(text, whole, kept);
        ck_assert(size == 0 || text[kept] == 0);
        for (size_t i = size == 0 ? 0 : kept + 1; i < sizeof(text); i++) {
            ck_assert_int_eq(text[i], '~');
        }
    }
}
END_TEST

/* Not for the compiler to see: these are mistakes. */
static int write_unchecked(char *text, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int length = wisp_vformat(text, size, format, args);
#pragma GCC diagnostic pop
    va_end(args);
    return length;
}

START_TEST(unknown__anywhere__the_rest_stands_as_written)
{
    static const struct {
        const char *format, *text;
    } rows[] = {
        {"%d of %f, %s", "7 of %f, %s"},
        {"%d%", "7%"},
        {"%d %5", "7 %5"},
        {"%d %-08", "7 %-08"},
        {"%d %n", "7 %n"},
        {"%d %ll", "7 %ll"},
        {"%d %.", "7 %."},
        {"%d %Lf", "7 %Lf"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[40];
        int length = write_unchecked(text, sizeof(text), rows[i].format, 7);
        ck_assert_str_eq(text, rows[i].text);
        ck_assert_int_eq(length, (int)strlen(rows[i].text));
    }
}
END_TEST

START_TEST(null_text_and_wild_widths__written__bounded)
{
    char text[2000];
    write_unchecked(text, sizeof(text), "%s", (const char *)NULL);
    ck_assert_str_eq(text, "(null)");
    ck_assert_int_eq(write_unchecked(text, sizeof(text), "%99999999999d", 1), 999);
    ck_assert_int_eq(write_unchecked(text, sizeof(text), "%*d", INT_MAX, 1), 999);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *tc = tcase_create("format");
    tcase_add_test(tc, integers__each_length_at_its_ends__as_the_c_library);
    tcase_add_test(tc, texts__widths_and_precisions__as_the_c_library);
    tcase_add_test(tc, room__every_size__ends_with_zero_and_keeps_what_lies_behind);
    tcase_add_test(tc, unknown__anywhere__the_rest_stands_as_written);
    tcase_add_test(tc, null_text_and_wild_widths__written__bounded);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
