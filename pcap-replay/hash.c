/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 (libsodium's) as the stack wants its keyed hash. */
#include "rig.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <string.h>

uint64_t rig_hash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint8_t out[crypto_shorthash_siphash24_BYTES];
    uint64_t value;
    (void)crypto_shorthash_siphash24(out, data, len, key);
    memcpy(&value, out, sizeof(value));
    return value;
}
