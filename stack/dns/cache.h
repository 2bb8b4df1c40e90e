/* SPDX-License-Identifier: ISC */
/* Answers kept for as long as they may be used: a fixed number, the one that ends first makes room. */
#ifndef WISP_DNS_CACHE_H
#define WISP_DNS_CACHE_H

#include "codec.h"

struct dns_entry {
    wisp_time until; /* 0: empty */
    uint8_t status;  /* enum wisp_dns_status: FOUND, NO_NAME, NO_DATA */
    uint8_t addresses;
    uint16_t type;
    struct wisp_ip4 address[WISP_DNS_ADDRESSES];
    uint8_t name[WISP_NAME_MAX];
    uint8_t target[WISP_NAME_MAX]; /* PTR's */
};

struct dns_cache {
    struct dns_entry *entry;
    uint32_t entries;
};

/* What is known of name at now, or null. */
const struct dns_entry *dns_cache_find(const struct dns_cache *cache, const uint8_t *name,
                                       uint16_t type, wisp_time now);

/* Keeps a response about question until then. */
void dns_cache_add(struct dns_cache *cache, const struct dns_question *question,
                   enum wisp_dns_status status, const struct dns_response *response,
                   wisp_time until);

void dns_cache_clear(struct dns_cache *cache);

#endif
