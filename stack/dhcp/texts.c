/* SPDX-License-Identifier: ISC */
/* The client in words: states, reasons, adjustments, counters. */
#include "client_priv.h"

const char *wisp_dhcp_state_text(enum wisp_dhcp_state state)
{
    static const char *const text[WISP_DHCP_STATES] = {
        "stopped", "init",     "selecting", "requesting", "init-reboot", "rebooting",
        "bound",   "renewing", "rebinding", "informing",  "informed",    "releasing"};
    return (unsigned)state < WISP_DHCP_STATES ? text[state] : "unknown";
}

const char *wisp_dhcp_reason_text(enum wisp_dhcp_reason reason)
{
    switch (reason) {
    case WISP_DHCP_REASON_EXPIRED:
        return "the lease is over";
    case WISP_DHCP_REASON_REFUSED:
        return "the server refused";
    case WISP_DHCP_REASON_CONFLICT:
        return "another host has the address";
    case WISP_DHCP_REASON_CHANGED:
        return "the server gave another address";
    case WISP_DHCP_REASON_RELEASED:
        return "released";
    case WISP_DHCP_REASON_NO_HOST:
        return "not the address of a host";
    case WISP_DHCP_REASON_NO_TIME:
        return "no lease time";
    default:
        return "none";
    }
}

const char *wisp_dhcp_adjusted_text(enum wisp_dhcp_adjusted bit)
{
    switch (bit) {
    case WISP_DHCP_ADJUSTED_MASK:
        return "no usable mask, the address's class gives it";
    case WISP_DHCP_ADJUSTED_TIMES:
        return "T1, T2 and lease time out of order, T1 and T2 replaced";
    case WISP_DHCP_ADJUSTED_ROUTER:
        return "a router that cannot be one left out";
    case WISP_DHCP_ADJUSTED_ROUTES:
        return "classless routes left out: malformed, too wide, or too many";
    case WISP_DHCP_ADJUSTED_MTU:
        return "an MTU out of range replaced";
    case WISP_DHCP_ADJUSTED_NAMES:
        return "a malformed name left out";
    case WISP_DHCP_ADJUSTED_SERVERS:
        return "a name or time server that cannot be one left out";
    case WISP_DHCP_ADJUSTED_BROADCAST:
        return "a foreign broadcast address left out";
    default:
        return "nothing";
    }
}

bool wisp_dhcp_counter(const struct wisp_dhcp *dhcp, uint32_t index, struct wisp_counter *counter)
{
    const struct dhcp_counters *c = &dhcp->count;
    const struct wisp_counter table[] = {
        {"dhcp.tx.messages", c->sent},
        {"dhcp.rx.messages", c->received},
        {"dhcp.rx.offers", c->offers},
        {"dhcp.rx.acks", c->acks},
        {"dhcp.rx.naks", c->naks},
        {"dhcp.rx.short", c->bad_short},
        {"dhcp.rx.bad_header", c->bad_header},
        {"dhcp.rx.bad_options", c->bad_options},
        {"dhcp.rx.no_type", c->bad_type},
        {"dhcp.rx.foreign_xid", c->foreign_xid},
        {"dhcp.rx.foreign_hardware", c->foreign_hardware},
        {"dhcp.rx.foreign_client", c->foreign_client},
        {"dhcp.rx.foreign_server", c->foreign_server},
        {"dhcp.rx.unexpected", c->unexpected},
        {"dhcp.rx.unusable", c->unusable},
        {"dhcp.leases", c->leases},
        {"dhcp.renewals", c->renewals},
        {"dhcp.lost", c->lost},
        {"dhcp.conflicts", c->conflicts},
        {"dhcp.events_dropped", c->events_dropped},
    };
    if (index >= sizeof(table) / sizeof(table[0])) {
        return false;
    }
    *counter = table[index];
    return true;
}
