/* SPDX-License-Identifier: ISC */
/*
 * A reader over received bytes that cannot over-read: a read beyond the end gives zero and marks the
 * reader failed, for good. Parse everything, then ask once whether it was all there.
 */
#ifndef WISP_BASE_READER_H
#define WISP_BASE_READER_H

#include "bytes.h"
#include <stdbool.h>
#include <stddef.h>

struct wisp_reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static inline struct wisp_reader wisp_reader_over(const uint8_t *bytes, size_t length)
{
    struct wisp_reader r = {bytes, length, false};
    return r;
}

/* n bytes, or null (and failed) when fewer are left. */
static inline const uint8_t *wisp_reader_take(struct wisp_reader *r, size_t n)
{
    const uint8_t *p = r->at;
    if (n > r->left) {
        r->failed = true;
        r->left = 0;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return p;
}

static inline uint8_t wisp_reader_u8(struct wisp_reader *r)
{
    const uint8_t *p = wisp_reader_take(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t wisp_reader_be16(struct wisp_reader *r)
{
    const uint8_t *p = wisp_reader_take(r, 2);
    return p ? wisp_be16_get(p) : 0;
}

static inline uint32_t wisp_reader_be32(struct wisp_reader *r)
{
    const uint8_t *p = wisp_reader_take(r, 4);
    return p ? wisp_be32_get(p) : 0;
}

#endif
