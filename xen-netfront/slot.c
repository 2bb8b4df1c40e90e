/* SPDX-License-Identifier: ISC */
/*
 * Slot codecs (netif.h). A received slot is a 64-bit value here, read once from the shared page;
 * nothing in this file can see the page itself, so nothing can change between check and use
 * (XSA-155).
 */
#include "slot.h"
#include <wisp/page.h>

enum slot_fault slot_rx_parse(uint64_t raw, uint16_t id, struct slot_rx *slot)
{
    netif_rx_response_t response;
    memcpy(&response, &raw, sizeof(response));
    slot->flags = response.flags;
    slot->offset = response.offset;
    slot->length = 0;
    if (response.id != id) {
        return SLOT_BAD_ID;
    }
    if (response.status < 0 || response.status > (int16_t)WISP_PAGE_SIZE) {
        return SLOT_BAD_STATUS;
    }
    if ((uint32_t)response.offset + (uint32_t)response.status > WISP_PAGE_SIZE) {
        return SLOT_BAD_EXTENT;
    }
    slot->length = (uint32_t)response.status;
    return SLOT_GOOD;
}

bool slot_extra_parse(uint64_t raw, struct slot_extras *extras, bool *more)
{
    netif_extra_info_t extra;
    memcpy(&extra, &raw, sizeof(extra));
    *more = extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
    extras->count = (uint8_t)(extras->count < UINT8_MAX ? extras->count + 1 : UINT8_MAX);
    if (extra.type == XEN_NETIF_EXTRA_TYPE_NONE || extra.type >= XEN_NETIF_EXTRA_TYPE_MAX) {
        return false;
    }
    uint8_t bit = (uint8_t)(1u << extra.type);
    if (extras->seen & bit) {
        return false;
    }
    extras->seen |= bit;
    if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
        extras->gso_size = extra.u.gso.size;
        return extra.u.gso.size != 0 && extra.u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4;
    }
    /* A hash is no use to us; multicast control only ever goes the other way. */
    return extra.type == XEN_NETIF_EXTRA_TYPE_HASH;
}

netif_extra_info_t slot_gso_emit(uint16_t size)
{
    netif_extra_info_t extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};
    extra.u.gso.size = size;
    extra.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
    return extra;
}

netif_extra_info_t slot_mcast_emit(const uint8_t group[6], bool join)
{
    netif_extra_info_t extra = {.type = join ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD
                                             : XEN_NETIF_EXTRA_TYPE_MCAST_DEL};
    memcpy(extra.u.mcast.addr, group, sizeof(extra.u.mcast.addr));
    return extra;
}
