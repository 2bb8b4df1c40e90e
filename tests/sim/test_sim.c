/* SPDX-License-Identifier: ISC */
/*
 * Two stacks over bad networks: every byte arrives, in order, whatever happens; the same seed is the same run.
 * WISP_SIM_SEEDS sets how many seeds each plan is run with (default 12); WISP_SIM_FIRST the first one.
 */
#include "sim.h"
#include "suite.h"
#include <stdlib.h>

static void small_window(struct wisp_tcp_config *config)
{
    config->receive_window = 5000;
}

static void no_options(struct wisp_tcp_config *config)
{
    config->timestamps = false;
    config->sack = false;
    config->window_scaling = false;
}

static void few_pages(struct wisp_tcp_config *config)
{
    config->send_pages = 8;
    config->receive_pages = 8;
}

static void few_parts(struct wisp_tcp_config *config)
{
    config->working = 1;
    config->blocks = 4;
}

static void one_block(struct wisp_tcp_config *config)
{
    config->blocks = 1;
}

#define PERCENT 10000

static const struct sim_plan plans[] = {
    {.name = "clean", .bytes = {200000, 200000}},
    {.name = "clean, lent and taken", .bytes = {300000, 100000}, .lend = true, .take = true},
    {.name = "delay 20 ms", .bytes = {300000, 300000}, .impair = {.delay = WISP_MS(20)}},
    {.name = "loss 1 %",
     .bytes = {200000, 200000},
     .impair = {.loss = PERCENT, .delay = WISP_MS(5)}},
    {.name = "loss 5 %",
     .bytes = {100000, 100000},
     .impair = {.loss = 5 * PERCENT, .delay = WISP_MS(5)}},
    {.name = "loss 20 %",
     .bytes = {20000, 20000},
     .impair = {.loss = 20 * PERCENT, .delay = WISP_MS(2)}},
    {.name = "duplicates 20 %", .bytes = {200000, 200000}, .impair = {.duplicate = 20 * PERCENT}},
    {.name = "reordering 20 %",
     .bytes = {200000, 200000},
     .impair = {.reorder = 20 * PERCENT, .reorder_by = WISP_MS(3), .delay = WISP_MS(2)}},
    {.name = "corruption 2 %", .bytes = {100000, 100000}, .impair = {.corrupt = 2 * PERCENT}},
    {.name = "truncation 2 %", .bytes = {100000, 100000}, .impair = {.truncate = 2 * PERCENT}},
    {.name = "everything at once",
     .bytes = {60000, 60000},
     .lend = true,
     .impair = {.loss = 3 * PERCENT,
                .duplicate = 5 * PERCENT,
                .reorder = 10 * PERCENT,
                .corrupt = PERCENT,
                .truncate = PERCENT,
                .delay = WISP_MS(10),
                .jitter = WISP_MS(5)}},
    {.name = "views of 100 bytes",
     .bytes = {60000, 60000},
     .split = 100,
     .impair = {.loss = PERCENT}},
    {.name = "checksum offload",
     .bytes = {300000, 300000},
     .csum = true,
     .impair = {.loss = PERCENT}},
    {.name = "gso", .bytes = {2000000, 500000}, .csum = true, .gso = 65535, .lend = true},
    {.name = "gso with loss",
     .bytes = {500000, 500000},
     .csum = true,
     .gso = 65535,
     .lend = true,
     .impair = {.loss = PERCENT, .delay = WISP_MS(2)}},
    {.name = "mtu 576", .mtu = 576, .bytes = {60000, 60000}, .impair = {.loss = PERCENT}},
    {.name = "mtu 9000", .mtu = 9000, .bytes = {400000, 400000}, .impair = {.loss = PERCENT}},
    {.name = "window 5000",
     .bytes = {100000, 100000},
     .tune = small_window,
     .impair = {.loss = PERCENT}},
    {.name = "no options",
     .bytes = {200000, 200000},
     .tune = no_options,
     .impair = {.loss = PERCENT}},
    {.name = "few pages",
     .bytes = {100000, 100000},
     .tune = few_pages,
     .impair = {.loss = PERCENT}},
    {.name = "pool of 96 pages",
     .bytes = {100000, 100000},
     .pages = 96,
     .impair = {.loss = PERCENT}},
    {.name = "one working part",
     .bytes = {50000, 50000},
     .tune = few_parts,
     .impair = {.loss = PERCENT}},
    {.name = "one block, clean", .bytes = {50000, 50000}, .tune = one_block},
    {.name = "one block, one way", .bytes = {50000, 1}, .tune = one_block},
    {.name = "one block, delay",
     .bytes = {50000, 50000},
     .tune = one_block,
     .impair = {.delay = WISP_MS(2)}},
    {.name = "one block, loss",
     .bytes = {20000, 20000},
     .tune = one_block,
     .impair = {.loss = PERCENT, .delay = WISP_MS(2)}},
    {.name = "one block, lent",
     .bytes = {50000, 50000},
     .tune = one_block,
     .lend = true,
     .impair = {.loss = PERCENT, .delay = WISP_MS(2)}},
    {.name = "one block, gso",
     .bytes = {200000, 50000},
     .tune = one_block,
     .lend = true,
     .csum = true,
     .gso = 65535,
     .impair = {.loss = PERCENT, .delay = WISP_MS(2)}},
    {.name = "stalling reader",
     .bytes = {100000, 100000},
     .stall = 900000,
     .impair = {.loss = PERCENT}},
    {.name = "dead for five seconds",
     .bytes = {100000, 100000},
     .impair = {.loss = 100 * PERCENT},
     .heal = WISP_SEC(5)},
};
#define PLANS (sizeof(plans) / sizeof(plans[0]))

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* covers: MUST-19, SHLD-31, TC-65 */
START_TEST(bad_network__any_seed__every_byte_arrives_in_order)
{
    const struct sim_plan *plan = &plans[_i];
    uint64_t first = number("WISP_SIM_FIRST", 1);
    uint64_t seeds = number("WISP_SIM_SEEDS", 12);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        struct sim_result result = sim_run(plan, seed);
        ck_assert_msg(result.finished, "%s, seed %llu: %s after %llu ms, %llu frames", plan->name,
                      (unsigned long long)seed, result.failure,
                      (unsigned long long)(result.took / 1000000),
                      (unsigned long long)result.frames);
    }
}
END_TEST

START_TEST(any_plan__same_seed_twice__same_frames_at_the_same_times)
{
    const struct sim_plan *plan = &plans[_i];
    struct sim_result a = sim_run(plan, 5);
    struct sim_result b = sim_run(plan, 5);
    struct sim_result c = sim_run(plan, 6);
    ck_assert_msg(a.trace == b.trace && a.frames == b.frames && a.took == b.took, "%s", plan->name);
    ck_assert_msg(a.trace != c.trace, "%s: another seed gives the same run", plan->name);
}
END_TEST

START_TEST(clean_network__bulk__nothing_is_sent_twice_and_nothing_copied)
{
    struct sim_result result = sim_run(&plans[1], 1);
    ck_assert(result.finished);
    ck_assert_uint_eq(result.retransmits, 0);
    ck_assert_uint_eq(result.copied, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim");
    TCase *tcase = tcase_create("sim");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, bad_network__any_seed__every_byte_arrives_in_order, 0, PLANS);
    tcase_add_loop_test(tcase, any_plan__same_seed_twice__same_frames_at_the_same_times, 0, PLANS);
    tcase_add_test(tcase, clean_network__bulk__nothing_is_sent_twice_and_nothing_copied);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
