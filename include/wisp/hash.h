/* SPDX-License-Identifier: ISC */
/*
 * Two functions the stack is given rather than owns: a keyed hash and the Internet checksum's sum.
 * The platform chooses them (libsodium's SipHash-2-4; a vector sum where the CPU has one).
 */
#ifndef WISP_HASH_H
#define WISP_HASH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WISP_HASH_KEY 16

/*
 * A 64-bit keyed hash that nobody without the key can predict or collide (SipHash-2-4 or better):
 * connection tables, initial sequence numbers (RFC 6528), ports (RFC 6056), IPv4 identifications and
 * the stack's random numbers all hang on it. Must be pure, and safe from any thread.
 */
typedef uint64_t (*wisp_hash_fn)(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len);

/*
 * The one's complement sum (RFC 1071) of len bytes at data, folded to 16 bits, over 16-bit words in the
 * machine's own byte order, an odd last byte padded with a zero byte; not complemented. Any alignment.
 */
typedef uint16_t (*wisp_sum_fn)(const void *data, size_t len);

/* Portable sum: 64-bit accumulation of 32-bit halves. */
uint16_t wisp_sum_portable(const void *data, size_t len);

/* The same by AVX2. Call only where the CPU has AVX2 and the OS saves its registers; x86-64 only. */
uint16_t wisp_sum_avx2(const void *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
