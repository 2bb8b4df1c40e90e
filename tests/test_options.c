/* SPDX-License-Identifier: ISC */
/* Options of programs that were compiled with an older or a later pcapreplay.h. */
#include "options.h"
#include "suite.h"
#include <string.h>

/* As a later version might have them. */
struct later {
    struct pcapreplay_options options;
    uint64_t more;
};

START_TEST(options__set_to_defaults__know_their_size)
{
    struct pcapreplay_options options, own;
    memset(&options, 0xff, sizeof(options));
    pcapreplay_options_default(&options);
    ck_assert_uint_eq(options.size, sizeof(options));
    ck_assert(options.mtu == 1500 && options.seed == 1 && options.queues == 1);
    ck_assert(!options.file && !options.impair && !options.list && options.limit == 0);
    options.mtu = 576;
    ck_assert(options_take(&own, &options));
    ck_assert_uint_eq(own.mtu, 576);
}
END_TEST

START_TEST(options__of_an_older_program__rest_is_as_by_default)
{
    /* Bytes behind what that program knows are not touched. */
    _Alignas(struct pcapreplay_options) uint8_t bytes[sizeof(struct pcapreplay_options)];
    struct pcapreplay_options own;
    struct pcapreplay_options *options = (struct pcapreplay_options *)(void *)bytes;
    for (size_t size = sizeof(size_t); size < sizeof(bytes); size++) {
        memset(bytes, 0xaa, sizeof(bytes));
        pcapreplay_options_fill(options, size);
        for (size_t i = size; i < sizeof(bytes); i++) {
            ck_assert_uint_eq(bytes[i], 0xaa);
        }
        ck_assert(options_take(&own, options));
        ck_assert_uint_eq(own.size, size);
        ck_assert(own.mtu == 1500 && own.seed == 1 && own.queues == 1 && own.limit == 0);
    }
}
END_TEST

START_TEST(options__of_a_later_program__taken_unless_they_ask_for_more)
{
    struct later later;
    struct pcapreplay_options own;
    pcapreplay_options_fill(&later.options, sizeof(later));
    later.options.queues = 3;
    ck_assert(options_take(&own, &later.options));
    ck_assert_uint_eq(own.queues, 3);
    later.more = 1;
    ck_assert(!options_take(&own, &later.options));
}
END_TEST

START_TEST(options__never_set__are_refused_and_told)
{
    struct pcapreplay_options options = {.file = "x"};
    struct pcapreplay_report *report = pcapreplay_run(&options);
    ck_assert_int_eq(report->status, PCAPREPLAY_USAGE);
    ck_assert_ptr_nonnull(strstr(report->text, "pcapreplay_options_default"));
    pcapreplay_free(report);
    pcapreplay_options_default(&options);
    report = pcapreplay_run(&options);
    ck_assert_int_eq(report->status, PCAPREPLAY_USAGE);
    ck_assert_ptr_nonnull(strstr(report->text, "no file"));
    pcapreplay_free(report);
    pcapreplay_free(NULL);
}
END_TEST

START_TEST(options__of_another_mode__are_refused)
{
    struct pcapreplay_options options;
    for (int i = 0; i < 5; i++) {
        pcapreplay_options_default(&options);
        options.file = "/dev/null";
        options.mode = i < 3 ? PCAPREPLAY_INJECT : PCAPREPLAY_ENDPOINT;
        options.list = i == 0;
        options.allow_truncated = i == 1;
        options.strict = i == 2 ? PCAPREPLAY_BYTES : PCAPREPLAY_STREAM;
        options.dut_mac = i == 3 ? "02:00:00:00:00:01" : NULL;
        options.impair = i == 4 ? "" : NULL;
        struct pcapreplay_report *report = pcapreplay_run(&options);
        ck_assert_msg(report->status == PCAPREPLAY_USAGE, "%d: %s", i, report->text);
        pcapreplay_free(report);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");
    tcase_add_test(tcase, options__set_to_defaults__know_their_size);
    tcase_add_test(tcase, options__of_an_older_program__rest_is_as_by_default);
    tcase_add_test(tcase, options__of_a_later_program__taken_unless_they_ask_for_more);
    tcase_add_test(tcase, options__never_set__are_refused_and_told);
    tcase_add_test(tcase, options__of_another_mode__are_refused);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
