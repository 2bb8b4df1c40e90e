/* SPDX-License-Identifier: ISC */
/* See text.h. */
#include "text.h"

void wisp_text_add_bytes(struct wisp_text *text, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text->used < text->size) {
            text->bytes[text->used] = bytes[i];
        }
        text->used++;
    }
}

void wisp_text_add(struct wisp_text *text, const char *string)
{
    wisp_text_add_bytes(text, string, wisp_text_length(string));
}

void wisp_text_add_decimals(struct wisp_text *text, uint64_t number, uint32_t decimals)
{
    char digits[24];
    uint32_t n = 0;
    do {
        if (n == decimals && n > 0) {
            digits[sizeof(digits) - ++n] = '.';
            decimals = UINT32_MAX;
        }
        digits[sizeof(digits) - ++n] = (char)('0' + number % 10);
        number /= 10;
    } while (n < sizeof(digits) && (number > 0 || (decimals != UINT32_MAX && n <= decimals)));
    wisp_text_add_bytes(text, digits + sizeof(digits) - n, n);
}

void wisp_text_add_number(struct wisp_text *text, uint64_t number)
{
    wisp_text_add_decimals(text, number, 0);
}

size_t wisp_text_length(const char *string)
{
    size_t n = 0;
    while (string[n]) {
        n++;
    }
    return n;
}

bool wisp_text_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool wisp_text_number(const char *text, size_t len, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        uint64_t digit = (uint64_t)(uint8_t)text[i] - '0';
        if (digit > 9 || digit > most || value > (most - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return len > 0;
}

char wisp_text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool wisp_text_equal_caseless(const char *a, size_t len, const char *b)
{
    size_t i = 0;
    while (i < len && b[i] && wisp_text_lower(a[i]) == wisp_text_lower(b[i])) {
        i++;
    }
    return i == len && !b[i];
}
