/* SPDX-License-Identifier: ISC */
/* Boot parameters: what is taken, and the one line for what is not. */
#include "params.h"
#include "suite.h"
#include <string.h>

static const struct wisp_param own[] = {
    {"port", "80", "PORT", "port to listen on"},
    {"udp", NULL, NULL, "UDP too"},
    {NULL, NULL, NULL, NULL},
};
static const struct wisp_param platform[] = {
    {"tap", "wisp0", "NAME", "tap device"},
    {NULL, NULL, NULL, NULL},
};
static const struct wisp_app app = {"demo", "Shows.", own, NULL};
static const struct wisp_app app_with_operands = {"demo", "Shows.", own, "HOST"};

static struct wisp_params params;
static char why[400];

static void setup(void)
{
    wisp_params_init(&params, &app, platform);
    why[0] = 0;
}

static bool word(const char *text)
{
    return wisp_params_word(&params, text, why, sizeof(why));
}

START_TEST(nothing_given__value__is_the_default)
{
    ck_assert_str_eq(wisp_params_value(&params, "port"), "80");
    ck_assert_str_eq(wisp_params_value(&params, "ipv4-probe"), "beside");
    ck_assert_ptr_null(wisp_params_value(&params, "ipv4"));
    ck_assert_ptr_null(wisp_params_value(&params, "udp"));
    ck_assert_int_eq(wisp_params_source(&params, "ipv4-probe"), WISP_PARAM_DEFAULT);
    ck_assert_int_eq(wisp_params_source(&params, "ipv4"), WISP_PARAM_NONE);
    ck_assert_int_eq(wisp_params_source(&params, "ipv4-gateway"), WISP_PARAM_NONE);
}
END_TEST

START_TEST(values_of_all_tables__given__are_found)
{
    ck_assert(word("--port=8080"));
    ck_assert(word("--ipv4-gateway=10.0.0.1"));
    ck_assert(word("--tap="));
    ck_assert(word("--udp"));
    ck_assert_str_eq(wisp_params_value(&params, "port"), "8080");
    ck_assert_str_eq(wisp_params_value(&params, "ipv4-gateway"), "10.0.0.1");
    ck_assert_str_eq(wisp_params_value(&params, "ipv4-probe"), "beside");
    ck_assert_str_eq(wisp_params_value(&params, "tap"), "");
    ck_assert_str_eq(wisp_params_value(&params, "udp"), "");
    ck_assert_int_eq(wisp_params_source(&params, "port"), WISP_PARAM_GIVEN);
}
END_TEST

START_TEST(same_parameter__given_twice__last_one_counts)
{
    ck_assert(word("--port=1"));
    ck_assert(word("--port=2"));
    ck_assert_str_eq(wisp_params_value(&params, "port"), "2");
}
END_TEST

static const struct {
    const char *name;
    const char *word;
    const char *why;
} refusals[] = {
    {"unknown", "--prot=80",
     "--prot=80: no such parameter; valid are --port --udp --ipv4 --ipv4-gateway --ipv4-probe "
     "--nameserver --dhcp-id --dhcp-name --dhcp-floor --dhcp-delay "
     "--dhcp-broadcast --dhcp-wide-routes --tap"},
    {"prefix of a name", "--por=80",
     "--por=80: no such parameter; valid are --port --udp --ipv4 --ipv4-gateway --ipv4-probe "
     "--nameserver --dhcp-id --dhcp-name --dhcp-floor --dhcp-delay "
     "--dhcp-broadcast --dhcp-wide-routes --tap"},
    {"empty name", "--",
     "--: no such parameter; valid are --port --udp --ipv4 --ipv4-gateway --ipv4-probe "
     "--nameserver --dhcp-id --dhcp-name --dhcp-floor --dhcp-delay "
     "--dhcp-broadcast --dhcp-wide-routes --tap"},
    {"no value", "--port", "--port needs a value: --port=PORT"},
    {"value for a flag", "--udp=1", "--udp takes no value"},
    {"operand where none is", "host", "host: not a parameter; write --name=value, or --help"},
};

START_TEST(bad_word__given__is_refused_in_one_line)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        ck_assert_msg(!word(refusals[i].word), "%s", refusals[i].name);
        ck_assert_msg(strcmp(why, refusals[i].why) == 0, "%s: %s", refusals[i].name, why);
    }
}
END_TEST

START_TEST(bad_word__short_buffer__is_cut_and_ended)
{
    char text[8] = "xxxxxxx";
    ck_assert(!wisp_params_word(&params, "--nonsense", text, sizeof(text)));
    ck_assert_str_eq(text, "--nonse");
}
END_TEST

START_TEST(operands_allowed__more_than_fit__last_is_refused)
{
    wisp_params_init(&params, &app_with_operands, platform);
    for (uint32_t i = 0; i < WISP_PARAMS_OPERANDS; i++) {
        ck_assert(word("host"));
    }
    ck_assert(!word("host"));
    ck_assert_str_eq(why, "host: too many operands");
    ck_assert_str_eq(wisp_params_operand(&params, 15), "host");
    ck_assert_ptr_null(wisp_params_operand(&params, 16));
}
END_TEST

static char help[4000];

static void put(const char *text)
{
    strncat(help, text, sizeof(help) - strlen(help) - 1);
}

START_TEST(any__help__names_each_parameter_with_its_default)
{
    wisp_params_help(&params, put);
    ck_assert_ptr_nonnull(strstr(help, "usage: demo [--name=value ...]\nShows.\n"));
    ck_assert_ptr_nonnull(
        strstr(help, "  --port=PORT                     port to listen on (80)\n"));
    ck_assert_ptr_nonnull(strstr(help, "  --udp                           UDP too\n"));
    ck_assert_ptr_nonnull(strstr(help, "before (RFC 5227), or not (beside)\n"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("params");
    TCase *tc = tcase_create("params");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, nothing_given__value__is_the_default);
    tcase_add_test(tc, values_of_all_tables__given__are_found);
    tcase_add_test(tc, same_parameter__given_twice__last_one_counts);
    tcase_add_test(tc, bad_word__given__is_refused_in_one_line);
    tcase_add_test(tc, bad_word__short_buffer__is_cut_and_ended);
    tcase_add_test(tc, operands_allowed__more_than_fit__last_is_refused);
    tcase_add_test(tc, any__help__names_each_parameter_with_its_default);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
