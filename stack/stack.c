/* SPDX-License-Identifier: ISC */
/*
 * The wiring: one device, ethif, ARP, IPv4, ICMP, and whatever transports the application attaches.
 * Modules reach upwards only through the small functions here, handed to them as tables at init; so
 * no module knows its neighbours above, and a transport that is not attached is not linked.
 *
 * A step (wisp_stack_poll): notice what changed in the device; completions; receive in batches;
 * time; the transports' steps; one transmission and one notification. Work in a step is bounded:
 * RX_BATCHES batches and as many completions; what remains makes the deadline "now".
 */
#include "arena.h"
#include "arp.h"
#include "assert.h"
#include "ethif.h"
#include "icmp.h"
#include "ipv4.h"
#include <string.h>
#include <wisp/stack.h>

#define RX_BATCHES   8u
#define EVENTS       16u
#define BLOCKED_POLL WISP_US(100) /* when to look again if the device had no room */

struct wisp_stack {
    struct wisp_ethif eth;
    struct wisp_arp arp;
    struct wisp_ipv4 ipv4;
    struct wisp_icmp icmp;
    struct wisp_netdev *dev;
    enum wisp_claim_start claim_start;
    bool link;
    uint32_t announce;
    wisp_time now; /* of the step */
    uint32_t caps_generation;
    struct wisp_stack_event event[EVENTS];
    uint32_t event_in, event_out; /* free running */
};

void wisp_stack_config_default(struct wisp_stack_config *config)
{
    *config = (struct wisp_stack_config){.probe = WISP_PROBE_BESIDE,
                                         .neighbours = 64,
                                         .waiting = 64,
                                         .routes = 16,
                                         .datagrams = 16,
                                         .reassembly_pages = 64,
                                         .ttl = 64};
}

/* ---- events ---- */

static struct wisp_stack_event *new_event(struct wisp_stack *stack, enum wisp_stack_event_kind kind)
{
    if (stack->event_in - stack->event_out == EVENTS) {
        stack->event_out++;
    }
    struct wisp_stack_event *event = &stack->event[stack->event_in++ % EVENTS];
    *event = (struct wisp_stack_event){.kind = kind};
    return event;
}

bool wisp_stack_next_event(struct wisp_stack *stack, struct wisp_stack_event *event)
{
    if (stack->event_in == stack->event_out) {
        return false;
    }
    *event = stack->event[stack->event_out++ % EVENTS];
    return true;
}

/* ---- what modules call upwards ---- */

static void eth_ipv4(void *self, struct wisp_pkt *pkt, wisp_time now)
{
    struct wisp_stack *stack = self;
    wisp_ipv4_input(&stack->ipv4, pkt, now);
}

static void eth_arp(void *self, struct wisp_pkt *pkt, struct wisp_mac source, wisp_time now)
{
    struct wisp_stack *stack = self;
    wisp_arp_input(&stack->arp, pkt, source, now);
}

static bool arp_on_link(void *self, struct wisp_ip4 ip)
{
    const struct wisp_stack *stack = self;
    return wisp_ipv4_is_on_link(&stack->ipv4, ip);
}

static bool arp_source(void *self, struct wisp_ip4 target, struct wisp_ip4 *source)
{
    const struct wisp_stack *stack = self;
    const struct wisp_ipv4_address *own = wisp_ipv4_source_for(&stack->ipv4, target);
    if (own) {
        *source = own->ip;
    }
    return own != NULL;
}

static bool arp_is_gateway(void *self, struct wisp_ip4 ip)
{
    const struct wisp_stack *stack = self;
    return wisp_ipv4_is_gateway(&stack->ipv4, ip);
}

static void arp_resolved(void *self, struct wisp_pkt *pkt, const uint8_t *header, wisp_time now)
{
    struct wisp_stack *stack = self;
    wisp_ipv4_resolved(&stack->ipv4, pkt, header, now);
}

static void arp_changed(void *self)
{
    struct wisp_stack *stack = self;
    wisp_ipv4_changed(&stack->ipv4);
}

static void arp_claimed(void *self, struct wisp_ip4 ip, wisp_time now)
{
    struct wisp_stack *stack = self;
    (void)now;
    wisp_ipv4_address_usable(&stack->ipv4, ip);
    new_event(stack, WISP_STACK_ADDRESS_READY)->addr = wisp_addr_ip4(ip);
}

static void arp_conflict(void *self, struct wisp_ip4 ip, struct wisp_mac other, bool lost,
                         wisp_time now)
{
    struct wisp_stack *stack = self;
    struct wisp_stack_event *event = new_event(stack, WISP_STACK_ADDRESS_CONFLICT);
    event->addr = wisp_addr_ip4(ip);
    event->other = other;
    event->lost = lost;
    if (lost) {
        wisp_ipv4_address_remove(&stack->ipv4, ip, now);
    }
}

static void ipv4_complain(void *self, const struct wisp_ipv4_complaint *complaint, wisp_time now)
{
    struct wisp_stack *stack = self;
    struct wisp_icmp_subject subject = {.type = complaint->type,
                                        .code = complaint->code,
                                        .pointer = complaint->pointer,
                                        .header_size = complaint->header_size,
                                        .header = complaint->header,
                                        .payload = complaint->payload,
                                        .source = wisp_addr_ip4(complaint->source),
                                        .destination = wisp_addr_ip4(complaint->destination),
                                        .broadcast = complaint->broadcast};
    wisp_icmp_complain(&stack->icmp, &subject, now);
}

static void icmp_error(void *self, uint8_t protocol, const struct wisp_icmp_error *error,
                       wisp_time now)
{
    struct wisp_stack *stack = self;
    struct wisp_transport *transport = wisp_ipv4_transport(&stack->ipv4, protocol);
    if (transport && transport->ops->error) {
        transport->ops->error(transport->self, error, now);
    }
}

/* Tells the transport that sent pkt that it is gone: let go of by the device, or dropped on the way. */
static void tell_owner(void *context, struct wisp_pkt *pkt)
{
    const struct wisp_stack *stack = context;
    const struct wisp_transport *owner = pkt->owner;
    owner->ops->sent(owner->self, pkt, stack->now);
}

/* ---- start and end ---- */

static struct wisp_arp_config arp_config(const struct wisp_stack_config *config)
{
    struct wisp_arp_config result = {.neighbours = config->neighbours,
                                     .waiting = config->waiting,
                                     .hash = config->hash,
                                     .seed = config->seed};
    return result;
}

static struct wisp_ipv4_config ipv4_config(const struct wisp_stack_config *config)
{
    struct wisp_ipv4_config result = {.routes = config->routes,
                                      .pages = config->pages,
                                      .hash = config->hash,
                                      .sum = config->sum,
                                      .seed = config->seed,
                                      .reassembly = config->reassembly,
                                      .datagrams = config->datagrams,
                                      .reassembly_pages = config->reassembly_pages};
    return result;
}

/* Lays everything out; gives null while measuring. */
static struct wisp_stack *layout(const struct wisp_stack_config *config, struct wisp_arena *arena)
{
    struct wisp_arp_config arp = arp_config(config);
    struct wisp_ipv4_config ipv4 = ipv4_config(config);
    struct wisp_stack *stack = WISP_ARENA_ARRAY(arena, struct wisp_stack, 1);
    wisp_arp_layout(stack ? &stack->arp : NULL, &arp, arena);
    wisp_ipv4_layout(stack ? &stack->ipv4 : NULL, &ipv4, arena);
    return stack;
}

size_t wisp_stack_size(const struct wisp_stack_config *config)
{
    struct wisp_arena arena = {0};
    layout(config, &arena);
    return arena.used;
}

static void init_modules(struct wisp_stack *stack, const struct wisp_stack_config *config,
                         wisp_time now)
{
    const struct wisp_ethif_upper eth_upper = {stack, eth_ipv4, eth_arp};
    const struct wisp_arp_upper arp_upper = {
        .self = stack,
        .on_link = arp_on_link,
        .source = arp_source,
        .is_gateway = arp_is_gateway,
        .resolved = arp_resolved,
        .changed = arp_changed,
        .claimed = arp_claimed,
        .conflict = arp_conflict,
    };
    const struct wisp_ipv4_upper ipv4_upper = {.self = stack, .complain = ipv4_complain};
    const struct wisp_icmp_upper icmp_upper = {stack, icmp_error};
    const struct wisp_arp_config arp = arp_config(config);
    const struct wisp_ipv4_config ipv4 = ipv4_config(config);
    const struct wisp_icmp_config icmp = {config->hash, config->seed, config->ttl};
    wisp_ethif_init(&stack->eth, config->netdev, config->sum, &eth_upper);
    wisp_arp_init(&stack->arp, &arp, &stack->eth, &arp_upper, now);
    wisp_ipv4_init(&stack->ipv4, &ipv4, &stack->eth, &stack->arp, &ipv4_upper);
    wisp_icmp_init(&stack->icmp, &icmp, &icmp_upper, now);
    wisp_ipv4_attach(&stack->ipv4, &stack->icmp.transport);
}

struct wisp_stack *wisp_stack_init(void *mem, size_t size, const struct wisp_stack_config *config,
                                   wisp_time now)
{
    static const enum wisp_claim_start starts[] = {
        [WISP_PROBE_BESIDE] = WISP_CLAIM_START_BESIDE,
        [WISP_PROBE_WAIT] = WISP_CLAIM_START_WAIT,
        [WISP_PROBE_NONE] = WISP_CLAIM_START_NONE,
    };
    if (size < wisp_stack_size(config)) {
        return NULL;
    }
    struct wisp_arena arena = {.base = mem};
    struct wisp_stack *stack = layout(config, &arena);
    init_modules(stack, config, now);
    stack->dev = config->netdev;
    stack->claim_start = starts[config->probe];
    stack->link = config->netdev->link;
    stack->announce = config->netdev->announce;
    stack->caps_generation = config->netdev->caps.generation;
    stack->event_in = 0;
    stack->event_out = 0;
    stack->now = now;
    wisp_pktpool_tell(config->netdev->tx_pool, tell_owner, stack);
    return stack;
}

void wisp_stack_fini(struct wisp_stack *stack)
{
    wisp_pktpool_tell(stack->dev->tx_pool, NULL, NULL);
    wisp_arp_fini(&stack->arp);
    wisp_ipv4_fini(&stack->ipv4);
    wisp_ethif_fini(&stack->eth);
}

void wisp_stack_attach(struct wisp_stack *stack, struct wisp_transport *transport, wisp_time now)
{
    (void)now;
    wisp_ipv4_attach(&stack->ipv4, transport);
}

/* ---- the step ---- */

static void notice_caps(struct wisp_stack *stack)
{
    stack->caps_generation = stack->dev->caps.generation;
    wisp_ethif_refresh(&stack->eth);
    wisp_ipv4_refresh(&stack->ipv4);
    wisp_ipv4_changed(&stack->ipv4); /* the own MAC address may have changed */
}

static void notice_link(struct wisp_stack *stack, wisp_time now)
{
    stack->link = stack->dev->link;
    new_event(stack, stack->link ? WISP_STACK_LINK_UP : WISP_STACK_LINK_DOWN);
    if (stack->link) {
        wisp_arp_doubt_all(&stack->arp, now);
        wisp_arp_announce(&stack->arp, now);
    }
}

static void notice_announce(struct wisp_stack *stack, wisp_time now)
{
    stack->announce = stack->dev->announce;
    new_event(stack, WISP_STACK_RESUMED);
    wisp_arp_doubt_all(&stack->arp, now);
    wisp_arp_announce(&stack->arp, now);
}

static void notice_device(struct wisp_stack *stack, wisp_time now)
{
    const struct wisp_netdev *dev = stack->dev;
    if (stack->caps_generation != dev->caps.generation) {
        notice_caps(stack);
    }
    if (stack->link != dev->link) {
        notice_link(stack, now);
    }
    if (stack->announce != dev->announce) {
        notice_announce(stack, now);
    }
}

static void complete(struct wisp_stack *stack)
{
    struct wisp_pkt *batch[WISP_ETHIF_BATCH];
    for (uint32_t round = 0; round < RX_BATCHES; round++) {
        uint32_t n = stack->dev->ops->completed(stack->dev, batch, WISP_ETHIF_BATCH);
        for (uint32_t i = 0; i < n; i++) {
            wisp_pkt_drop(batch[i]);
        }
        if (n < WISP_ETHIF_BATCH) {
            return;
        }
    }
}

static void receive(struct wisp_stack *stack, wisp_time now)
{
    for (uint32_t round = 0; round < RX_BATCHES; round++) {
        if (wisp_ethif_receive(&stack->eth, now) < WISP_ETHIF_BATCH) {
            return;
        }
    }
}

static wisp_time send(struct wisp_stack *stack, wisp_time now)
{
    wisp_time at = WISP_NEVER;
    for (struct wisp_transport *t = stack->ipv4.transport; t; t = t->next) {
        if (t->ops->step) {
            at = wisp_time_min(at, t->ops->step(t->self, now));
        }
    }
    wisp_ethif_flush(&stack->eth, now);
    if (at <= now && wisp_ethif_room(&stack->eth) == 0) {
        at = now + BLOCKED_POLL;
    }
    at = wisp_time_min(at, wisp_arp_deadline(&stack->arp));
    at = wisp_time_min(at, wisp_ipv4_deadline(&stack->ipv4));
    return wisp_time_min(at, stack->dev->ops->deadline(stack->dev, now));
}

wisp_time wisp_stack_poll(struct wisp_stack *stack, wisp_time now)
{
    stack->now = now;
    complete(stack);
    notice_device(stack, now);
    receive(stack, now);
    wisp_arp_expire(&stack->arp, now);
    wisp_ipv4_expire(&stack->ipv4, now);
    return send(stack, now);
}

wisp_time wisp_stack_flush(struct wisp_stack *stack, wisp_time now)
{
    stack->now = now;
    return send(stack, now);
}

/* ---- addresses and routes ---- */

enum wisp_err wisp_stack_address_add(struct wisp_stack *stack, const struct wisp_addr *addr,
                                     uint8_t prefix, wisp_time now)
{
    if (addr->family != WISP_FAMILY_IP4) {
        return WISP_ERR_INVALID;
    }
    return wisp_ipv4_address_add(&stack->ipv4, addr->u.ip4, prefix, stack->claim_start, now);
}

bool wisp_stack_address_remove(struct wisp_stack *stack, const struct wisp_addr *addr,
                               wisp_time now)
{
    return addr->family == WISP_FAMILY_IP4 &&
           wisp_ipv4_address_remove(&stack->ipv4, addr->u.ip4, now);
}

enum wisp_err wisp_stack_route_add(struct wisp_stack *stack, const struct wisp_addr *network,
                                   uint8_t prefix, const struct wisp_addr *gateway)
{
    bool direct = !gateway || gateway->family == WISP_FAMILY_NONE;
    if (network->family != WISP_FAMILY_IP4 || (!direct && gateway->family != WISP_FAMILY_IP4)) {
        return WISP_ERR_INVALID;
    }
    return wisp_ipv4_route_add(&stack->ipv4, network->u.ip4, prefix,
                               direct ? NULL : &gateway->u.ip4);
}

void wisp_stack_routes_clear(struct wisp_stack *stack)
{
    wisp_ipv4_routes_clear(&stack->ipv4);
}

bool wisp_stack_address(const struct wisp_stack *stack, struct wisp_addr *addr, uint8_t *prefix)
{
    for (uint32_t i = 0; i < stack->ipv4.addresses; i++) {
        if (stack->ipv4.address[i].usable) {
            *addr = wisp_addr_ip4(stack->ipv4.address[i].ip);
            *prefix = stack->ipv4.address[i].prefix;
            return true;
        }
    }
    return false;
}

/* ---- ping ---- */

enum wisp_err wisp_stack_ping(struct wisp_stack *stack, const struct wisp_addr *remote, uint16_t id,
                              uint16_t sequence, uint16_t length, wisp_time now)
{
    return wisp_icmp_ping(&stack->icmp, remote, id, sequence, length, now);
}

bool wisp_stack_next_ping(struct wisp_stack *stack, struct wisp_ping_reply *reply)
{
    struct wisp_icmp_answer answer;
    if (!wisp_icmp_next_answer(&stack->icmp, &answer)) {
        return false;
    }
    *reply = (struct wisp_ping_reply){.remote = answer.remote,
                                      .id = answer.id,
                                      .sequence = answer.sequence,
                                      .length = answer.length,
                                      .ttl = answer.ttl,
                                      .intact = answer.intact,
                                      .at = answer.at,
                                      .error = answer.error,
                                      .kind = answer.kind};
    return true;
}

/* ---- counters ---- */

static bool show_eth(const void *self, uint32_t index, struct wisp_counter *counter)
{
    const struct wisp_stack *stack = self;
    return wisp_ethif_counter(&stack->eth, index, counter);
}

static bool show_arp(const void *self, uint32_t index, struct wisp_counter *counter)
{
    const struct wisp_stack *stack = self;
    return wisp_arp_counter(&stack->arp, index, counter);
}

static bool show_ipv4(const void *self, uint32_t index, struct wisp_counter *counter)
{
    const struct wisp_stack *stack = self;
    return wisp_ipv4_counter(&stack->ipv4, index, counter);
}

static bool show_icmp(const void *self, uint32_t index, struct wisp_counter *counter)
{
    const struct wisp_stack *stack = self;
    return wisp_icmp_counter(&stack->icmp, index, counter);
}

typedef bool (*show_fn)(const void *self, uint32_t index, struct wisp_counter *counter);

/* Shows counter *index of a table, or takes the table's size off *index. */
static bool show_one(show_fn show, const void *self, uint32_t *index, struct wisp_counter *counter)
{
    if (show(self, *index, counter)) {
        return true;
    }
    uint32_t size = 0;
    while (show(self, size, counter)) {
        size++;
    }
    *index -= size;
    return false;
}

bool wisp_stack_counter(const struct wisp_stack *stack, uint32_t index,
                        struct wisp_counter *counter)
{
    static const show_fn own[] = {show_eth, show_arp, show_ipv4, show_icmp};
    for (uint32_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (show_one(own[i], stack, &index, counter)) {
            return true;
        }
    }
    for (const struct wisp_transport *t = stack->ipv4.transport; t; t = t->next) {
        if (t->ops->counter && show_one(t->ops->counter, t->self, &index, counter)) {
            return true;
        }
    }
    return false;
}

uint64_t wisp_stack_count(const struct wisp_stack *stack, const char *name)
{
    struct wisp_counter counter;
    for (uint32_t i = 0; wisp_stack_counter(stack, i, &counter); i++) {
        size_t k = 0;
        while (counter.name[k] == name[k] && name[k] != 0) {
            k++;
        }
        if (counter.name[k] == name[k]) {
            return counter.value;
        }
    }
    WISP_ASSERT(false); /* no counter of that name */
    return 0;
}
