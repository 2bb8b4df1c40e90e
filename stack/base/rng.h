/* SPDX-License-Identifier: ISC */
/*
 * The stack's random numbers: a keyed hash over a counter. Whoever lacks the key cannot tell the numbers
 * from random ones, and the same key gives the same run.
 */
#ifndef WISP_BASE_RNG_H
#define WISP_BASE_RNG_H

#include <wisp/hash.h>

struct wisp_rng {
    wisp_hash_fn hash;
    uint8_t key[WISP_HASH_KEY];
    uint64_t counter;
};

/* seed: 32 bytes, of which purpose (any number, another one for each use) selects a stream. */
void wisp_rng_init(struct wisp_rng *rng, wisp_hash_fn hash, const uint8_t seed[32],
                   uint32_t purpose);

uint64_t wisp_rng_next(struct wisp_rng *rng);

/* A number below bound (> 0), without bias worth speaking of: bound is far below 2^64. */
uint32_t wisp_rng_below(struct wisp_rng *rng, uint32_t bound);

/* Derives a 16-byte key for purpose from seed. */
void wisp_rng_key(wisp_hash_fn hash, const uint8_t seed[32], uint32_t purpose,
                  uint8_t key[WISP_HASH_KEY]);

#endif
