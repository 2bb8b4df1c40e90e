/* SPDX-License-Identifier: ISC */
/*
 * The rig (see rig.h). One block of memory is kept from one rig to the next, because endpoint mode makes one for each
 * flow: a stack that has seen nothing else gives the same answers wherever its flow stands in the capture.
 *
 *   in:   rig_send -> impaired path -> show -> netback -> ring -> netfront -> stack
 *   out:  stack -> netfront -> ring -> netback -> checksum, segments -> show -> impaired path -> out
 */
#include "rig.h"
#include "netback.h"
#include "netfront.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES       2048u
#define RESERVE     64u
#define ROUNDS      4096u /* steps at one instant before the stack is said to go round in circles */
#define ARENA_BYTES (8u << 20)

struct rig {
    struct rig_config config;
    struct wisp_memxen *xen;
    struct wisp_netback *nb;
    struct wisp_netfront *front;
    struct wisp_stack *stack;
    struct wisp_tcp *tcp;
    struct wisp_udp *udp;
    struct wisp_pool *pages;
    struct impair *path[2]; /* to the stack, from it */
    size_t arena_used;
    uint64_t frames[2];
    uint8_t whole[WISP_FRAME_MAX];
    char fault[160];
};

struct rig_memory {
    struct rig rig;
    uint8_t *pages;
    uint8_t *arena;
};

static void set_fault(struct rig *rig, const char *reason)
{
    if (!rig->fault[0]) {
        snprintf(rig->fault, sizeof(rig->fault), "%s", reason);
    }
}

static void *carve(struct rig *rig, size_t size)
{
    size_t at = (rig->arena_used + 63) & ~(size_t)63;
    if (size > ARENA_BYTES || at > ARENA_BYTES - size) {
        return NULL;
    }
    rig->arena_used = at + size;
    return rig->config.memory->arena + at;
}

/* ---- frames from the stack ---- */

static void left_stack(void *context, const uint8_t *bytes, uint32_t length)
{
    struct rig *rig = context;
    wisp_time now = wisp_memxen_time(rig->xen);
    rig->frames[1]++;
    if (rig->config.show) {
        rig->config.show(rig->config.context, false, bytes, length, now);
    }
    if (rig->path[1]) {
        impair_pass(rig->path[1], bytes, length, 0, now);
    } else if (rig->config.out) {
        rig->config.out(rig->config.context, bytes, length, now);
    }
}

static void from_guest(void *context, const struct wisp_frame *frame, wisp_time now)
{
    struct rig *rig = context;
    uint32_t length = wisp_frame_copy(frame, 0, rig->whole, sizeof(rig->whole));
    (void)now;
    if (frame->gso_size) {
        wisp_frame_segment(rig->whole, length, frame->gso_size, left_stack, rig);
        return;
    }
    if (frame->csum_blank) {
        wisp_frame_fill_csum(rig->whole, length);
    }
    left_stack(rig, rig->whole, length);
}

static void out_of_path(void *context, uint8_t *bytes, uint32_t length, uint16_t gso_size,
                        uint64_t now)
{
    struct rig *rig = context;
    (void)gso_size;
    if (rig->config.out) {
        rig->config.out(rig->config.context, bytes, length, now);
    }
}

/* ---- frames to the stack ---- */

static void show_in(void *context, const uint8_t *bytes, uint32_t length)
{
    struct rig *rig = context;
    rig->config.show(rig->config.context, true, bytes, length, wisp_memxen_time(rig->xen));
}

static void to_guest(struct rig *rig, const uint8_t *bytes, uint32_t length, bool blank,
                     uint16_t gso_size, wisp_time now)
{
    rig->frames[0]++;
    if (rig->config.show) {
        wisp_frame_segment(bytes, length, gso_size, show_in, rig);
    }
    struct wisp_frame frame = wisp_frame_of(bytes, length);
    frame.csum_blank = blank || gso_size;
    frame.validated = frame.csum_blank;
    frame.gso_size = gso_size;
    wisp_netback_send(rig->nb, &frame, now);
}

static void into_stack(void *context, uint8_t *bytes, uint32_t length, uint16_t gso_size,
                       uint64_t now)
{
    to_guest(context, bytes, length, false, gso_size, now);
}

void rig_send(struct rig *rig, const uint8_t *bytes, uint32_t length, bool blank, uint16_t gso_size,
              wisp_time now)
{
    if (rig->path[0]) {
        impair_pass(rig->path[0], bytes, length, gso_size, now);
    } else {
        to_guest(rig, bytes, length, blank, gso_size, now);
    }
}

uint32_t rig_room(struct rig *rig, uint32_t length)
{
    return wisp_netback_room(rig->nb, length);
}

/* ---- making ---- */

static bool make_host(struct rig *rig)
{
    const struct rig_config *config = &rig->config;
    struct wisp_memxen_config xen = {
        .policy = config->persistent ? WISP_GRANT_PERSISTENT : WISP_GRANT_STRICT, .grants = 4096};
    struct wisp_netback_config nb = {.mac = config->mac,
                                     .mtu = config->mtu,
                                     .features = WISP_NETBACK_ALL,
                                     .max_queues = 8,
                                     .slot_bytes = config->split,
                                     .frame = from_guest,
                                     .context = rig};
    rig->xen = wisp_memxen_open(&xen);
    rig->nb = rig->xen ? wisp_netback_open(rig->xen, &nb) : NULL;
    return rig->nb != NULL;
}

static bool make_path(struct rig *rig)
{
    const struct impairment *impairment = rig->config.impairment;
    if (!impairment) {
        return true;
    }
    rig->path[0] = impair_open(impairment, rig->config.seed * 2 + 1, into_stack, rig);
    rig->path[1] = impair_open(impairment, rig->config.seed * 2 + 2, out_of_path, rig);
    return rig->path[0] && rig->path[1];
}

static bool make_front(struct rig *rig)
{
    struct wisp_netfront_config config;
    void *meta = carve(rig, wisp_pool_size(PAGES));
    rig->pages = meta ? wisp_pool_init(meta, wisp_pool_size(PAGES), rig->config.memory->pages,
                                       PAGES, RESERVE, false)
                      : NULL;
    if (!rig->pages) {
        return false;
    }
    wisp_netfront_config_default(&config);
    config.hv = wisp_memxen_hypervisor(rig->xen);
    config.path = "device/vif/0";
    config.token = 1;
    config.pages = rig->pages;
    config.queues = (uint8_t)rig->config.queues;
    void *mem = carve(rig, wisp_netfront_size(&config));
    rig->front = mem ? wisp_netfront_init(mem, wisp_netfront_size(&config), &config) : NULL;
    return rig->front != NULL;
}

static void fill_seed(const struct rig *rig, uint8_t seed[32])
{
    memset(seed, 0, 32);
    memcpy(seed, &rig->config.seed, sizeof(rig->config.seed));
}

static bool make_stack(struct rig *rig, wisp_time now)
{
    struct wisp_stack_config config;
    wisp_stack_config_default(&config);
    config.netdev = wisp_netfront_dev(rig->front);
    config.pages = rig->pages;
    config.hash = rig_hash;
    config.sum = wisp_sum_portable;
    config.reassembly = &wisp_ipv4_reassembly;
    config.probe = rig->config.probe;
    fill_seed(rig, config.seed);
    void *mem = carve(rig, wisp_stack_size(&config));
    rig->stack = mem ? wisp_stack_init(mem, wisp_stack_size(&config), &config, now) : NULL;
    return rig->stack != NULL;
}

static bool make_transports(struct rig *rig, wisp_time now)
{
    struct wisp_tcp_config tcp;
    struct wisp_udp_config udp;
    wisp_tcp_config_default(&tcp);
    tcp.cc = &wisp_tcp_cc_newreno;
    tcp.hash = rig_hash;
    fill_seed(rig, tcp.seed);
    wisp_udp_config_default(&udp);
    udp.hash = rig_hash;
    udp.pages =
        PAGES / 2; /* whether a datagram is dropped must not depend on how its frame was split */
    fill_seed(rig, udp.seed);
    void *tcp_mem = carve(rig, wisp_tcp_size(&tcp));
    void *udp_mem = carve(rig, wisp_udp_size(&udp));
    rig->tcp = tcp_mem ? wisp_tcp_init(tcp_mem, wisp_tcp_size(&tcp), &tcp) : NULL;
    rig->udp = udp_mem ? wisp_udp_init(udp_mem, wisp_udp_size(&udp), &udp) : NULL;
    if (!rig->tcp || !rig->udp) {
        return false;
    }
    wisp_stack_attach(rig->stack, wisp_tcp_transport(rig->tcp), now);
    wisp_stack_attach(rig->stack, wisp_udp_transport(rig->udp), now);
    return true;
}

/* The handshake of both ends over xenstore. */
static bool connect_ends(struct rig *rig, wisp_time now)
{
    for (int i = 0;
         i < 64 && !(wisp_netfront_dev(rig->front)->link && wisp_netback_connected(rig->nb)); i++) {
        wisp_netfront_step(rig->front, now);
        wisp_netback_poll(rig->nb, now);
    }
    return wisp_netfront_dev(rig->front)->link && wisp_netback_connected(rig->nb);
}

struct rig_memory *rig_memory_open(void)
{
    struct rig_memory *memory = calloc(1, sizeof(*memory));
    if (!memory) {
        return NULL;
    }
    memory->pages = aligned_alloc(WISP_PAGE_SIZE, (size_t)PAGES * WISP_PAGE_SIZE);
    memory->arena = aligned_alloc(64, ARENA_BYTES);
    if (!memory->pages || !memory->arena) {
        rig_memory_close(memory);
        return NULL;
    }
    return memory;
}

void rig_memory_close(struct rig_memory *memory)
{
    free(memory->pages);
    free(memory->arena);
    free(memory);
}

static const char *make(struct rig *rig, wisp_time now)
{
    if (!make_host(rig) || !make_path(rig)) {
        return "no memory for the hypervisor";
    }
    wisp_memxen_set_time(rig->xen, now);
    if (!make_front(rig)) {
        return "netfront does not start";
    }
    if (!connect_ends(rig, now)) {
        return wisp_netfront_reason(rig->front);
    }
    return make_stack(rig, now) && make_transports(rig, now) ? NULL : "the stack does not start";
}

struct rig *rig_open(const struct rig_config *config, wisp_time now, char *error, size_t size)
{
    struct rig *rig = &config->memory->rig;
    memset(rig, 0, sizeof(*rig));
    rig->config = *config;
    const char *reason = make(rig, now);
    if (reason) {
        char ignored[160];
        snprintf(error, size, "%s", reason);
        rig_close(rig, ignored, sizeof(ignored));
        return NULL;
    }
    return rig;
}

/* ---- ending ---- */

static void end_stack(struct rig *rig)
{
    if (rig->tcp) {
        wisp_tcp_fini(rig->tcp);
    }
    if (rig->udp) {
        wisp_udp_fini(rig->udp);
    }
    if (rig->stack) {
        wisp_stack_fini(rig->stack);
    }
}

static void check_ledgers(struct rig *rig)
{
    char text[128];
    if (rig->nb && wisp_netback_fatal(rig->nb)) {
        snprintf(text, sizeof(text), "the backend disabled the device: %s",
                 wisp_netback_fatal(rig->nb));
        set_fault(rig, text);
    }
    if (rig->nb) {
        wisp_netback_close(rig->nb);
    }
    if (rig->front) {
        wisp_netfront_fini(rig->front);
    }
    if (rig->xen && !wisp_memxen_balanced(rig->xen, text, sizeof(text))) {
        set_fault(rig, text);
    }
    if (rig->pages) {
        struct wisp_pool_stats stats;
        wisp_pool_stats(rig->pages, &stats);
        if (stats.in_use || stats.quarantined) {
            snprintf(text, sizeof(text), "%u pages in use at the end, %u in quarantine",
                     stats.in_use, stats.quarantined);
            set_fault(rig, text);
        }
    }
}

bool rig_close(struct rig *rig, char *error, size_t size)
{
    end_stack(rig);
    check_ledgers(rig);
    for (int i = 0; i < 2; i++) {
        if (rig->path[i]) {
            impair_close(rig->path[i]);
        }
    }
    if (rig->xen) {
        wisp_memxen_close(rig->xen);
    }
    bool good = rig->fault[0] == '\0';
    if (!good) {
        snprintf(error, size, "%s", rig->fault);
    }
    return good;
}

/* ---- running ---- */

bool rig_address(struct rig *rig, uint32_t address, wisp_time now)
{
    struct wisp_addr addr = wisp_addr_ip4(wisp_ip4_from_value(address));
    struct wisp_addr zero = wisp_addr_ip4(wisp_ip4(0, 0, 0, 0));
    struct wisp_addr on_link = wisp_addr_any();
    struct wisp_addr first;
    uint8_t prefix;
    bool had = wisp_stack_address(rig->stack, &first, &prefix);
    if (wisp_stack_address_add(rig->stack, &addr, 32, now) != WISP_OK) {
        return false;
    }
    return had || wisp_stack_route_add(rig->stack, &zero, 0, &on_link) == WISP_OK;
}

wisp_time rig_step(struct rig *rig, wisp_time now)
{
    wisp_time next = WISP_NEVER;
    wisp_memxen_set_time(rig->xen, now);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        next = rig->path[0] ? impair_step(rig->path[0], now) : WISP_NEVER;
        wisp_netback_poll(rig->nb, now);
        next = wisp_time_min(next, wisp_stack_poll(rig->stack, now));
        wisp_netback_poll(rig->nb, now);
        if (rig->path[1]) {
            next = wisp_time_min(next, impair_step(rig->path[1], now));
        }
        next = wisp_time_min(next, wisp_netback_deadline(rig->nb, now));
        if (next > now && !wisp_memxen_guest_woken(rig->xen)) {
            return next;
        }
    }
    set_fault(rig, "the stack asks to be polled at once, for ever");
    return now + 1;
}

struct wisp_stack *rig_stack(struct rig *rig)
{
    return rig->stack;
}

struct wisp_tcp *rig_tcp(struct rig *rig)
{
    return rig->tcp;
}

struct wisp_udp *rig_udp(struct rig *rig)
{
    return rig->udp;
}

struct wisp_netdev *rig_netdev(struct rig *rig)
{
    return wisp_netfront_dev(rig->front);
}

uint64_t rig_frames_in(const struct rig *rig)
{
    return rig->frames[0];
}

uint64_t rig_frames_out(const struct rig *rig)
{
    return rig->frames[1];
}

static void backend_counters(struct rig *rig,
                             void (*fn)(void *context, const char *name, uint64_t value),
                             void *context)
{
    struct wisp_netback_stats stats;
    struct wisp_memxen_ledger ledger;
    wisp_netback_stats(rig->nb, &stats);
    wisp_memxen_ledger(rig->xen, &ledger);
    fn(context, "netback.tx.packets", stats.tx_packets);
    fn(context, "netback.tx.slots", stats.tx_slots);
    fn(context, "netback.tx.errors", stats.tx_errors);
    fn(context, "netback.tx.gso", stats.tx_gso);
    fn(context, "netback.rx.packets", stats.rx_packets);
    fn(context, "netback.rx.slots", stats.rx_slots);
    fn(context, "netback.rx.dropped", stats.rx_dropped);
    fn(context, "xen.grants", ledger.grants);
    fn(context, "xen.notified_guest", ledger.notified_guest);
    fn(context, "xen.notified_backend", ledger.notified_backend);
}

void rig_counters(struct rig *rig, void (*fn)(void *context, const char *name, uint64_t value),
                  void *context)
{
    struct wisp_counter counter;
    for (uint32_t i = 0; wisp_stack_counter(rig->stack, i, &counter); i++) {
        fn(context, counter.name, counter.value);
    }
    for (uint32_t i = 0; wisp_netfront_counter(rig->front, i, &counter); i++) {
        fn(context, counter.name, counter.value);
    }
    backend_counters(rig, fn, context);
}
