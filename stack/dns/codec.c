/* SPDX-License-Identifier: ISC */
/*
 * Questions and responses (RFC 1035 §4.1, RFC 2308 for "no", RFC 2181 §8 for TTLs).
 *
 * A response is walked record by record, each record taking at least eleven octets, and once more for each
 * alias followed, of which there are at most DNS_CHAIN: work is bounded by the message's length. Only
 * records whose owner is the name asked for, or the alias it leads to, are looked at; whatever else a server
 * adds is not believed, so nothing unasked for reaches the cache. Nothing at all from a server that neither knows
 * the zone nor asks others is a referral, or as good as one, not a "no" (RFC 2308 §2.2). Left out: EDNS (RFC
 * 6891), DNSSEC.
 */
#include "codec.h"
#include "reader.h"
#include <string.h>

#define DNS_CHAIN     8u
#define CLASS_IN      1
#define FLAG_RESPONSE 0x8000u
#define FLAG_OPCODE   0x7800u
#define FLAG_KNOWS    0x0400u /* AA */
#define FLAG_CUT      0x0200u /* TC */
#define FLAG_RECURSE  0x0100u /* RD */
#define FLAG_RECURSES 0x0080u /* RA */
#define RCODE         0x000fu
#define RCODE_NAME    3u
#define HEADER_SIZE   12u

uint32_t dns_question_emit(const struct dns_question *question,
                           uint8_t bytes[WISP_DNS_QUESTION_MAX])
{
    size_t size = wisp_name_length(question->name);
    memset(bytes, 0, HEADER_SIZE);
    wisp_be16_put(bytes, question->id);
    wisp_be16_put(bytes + 2, FLAG_RECURSE);
    wisp_be16_put(bytes + 4, 1);
    memcpy(bytes + HEADER_SIZE, question->name, size);
    wisp_be16_put(bytes + HEADER_SIZE + size, question->type);
    wisp_be16_put(bytes + HEADER_SIZE + size + 2, CLASS_IN);
    return (uint32_t)(HEADER_SIZE + size + 4);
}

struct message {
    const uint8_t *bytes;
    size_t length;
    size_t records; /* where they begin, behind the question */
    uint16_t flags, answers, authorities;
};

struct record {
    uint8_t owner[WISP_NAME_MAX];
    uint16_t type, class;
    uint32_t ttl;
    size_t data; /* offset */
    uint16_t size;
};

/* The record at *at, which moves behind it; false when malformed. */
static bool next_record(const struct message *m, size_t *at, struct record *record)
{
    size_t end;
    if (wisp_name_read(m->bytes, m->length, *at, record->owner, &end) == 0) {
        return false;
    }
    struct wisp_reader r = wisp_reader_over(m->bytes + end, m->length - end);
    record->type = wisp_reader_be16(&r);
    record->class = wisp_reader_be16(&r);
    record->ttl = wisp_reader_be32(&r);
    record->size = wisp_reader_be16(&r);
    record->data = end + 10;
    if (!wisp_reader_take(&r, record->size) || r.failed) {
        return false;
    }
    if (record->ttl >> 31) {
        record->ttl = 0;
    }
    *at = record->data + record->size;
    return true;
}

/* The header and the question, which must be the one that was asked. */
static bool open_message(const struct dns_question *question, const uint8_t *bytes, size_t length,
                         struct message *m)
{
    uint8_t name[WISP_NAME_MAX];
    size_t at;
    struct wisp_reader r = wisp_reader_over(bytes, length);
    uint16_t id = wisp_reader_be16(&r);
    m->bytes = bytes;
    m->length = length;
    m->flags = wisp_reader_be16(&r);
    uint16_t questions = wisp_reader_be16(&r);
    m->answers = wisp_reader_be16(&r);
    m->authorities = wisp_reader_be16(&r);
    wisp_reader_be16(&r);
    if (r.failed || id != question->id || questions != 1 || !(m->flags & FLAG_RESPONSE) ||
        m->flags & FLAG_OPCODE) {
        return false;
    }
    if (wisp_name_read(bytes, length, HEADER_SIZE, name, &at) == 0 || length - at < 4 ||
        !wisp_name_equal(name, question->name)) {
        return false;
    }
    m->records = at + 4;
    return wisp_be16_get(bytes + at) == question->type && wisp_be16_get(bytes + at + 2) == CLASS_IN;
}

/* What one walk over the answers finds about one owner. */
struct finding {
    bool answered, alias, malformed;
    uint8_t target[WISP_NAME_MAX]; /* of the alias, or PTR's */
};

static void take_record(const struct message *m, const struct record *record, uint16_t type,
                        struct finding *finding, struct dns_response *response)
{
    size_t end;
    bool is_alias = record->type == DNS_CNAME && type != DNS_CNAME;
    if (type == DNS_A && record->type == DNS_A && record->size == 4) {
        if (response->addresses < WISP_DNS_ADDRESSES) {
            response->address[response->addresses++] = wisp_ip4_get(m->bytes + record->data);
        }
        finding->answered = true;
    } else if ((type == DNS_PTR && record->type == DNS_PTR && !finding->answered) ||
               (is_alias && !finding->alias)) {
        if (wisp_name_read(m->bytes, m->length, record->data, finding->target, &end) == 0 ||
            end != record->data + record->size) {
            finding->malformed = true;
            return;
        }
        finding->alias = is_alias;
        finding->answered = !is_alias;
    } else {
        return;
    }
    if (record->ttl < response->ttl) {
        response->ttl = record->ttl;
    }
}

static void find(const struct message *m, const uint8_t *owner, uint16_t type,
                 struct finding *finding, struct dns_response *response)
{
    struct record record;
    size_t at = m->records;
    memset(finding, 0, sizeof(*finding));
    for (uint16_t i = 0; i < m->answers && !finding->malformed; i++) {
        if (!next_record(m, &at, &record)) {
            finding->malformed = true;
        } else if (record.class == CLASS_IN && wisp_name_equal(record.owner, owner)) {
            take_record(m, &record, type, finding, response);
        }
    }
}

/* RFC 2308 §5: how long "no" may be kept: the SOA's TTL or its last field, whichever is less; false, and 0,
 * without. */
static bool denial_ttl(const struct message *m, uint32_t *ttl)
{
    struct record record;
    size_t at = m->records;
    *ttl = 0;
    for (uint32_t i = 0; i < (uint32_t)m->answers + m->authorities; i++) {
        if (!next_record(m, &at, &record)) {
            return false;
        }
        if (i >= m->answers && record.type == DNS_SOA && record.class == CLASS_IN &&
            record.size >= 22) {
            uint32_t minimum = wisp_be32_get(m->bytes + record.data + record.size - 4);
            *ttl = minimum < record.ttl ? minimum : record.ttl;
            return true;
        }
    }
    return false;
}

/* Follows aliases from the question's name; response->name is how far it came. */
static enum dns_verdict follow(const struct dns_question *question, const struct message *m,
                               struct dns_response *response)
{
    struct finding finding;
    memcpy(response->name, question->name, sizeof(response->name));
    response->ttl = UINT32_MAX;
    for (uint32_t i = 0; i <= DNS_CHAIN; i++) {
        find(m, response->name, question->type, &finding, response);
        if (finding.malformed) {
            return DNS_MALFORMED;
        }
        if (finding.answered && question->type == DNS_PTR) {
            memcpy(response->name, finding.target, sizeof(response->name));
        }
        if (finding.answered) {
            return DNS_ANSWERED;
        }
        if (!finding.alias) {
            return i == 0 ? DNS_EMPTY : DNS_ALIAS;
        }
        memcpy(response->name, finding.target, sizeof(response->name));
    }
    return DNS_FAILURE; /* aliases in a circle, or more than anybody needs */
}

void dns_response_parse(const struct dns_question *question, const uint8_t *bytes, size_t length,
                        struct dns_response *response)
{
    struct message m;
    memset(response, 0, sizeof(*response));
    if (!open_message(question, bytes, length, &m)) {
        response->verdict = DNS_FOREIGN;
    } else if (m.flags & FLAG_CUT) {
        response->verdict = DNS_TRUNCATED;
    } else if ((m.flags & RCODE) == RCODE_NAME) {
        response->verdict = DNS_NAMELESS;
        denial_ttl(&m, &response->ttl);
    } else if (m.flags & RCODE) {
        response->verdict = DNS_FAILURE;
    } else {
        response->verdict = follow(question, &m, response);
        if (response->verdict == DNS_EMPTY || response->verdict == DNS_ALIAS) {
            bool denied = denial_ttl(&m, &response->ttl);
            if (response->verdict == DNS_EMPTY && !denied &&
                !(m.flags & (FLAG_KNOWS | FLAG_RECURSES))) {
                response->verdict = DNS_FAILURE;
            } else if (response->ttl > 0) {
                /* An alias with the zone's SOA beside it says that its end has no such record. */
                response->verdict = DNS_EMPTY;
            }
        }
    }
}
