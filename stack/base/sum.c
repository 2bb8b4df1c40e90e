/* SPDX-License-Identifier: ISC */
/*
 * The portable sum: 64-bit additions of 32-bit words in two accumulators. 2^32 words fit before an
 * accumulator could wrap, far beyond any packet.
 */
#include "sum.h"
#include <stddef.h>

uint16_t wisp_sum_portable(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t a = 0;
    uint64_t b = 0;
    while (len >= 16) {
        uint64_t w[2];
        memcpy(w, p, 16);
        a += (w[0] & 0xffffffffu) + (w[1] & 0xffffffffu);
        b += (w[0] >> 32) + (w[1] >> 32);
        p += 16;
        len -= 16;
    }
    if (len & 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        a += w & 0xffffffffu;
        b += w >> 32;
        p += 8;
    }
    if (len & 4) {
        uint32_t w;
        memcpy(&w, p, 4);
        a += w;
        p += 4;
    }
    if (len & 2) {
        uint16_t w;
        memcpy(&w, p, 2);
        b += w;
        p += 2;
    }
    if (len & 1) {
        uint8_t last[2] = {*p, 0};
        uint16_t w;
        memcpy(&w, last, 2);
        a += w;
    }
    return wisp_sum_fold(a + b);
}
