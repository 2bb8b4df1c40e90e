/* SPDX-License-Identifier: ISC */
/* Answers: conditions, ranges, heads. */
#include "answer.h"
#include "suite.h"
#include <string.h>

static const struct answer_resource file = {"text/plain", "\"e\"", 10};

static struct http_request request;

static void set(struct http_value *value, const char *text)
{
    value->length = (uint16_t)strlen(text);
    memcpy(value->text, text, value->length);
}

static void setup(void)
{
    request = (struct http_request){.method = HTTP_VERB_GET, .keep_alive = true};
}

static const struct {
    const char *range;
    uint16_t status;
    uint64_t first, length;
} ranges[] = {
    {"bytes=0-0", 206, 0, 1},      {"bytes=0-9", 206, 0, 10},
    {"bytes=9-", 206, 9, 1},       {"bytes=2-5", 206, 2, 4},
    {"Bytes= 2-5 ", 206, 2, 4},    {"bytes=2-99999", 206, 2, 8},
    {"bytes=-1", 206, 9, 1},       {"bytes=-10", 206, 0, 10},
    {"bytes=-9999", 206, 0, 10},   {"bytes=0-9223372036854775807", 206, 0, 10},
    {"bytes=10-", 416, 0, 0},      {"bytes=10-20", 416, 0, 0},
    {"bytes=-0", 416, 0, 0},       {"bytes=5-4", 200, 0, 10},
    {"bytes=-", 200, 0, 10},       {"bytes=", 200, 0, 10},
    {"bytes", 200, 0, 10},         {"bytes=a-b", 200, 0, 10},
    {"bytes=1-2,4-5", 200, 0, 10}, {"bytes=1 -2", 200, 0, 10},
    {"lines=1-2", 200, 0, 10},     {"bytes=0-99999999999999999999999999", 200, 0, 10},
};

START_TEST(file_of_ten_bytes__range__part_as_written)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        set(&request.range, ranges[i].range);
        struct answer answer = answer_decide(&request, &file);
        ck_assert_msg(answer.status == ranges[i].status, "%s: %u", ranges[i].range, answer.status);
        ck_assert_int_eq(answer.body, answer.status != 416);
        if (answer.body) {
            ck_assert_msg(answer.first == ranges[i].first && answer.length == ranges[i].length,
                          "%s", ranges[i].range);
        }
    }
}
END_TEST

static const struct {
    const char *if_none_match, *if_range, *range;
    uint16_t status;
} conditions[] = {
    {"\"e\"", "", "", 304},
    {"W/\"e\"", "", "", 304},
    {"\"a\", \"e\"", "", "", 304},
    {"\"a\",W/\"e\"", "", "bytes=0-1", 304},
    {"*", "", "", 304},
    {"\"a\"", "", "", 200},
    {"\"ee\"", "", "", 200},
    {"e", "", "", 200},
    {",", "", "", 200},
    {"", "\"e\"", "bytes=0-1", 206},
    {"", "W/\"e\"", "bytes=0-1", 200}, /* RFC 9110 §13.1.5: a strong comparison */
    {"", "\"a\"", "bytes=0-1", 200},
    {"", "Mon, 01 Jan 2024 00:00:00 GMT", "bytes=0-1", 200},
};

START_TEST(file__condition__status_as_written)
{
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        setup();
        set(&request.if_none_match, conditions[i].if_none_match);
        set(&request.if_range, conditions[i].if_range);
        set(&request.range, conditions[i].range);
        ck_assert_msg(answer_decide(&request, &file).status == conditions[i].status, "row %zu", i);
    }
}
END_TEST

START_TEST(head_request_with_range__decided__range_does_not_count)
{
    request.method = HTTP_VERB_HEAD;
    set(&request.range, "bytes=0-1");
    struct answer answer = answer_decide(&request, &file);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert(!answer.body);
}
END_TEST

static char head[600];

static const char *emitted(const struct answer_resource *resource)
{
    struct wisp_text text = {head, sizeof(head) - 1, 0};
    struct answer answer = answer_decide(&request, resource);
    answer_emit(&answer, request.method == HTTP_VERB_HEAD, &text);
    ck_assert_uint_lt(text.used, 512); /* CLIENT_HEAD_MOST */
    head[text.used] = 0;
    return head;
}

START_TEST(file__emitted__head_as_written)
{
    ck_assert_str_eq(
        emitted(&file),
        "HTTP/1.1 200 OK\r\nServer: wisp\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n"
        "Accept-Ranges: bytes\r\nETag: \"e\"\r\nCache-Control: no-cache\r\n"
        "Connection: keep-alive\r\n\r\n");
    set(&request.range, "bytes=3-4");
    ck_assert_ptr_nonnull(
        strstr(emitted(&file), "Content-Length: 2\r\nContent-Range: bytes 3-4/10\r\n"));
    set(&request.range, "bytes=10-");
    ck_assert_ptr_nonnull(strstr(emitted(&file), "Content-Range: bytes */10\r\n"));
    ck_assert_ptr_nonnull(strstr(emitted(&file), "Content-Length: 0\r\n"));
}
END_TEST

START_TEST(errors__emitted__short_text_unless_head)
{
    request.keep_alive = true;
    ck_assert_str_eq(emitted(NULL),
                     "HTTP/1.1 404 Not Found\r\nServer: wisp\r\nConnection: keep-alive\r\n"
                     "Content-Type: text/plain\r\nContent-Length: 14\r\n\r\n404 Not Found\n");
    request.method = HTTP_VERB_HEAD;
    ck_assert_ptr_null(strstr(emitted(NULL), "\r\n\r\n404"));
    request.method = HTTP_VERB_ANOTHER;
    ck_assert_ptr_nonnull(strstr(emitted(&file), "HTTP/1.1 405 Method Not Allowed\r\n"));
    ck_assert_ptr_nonnull(strstr(head, "Allow: GET, HEAD\r\n"));
    static const uint16_t bad[] = {400, 414, 431, 505};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        request = (struct http_request){.bad = bad[i]};
        ck_assert_ptr_nonnull(strstr(emitted(NULL), "Connection: close\r\n"));
        ck_assert_uint_eq((unsigned)(head[9] - '0') * 100 + (unsigned)(head[10] - '0') * 10 +
                              (unsigned)(head[11] - '0'),
                          bad[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slides_answer");
    TCase *tc = tcase_create("slides_answer");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, file_of_ten_bytes__range__part_as_written);
    tcase_add_test(tc, file__condition__status_as_written);
    tcase_add_test(tc, head_request_with_range__decided__range_does_not_count);
    tcase_add_test(tc, file__emitted__head_as_written);
    tcase_add_test(tc, errors__emitted__short_text_unless_head);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
