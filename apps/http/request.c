/* SPDX-License-Identifier: ISC */
/*
 * Requests through libhttp-parser. A request ends with its head here: one with a body is answered and the
 * connection then closed, for nothing served takes one. Of the headers, the few that a static server needs are
 * kept. A bad request is a request with the status that answers it.
 *
 * Left out: methods with bodies, trailers, upgrade, absolute-form targets of other schemes than http.
 */
#include "request.h"
#include "text.h"
#include <http_parser.h>
#include <string.h>

_Static_assert(sizeof(struct http_parser) <= sizeof(((struct http_request_reader *)0)->parser),
               "room for libhttp-parser's state");

static struct http_parser *parser_of(struct http_request_reader *reader)
{
    return (struct http_parser *)(void *)reader->parser;
}

static struct http_request_reader *reader_of(struct http_parser *parser)
{
    return parser->data;
}

/* Ends the parsing: a callback that returns non-zero stops libhttp-parser. */
static int refuse(struct http_request_reader *reader, uint16_t status)
{
    reader->request.bad = status;
    return 1;
}

static int on_target(struct http_parser *parser, const char *at, size_t length)
{
    struct http_request_reader *reader = reader_of(parser);
    struct http_request *request = &reader->request;
    if (length > HTTP_TARGET_MOST - request->target_length) {
        return refuse(reader, 414);
    }
    memcpy(request->target + request->target_length, at, length);
    request->target_length = (uint16_t)(request->target_length + length);
    return 0;
}

static int on_name(struct http_parser *parser, const char *at, size_t length)
{
    struct http_request_reader *reader = reader_of(parser);
    if (reader->in_value) {
        reader->in_value = false;
        reader->name_length = 0;
    }
    for (size_t i = 0; i < length && reader->name_length <= sizeof(reader->name); i++) {
        if (reader->name_length < sizeof(reader->name)) {
            reader->name[reader->name_length] = at[i];
        }
        reader->name_length++;
    }
    return 0;
}

static bool named(const struct http_request_reader *reader, const char *name)
{
    return wisp_text_equal_caseless(reader->name, reader->name_length, name);
}

/* Where the value of the header just named goes. */
static struct http_value *value_of(struct http_request_reader *reader)
{
    struct http_request *request = &reader->request;
    if (reader->name_length > sizeof(reader->name)) {
        return NULL;
    }
    return named(reader, "range")           ? &request->range
           : named(reader, "if-range")      ? &request->if_range
           : named(reader, "if-none-match") ? &request->if_none_match
                                            : NULL;
}

static void too_long(struct http_request_reader *reader)
{
    reader->value->length = 0;
    reader->value = NULL;
}

/* The same field in two lines is one list (RFC 9110 §5.3). */
static void join(struct http_request_reader *reader)
{
    struct http_value *value = reader->value;
    if (value->length == HTTP_VALUE_MOST) {
        too_long(reader);
        return;
    }
    value->text[value->length++] = ',';
}

static int begin_value(struct http_request_reader *reader)
{
    reader->in_value = true;
    reader->value = value_of(reader);
    if (reader->value && reader->value->length > 0) {
        join(reader);
    }
    if (reader->name_length <= sizeof(reader->name) && named(reader, "host") &&
        ++reader->hosts > 1) {
        return refuse(reader, 400);
    }
    return 0;
}

static int on_value(struct http_parser *parser, const char *at, size_t length)
{
    struct http_request_reader *reader = reader_of(parser);
    if (!reader->in_value && begin_value(reader)) {
        return 1;
    }
    struct http_value *value = reader->value;
    if (!value) {
        return 0;
    }
    if (length > HTTP_VALUE_MOST || value->length + length > HTTP_VALUE_MOST) {
        too_long(reader);
        return 0;
    }
    memcpy(value->text + value->length, at, length);
    value->length = (uint16_t)(value->length + length);
    return 0;
}

/* 1 says that no body follows: what comes after the head is not looked at. */
static int on_head(struct http_parser *parser)
{
    struct http_request_reader *reader = reader_of(parser);
    bool body = (parser->flags & F_CHUNKED) ||
                (parser->content_length != 0 && parser->content_length != UINT64_MAX);
    reader->request.keep_alive = http_should_keep_alive(parser) && !body;
    reader->request.method = parser->method == HTTP_GET    ? HTTP_VERB_GET
                             : parser->method == HTTP_HEAD ? HTTP_VERB_HEAD
                                                           : HTTP_VERB_ANOTHER;
    if (parser->http_major != 1) {
        return refuse(reader, 505);
    }
    if (parser->http_minor >= 1 && reader->hosts == 0) {
        return refuse(reader, 400); /* RFC 9112 §3.2 */
    }
    return 1;
}

static int on_complete(struct http_parser *parser)
{
    reader_of(parser)->complete = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const struct http_parser_settings settings = {
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_message_complete = on_complete,
};

void http_request_init(struct http_request_reader *reader)
{
    memset(reader, 0, sizeof(*reader));
    http_parser_init(parser_of(reader), HTTP_REQUEST);
    parser_of(reader)->data = reader;
}

bool http_request_idle(const struct http_request_reader *reader)
{
    return reader->head_length == 0;
}

static int hex(char c)
{
    c = wisp_text_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Turns "%41" into "A" in place. False: not hexadecimal, or a zero byte. */
static bool decode(char *text, uint16_t *length)
{
    uint16_t to = 0;
    for (uint16_t from = 0; from < *length; from++, to++) {
        text[to] = text[from];
        if (text[from] == '%') {
            int high = from + 2 < *length ? hex(text[from + 1]) : -1;
            int low = from + 2 < *length ? hex(text[from + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                return false;
            }
            text[to] = (char)(high << 4 | low);
            from = (uint16_t)(from + 2);
        }
    }
    *length = to;
    return true;
}

/* Leaves only the path of the target (RFC 9112 §3.2): no "http://host", no query. */
static bool reduce_target(struct http_request *request)
{
    static const char scheme[] = "http://";
    uint16_t start = 0;
    uint16_t end = 0;
    if (request->target_length >= sizeof(scheme) - 1 &&
        wisp_text_equal_caseless(request->target, sizeof(scheme) - 1, scheme)) {
        start = sizeof(scheme) - 1;
        while (start < request->target_length && request->target[start] != '/') {
            start++;
        }
    }
    while (start + end < request->target_length && request->target[start + end] != '?' &&
           request->target[start + end] != '#') {
        end++;
    }
    memmove(request->target, request->target + start, end);
    if (end == 0 && start > 0) {
        request->target[end++] = '/'; /* "http://host" alone, RFC 9110 §4.2.3 */
    }
    request->target_length = end;
    bool good = decode(request->target, &request->target_length);
    request->target[request->target_length] = 0;
    return good;
}

static bool finish(struct http_request_reader *reader)
{
    struct http_request *request = &reader->request;
    enum http_errno error = HTTP_PARSER_ERRNO(parser_of(reader));
    if (!request->bad && !reader->complete && error != HPE_OK) {
        request->bad = error == HPE_HEADER_OVERFLOW ? 431 : 400;
    }
    if (!request->bad && reader->head_length > HTTP_HEAD_MOST) {
        request->bad = 431;
    }
    if (!request->bad && !reader->complete) {
        return false;
    }
    if (!request->bad && !reduce_target(request)) {
        request->bad = 400;
    }
    request->keep_alive = request->keep_alive && !request->bad;
    return true;
}

bool http_request_input(struct http_request_reader *reader, const uint8_t *bytes, size_t length,
                        size_t *used)
{
    size_t most = HTTP_HEAD_MOST + 1 - reader->head_length;
    length = length < most ? length : most;
    *used = http_parser_execute(parser_of(reader), &settings, (const char *)bytes, length);
    reader->head_length += (uint32_t)*used;
    return finish(reader);
}

const char *http_phrase(uint16_t status)
{
    return http_status_str((enum http_status)status);
}
