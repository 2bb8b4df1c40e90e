/* SPDX-License-Identifier: ISC */
/* A keyed hash for tests that need one and no secrecy: multiply and mix over octets. */
#ifndef WISP_TESTS_HASH_H
#define WISP_TESTS_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t tests_hash(const uint8_t key[16], const void *data, size_t length)
{
    const uint8_t *octet = data;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < 16 + length; i++) {
        h = (h ^ (i < 16 ? key[i] : octet[i - 16])) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

#endif
