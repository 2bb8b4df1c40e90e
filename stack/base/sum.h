/* SPDX-License-Identifier: ISC */
/*
 * Arithmetic on Internet checksums (RFC 1071, RFC 1624): sums as wisp_sum_fn gives them, in the machine's
 * byte order, not complemented.
 */
#ifndef WISP_BASE_SUM_H
#define WISP_BASE_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wisp/hash.h>

/* One's complement addition of two sums. */
static inline uint16_t wisp_sum_add(uint16_t a, uint16_t b)
{
    uint32_t s = (uint32_t)a + b;
    return (uint16_t)(s + (s >> 16));
}

/* The sum of a part that starts at an odd offset of the whole. */
static inline uint16_t wisp_sum_odd(uint16_t sum)
{
    return (uint16_t)(sum << 8 | sum >> 8);
}

/* Folds a 64-bit accumulator of 16- or 32-bit words. A number plus itself turned by half has in its
 * upper half the sum of the halves with the carry brought round. */
static inline uint16_t wisp_sum_fold(uint64_t s)
{
    s += s << 32 | s >> 32;
    uint32_t half = (uint32_t)(s >> 32);
    half += half << 16 | half >> 16;
    return (uint16_t)(half >> 16);
}

/* Adds a word to a sum of 64-bit words, kept modulo 2^64 - 1, which is a multiple of 0xffff. */
static inline uint64_t wisp_sum_carry(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

/* Whether a sum of something that is not all zero, its checksum included, is right: a multiple of
 * 0xffff, which a multiplication by the inverse modulo 2^64 shows. */
static inline bool wisp_sum_is_right(uint64_t sum)
{
    const uint64_t ones =
        UINT64_C(0x0001000100010001); /* (2^64 - 1) / 0xffff, and minus the inverse of 0xffff */
    return (0 - sum) * ones <= ones;
}

/* The sum of few bytes, at least 8, in line: what is left after words of 8 is the end of the last 8
 * bytes. */
static inline uint64_t wisp_sum_few(uint64_t sum, const uint8_t *p, size_t len)
{
    uint64_t word;
    size_t left = len;
    for (; left >= 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        sum = wisp_sum_carry(sum, word);
    }
    if (left > 0) {
        unsigned counted = 64 - 8 * (unsigned)left;
        memcpy(&word, p + left - 8, 8);
        word = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word >> counted : word << counted;
        sum = wisp_sum_carry(sum, word);
    }
    return sum;
}

/* A 16-bit number in host order, as a word of a sum; and back. */
static inline uint16_t wisp_sum_word(uint16_t host)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(host) : host;
}

/* Stores the checksum of a sum (its complement) at p. */
static inline void wisp_sum_store(uint8_t *p, uint16_t sum)
{
    uint16_t c = (uint16_t)~sum;
    memcpy(p, &c, 2);
}

/* Stores a sum itself (a blank checksum's pseudo-header part) at p. */
static inline void wisp_sum_store_blank(uint8_t *p, uint16_t sum)
{
    memcpy(p, &sum, 2);
}

#endif
