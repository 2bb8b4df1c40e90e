/* SPDX-License-Identifier: ISC */
/* Text without a C library: reading numbers and words, writing into a buffer. */
#ifndef WISP_APPS_TEXT_H
#define WISP_APPS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text being written: what does not fit is cut, and used says how long it would have been. */
struct wisp_text {
    char *bytes;
    size_t size;
    size_t used;
};

/* Appends a string, len bytes, a number in decimal, or n/10^decimals with so many decimals (up to 19). */
void wisp_text_add(struct wisp_text *text, const char *string);
void wisp_text_add_bytes(struct wisp_text *text, const char *bytes, size_t len);
void wisp_text_add_number(struct wisp_text *text, uint64_t number);
void wisp_text_add_decimals(struct wisp_text *text, uint64_t number, uint32_t decimals);

size_t wisp_text_length(const char *string);
bool wisp_text_equal(const char *a, const char *b);

/* The number that the len characters at text spell, all of them decimal digits, at most most. */
bool wisp_text_number(const char *text, size_t len, uint64_t most, uint64_t *number);

/* ASCII only, as protocols want it. */
char wisp_text_lower(char c);
bool wisp_text_equal_caseless(const char *a, size_t len, const char *b);

#endif
