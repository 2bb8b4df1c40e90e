/* SPDX-License-Identifier: ISC */
/* Responses through libhttp-parser: lengths, chunks, and bodies that end with the connection. */
#include "response.h"
#include <http_parser.h>
#include <string.h>

_Static_assert(sizeof(struct http_parser) <= sizeof(((struct http_response_reader *)0)->parser),
               "room for libhttp-parser's state");

static struct http_parser *parser_of(struct http_response_reader *reader)
{
    return (struct http_parser *)(void *)reader->parser;
}

static struct http_response_reader *reader_of(struct http_parser *parser)
{
    return parser->data;
}

/* 100 Continue and its like precede the response. */
static bool interim(const struct http_parser *parser)
{
    return parser->status_code < 200;
}

static int on_head(struct http_parser *parser)
{
    if (!interim(parser)) {
        reader_of(parser)->status = (uint16_t)parser->status_code;
    }
    return 0;
}

static int on_body(struct http_parser *parser, const char *at, size_t length)
{
    struct http_response_reader *reader = reader_of(parser);
    reader->body(reader->context, (const uint8_t *)at, length);
    return 0;
}

static int on_complete(struct http_parser *parser)
{
    if (!interim(parser)) {
        reader_of(parser)->complete = true;
        http_parser_pause(parser, 1);
    }
    return 0;
}

static const struct http_parser_settings settings = {
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void http_response_init(struct http_response_reader *reader, http_body_fn body, void *context)
{
    memset(reader, 0, sizeof(*reader));
    reader->body = body;
    reader->context = context;
    http_parser_init(parser_of(reader), HTTP_RESPONSE);
    parser_of(reader)->data = reader;
}

void http_response_input(struct http_response_reader *reader, const uint8_t *bytes, size_t length)
{
    if (reader->complete || reader->bad) {
        return;
    }
    (void)http_parser_execute(parser_of(reader), &settings, (const char *)bytes, length);
    reader->bad = !reader->complete && HTTP_PARSER_ERRNO(parser_of(reader)) != HPE_OK;
}
