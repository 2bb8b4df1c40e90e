/* SPDX-License-Identifier: ISC */
/*
 * The assembled stack on one device: ethif, arp, ipv4, icmp, and the transports an application attaches.
 *
 *     stack = wisp_stack_init(memory, wisp_stack_size(&config), &config, now);
 *     tcp = wisp_tcp_init(...);  wisp_stack_attach(stack, wisp_tcp_transport(tcp), now);
 *     wisp_stack_address_add(stack, ip, 24, now);
 *     for (;;) {
 *         wisp_stack_poll(stack, now);
 *         while (wisp_tcp_next_event(tcp, &event)) { ... read, write, close ... }
 *         deadline = wisp_stack_flush(stack, now);      // what that left to send goes
 *         wait until deadline or the device;
 *     }
 *
 * One stack belongs to one thread at a time; stacks share nothing. Only wisp_stack_poll and wisp_stack_flush move
 * packets: no other function of the public interface touches the device.
 */
#ifndef WISP_STACK_H
#define WISP_STACK_H

#include <wisp/addr.h>
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/err.h>
#include <wisp/hash.h>
#include <wisp/l3.h>
#include <wisp/netdev.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_stack;

/* IPv4 reassembly, for config.reassembly; without it fragments are dropped and counted. */
struct wisp_reassembly_ops;
extern const struct wisp_reassembly_ops wisp_ipv4_reassembly;

/* How a new address is checked for conflicts (RFC 5227). */
enum wisp_probe {
    WISP_PROBE_BESIDE, /* in use and announced at once; probed and defended meanwhile */
    WISP_PROBE_WAIT,   /* strict: probed first, which takes up to nine seconds, then used */
    WISP_PROBE_NONE    /* announced, never probed (tests, replay) */
};

struct wisp_stack_config {
    struct wisp_netdev *netdev;
    struct wisp_pool *pages;
    wisp_hash_fn hash;
    wisp_sum_fn sum;
    uint8_t seed[32]; /* secret and unpredictable; the same seed and input give the same output */
    const struct wisp_reassembly_ops *reassembly; /* null: none */
    enum wisp_probe probe;
    uint16_t neighbours; /* ARP cache entries, default 64 */
    /* packets that may wait for ARP in all, default 64; per hop at most 8 */
    uint16_t waiting;
    uint16_t routes;           /* besides connected networks, default 16 */
    uint16_t datagrams;        /* under reassembly at once, default 16 */
    uint32_t reassembly_pages; /* pages that fragments may hold in all, default 64 */
    uint8_t ttl;               /* default of sent packets, default 64 */
};

/* Fills config with defaults; netdev, pages, hash, sum, seed stay for the caller. */
void wisp_stack_config_default(struct wisp_stack_config *config);

/* Bytes of memory wisp_stack_init needs for config. */
size_t wisp_stack_size(const struct wisp_stack_config *config);

/* Makes a stack in mem (64-aligned, size bytes). Null when mem is too small. */
struct wisp_stack *wisp_stack_init(void *mem, size_t size, const struct wisp_stack_config *config,
                                   wisp_time now);

/* Drops everything the stack holds: after it no packet or page is in use by it. Transports first. */
void wisp_stack_fini(struct wisp_stack *stack);

/* Adds a transport, for the stack's life. */
void wisp_stack_attach(struct wisp_stack *stack, struct wisp_transport *transport, wisp_time now);

/*
 * One step: takes completions and received packets, runs what is due, sends, notifies the device once.
 * Returns when it must be called again though nothing arrives (<= now: at once; WISP_NEVER: never).
 */
wisp_time wisp_stack_poll(struct wisp_stack *stack, wisp_time now);

/*
 * The second half of a step: what the application just wrote, read, opened or closed leaves, without looking for
 * arrivals first. Optional: the next poll sends it too. Returns the deadline as wisp_stack_poll does, so an
 * application may wait after it.
 */
wisp_time wisp_stack_flush(struct wisp_stack *stack, wisp_time now);

/*
 * Adds an own address with its network's prefix length 0..32 and starts announcing and probing it.
 * An address that is there gets another prefix, and nothing else happens to it. INVALID: not a single-host
 * address; IN_USE: there already, with that prefix; FULL: more than 4 addresses.
 */
enum wisp_err wisp_stack_address_add(struct wisp_stack *stack, const struct wisp_addr *addr,
                                     uint8_t prefix, wisp_time now);

/* Takes an address away: connections using it end with WISP_ERR_ADDRESS_LOST. False: not there. */
bool wisp_stack_address_remove(struct wisp_stack *stack, const struct wisp_addr *addr,
                               wisp_time now);

/*
 * Adds a route to network/prefix (0/0: default) by gateway, which may lie outside of every connected
 * network (it is then asked for directly on the link); gateway WISP_FAMILY_NONE: network is on the link.
 * Several default routes: the first whose gateway answers. FULL, INVALID.
 */
enum wisp_err wisp_stack_route_add(struct wisp_stack *stack, const struct wisp_addr *network,
                                   uint8_t prefix, const struct wisp_addr *gateway);

/* Removes all routes that wisp_stack_route_add made. */
void wisp_stack_routes_clear(struct wisp_stack *stack);

/* The first own address that may be used, or false. */
bool wisp_stack_address(const struct wisp_stack *stack, struct wisp_addr *addr, uint8_t *prefix);

/* What happened to addresses and link, to be asked for after each poll. */
enum wisp_stack_event_kind {
    WISP_STACK_ADDRESS_READY,    /* may be used now (after probing, if strict) */
    WISP_STACK_ADDRESS_CONFLICT, /* another host claims it; kept and defended, or lost if `lost` */
    WISP_STACK_LINK_UP,
    WISP_STACK_LINK_DOWN,
    WISP_STACK_RESUMED /* the device asked to announce again (resume, new backend) */
};

struct wisp_stack_event {
    enum wisp_stack_event_kind kind;
    struct wisp_addr addr;
    struct wisp_mac other; /* who claims it */
    bool lost;
};

/* The next one, or false. At most 16 wait; the oldest goes first when there are more. */
bool wisp_stack_next_event(struct wisp_stack *stack, struct wisp_stack_event *event);

/* Sends an ICMP echo request with length bytes of pattern (0..65507); INVALID, UNREACHABLE, AGAIN. */
enum wisp_err wisp_stack_ping(struct wisp_stack *stack, const struct wisp_addr *remote, uint16_t id,
                              uint16_t sequence, uint16_t length, wisp_time now);

struct wisp_ping_reply {
    struct wisp_addr remote;
    uint16_t id, sequence, length;
    uint8_t ttl;
    bool intact;  /* the pattern came back unchanged */
    wisp_time at; /* now of the poll that received it */
    bool error;   /* an ICMP error came instead: kind */
    enum wisp_icmp_kind kind;
};

/* The next answer to a ping, or false. At most 16 wait. */
bool wisp_stack_next_ping(struct wisp_stack *stack, struct wisp_ping_reply *reply);

/* Counter number index of the whole stack, or false beyond the last. Names are stable. */
bool wisp_stack_counter(const struct wisp_stack *stack, uint32_t index,
                        struct wisp_counter *counter);

/* The value of the counter called name; 0 for an unknown name (asserted in test builds). */
uint64_t wisp_stack_count(const struct wisp_stack *stack, const char *name);

#ifdef __cplusplus
}
#endif
#endif
