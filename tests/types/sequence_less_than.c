/* SPDX-License-Identifier: ISC */
/* Sequence numbers wrap: `<` between them must not compile. */
#include "seq.h"

bool earlier(struct tcp_seq a, struct tcp_seq b);

#ifdef RIGHT
bool earlier(struct tcp_seq a, struct tcp_seq b)
{
    return seq_before(a, b);
}
#else
bool earlier(struct tcp_seq a, struct tcp_seq b)
{
    return a < b;
}
#endif
