/* SPDX-License-Identifier: ISC */
/*
 * UDP's sockets: memory, binding, the table they are found in, and the list of those with something
 * to tell.
 *
 * The table is small and its keys are our own ports, not a peer's choice; a secret multiplier
 * spreads them. Ephemeral ports are random (RFC 6056 §3.3.1). The ready list is in the order of
 * arrival; a socket shown goes to its end, so one round shows each once and none starves.
 */
#include "arena.h"
#include "assert.h"
#include "count_names.h"
#include "udp_priv.h"

#define EPHEMERAL_FIRST 49152u
#define EPHEMERAL_COUNT 16384u

#define NAMES(NAME)                                                                                \
    NAME(WISP_UDP_RX_DELIVERED, "udp.rx.delivered")                                                \
    NAME(WISP_UDP_RX_SHORT, "udp.rx.short")                                                        \
    NAME(WISP_UDP_RX_BAD_LENGTH, "udp.rx.bad_length")                                              \
    NAME(WISP_UDP_RX_BAD_CHECKSUM, "udp.rx.bad_checksum")                                          \
    NAME(WISP_UDP_RX_PORT_ZERO, "udp.rx.port_zero")                                                \
    NAME(WISP_UDP_RX_NO_SOCKET, "udp.rx.no_socket")                                                \
    NAME(WISP_UDP_RX_QUEUE_FULL, "udp.rx.queue_full")                                              \
    NAME(WISP_UDP_RX_ERROR, "udp.rx.error")                                                        \
    NAME(WISP_UDP_RX_ERROR_UNMATCHED, "udp.rx.error_unmatched")                                    \
    NAME(WISP_UDP_TX_SENT, "udp.tx.sent")                                                          \
    NAME(WISP_UDP_TX_REFUSED, "udp.tx.refused")                                                    \
    NAME(WISP_UDP_BYTES_COLLECTED, "udp.bytes_collected")                                          \
    NAME(WISP_UDP_BYTES_COPIED, "udp.bytes_copied")
WISP_COUNT_NAMES(NAMES, WISP_UDP_COUNTS);

void wisp_udp_config_default(struct wisp_udp_config *config)
{
    *config = (struct wisp_udp_config){.sockets = 16, .queue = 64, .pages = 128, .packets = 256};
}

static uint32_t bucket_count(const struct wisp_udp_config *config)
{
    uint32_t n = 1;
    while (n < config->sockets) {
        n *= 2;
    }
    return n;
}

struct parts {
    struct wisp_udp *udp;
    struct wisp_udp_socket *socket;
    struct wisp_udp_socket **bucket;
    struct udp_entry *entry;
    void *packets;
};

static void layout(const struct wisp_udp_config *config, struct wisp_arena *arena,
                   struct parts *parts)
{
    size_t entries = (size_t)config->sockets * config->queue;
    parts->udp = WISP_ARENA_ARRAY(arena, struct wisp_udp, 1);
    parts->socket = WISP_ARENA_ARRAY(arena, struct wisp_udp_socket, config->sockets);
    parts->bucket = WISP_ARENA_ARRAY(arena, struct wisp_udp_socket *, bucket_count(config));
    parts->entry = WISP_ARENA_ARRAY(arena, struct udp_entry, entries);
    parts->packets = wisp_arena_take(arena, 1, wisp_pktpool_size(config->packets), 64);
}

size_t wisp_udp_size(const struct wisp_udp_config *config)
{
    struct wisp_arena arena = {0};
    struct parts parts;
    layout(config, &arena, &parts);
    return arena.used;
}

static void attach(void *self, struct wisp_l3 *l3)
{
    struct wisp_udp *udp = self;
    udp->l3 = l3;
}

static wisp_time step(void *self, wisp_time now)
{
    struct wisp_udp *udp = self;
    (void)now;
    udp->round++;
    return WISP_NEVER;
}

static bool counter(const void *self, uint32_t index, struct wisp_counter *counter)
{
    return wisp_udp_counter(self, index, counter);
}

static const struct wisp_transport_ops ops = {.attach = attach,
                                              .input = wisp_udp_input,
                                              .error = wisp_udp_icmp_error,
                                              .step = step,
                                              .counter = counter};

static void init_sockets(struct wisp_udp *udp, struct udp_entry *entry)
{
    for (uint32_t i = udp->config.sockets; i-- > 0;) {
        struct wisp_udp_socket *socket = &udp->socket[i];
        *socket = (struct wisp_udp_socket){
            .udp = udp, .next = udp->free, .queue = entry + (size_t)i * udp->config.queue};
        udp->free = socket;
    }
}

struct wisp_udp *wisp_udp_init(void *mem, size_t size, const struct wisp_udp_config *config)
{
    if (size < wisp_udp_size(config)) {
        return NULL;
    }
    struct wisp_arena arena = {.base = mem};
    struct parts parts;
    layout(config, &arena, &parts);
    struct wisp_udp *udp = parts.udp;
    *udp = (struct wisp_udp){.config = *config,
                             .bucket = parts.bucket,
                             .bucket_mask = bucket_count(config) - 1,
                             .socket = parts.socket};
    udp->transport =
        (struct wisp_transport){.ops = &ops, .self = udp, .protocol = WISP_UDP_PROTOCOL};
    wisp_rng_init(&udp->rng, config->hash, config->seed, 0x75647031);
    udp->bucket_key = (uint32_t)wisp_rng_next(&udp->rng) | 1;
    udp->packets =
        wisp_pktpool_init(parts.packets, wisp_pktpool_size(config->packets), config->packets, NULL);
    udp->ready_last = &udp->ready_first;
    for (uint32_t i = 0; i <= udp->bucket_mask; i++) {
        udp->bucket[i] = NULL;
    }
    init_sockets(udp, parts.entry);
    return udp;
}

void wisp_udp_fini(struct wisp_udp *udp)
{
    for (uint32_t i = 0; i < udp->config.sockets; i++) {
        if (udp->socket[i].open) {
            wisp_udp_close(&udp->socket[i]);
        }
    }
}

struct wisp_transport *wisp_udp_transport(struct wisp_udp *udp)
{
    return &udp->transport;
}

static struct wisp_udp_socket **bucket_of(struct wisp_udp *udp, uint16_t port)
{
    return &udp->bucket[(port * udp->bucket_key >> 16) & udp->bucket_mask];
}

struct wisp_udp_socket *wisp_udp_find(struct wisp_udp *udp, const struct wisp_addr *local,
                                      uint16_t port, bool broadcast)
{
    struct wisp_udp_socket *any = NULL;
    for (struct wisp_udp_socket *s = *bucket_of(udp, port); s; s = s->next) {
        if (s->port != port || (broadcast && !s->broadcast)) {
            continue;
        }
        if (s->local.family == WISP_FAMILY_NONE || broadcast) {
            any = s;
        } else if (wisp_addr_equal(&s->local, local)) {
            return s;
        }
    }
    return any;
}

static bool is_taken(struct wisp_udp *udp, const struct wisp_addr *local, uint16_t port)
{
    for (const struct wisp_udp_socket *s = *bucket_of(udp, port); s; s = s->next) {
        if (s->port == port && wisp_addr_equal(&s->local, local)) {
            return true;
        }
    }
    return false;
}

/* A random port nobody has, or 0. */
static uint16_t ephemeral(struct wisp_udp *udp, const struct wisp_addr *local)
{
    uint32_t start = wisp_rng_below(&udp->rng, EPHEMERAL_COUNT);
    for (uint32_t i = 0; i < EPHEMERAL_COUNT; i++) {
        uint16_t port = (uint16_t)(EPHEMERAL_FIRST + (start + i) % EPHEMERAL_COUNT);
        if (!is_taken(udp, local, port)) {
            return port;
        }
    }
    return 0;
}

enum wisp_err wisp_udp_open(struct wisp_udp *udp, const struct wisp_addr *local, uint16_t port,
                            bool broadcast, struct wisp_udp_socket **socket)
{
    struct wisp_addr bound = local ? *local : wisp_addr_any();
    if (port == 0) {
        port = ephemeral(udp, &bound);
    }
    if (port == 0 || is_taken(udp, &bound, port)) {
        return WISP_ERR_IN_USE;
    }
    struct wisp_udp_socket *s = udp->free;
    if (!s) {
        return WISP_ERR_FULL;
    }
    struct wisp_udp_socket **bucket = bucket_of(udp, port);
    udp->free = s->next;
    *s = (struct wisp_udp_socket){.udp = udp,
                                  .next = *bucket,
                                  .queue = s->queue,
                                  .shown = udp->round - 1,
                                  .local = bound,
                                  .port = port,
                                  .ttl = 64,
                                  .open = true,
                                  .broadcast = broadcast};
    *bucket = s;
    *socket = s;
    return WISP_OK;
}

void wisp_udp_make_ready(struct wisp_udp_socket *socket)
{
    struct wisp_udp *udp = socket->udp;
    if (socket->is_ready) {
        return;
    }
    socket->is_ready = true;
    socket->ready = NULL;
    *udp->ready_last = socket;
    udp->ready_last = &socket->ready;
}

static void take_off_ready(struct wisp_udp_socket *socket)
{
    struct wisp_udp *udp = socket->udp;
    struct wisp_udp_socket **link = &udp->ready_first;
    while (*link != socket) {
        link = &(*link)->ready;
    }
    *link = socket->ready;
    if (!*link) {
        udp->ready_last = link;
    }
    socket->is_ready = false;
}

void wisp_udp_close(struct wisp_udp_socket *socket)
{
    struct wisp_udp *udp = socket->udp;
    struct wisp_udp_datagram datagram;
    WISP_ASSERT(socket->open);
    while (wisp_udp_receive(socket, &datagram)) {
        wisp_pkt_drop(datagram.pkt);
    }
    if (socket->collect) {
        wisp_page_unref(socket->collect);
    }
    if (socket->is_ready) {
        take_off_ready(socket);
    }
    struct wisp_udp_socket **link = bucket_of(udp, socket->port);
    while (*link != socket) {
        link = &(*link)->next;
    }
    *link = socket->next;
    socket->open = false;
    socket->collect = NULL;
    socket->next = udp->free;
    udp->free = socket;
}

uint16_t wisp_udp_port(const struct wisp_udp_socket *socket)
{
    return socket->port;
}

void wisp_udp_set(struct wisp_udp_socket *socket, uint8_t ttl, uint8_t tos)
{
    WISP_ASSERT(ttl != 0);
    socket->ttl = ttl;
    socket->tos = tos;
}

void wisp_udp_set_cookie(struct wisp_udp_socket *socket, void *cookie)
{
    socket->cookie = cookie;
}

void *wisp_udp_cookie(const struct wisp_udp_socket *socket)
{
    return socket->cookie;
}

struct wisp_udp_socket *wisp_udp_next(struct wisp_udp *udp)
{
    struct wisp_udp_socket *socket;
    while ((socket = udp->ready_first) != NULL && socket->shown != udp->round) {
        take_off_ready(socket);
        if (socket->in != socket->out || socket->has_error) {
            socket->shown = udp->round;
            wisp_udp_make_ready(socket);
            return socket;
        }
    }
    return NULL;
}

bool wisp_udp_receive(struct wisp_udp_socket *socket, struct wisp_udp_datagram *datagram)
{
    if (socket->in == socket->out) {
        return false;
    }
    const struct udp_entry *entry = &socket->queue[socket->out++ % socket->udp->config.queue];
    *datagram = entry->datagram;
    socket->udp->pages -= entry->pages;
    return true;
}

bool wisp_udp_error(struct wisp_udp_socket *socket, struct wisp_icmp_error *error,
                    uint16_t *remote_port)
{
    if (!socket->has_error) {
        return false;
    }
    *error = socket->error;
    *remote_port = socket->error_port;
    socket->has_error = false;
    return true;
}

bool wisp_udp_counter(const struct wisp_udp *udp, uint32_t index, struct wisp_counter *counter)
{
    return wisp_count_at(&count_names, udp->count, index, counter);
}
