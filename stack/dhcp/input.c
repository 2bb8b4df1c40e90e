/* SPDX-License-Identifier: ISC */
/*
 * Replies on their way in (RFC 2131 §4.4.1, RFC 6842): what is not an answer to this client's last request is
 * counted and forgotten before its options are looked at. FORCERENEW and every other type end as unexpected.
 */
#include "client_priv.h"
#include <string.h>

static bool is_sound(struct wisp_dhcp *dhcp, enum dhcp_defect defect)
{
    switch (defect) {
    case DHCP_SOUND:
        return true;
    case DHCP_SHORT:
        dhcp->count.bad_short++;
        return false;
    case DHCP_NO_REPLY:
        dhcp->count.bad_header++;
        return false;
    case DHCP_OVERRUN:
        dhcp->count.bad_options++;
        return false;
    default:
        dhcp->count.bad_type++;
        return false;
    }
}

/* RFC 6842 §3: a client identifier that comes back must be the one that was sent. */
static bool echoes_client(const struct wisp_dhcp *dhcp, const struct dhcp_reply *reply)
{
    uint8_t echo[DHCP_CLIENT_ID_MAX];
    size_t length = dhcp_options_find(&reply->options, DHCP_OPTION_CLIENT_ID, echo, sizeof(echo));
    return length == 0 || (length == dhcp->client_id_length &&
                           memcmp(echo, dhcp->client_id, dhcp->client_id_length) == 0);
}

static bool is_ours(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply)
{
    uint64_t *reason = NULL;
    if (reply->xid != dhcp->xid) {
        reason = &dhcp->count.foreign_xid;
    } else if (!wisp_mac_equal(reply->chaddr, dhcp->config.mac)) {
        reason = &dhcp->count.foreign_hardware;
    } else if (!echoes_client(dhcp, reply)) {
        reason = &dhcp->count.foreign_client;
    } else if (!wisp_ip4_is_host(reply->server)) {
        reason = &dhcp->count.unusable;
        if (!dhcp->leased) {
            dhcp_complain(dhcp, WISP_DHCP_UNUSABLE, WISP_DHCP_REASON_NO_HOST);
        }
    }
    if (reason) {
        (*reason)++;
    }
    return !reason;
}

void wisp_dhcp_input(struct wisp_dhcp *dhcp, const uint8_t *bytes, size_t length, wisp_time now)
{
    struct dhcp_reply reply;
    dhcp->count.received++;
    if (!is_sound(dhcp, dhcp_reply_parse(bytes, length, &reply)) || !is_ours(dhcp, &reply)) {
        return;
    }
    if (reply.type == DHCP_OFFER && dhcp->state == WISP_DHCP_STATE_SELECTING && dhcp->tries > 0) {
        dhcp_offer(dhcp, &reply, now);
    } else if (reply.type == DHCP_ACK && dhcp->state == WISP_DHCP_STATE_INFORMING &&
               dhcp->tries > 0) {
        dhcp_informed(dhcp, &reply);
    } else if (reply.type == DHCP_ACK) {
        dhcp_ack(dhcp, &reply);
    } else if (reply.type == DHCP_NAK) {
        dhcp_nak(dhcp, &reply, now);
    } else {
        dhcp->count.unexpected++;
    }
}
