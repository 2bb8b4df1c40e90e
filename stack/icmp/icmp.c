/* SPDX-License-Identifier: ISC */
/*
 * ICMP's input: echo, and errors about what we sent (RFC 792, RFC 1122 §3.2.2, RFC 5927). An echo
 * reply carries the very pages the request came on; only eight bytes of header are written, and the
 * checksum is the request's, adjusted by the one field that differs (RFC 1624).
 *
 * An error is looked at if it quotes a whole IPv4 header and eight bytes of a packet with a source
 * of ours; whether that packet was ever sent is the transport's to judge.
 *
 * Ignored and counted: redirects (RFC 1122's MUST is declined: a redirect is an unauthenticated
 * route change), source quench (RFC 6633), timestamp, information and address mask (RFC 6918), all
 * else.
 */
#include "assert.h"
#include "count_names.h"
#include "icmp_priv.h"
#include "sum.h"

#define QUOTE_HEADER 20u
#define QUOTE_DATA   8u

#define NAMES(NAME)                                                                                \
    NAME(WISP_ICMP_RX_ECHO, "icmp.rx.echo")                                                        \
    NAME(WISP_ICMP_RX_ECHO_REPLY, "icmp.rx.echo_reply")                                            \
    NAME(WISP_ICMP_RX_ERROR, "icmp.rx.error")                                                      \
    NAME(WISP_ICMP_RX_SHORT, "icmp.rx.short")                                                      \
    NAME(WISP_ICMP_RX_BAD_CHECKSUM, "icmp.rx.bad_checksum")                                        \
    NAME(WISP_ICMP_RX_BROADCAST, "icmp.rx.broadcast")                                              \
    NAME(WISP_ICMP_RX_UNKNOWN_TYPE, "icmp.rx.unknown_type")                                        \
    NAME(WISP_ICMP_RX_REDIRECT, "icmp.rx.redirect")                                                \
    NAME(WISP_ICMP_RX_BAD_QUOTE, "icmp.rx.bad_quote")                                              \
    NAME(WISP_ICMP_RX_UNASKED_REPLY, "icmp.rx.unasked_reply")                                      \
    NAME(WISP_ICMP_TX_ECHO_REPLY, "icmp.tx.echo_reply")                                            \
    NAME(WISP_ICMP_TX_ECHO, "icmp.tx.echo")                                                        \
    NAME(WISP_ICMP_TX_ERROR, "icmp.tx.error")                                                      \
    NAME(WISP_ICMP_TX_NOT_ALLOWED, "icmp.tx.not_allowed")                                          \
    NAME(WISP_ICMP_TX_LIMITED, "icmp.tx.limited")                                                  \
    NAME(WISP_ICMP_TX_NO_PACKET, "icmp.tx.no_packet")                                              \
    NAME(WISP_ICMP_BYTES_COPIED, "icmp.bytes_copied")
WISP_COUNT_NAMES(NAMES, WISP_ICMP_COUNTS);

/* Puts the bytes of pkt behind what reply holds, by reference. False: too many pieces, or no page.
 */
static bool move_views(struct wisp_icmp *icmp, struct wisp_pkt *reply, const struct wisp_pkt *pkt)
{
    if (pkt->views > icmp->l3->udp.views) {
        return false;
    }
    for (uint32_t i = 0; i < pkt->views; i++) {
        if (pkt->view[i].length > 0 &&
            !wisp_pkt_append_received(reply, &pkt->view[i], icmp->l3->pages,
                                      &icmp->count[WISP_ICMP_BYTES_COPIED])) {
            return false;
        }
    }
    return true;
}

/* RFC 1122 §3.2.2.6: from the address pinged, with the same data, identifier and sequence number.
 */
static void answer_echo(struct wisp_icmp *icmp, struct wisp_pkt *pkt,
                        const struct wisp_arrival *arrival, wisp_time now)
{
    struct wisp_pkt *reply = icmp->l3->ops->alloc(icmp->l3->self, false);
    if (!reply) {
        icmp->count[WISP_ICMP_TX_NO_PACKET]++;
        return;
    }
    uint8_t *p = wisp_pkt_extend(reply, WISP_ICMP_HEADER);
    wisp_pkt_read(pkt, 0, p, WISP_ICMP_HEADER);
    uint16_t old_sum;
    memcpy(&old_sum, p + 2, 2);
    p[0] = WISP_ICMP_TYPE_ECHO_REPLY;
    /* The sum of the reply is the request's without its type's word: 0xffff - word is -word. */
    uint16_t without_type = (uint16_t)~wisp_sum_word((uint16_t)(WISP_ICMP_TYPE_ECHO << 8));
    wisp_sum_store(p + 2, wisp_sum_add((uint16_t)~old_sum, without_type));
    wisp_pkt_pull(pkt, WISP_ICMP_HEADER);
    if (!move_views(icmp, reply, pkt)) {
        icmp->count[WISP_ICMP_TX_NO_PACKET]++;
        wisp_pkt_drop(reply);
        return;
    }
    struct wisp_flow flow = {.local = arrival->local,
                             .remote = arrival->remote,
                             .protocol = WISP_ICMP_PROTOCOL,
                             .ttl = icmp->ttl,
                             .tos = arrival->tos};
    icmp->count[WISP_ICMP_TX_ECHO_REPLY]++;
    icmp->l3->ops->send(icmp->l3->self, reply, &flow, now);
}

static enum wisp_icmp_kind unreachable_kind(uint8_t code)
{
    switch (code) {
    case 0:
    case 6:
    case 11:
        return WISP_ICMP_NET_UNREACHABLE;
    case 2:
        return WISP_ICMP_PROTOCOL_UNREACHABLE;
    case 3:
        return WISP_ICMP_PORT_UNREACHABLE;
    case 4:
        return WISP_ICMP_TOO_BIG;
    case 9:
    case 10:
    case 13:
        return WISP_ICMP_PROHIBITED;
    default:
        return WISP_ICMP_HOST_UNREACHABLE;
    }
}

static enum wisp_icmp_kind kind_of(const struct wisp_icmp_message *m)
{
    switch (m->type) {
    case WISP_ICMP_TYPE_TIME_EXCEEDED:
        return WISP_ICMP_TIME_EXCEEDED;
    case WISP_ICMP_TYPE_PARAMETER:
        return WISP_ICMP_PARAMETER;
    default:
        return unreachable_kind(m->code);
    }
}

/* Reads the quoted packet, behind the ICMP header. False: too short, or not a packet of ours. */
static bool read_quote(struct wisp_icmp *icmp, const struct wisp_pkt *pkt,
                       struct wisp_icmp_error *error, uint8_t *protocol)
{
    uint8_t header[QUOTE_HEADER];
    if (!wisp_pkt_read(pkt, WISP_ICMP_HEADER, header, sizeof(header)) || header[0] >> 4 != 4) {
        return false;
    }
    uint32_t size = (header[0] & 15u) * 4;
    if (size < QUOTE_HEADER ||
        !wisp_pkt_read(pkt, WISP_ICMP_HEADER + size, error->quote, QUOTE_DATA)) {
        return false;
    }
    if ((wisp_be16_get(header + 6) & 0x1fff) != 0) {
        return false; /* a later fragment: what it quotes is no transport header */
    }
    *protocol = header[9];
    error->local = wisp_addr_ip4(wisp_ip4_get(header + 12));
    error->remote = wisp_addr_ip4(wisp_ip4_get(header + 16));
    return icmp->l3->ops->is_local(icmp->l3->self, &error->local);
}

static void receive_error(struct wisp_icmp *icmp, const struct wisp_pkt *pkt,
                          const struct wisp_icmp_message *m, const struct wisp_arrival *arrival,
                          wisp_time now)
{
    struct wisp_icmp_error error = {.kind = kind_of(m), .from = arrival->remote};
    uint8_t protocol;
    if (!read_quote(icmp, pkt, &error, &protocol)) {
        icmp->count[WISP_ICMP_RX_BAD_QUOTE]++;
        return;
    }
    if (error.kind == WISP_ICMP_TOO_BIG) {
        error.mtu = m->second;
    }
    icmp->count[WISP_ICMP_RX_ERROR]++;
    if (protocol == WISP_ICMP_PROTOCOL) {
        wisp_icmp_ping_failed(icmp, &error, now);
    } else {
        icmp->upper.error(icmp->upper.self, protocol, &error, now);
    }
}

static enum wisp_icmp_count check(const struct wisp_icmp *icmp, const struct wisp_pkt *pkt,
                                  uint8_t header[WISP_ICMP_HEADER])
{
    if (!wisp_pkt_read(pkt, 0, header, WISP_ICMP_HEADER)) {
        return WISP_ICMP_RX_SHORT;
    }
    if (wisp_pkt_sum(pkt, 0, pkt->length, icmp->l3->sum) != 0xffff) {
        return WISP_ICMP_RX_BAD_CHECKSUM;
    }
    switch (header[0]) {
    case WISP_ICMP_TYPE_ECHO:
        return header[1] == 0 ? WISP_ICMP_RX_ECHO : WISP_ICMP_RX_UNKNOWN_TYPE;
    case WISP_ICMP_TYPE_ECHO_REPLY:
        return WISP_ICMP_RX_ECHO_REPLY;
    case WISP_ICMP_TYPE_UNREACHABLE:
    case WISP_ICMP_TYPE_TIME_EXCEEDED:
    case WISP_ICMP_TYPE_PARAMETER:
        return WISP_ICMP_RX_ERROR;
    case WISP_ICMP_TYPE_REDIRECT:
        return WISP_ICMP_RX_REDIRECT;
    default:
        return WISP_ICMP_RX_UNKNOWN_TYPE;
    }
}

static void input(void *self, struct wisp_pkt *pkt, const struct wisp_arrival *arrival,
                  wisp_time now)
{
    struct wisp_icmp *icmp = self;
    uint8_t header[WISP_ICMP_HEADER];
    enum wisp_icmp_count verdict = check(icmp, pkt, header);
    struct wisp_icmp_message m = {0};
    if (verdict <= WISP_ICMP_RX_ERROR) {
        m = wisp_icmp_parse(header);
        verdict = arrival->broadcast ? WISP_ICMP_RX_BROADCAST : verdict;
    }
    if (verdict != WISP_ICMP_RX_ERROR && verdict != WISP_ICMP_RX_ECHO_REPLY) {
        icmp->count[verdict]++;
    }
    if (verdict == WISP_ICMP_RX_ECHO) {
        answer_echo(icmp, pkt, arrival, now);
    } else if (verdict == WISP_ICMP_RX_ECHO_REPLY) {
        wisp_icmp_ping_answered(icmp, pkt, &m, arrival, now);
    } else if (verdict == WISP_ICMP_RX_ERROR) {
        receive_error(icmp, pkt, &m, arrival, now);
    }
    wisp_pkt_drop(pkt);
}

static void attach(void *self, struct wisp_l3 *l3)
{
    struct wisp_icmp *icmp = self;
    icmp->l3 = l3;
}

static const struct wisp_transport_ops ops = {.attach = attach, .input = input};

void wisp_icmp_init(struct wisp_icmp *icmp, const struct wisp_icmp_config *config,
                    const struct wisp_icmp_upper *upper, wisp_time now)
{
    *icmp = (struct wisp_icmp){.upper = *upper, .ttl = config->ttl};
    icmp->transport =
        (struct wisp_transport){.ops = &ops, .self = icmp, .protocol = WISP_ICMP_PROTOCOL};
    wisp_icmp_limit_init(&icmp->limit, config->hash, config->seed, now);
}

bool wisp_icmp_counter(const struct wisp_icmp *icmp, uint32_t index, struct wisp_counter *counter)
{
    return wisp_count_at(&count_names, icmp->count, index, counter);
}
