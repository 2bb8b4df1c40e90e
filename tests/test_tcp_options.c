/* SPDX-License-Identifier: ISC */
/* TCP options: golden bytes of other stacks, every truncation, every length. */
#include "options.h"
#include "suite.h"
#include <string.h>

/* A Linux SYN's: MSS 1460, SACK permitted, timestamps, NOP, window scale 7. */
static const uint8_t linux_syn[] = {2,    4,    5, 0xb4, 4, 2, 8, 10, 0x11, 0x22,
                                    0x33, 0x44, 0, 0,    0, 0, 1, 3,  3,    7};

/* covers: MUST-4, MUST-14 */
START_TEST(linux_syn__parsed__all_options_known)
{
    struct tcp_options o;
    ck_assert(wisp_tcp_options_parse(linux_syn, sizeof(linux_syn), &o));
    ck_assert(o.has_mss && o.has_scale && o.has_ts && o.sack_permitted);
    ck_assert_uint_eq(o.mss, 1460);
    ck_assert_uint_eq(o.shift, 7);
    ck_assert_uint_eq(o.tsval, 0x11223344);
    ck_assert_uint_eq(o.tsecr, 0);
}
END_TEST

/* covers: TC-02 */
START_TEST(linux_syn__cut_at_every_length__what_is_whole_counts)
{
    for (uint32_t n = 0; n <= sizeof(linux_syn); n++) {
        struct tcp_options o;
        uint8_t copy[sizeof(linux_syn)];
        memcpy(copy, linux_syn, n);
        wisp_tcp_options_parse(copy, n, &o);
        ck_assert_msg(o.has_mss == (n >= 4) && o.sack_permitted == (n >= 6) &&
                          o.has_ts == (n >= 16) && o.has_scale == (n >= 20),
                      "cut at %u", n);
    }
}
END_TEST

/* covers: MUST-6, MUST-7, TC-01 */
START_TEST(any_kind__any_length__skipped_or_stopped_at)
{
    for (uint32_t kind = 2; kind < 256; kind++) {
        for (uint32_t length = 0; length < 256; length++) {
            uint8_t bytes[40] = {(uint8_t)kind, (uint8_t)length};
            memset(bytes + 2, 1, sizeof(bytes) - 2);
            struct tcp_options o;
            bool fits = length >= 2 && length <= sizeof(bytes);
            ck_assert_msg(wisp_tcp_options_parse(bytes, sizeof(bytes), &o) == fits,
                          "kind %u length %u", kind, length);
            ck_assert(o.has_mss == (kind == 2 && length == 4));
            ck_assert(o.has_scale == (kind == 3 && length == 3));
            ck_assert(o.has_ts == (kind == 8 && length == 10));
            ck_assert(o.sack_permitted == (kind == 4 && length == 2));
            ck_assert(o.has_sack == (kind == 5 && fits && length > 2 && length % 8 == 2));
            ck_assert(!o.has_sack || (o.sack.start.v == 0x01010101 && o.sack.end.v == 0x01010101));
        }
    }
}
END_TEST

/* covers: MUST-64 */
START_TEST(shifted_by_nops__parsed__the_same)
{
    for (uint32_t shift = 0; shift <= 4; shift++) {
        uint8_t bytes[40];
        struct tcp_options o;
        memset(bytes, 1, sizeof(bytes));
        memcpy(bytes + shift, linux_syn, sizeof(linux_syn));
        ck_assert(wisp_tcp_options_parse(bytes, shift + sizeof(linux_syn), &o));
        ck_assert_uint_eq(o.mss, 1460);
        ck_assert_uint_eq(o.tsval, 0x11223344);
    }
}
END_TEST

/* covers: TC-07 */
START_TEST(shift_above_14_and_second_mss__parsed__14_and_the_first)
{
    static const uint8_t bytes[] = {3, 3, 255, 2, 4, 2, 0, 2, 4, 1, 0, 0};
    struct tcp_options o;
    ck_assert(wisp_tcp_options_parse(bytes, sizeof(bytes), &o));
    ck_assert_uint_eq(o.shift, 14);
    ck_assert_uint_eq(o.mss, 512);
}
END_TEST

/* covers: MUST-68 */
START_TEST(everything__emitted_and_parsed__the_same_and_within_forty_bytes)
{
    struct tcp_sack sack[4] = {{{1}, {2}}, {{3}, {4}}, {{5}, {6}}, {{7}, {8}}};
    struct tcp_options_out out = {.ts = true, .tsval = 7, .tsecr = 9, .sacks = 4, .sack = sack};
    static const uint8_t head[] = {1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 1, 5, 26, 0, 0, 0, 1};
    uint8_t bytes[TCP_OPTIONS_MAX];
    uint32_t n = wisp_tcp_options_emit(bytes, &out);
    ck_assert_uint_eq(n, 40); /* three blocks fit beside timestamps */
    ck_assert_mem_eq(bytes, head, sizeof(head));
    struct tcp_options_out syn = {
        .mss = 1460, .scale = true, .shift = 7, .sack_permitted = true, .ts = true};
    struct tcp_options o;
    n = wisp_tcp_options_emit(bytes, &syn);
    ck_assert_uint_eq(n % 4, 0);
    ck_assert(wisp_tcp_options_parse(bytes, n, &o));
    ck_assert(o.mss == 1460 && o.shift == 7 && o.sack_permitted && o.has_ts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp options");
    TCase *tcase = tcase_create("options");
    tcase_add_test(tcase, linux_syn__parsed__all_options_known);
    tcase_add_test(tcase, linux_syn__cut_at_every_length__what_is_whole_counts);
    tcase_add_test(tcase, any_kind__any_length__skipped_or_stopped_at);
    tcase_add_test(tcase, shifted_by_nops__parsed__the_same);
    tcase_add_test(tcase, shift_above_14_and_second_mss__parsed__14_and_the_first);
    tcase_add_test(tcase, everything__emitted_and_parsed__the_same_and_within_forty_bytes);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
