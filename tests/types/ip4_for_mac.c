/* SPDX-License-Identifier: ISC */
/* An IPv4 address is no MAC address. */
#include <wisp/addr.h>

bool same(struct wisp_ip4 ip, struct wisp_mac mac);

#ifdef RIGHT
bool same(struct wisp_ip4 ip, struct wisp_mac mac)
{
    return wisp_mac_equal(mac, mac) && wisp_ip4_equal(ip, ip);
}
#else
bool same(struct wisp_ip4 ip, struct wisp_mac mac)
{
    return wisp_mac_equal(ip, mac);
}
#endif
