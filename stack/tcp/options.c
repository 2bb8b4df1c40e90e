/* SPDX-License-Identifier: ISC */
/*
 * TCP options (see options.h). An unknown kind with a length is skipped (MUST-6); a length of 0, 1 or past the
 * end stops the parse (MUST-7); a known kind of the wrong length is ignored as if unknown. A window shift
 * above 14 counts as 14 (RFC 7323 §2.3). Of SACK blocks the first is decoded: it tells whether there is news.
 */
#include "options.h"
#include "reader.h"

static void parse_one(uint8_t kind, const uint8_t *body, uint32_t length, struct tcp_options *o)
{
    if (kind == TCP_OPTION_MSS && length == 2 && !o->has_mss) {
        o->has_mss = true;
        o->mss = wisp_be16_get(body);
    } else if (kind == TCP_OPTION_SCALE && length == 1 && !o->has_scale) {
        o->has_scale = true;
        o->shift = body[0] > TCP_SHIFT_MAX ? TCP_SHIFT_MAX : body[0];
    } else if (kind == TCP_OPTION_SACK_PERMITTED && length == 0) {
        o->sack_permitted = true;
    } else if (kind == TCP_OPTION_TIMESTAMPS && length == 8 && !o->has_ts) {
        o->has_ts = true;
        o->tsval = wisp_be32_get(body);
        o->tsecr = wisp_be32_get(body + 4);
    } else if (kind == TCP_OPTION_SACK && length >= 8 && length % 8 == 0 && !o->has_sack) {
        o->has_sack = true;
        o->sack.start = seq_of(wisp_be32_get(body));
        o->sack.end = seq_of(wisp_be32_get(body + 4));
    }
}

static bool parse_any(const uint8_t *bytes, uint32_t length, struct tcp_options *o)
{
    struct wisp_reader r = wisp_reader_over(bytes, length);
    while (r.left > 0) {
        uint8_t kind = wisp_reader_u8(&r);
        if (kind == TCP_OPTION_END) {
            return true;
        }
        if (kind == TCP_OPTION_NOP) {
            continue;
        }
        uint8_t size = wisp_reader_u8(&r);
        const uint8_t *body = size >= 2 ? wisp_reader_take(&r, size - 2u) : NULL;
        if (!body) {
            return false;
        }
        parse_one(kind, body, size - 2u, o);
    }
    return true;
}

bool wisp_tcp_options_parse(const uint8_t *bytes, uint32_t length, struct tcp_options *options)
{
    *options = (struct tcp_options){0};
    return (length == TCP_TS_BYTES && wisp_tcp_options_ts(bytes, options)) ||
           parse_any(bytes, length, options);
}

static uint32_t emit_sacks(uint8_t *bytes, uint32_t at, const struct tcp_options_out *out)
{
    uint32_t fit = (TCP_OPTIONS_MAX - at - 4) / 8;
    uint32_t n = out->sacks < fit ? out->sacks : fit;
    wisp_be32_put(bytes + at, 0x01010500u + 2 + 8 * n);
    at += 4;
    for (uint32_t i = 0; i < n; i++, at += 8) {
        wisp_be32_put(bytes + at, out->sack[i].start.v);
        wisp_be32_put(bytes + at + 4, out->sack[i].end.v);
    }
    return at;
}

uint32_t wisp_tcp_options_emit(uint8_t *bytes, const struct tcp_options_out *out)
{
    uint32_t at = 0;
    if (out->mss) {
        wisp_be32_put(bytes, 0x02040000u + out->mss);
        at += 4;
    }
    if (out->scale) {
        wisp_be32_put(bytes + at, 0x01030300u + out->shift);
        at += 4;
    }
    if (out->sack_permitted) {
        wisp_be32_put(bytes + at, 0x01010402u);
        at += 4;
    }
    if (out->ts) {
        wisp_be32_put(bytes + at, TCP_TS_WORD);
        wisp_be32_put(bytes + at + 4, out->tsval);
        wisp_be32_put(bytes + at + 8, out->tsecr);
        at += TCP_TS_BYTES;
    }
    return out->sacks ? emit_sacks(bytes, at, out) : at;
}
