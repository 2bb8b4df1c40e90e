/* SPDX-License-Identifier: ISC */
/* DNS messages: golden octets, aliases, denial, truncation, mutation. */
#include "codec.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct dns_question question;
static struct dns_response response;

static void ask_for(const char *name, uint16_t type)
{
    memset(&question, 0, sizeof(question));
    question.id = 0x1234;
    question.type = type;
    ck_assert_uint_gt(wisp_name_from_text(name, strlen(name), question.name), 0);
}

static enum dns_verdict parse(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    dns_response_parse(&question, copy, length, &response);
    free(copy);
    return response.verdict;
}

/* A message under construction. */
static uint8_t m[5000];
static size_t at;

static void put16(uint32_t v)
{
    m[at++] = (uint8_t)(v >> 8);
    m[at++] = (uint8_t)v;
}

static void begin(uint16_t flags, uint16_t answers, uint16_t authorities)
{
    memset(m, 0, sizeof(m));
    at = 0;
    put16(0x1234);
    put16(flags);
    put16(1);
    put16(answers);
    put16(authorities);
    put16(0);
    size_t size = wisp_name_length(question.name);
    memcpy(m + at, question.name, size);
    at += size;
    put16(question.type);
    put16(1);
}

static void put_name(const char *name)
{
    at += wisp_name_from_text(name, strlen(name), m + at);
}

static void record(const char *owner, uint16_t type, uint32_t ttl, uint16_t size)
{
    put_name(owner);
    put16(type);
    put16(1);
    put16(ttl >> 16);
    put16(ttl & 0xffff);
    put16(size);
}

static void record_a(const char *owner, uint32_t ttl, uint8_t last)
{
    record(owner, DNS_A, ttl, 4);
    memcpy(m + at, (uint8_t[]){192, 0, 2, last}, 4);
    at += 4;
}

static void record_name(const char *owner, uint16_t type, uint32_t ttl, const char *target)
{
    record(owner, type, ttl, (uint16_t)(strlen(target) + 2));
    put_name(target);
}

static void record_soa(uint32_t ttl, uint32_t minimum)
{
    record("org", DNS_SOA, ttl, 22);
    m[at++] = 0;
    m[at++] = 0;
    at += 16;
    put16(minimum >> 16);
    put16(minimum & 0xffff);
}

START_TEST(question__emitted__header_name_type_class)
{
    static const uint8_t golden[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0";
    uint8_t bytes[WISP_DNS_QUESTION_MAX];
    ask_for("www.example.org", DNS_A);
    ck_assert_uint_eq(dns_question_emit(&question, bytes), 33);
    ck_assert_mem_eq(bytes, golden, 32);
    ck_assert_uint_eq(bytes[32], 1);
}
END_TEST

START_TEST(answers__addresses_of_the_name_asked__taken_with_least_ttl)
{
    ask_for("www.example.org", DNS_A);
    begin(0x8180, 4, 0);
    record_a("WWW.example.ORG", 300, 1);
    record_a("evil.example.org", 5, 66);
    record_a("www.example.org", 60, 2);
    record_name("www.example.org", 16, 1, "text");
    ck_assert_int_eq(parse(m, at), DNS_ANSWERED);
    ck_assert_uint_eq(response.addresses, 2);
    ck_assert_uint_eq(response.ttl, 60);
    ck_assert_uint_eq(response.address[1].octet[3], 2);
}
END_TEST

START_TEST(answers__more_than_are_kept__first_ones_taken)
{
    ask_for("a", DNS_A);
    begin(0x8180, 100, 0);
    for (uint8_t i = 0; i < 100; i++) {
        record_a("a", 300, i);
    }
    ck_assert_int_eq(parse(m, at), DNS_ANSWERED);
    ck_assert_uint_eq(response.addresses, WISP_DNS_ADDRESSES);
}
END_TEST

START_TEST(aliases__chain_in_any_order__followed)
{
    ask_for("a.org", DNS_A);
    begin(0x8180, 3, 0);
    record_a("c.org", 300, 7);
    record_name("b.org", DNS_CNAME, 20, "c.org");
    record_name("a.org", DNS_CNAME, 40, "b.org");
    ck_assert_int_eq(parse(m, at), DNS_ANSWERED);
    ck_assert_uint_eq(response.addresses, 1);
    ck_assert_uint_eq(response.ttl, 20);
}
END_TEST

START_TEST(aliases__in_a_circle_or_without_end__failure)
{
    char name[3][8] = {"a.org", "b.org", "a.org"};
    ask_for("a.org", DNS_A);
    begin(0x8180, 2, 0);
    record_name(name[0], DNS_CNAME, 40, name[1]);
    record_name(name[1], DNS_CNAME, 40, name[2]);
    ck_assert_int_eq(parse(m, at), DNS_FAILURE);
    begin(0x8180, 1, 0);
    record_name("a.org", DNS_CNAME, 40, "a.org");
    ck_assert_int_eq(parse(m, at), DNS_FAILURE);
    begin(0x8180, 20, 0);
    for (char c = 'a'; c < 'a' + 20; c++) {
        char from[] = "a.org";
        char to[] = "b.org";
        from[0] = c;
        to[0] = (char)(c + 1);
        record_name(from, DNS_CNAME, 40, to);
    }
    ck_assert_int_eq(parse(m, at), DNS_FAILURE);
}
END_TEST

START_TEST(aliases__leading_out_of_the_response__target_to_be_asked)
{
    char text[WISP_NAME_TEXT_MAX];
    ask_for("a.org", DNS_A);
    begin(0x8180, 1, 0);
    record_name("a.org", DNS_CNAME, 40, "b.net");
    ck_assert_int_eq(parse(m, at), DNS_ALIAS);
    ck_assert(wisp_name_text(response.name, text));
    ck_assert_str_eq(text, "b.net");
    begin(0x8180, 1, 1);
    record_name("a.org", DNS_CNAME, 40, "b.org");
    record_soa(100, 30);
    ck_assert_int_eq(parse(m, at), DNS_EMPTY);
    ck_assert_uint_eq(response.ttl, 30);
}
END_TEST

START_TEST(denial__with_or_without_soa__ttl_by_rfc_2308)
{
    static const struct {
        uint16_t flags;
        bool soa;
        uint32_t ttl, minimum;
        enum dns_verdict verdict;
        uint32_t want;
    } rows[] = {{0x8183, true, 100, 50, DNS_NAMELESS, 50},
                {0x8183, true, 40, 50, DNS_NAMELESS, 40},
                {0x8183, false, 0, 0, DNS_NAMELESS, 0},
                {0x8180, true, 100, 50, DNS_EMPTY, 50},
                {0x8180, false, 0, 0, DNS_EMPTY, 0},
                {0x8182, false, 0, 0, DNS_FAILURE, 0},
                {0x8185, false, 0, 0, DNS_FAILURE, 0},
                {0x8183, true, 0x80000000u, 50, DNS_NAMELESS, 0},
                /* neither authoritative nor recursive: a referral, unless an SOA says no */
                {0x8100, false, 0, 0, DNS_FAILURE, 0},
                {0x8100, true, 100, 50, DNS_EMPTY, 50},
                {0x8100, true, 100, 0, DNS_EMPTY, 0},
                {0x8500, false, 0, 0, DNS_EMPTY, 0}};
    ask_for("a.org", DNS_A);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(rows[i].flags, 0, rows[i].soa);
        if (rows[i].soa) {
            record_soa(rows[i].ttl, rows[i].minimum);
        }
        ck_assert_msg(parse(m, at) == rows[i].verdict, "row %zu: %d", i, (int)response.verdict);
        ck_assert_msg(response.ttl == rows[i].want, "row %zu: %u", i, response.ttl);
    }
}
END_TEST

START_TEST(pointer_record__target__taken)
{
    char text[WISP_NAME_TEXT_MAX];
    ask_for("9.2.0.192.in-addr.arpa", DNS_PTR);
    begin(0x8180, 2, 0);
    record_name("9.2.0.192.in-addr.arpa", DNS_PTR, 40, "host.example.org");
    record_name("9.2.0.192.in-addr.arpa", DNS_PTR, 40, "second.example.org");
    ck_assert_int_eq(parse(m, at), DNS_ANSWERED);
    ck_assert(wisp_name_text(response.name, text));
    ck_assert_str_eq(text, "host.example.org");
}
END_TEST

START_TEST(response__to_something_else__foreign)
{
    static const struct {
        const char *name;
        size_t offset;
        uint8_t value;
    } rows[] = {{"id", 1, 0x35},         {"a question", 2, 0x01}, {"opcode", 2, 0x91},
                {"no question", 5, 0},   {"two questions", 5, 2}, {"another name", 13, 'x'},
                {"another type", 20, 2}, {"another class", 22, 3}};
    ask_for("a.org", DNS_A);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(0x8180, 1, 0);
        record_a("a.org", 300, 1);
        ck_assert_uint_ne(m[rows[i].offset], rows[i].value);
        m[rows[i].offset] = rows[i].value;
        ck_assert_msg(parse(m, at) == DNS_FOREIGN, "%s", rows[i].name);
    }
}
END_TEST

START_TEST(response__cut_at_every_octet__no_over_read_no_answer)
{
    ask_for("a.org", DNS_A);
    begin(0x8180, 2, 0);
    record_name("a.org", DNS_CNAME, 40, "b.org");
    record_a("b.org", 300, 1);
    for (size_t length = 0; length < at; length++) {
        enum dns_verdict verdict = parse(m, length);
        ck_assert_int_eq(verdict, length < 23 ? DNS_FOREIGN : DNS_MALFORMED);
    }
    ck_assert_int_eq(parse(m, at), DNS_ANSWERED);
    m[2] |= 2;
    ck_assert_int_eq(parse(m, at), DNS_TRUNCATED);
}
END_TEST

START_TEST(response__every_octet_changed__survived)
{
    ask_for("a.org", DNS_A);
    begin(0x8180, 2, 1);
    record_name("a.org", DNS_CNAME, 40, "b.org");
    record_a("b.org", 300, 1);
    record_soa(3, 3);
    for (size_t i = 0; i < at; i++) {
        uint8_t kept = m[i];
        for (uint32_t v = 0; v < 256; v++) {
            m[i] = (uint8_t)v;
            enum dns_verdict verdict = parse(m, at);
            ck_assert(verdict <= DNS_MALFORMED);
            ck_assert(verdict != DNS_ANSWERED || response.addresses == 1);
        }
        m[i] = kept;
    }
}
END_TEST

START_TEST(response__pointer_loops_in_records__malformed)
{
    ask_for("a.org", DNS_A);
    begin(0x8180, 1, 0);
    m[at] = 0xc0;
    m[at + 1] = (uint8_t)at; /* an owner that points to itself */
    at += 2;
    m[at + 1] = DNS_A;
    m[at + 3] = 1;
    m[at + 9] = 4;
    at += 14;
    ck_assert_int_eq(parse(m, at), DNS_MALFORMED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dns_codec");
    TCase *tcase = tcase_create("codec");
    tcase_add_test(tcase, question__emitted__header_name_type_class);
    tcase_add_test(tcase, answers__addresses_of_the_name_asked__taken_with_least_ttl);
    tcase_add_test(tcase, answers__more_than_are_kept__first_ones_taken);
    tcase_add_test(tcase, aliases__chain_in_any_order__followed);
    tcase_add_test(tcase, aliases__in_a_circle_or_without_end__failure);
    tcase_add_test(tcase, aliases__leading_out_of_the_response__target_to_be_asked);
    tcase_add_test(tcase, denial__with_or_without_soa__ttl_by_rfc_2308);
    tcase_add_test(tcase, pointer_record__target__taken);
    tcase_add_test(tcase, response__to_something_else__foreign);
    tcase_add_test(tcase, response__cut_at_every_octet__no_over_read_no_answer);
    tcase_add_test(tcase, response__every_octet_changed__survived);
    tcase_add_test(tcase, response__pointer_loops_in_records__malformed);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
