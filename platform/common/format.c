/* SPDX-License-Identifier: ISC */
/*
 * See format.h. What printf can do beyond this (floating point, wide characters, error texts) is most of a C
 * library's formatter and of no use to a log line, but could not be left out of an image.
 */
#include "format.h"
#include <stdbool.h>
#include <stdint.h>
#include <wisp/platform.h>

struct out {
    char *text;
    size_t size;
    size_t used;
};

/* One conversion, as the format spells it. */
struct conversion {
    bool left, zeros;
    uint32_t width;
    uint32_t precision; /* NO_PRECISION: none given */
    uint32_t bytes;     /* of an integer argument */
    char kind;
};

#define NO_PRECISION UINT32_MAX

static void put(struct out *out, char c)
{
    if (out->used + 1 < out->size) {
        out->text[out->used] = c;
    }
    out->used++;
}

static void put_field(struct out *out, const struct conversion *how, const char *bytes,
                      uint32_t length)
{
    /* A sign stands before the zeros. */
    if (how->zeros && length && *bytes == '-') {
        put(out, *bytes);
    }
    uint32_t from = how->zeros && length && *bytes == '-' ? 1 : 0;
    for (uint32_t n = length; !how->left && n < how->width; n++) {
        put(out, how->zeros ? '0' : ' ');
    }
    for (uint32_t i = from; i < length; i++) {
        put(out, bytes[i]);
    }
    for (uint32_t n = length; how->left && n < how->width; n++) {
        put(out, ' ');
    }
}

static void put_text(struct out *out, struct conversion *how, const char *string)
{
    uint32_t length = 0;
    string = string ? string : "(null)";
    while (length < how->precision && string[length]) {
        length++;
    }
    how->zeros = false;
    put_field(out, how, string, length);
}

static void put_number(struct out *out, const struct conversion *how, uint64_t number,
                       bool negative)
{
    const char *digits = how->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    uint32_t base = how->kind == 'o'                                           ? 8
                    : how->kind == 'x' || how->kind == 'X' || how->kind == 'p' ? 16
                                                                               : 10;
    char text[24]; /* 22 octal digits, or two letters before 16 */
    uint32_t at = sizeof(text);
    do {
        text[--at] = digits[number % base];
        number /= base;
    } while (number);
    if (how->kind == 'p') {
        text[--at] = 'x';
        text[--at] = '0';
    }
    if (negative) {
        text[--at] = '-';
    }
    put_field(out, how, text + at, (uint32_t)sizeof(text) - at);
}

/* The digits at *format, or the int that a * stands for; at most 999, so that a field has an end. */
static uint32_t read_count(const char **format, int given)
{
    uint32_t count = 0;
    if (**format == '*') {
        ++*format;
        return given < 0 ? 0 : given > 999 ? 999 : (uint32_t)given;
    }
    for (; **format >= '0' && **format <= '9'; ++*format) {
        count = count * 10 + (uint32_t)(**format - '0');
        count = count > 999 ? 999 : count;
    }
    return count;
}

static uint32_t read_length(const char **format)
{
    uint32_t bytes = sizeof(int);
    for (;; ++*format) {
        switch (**format) {
        case 'h':
            bytes /= 2;
            break;
        case 'l':
        case 'j':
        case 'z':
        case 't':
            bytes = sizeof(uint64_t);
            break;
        default:
            return bytes;
        }
    }
}

static uint64_t truncate_to(uint64_t number, uint32_t bytes)
{
    return bytes >= sizeof(number) ? number : number & ((UINT64_C(1) << (bytes * 8)) - 1);
}

static void put_signed(struct out *out, const struct conversion *how, uint64_t number)
{
    uint64_t sign = UINT64_C(1) << (how->bytes * 8 - 1);
    number = truncate_to(number, how->bytes);
    bool negative = number & sign;
    put_number(out, how, negative ? truncate_to(0 - number, how->bytes) : number, negative);
}

/* A va_list that can be handed on by reference, whatever type the ABI makes of it. */
struct arguments {
    va_list list;
};

/* What stands behind a %, up to the letter. */
static struct conversion read_conversion(const char **format, struct arguments *args)
{
    struct conversion how = {.precision = NO_PRECISION};
    for (; **format == '-' || **format == '0'; ++*format) {
        how.left = how.left || **format == '-';
        how.zeros = how.zeros || **format == '0';
    }
    how.width = read_count(format, **format == '*' ? va_arg(args->list, int) : 0);
    if (**format == '.') {
        ++*format;
        how.precision = read_count(format, **format == '*' ? va_arg(args->list, int) : 0);
    }
    how.bytes = read_length(format);
    how.kind = **format;
    how.zeros = how.zeros && !how.left;
    return how;
}

static __attribute__((noinline)) uint64_t next_integer(struct arguments *args, uint32_t bytes)
{
    return bytes == sizeof(uint64_t) ? va_arg(args->list, uint64_t) : va_arg(args->list, unsigned);
}

/* False: a letter that is not known. */
static bool convert(struct out *out, struct conversion *how, struct arguments *args)
{
    char c;
    switch (how->kind) {
    case 'd':
    case 'i':
        put_signed(out, how, next_integer(args, how->bytes));
        return true;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        put_number(out, how, truncate_to(next_integer(args, how->bytes), how->bytes), false);
        return true;
    case 'p':
        put_number(out, how, (uintptr_t)va_arg(args->list, void *), false);
        return true;
    case 's':
        put_text(out, how, va_arg(args->list, const char *));
        return true;
    case 'c':
        c = (char)va_arg(args->list, int);
        how->zeros = false;
        put_field(out, how, &c, 1);
        return true;
    case '%':
        put(out, '%');
        return true;
    default:
        return false;
    }
}

int wisp_vformat(char *text, size_t size, const char *format, va_list list)
{
    struct out out = {text, size, 0};
    struct arguments args;
    va_copy(args.list, list);
    bool plain = false;
    while (*format) {
        const char *start = format++;
        if (*start != '%' || plain) {
            put(&out, *start);
            continue;
        }
        struct conversion how = read_conversion(&format, &args);
        if (convert(&out, &how, &args)) {
            format++;
            continue;
        }
        /* What lies behind an unknown letter among the arguments is unknown as well. */
        plain = true;
        put(&out, '%');
        format = start + 1;
    }
    va_end(args.list);
    if (size > 0) {
        text[out.used < size ? out.used : size - 1] = 0;
    }
    return (int)out.used;
}

int wisp_platform_format(char *text, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = wisp_vformat(text, size, format, args);
    va_end(args);
    return length;
}
