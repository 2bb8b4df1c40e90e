/* SPDX-License-Identifier: ISC */
/*
 * Sequence numbers (RFC 9293 §3.4): numbers modulo 2^32, in a struct so that `<` does not compile. The order
 * is defined for numbers less than 2^31 apart, which windows of at most 1 GiB guarantee.
 */
#ifndef WISP_TCP_SEQ_H
#define WISP_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_seq {
    uint32_t v;
};

static inline struct tcp_seq seq_of(uint32_t v)
{
    struct tcp_seq seq = {v};
    return seq;
}

static inline struct tcp_seq seq_add(struct tcp_seq a, uint32_t n)
{
    return seq_of(a.v + n);
}

static inline struct tcp_seq seq_sub(struct tcp_seq a, uint32_t n)
{
    return seq_of(a.v - n);
}

/* How far b lies after a; only meaningful when it does. */
static inline uint32_t seq_span(struct tcp_seq a, struct tcp_seq b)
{
    return b.v - a.v;
}

static inline bool seq_equal(struct tcp_seq a, struct tcp_seq b)
{
    return a.v == b.v;
}

static inline bool seq_before(struct tcp_seq a, struct tcp_seq b)
{
    return (int32_t)(a.v - b.v) < 0;
}

static inline bool seq_after(struct tcp_seq a, struct tcp_seq b)
{
    return seq_before(b, a);
}

static inline struct tcp_seq seq_later(struct tcp_seq a, struct tcp_seq b)
{
    return seq_before(a, b) ? b : a;
}

static inline struct tcp_seq seq_earlier(struct tcp_seq a, struct tcp_seq b)
{
    return seq_before(a, b) ? a : b;
}

/* first <= x < past, for any distance between first and past. */
static inline bool seq_within(struct tcp_seq first, struct tcp_seq x, struct tcp_seq past)
{
    return x.v - first.v < past.v - first.v;
}

#endif
