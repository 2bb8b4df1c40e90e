/* SPDX-License-Identifier: ISC */
/*
 * Questions and what answers do (RFC 1035 §7, RFC 5452, RFC 7766). Servers are asked in order, each for
 * `patience`, doubled every round; one that fails is passed over at once; a truncated answer is asked for again
 * by TCP. Aliases that lead out of a response are asked for anew, at most CHAIN times. An answer counts only
 * if it comes from the server asked, by the port and with the id of the last question.
 *
 * Guessing an id has at most one question at a time to hit: lookups that ask the same wait for the one that asked
 * first and share its answer (the birthday attack of RFC 5452 §5); and after GUESSES answers with a wrong id the
 * question is put by TCP (§9.3 there).
 */
#include "resolver_priv.h"
#include <string.h>

#define CHAIN   8u
#define GUESSES 16u

static bool is_same(const struct dns_question *a, const struct dns_question *b)
{
    return a->type == b->type && wisp_name_equal(a->name, b->name);
}

/* When the lookup that has the same question out gives up waiting; 0: there is none. */
static wisp_time asked_until(const struct wisp_dns_lookup *lookup, wisp_time now)
{
    const struct wisp_dns *dns = lookup->dns;
    for (uint32_t i = 0; i < dns->config.lookups; i++) {
        const struct wisp_dns_lookup *other = &dns->lookup[i];
        if (other != lookup && other->used && other->asked && other->due > now &&
            is_same(&other->question, &lookup->question)) {
            return other->due;
        }
    }
    return 0;
}

/* The first lookup from *index on that waits for somebody else's answer to question, or null. */
static struct wisp_dns_lookup *next_waiting(struct wisp_dns *dns,
                                            const struct dns_question *question, uint32_t *index)
{
    while (*index < dns->config.lookups) {
        struct wisp_dns_lookup *lookup = &dns->lookup[(*index)++];
        if (lookup->used && !lookup->asked && lookup->status == WISP_DNS_PENDING &&
            is_same(&lookup->question, question)) {
            return lookup;
        }
    }
    return NULL;
}

/* The end of all rounds, for everybody who asked the same. */
static void give_up(struct wisp_dns_lookup *lookup)
{
    enum wisp_dns_status status = lookup->failed ? WISP_DNS_FAILED : WISP_DNS_TIMEOUT;
    struct wisp_dns_lookup *waiting;
    uint32_t index = 0;
    dns_finish(lookup, status);
    while ((waiting = next_waiting(lookup->dns, &lookup->question, &index)) != NULL) {
        dns_finish(waiting, status);
    }
}

/* On to the next server, or the end of all rounds. */
static void next_server(struct wisp_dns_lookup *lookup, wisp_time now)
{
    struct wisp_dns *dns = lookup->dns;
    lookup->asked = false;
    lookup->tcp = false;
    lookup->due = now;
    lookup->attempt++;
    if (dns->servers == 0 || lookup->attempt >= dns->servers * dns->config.rounds) {
        give_up(lookup);
    }
}

static void ask_by_tcp(struct wisp_dns_lookup *lookup, wisp_time now)
{
    lookup->tcp = true; /* the same server again, at once */
    lookup->asked = false;
    lookup->due = now;
}

static void send_question(struct wisp_dns_lookup *lookup, wisp_time now,
                          struct wisp_dns_message *message)
{
    struct wisp_dns *dns = lookup->dns;
    uint32_t round = lookup->attempt / dns->servers;
    lookup->question.id = (uint16_t)wisp_rng_next(&dns->rng);
    lookup->asked = true;
    lookup->guesses = 0;
    lookup->due = wisp_time_add(now, dns->config.patience << (round < 6 ? round : 6));
    message->channel = (uint16_t)(lookup - dns->lookup);
    message->tcp = lookup->tcp;
    message->server = dns->server[lookup->attempt % dns->servers];
    message->length = dns_question_emit(&lookup->question, message->bytes);
    dns->count.sent++;
    dns->count.tcp += lookup->tcp;
}

bool wisp_dns_next(struct wisp_dns *dns, wisp_time now, struct wisp_dns_message *message)
{
    for (uint32_t i = 0; i < dns->config.lookups; i++) {
        struct wisp_dns_lookup *lookup = &dns->lookup[i];
        if (!lookup->used || lookup->status != WISP_DNS_PENDING || lookup->due > now) {
            continue;
        }
        if (lookup->asked || dns->servers == 0) {
            dns->count.timeouts++;
            next_server(lookup, now);
        }
        if (lookup->status != WISP_DNS_PENDING) {
            continue;
        }
        wisp_time until = asked_until(lookup, now);
        if (until == 0) {
            send_question(lookup, now, message);
            return true;
        }
        lookup->due = until;
    }
    return false;
}

wisp_time wisp_dns_deadline(const struct wisp_dns *dns)
{
    wisp_time deadline = WISP_NEVER;
    for (uint32_t i = 0; i < dns->config.lookups; i++) {
        const struct wisp_dns_lookup *lookup = &dns->lookup[i];
        if (lookup->used && lookup->status == WISP_DNS_PENDING) {
            deadline = wisp_time_min(deadline, lookup->due);
        }
    }
    return deadline;
}

bool wisp_dns_awaits(const struct wisp_dns *dns, uint16_t channel, bool tcp)
{
    if (channel >= dns->config.lookups) {
        return false;
    }
    const struct wisp_dns_lookup *lookup = &dns->lookup[channel];
    return lookup->used && lookup->asked && lookup->tcp == tcp;
}

static void keep(struct wisp_dns_lookup *lookup, enum wisp_dns_status status,
                 const struct dns_response *response, wisp_time most, wisp_time now)
{
    wisp_time ttl = wisp_time_min(WISP_SEC(response->ttl), most);
    struct dns_entry entry;
    if (ttl > 0) {
        dns_cache_add(&lookup->dns->cache, &lookup->question, status, response,
                      wisp_time_add(now, ttl));
    }
    if (status == WISP_DNS_FOUND) {
        /* Used even if it may not be kept, or there is no cache. */
        struct dns_cache one = {&entry, 1};
        memset(&entry, 0, sizeof(entry));
        dns_cache_add(&one, &lookup->question, status, response, wisp_time_add(now, ttl));
        dns_use_entry(lookup, &entry);
    }
}

static void follow_alias(struct wisp_dns_lookup *lookup, const struct dns_response *response,
                         wisp_time now)
{
    if (++lookup->chain > CHAIN) {
        lookup->dns->count.failures++;
        dns_finish(lookup, WISP_DNS_FAILED);
        return;
    }
    memcpy(lookup->question.name, response->name, sizeof(lookup->question.name));
    dns_ask(lookup, now);
}

static void deny(struct wisp_dns_lookup *lookup, const struct dns_response *response, wisp_time now)
{
    enum wisp_dns_status status =
        response->verdict == DNS_NAMELESS ? WISP_DNS_NO_NAME : WISP_DNS_NO_DATA;
    lookup->dns->count.denied++;
    if (response->ttl > 0) {
        keep(lookup, status, response, lookup->dns->config.deny_most, now);
    }
    dns_next_candidate(lookup, status, now);
}

static void give_up_server(struct wisp_dns_lookup *lookup, wisp_time now)
{
    lookup->dns->count.failures++;
    lookup->failed = true;
    next_server(lookup, now);
}

static void use_response(struct wisp_dns_lookup *lookup, const struct dns_response *response,
                         wisp_time now)
{
    struct wisp_dns *dns = lookup->dns;
    switch (response->verdict) {
    case DNS_ANSWERED:
        dns->count.found++;
        keep(lookup, WISP_DNS_FOUND, response, dns->config.keep_most, now);
        break;
    case DNS_ALIAS:
        follow_alias(lookup, response, now);
        break;
    case DNS_NAMELESS:
    case DNS_EMPTY:
        deny(lookup, response, now);
        break;
    case DNS_TRUNCATED:
        if (lookup->tcp) {
            give_up_server(lookup, now);
        } else {
            ask_by_tcp(lookup, now);
        }
        break;
    case DNS_FOREIGN:
        dns->count.foreign++;
        if (lookup->tcp) {
            give_up_server(lookup, now); /* a connection for one question bears nothing else */
        } else if (++lookup->guesses == GUESSES) {
            ask_by_tcp(lookup, now);
        }
        break;
    case DNS_MALFORMED:
        dns->count.malformed++;
        give_up_server(lookup, now);
        break;
    default:
        give_up_server(lookup, now);
        break;
    }
}

void wisp_dns_input(struct wisp_dns *dns, uint16_t channel, bool tcp, const struct wisp_addr *from,
                    uint16_t port, const uint8_t *bytes, size_t length, wisp_time now)
{
    struct dns_response response;
    dns->count.received++;
    if (!wisp_dns_awaits(dns, channel, tcp)) {
        dns->count.foreign++;
        return;
    }
    struct wisp_dns_lookup *lookup = &dns->lookup[channel];
    if (dns->servers == 0 || port != WISP_DNS_PORT ||
        !wisp_addr_equal(from, &dns->server[lookup->attempt % dns->servers])) {
        dns->count.foreign++;
        return;
    }
    dns_response_parse(&lookup->question, bytes, length, &response);
    struct dns_question question = lookup->question; /* what becomes of the answer may replace it */
    use_response(lookup, &response, now);
    if (response.verdict <= DNS_EMPTY) {
        struct wisp_dns_lookup *waiting;
        uint32_t index = 0;
        while ((waiting = next_waiting(dns, &question, &index)) != NULL) {
            use_response(waiting, &response, now);
        }
    }
}

void wisp_dns_fail(struct wisp_dns *dns, uint16_t channel, wisp_time now)
{
    if (channel < dns->config.lookups && dns->lookup[channel].used && dns->lookup[channel].asked) {
        dns->count.failures++;
        next_server(&dns->lookup[channel], now);
    }
}
