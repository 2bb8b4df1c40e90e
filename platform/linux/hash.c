/* SPDX-License-Identifier: ISC */
/* The keyed hash (libsodium's SipHash-2-4) and the fastest sum of this CPU. */
#include "linux.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <string.h>

/* Little-endian as SipHash defines its result, so that every platform computes the same. */
static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint8_t out[crypto_shorthash_siphash24_BYTES];
    uint64_t value;
    (void)crypto_shorthash_siphash24(out, data, len, key);
    memcpy(&value, out, sizeof(value));
    return value;
}

wisp_hash_fn wisp_platform_hash(void)
{
    return siphash;
}

wisp_sum_fn wisp_platform_sum(void)
{
    /* Asks for the CPU's feature and the operating system's support for its registers. */
    return __builtin_cpu_supports("avx2") ? wisp_sum_avx2 : wisp_sum_portable;
}
