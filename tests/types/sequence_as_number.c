/* SPDX-License-Identifier: ISC */
/* A sequence number is no number: adding to it goes through seq_add. */
#include "seq.h"

struct tcp_seq following(struct tcp_seq a);

#ifdef RIGHT
struct tcp_seq following(struct tcp_seq a)
{
    return seq_add(a, 1);
}
#else
struct tcp_seq following(struct tcp_seq a)
{
    return a + 1;
}
#endif
