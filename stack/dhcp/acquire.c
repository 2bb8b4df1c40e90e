/* SPDX-License-Identifier: ISC */
/*
 * Getting a lease: INIT, SELECTING, REQUESTING (RFC 2131 §3.1, §4.4.1), INIT-REBOOT, REBOOTING (§3.2, §4.4.2).
 *
 *   state        on entry                due                               given up after
 *   INIT         -                       DISCOVER, SELECTING               -
 *   SELECTING    DISCOVER was sent       DISCOVER again, backing off       never; told once after two
 *   REQUESTING   a usable offer came     REQUEST (at once, then again)     four: INIT
 *   INIT-REBOOT  -                       REQUEST, REBOOTING                -
 *   REBOOTING    REQUEST was sent        REQUEST again                     four: lease in use: BOUND
 *                                                                                else: INIT
 *
 * Deviation from §4.4.1, undone by config.start_delay: no random wait of 1 to 10 s before the first message. It is
 * there against a whole floor of machines switched on at once; an image starts in milliseconds and is waited
 * for. The backoff's jitter parts clients after the first message.
 */
#include "client_priv.h"
#include <string.h>

void dhcp_search(struct wisp_dhcp *dhcp, wisp_time at)
{
    dhcp->silence_told = false;
    dhcp_enter(dhcp, WISP_DHCP_STATE_INIT, at);
}

static wisp_time start_at(struct wisp_dhcp *dhcp, wisp_time now)
{
    if (!dhcp->config.start_delay) {
        return now;
    }
    return wisp_time_add(now, WISP_SEC(1) + WISP_MS(wisp_rng_below(&dhcp->rng, 9001)));
}

void dhcp_forget(struct wisp_dhcp *dhcp)
{
    dhcp_lose(dhcp, WISP_DHCP_REASON_RELEASED);
    dhcp->declining = false;
    dhcp->silence_told = false;
    dhcp->refusals = 0;
    dhcp->conflicts = 0;
}

void wisp_dhcp_start(struct wisp_dhcp *dhcp, wisp_time now)
{
    dhcp_forget(dhcp);
    dhcp_search(dhcp, start_at(dhcp, now));
}

void wisp_dhcp_reboot(struct wisp_dhcp *dhcp, struct wisp_ip4 address, wisp_time now)
{
    dhcp_forget(dhcp);
    dhcp_search(dhcp, start_at(dhcp, now));
    if (wisp_ip4_is_host(address)) {
        dhcp->wanted = address;
        dhcp->state = WISP_DHCP_STATE_INIT_REBOOT;
    }
}

void wisp_dhcp_confirm(struct wisp_dhcp *dhcp, wisp_time now)
{
    now = now > dhcp->confirm_next ? now : dhcp->confirm_next;
    dhcp->confirming = true;
    switch (dhcp->state) {
    case WISP_DHCP_STATE_BOUND:
    case WISP_DHCP_STATE_RENEWING:
    case WISP_DHCP_STATE_REBINDING:
    case WISP_DHCP_STATE_REBOOTING:
        dhcp_enter(dhcp, WISP_DHCP_STATE_INIT_REBOOT, now);
        break;
    case WISP_DHCP_STATE_SELECTING:
    case WISP_DHCP_STATE_REQUESTING:
        dhcp_search(dhcp, now);
        break;
    case WISP_DHCP_STATE_INFORMING:
    case WISP_DHCP_STATE_INFORMED:
        dhcp_enter(dhcp, WISP_DHCP_STATE_INFORMING, now);
        break;
    default:
        break;
    }
}

static bool transmit(struct wisp_dhcp *dhcp, enum dhcp_type type, wisp_time now,
                     struct wisp_dhcp_message *message)
{
    dhcp_compose(dhcp, type, now, message);
    dhcp->due = wisp_time_add(now, dhcp_backoff(dhcp, dhcp->tries));
    return true;
}

static void tell_silence(struct wisp_dhcp *dhcp)
{
    dhcp_complain(dhcp, WISP_DHCP_SILENT, WISP_DHCP_REASON_NONE);
}

static bool select_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    if (dhcp->tries == DHCP_SILENT_TRIES) {
        tell_silence(dhcp);
    }
    return transmit(dhcp, DHCP_DISCOVER, now, message);
}

static bool request_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    if (dhcp->tries < DHCP_TRIES) {
        return transmit(dhcp, DHCP_REQUEST, now, message);
    }
    tell_silence(dhcp);
    dhcp_enter(dhcp, WISP_DHCP_STATE_INIT, now);
    return false;
}

static bool reboot_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    if (dhcp->tries < DHCP_TRIES) {
        return transmit(dhcp, DHCP_REQUEST, now, message);
    }
    tell_silence(dhcp);
    if (dhcp->leased) {
        dhcp_resume(dhcp); /* §3.2: the lease may be used to its end when nobody answers */
    } else {
        dhcp_enter(dhcp, WISP_DHCP_STATE_INIT, now);
    }
    return false;
}

bool dhcp_acquire_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    switch (dhcp->state) {
    case WISP_DHCP_STATE_INIT:
    case WISP_DHCP_STATE_INIT_REBOOT:
        dhcp->started = now;
        dhcp_new_xid(dhcp);
        dhcp_enter(dhcp,
                   dhcp->state == WISP_DHCP_STATE_INIT ? WISP_DHCP_STATE_SELECTING
                                                       : WISP_DHCP_STATE_REBOOTING,
                   now);
        return false;
    case WISP_DHCP_STATE_SELECTING:
        return select_step(dhcp, now, message);
    case WISP_DHCP_STATE_REQUESTING:
        return request_step(dhcp, now, message);
    default:
        return reboot_step(dhcp, now, message);
    }
}

bool dhcp_read(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply, wisp_time from,
               struct wisp_dhcp_lease *lease)
{
    enum wisp_dhcp_reason reason = WISP_DHCP_REASON_NONE;
    dhcp_lease_read(reply, reply->yiaddr, &dhcp->rules, lease);
    if (!wisp_ip4_is_host_within(reply->yiaddr, lease->prefix)) {
        reason = WISP_DHCP_REASON_NO_HOST;
    } else if (!dhcp_lease_time(reply, from, (uint16_t)wisp_rng_next(&dhcp->rng), lease)) {
        reason = WISP_DHCP_REASON_NO_TIME;
    }
    if (reason) {
        dhcp->count.unusable++;
        dhcp_complain(dhcp, WISP_DHCP_UNUSABLE, reason);
    }
    return !reason;
}

/*
 * The first usable offer is taken: waiting for better ones costs every start time, and which of two servers
 * is the right one cannot be told from their offers.
 */
void dhcp_offer(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply, wisp_time now)
{
    struct wisp_dhcp_lease lease;
    if (!dhcp_read(dhcp, reply, now, &lease)) {
        return;
    }
    dhcp->count.offers++;
    dhcp->wanted = reply->yiaddr;
    dhcp->server = reply->server;
    dhcp_enter(dhcp, WISP_DHCP_STATE_REQUESTING, now);
}
