/* SPDX-License-Identifier: ISC */
/*
 * Domain names (RFC 1035 §3.1, §4.1.4), read from bytes nobody vouches for. The loop over labels is bounded
 * twice: pointers only go towards the front, and the name may not grow beyond 255 octets. Label types
 * other than plain ones and pointers (RFC 6891 §5) are malformed here.
 */
#include "name.h"
#include <string.h>

size_t wisp_name_read(const uint8_t *message, size_t length, size_t at, uint8_t name[WISP_NAME_MAX],
                      size_t *end)
{
    size_t size = 0;
    size_t bound = at; /* pointers must go before this */
    bool jumped = false;
    while (at < length) {
        uint8_t label = message[at];
        if (label >= 0xc0) {
            if (length - at < 2) {
                return 0;
            }
            size_t to = (size_t)(label & 0x3f) << 8 | message[at + 1];
            if (to >= bound) {
                return 0;
            }
            if (!jumped) {
                *end = at + 2;
                jumped = true;
            }
            at = bound = to;
            continue;
        }
        if (label > 63 || length - at <= label || size + label + 1u > WISP_NAME_MAX) {
            return 0;
        }
        memcpy(name + size, message + at, label + 1u);
        size += label + 1u;
        at += label + 1u;
        if (label == 0) {
            if (!jumped) {
                *end = at;
            }
            return size;
        }
    }
    return 0;
}

size_t wisp_name_length(const uint8_t *name)
{
    size_t at = 0;
    while (name[at] != 0) {
        at += name[at] + 1u;
    }
    return at + 1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool wisp_name_equal(const uint8_t *a, const uint8_t *b)
{
    size_t length = wisp_name_length(a);
    if (length != wisp_name_length(b)) {
        return false;
    }
    /* Label lengths are below 64, where lower() changes nothing. */
    for (size_t i = 0; i < length; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

static bool is_name_octet(uint8_t c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

size_t wisp_name_from_text(const char *text, size_t length, uint8_t name[WISP_NAME_MAX])
{
    size_t size = 0;
    size_t at = 0;
    while (at < length) {
        size_t start = at;
        while (at < length && is_name_octet((uint8_t)text[at])) {
            at++;
        }
        size_t label = at - start;
        if (label == 0 || label > 63 || size + label + 2 > WISP_NAME_MAX ||
            (at < length && text[at] != '.')) {
            return 0;
        }
        name[size] = (uint8_t)label;
        memcpy(name + size + 1, text + start, label);
        size += label + 1;
        at++; /* the dot, or beyond the end */
    }
    if (size == 0) {
        return 0;
    }
    name[size] = 0;
    return size + 1;
}

bool wisp_name_text(const uint8_t *name, char text[WISP_NAME_TEXT_MAX])
{
    size_t size = 0;
    while (*name != 0) {
        uint8_t label = *name++;
        if (size > 0) {
            text[size++] = '.';
        }
        for (uint8_t i = 0; i < label; i++) {
            if (!is_name_octet(*name)) {
                text[0] = 0;
                return false;
            }
            text[size++] = (char)*name++;
        }
    }
    text[size] = 0;
    return true;
}
