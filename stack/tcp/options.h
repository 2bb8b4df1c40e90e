/* SPDX-License-Identifier: ISC */
/*
 * The TCP header's options (RFC 9293 §3.1, RFC 7323, RFC 2018): decoded once, by a reader that cannot leave
 * the header; encoded by one function. No packet, no connection here.
 */
#ifndef WISP_TCP_OPTIONS_H
#define WISP_TCP_OPTIONS_H

#include "bytes.h"
#include "seq.h"

#define TCP_HEADER      20u
#define TCP_OPTIONS_MAX 40u
#define TCP_TS_BYTES    12u         /* timestamps with their padding: */
#define TCP_TS_WORD     0x0101080au /* NOP NOP TIMESTAMPS 10, then the two */
#define TCP_SHIFT_MAX   14u

enum tcp_wire_flag {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32
};

enum tcp_option_kind {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOP = 1,
    TCP_OPTION_MSS = 2,
    TCP_OPTION_SCALE = 3,
    TCP_OPTION_SACK_PERMITTED = 4,
    TCP_OPTION_SACK = 5,
    TCP_OPTION_TIMESTAMPS = 8
};

struct tcp_sack {
    struct tcp_seq start, end;
};

struct tcp_options {
    bool has_mss, has_scale, sack_permitted, has_ts, has_sack;
    uint8_t shift; /* at most TCP_SHIFT_MAX */
    uint16_t mss;
    uint32_t tsval, tsecr;
    struct tcp_sack sack; /* the first block: what arrived last, or (RFC 2883) arrived twice */
};

/* Timestamps alone, in TCP_TS_BYTES bytes: what nearly every segment of a connection that has them
 * carries. False: something else. */
static inline bool wisp_tcp_options_ts(const uint8_t *bytes, struct tcp_options *options)
{
    if (wisp_be32_get(bytes) != TCP_TS_WORD) {
        return false;
    }
    options->has_ts = true;
    options->tsval = wisp_be32_get(bytes + 4);
    options->tsecr = wisp_be32_get(bytes + 8);
    return true;
}

/*
 * Decodes length bytes of options. False when one has an impossible length: what came before it counts, the
 * rest of the header is skipped. The first option of a kind counts.
 */
bool wisp_tcp_options_parse(const uint8_t *bytes, uint32_t length, struct tcp_options *options);

/* What to put into a segment's header. */
struct tcp_options_out {
    uint16_t mss; /* 0: none */
    bool scale, sack_permitted, ts;
    uint8_t shift;
    uint8_t sacks; /* as many as fit are written */
    uint32_t tsval, tsecr;
    const struct tcp_sack *sack;
};

/* Encodes into at most TCP_OPTIONS_MAX bytes, padded to four with zeros; returns how many. */
uint32_t wisp_tcp_options_emit(uint8_t *bytes, const struct tcp_options_out *out);

#endif
