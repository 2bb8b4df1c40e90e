/* SPDX-License-Identifier: ISC */
/*
 * Numbers nobody can guess: initial sequence numbers (RFC 6528, MUST-8, SHLD-1: a clock of 4 us plus a keyed
 * hash of the four-tuple) and local ports (RFC 6056 §3.3.3 and §3.3.5: a keyed offset per remote end plus a
 * counter that moves on by random steps).
 */
#include "tcp_priv.h"

#define PORT_FIRST 49152u
#define PORT_COUNT 16384u
#define STEP_MAX   64u

struct tcp_seq wisp_tcp_isn(struct wisp_tcp *tcp, const struct tcp_tuple *tuple, wisp_time now)
{
    uint64_t hash = wisp_tcp_tuple_hash(tcp->config.hash, tcp->key_isn, tuple);
    return seq_of((uint32_t)(now / 4000u) + (uint32_t)hash);
}

uint16_t wisp_tcp_port_pick(struct wisp_tcp *tcp, struct tcp_tuple *tuple)
{
    tuple->local_port = 0;
    uint32_t offset = (uint32_t)wisp_tcp_tuple_hash(tcp->config.hash, tcp->key_port, tuple);
    tcp->port_counter += wisp_rng_below(&tcp->rng, STEP_MAX);
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint32_t port = PORT_FIRST + (offset + tcp->port_counter++) % PORT_COUNT;
        tuple->local_port = (uint16_t)port;
        if (!wisp_tcp_find(tcp, tuple) &&
            !wisp_tcp_listener_find(tcp, tuple->local, tuple->local_port)) {
            return tuple->local_port;
        }
    }
    return 0;
}
