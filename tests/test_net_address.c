/* SPDX-License-Identifier: ISC */
/* What xenstore's `ip` may look like. */
#include "net_address.h"
#include "suite.h"

START_TEST(platform_address__every_form__read_or_refused)
{
    static const struct {
        const char *text;
        bool good;
        uint8_t prefix;
        bool has_gateway;
    } rows[] = {
        {"10.0.0.2 255.255.255.0", true, 24, false},
        {"10.0.0.2 255.255.255.0 10.0.0.1", true, 24, true},
        {"  10.0.0.2\t255.255.0.0   10.0.0.1 ", true, 16, true},
        {"10.0.0.2/20", true, 20, false},
        {"10.0.0.2/32 10.0.0.1", true, 32, true},
        {"10.0.0.2", true, 24, false},
        {"", false, 0, false},
        {"10.0.0", false, 0, false},
        {"10.0.0.2 255.0.255.0", false, 0, false},
        {"10.0.0.2 0.0.0.0", false, 0, false},
        {"10.0.0.2 10.0.0.1", false, 0, false},
        {"10.0.0.2/33", false, 0, false},
        {"10.0.0.2/24 router", false, 0, false},
        {"10.0.0.2 255.255.255.0 10.0.0.1 10.0.0.3", false, 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wisp_net_address address;
        bool good = wisp_net_address_parse(rows[i].text, &address);
        ck_assert_msg(good == rows[i].good, "\"%s\"", rows[i].text);
        ck_assert_msg(!good || address.prefix == rows[i].prefix, "\"%s\"", rows[i].text);
        ck_assert_msg(!good || address.has_gateway == rows[i].has_gateway, "\"%s\"", rows[i].text);
        ck_assert(!good || wisp_ip4_value(address.ip) == 0x0a000002);
        ck_assert(!good || !address.has_gateway || wisp_ip4_value(address.gateway) == 0x0a000001);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net_address");
    TCase *tcase = tcase_create("net_address");
    tcase_add_test(tcase, platform_address__every_form__read_or_refused);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
