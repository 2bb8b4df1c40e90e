/* SPDX-License-Identifier: ISC */
/*
 * A conversation in which the 1st, the 2nd, ... request for a page or a packet fails, alone or with those behind it:
 * every byte arrives all the same, and nothing is left in use. The requests are both ends' and the link's.
 */
#include "famine.h"
#include "sim.h"
#include "suite.h"

static void small_pages(struct wisp_tcp_config *config)
{
    config->receive_pages = 8;
    config->send_pages = 8;
}

static const struct sim_plan plans[] = {
    {.name = "written and read", .pages = 200, .bytes = {20000, 20000}},
    {.name = "lent and taken", .pages = 200, .bytes = {30000, 9000}, .lend = true, .take = true},
    {.name = "small views", .pages = 200, .bytes = {9000, 5000}, .split = 100},
    {.name = "segmented by the device",
     .pages = 200,
     .bytes = {90000, 20000},
     .csum = true,
     .gso = 65535},
    {.name = "reordered",
     .pages = 200,
     .bytes = {20000, 20000},
     .impair = {.reorder = 200000, .reorder_by = WISP_MS(3), .delay = WISP_MS(2)}},
    {.name = "few pages, loss",
     .pages = 200,
     .bytes = {20000, 20000},
     .tune = small_pages,
     .impair = {.loss = 20000, .delay = WISP_MS(2)}},
};
#define PLANS (sizeof(plans) / sizeof(plans[0]))

static uint64_t first, span;

static void begin(void)
{
    famine_begin(first, span);
}

/* covers: RS-12 */
START_TEST(pool_fails__at_any_request_alone_or_for_a_while__every_byte_arrives)
{
    static const uint64_t spans[] = {1, 3, 20};
    struct sim_plan plan = plans[_i];
    plan.opened = begin;
    for (size_t k = 0; k < sizeof(spans) / sizeof(spans[0]); k++) {
        uint64_t asked = 1;
        span = spans[k];
        for (first = 1; first <= asked; first++) {
            struct sim_result result = sim_run(&plan, 1);
            asked = famine_end();
            ck_assert_msg(result.finished,
                          "%s, requests from %llu on, %llu of them: %s after %llu ms", plan.name,
                          (unsigned long long)first, (unsigned long long)span, result.failure,
                          (unsigned long long)(result.took / 1000000));
        }
        ck_assert_uint_ge(asked, 50);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("famine");
    TCase *tcase = tcase_create("famine");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, pool_fails__at_any_request_alone_or_for_a_while__every_byte_arrives,
                        0, PLANS);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
