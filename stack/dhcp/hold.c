/* SPDX-License-Identifier: ISC */
/*
 * Having a lease: BOUND, RENEWING, REBINDING (RFC 2131 §4.4.5), and how a lease comes and goes.
 *
 * RENEWING asks the server that leased the address, from T1 on; REBINDING asks everybody, from T2 on; each
 * again after half of the time that is left, but not below config.renew_floor. Each of these requests has an
 * xid of its own, so an answer tells exactly when the lease it grants began. In REQUESTING and REBOOTING all have
 * the same, so an answer may be to the first, and the lease counts from that (§4.4.1). The lease's end is watched
 * in wisp_dhcp_next, whatever the state.
 */
#include "client_priv.h"
#include <string.h>

void dhcp_lose(struct wisp_dhcp *dhcp, enum wisp_dhcp_reason reason)
{
    if (dhcp->leased) {
        dhcp->leased = false;
        dhcp->count.lost++;
        dhcp_tell(dhcp, WISP_DHCP_LOST, reason, dhcp->lease.address);
    }
}

/* Back to what the clock says of the lease in use: BOUND until T1, and on from there. A server gives no T1 below
 * a second, and that of the shortest lease is about half of one, so nothing here is ever in a hurry. */
void dhcp_resume(struct wisp_dhcp *dhcp)
{
    dhcp->wanted = dhcp->lease.address;
    dhcp->server = dhcp->lease.server;
    dhcp_enter(dhcp, WISP_DHCP_STATE_BOUND, dhcp->lease.renew);
}

static void bind(struct wisp_dhcp *dhcp, const struct wisp_dhcp_lease *lease)
{
    bool same = dhcp->leased && wisp_ip4_equal(dhcp->lease.address, lease->address);
    if (same) {
        dhcp->conflicts = 0; /* it has been used for a while without one */
    } else {
        dhcp_lose(dhcp, WISP_DHCP_REASON_CHANGED);
    }
    dhcp->lease = *lease;
    dhcp->leased = true;
    dhcp->refusals = 0;
    dhcp->silence_told = false;
    dhcp_resume(dhcp);
    dhcp->count.leases += !same;
    dhcp->count.renewals += same;
    dhcp_tell(dhcp, same ? WISP_DHCP_RENEWED : WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE,
              lease->address);
}

/* In REQUESTING and RENEWING one server was asked, and only its answer counts; else any server's. */
static bool from_chosen(const struct wisp_dhcp *dhcp, const struct dhcp_reply *reply)
{
    bool asked_one =
        dhcp->state == WISP_DHCP_STATE_REQUESTING || dhcp->state == WISP_DHCP_STATE_RENEWING;
    return !asked_one || wisp_ip4_equal(reply->server, dhcp->server);
}

static bool awaits_ack(const struct wisp_dhcp *dhcp)
{
    switch (dhcp->state) {
    case WISP_DHCP_STATE_REQUESTING:
    case WISP_DHCP_STATE_REBOOTING:
    case WISP_DHCP_STATE_RENEWING:
    case WISP_DHCP_STATE_REBINDING:
        return dhcp->tries > 0;
    default:
        return false;
    }
}

void dhcp_ack(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply)
{
    struct wisp_dhcp_lease lease;
    if (!awaits_ack(dhcp)) {
        dhcp->count.unexpected++;
        return;
    }
    if (!from_chosen(dhcp, reply)) {
        dhcp->count.foreign_server++;
        return;
    }
    if (dhcp_read(dhcp, reply, dhcp->sent_at, &lease)) {
        dhcp->count.acks++;
        bind(dhcp, &lease);
    }
}

static void keep_refusal(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply)
{
    uint8_t text[DHCP_REFUSAL_MAX - 1];
    size_t length = dhcp_options_find(&reply->options, DHCP_OPTION_MESSAGE, text, sizeof(text));
    if (length > sizeof(text)) {
        length = sizeof(text);
    }
    for (size_t i = 0; i < length; i++) {
        dhcp->refusal[i] = text[i] >= ' ' && text[i] < 127 ? (char)text[i] : '.';
    }
    dhcp->refusal[length] = 0;
}

/* The first refusal starts a new search at once; a server that offers and then refuses again and again is
 * asked ever more slowly. */
void dhcp_nak(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply, wisp_time now)
{
    if (!awaits_ack(dhcp)) {
        dhcp->count.unexpected++;
        return;
    }
    if (!from_chosen(dhcp, reply)) {
        dhcp->count.foreign_server++;
        return;
    }
    dhcp->count.naks++;
    keep_refusal(dhcp, reply);
    dhcp_lose(dhcp, WISP_DHCP_REASON_REFUSED);
    wisp_time pause = dhcp->refusals == 0 ? 0 : dhcp_backoff(dhcp, dhcp->refusals);
    dhcp->refusals++;
    dhcp_search(dhcp, wisp_time_add(now, pause));
}

/* When to ask again: after half of what is left until `limit`, floor kept, and never beyond limit. */
static wisp_time again_at(const struct wisp_dhcp *dhcp, wisp_time now, wisp_time limit)
{
    wisp_time half = limit > now ? (limit - now) / 2 : 0;
    wisp_time wait = half > dhcp->config.renew_floor ? half : dhcp->config.renew_floor;
    wisp_time at = wisp_time_add(now, wait > 0 ? wait : 1);
    return limit > now ? wisp_time_min(at, limit) : at;
}

static bool ask(struct wisp_dhcp *dhcp, wisp_time now, wisp_time limit,
                struct wisp_dhcp_message *message)
{
    dhcp_new_xid(dhcp);
    dhcp->tries = 0;
    dhcp_compose(dhcp, DHCP_REQUEST, now, message);
    dhcp->due = again_at(dhcp, now, limit);
    return true;
}

bool dhcp_hold_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    switch (dhcp->state) {
    case WISP_DHCP_STATE_BOUND:
        dhcp->started = now;
        dhcp_enter(dhcp, WISP_DHCP_STATE_RENEWING, now);
        return false;
    case WISP_DHCP_STATE_RENEWING:
        if (now < dhcp->lease.rebind) {
            return ask(dhcp, now, dhcp->lease.rebind, message);
        }
        dhcp_enter(dhcp, WISP_DHCP_STATE_REBINDING, now);
        return false;
    default:
        return ask(dhcp, now, dhcp->lease.until, message);
    }
}
