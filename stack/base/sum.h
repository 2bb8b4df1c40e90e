/* SPDX-License-Identifier: ISC */
/*
 * Arithmetic on Internet checksums (RFC 1071, RFC 1624): sums as wisp_sum_fn gives them, in the machine's
 * byte order, not complemented.
 */
#ifndef WISP_BASE_SUM_H
#define WISP_BASE_SUM_H

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
