/* SPDX-License-Identifier: ISC */
/* Lookups: servers, rounds, TCP, cache, search list, aliases, forged answers. */
#include "hash.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>
#include <wisp/dns.h>

static struct wisp_dns_config config;
static struct wisp_dns *dns;
static struct wisp_dns_lookup *lookup;
static struct wisp_dns_message message;
static struct wisp_addr server[2];

static void make(void)
{
    size_t size = (wisp_dns_size(&config) + 63) & ~(size_t)63;
    free(dns);
    dns = wisp_dns_init(aligned_alloc(64, size), size, &config);
    ck_assert_ptr_nonnull(dns);
    wisp_dns_set_servers(dns, server, 2);
}

static void setup(void)
{
    wisp_dns_config_default(&config);
    config.hash = tests_hash;
    server[0] = wisp_addr_ip4(wisp_ip4(192, 0, 2, 53));
    server[1] = wisp_addr_ip4(wisp_ip4(192, 0, 2, 54));
    dns = NULL;
    make();
}

static void teardown(void)
{
    free(dns);
}

static void find(const char *name, wisp_time now)
{
    ck_assert_int_eq(wisp_dns_find_address(dns, name, strlen(name), now, &lookup), WISP_OK);
}

static void expect_question(wisp_time now, unsigned to, bool tcp)
{
    ck_assert(wisp_dns_next(dns, now, &message));
    ck_assert(wisp_addr_equal(&message.server, &server[to]));
    ck_assert(message.tcp == tcp);
    ck_assert(wisp_dns_awaits(dns, message.channel, tcp));
}

static void expect_quiet(wisp_time now)
{
    struct wisp_dns_message other;
    ck_assert(!wisp_dns_next(dns, now, &other));
    ck_assert(wisp_dns_deadline(dns) > now);
}

static uint64_t count(const char *name)
{
    struct wisp_counter counter;
    for (uint32_t i = 0; wisp_dns_counter(dns, i, &counter); i++) {
        if (strcmp(counter.name, name) == 0) {
            return counter.value;
        }
    }
    ck_abort_msg("no counter %s", name);
}

/* The question as a response with those flags, and records behind it. */
static size_t respond(uint8_t bytes[600], uint16_t flags, uint16_t answers, const void *records,
                      size_t size)
{
    memcpy(bytes, message.bytes, message.length);
    bytes[2] = (uint8_t)(flags >> 8);
    bytes[3] = (uint8_t)flags;
    bytes[6] = (uint8_t)(answers >> 8);
    bytes[7] = (uint8_t)answers;
    if (size) {
        memcpy(bytes + message.length, records, size);
    }
    return message.length + size;
}

#define ANSWER_A "\300\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7" /* ttl 60, 192.0.2.7 */

static void give(uint16_t flags, uint16_t answers, const void *records, size_t size, wisp_time now)
{
    uint8_t bytes[600];
    size_t length = respond(bytes, flags, answers, records, size);
    wisp_dns_input(dns, message.channel, message.tcp, &message.server, 53, bytes, length, now);
}

static void expect_status(enum wisp_dns_status status)
{
    ck_assert_str_eq(wisp_dns_status_text(wisp_dns_status(lookup)), wisp_dns_status_text(status));
}

START_TEST(lookup__answered__found_and_kept_for_its_ttl)
{
    find("www.example.org", 0);
    expect_status(WISP_DNS_PENDING);
    expect_question(0, 0, false);
    expect_quiet(0);
    give(0x8180, 1, ANSWER_A, 16, WISP_MS(5));
    expect_status(WISP_DNS_FOUND);
    ck_assert_uint_eq(wisp_dns_answer(lookup)->addresses, 1);
    ck_assert_uint_eq(wisp_dns_answer(lookup)->address[0].u.ip4.octet[3], 7);
    ck_assert(!wisp_dns_awaits(dns, message.channel, false));
    wisp_dns_release(lookup);
    find("WWW.EXAMPLE.org", WISP_SEC(59));
    expect_status(WISP_DNS_FOUND);
    ck_assert_uint_eq(count("dns.cache.hits"), 1);
    wisp_dns_release(lookup);
    find("www.example.org", WISP_SEC(61));
    expect_status(WISP_DNS_PENDING);
    wisp_dns_release(lookup);
    ck_assert(wisp_dns_deadline(dns) == WISP_NEVER);
}
END_TEST

START_TEST(lookup__ttl_of_years_or_none__kept_a_day_or_not_at_all)
{
    static const uint8_t years[] = "\300\x0c\0\1\0\1\x7f\xff\xff\xff\0\4\xc0\0\2\7";
    static const uint8_t none[] = "\300\x0c\0\1\0\1\0\0\0\0\0\4\xc0\0\2\7";
    find("a.org", 0);
    expect_question(0, 0, false);
    give(0x8180, 1, years, 16, 0);
    ck_assert(wisp_dns_answer(lookup)->until == WISP_SEC(86400));
    wisp_dns_release(lookup);
    find("b.org", 0);
    expect_question(0, 0, false);
    give(0x8180, 1, none, 16, 0);
    expect_status(WISP_DNS_FOUND);
    wisp_dns_release(lookup);
    find("b.org", 0);
    expect_status(WISP_DNS_PENDING);
}
END_TEST

START_TEST(lookup__no_such_name__denied_and_kept_as_the_soa_says)
{
    static const uint8_t soa[] =
        "\0\0\6\0\1\0\0\0\x64\0\x16\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1e";
    uint8_t bytes[600];
    find("gone.org", 0);
    expect_question(0, 0, false);
    size_t length = respond(bytes, 0x8183, 0, soa, 33);
    bytes[9] = 1;
    wisp_dns_input(dns, message.channel, false, &server[0], 53, bytes, length, 0);
    expect_status(WISP_DNS_NO_NAME);
    ck_assert_ptr_null(wisp_dns_answer(lookup));
    wisp_dns_release(lookup);
    find("gone.org", WISP_SEC(29));
    expect_status(WISP_DNS_NO_NAME);
    wisp_dns_release(lookup);
    find("gone.org", WISP_SEC(31));
    expect_status(WISP_DNS_PENDING);
}
END_TEST

START_TEST(lookup__silent_servers__each_asked_in_turn_ever_longer_then_timeout)
{
    static const unsigned order[] = {0, 1, 0, 1, 0, 1};
    static const int seconds[] = {1, 1, 2, 2, 4, 4};
    wisp_time now = 0;
    uint16_t last = 0;
    find("a.org", 0);
    for (int i = 0; i < 6; i++) {
        expect_question(now, order[i], false);
        uint16_t id = (uint16_t)(message.bytes[0] << 8 | message.bytes[1]);
        ck_assert(i == 0 || id != last);
        last = id;
        expect_quiet(now);
        ck_assert(wisp_dns_deadline(dns) == now + WISP_SEC(seconds[i]));
        now = wisp_dns_deadline(dns);
    }
    expect_quiet(now);
    expect_status(WISP_DNS_TIMEOUT);
    ck_assert_uint_eq(count("dns.timeouts"), 6);
}
END_TEST

START_TEST(lookup__server_fails_or_is_unreachable__next_one_at_once)
{
    find("a.org", 0);
    expect_question(0, 0, false);
    give(0x8182, 0, NULL, 0, 0);
    expect_question(0, 1, false);
    wisp_dns_fail(dns, message.channel, 0);
    expect_question(0, 0, false);
    give(0x8180, 1, ANSWER_A, 16, 0);
    expect_status(WISP_DNS_FOUND);
    wisp_dns_release(lookup);
    find("b.org", 0);
    for (unsigned i = 0; i < 6; i++) {
        expect_question(0, i % 2, false);
        give(0x8185, 0, NULL, 0, 0);
    }
    expect_status(WISP_DNS_FAILED);
}
END_TEST

START_TEST(lookup__server_refers_to_others__next_one_at_once)
{
    static const char referral[] = "\300\x0c\0\2\0\1\0\0\0\x3c\0\4\2ns\0";
    uint8_t bytes[600];
    find("a.org", 0);
    expect_question(0, 0, false);
    size_t length = respond(bytes, 0x8100, 0, referral, 16);
    bytes[9] = 1; /* an authority */
    wisp_dns_input(dns, message.channel, false, &message.server, 53, bytes, length, 0);
    expect_question(0, 1, false);
    give(0x8180, 1, ANSWER_A, 16, 0);
    expect_status(WISP_DNS_FOUND);
    ck_assert_uint_eq(count("dns.denied"), 0);
}
END_TEST

START_TEST(lookup__truncated__same_server_by_tcp)
{
    find("a.org", 0);
    expect_question(0, 0, false);
    uint16_t channel = message.channel;
    give(0x8380, 0, NULL, 0, 0);
    ck_assert(!wisp_dns_awaits(dns, channel, false));
    expect_question(0, 0, true);
    ck_assert(!wisp_dns_awaits(dns, channel, false));
    give(0x8180, 1, ANSWER_A, 16, 0);
    expect_status(WISP_DNS_FOUND);
    wisp_dns_release(lookup);
    find("b.org", 0);
    expect_question(0, 0, false);
    give(0x8380, 0, NULL, 0, 0);
    expect_question(0, 0, true);
    give(0x8380, 0, NULL, 0, 0); /* truncated by TCP too: not to be trusted */
    expect_question(0, 1, false);
}
END_TEST

START_TEST(lookup__foreign_answer_by_tcp__next_server_at_once)
{
    uint8_t bytes[600];
    find("a.org", 0);
    expect_question(0, 0, false);
    give(0x8380, 0, NULL, 0, 0);
    expect_question(0, 0, true);
    size_t length = respond(bytes, 0x8180, 1, ANSWER_A, 16);
    bytes[1]++;
    wisp_dns_input(dns, message.channel, true, &message.server, 53, bytes, length, 0);
    expect_question(0, 1, false);
    ck_assert_uint_eq(count("dns.rx.foreign"), 1);
}
END_TEST

START_TEST(lookup__alias_out_of_the_response__asked_for_at_most_eight_times)
{
    find("a.org", 0);
    for (int i = 0; i < 9; i++) {
        uint8_t alias[] = "\300\x0c\0\5\0\1\0\0\0\x3c\0\3\1x";
        alias[13] = (uint8_t)('b' + i);
        expect_question(0, 0, false);
        give(0x8180, 1, alias, 15, 0);
    }
    expect_status(WISP_DNS_FAILED);
    wisp_dns_release(lookup);
    find("c.org", 0);
    expect_question(0, 0, false);
    give(0x8180, 1, "\300\x0c\0\5\0\1\0\0\0\x3c\0\3\1z", 15, 0);
    expect_question(0, 0, false);
    ck_assert_mem_eq(message.bytes + 12, "\1z", 3);
    give(0x8180, 1, ANSWER_A, 16, 0);
    expect_status(WISP_DNS_FOUND);
}
END_TEST

START_TEST(lookup__forged_answers__ignored_and_counted)
{
    uint8_t bytes[600];
    find("a.org", 0);
    expect_question(0, 0, false);
    size_t length = respond(bytes, 0x8180, 1, ANSWER_A, 16);
    wisp_dns_input(dns, message.channel, false, &server[1], 53, bytes, length, 0);
    wisp_dns_input(dns, message.channel, false, &server[0], 5353, bytes, length, 0);
    wisp_dns_input(dns, message.channel, true, &server[0], 53, bytes, length, 0);
    wisp_dns_input(dns, (uint16_t)(message.channel + 1), false, &server[0], 53, bytes, length, 0);
    wisp_dns_input(dns, 65535, false, &server[0], 53, bytes, length, 0);
    bytes[0] ^= 1;
    wisp_dns_input(dns, message.channel, false, &server[0], 53, bytes, length, 0);
    ck_assert_uint_eq(count("dns.rx.foreign"), 6);
    expect_status(WISP_DNS_PENDING);
    wisp_dns_fail(dns, 65535, 0);
    expect_quiet(0);
    bytes[0] ^= 1;
    wisp_dns_input(dns, message.channel, false, &server[0], 53, bytes, length, 0);
    expect_status(WISP_DNS_FOUND);
}
END_TEST

START_TEST(search_list__one_label__domains_first_then_as_it_is)
{
    static const char *const domains[] = {"one.org", "bad..name", "two.org"};
    wisp_dns_set_search(dns, domains, 3);
    find("www", 0);
    expect_question(0, 0, false);
    ck_assert_mem_eq(message.bytes + 12, "\3www\3one\3org", 13);
    give(0x8183, 0, NULL, 0, 0);
    expect_question(0, 0, false);
    ck_assert_mem_eq(message.bytes + 12, "\3www\3two\3org", 13);
    give(0x8180, 0, NULL, 0, 0);
    expect_question(0, 0, false);
    ck_assert_mem_eq(message.bytes + 12, "\3www", 5);
    give(0x8183, 0, NULL, 0, 0);
    expect_status(WISP_DNS_NO_NAME);
    wisp_dns_release(lookup);
    find("www.", 0);
    expect_question(0, 0, false);
    ck_assert_mem_eq(message.bytes + 12, "\3www", 5);
    wisp_dns_release(lookup);
    find("www.x", 0);
    expect_question(0, 0, false);
    ck_assert_mem_eq(message.bytes + 12, "\3www\1x", 7);
}
END_TEST

START_TEST(address__its_name__asked_in_reverse)
{
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(192, 0, 2, 109));
    ck_assert_int_eq(wisp_dns_find_name(dns, &addr, 0, &lookup), WISP_OK);
    expect_question(0, 0, false);
    ck_assert_mem_eq(message.bytes + 12,
                     "\3"
                     "109\1"
                     "2\1"
                     "0\3"
                     "192\7in-addr\4arpa\0\0\x0c\0\1",
                     31);
    give(0x8180, 1, "\300\x0c\0\x0c\0\1\0\0\0\x3c\0\7\1h\3org", 19, 0);
    expect_status(WISP_DNS_FOUND);
    ck_assert_str_eq(wisp_dns_answer(lookup)->name, "h.org");
    wisp_dns_release(lookup);
    addr.u.ip4.octet[3] = 1;
    ck_assert_int_eq(wisp_dns_find_name(dns, &addr, 0, &lookup), WISP_OK);
    expect_question(0, 0, false);
    give(0x8180, 1, "\300\x0c\0\x0c\0\1\0\0\0\x3c\0\7\1\033\3org", 19, 0);
    expect_status(WISP_DNS_NO_DATA); /* a name with an escape in it is not shown */
}
END_TEST

START_TEST(lookups__more_than_fit__full_and_each_with_its_channel)
{
    struct wisp_dns_lookup *all[8];
    uint32_t channels = 0;
    for (int i = 0; i < 8; i++) {
        char name[] = "a.org";
        name[0] = (char)('a' + i);
        find(name, 0);
        all[i] = lookup;
        expect_question(0, 0, false);
        channels |= 1u << message.channel;
    }
    ck_assert_uint_eq(channels, 0xff);
    ck_assert_int_eq(wisp_dns_find_address(dns, "z", 1, 0, &lookup), WISP_ERR_FULL);
    wisp_dns_release(all[3]);
    find("z", 0);
}
END_TEST

START_TEST(cache__a_thousand_names__bounded_and_latest_ending_kept)
{
    for (int i = 0; i < 1000; i++) {
        char name[] = "aaa.org";
        name[0] = (char)('a' + i / 100);
        name[1] = (char)('a' + i / 10 % 10);
        name[2] = (char)('a' + i % 10);
        find(name, WISP_MS(i));
        expect_question(WISP_MS(i), 0, false);
        give(0x8180, 1, ANSWER_A, 16, WISP_MS(i));
        wisp_dns_release(lookup);
    }
    find("jjj.org", WISP_SEC(1));
    expect_status(WISP_DNS_FOUND);
    wisp_dns_release(lookup);
    find("aaa.org", WISP_SEC(1));
    expect_status(WISP_DNS_PENDING);
}
END_TEST

START_TEST(no_server_or_bad_name__lookup__told_at_once)
{
    ck_assert_int_eq(wisp_dns_find_address(dns, "", 0, 0, &lookup), WISP_ERR_INVALID);
    ck_assert_int_eq(wisp_dns_find_address(dns, "a b", 3, 0, &lookup), WISP_ERR_INVALID);
    wisp_dns_set_servers(dns, NULL, 0);
    find("a.org", 0);
    expect_status(WISP_DNS_FAILED);
}
END_TEST

START_TEST(servers_taken_away__while_asking__lookup_ends)
{
    find("a.org", 0);
    expect_question(0, 0, false);
    wisp_dns_set_servers(dns, NULL, 0);
    expect_quiet(WISP_SEC(1));
    expect_status(WISP_DNS_TIMEOUT);
}
END_TEST

START_TEST(no_cache__lookups__work)
{
    config.cached = 0;
    make();
    find("a.org", 0);
    expect_question(0, 0, false);
    give(0x8180, 1, ANSWER_A, 16, 0);
    expect_status(WISP_DNS_FOUND);
}
END_TEST

/* One question is out however many ask it: no birthday to wait for. */
START_TEST(lookups__of_the_same_name__one_question_and_one_answer)
{
    struct wisp_dns_lookup *all[8];
    for (int i = 0; i < 8; i++) {
        find(i % 2 ? "www.example.org" : "WWW.example.org.", 0);
        all[i] = lookup;
    }
    expect_question(0, 0, false);
    expect_quiet(0);
    for (wisp_time t = WISP_SEC(1); t < WISP_SEC(3); t += WISP_SEC(1)) {
        expect_question(t, t == WISP_SEC(1) ? 1 : 0, false);
        expect_quiet(t);
    }
    give(0x8180, 1, ANSWER_A, 16, WISP_SEC(2));
    for (int i = 0; i < 8; i++) {
        lookup = all[i];
        expect_status(WISP_DNS_FOUND);
        ck_assert_uint_eq(wisp_dns_answer(lookup)->address[0].u.ip4.octet[3], 7);
    }
    expect_quiet(WISP_SEC(2));
}
END_TEST

START_TEST(lookups_of_the_same_name__first_one_released_or_all_silent__others_go_on_and_end)
{
    struct wisp_dns_lookup *second;
    find("www.example.org", 0);
    second = lookup;
    find("www.example.org", 0);
    expect_question(0, 0, false);
    wisp_dns_release(second); /* the one that asked */
    second = lookup;
    wisp_time now = wisp_dns_deadline(dns);
    expect_question(now, 0, false);
    find("www.example.org", now);
    while (wisp_dns_status(second) == WISP_DNS_PENDING) {
        struct wisp_dns_message other;
        while (wisp_dns_next(dns, now, &other)) {
        }
        ck_assert(wisp_dns_deadline(dns) > now);
        now = wisp_dns_deadline(dns) == WISP_NEVER ? now : wisp_dns_deadline(dns);
    }
    expect_status(WISP_DNS_TIMEOUT); /* with the one it waited for */
}
END_TEST

START_TEST(lookup__sixteen_wrong_ids__asked_by_tcp)
{
    find("www.example.org", 0);
    expect_question(0, 0, false);
    uint8_t bytes[600];
    size_t length = respond(bytes, 0x8180, 1, ANSWER_A, 16);
    for (int i = 0; i < 16; i++) {
        expect_quiet(0);
        bytes[1]++;
        wisp_dns_input(dns, message.channel, false, &message.server, 53, bytes, length, 0);
        expect_status(WISP_DNS_PENDING);
    }
    expect_question(0, 0, true);
    wisp_dns_input(dns, message.channel, false, &message.server, 53, bytes, length, 0);
    give(0x8180, 1, ANSWER_A, 16, 0);
    expect_status(WISP_DNS_FOUND);
    ck_assert_uint_eq(count("dns.rx.foreign"), 17);
}
END_TEST

START_TEST(question_ids__ten_thousand__spread)
{
    static uint32_t seen[256];
    for (int i = 0; i < 10240; i++) {
        find("a.org", 0);
        expect_question(0, 0, false);
        seen[message.bytes[1]]++;
        wisp_dns_release(lookup);
    }
    for (int i = 0; i < 256; i++) {
        ck_assert(seen[i] > 5 && seen[i] < 90); /* 40 expected */
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dns_resolver");
    TCase *tcase = tcase_create("resolver");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, lookup__answered__found_and_kept_for_its_ttl);
    tcase_add_test(tcase, lookup__ttl_of_years_or_none__kept_a_day_or_not_at_all);
    tcase_add_test(tcase, lookup__no_such_name__denied_and_kept_as_the_soa_says);
    tcase_add_test(tcase, lookup__silent_servers__each_asked_in_turn_ever_longer_then_timeout);
    tcase_add_test(tcase, lookup__server_fails_or_is_unreachable__next_one_at_once);
    tcase_add_test(tcase, lookup__server_refers_to_others__next_one_at_once);
    tcase_add_test(tcase, lookup__truncated__same_server_by_tcp);
    tcase_add_test(tcase, lookup__foreign_answer_by_tcp__next_server_at_once);
    tcase_add_test(tcase, lookup__alias_out_of_the_response__asked_for_at_most_eight_times);
    tcase_add_test(tcase, lookup__forged_answers__ignored_and_counted);
    tcase_add_test(tcase, search_list__one_label__domains_first_then_as_it_is);
    tcase_add_test(tcase, address__its_name__asked_in_reverse);
    tcase_add_test(tcase, lookups__more_than_fit__full_and_each_with_its_channel);
    tcase_add_test(tcase, cache__a_thousand_names__bounded_and_latest_ending_kept);
    tcase_add_test(tcase, no_server_or_bad_name__lookup__told_at_once);
    tcase_add_test(tcase, servers_taken_away__while_asking__lookup_ends);
    tcase_add_test(tcase, no_cache__lookups__work);
    tcase_add_test(tcase, lookups__of_the_same_name__one_question_and_one_answer);
    tcase_add_test(
        tcase, lookups_of_the_same_name__first_one_released_or_all_silent__others_go_on_and_end);
    tcase_add_test(tcase, lookup__sixteen_wrong_ids__asked_by_tcp);
    tcase_add_test(tcase, question_ids__ten_thousand__spread);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
