/* SPDX-License-Identifier: ISC */
/*
 * A user's own Check test, outside of the tree: what a service said in captures is replayed into the stack it runs on.
 *
 *     gcc replay_check.c -o replay_check $(pkg-config --cflags --libs pcapreplay check)
 *     CAPTURE=http.pcap ./replay_check
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include <check.h>
#include <pcapreplay.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct pcapreplay_options options;

static void setup(void)
{
    pcapreplay_options_default(&options);
    options.file = getenv("CAPTURE");
    ck_assert_msg(options.file != NULL, "CAPTURE names no file");
}

START_TEST(server_in_capture__replayed__every_stream_is_as_captured)
{
    struct pcapreplay_report *report = pcapreplay_run(&options);
    ck_assert_msg(report->status == PCAPREPLAY_MATCH, "%s", report->text);
    for (uint32_t i = 0; i < report->flow_count; i++) {
        const struct pcapreplay_flow *flow = &report->flows[i];
        ck_assert_msg(flow->verdict != PCAPREPLAY_FAIL, "%s %s > %s: %s", flow->proto, flow->peer,
                      flow->dut, flow->why);
    }
    ck_assert_uint_gt(report->pass, 0);
    pcapreplay_free(report);
}
END_TEST

START_TEST(server_in_capture__one_in_fifty_frames_lost__streams_arrive_all_the_same)
{
    options.impair = "loss=2%,delay=10ms";
    options.filter = "tcp";
    struct pcapreplay_report *report = pcapreplay_run(&options);
    ck_assert_msg(report->status == PCAPREPLAY_MATCH, "%s", report->text);
    pcapreplay_free(report);
}
END_TEST

START_TEST(server_in_capture__nobody_answers__is_a_mismatch)
{
    options.impair = "loss=100%";
    options.filter = "tcp";
    struct pcapreplay_report *report = pcapreplay_run(&options);
    ck_assert_int_eq(report->status, PCAPREPLAY_MISMATCH);
    pcapreplay_free(report);
}
END_TEST

START_TEST(capture_absent__replayed__says_so)
{
    options.file = "/nowhere.pcap";
    struct pcapreplay_report *report = pcapreplay_run(&options);
    ck_assert_int_eq(report->status, PCAPREPLAY_UNREADABLE);
    ck_assert_ptr_nonnull(strstr(report->text, "No such file"));
    pcapreplay_free(report);
}
END_TEST

struct runner {
    pthread_t thread;
    char *text;
    size_t size;
};

static void *replay_and_print(void *context)
{
    struct runner *runner = context;
    FILE *memory = open_memstream(&runner->text, &runner->size);
    struct pcapreplay_report *report = pcapreplay_run(&options);
    pcapreplay_print(report, &options, PCAPREPLAY_JSON, true, memory);
    pcapreplay_free(report);
    fclose(memory);
    return NULL;
}

START_TEST(server_in_capture__replayed_by_threads_at_once__the_same_reports)
{
    struct runner runner[4] = {0};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&runner[i].thread, NULL, replay_and_print, &runner[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(runner[i].thread, NULL);
        ck_assert_uint_eq(runner[i].size, runner[0].size);
        ck_assert_int_eq(memcmp(runner[i].text, runner[0].text, runner[0].size), 0);
    }
    for (int i = 0; i < 4; i++) {
        free(runner[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tests = tcase_create("replay");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, server_in_capture__replayed__every_stream_is_as_captured);
    tcase_add_test(tests, server_in_capture__one_in_fifty_frames_lost__streams_arrive_all_the_same);
    tcase_add_test(tests, server_in_capture__nobody_answers__is_a_mismatch);
    tcase_add_test(tests, capture_absent__replayed__says_so);
    tcase_add_test(tests, server_in_capture__replayed_by_threads_at_once__the_same_reports);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
