/* SPDX-License-Identifier: ISC */
/* An address as a platform tells it (see net_address.h). */
#include "net_address.h"

/* The next run of characters that are no blanks, at *text; its length, 0 at the end. */
static size_t next_word(const char **text)
{
    size_t n = 0;
    while (**text == ' ' || **text == '\t') {
        (*text)++;
    }
    while ((*text)[n] && (*text)[n] != ' ' && (*text)[n] != '\t') {
        n++;
    }
    return n;
}

static bool mask_bits(struct wisp_ip4 mask, uint8_t *bits)
{
    for (uint8_t n = 1; n <= 32; n++) {
        if (wisp_ip4_value(mask) == wisp_ip4_mask(n)) {
            *bits = n;
            return true;
        }
    }
    return false;
}

static bool has_slash(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '/') {
            return true;
        }
    }
    return false;
}

bool wisp_net_address_parse(const char *text, struct wisp_net_address *address)
{
    struct wisp_ip4 mask;
    size_t length = next_word(&text);
    bool has_prefix = has_slash(text, length);
    *address = (struct wisp_net_address){0};
    if (!wisp_ip4_parse_prefix(text, length, &address->ip, &address->prefix)) {
        return false;
    }
    text += length;
    length = next_word(&text);
    if (!has_prefix && length == 0) {
        address->prefix = 24;
        return true;
    }
    if (!has_prefix) {
        if (!wisp_ip4_parse(text, length, &mask) || !mask_bits(mask, &address->prefix)) {
            return false;
        }
        text += length;
        length = next_word(&text);
    }
    address->has_gateway = length > 0;
    if (address->has_gateway && !wisp_ip4_parse(text, length, &address->gateway)) {
        return false;
    }
    text += length;
    return next_word(&text) == 0;
}
