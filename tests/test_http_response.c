/* SPDX-License-Identifier: ISC */
/* HTTP responses: lengths, chunks, ends of the connection, cut at every byte. */
#include "response.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct http_response_reader reader;
static char body[256];
static size_t body_length;

static void on_body(void *context, const uint8_t *bytes, size_t length)
{
    (void)context;
    ck_assert_uint_le(body_length + length, sizeof(body) - 1);
    memcpy(body + body_length, bytes, length);
    body_length += length;
    body[body_length] = 0;
}

static void feed(const char *text, size_t length, size_t step)
{
    body_length = 0;
    body[0] = 0;
    http_response_init(&reader, on_body, NULL);
    for (size_t at = 0; at < length; at += step) {
        size_t part = length - at < step ? length - at : step;
        uint8_t *exact = malloc(part); /* so that a sanitizer sees a read beyond */
        memcpy(exact, text + at, part);
        http_response_input(&reader, exact, part);
        free(exact);
    }
}

static const struct {
    const char *name;
    const char *text;
    uint16_t status;
    const char *body;
    bool complete, complete_at_end, bad;
} table[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", true, true, false},
    {"beyond the length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", 200, "abc", true,
     true, false},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200,
     "abcde", true, true, false},
    {"until the end", "HTTP/1.0 200 OK\r\n\r\nabc", 200, "abc", false, true, false},
    {"too short", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", 200, "abc", false, false,
     true},
    {"interim first",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, "",
     true, true, false},
    {"empty", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true, true, false},
    {"noise", "SSH-2.0-OpenSSH\r\n", 0, "", false, false, true},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 0, "",
     false, false, true},
};

START_TEST(reading__table_cut_anywhere__as_written)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t length = strlen(table[i].text);
        for (size_t step = 1; step <= length; step++) {
            feed(table[i].text, length, step);
            ck_assert_msg(reader.status == table[i].status, "%s: %u", table[i].name, reader.status);
            ck_assert_msg(strcmp(body, table[i].body) == 0, "%s: %s", table[i].name, body);
            ck_assert_msg(reader.complete == table[i].complete, "%s", table[i].name);
            http_response_input(&reader, NULL, 0);
            ck_assert_msg(reader.complete == table[i].complete_at_end, "%s at end", table[i].name);
            ck_assert_msg(reader.bad == table[i].bad, "%s bad", table[i].name);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_response");
    TCase *tc = tcase_create("http_response");
    tcase_add_test(tc, reading__table_cut_anywhere__as_written);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
