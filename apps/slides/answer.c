/* SPDX-License-Identifier: ISC */
/*
 * RFC 9110: conditional requests by entity tag (§13), one byte range (§14), errors with a short text. Several
 * ranges in one request are answered by the whole file, as §14.2 allows. There is no Date, for there is no
 * clock that knows it (§6.6.1).
 */
#include "answer.h"
#include <string.h>

/* A position in a header's value. */
struct scan {
    const char *at;
    const char *end;
};

static struct scan scan_of(const struct http_value *value)
{
    return (struct scan){value->text, value->text + value->length};
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t')) {
        scan->at++;
    }
}

static bool skip_char(struct scan *scan, char c)
{
    bool there = scan->at < scan->end && *scan->at == c;
    scan->at += there ? 1 : 0;
    return there;
}

/* A number, if one stands here. False: one that is no number of a file's byte. */
static bool scan_number(struct scan *scan, bool *there, uint64_t *number)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        scan->at++;
    }
    *there = scan->at > start;
    return !*there || wisp_text_number(start, (size_t)(scan->at - start), UINT64_MAX / 2, number);
}

enum range { RANGE_NONE, RANGE_ONE, RANGE_OUTSIDE };

/* "bytes=5-9", "bytes=5-", "bytes=-5" of a resource with length bytes; anything else is no range. */
static enum range range_parse(const struct http_value *value, uint64_t length, uint64_t *first,
                              uint64_t *count)
{
    struct scan scan = scan_of(value);
    uint64_t from = 0;
    uint64_t to = 0;
    bool has_from;
    bool has_to;
    if (value->length < 6 || !wisp_text_equal_caseless(value->text, 6, "bytes=")) {
        return RANGE_NONE;
    }
    scan.at += 6;
    skip_space(&scan);
    bool good = scan_number(&scan, &has_from, &from) && skip_char(&scan, '-') &&
                scan_number(&scan, &has_to, &to);
    skip_space(&scan);
    if (!good || scan.at != scan.end || !(has_from || has_to) ||
        (has_from && has_to && to < from)) {
        return RANGE_NONE;
    }
    if (!has_from) {
        from = to < length ? length - to : 0;
        has_to = false;
        length = to == 0 ? 0 : length; /* the last zero bytes are nowhere */
    }
    if (from >= length) {
        return RANGE_OUTSIDE;
    }
    *first = from;
    *count = (has_to && to < length ? to + 1 : length) - from;
    return RANGE_ONE;
}

/* Whether the list of tags in value names etag; weak: W/ before a tag does not matter. */
static bool names_tag(const struct http_value *value, const char *etag, bool weak)
{
    struct scan scan = scan_of(value);
    size_t length = wisp_text_length(etag);
    while (scan.at < scan.end) {
        skip_space(&scan);
        if (skip_char(&scan, '*')) {
            return weak;
        }
        bool was_weak = scan.end - scan.at > 2 && scan.at[0] == 'W' && scan.at[1] == '/';
        scan.at += was_weak ? 2 : 0;
        if ((size_t)(scan.end - scan.at) >= length && memcmp(scan.at, etag, length) == 0 &&
            (weak || !was_weak)) {
            return true;
        }
        while (scan.at < scan.end && !skip_char(&scan, ',')) {
            scan.at++;
        }
    }
    return false;
}

static void decide_range(const struct http_request *request, struct answer *answer)
{
    const struct answer_resource *resource = answer->resource;
    bool current =
        request->if_range.length == 0 || names_tag(&request->if_range, resource->etag, false);
    if (request->method != HTTP_VERB_GET || request->range.length == 0 || !current) {
        return;
    }
    switch (range_parse(&request->range, resource->length, &answer->first, &answer->length)) {
    case RANGE_NONE:
        break;
    case RANGE_ONE:
        answer->status = 206;
        break;
    case RANGE_OUTSIDE:
        answer->status = 416;
        answer->body = false;
        break;
    }
}

struct answer answer_decide(const struct http_request *request,
                            const struct answer_resource *resource)
{
    struct answer answer = {.keep_alive = request->keep_alive};
    answer.status = request->bad                           ? request->bad
                    : request->method == HTTP_VERB_ANOTHER ? 405
                    : !resource                            ? 404
                                                           : 200;
    if (answer.status != 200) {
        return answer;
    }
    answer.resource = resource;
    answer.length = resource->length;
    answer.body = request->method == HTTP_VERB_GET;
    if (!resource->etag) {
        return answer;
    }
    if (names_tag(&request->if_none_match, resource->etag, true)) {
        answer.status = 304;
        answer.body = false;
        return answer;
    }
    decide_range(request, &answer);
    return answer;
}

static void emit_length(struct wisp_text *text, uint64_t length)
{
    wisp_text_add(text, "Content-Length: ");
    wisp_text_add_number(text, length);
    wisp_text_add(text, "\r\n");
}

static void emit_content_range(const struct answer *answer, struct wisp_text *text)
{
    wisp_text_add(text, "Content-Range: bytes ");
    if (answer->status == 206) {
        wisp_text_add_number(text, answer->first);
        wisp_text_add(text, "-");
        wisp_text_add_number(text, answer->first + answer->length - 1);
    } else {
        wisp_text_add(text, "*");
    }
    wisp_text_add(text, "/");
    wisp_text_add_number(text, answer->resource->length);
    wisp_text_add(text, "\r\n");
}

static void emit_resource(const struct answer *answer, struct wisp_text *text)
{
    const struct answer_resource *resource = answer->resource;
    if (answer->status == 200 || answer->status == 206) {
        wisp_text_add(text, "Content-Type: ");
        wisp_text_add(text, resource->type);
        wisp_text_add(text, "\r\n");
        emit_length(text, answer->length);
    }
    if (answer->status == 206 || answer->status == 416) {
        emit_content_range(answer, text);
    }
    if (resource->etag) {
        wisp_text_add(text, "Accept-Ranges: bytes\r\nETag: ");
        wisp_text_add(text, resource->etag);
        wisp_text_add(text, "\r\n");
    }
    wisp_text_add(text,
                  resource->etag ? "Cache-Control: no-cache\r\n" : "Cache-Control: no-store\r\n");
}

/* "404 Not Found\n", the body of an answer without a resource. */
static void emit_short_text(uint16_t status, struct wisp_text *text)
{
    wisp_text_add_number(text, status);
    wisp_text_add(text, " ");
    wisp_text_add(text, http_phrase(status));
    wisp_text_add(text, "\n");
}

void answer_emit(const struct answer *answer, bool head_only, struct wisp_text *text)
{
    wisp_text_add(text, "HTTP/1.1 ");
    wisp_text_add_number(text, answer->status);
    wisp_text_add(text, " ");
    wisp_text_add(text, http_phrase(answer->status));
    wisp_text_add(text, "\r\nServer: wisp\r\n");
    if (answer->resource) {
        emit_resource(answer, text);
    }
    if (answer->status == 405) {
        wisp_text_add(text, "Allow: GET, HEAD\r\n");
    }
    wisp_text_add(text,
                  answer->keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
    bool short_text = !answer->resource;
    if (short_text) {
        wisp_text_add(text, "Content-Type: text/plain\r\n");
        emit_length(text, 5 + wisp_text_length(http_phrase(answer->status)));
    } else if (answer->status == 416) {
        emit_length(text, 0);
    }
    wisp_text_add(text, "\r\n");
    if (short_text && !head_only) {
        emit_short_text(answer->status, text);
    }
}
