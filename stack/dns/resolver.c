/* SPDX-License-Identifier: ISC */
/*
 * Lookups (RFC 1034 §5.3.1, RFC 1123 §6.1): which names are tried, what is known already, what comes of it.
 *
 *   a lookup    is for one name as given; it goes through its candidates (name + search domain, or name)
 *   a candidate is asked for until somebody says yes, no, or nobody answers
 *   a question  is one message to one server by UDP, or by TCP after a truncated answer; with an id and a port of
 *               its own, so that answers to an earlier one are foreign
 */
#include "arena.h"
#include "resolver_priv.h"
#include <string.h>

#define RNG_PURPOSE 0x646e73u /* "dns" */

void wisp_dns_config_default(struct wisp_dns_config *config)
{
    memset(config, 0, sizeof(*config));
    config->lookups = 8;
    config->cached = 32;
    config->rounds = 3;
    config->patience = WISP_SEC(1);
    config->keep_most = WISP_SEC(86400);
    config->deny_most = WISP_SEC(300);
}

static struct wisp_dns *lay_out(struct wisp_arena *arena, const struct wisp_dns_config *config)
{
    struct wisp_dns *dns = WISP_ARENA_ARRAY(arena, struct wisp_dns, 1);
    struct wisp_dns_lookup *lookup =
        WISP_ARENA_ARRAY(arena, struct wisp_dns_lookup, config->lookups);
    struct dns_entry *entry = WISP_ARENA_ARRAY(arena, struct dns_entry, config->cached);
    if (dns) {
        dns->lookup = lookup;
        dns->cache.entry = entry;
    }
    return dns;
}

size_t wisp_dns_size(const struct wisp_dns_config *config)
{
    struct wisp_arena arena = {NULL, 0};
    lay_out(&arena, config);
    return arena.used;
}

struct wisp_dns *wisp_dns_init(void *mem, size_t size, const struct wisp_dns_config *config)
{
    struct wisp_arena arena = {mem, 0};
    if (!mem || size < wisp_dns_size(config)) {
        return NULL;
    }
    memset(mem, 0, wisp_dns_size(config));
    struct wisp_dns *dns = lay_out(&arena, config);
    dns->config = *config;
    dns->cache.entries = config->cached;
    for (uint32_t i = 0; i < config->lookups; i++) {
        dns->lookup[i].dns = dns;
    }
    wisp_rng_init(&dns->rng, config->hash, config->seed, RNG_PURPOSE);
    return dns;
}

void wisp_dns_set_servers(struct wisp_dns *dns, const struct wisp_addr *servers, uint32_t count)
{
    bool same = count == dns->servers;
    count = count < WISP_DNS_SERVERS ? count : WISP_DNS_SERVERS;
    for (uint32_t i = 0; i < count; i++) {
        same = same && wisp_addr_equal(&dns->server[i], &servers[i]);
        dns->server[i] = servers[i];
    }
    dns->servers = count;
    if (!same) {
        dns_cache_clear(&dns->cache);
    }
}

uint32_t wisp_dns_servers(const struct wisp_dns *dns)
{
    return dns->servers;
}

static size_t text_length(const char *text, size_t most)
{
    size_t n = 0;
    while (n < most && text[n]) {
        n++;
    }
    return n;
}

void wisp_dns_set_search(struct wisp_dns *dns, const char *const *domains, uint32_t count)
{
    dns->domains = 0;
    for (uint32_t i = 0; i < count && dns->domains < WISP_DNS_SEARCH; i++) {
        size_t length = text_length(domains[i], WISP_DNS_NAME_MAX);
        if (wisp_name_from_text(domains[i], length, dns->search[dns->domains]) > 0) {
            dns->domains++;
        }
    }
}

/* ---- what becomes of a lookup ---- */

void dns_finish(struct wisp_dns_lookup *lookup, enum wisp_dns_status status)
{
    lookup->status = (uint8_t)status;
    lookup->asked = false;
    lookup->due = WISP_NEVER;
}

void dns_use_entry(struct wisp_dns_lookup *lookup, const struct dns_entry *entry)
{
    struct wisp_dns_answer *answer = &lookup->answer;
    answer->until = entry->until;
    answer->addresses = entry->addresses;
    for (uint32_t i = 0; i < entry->addresses; i++) {
        answer->address[i] = wisp_addr_ip4(entry->address[i]);
    }
    if (entry->type == DNS_PTR && !wisp_name_text(entry->target, answer->name)) {
        dns_finish(lookup, WISP_DNS_NO_DATA); /* a name that is no host's is not shown */
        return;
    }
    dns_finish(lookup, WISP_DNS_FOUND);
}

/* Sets the question to the candidate that suffix says; false: it would be too long. */
static bool make_candidate(struct wisp_dns_lookup *lookup)
{
    size_t size = wisp_name_length(lookup->base);
    memcpy(lookup->question.name, lookup->base, size);
    if (lookup->suffix == WISP_DNS_SEARCH) {
        return true;
    }
    const uint8_t *domain = lookup->dns->search[lookup->suffix];
    size_t more = wisp_name_length(domain);
    if (size - 1 + more > WISP_NAME_MAX) {
        return false;
    }
    memcpy(lookup->question.name + size - 1, domain, more);
    return true;
}

void dns_ask(struct wisp_dns_lookup *lookup, wisp_time now)
{
    struct wisp_dns *dns = lookup->dns;
    const struct dns_entry *entry =
        dns_cache_find(&dns->cache, lookup->question.name, lookup->question.type, now);
    lookup->asked = false;
    lookup->tcp = false;
    lookup->attempt = 0;
    lookup->due = now;
    if (entry) {
        dns->count.hits++;
        if (entry->status == WISP_DNS_FOUND) {
            dns_use_entry(lookup, entry);
        } else {
            dns_next_candidate(lookup, (enum wisp_dns_status)entry->status, now);
        }
    } else if (dns->servers == 0) {
        dns_finish(lookup, WISP_DNS_FAILED);
    }
}

/* At most WISP_DNS_SEARCH + 1 candidates, so this and ask call each other no deeper than that. */
void dns_next_candidate(struct wisp_dns_lookup *lookup, enum wisp_dns_status otherwise,
                        wisp_time now)
{
    while (lookup->suffix != WISP_DNS_SEARCH) {
        lookup->suffix = lookup->suffix + 1u < lookup->dns->domains ? (uint8_t)(lookup->suffix + 1)
                                                                    : (uint8_t)WISP_DNS_SEARCH;
        if (make_candidate(lookup)) {
            lookup->chain = 0;
            dns_ask(lookup, now);
            return;
        }
    }
    dns_finish(lookup, otherwise);
}

static enum wisp_err begin(struct wisp_dns *dns, uint16_t type, bool search, const uint8_t *name,
                           wisp_time now, struct wisp_dns_lookup **out)
{
    for (uint32_t i = 0; i < dns->config.lookups; i++) {
        struct wisp_dns_lookup *lookup = &dns->lookup[i];
        if (lookup->used) {
            continue;
        }
        memset(lookup, 0, sizeof(*lookup));
        lookup->dns = dns;
        lookup->used = true;
        lookup->question.type = type;
        lookup->suffix = search && dns->domains > 0 ? 0 : WISP_DNS_SEARCH;
        memcpy(lookup->base, name, wisp_name_length(name));
        *out = lookup;
        if (make_candidate(lookup)) {
            dns_ask(lookup, now);
        } else {
            dns_next_candidate(lookup, WISP_DNS_NO_NAME, now);
        }
        return WISP_OK;
    }
    return WISP_ERR_FULL;
}

enum wisp_err wisp_dns_find_address(struct wisp_dns *dns, const char *name, size_t length,
                                    wisp_time now, struct wisp_dns_lookup **lookup)
{
    uint8_t wire[WISP_NAME_MAX];
    if (wisp_name_from_text(name, length, wire) == 0) {
        return WISP_ERR_INVALID;
    }
    bool one_label = wire[wire[0] + 1u] == 0 && name[length - 1] != '.';
    return begin(dns, DNS_A, one_label, wire, now, lookup);
}

enum wisp_err wisp_dns_find_name(struct wisp_dns *dns, const struct wisp_addr *addr, wisp_time now,
                                 struct wisp_dns_lookup **lookup)
{
    static const uint8_t tail[] = "\7in-addr\4arpa";
    uint8_t wire[WISP_NAME_MAX];
    size_t at = 0;
    if (addr->family != WISP_FAMILY_IP4) {
        return WISP_ERR_INVALID;
    }
    for (int i = 3; i >= 0; i--) {
        char text[WISP_ADDR_TEXT_MAX];
        struct wisp_addr one = wisp_addr_ip4(wisp_ip4(addr->u.ip4.octet[i], 0, 0, 0));
        wisp_addr_text(&one, text, sizeof(text));
        uint8_t digits = 0;
        while (text[digits] != '.') {
            digits++;
        }
        wire[at] = digits;
        memcpy(wire + at + 1, text, digits);
        at += digits + 1u;
    }
    memcpy(wire + at, tail, sizeof(tail));
    return begin(dns, DNS_PTR, false, wire, now, lookup);
}

enum wisp_dns_status wisp_dns_status(const struct wisp_dns_lookup *lookup)
{
    return (enum wisp_dns_status)lookup->status;
}

const struct wisp_dns_answer *wisp_dns_answer(const struct wisp_dns_lookup *lookup)
{
    return lookup->status == WISP_DNS_FOUND ? &lookup->answer : NULL;
}

void wisp_dns_release(struct wisp_dns_lookup *lookup)
{
    lookup->used = false;
    dns_finish(lookup, WISP_DNS_FAILED);
}

const char *wisp_dns_status_text(enum wisp_dns_status status)
{
    static const char *const text[] = {"pending",
                                       "found",
                                       "no such name",
                                       "no such record",
                                       "the name servers failed",
                                       "no name server answers"};
    return (unsigned)status < sizeof(text) / sizeof(text[0]) ? text[status] : "unknown";
}

bool wisp_dns_counter(const struct wisp_dns *dns, uint32_t index, struct wisp_counter *counter)
{
    const struct wisp_counter table[] = {
        {"dns.tx.questions", dns->count.sent},      {"dns.tx.by_tcp", dns->count.tcp},
        {"dns.rx.messages", dns->count.received},   {"dns.rx.foreign", dns->count.foreign},
        {"dns.rx.malformed", dns->count.malformed}, {"dns.rx.failures", dns->count.failures},
        {"dns.timeouts", dns->count.timeouts},      {"dns.found", dns->count.found},
        {"dns.denied", dns->count.denied},          {"dns.cache.hits", dns->count.hits},
    };
    if (index >= sizeof(table) / sizeof(table[0])) {
        return false;
    }
    *counter = table[index];
    return true;
}
