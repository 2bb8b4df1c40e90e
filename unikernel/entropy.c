/* SPDX-License-Identifier: ISC */
/*
 * The state is the key of HChaCha20. Mixing replaces it by HChaCha20(state, 16 bytes of input);
 * taking gives HChaCha20(state, "take") and replaces the state by HChaCha20(state, "next"), so that
 * what was given cannot be computed from what is left. Weak input does no harm: it permutes.
 */
#include "entropy.h"
#include <string.h>

/* libsodium's; declared here because its headers want a C library's. */
int crypto_core_hchacha20(unsigned char *out, const unsigned char *in, const unsigned char *key,
                          const unsigned char *constant);

enum { BLOCK = 15, WORDS = 8, TRIES = 10 };

static void step(struct wisp_entropy *pool, const uint8_t input[16])
{
    uint8_t next[32];
    crypto_core_hchacha20(next, input, pool->state, NULL);
    memcpy(pool->state, next, sizeof(next));
}

void wisp_entropy_mix(struct wisp_entropy *pool, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length) {
        /* The last byte counts the others, so that no two inputs look alike. */
        uint8_t input[16] = {0};
        size_t piece = length < BLOCK ? length : BLOCK;
        memcpy(input, at, piece);
        input[15] = (uint8_t)piece;
        step(pool, input);
        at += piece;
        length -= piece;
    }
}

void wisp_entropy_take(struct wisp_entropy *pool, void *bytes, size_t length)
{
    static const uint8_t take[16] = {'t', 'a', 'k', 'e', [15] = 0xff};
    static const uint8_t next[16] = {'n', 'e', 'x', 't', [15] = 0xff};
    uint8_t *at = bytes;
    while (length) {
        uint8_t out[32];
        size_t piece = length < sizeof(out) ? length : sizeof(out);
        crypto_core_hchacha20(out, take, pool->state, NULL);
        step(pool, next);
        memcpy(at, out, piece);
        at += piece;
        length -= piece;
    }
}

bool wisp_entropy_gather(struct wisp_entropy *pool, wisp_entropy_source source)
{
    uint64_t word, previous = 0;
    unsigned repeats = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned tries = TRIES;
        while (!source(&word)) {
            if (--tries == 0) {
                return false;
            }
        }
        /* A processor that answers always the same (it has happened) is no source. */
        repeats += word == previous;
        previous = word;
        wisp_entropy_mix(pool, &word, sizeof(word));
    }
    return repeats < 2;
}
