/* SPDX-License-Identifier: ISC */
/*
 * The ping client. Data byte i of an echo request is i plus the sequence number, so an answer is
 * checked without keeping what was sent. Only answers to one of the last WISP_ICMP_PINGS requests
 * are told.
 */
#include "icmp_priv.h"
#include "sum.h"

#define CELL_PATTERN (WISP_CELL_BODY - WISP_ICMP_HEADER)
#define LENGTH_MAX   65507u

static uint8_t pattern_byte(uint32_t i, uint16_t sequence)
{
    return (uint8_t)(i + sequence);
}

static void put_pattern(uint8_t *p, uint32_t from, uint32_t length, uint16_t sequence)
{
    for (uint32_t i = 0; i < length; i++) {
        p[i] = pattern_byte(from + i, sequence);
    }
}

/* The first bytes lie in the header cell, the others on pages. False: no page. */
static bool add_pattern(struct wisp_icmp *icmp, struct wisp_pkt *pkt, uint32_t length,
                        uint16_t sequence)
{
    uint32_t done = length < CELL_PATTERN ? length : CELL_PATTERN;
    put_pattern(wisp_pkt_extend(pkt, done), 0, done, sequence);
    while (done < length) {
        uint32_t part = length - done < WISP_PAGE_SIZE ? length - done : WISP_PAGE_SIZE;
        struct wisp_page *page =
            wisp_page_alloc(icmp->l3->pages, WISP_ROLE_SEND, WISP_HOLDER_PACKET);
        if (!page) {
            return false;
        }
        put_pattern(page->data, done, part, sequence);
        wisp_pkt_append(pkt, page, 0, part);
        done += part;
    }
    return true;
}

static void remember(struct wisp_icmp *icmp, const struct wisp_addr *remote, uint16_t id,
                     uint16_t sequence, uint16_t length)
{
    icmp->ping[icmp->ping_at++ % WISP_ICMP_PINGS] = (struct wisp_icmp_ping){
        .remote = *remote, .id = id, .sequence = sequence, .length = length, .waiting = true};
}

enum wisp_err wisp_icmp_ping(struct wisp_icmp *icmp, const struct wisp_addr *remote, uint16_t id,
                             uint16_t sequence, uint16_t length, wisp_time now)
{
    struct wisp_flow flow = {.remote = *remote, .protocol = WISP_ICMP_PROTOCOL, .ttl = icmp->ttl};
    const struct wisp_l3_ops *l3 = icmp->l3->ops;
    if (length > LENGTH_MAX || !l3->is_unicast(icmp->l3->self, remote)) {
        return WISP_ERR_INVALID;
    }
    if (!l3->source(icmp->l3->self, remote, &flow.local)) {
        return WISP_ERR_UNREACHABLE;
    }
    struct wisp_pkt *pkt = l3->alloc(icmp->l3->self, false);
    if (!pkt) {
        return WISP_ERR_AGAIN;
    }
    struct wisp_icmp_message m = {.type = WISP_ICMP_TYPE_ECHO, .first = id, .second = sequence};
    uint8_t *p = wisp_pkt_extend(pkt, WISP_ICMP_HEADER);
    wisp_icmp_emit(p, &m);
    if (!add_pattern(icmp, pkt, length, sequence)) {
        wisp_pkt_drop(pkt);
        return WISP_ERR_AGAIN;
    }
    wisp_sum_store(p + 2, wisp_pkt_sum(pkt, 0, pkt->length, icmp->l3->sum));
    remember(icmp, remote, id, sequence, length);
    icmp->count[WISP_ICMP_TX_ECHO]++;
    return l3->send(icmp->l3->self, pkt, &flow, now);
}

/* The outstanding request an answer belongs to, or null. */
static struct wisp_icmp_ping *find(struct wisp_icmp *icmp, const struct wisp_addr *remote,
                                   uint16_t id, uint16_t sequence)
{
    for (uint32_t i = 0; i < WISP_ICMP_PINGS; i++) {
        struct wisp_icmp_ping *ping = &icmp->ping[i];
        if (ping->waiting && ping->id == id && ping->sequence == sequence &&
            wisp_addr_equal(&ping->remote, remote)) {
            return ping;
        }
    }
    return NULL;
}

static bool is_intact(const struct wisp_pkt *pkt, const struct wisp_icmp_ping *ping)
{
    uint32_t at = 0;
    uint32_t skip = WISP_ICMP_HEADER;
    for (uint32_t k = 0; k < pkt->views; k++) {
        const uint8_t *p = wisp_view_bytes(&pkt->view[k]);
        for (uint32_t i = 0; i < pkt->view[k].length; i++) {
            if (skip > 0) {
                skip--;
            } else if (p[i] != pattern_byte(at++, ping->sequence)) {
                return false;
            }
        }
    }
    return at == ping->length;
}

static struct wisp_icmp_answer *new_answer(struct wisp_icmp *icmp, struct wisp_icmp_ping *ping,
                                           wisp_time now)
{
    if (icmp->answer_in - icmp->answer_out == WISP_ICMP_PINGS) {
        icmp->answer_out++;
    }
    struct wisp_icmp_answer *answer = &icmp->answer[icmp->answer_in++ % WISP_ICMP_PINGS];
    *answer = (struct wisp_icmp_answer){.remote = ping->remote,
                                        .id = ping->id,
                                        .sequence = ping->sequence,
                                        .length = ping->length,
                                        .at = now};
    ping->waiting = false;
    return answer;
}

void wisp_icmp_ping_answered(struct wisp_icmp *icmp, const struct wisp_pkt *pkt,
                             const struct wisp_icmp_message *m, const struct wisp_arrival *arrival,
                             wisp_time now)
{
    struct wisp_icmp_ping *ping = find(icmp, &arrival->remote, m->first, m->second);
    if (!ping) {
        icmp->count[WISP_ICMP_RX_UNASKED_REPLY]++;
        return;
    }
    icmp->count[WISP_ICMP_RX_ECHO_REPLY]++;
    bool intact = is_intact(pkt, ping);
    struct wisp_icmp_answer *answer = new_answer(icmp, ping, now);
    answer->ttl = arrival->ttl;
    answer->length = (uint16_t)(pkt->length - WISP_ICMP_HEADER);
    answer->intact = intact;
}

void wisp_icmp_ping_failed(struct wisp_icmp *icmp, const struct wisp_icmp_error *error,
                           wisp_time now)
{
    struct wisp_icmp_message m = wisp_icmp_parse(error->quote);
    struct wisp_icmp_ping *ping = find(icmp, &error->remote, m.first, m.second);
    if (m.type != WISP_ICMP_TYPE_ECHO || !ping) {
        return;
    }
    struct wisp_icmp_answer *answer = new_answer(icmp, ping, now);
    answer->error = true;
    answer->kind = error->kind;
}

bool wisp_icmp_next_answer(struct wisp_icmp *icmp, struct wisp_icmp_answer *answer)
{
    if (icmp->answer_in == icmp->answer_out) {
        return false;
    }
    *answer = icmp->answer[icmp->answer_out++ % WISP_ICMP_PINGS];
    return true;
}
