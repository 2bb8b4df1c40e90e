/* SPDX-License-Identifier: ISC */
/*
 * Limits of ICMP errors (see icmp_limit.h). A destination has six errors at once, then one in half
 * to one and a half seconds. A bucket's place is found by keyed hash; a destination that finds its
 * place taken takes it over, so memory is bounded; whoever floods from many addresses meets the
 * common limit instead: 20 to 60 errors in 50 ms.
 */
#include "icmp_limit.h"
#include <string.h>

#define REFILL_MIN_MS 500u
#define REFILL_MAX_MS 1500u
#define WINDOW        WISP_MS(50)
#define WINDOW_MIN    20u
#define WINDOW_MAX    60u

static uint32_t between(struct wisp_icmp_limit *limit, uint32_t low, uint32_t high)
{
    return low + wisp_rng_below(&limit->rng, high - low + 1);
}

static wisp_time next_refill(struct wisp_icmp_limit *limit)
{
    return WISP_MS(between(limit, REFILL_MIN_MS, REFILL_MAX_MS));
}

void wisp_icmp_limit_init(struct wisp_icmp_limit *limit, wisp_hash_fn hash, const uint8_t seed[32],
                          wisp_time now)
{
    memset(limit->bucket, 0, sizeof(limit->bucket));
    wisp_rng_init(&limit->rng, hash, seed, 0x69636d31);
    wisp_rng_key(hash, seed, 0x69636d32, limit->key);
    limit->common = between(limit, WINDOW_MIN, WINDOW_MAX);
    limit->common_refill = now + WINDOW;
}

static struct wisp_icmp_bucket *find(struct wisp_icmp_limit *limit,
                                     const struct wisp_addr *destination, wisp_time now)
{
    uint8_t key[1 + sizeof(destination->u)] = {destination->family};
    memcpy(key + 1, &destination->u, destination->family == WISP_FAMILY_IP4 ? 4 : 16);
    uint64_t h = limit->rng.hash(limit->key, key, sizeof(key));
    struct wisp_icmp_bucket *bucket = &limit->bucket[h & (WISP_ICMP_LIMIT_PLACES - 1)];
    if (!wisp_addr_equal(&bucket->destination, destination)) {
        *bucket = (struct wisp_icmp_bucket){.destination = *destination,
                                            .tokens = WISP_ICMP_LIMIT_BURST,
                                            .refill = now + next_refill(limit)};
    }
    return bucket;
}

static void refill(struct wisp_icmp_limit *limit, struct wisp_icmp_bucket *bucket, wisp_time now)
{
    while (bucket->tokens < WISP_ICMP_LIMIT_BURST && now >= bucket->refill) {
        bucket->tokens++;
        bucket->refill += next_refill(limit);
    }
    if (bucket->tokens == WISP_ICMP_LIMIT_BURST && bucket->refill <= now) {
        bucket->refill = now + next_refill(limit);
    }
    if (now >= limit->common_refill) {
        limit->common = between(limit, WINDOW_MIN, WINDOW_MAX);
        limit->common_refill = now + WINDOW;
    }
}

bool wisp_icmp_limit_allow(struct wisp_icmp_limit *limit, const struct wisp_addr *destination,
                           wisp_time now)
{
    struct wisp_icmp_bucket *bucket = find(limit, destination, now);
    refill(limit, bucket, now);
    if (bucket->tokens == 0 || limit->common == 0) {
        return false;
    }
    bucket->tokens--;
    limit->common--;
    return true;
}
