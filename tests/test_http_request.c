/* SPDX-License-Identifier: ISC */
/* HTTP requests: whole, cut at every byte, in sequence, and bad ones. */
#include "request.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

#define NOT_YET SIZE_MAX

static struct http_request_reader reader;

/* Feeds text in pieces of at most step bytes; returns how many were used up to the end of a request, or NOT_YET. */
static size_t feed(const char *text, size_t length, size_t step)
{
    size_t at = 0;
    while (at < length) {
        size_t part = length - at < step ? length - at : step;
        uint8_t *exact = malloc(part); /* so that a sanitizer sees a read beyond */
        size_t used;
        memcpy(exact, text + at, part);
        bool complete = http_request_input(&reader, exact, part, &used);
        free(exact);
        at += used;
        if (complete) {
            return at;
        }
        ck_assert_uint_eq(used, part);
    }
    return NOT_YET;
}

static const char whole[] =
    "GET /a%20b.html?x=1#y HTTP/1.1\r\nHost: wisp\r\nUser-Agent: a\r\n"
    "Range: bytes=0-9\r\nIF-NONE-MATCH: \"a\", \"b\"\r\nIf-Range: \"c\"\r\n\r\n";

START_TEST(reading__whole_request_cut_anywhere__same_request)
{
    for (size_t step = 1; step <= sizeof(whole) - 1; step++) {
        http_request_init(&reader);
        ck_assert_uint_eq(feed(whole, sizeof(whole) - 1, step), sizeof(whole) - 1);
        const struct http_request *r = &reader.request;
        ck_assert_uint_eq(r->bad, 0);
        ck_assert_uint_eq(r->method, HTTP_VERB_GET);
        ck_assert(r->keep_alive);
        ck_assert_str_eq(r->target, "/a b.html");
        ck_assert_str_eq(r->range.text, "bytes=0-9");
        ck_assert_str_eq(r->if_none_match.text, "\"a\", \"b\"");
        ck_assert_str_eq(r->if_range.text, "\"c\"");
    }
}
END_TEST

START_TEST(reading__truncated_at_every_length__no_request_yet)
{
    for (size_t length = 0; length < sizeof(whole) - 1; length++) {
        http_request_init(&reader);
        ck_assert_uint_eq(feed(whole, length, length + 1), NOT_YET);
        ck_assert_int_eq(http_request_idle(&reader), length == 0);
    }
}
END_TEST

START_TEST(reading__pipelined_requests__one_after_the_other)
{
    static const char two[] = "HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\n\r\n";
    http_request_init(&reader);
    size_t first = feed(two, sizeof(two) - 1, sizeof(two));
    ck_assert_uint_eq(first, 29);
    ck_assert_str_eq(reader.request.target, "/1");
    ck_assert_uint_eq(reader.request.method, HTTP_VERB_HEAD);
    http_request_init(&reader);
    ck_assert_uint_eq(feed(two + first, sizeof(two) - 1 - first, sizeof(two)),
                      sizeof(two) - 1 - first);
    ck_assert_str_eq(reader.request.target, "/2");
    ck_assert(!reader.request.keep_alive);
}
END_TEST

static const struct {
    const char *name;
    const char *text;
    uint16_t bad;
    bool keep_alive;
} table[] = {
    {"close asked for", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, false},
    {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 0, true},
    {"no host in 1.1", "GET / HTTP/1.1\r\n\r\n", 400, false},
    {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, true},
    {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, false},
    {"a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 0, false},
    {"a chunked body", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
     false},
    {"both lengths",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
     false},
    {"upgrade is ignored",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 0, true},
    {"absolute target", "GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", 0, true},
    {"no such method", "FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"noise", "\x16\x03\x01\x02", 400, false},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, false},
    {"version 2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, false},
    /* and what follows it below */
    {"zero byte in header", "GET / HTTP/1.1\r\nHost: a\r\nX: a", 0, true},
    {"bad escape", "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"escaped zero", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
};

START_TEST(reading__table__status_and_keep_alive_as_written)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        http_request_init(&reader);
        size_t length = strlen(table[i].text);
        size_t used = feed(table[i].text, length, length);
        if (strcmp(table[i].name, "zero byte in header") == 0) {
            ck_assert_uint_eq(used, NOT_YET);
            ck_assert_uint_ne(feed("\0\r\n\r\n", 5, 5), NOT_YET);
            ck_assert_uint_eq(reader.request.bad, 400);
            continue;
        }
        ck_assert_msg(used != NOT_YET, "%s", table[i].name);
        ck_assert_msg(reader.request.bad == table[i].bad, "%s: %u", table[i].name,
                      reader.request.bad);
        ck_assert_msg(reader.request.keep_alive == table[i].keep_alive, "%s", table[i].name);
    }
}
END_TEST

static const struct {
    const char *target, *path;
} targets[] = {
    {"/a", "/a"},
    {"/a?b", "/a"},
    {"/a%3fb", "/a?b"},
    {"http://h/a", "/a"},
    {"HTTP://h:80/a?x", "/a"},
    {"http://h", "/"},
    {"http://h?x", "/"},
    {"/%2e%2E/a", "/../a"},
    {"*", "*"},
    {"//a", "//a"},
};

START_TEST(reading__targets_of_all_forms__path_alone_is_left)
{
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char text[200];
        strcpy(text, "OPTIONS ");
        strcat(text, targets[i].target);
        strcat(text, " HTTP/1.1\r\nHost: a\r\n\r\n");
        http_request_init(&reader);
        ck_assert_uint_ne(feed(text, strlen(text), 9), NOT_YET);
        ck_assert_msg(strcmp(reader.request.target, targets[i].path) == 0, "%s: %s, status %u",
                      targets[i].target, reader.request.target, reader.request.bad);
    }
}
END_TEST

/* "GET /aaa... HTTP/1.1" with a target of so many bytes. */
static uint16_t status_of_target(size_t length)
{
    char text[HTTP_HEAD_MOST];
    memcpy(text, "GET /", 5);
    memset(text + 5, 'a', length - 1);
    strcpy(text + 4 + length, " HTTP/1.1\r\nHost: a\r\n\r\n");
    http_request_init(&reader);
    ck_assert_uint_ne(feed(text, strlen(text), 7), NOT_YET);
    return reader.request.bad;
}

START_TEST(reading__long_target__414_beyond_the_most)
{
    ck_assert_uint_eq(status_of_target(HTTP_TARGET_MOST), 0);
    ck_assert_uint_eq(status_of_target(HTTP_TARGET_MOST + 1), 414);
    ck_assert_uint_eq(status_of_target(4000), 414);
}
END_TEST

/* A head of exactly that many bytes. */
static uint16_t status_of_head(size_t length)
{
    char text[HTTP_HEAD_MOST + 100];
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    memset(text, 'x', sizeof(text));
    memcpy(text, start, sizeof(start) - 1);
    memcpy(text + length - 4, "\r\n\r\n", 4);
    http_request_init(&reader);
    ck_assert_uint_ne(feed(text, length, 1460), NOT_YET);
    return reader.request.bad;
}

START_TEST(reading__long_head__431_beyond_the_most)
{
    ck_assert_uint_eq(status_of_head(HTTP_HEAD_MOST), 0);
    ck_assert_uint_eq(status_of_head(HTTP_HEAD_MOST + 1), 431);
    ck_assert_uint_eq(status_of_head(HTTP_HEAD_MOST + 50), 431);
}
END_TEST

START_TEST(reading__value_longer_than_kept__counts_as_absent)
{
    char text[600] = "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=";
    memset(text + strlen(text), '1', HTTP_VALUE_MOST);
    strcat(text, "\r\nRange: bytes=1-\r\nIf-Range: \"a\"\r\nIf-Range: \"b\"\r\n\r\n");
    for (size_t step = 1; step < 200; step++) {
        http_request_init(&reader);
        ck_assert_uint_ne(feed(text, strlen(text), step), NOT_YET);
        ck_assert_uint_eq(reader.request.bad, 0);
        ck_assert_str_eq(reader.request.if_range.text, "\"a\",\"b\"");
        ck_assert_uint_le(reader.request.range.length, HTTP_VALUE_MOST);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_request");
    TCase *tc = tcase_create("http_request");
    tcase_add_test(tc, reading__whole_request_cut_anywhere__same_request);
    tcase_add_test(tc, reading__truncated_at_every_length__no_request_yet);
    tcase_add_test(tc, reading__pipelined_requests__one_after_the_other);
    tcase_add_test(tc, reading__table__status_and_keep_alive_as_written);
    tcase_add_test(tc, reading__targets_of_all_forms__path_alone_is_left);
    tcase_add_test(tc, reading__long_target__414_beyond_the_most);
    tcase_add_test(tc, reading__long_head__431_beyond_the_most);
    tcase_add_test(tc, reading__value_longer_than_kept__counts_as_absent);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
