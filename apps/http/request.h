/* SPDX-License-Identifier: ISC */
/*
 * HTTP/1.1 requests (RFC 9110, 9112): bytes in, one request after the other out. The parsing itself is
 * libhttp-parser's, and request.c the only file that knows it.
 */
#ifndef WISP_APPS_HTTP_REQUEST_H
#define WISP_APPS_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_TARGET_MOST 255u  /* longer: 414 */
#define HTTP_VALUE_MOST  127u  /* longer values of the headers looked at count as absent */
#define HTTP_HEAD_MOST   8192u /* longer: 431 */

enum http_verb { HTTP_VERB_GET, HTTP_VERB_HEAD, HTTP_VERB_ANOTHER };

/* A header's value; length 0: absent or too long. */
struct http_value {
    uint16_t length;
    char text[HTTP_VALUE_MOST + 1];
};

struct http_request {
    uint16_t bad;   /* 0, or the status that answers it: 400, 414, 431, 505 */
    uint8_t method; /* enum http_verb */
    /* false: answer and close (asked for, or because of a body, or because it is bad) */
    bool keep_alive;
    uint16_t target_length;
    char target[HTTP_TARGET_MOST + 1]; /* the path, decoded, without query */
    struct http_value range, if_range, if_none_match;
};

struct http_request_reader {
    _Alignas(8) uint8_t parser[64]; /* libhttp-parser's */
    struct http_request request;
    struct http_value *value; /* where the header's value goes, or null */
    uint32_t head_length;
    uint8_t hosts;
    uint8_t name_length; /* of name; beyond it: some unknown header */
    bool in_value;
    bool complete;
    char name[16];
};

/* Starts reading a request. */
void http_request_init(struct http_request_reader *reader);

/*
 * Reads some of the length bytes and says by *used how many. True: reader->request is there (perhaps a bad
 * one); answer it, and start anew with http_request_init.
 */
bool http_request_input(struct http_request_reader *reader, const uint8_t *bytes, size_t length,
                        size_t *used);

/* Whether no byte of a request has come yet. */
bool http_request_idle(const struct http_request_reader *reader);

/* "Not Found" for 404: what goes with a status in the line that begins a response. */
const char *http_phrase(uint16_t status);

#endif
