/* SPDX-License-Identifier: ISC */
/* DNS messages as bytes (RFC 1035 §4): one question out, what a response says about it in. */
#ifndef WISP_DNS_CODEC_H
#define WISP_DNS_CODEC_H

#include "name.h"
#include <wisp/dns.h>

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12 };

struct dns_question {
    uint16_t id;
    uint16_t type; /* enum dns_type */
    uint8_t name[WISP_NAME_MAX];
};

/* The first four settle the question. */
enum dns_verdict {
    DNS_ANSWERED,  /* addresses or name, ttl */
    DNS_ALIAS,     /* the chain of aliases leads to name, of which nothing is said here */
    DNS_NAMELESS,  /* no such name; ttl */
    DNS_EMPTY,     /* the name has no such record; ttl */
    DNS_TRUNCATED, /* ask by TCP */
    DNS_FAILURE,   /* the server cannot or does not want to tell */
    DNS_FOREIGN,   /* no response to this question */
    DNS_MALFORMED
};

struct dns_response {
    enum dns_verdict verdict;
    uint32_t ttl; /* seconds; 0: not to be kept */
    uint32_t addresses;
    struct wisp_ip4 address[WISP_DNS_ADDRESSES];
    uint8_t name[WISP_NAME_MAX]; /* PTR's target, or the alias to ask for */
};

/* Writes the question to bytes and gives its length. */
uint32_t dns_question_emit(const struct dns_question *question,
                           uint8_t bytes[WISP_DNS_QUESTION_MAX]);

void dns_response_parse(const struct dns_question *question, const uint8_t *bytes, size_t length,
                        struct dns_response *response);

#endif
