/* SPDX-License-Identifier: ISC */
/* Addresses are octets: operators do not compare them. */
#include <wisp/addr.h>

bool same(struct wisp_ip4 a, struct wisp_ip4 b);

#ifdef RIGHT
bool same(struct wisp_ip4 a, struct wisp_ip4 b)
{
    return wisp_ip4_equal(a, b);
}
#else
bool same(struct wisp_ip4 a, struct wisp_ip4 b)
{
    return a == b;
}
#endif
