/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the resolver: the input is a list of responses to a lookup of "www.example.org", or of an address's name
 * if the first byte is odd. Each is a byte (bit 0: leave it as it is, else id and question are made right; bit
 * 1: a timeout comes first), two bytes of length, and the bytes. Any answer must be a host's name or addresses,
 * and the lookup must end.
 */
#include "bytes.h"
#include "reader.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdlib.h>
#include <wisp/dns.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint64_t out;
    crypto_shorthash_siphash24((uint8_t *)&out, data, len, key);
    return out;
}

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static void respond(struct wisp_dns *dns, const struct wisp_dns_message *question,
                    struct wisp_reader *r, bool as_it_is, wisp_time now)
{
    size_t length = wisp_reader_be16(r);
    length = length < r->left ? length : r->left;
    uint8_t *bytes = malloc(length ? length : 1);
    memcpy(bytes, wisp_reader_take(r, length), length);
    if (!as_it_is && length >= question->length) {
        memcpy(bytes, question->bytes, 2);
        bytes[2] |= 0x80;
        memcpy(bytes + 4, question->bytes + 4, 2);
        memcpy(bytes + 12, question->bytes + 12, question->length - 12);
    }
    wisp_dns_input(dns, question->channel, question->tcp, &question->server, 53, bytes, length,
                   now);
    free(bytes);
}

static void check_answer(const struct wisp_dns_lookup *lookup)
{
    const struct wisp_dns_answer *answer = wisp_dns_answer(lookup);
    if (!answer) {
        return;
    }
    require(answer->addresses <= WISP_DNS_ADDRESSES);
    for (const char *c = answer->name; *c; c++) {
        require((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '-' || *c == '_' ||
                *c == '.' || (*c >= '0' && *c <= '9'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wisp_dns_config config;
    struct wisp_dns_message question = {0};
    struct wisp_dns_lookup *lookup;
    struct wisp_addr server = wisp_addr_ip4(wisp_ip4(192, 0, 2, 53));
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4(192, 0, 2, 7));
    wisp_time now = WISP_SEC(1);
    struct wisp_reader r = wisp_reader_over(data, size);
    wisp_dns_config_default(&config);
    config.hash = siphash;
    size_t bytes = (wisp_dns_size(&config) + 63) & ~(size_t)63;
    struct wisp_dns *dns = wisp_dns_init(aligned_alloc(64, bytes), bytes, &config);
    wisp_dns_set_servers(dns, &server, 1);
    if (wisp_reader_u8(&r) & 1) {
        wisp_dns_find_name(dns, &addr, now, &lookup);
    } else {
        wisp_dns_find_address(dns, "www.example.org", 15, now, &lookup);
    }
    while (wisp_dns_status(lookup) == WISP_DNS_PENDING) {
        uint8_t action = wisp_reader_u8(&r);
        if (action & 2 || r.left == 0) {
            now = wisp_dns_deadline(dns) > now ? wisp_dns_deadline(dns) : now;
        }
        if (wisp_dns_next(dns, now, &question)) {
            require(question.length <= WISP_DNS_QUESTION_MAX);
        }
        if (r.left > 0) {
            respond(dns, &question, &r, action & 1, now);
        }
    }
    check_answer(lookup);
    wisp_dns_release(lookup);
    free(dns);
    return 0;
}
