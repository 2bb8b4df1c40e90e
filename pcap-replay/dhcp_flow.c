/* SPDX-License-Identifier: ISC */
/* Sorting DHCP messages into exchanges (see dhcp_flow.h). */
#include "dhcp_flow.h"

uint64_t dhcp_flow_client(const struct dhcp_wire *wire)
{
    return wire->class == DHCP_CLASS_OTHER
               ? 0
               : (uint64_t)1 << 48 | (uint64_t)be16(wire->chaddr) << 32 | be32(wire->chaddr + 2);
}

bool dhcp_flow_begins_anew(const struct dhcp_flow *flow, const struct dhcp_wire *wire,
                           uint32_t source)
{
    bool again = wire->class == flow->last && wire->xid == flow->xid && source == flow->source;
    if (wire->reply || (again && !flow->answered)) {
        return false;
    }
    if (flow->first == DHCP_CLASS_OTHER || flow->first == DHCP_CLASS_INFORM ||
        flow->last == DHCP_CLASS_RELEASE) {
        return true;
    }
    switch (wire->class) {
    case DHCP_CLASS_DISCOVER:
        return flow->leased;
    case DHCP_CLASS_SELECT:
        return flow->leased && !again;
    case DHCP_CLASS_RENEW:
        return !flow->leased && flow->last != DHCP_CLASS_RENEW;
    case DHCP_CLASS_RELEASE:
        return !flow->leased;
    case DHCP_CLASS_DECLINE:
        return false;
    default:
        return true;
    }
}

static void note_reply(struct dhcp_flow *flow, const struct dhcp_wire *wire)
{
    if (wire->class == DHCP_CLASS_OFFER) {
        flow->address = flow->leased ? flow->address : wire->yiaddr;
        return;
    }
    flow->answered = true;
    flow->leased = wire->class == DHCP_CLASS_ACK && flow->first != DHCP_CLASS_INFORM;
    if (flow->leased) {
        flow->address = wire->yiaddr;
        flow->hold = (uint64_t)dhcp_wire_number(wire, DHCP_CODE_LEASE, 0) * 1000000000u;
    }
}

void dhcp_flow_note(struct dhcp_flow *flow, const struct dhcp_wire *wire, uint32_t source)
{
    if (wire->reply) {
        note_reply(flow, wire);
        return;
    }
    if (flow->first == DHCP_CLASS_OTHER) {
        flow->first = wire->class;
    }
    flow->last = wire->class;
    flow->xid = wire->xid;
    flow->source = source;
    flow->answered = false;
    if (wire->class == DHCP_CLASS_DECLINE || wire->class == DHCP_CLASS_RELEASE) {
        flow->leased = false;
        flow->hold = 0;
    } else if (wire->class == DHCP_CLASS_INFORM || wire->class == DHCP_CLASS_RENEW) {
        flow->address = wire->ciaddr;
    } else if (wire->class == DHCP_CLASS_REBOOT) {
        flow->address = wire->requested;
    }
}
