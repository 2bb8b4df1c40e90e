/* SPDX-License-Identifier: ISC */
/*
 * A stub resolver (RFC 1034 §5, RFC 1035, RFC 2308, RFC 5452) as a machine: answers and the time go in, questions and
 * a deadline come out. It asks recursive servers for A and PTR records; wisp/dns_run.h drives it over UDP and TCP.
 *
 *     wisp_dns_find_address(dns, "example.org", 11, now, &lookup);
 *     ... while wisp_dns_status(lookup) is PENDING: next, input, deadline ...
 *     wisp_dns_answer(lookup); wisp_dns_release(lookup);
 *
 * One resolver belongs to one thread at a time, its lookups with it; none of these functions calls back.
 * Lookups and the cache are bounded at start; what servers say is kept as long as they say, within limits.
 */
#ifndef WISP_DNS_H
#define WISP_DNS_H

#include <stdbool.h>
#include <wisp/addr.h>
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/err.h>
#include <wisp/hash.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WISP_DNS_PORT         53
#define WISP_DNS_SERVERS      4u
#define WISP_DNS_SEARCH       4u
#define WISP_DNS_ADDRESSES    8u    /* of one name; more are left out */
#define WISP_DNS_NAME_MAX     254u  /* text with the final zero */
#define WISP_DNS_QUESTION_MAX 271u  /* header and one question */
#define WISP_DNS_RESPONSE_MAX 4096u /* by TCP; longer ones are not read */

struct wisp_dns;
struct wisp_dns_lookup;

struct wisp_dns_config {
    uint16_t lookups; /* at once, 1 at least (with 0 all find FULL), default 8 */
    uint16_t cached;  /* answers kept, default 32, or 0; the one that ends first makes room */
    uint16_t rounds;  /* over all servers, 1 at least, default 3 */
    /* for one answer, not 0, default 1 s, doubled each round, six times at most */
    wisp_time patience;
    wisp_time keep_most; /* longest an answer is kept, default a day */
    wisp_time deny_most; /* longest "no such name" is kept, default 5 minutes */
    wisp_hash_fn hash;
    uint8_t seed[32]; /* secret and unpredictable: ids of questions hang on it (RFC 5452) */
};

/* Fills config with defaults; hash and seed stay for the caller. */
void wisp_dns_config_default(struct wisp_dns_config *config);

/* Bytes of memory that wisp_dns_init needs for config, which it reads and does not keep. Pure: no errors. */
size_t wisp_dns_size(const struct wisp_dns_config *config);

/* Null when mem (64-aligned) is too small. */
struct wisp_dns *wisp_dns_init(void *mem, size_t size, const struct wisp_dns_config *config);

/* The servers to ask, in this order, at most WISP_DNS_SERVERS; the cache is forgotten if they differ. */
void wisp_dns_set_servers(struct wisp_dns *dns, const struct wisp_addr *servers, uint32_t count);

/* The number of servers set. */
uint32_t wisp_dns_servers(const struct wisp_dns *dns);

/* Domains tried behind names of one label, in this order; a malformed one is left out. */
void wisp_dns_set_search(struct wisp_dns *dns, const char *const *domains, uint32_t count);

/* ---- lookups ---- */

/*
 * Starts to look for the addresses of name (length characters; a final dot keeps the search list out), or
 * for the name of addr. The result may be there at once, from the cache. INVALID: no host name, or no IPv4
 * address; FULL: too many lookups at once.
 */
enum wisp_err wisp_dns_find_address(struct wisp_dns *dns, const char *name, size_t length,
                                    wisp_time now, struct wisp_dns_lookup **lookup);
enum wisp_err wisp_dns_find_name(struct wisp_dns *dns, const struct wisp_addr *addr, wisp_time now,
                                 struct wisp_dns_lookup **lookup);

enum wisp_dns_status {
    WISP_DNS_PENDING,
    WISP_DNS_FOUND,
    WISP_DNS_NO_NAME, /* the name does not exist */
    WISP_DNS_NO_DATA, /* it does, but has no such record */
    WISP_DNS_FAILED,  /* the servers say they cannot tell, or no server is set */
    WISP_DNS_TIMEOUT  /* no server answers */
};

/* How the lookup stands: PENDING until it is over, then the same until wisp_dns_release. */
enum wisp_dns_status wisp_dns_status(const struct wisp_dns_lookup *lookup);

/* A static English text. */
const char *wisp_dns_status_text(enum wisp_dns_status status);

struct wisp_dns_answer {
    uint32_t addresses;
    struct wisp_addr address[WISP_DNS_ADDRESSES];
    char name[WISP_DNS_NAME_MAX]; /* find_name's result: letters, digits, '-', '_', '.' */
    wisp_time until;              /* how long it may be used */
};

/* Only when FOUND; valid until released. */
const struct wisp_dns_answer *wisp_dns_answer(const struct wisp_dns_lookup *lookup);

/* Ends a lookup, at any time. */
void wisp_dns_release(struct wisp_dns_lookup *lookup);

/* ---- messages and time ---- */

/* Each message goes out by a port of its own, which replaces what its channel used before (RFC 5452). */
struct wisp_dns_message {
    uint16_t channel; /* 0 .. config.lookups - 1 */
    bool tcp;         /* by a connection, with two octets of length in front */
    struct wisp_addr server;
    uint32_t length;
    uint8_t bytes[WISP_DNS_QUESTION_MAX];
};

/* The next message to send now, or false: then wisp_dns_deadline is later than now. */
bool wisp_dns_next(struct wisp_dns *dns, wisp_time now, struct wisp_dns_message *message);

/* When wisp_dns_next must be called next, though no message comes; WISP_NEVER: not before one does. */
wisp_time wisp_dns_deadline(const struct wisp_dns *dns);

/* False once nothing is awaited on channel: its port can be closed. tcp: the kind of transport asked about. */
bool wisp_dns_awaits(const struct wisp_dns *dns, uint16_t channel, bool tcp);

/* A message that came on channel from the server's address and port. Borrowed. */
void wisp_dns_input(struct wisp_dns *dns, uint16_t channel, bool tcp, const struct wisp_addr *from,
                    uint16_t port, const uint8_t *bytes, size_t length, wisp_time now);

/* Channel's transport failed (unreachable, refused, closed): the next server is asked at once. */
void wisp_dns_fail(struct wisp_dns *dns, uint16_t channel, wisp_time now);

/* Counter number index, as wisp_stack_counter. */
bool wisp_dns_counter(const struct wisp_dns *dns, uint32_t index, struct wisp_counter *counter);

#ifdef __cplusplus
}
#endif
#endif
