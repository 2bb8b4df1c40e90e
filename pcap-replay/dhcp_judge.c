/* SPDX-License-Identifier: ISC */
/*
 * Judging DHCP exchanges. At `stream` what counts is where the client ends: the lease an ACK gives,
 * no lease after a NAK. The lease is read from the capture by code that shares nothing with the
 * client's. At `headers` a server's view counts: what each message is, and the addresses it decides
 * by (RFC 2131 §4.3); at `bytes` which options there are.
 *
 *   compared          expected
 *   address           yiaddr; of an INFORM the parameters only
 *   mask              option 1, when it is there and a mask
 *   routers           option 3, unless option 121 stands in its place
 *   routes            how many option 121 has
 *   name servers      option 6, as many as the client keeps
 *   lease, T1, T2     options 51, 58, 59; without them a half and seven eighths, give or take a
 *                     thirty-second
 *   server            option 54
 */
#include "dhcp_exchange.h"
#include <stdio.h>
#include <string.h>

#define FOREVER UINT32_MAX

static void address_text(char text[16], uint32_t address)
{
    snprintf(text, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
             address & 255);
}

/* ---- which exchanges ---- */

const char *dhcp_exchange_lacks(const struct flow *flow)
{
    bool concluded = false;
    for (uint32_t i = 0; i < flow->count; i++) {
        concluded |=
            flow->frames[i].flags == DHCP_CLASS_ACK || flow->frames[i].flags == DHCP_CLASS_NAK;
    }
    switch (flow->dhcp.first) {
    case DHCP_CLASS_OTHER:
        return "no whole exchange: what the server answers is not in the capture";
    case DHCP_CLASS_RENEW:
        return "no whole exchange: the lease it renews began before the capture";
    case DHCP_CLASS_RELEASE:
    case DHCP_CLASS_DECLINE:
        return "no whole exchange: the lease it gives back is not in the capture";
    case DHCP_CLASS_SELECT:
        return "no whole exchange: the offer it requests is not in the capture";
    default:
        return concluded ? NULL : "no whole exchange: neither ACK nor NAK ended it";
    }
}

void dhcp_exchange_text(const struct flow *flow, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < flow->count && used < size; i++) {
        int n = snprintf(text + used, size - used, "%s%s", i ? " " : "",
                         dhcp_class_name((enum dhcp_class)flow->frames[i].flags));
        used += n > 0 ? (size_t)n : 0;
    }
    if (used >= size) {
        memcpy(text + size - 4, "...", 4);
    }
}

/* ---- what our client says ---- */

static void request_text(const struct dhcp_wire *wire, char *text, size_t size)
{
    char ciaddr[16], requested[16], server[16];
    address_text(ciaddr, wire->ciaddr);
    address_text(requested, wire->requested);
    address_text(server, wire->server);
    snprintf(text, size, "%s ciaddr %s requested %s server %s", dhcp_class_name(wire->class),
             ciaddr, wire->requested ? requested : "-", wire->server ? server : "-");
}

static void options_text(const struct dhcp_wire *wire, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (uint32_t code = 1; code < 255 && used < size; code++) {
        if (dhcp_wire_option(wire, (uint8_t)code, NULL, 0) > 0) {
            int n = snprintf(text + used, size - used, "%s%u", used ? "," : "options ", code);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

static bool is_unicast(const struct dhcp_heard *message)
{
    return message->packet.destination != UINT32_MAX;
}

void dhcp_judge_request(struct dhcp_exchange *run, const struct flow_frame *frame)
{
    struct session *session = run->session;
    const struct dhcp_wire *theirs = &run->theirs.wire;
    const struct dhcp_wire *ours = &run->ours.wire;
    if (session->options->strict == PCAPREPLAY_STREAM ||
        session->result->verdict == PCAPREPLAY_FAIL) {
        return;
    }
    request_text(theirs, session->result->expected, sizeof(session->result->expected));
    request_text(ours, session->result->got, sizeof(session->result->got));
    /* In a DISCOVER option 50 is a wish; a server decides by it in a REQUEST and a DECLINE. */
    bool wish = theirs->class == DHCP_CLASS_DISCOVER;
    if (theirs->ciaddr != ours->ciaddr) {
        session_fail(session, frame, "%s: ciaddr differs", dhcp_class_name(theirs->class));
    } else if (!wish && theirs->requested != ours->requested) {
        session_fail(session, frame, "%s: the requested address differs",
                     dhcp_class_name(theirs->class));
    } else if (!wish && theirs->server != ours->server) {
        session_fail(session, frame, "%s: the server identifier differs",
                     dhcp_class_name(theirs->class));
    } else if (theirs->class == DHCP_CLASS_RENEW &&
               is_unicast(&run->theirs) != is_unicast(&run->ours)) {
        session_fail(session, frame, "REQUEST: %s where the captured client %s",
                     is_unicast(&run->ours) ? "renewed" : "rebound",
                     is_unicast(&run->ours) ? "rebound" : "renewed");
    } else if (session->options->strict == PCAPREPLAY_BYTES) {
        options_text(theirs, session->result->expected, sizeof(session->result->expected));
        options_text(ours, session->result->got, sizeof(session->result->got));
        if (strcmp(session->result->expected, session->result->got) != 0) {
            session_fail(session, frame, "%s: other options", dhcp_class_name(theirs->class));
        }
    }
    if (session->result->verdict != PCAPREPLAY_FAIL) {
        session->result->expected[0] = session->result->got[0] = 0;
    }
}

/* ---- where it ends ---- */

static bool differs(struct dhcp_exchange *run, const struct flow_frame *frame, const char *what,
                    uint64_t expected, uint64_t got)
{
    struct pcapreplay_flow *result = run->session->result;
    if (expected == got || result->verdict == PCAPREPLAY_FAIL) {
        return false;
    }
    session_fail(run->session, frame, "the lease's %s differs", what);
    snprintf(result->expected, sizeof(result->expected), "%s %llu", what,
             (unsigned long long)expected);
    snprintf(result->got, sizeof(result->got), "%s %llu", what, (unsigned long long)got);
    return true;
}

static bool address_differs(struct dhcp_exchange *run, const struct flow_frame *frame,
                            const char *what, uint32_t expected, struct wisp_ip4 got)
{
    struct pcapreplay_flow *result = run->session->result;
    char one[16], other[16];
    if (!differs(run, frame, what, expected, wisp_ip4_value(got))) {
        return false;
    }
    address_text(one, expected);
    address_text(other, wisp_ip4_value(got));
    snprintf(result->expected, sizeof(result->expected), "%s %s", what, one);
    snprintf(result->got, sizeof(result->got), "%s %s", what, other);
    return true;
}

/* The n-th address of a list option; 0: it has no more. */
static uint32_t listed(const struct dhcp_wire *reply, uint8_t code, uint32_t n)
{
    uint8_t list[256];
    uint32_t length = dhcp_wire_option(reply, code, list, sizeof(list));
    return 4 * n + 4 <= (length < sizeof(list) ? length : sizeof(list)) ? be32(list + 4 * n) : 0;
}

static uint32_t count_routes(const struct dhcp_wire *reply)
{
    uint8_t list[1024];
    uint32_t length = dhcp_wire_option(reply, DHCP_CODE_ROUTES, list, sizeof(list));
    uint32_t count = 0;
    for (uint32_t at = 0; at < length && length <= sizeof(list); at += 5u + (list[at] + 7u) / 8u) {
        count++;
    }
    return count;
}

static void judge_network(struct dhcp_exchange *run, const struct flow_frame *frame,
                          const struct dhcp_wire *reply, const struct wisp_dhcp_lease *lease)
{
    uint32_t mask = dhcp_wire_number(reply, DHCP_CODE_MASK, 0);
    bool is_mask = mask && (~mask & (~mask + 1)) == 0;
    if (is_mask && reply->yiaddr) {
        address_differs(run, frame, "mask", mask,
                        wisp_ip4_from_value(wisp_ip4_mask(lease->prefix)));
    }
    uint32_t routes = count_routes(reply);
    if (routes) {
        differs(run, frame, "number of routes", routes, lease->routes);
    } else if (listed(reply, DHCP_CODE_ROUTER, 0)) {
        address_differs(run, frame, "router", listed(reply, DHCP_CODE_ROUTER, 0),
                        lease->routes ? lease->route[0].gateway : wisp_ip4(0, 0, 0, 0));
    }
    for (uint32_t i = 0; i < WISP_DHCP_SERVERS && listed(reply, DHCP_CODE_DNS, i); i++) {
        address_differs(run, frame, "name server", listed(reply, DHCP_CODE_DNS, i),
                        i < lease->name_servers ? lease->name_server[i] : wisp_ip4(0, 0, 0, 0));
    }
    address_differs(run, frame, "server", reply->server, lease->server);
}

/* A time of the lease against what was said, or against the default of `parts` thirty-seconds. */
static void judge_time(struct dhcp_exchange *run, const struct flow_frame *frame, const char *what,
                       uint64_t lease, uint32_t said, uint32_t parts, wisp_time got)
{
    if (said) {
        differs(run, frame, what, said, got / WISP_SEC(1));
        return;
    }
    uint64_t middle = WISP_SEC(lease) / 32 * parts;
    uint64_t slack = WISP_SEC(lease) / 32;
    if (got + slack < middle || got > middle + slack) {
        differs(run, frame, what, middle / WISP_SEC(1), got / WISP_SEC(1));
    }
}

static void judge_times(struct dhcp_exchange *run, const struct flow_frame *frame,
                        const struct dhcp_wire *reply, const struct wisp_dhcp_lease *lease)
{
    uint32_t length = dhcp_wire_number(reply, DHCP_CODE_LEASE, 0);
    uint32_t t1 = dhcp_wire_number(reply, DHCP_CODE_T1, 0);
    uint32_t t2 = dhcp_wire_number(reply, DHCP_CODE_T2, 0);
    if (length == FOREVER) {
        differs(run, frame, "end", WISP_NEVER, lease->until);
        return;
    }
    bool in_order =
        (t1 ? t1 : length / 2) < (t2 ? t2 : length / 8 * 7) && t2 < length && t1 < length;
    differs(run, frame, "time", length, (lease->until - lease->from) / WISP_SEC(1));
    judge_time(run, frame, "T1", length, in_order ? t1 : 0, 16, lease->renew - lease->from);
    judge_time(run, frame, "T2", length, in_order ? t2 : 0, 28, lease->rebind - lease->from);
}

uint64_t dhcp_refusals(const struct dhcp_exchange *run)
{
    struct wisp_counter counter;
    for (uint32_t i = 0; wisp_dhcp_counter(wisp_dhcp_run_machine(run->client), i, &counter); i++) {
        if (strcmp(counter.name, "dhcp.rx.naks") == 0) {
            return counter.value;
        }
    }
    return 0;
}

static bool is_there(const struct dhcp_exchange *run, enum dhcp_class reply,
                     enum wisp_dhcp_state state)
{
    if (reply == DHCP_CLASS_NAK) {
        return dhcp_refusals(run) > run->refusals &&
               (state == WISP_DHCP_STATE_INIT || state == WISP_DHCP_STATE_SELECTING);
    }
    return state ==
           (run->last == DHCP_CLASS_INFORM ? WISP_DHCP_STATE_INFORMED : WISP_DHCP_STATE_BOUND);
}

/* What the client counted of replies it did not take. */
static void why_not(struct wisp_dhcp *dhcp, char *text, size_t size)
{
    struct wisp_counter counter;
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; wisp_dhcp_counter(dhcp, i, &counter) && used < size; i++) {
        bool tells = strstr(counter.name, "bad") || strstr(counter.name, "foreign") ||
                     strstr(counter.name, "unusable") || strstr(counter.name, "unexpected");
        if (tells && counter.value) {
            int n = snprintf(text + used, size - used, ", %s", counter.name);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

bool dhcp_judge_outcome(struct dhcp_exchange *run, const struct flow_frame *frame,
                        const struct dhcp_wire *reply, bool final)
{
    struct wisp_dhcp *dhcp = wisp_dhcp_run_machine(run->client);
    const struct wisp_dhcp_lease *lease = wisp_dhcp_lease(dhcp);
    char counted[100];
    if (!is_there(run, reply->class, wisp_dhcp_state(dhcp))) {
        why_not(dhcp, counted, sizeof(counted));
        if (final) {
            session_fail(run->session, frame, "the %s was not taken: our client is %s%s",
                         dhcp_class_name(reply->class), wisp_dhcp_state_text(wisp_dhcp_state(dhcp)),
                         counted);
        }
        return false;
    }
    if (reply->class == DHCP_CLASS_NAK && lease) {
        session_fail(run->session, frame, "a lease is kept after a NAK");
    } else if (reply->class == DHCP_CLASS_ACK && lease) {
        if (run->last != DHCP_CLASS_INFORM) {
            address_differs(run, frame, "address", reply->yiaddr, lease->address);
            judge_times(run, frame, reply, lease);
        }
        judge_network(run, frame, reply, lease);
    }
    return true;
}
