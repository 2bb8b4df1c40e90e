/* SPDX-License-Identifier: ISC */
/* Log specifications. */
#include "logspec.h"
#include "suite.h"

static const struct {
    const char *spec;
    bool valid;
} specs[] = {
    {"*:info", true},          {"debug", true},       {"tcp:debug,*:warn", true},
    {"tcp:debug,error", true}, {"", false},           {"tcp", false},
    {"tcp:", false},           {"tcp:loud", false},   {"tcp:debug,", false},
    {"tcp:debu", false},       {"tcp:debugg", false}, {",tcp:debug", false},
    {":debug", false},
};

START_TEST(table__valid__as_written)
{
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        ck_assert_msg(wisp_logspec_valid(specs[i].spec) == specs[i].valid, "%s", specs[i].spec);
    }
}
END_TEST

static const struct {
    const char *spec, *module;
    enum wisp_log_level level;
    bool passes;
} lines[] = {
    {"tcp:debug,*:warn", "tcp", WISP_LOG_DEBUG, true},
    {"tcp:debug,*:warn", "tcpx", WISP_LOG_DEBUG, false},
    {"tcp:debug,*:warn", "http", WISP_LOG_INFO, false},
    {"tcp:debug,*:warn", "http", WISP_LOG_WARN, true},
    {"*:error,tcp:debug", "tcp", WISP_LOG_WARN, false}, /* the first entry decides */
    {"tcp:debug", "http", WISP_LOG_INFO, true},         /* not named: info */
    {"tcp:debug", "http", WISP_LOG_DEBUG, false},
    {"debug", "http", WISP_LOG_DEBUG, true},
};

START_TEST(table__passes__as_written)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        ck_assert_msg(wisp_logspec_passes(lines[i].spec, lines[i].module, lines[i].level) ==
                          lines[i].passes,
                      "%s for %s", lines[i].spec, lines[i].module);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("logspec");
    TCase *tc = tcase_create("logspec");
    tcase_add_test(tc, table__valid__as_written);
    tcase_add_test(tc, table__passes__as_written);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
