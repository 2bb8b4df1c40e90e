/* SPDX-License-Identifier: ISC */
/*
 * The instance: memory, and the table by which the stack drives it (l3.h). One step: timers, answers that belong
 * to no connection, SYN-ACKs, then the connections' output.
 */
#include "arena.h"
#include "assert.h"
#include "tcp_priv.h"
#include <string.h>

#define PROTOCOL_TCP 6

enum { KEY_TABLE = 0x7463701, KEY_ISN, KEY_PORT, KEY_RNG };

void wisp_tcp_config_default(struct wisp_tcp_config *config)
{
    *config = (struct wisp_tcp_config){.connections = 256,
                                       .listeners = 8,
                                       .half_open = 256,
                                       .time_wait = 1024,
                                       .send_pages = 256,
                                       .receive_pages = 256,
                                       .receive_window = 512 * 1024,
                                       .rto_min = WISP_MS(200),
                                       .delayed_ack = WISP_MS(40),
                                       .time_wait_for = WISP_SEC(60),
                                       .working_idle = WISP_SEC(1),
                                       .timestamps = true,
                                       .sack = true,
                                       .window_scaling = true,
                                       .ttl = 64};
}

static uint32_t parts(const struct wisp_tcp_config *config)
{
    return config->working ? config->working : config->connections;
}

static uint32_t blocks(const struct wisp_tcp_config *config)
{
    return config->blocks ? config->blocks : 8 * parts(config);
}

static uint32_t slots(const struct wisp_tcp_config *config)
{
    return wisp_tcp_table_slots(config->connections + config->half_open + config->time_wait + 1);
}

struct layout {
    struct wisp_tcp *tcp;
    struct tcp_slot *slot;
    struct tcp_pool_block *block;
    struct tcp_part *part;
    uint8_t *at_place;
    struct wisp_tcp_conn *conn;
    struct tcp_cold *cold;
    struct tcp_half4 *half;
    struct tcp_time_wait4 *time_wait;
    struct wisp_tcp_listener *listener;
};

static size_t lay_out(uint8_t *base, const struct wisp_tcp_config *config, struct layout *l)
{
    struct wisp_arena arena = {base, 0};
    l->tcp = wisp_arena_take(&arena, 1, sizeof(*l->tcp), 64);
    l->conn = wisp_arena_take(&arena, config->connections, sizeof(*l->conn), 64);
    l->cold = wisp_arena_take(&arena, config->connections, sizeof(*l->cold), 64);
    l->part = wisp_arena_take(&arena, parts(config), sizeof(*l->part), 64);
    l->at_place = wisp_arena_take(&arena, parts(config), sizeof(*l->at_place), 64);
    l->block = wisp_arena_take(&arena, blocks(config), sizeof(*l->block), 64);
    l->slot = wisp_arena_take(&arena, slots(config), sizeof(*l->slot), 64);
    l->half = wisp_arena_take(&arena, config->half_open, sizeof(*l->half), 64);
    l->time_wait = wisp_arena_take(&arena, config->time_wait, sizeof(*l->time_wait), 64);
    l->listener = wisp_arena_take(&arena, config->listeners, sizeof(*l->listener), 64);
    return arena.used;
}

size_t wisp_tcp_size(const struct wisp_tcp_config *config)
{
    struct layout l;
    return lay_out(NULL, config, &l);
}

/* What a connection is sure to have pages for, whatever size its segments will have. */
static uint16_t first_window_for(const struct wisp_tcp_config *config)
{
    uint32_t window = config->receive_window < UINT16_MAX ? config->receive_window : UINT16_MAX;
    uint32_t pages = config->receive_pages * TCP_MSS_DEFAULT;
    return (uint16_t)(window < pages ? window : pages);
}

/* The least shift that lets the largest window be told in 16 bits. */
static uint8_t shift_for(uint32_t window)
{
    uint8_t shift = 0;
    while (shift < TCP_SHIFT_MAX && (window >> shift) > UINT16_MAX) {
        shift++;
    }
    return shift;
}

static void chain_up(struct wisp_tcp *tcp, const struct layout *l)
{
    const struct wisp_tcp_config *config = &tcp->config;
    tcp->free_conn = tcp->free_half = tcp->free_wait = TCP_NONE;
    for (uint32_t i = config->connections; i-- > 0;) {
        l->conn[i] = (struct wisp_tcp_conn){.tcp = tcp, .output_next = tcp->free_conn};
        tcp->free_conn = i;
    }
    wisp_tcp_parts_init(&tcp->parts, l->part, l->at_place, parts(config));
    for (uint32_t i = config->half_open; i-- > 0;) {
        l->half[i] = (struct tcp_half4){.next = tcp->free_half};
        tcp->free_half = i;
    }
    for (uint32_t i = config->time_wait; i-- > 0;) {
        l->time_wait[i] = (struct tcp_time_wait4){.next = tcp->free_wait};
        tcp->free_wait = i;
    }
    for (uint32_t i = 0; i < config->listeners; i++) {
        l->listener[i] = (struct wisp_tcp_listener){.tcp = tcp};
    }
    wisp_tcp_blocks_init(&tcp->blocks, l->block, blocks(config));
    wisp_tcp_table_init(&tcp->table, l->slot, slots(config));
}

static void attach(void *self, struct wisp_l3 *l3)
{
    struct wisp_tcp *tcp = self;
    tcp->l3 = l3;
}

static void input(void *self, struct wisp_pkt *pkt, const struct wisp_arrival *arrival,
                  wisp_time now)
{
    wisp_tcp_arrival_input(self, pkt, arrival, now);
}

static void error(void *self, const struct wisp_icmp_error *icmp, wisp_time now)
{
    wisp_tcp_error_input(self, icmp, now);
}

static void sent(void *self, struct wisp_pkt *pkt, wisp_time now)
{
    struct wisp_tcp *tcp = self;
    struct wisp_tcp_conn *conn = pkt->mark;
    tcp->now = now;
    conn->held--;
    wisp_tcp_record_sent(conn, seq_of(pkt->mark_value));
    wisp_tcp_conn_settle(conn);
}

/* Something is to be sent: after a step, for which there was no room. */
static bool owes(const struct wisp_tcp *tcp)
{
    return tcp->output.head != TCP_NONE || tcp->half_due.head != TCP_NONE ||
           tcp->reply_in != tcp->reply_out;
}

/* When the oldest TIME-WAIT entry ends. */
static wisp_time wait_deadline(const struct wisp_tcp *tcp, wisp_time now)
{
    uint32_t left = tcp->time_wait[tcp->waiting.head].expires - tcp_ms(now) + 1;
    wisp_time floor = now - now % 1000000u;
    return (int32_t)left > 0 ? floor + WISP_MS(left) : now;
}

static wisp_time step(void *self, wisp_time now)
{
    struct wisp_tcp *tcp = self;
    tcp->now = now;
    if (tcp->told.head != TCP_NONE || tcp->strays) {
        wisp_tcp_told_again(tcp);
    }
    if (tcp->waiting.head != TCP_NONE) {
        wisp_tcp_time_wait_expire(tcp, now);
    }
    if (now >= tcp->timers_at) {
        wisp_tcp_timer_expire(tcp, now);
    }
    if (owes(tcp)) {
        wisp_tcp_reply_run(tcp, now);
        wisp_tcp_half_run(tcp, now);
        wisp_tcp_output_run(tcp, now);
    }
    if (owes(tcp)) {
        return now;
    }
    return tcp->waiting.head == TCP_NONE ? tcp->timers_at
                                         : wisp_time_min(tcp->timers_at, wait_deadline(tcp, now));
}

static void address_lost(void *self, const struct wisp_addr *local, wisp_time now)
{
    struct wisp_tcp *tcp = self;
    for (uint32_t i = 0; i < tcp->config.connections; i++) {
        struct wisp_tcp_conn *conn = &tcp->conn[i];
        if ((conn->flags & TCP_TABLED) && tcp_addr_same(&conn->flow.local, local)) {
            wisp_tcp_conn_end(conn, WISP_ERR_ADDRESS_LOST, now);
        }
    }
    for (uint32_t i = 0; i < tcp->config.half_open && local->family == WISP_FAMILY_IP4; i++) {
        struct tcp_half4 *half = &tcp->half[i];
        if ((half->flags & TCP_HALF_USED) && wisp_ip4_equal(half->local, local->u.ip4)) {
            wisp_tcp_half_remove(tcp, half);
        }
    }
    for (uint32_t i = 0; i < tcp->config.time_wait && local->family == WISP_FAMILY_IP4; i++) {
        struct tcp_time_wait4 *wait = &tcp->time_wait[i];
        if ((wait->flags & TCP_HALF_USED) && wisp_ip4_equal(wait->local, local->u.ip4)) {
            wisp_tcp_time_wait_remove(tcp, wait);
        }
    }
}

static bool counter(const void *self, uint32_t index, struct wisp_counter *out)
{
    return wisp_tcp_counter(self, index, out);
}

static const struct wisp_transport_ops transport_ops = {
    .attach = attach,
    .input = input,
    .error = error,
    .sent = sent,
    .step = step,
    .address_lost = address_lost,
    .counter = counter,
};

struct wisp_tcp *wisp_tcp_init(void *mem, size_t size, const struct wisp_tcp_config *config)
{
    struct layout l;
    WISP_ASSERT(config->cc && config->hash && config->receive_window <= 1u << 30);
    WISP_ASSERT(config->receive_pages < UINT16_MAX && config->connections > 0);
    if (size < lay_out(mem, config, &l)) {
        return NULL;
    }
    struct wisp_tcp *tcp = l.tcp;
    memset(tcp, 0, sizeof(*tcp));
    tcp->transport = (struct wisp_transport){&transport_ops, tcp, PROTOCOL_TCP, NULL};
    tcp->config = *config;
    tcp->conn = l.conn;
    tcp->cold = l.cold;
    tcp->half = l.half;
    tcp->time_wait = l.time_wait;
    tcp->listener = l.listener;
    tcp->window_shift = shift_for(config->receive_window);
    tcp->first_window = first_window_for(config);
    tcp->output.head = tcp->events.head = tcp->told.head = TCP_NONE;
    tcp->half_due.head = tcp->waiting.head = TCP_NONE;
    tcp->timers_at = tcp->late_at = WISP_NEVER;
    chain_up(tcp, &l);
    wisp_wheel_init(&tcp->wheel, 0);
    wisp_wheel_init(&tcp->half_wheel, 0);
    wisp_rng_init(&tcp->rng, config->hash, config->seed, KEY_RNG);
    wisp_rng_key(config->hash, config->seed, KEY_TABLE, tcp->key_table);
    wisp_rng_key(config->hash, config->seed, KEY_ISN, tcp->key_isn);
    wisp_rng_key(config->hash, config->seed, KEY_PORT, tcp->key_port);
    return tcp;
}

void wisp_tcp_fini(struct wisp_tcp *tcp)
{
    for (uint32_t i = 0; i < tcp->config.connections; i++) {
        if (tcp->conn[i].part) {
            wisp_tcp_part_give(&tcp->conn[i]);
        }
    }
}

struct wisp_transport *wisp_tcp_transport(struct wisp_tcp *tcp)
{
    return &tcp->transport;
}
