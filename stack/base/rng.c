/* SPDX-License-Identifier: ISC */
/*
 * Counter-mode keyed hash (see rng.h). Keys for different purposes are derived from the one seed by hashing
 * purpose and half under each half of the seed, so that learning one key tells nothing of the others.
 */
#include "rng.h"
#include <string.h>

void wisp_rng_key(wisp_hash_fn hash, const uint8_t seed[32], uint32_t purpose,
                  uint8_t key[WISP_HASH_KEY])
{
    for (uint32_t half = 0; half < 2; half++) {
        uint32_t label[2] = {purpose, half};
        uint64_t a = hash(seed, label, sizeof(label));
        uint64_t b = hash(seed + WISP_HASH_KEY, label, sizeof(label));
        uint64_t mixed = a ^ b;
        memcpy(key + 8 * half, &mixed, 8);
    }
}

void wisp_rng_init(struct wisp_rng *rng, wisp_hash_fn hash, const uint8_t seed[32],
                   uint32_t purpose)
{
    rng->hash = hash;
    rng->counter = 0;
    wisp_rng_key(hash, seed, purpose, rng->key);
}

uint64_t wisp_rng_next(struct wisp_rng *rng)
{
    uint64_t counter = rng->counter++;
    return rng->hash(rng->key, &counter, sizeof(counter));
}

uint32_t wisp_rng_below(struct wisp_rng *rng, uint32_t bound)
{
    return (uint32_t)(((wisp_rng_next(rng) >> 32) * bound) >> 32);
}
