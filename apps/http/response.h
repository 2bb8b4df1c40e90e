/* SPDX-License-Identifier: ISC */
/* One HTTP/1.1 response: bytes in, the body handed on piece by piece. response.c alone knows the parser. */
#ifndef WISP_APPS_HTTP_RESPONSE_H
#define WISP_APPS_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is given bytes of the body, in order, borrowed for the call. */
typedef void (*http_body_fn)(void *context, const uint8_t *bytes, size_t length);

struct http_response_reader {
    _Alignas(8) uint8_t parser[64]; /* libhttp-parser's */
    http_body_fn body;
    void *context;
    uint16_t status; /* 0 until known */
    bool complete;   /* the whole response has come */
    bool bad;        /* this is no HTTP */
};

void http_response_init(struct http_response_reader *reader, http_body_fn body, void *context);

/* Reads length bytes; 0: the peer has closed, which may end the body. Nothing more is read once complete or
 * bad. */
void http_response_input(struct http_response_reader *reader, const uint8_t *bytes, size_t length);

#endif
