/* SPDX-License-Identifier: ISC */
/*
 * How many ICMP errors may leave: a bucket per destination, and one for all (RFC 1812 §4.3.2.8).
 * Neither is predictable: refills take a random time, and the common bucket a random number of
 * errors, so that nobody learns by its own share how many errors others were sent (CVE-2020-25705).
 */
#ifndef WISP_ICMP_LIMIT_H
#define WISP_ICMP_LIMIT_H

#include "rng.h"
#include <stdbool.h>
#include <wisp/addr.h>
#include <wisp/clock.h>

#define WISP_ICMP_LIMIT_PLACES 64u /* a power of two */
#define WISP_ICMP_LIMIT_BURST  6u

struct wisp_icmp_bucket {
    struct wisp_addr destination;
    uint8_t tokens;
    wisp_time refill; /* when the next token comes */
};

struct wisp_icmp_limit {
    struct wisp_rng rng;
    uint8_t key[WISP_HASH_KEY];
    uint32_t common;         /* errors that may leave in this window */
    wisp_time common_refill; /* when the next window opens */
    struct wisp_icmp_bucket bucket[WISP_ICMP_LIMIT_PLACES];
};

void wisp_icmp_limit_init(struct wisp_icmp_limit *limit, wisp_hash_fn hash, const uint8_t seed[32],
                          wisp_time now);

/* True: an error may be sent to destination, and is accounted for. */
bool wisp_icmp_limit_allow(struct wisp_icmp_limit *limit, const struct wisp_addr *destination,
                           wisp_time now);

#endif
