/* SPDX-License-Identifier: ISC */
/*
 * Sending ICMP errors (RFC 792, RFC 1122 §3.2.2). Never about an ICMP error, a packet to or from
 * more than one host, or a later fragment; and within limits (limit.c). The error quotes the
 * packet's header as it came and what follows it, as far as a header cell holds it: at least 8
 * bytes if they exist, about 120 at most.
 */
#include "icmp_priv.h"
#include "sum.h"

#define QUOTE_MAX (WISP_CELL_BODY - WISP_ICMP_HEADER)

/* RFC 1122 §3.2.2. An ICMP message may be complained about only if it is a query. */
static bool is_allowed(const struct wisp_icmp *icmp, const struct wisp_icmp_subject *subject)
{
    bool later_fragment = (wisp_be16_get(subject->header + 6) & 0x1fff) != 0;
    if (subject->broadcast || later_fragment ||
        !icmp->l3->ops->is_unicast(icmp->l3->self, &subject->source)) {
        return false;
    }
    if (subject->header[9] != WISP_ICMP_PROTOCOL) {
        return true;
    }
    return subject->payload->length > 0 &&
           wisp_view_bytes(subject->payload)[0] == WISP_ICMP_TYPE_ECHO;
}

static void write_error(struct wisp_icmp *icmp, struct wisp_pkt *pkt,
                        const struct wisp_icmp_subject *subject)
{
    uint32_t header = subject->header_size;
    uint32_t payload = subject->payload->length;
    if (payload > QUOTE_MAX - header) {
        payload = QUOTE_MAX - header;
    }
    struct wisp_icmp_message m = {
        .type = subject->type, .code = subject->code, .first = (uint16_t)(subject->pointer << 8)};
    uint32_t size = WISP_ICMP_HEADER + header + payload;
    uint8_t *p = wisp_pkt_extend(pkt, size);
    wisp_icmp_emit(p, &m);
    memcpy(p + WISP_ICMP_HEADER, subject->header, header);
    memcpy(p + WISP_ICMP_HEADER + header, wisp_view_bytes(subject->payload), payload);
    wisp_sum_store(p + 2, icmp->l3->sum(p, size));
}

void wisp_icmp_complain(struct wisp_icmp *icmp, const struct wisp_icmp_subject *subject,
                        wisp_time now)
{
    if (!is_allowed(icmp, subject)) {
        icmp->count[WISP_ICMP_TX_NOT_ALLOWED]++;
        return;
    }
    if (!wisp_icmp_limit_allow(&icmp->limit, &subject->source, now)) {
        icmp->count[WISP_ICMP_TX_LIMITED]++;
        return;
    }
    struct wisp_pkt *pkt = icmp->l3->ops->alloc(icmp->l3->self, false);
    if (!pkt) {
        icmp->count[WISP_ICMP_TX_NO_PACKET]++;
        return;
    }
    write_error(icmp, pkt, subject);
    struct wisp_flow flow = {.local = subject->destination,
                             .remote = subject->source,
                             .protocol = WISP_ICMP_PROTOCOL,
                             .ttl = icmp->ttl};
    icmp->count[WISP_ICMP_TX_ERROR]++;
    icmp->l3->ops->send(icmp->l3->self, pkt, &flow, now);
}
