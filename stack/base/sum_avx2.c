/* SPDX-License-Identifier: ISC */
/*
 * The sum by vectors of four 64-bit lanes: 128 bytes a step, 32-bit words widened, four accumulators. Written
 * with the compilers' generic vectors and compiled with -mavx2, so it needs no header; the platform calls it
 * only after it has asked the CPU and knows the registers are saved.
 */
#include "sum.h"
#include <stddef.h>

typedef uint64_t lanes __attribute__((vector_size(32)));

static inline lanes words_add(lanes sum, const uint8_t *p)
{
    lanes v;
    memcpy(&v, p, sizeof(v));
    return sum + (v & 0xffffffffu) + (v >> 32);
}

uint16_t wisp_sum_avx2(const void *data, size_t len)
{
    const uint8_t *p = data;
    if (len < 128) {
        /* short ones were often just written: wide loads would wait */
        return wisp_sum_portable(data, len);
    }
    lanes s0 = {0, 0, 0, 0};
    lanes s1 = s0;
    lanes s2 = s0;
    lanes s3 = s0;
    while (len >= 128) {
        s0 = words_add(s0, p);
        s1 = words_add(s1, p + 32);
        s2 = words_add(s2, p + 64);
        s3 = words_add(s3, p + 96);
        p += 128;
        len -= 128;
    }
    while (len >= 32) {
        s0 = words_add(s0, p);
        p += 32;
        len -= 32;
    }
    s0 = (s0 + s1) + (s2 + s3);
    uint64_t rest = wisp_sum_portable(p, len);
    return wisp_sum_fold(s0[0] + s0[1] + s0[2] + s0[3] + rest);
}
