/* SPDX-License-Identifier: ISC */
/* The resolver's inside, shared by resolver.c (lookups) and ask.c (questions). */
#ifndef WISP_DNS_RESOLVER_PRIV_H
#define WISP_DNS_RESOLVER_PRIV_H

#include "cache.h"
#include "rng.h"

struct wisp_dns_lookup {
    struct wisp_dns *dns;
    bool used;
    bool asked; /* the question is out and awaited until due */
    bool tcp;
    bool failed;    /* some server answered that it cannot tell */
    uint8_t status; /* enum wisp_dns_status */
    uint8_t suffix; /* of the search list; WISP_DNS_SEARCH: the name as it is */
    uint8_t chain;
    uint32_t attempt; /* servers asked for this question: server is attempt % servers */
    uint32_t guesses; /* answers with a wrong id to this question */
    wisp_time due;
    struct dns_question question;
    uint8_t base[WISP_NAME_MAX]; /* as given */
    struct wisp_dns_answer answer;
};

struct wisp_dns {
    struct wisp_dns_config config;
    struct wisp_rng rng;
    struct dns_cache cache;
    struct wisp_dns_lookup *lookup;
    struct wisp_addr server[WISP_DNS_SERVERS];
    uint32_t servers;
    uint8_t search[WISP_DNS_SEARCH][WISP_NAME_MAX];
    uint32_t domains;
    struct {
        uint64_t sent, tcp, received, foreign, malformed, failures, timeouts, hits, found, denied;
    } count;
};

/* resolver.c */
void dns_finish(struct wisp_dns_lookup *lookup, enum wisp_dns_status status);
void dns_use_entry(struct wisp_dns_lookup *lookup, const struct dns_entry *entry);

/* Asks the question as it stands: the cache, then the servers from the first on. */
void dns_ask(struct wisp_dns_lookup *lookup, wisp_time now);

/* Goes on to the next name to try; without one the lookup ends as `otherwise`. */
void dns_next_candidate(struct wisp_dns_lookup *lookup, enum wisp_dns_status otherwise,
                        wisp_time now);

#endif
