/* SPDX-License-Identifier: ISC */
/*
 * The client around its states (RFC 2131 figure 5): set-up, time, messages out, events.
 *
 *            start                reboot, confirm
 *              |                        |
 *            INIT --> SELECTING     INIT-REBOOT --> REBOOTING
 *              ^          |                            |  ack
 *          nak |          v           ack              v
 *        expiry+---- REQUESTING -------------------> BOUND <-----+ ack
 *              |                                       | T1      |
 *              +---- REBINDING <------- T2 ------- RENEWING -----+
 *
 * Invariants: after wisp_dhcp_next has said no, due and the lease's end are later than now; `leased` is true
 * exactly between the events LEASED and LOST; a reply is looked at only with the xid of the last request.
 * Left out: RFC 3203 FORCERENEW (ignored), RFC 3118 authentication, RFC 6704, relay agent options.
 */
#include "bytes.h"
#include "client_priv.h"
#include <string.h>

#define RNG_PURPOSE 0x64686370u /* "dhcp" */

void wisp_dhcp_config_default(struct wisp_dhcp_config *config)
{
    memset(config, 0, sizeof(*config));
    config->vendor_class = "wisp";
    config->max_message = 1500;
    config->mtu = 1500;
    config->retry_first = WISP_SEC(4);
    config->retry_last = WISP_SEC(64);
    config->renew_floor = WISP_SEC(60);
    config->decline_wait = WISP_SEC(10);
}

size_t wisp_dhcp_size(const struct wisp_dhcp_config *config)
{
    (void)config;
    return sizeof(struct wisp_dhcp);
}

static void copy_text(char to[WISP_DHCP_TEXT_MAX], const char *from)
{
    size_t n = 0;
    while (from && from[n] && n < WISP_DHCP_TEXT_MAX - 1) {
        to[n] = from[n];
        n++;
    }
    to[n] = 0;
}

/*
 * RFC 4361 §6.1: type 255, an IAID that stands for the interface, and a DUID; here the DUID is made of the
 * link-layer address (RFC 8415 §11.4), because a sealed image has nothing else that lasts. A given text is
 * sent behind type 0 (RFC 2132 §9.14).
 */
static void make_client_id(struct wisp_dhcp *dhcp, const char *text)
{
    static const uint8_t duid_ll_ethernet[4] = {0, 3, 0, 1};
    uint8_t *id = dhcp->client_id;
    if (text && text[0]) {
        char copy[WISP_DHCP_TEXT_MAX];
        uint8_t n = 0;
        copy_text(copy, text);
        id[0] = 0;
        while (copy[n]) {
            id[n + 1] = (uint8_t)copy[n];
            n++;
        }
        dhcp->client_id_length = (uint8_t)(n + 1);
        return;
    }
    id[0] = 255;
    memcpy(id + 1, dhcp->config.mac.octet + 2, 4);
    memcpy(id + 5, duid_ll_ethernet, 4);
    memcpy(id + 9, dhcp->config.mac.octet, 6);
    dhcp->client_id_length = 15;
}

struct wisp_dhcp *wisp_dhcp_init(void *mem, size_t size, const struct wisp_dhcp_config *config)
{
    struct wisp_dhcp *dhcp = mem;
    if (size < sizeof(*dhcp)) {
        return NULL;
    }
    memset(dhcp, 0, sizeof(*dhcp));
    dhcp->config = *config;
    dhcp->due = WISP_NEVER;
    dhcp->rules.mtu = config->mtu;
    dhcp->rules.wide_routes = config->wide_routes;
    copy_text(dhcp->host_name, config->host_name);
    copy_text(dhcp->vendor_class, config->vendor_class);
    make_client_id(dhcp, config->client_id);
    wisp_rng_init(&dhcp->rng, config->hash, config->seed, RNG_PURPOSE);
    return dhcp;
}

void dhcp_tell(struct wisp_dhcp *dhcp, enum wisp_dhcp_event_kind kind, enum wisp_dhcp_reason reason,
               struct wisp_ip4 address)
{
    struct wisp_dhcp_event event = {kind, reason, address};
    if (dhcp->event_count == DHCP_EVENTS) {
        dhcp->event_first = (dhcp->event_first + 1) % DHCP_EVENTS;
        dhcp->event_count--;
        dhcp->count.events_dropped++;
    }
    dhcp->event[(dhcp->event_first + dhcp->event_count) % DHCP_EVENTS] = event;
    dhcp->event_count++;
}

void dhcp_complain(struct wisp_dhcp *dhcp, enum wisp_dhcp_event_kind kind,
                   enum wisp_dhcp_reason reason)
{
    if (!dhcp->silence_told) {
        dhcp->silence_told = true;
        dhcp_tell(dhcp, kind, reason, dhcp->wanted);
    }
}

bool wisp_dhcp_next_event(struct wisp_dhcp *dhcp, struct wisp_dhcp_event *event)
{
    if (dhcp->event_count == 0) {
        return false;
    }
    *event = dhcp->event[dhcp->event_first];
    dhcp->event_first = (dhcp->event_first + 1) % DHCP_EVENTS;
    dhcp->event_count--;
    return true;
}

void dhcp_enter(struct wisp_dhcp *dhcp, enum wisp_dhcp_state state, wisp_time due)
{
    dhcp->state = state;
    dhcp->due = due;
    dhcp->tries = 0;
}

void dhcp_new_xid(struct wisp_dhcp *dhcp)
{
    dhcp->xid = (uint32_t)wisp_rng_next(&dhcp->rng);
}

wisp_time dhcp_backoff(struct wisp_dhcp *dhcp, uint32_t tries)
{
    wisp_time wait = dhcp->config.retry_first;
    wisp_time jitter = wait / 4;
    for (uint32_t i = 1; i < tries && wait < dhcp->config.retry_last; i++) {
        wait *= 2;
    }
    wait = wisp_time_min(wait, dhcp->config.retry_last);
    return wait - jitter + jitter / 512 * wisp_rng_below(&dhcp->rng, 1025) + 1;
}

static bool has_ciaddr(const struct wisp_dhcp *dhcp, enum dhcp_type type)
{
    return type == DHCP_INFORM || type == DHCP_RELEASE ||
           (type == DHCP_REQUEST &&
            (dhcp->state == WISP_DHCP_STATE_RENEWING || dhcp->state == WISP_DHCP_STATE_REBINDING));
}

static bool names_server(const struct wisp_dhcp *dhcp, enum dhcp_type type)
{
    return type == DHCP_DECLINE || type == DHCP_RELEASE ||
           (type == DHCP_REQUEST && dhcp->state == WISP_DHCP_STATE_REQUESTING);
}

static uint16_t seconds_since(const struct wisp_dhcp *dhcp, wisp_time now)
{
    wisp_time seconds = (now - dhcp->started) / WISP_SEC(1);
    return seconds > UINT16_MAX ? UINT16_MAX : (uint16_t)seconds;
}

/* RFC 2131 tables 4 and 5 in code: which addresses stand where, by type and state. */
static void fill_addresses(const struct wisp_dhcp *dhcp, enum dhcp_type type,
                           struct dhcp_request *request, struct wisp_dhcp_message *message)
{
    static const struct wisp_ip4 none = {{0, 0, 0, 0}};
    static const struct wisp_ip4 everyone = {{255, 255, 255, 255}};
    bool to_server =
        type == DHCP_RELEASE || (type == DHCP_REQUEST && dhcp->state == WISP_DHCP_STATE_RENEWING);
    request->ciaddr = has_ciaddr(dhcp, type) ? dhcp->wanted : none;
    request->requested = has_ciaddr(dhcp, type) || type == DHCP_DISCOVER ? none : dhcp->wanted;
    request->server = names_server(dhcp, type) ? dhcp->server : none;
    request->broadcast =
        dhcp->config.broadcast && !dhcp->leased && type != DHCP_INFORM && type != DHCP_DECLINE;
    message->local = request->ciaddr;
    message->remote = to_server ? dhcp->server : everyone;
}

void dhcp_compose(struct wisp_dhcp *dhcp, enum dhcp_type type, wisp_time now,
                  struct wisp_dhcp_message *message)
{
    struct dhcp_request request;
    memset(&request, 0, sizeof(request));
    request.type = (uint8_t)type;
    request.xid = dhcp->xid;
    request.secs =
        dhcp->state == WISP_DHCP_STATE_REQUESTING ? dhcp->secs : seconds_since(dhcp, now);
    request.mac = dhcp->config.mac;
    request.client_id = dhcp->client_id;
    request.client_id_length = dhcp->client_id_length;
    request.host_name = dhcp->host_name;
    request.vendor_class = dhcp->vendor_class;
    request.max_message = dhcp->config.max_message;
    fill_addresses(dhcp, type, &request, message);
    message->length = dhcp_request_emit(&request, message->bytes);
    dhcp->secs = request.secs;
    if (dhcp->confirming) {
        dhcp->confirming = false;
        dhcp->confirm_next = now + DHCP_CONFIRM_LEAST;
    }
    if (dhcp->tries++ == 0) {
        dhcp->sent_at = now;
    }
    dhcp->count.sent++;
}

/* One step of the state that is due; true with a message. */
static bool step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    switch (dhcp->state) {
    case WISP_DHCP_STATE_INIT:
    case WISP_DHCP_STATE_SELECTING:
    case WISP_DHCP_STATE_REQUESTING:
    case WISP_DHCP_STATE_INIT_REBOOT:
    case WISP_DHCP_STATE_REBOOTING:
        return dhcp_acquire_step(dhcp, now, message);
    case WISP_DHCP_STATE_BOUND:
    case WISP_DHCP_STATE_RENEWING:
    case WISP_DHCP_STATE_REBINDING:
        return dhcp_hold_step(dhcp, now, message);
    default:
        return dhcp_leave_step(dhcp, now, message);
    }
}

bool wisp_dhcp_next(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message)
{
    while (wisp_dhcp_deadline(dhcp) <= now) {
        if (dhcp->leased && dhcp->lease.until <= now) {
            dhcp_lose(dhcp, WISP_DHCP_REASON_EXPIRED);
            dhcp_search(dhcp, now);
        } else if (dhcp->declining ? dhcp_leave_step(dhcp, now, message)
                                   : step(dhcp, now, message)) {
            return true;
        }
    }
    return false;
}

wisp_time wisp_dhcp_deadline(const struct wisp_dhcp *dhcp)
{
    if (dhcp->declining) {
        return 0;
    }
    return dhcp->leased ? wisp_time_min(dhcp->due, dhcp->lease.until) : dhcp->due;
}

const struct wisp_dhcp_lease *wisp_dhcp_lease(const struct wisp_dhcp *dhcp)
{
    return dhcp->leased || dhcp->state == WISP_DHCP_STATE_INFORMED ? &dhcp->lease : NULL;
}

enum wisp_dhcp_state wisp_dhcp_state(const struct wisp_dhcp *dhcp)
{
    return dhcp->state;
}

const char *wisp_dhcp_refusal(const struct wisp_dhcp *dhcp)
{
    return dhcp->refusal;
}
