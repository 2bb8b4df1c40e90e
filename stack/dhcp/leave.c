/* SPDX-License-Identifier: ISC */
/*
 * DECLINE (RFC 2131 §4.4.1, RFC 5227 §2.1, §2.4), RELEASE (§4.4.6) and INFORM (§4.4.3).
 *
 * A declined address is lost at once; its DECLINE leaves next, and a new search follows config.decline_wait
 * later, after many conflicts no sooner than a minute. A released address stays in use for the moment the
 * RELEASE needs to leave by it. INFORM is tried four times, about a minute in all.
 */
#include "client_priv.h"

#define RATE_LIMIT_INTERVAL WISP_SEC(60) /* RFC 5227 §1.1 */

void wisp_dhcp_conflict(struct wisp_dhcp *dhcp, wisp_time now)
{
    if (!dhcp->leased || dhcp->state == WISP_DHCP_STATE_RELEASING) {
        return;
    }
    wisp_time wait = dhcp->config.decline_wait;
    dhcp->count.conflicts++;
    if (++dhcp->conflicts >= DHCP_MAX_CONFLICTS && wait < RATE_LIMIT_INTERVAL) {
        wait = RATE_LIMIT_INTERVAL;
    }
    dhcp_lose(dhcp, WISP_DHCP_REASON_CONFLICT);
    dhcp->declining = true;
    dhcp_search(dhcp, wisp_time_add(now, wait));
}

void wisp_dhcp_release(struct wisp_dhcp *dhcp, wisp_time now)
{
    bool leased = dhcp->leased;
    dhcp_enter(dhcp, leased ? WISP_DHCP_STATE_RELEASING : WISP_DHCP_STATE_STOPPED,
               leased ? now : WISP_NEVER);
}

void wisp_dhcp_inform(struct wisp_dhcp *dhcp, struct wisp_ip4 address, uint8_t prefix,
                      wisp_time now)
{
    dhcp_forget(dhcp);
    dhcp->wanted = address;
    dhcp->inform_prefix = prefix;
    dhcp_enter(dhcp, WISP_DHCP_STATE_INFORMING, now);
}

static bool decline(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    dhcp->declining = false;
    dhcp->started = now;
    dhcp->wanted = dhcp->lease.address;
    dhcp->server = dhcp->lease.server;
    dhcp_new_xid(dhcp);
    dhcp_compose(dhcp, DHCP_DECLINE, now, message);
    dhcp->tries = 0;
    return true;
}

static bool release_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    if (dhcp->tries > 0) {
        dhcp_lose(dhcp, WISP_DHCP_REASON_RELEASED);
        dhcp_enter(dhcp, WISP_DHCP_STATE_STOPPED, WISP_NEVER);
        return false;
    }
    dhcp->started = now;
    dhcp->wanted = dhcp->lease.address;
    dhcp->server = dhcp->lease.server;
    dhcp_new_xid(dhcp);
    dhcp_compose(dhcp, DHCP_RELEASE, now, message);
    dhcp->due = wisp_time_add(now, DHCP_RELEASE_LINGER);
    return true;
}

static bool inform_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    if (dhcp->tries == DHCP_TRIES) {
        dhcp_tell(dhcp, WISP_DHCP_SILENT, WISP_DHCP_REASON_NONE, dhcp->wanted);
        dhcp_enter(dhcp, WISP_DHCP_STATE_STOPPED, WISP_NEVER);
        return false;
    }
    if (dhcp->tries == 0) {
        dhcp->started = now;
        dhcp_new_xid(dhcp);
    }
    dhcp_compose(dhcp, DHCP_INFORM, now, message);
    dhcp->due = wisp_time_add(now, dhcp_backoff(dhcp, dhcp->tries));
    return true;
}

bool dhcp_leave_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    if (dhcp->declining) {
        return decline(dhcp, now, message);
    }
    if (dhcp->state == WISP_DHCP_STATE_RELEASING) {
        return release_step(dhcp, now, message);
    }
    if (dhcp->state == WISP_DHCP_STATE_INFORMING) {
        return inform_step(dhcp, now, message);
    }
    dhcp->due = WISP_NEVER; /* STOPPED, INFORMED */
    return false;
}

/* The address stays what its owner configured; only what surrounds it comes from the server. */
void dhcp_informed(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply)
{
    dhcp_lease_read(reply, dhcp->wanted, &dhcp->rules, &dhcp->lease);
    dhcp->lease.prefix = dhcp->inform_prefix;
    dhcp->count.acks++;
    dhcp_enter(dhcp, WISP_DHCP_STATE_INFORMED, WISP_NEVER);
    dhcp_tell(dhcp, WISP_DHCP_INFORMED, WISP_DHCP_REASON_NONE, dhcp->wanted);
}
