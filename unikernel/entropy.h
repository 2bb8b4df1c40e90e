/* SPDX-License-Identifier: ISC */
/* Bytes fit for keys. */
#ifndef WISP_UNIKERNEL_ENTROPY_H
#define WISP_UNIKERNEL_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 256 bits into which anything can be mixed and from which the future, but not the past, can be
 * computed. */
struct wisp_entropy {
    uint8_t state[32];
};

/* A source: one word, false when it has none (now). */
typedef bool (*wisp_entropy_source)(uint64_t *word);

void wisp_entropy_mix(struct wisp_entropy *pool, const void *bytes, size_t length);
void wisp_entropy_take(struct wisp_entropy *pool, void *bytes, size_t length);
/* Mixes 512 bits of the processor's, asking each word up to ten times. False: the source failed or
 * gives the same word again and again. */
bool wisp_entropy_gather(struct wisp_entropy *pool, wisp_entropy_source source);

#endif
