/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 (Aumasson and Bernstein, 2012), so that tests need no library for it. */
#ifndef WISP_TESTS_SIPHASH_H
#define WISP_TESTS_SIPHASH_H

#include <wisp/hash.h>

/* A wisp_hash_fn. */
uint64_t test_siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len);

#endif
