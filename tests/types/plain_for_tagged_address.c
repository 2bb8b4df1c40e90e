/* SPDX-License-Identifier: ISC */
/* Where an address carries its family, one without it does not pass. */
#include <wisp/addr.h>

bool same(struct wisp_ip4 ip, const struct wisp_addr *addr);

#ifdef RIGHT
bool same(struct wisp_ip4 ip, const struct wisp_addr *addr)
{
    struct wisp_addr tagged = wisp_addr_ip4(ip);
    return wisp_addr_equal(&tagged, addr);
}
#else
bool same(struct wisp_ip4 ip, const struct wisp_addr *addr)
{
    return wisp_addr_equal(&ip, addr);
}
#endif
