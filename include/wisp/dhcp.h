/* SPDX-License-Identifier: ISC */
/*
 * DHCP client (RFC 2131, 2132, 3396, 3442, 4361, 6842) as a machine: replies and the time go in, messages,
 * events and a deadline come out. It knows no socket and no stack; wisp/dhcp_run.h drives it over UDP.
 *
 *     wisp_dhcp_start(dhcp, now);
 *     for (;;) {
 *         while (wisp_dhcp_next(dhcp, now, &message)) { send message }
 *         while (wisp_dhcp_next_event(dhcp, &event)) { use or give up the address }
 *         wait for a reply -> wisp_dhcp_input, or until wisp_dhcp_deadline(dhcp)
 *     }
 *
 * One client belongs to one thread at a time; none of these functions calls back.
 *
 * The first usable offer is taken. An address is given up at once when its lease is over, when the server that
 * leased it says so, or when another host has it; what else a server says is ignored and counted.
 */
#ifndef WISP_DHCP_H
#define WISP_DHCP_H

#include <wisp/addr.h>
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/hash.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WISP_DHCP_CLIENT_PORT 68
#define WISP_DHCP_SERVER_PORT 67
#define WISP_DHCP_TEXT_MAX    64u  /* client id, host name, vendor class; with the final zero */
#define WISP_DHCP_MESSAGE_MAX 548u /* what every server must take: 576 less IP and UDP headers */
#define WISP_DHCP_ROUTES      16u
#define WISP_DHCP_SERVERS     4u /* name servers, time servers */
#define WISP_DHCP_SEARCH      4u /* domains of the search list */

struct wisp_dhcp;

/*
 * The client identifier (option 61) is by what a server knows the client again, so it stays the
 * same over reboots. By default it is RFC 4361's: type 255, an IAID of the MAC's last four octets
 * and a DUID-LL of the MAC. A given text goes behind type 0, which RFC 2132 §9.14 has for
 * identifiers that are no hardware address: "box" is sent as 00 62 6f 78. (dnsmasq's
 * `dhcp-host=id:box` means that; ISC dhcpd's wants "\000box", Kea's client-id '00626f78'.)
 */
struct wisp_dhcp_config {
    struct wisp_mac mac;
    const char *client_id;    /* see above; null (default) or "": made from the MAC */
    const char *host_name;    /* told to the server; null (default): none */
    const char *vendor_class; /* default "wisp"; null: none */
    uint16_t max_message;     /* largest message accepted, 576 at least, default 1500 */
    uint16_t mtu;             /* the device's; no lease gives more. default 1500 */
    /* wait 1 to 10 s before the first message (RFC 2131 §4.4.1), default false */
    bool start_delay;
    /* ask servers to broadcast while there is no address. default false */
    bool broadcast;
    /* believe masks and classless routes with prefix 1..7, default false (CVE-2024-3661) */
    bool wide_routes;
    /* first retransmission after, not 0, default 4 s, a quarter of it as jitter */
    wisp_time retry_first;
    wisp_time retry_last;  /* it doubles up to this, default 64 s; retry_first at least */
    wisp_time renew_floor; /* least time between requests while renewing, default 60 s; 0: none */
    /* pause after a conflict, default 10 s; RFC 2131 wants no less */
    wisp_time decline_wait;
    wisp_hash_fn hash;
    uint8_t seed[32]; /* secret and unpredictable: transaction ids hang on it */
};

/* Fills config with defaults; mac, hash, seed stay for the caller. */
void wisp_dhcp_config_default(struct wisp_dhcp_config *config);

/* Bytes of memory that wisp_dhcp_init needs for config, which it reads and does not keep. Pure: no errors. */
size_t wisp_dhcp_size(const struct wisp_dhcp_config *config);

/* Null when mem (64-aligned) is too small. Texts are copied, longer ones than WISP_DHCP_TEXT_MAX are cut. */
struct wisp_dhcp *wisp_dhcp_init(void *mem, size_t size, const struct wisp_dhcp_config *config);

/* ---- what is asked of it ---- */

/* Looks for a lease (INIT). One that was there before is LOST (RELEASED), without a word to its server. */
void wisp_dhcp_start(struct wisp_dhcp *dhcp, wisp_time now);

/* Asks whether address, remembered from an earlier life, is still leased (INIT-REBOOT); as start when it is
 * no host's (0.0.0.0), or when nobody answers. */
void wisp_dhcp_reboot(struct wisp_dhcp *dhcp, struct wisp_ip4 address, wisp_time now);

/* Asks for everything but an address, which was configured otherwise (INFORM); a lease is LOST as by start. */
void wisp_dhcp_inform(struct wisp_dhcp *dhcp, struct wisp_ip4 address, uint8_t prefix,
                      wisp_time now);

/* The link was away, or the machine slept or moved: asks whether the lease still stands, using it
 * meanwhile; a search that is under way starts afresh. At most once a second, however often it is called. */
void wisp_dhcp_confirm(struct wisp_dhcp *dhcp, wisp_time now);

/* Another host has the leased address: it is lost and declined, and a new search starts after
 * decline_wait. Without a lease nothing happens. */
void wisp_dhcp_conflict(struct wisp_dhcp *dhcp, wisp_time now);

/* Gives the lease back and stops: the message leaves first, the event that the address is lost follows. */
void wisp_dhcp_release(struct wisp_dhcp *dhcp, wisp_time now);

/* ---- messages and time ---- */

struct wisp_dhcp_message {
    struct wisp_ip4 local;  /* 0.0.0.0: none yet */
    struct wisp_ip4 remote; /* 255.255.255.255 or the server */
    uint32_t length;
    uint8_t bytes[WISP_DHCP_MESSAGE_MAX]; /* to WISP_DHCP_SERVER_PORT, from WISP_DHCP_CLIENT_PORT */
};

/* The next message to send now, or false: then wisp_dhcp_deadline is later than now. */
bool wisp_dhcp_next(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message);

/* When wisp_dhcp_next must be called next. */
wisp_time wisp_dhcp_deadline(const struct wisp_dhcp *dhcp);

/* A UDP payload that came from WISP_DHCP_SERVER_PORT. Borrowed. */
void wisp_dhcp_input(struct wisp_dhcp *dhcp, const uint8_t *bytes, size_t length, wisp_time now);

/* ---- what comes of it ---- */

/* What a server said and the client did not take as it was. */
enum wisp_dhcp_adjusted {
    WISP_DHCP_ADJUSTED_MASK = 1,   /* missing, no mask, too wide: the address's class gives it */
    WISP_DHCP_ADJUSTED_TIMES = 2,  /* T1, T2 not in order: a half and seven eighths of the lease */
    WISP_DHCP_ADJUSTED_ROUTER = 4, /* a router that cannot be one is left out */
    WISP_DHCP_ADJUSTED_ROUTES = 8, /* classless routes malformed, too wide or too many: left out */
    WISP_DHCP_ADJUSTED_MTU = 16,   /* below 576 or above the device's */
    WISP_DHCP_ADJUSTED_NAMES = 32, /* host name, domain or search list malformed: left out */
    WISP_DHCP_ADJUSTED_SERVERS = 64,   /* name or time servers that cannot be such are left out */
    WISP_DHCP_ADJUSTED_BROADCAST = 128 /* neither the mask's nor 255.255.255.255: not used */
};

struct wisp_dhcp_route {
    struct wisp_ip4 network; /* 0.0.0.0/0: default */
    uint8_t prefix;
    struct wisp_ip4 gateway; /* 0.0.0.0: network is on the link */
};

struct wisp_dhcp_lease {
    struct wisp_ip4 address;
    uint8_t prefix;
    struct wisp_ip4 broadcast; /* by the mask; option 28 is only compared with it */
    struct wisp_ip4 server;
    wisp_time from;   /* the request was sent; the first, if it had to be repeated */
    wisp_time renew;  /* T1; WISP_NEVER: the lease has no end */
    wisp_time rebind; /* T2 */
    wisp_time until;  /* WISP_NEVER: no end */
    uint16_t mtu;     /* 0: not said; else 576 .. the device's */
    uint8_t routes;   /* entries of route[]: option 121, or without it the routers of option 3 */
    uint8_t name_servers, time_servers, domains;
    uint8_t adjusted; /* set of enum wisp_dhcp_adjusted */
    struct wisp_dhcp_route route[WISP_DHCP_ROUTES];
    struct wisp_ip4 name_server[WISP_DHCP_SERVERS];
    struct wisp_ip4 time_server[WISP_DHCP_SERVERS];
    char host_name[WISP_DHCP_TEXT_MAX]; /* texts hold letters, digits, '-', '_', '.'; "": none */
    char domain[254];
    char search[WISP_DHCP_SEARCH][254];
};

enum wisp_dhcp_event_kind {
    WISP_DHCP_LEASED, /* an address to use from now on: wisp_dhcp_lease */
    /* the same address for longer, or confirmed; the rest of the lease may differ */
    WISP_DHCP_RENEWED,
    WISP_DHCP_LOST,     /* the address must not be used any more: reason */
    WISP_DHCP_INFORMED, /* the answer to wisp_dhcp_inform: wisp_dhcp_lease, without times */
    WISP_DHCP_SILENT,   /* nobody answers, told once per search; it goes on, an inform is over */
    /* instead of SILENT, and at once: somebody answers, but nothing that can be used: reason */
    WISP_DHCP_UNUSABLE
};

enum wisp_dhcp_reason {
    WISP_DHCP_REASON_NONE,
    WISP_DHCP_REASON_EXPIRED,
    WISP_DHCP_REASON_REFUSED, /* the server said no (NAK) */
    WISP_DHCP_REASON_CONFLICT,
    WISP_DHCP_REASON_CHANGED,  /* the server gave another address */
    WISP_DHCP_REASON_RELEASED, /* or given up by start, reboot or inform */
    WISP_DHCP_REASON_NO_HOST, /* UNUSABLE: the address, or the server's identifier, is no single host's */
    WISP_DHCP_REASON_NO_TIME /* UNUSABLE: no lease time, or 0 */
};

struct wisp_dhcp_event {
    enum wisp_dhcp_event_kind kind;
    enum wisp_dhcp_reason reason; /* LOST, UNUSABLE */
    struct wisp_ip4 address;
};

/* The next event, or false. To be taken after each input and each round of next: at most 8 wait. */
bool wisp_dhcp_next_event(struct wisp_dhcp *dhcp, struct wisp_dhcp_event *event);

/* What is leased (or was told by an inform) now, or null. It changes with the next input or next, and with whatever
 * is asked of the client. */
const struct wisp_dhcp_lease *wisp_dhcp_lease(const struct wisp_dhcp *dhcp);

enum wisp_dhcp_state {
    WISP_DHCP_STATE_STOPPED,
    WISP_DHCP_STATE_INIT,
    WISP_DHCP_STATE_SELECTING,
    WISP_DHCP_STATE_REQUESTING,
    WISP_DHCP_STATE_INIT_REBOOT,
    WISP_DHCP_STATE_REBOOTING,
    WISP_DHCP_STATE_BOUND,
    WISP_DHCP_STATE_RENEWING,
    WISP_DHCP_STATE_REBINDING,
    WISP_DHCP_STATE_INFORMING,
    WISP_DHCP_STATE_INFORMED,
    WISP_DHCP_STATE_RELEASING,
    WISP_DHCP_STATES
};

/* Where the client stands (RFC 2131 §4.4, figure 5), for people and tests: what to do about it the events say. */
enum wisp_dhcp_state wisp_dhcp_state(const struct wisp_dhcp *dhcp);

/* Static English texts: "selecting"; "the lease is over"; one adjusted bit: "mask replaced". */
const char *wisp_dhcp_state_text(enum wisp_dhcp_state state);
const char *wisp_dhcp_reason_text(enum wisp_dhcp_reason reason);
const char *wisp_dhcp_adjusted_text(enum wisp_dhcp_adjusted bit);

/* What the last NAK said (option 56), printable ASCII, or "". */
const char *wisp_dhcp_refusal(const struct wisp_dhcp *dhcp);

/* Counter number index, as wisp_stack_counter. */
bool wisp_dhcp_counter(const struct wisp_dhcp *dhcp, uint32_t index, struct wisp_counter *counter);

#ifdef __cplusplus
}
#endif
#endif
