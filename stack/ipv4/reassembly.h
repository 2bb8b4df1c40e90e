/* SPDX-License-Identifier: ISC */
/*
 * Reassembly as an object handed in at init, so that who does not name it does not link it. IPv4
 * gives it fragments and gets whole datagrams back.
 */
#ifndef WISP_IPV4_REASSEMBLY_H
#define WISP_IPV4_REASSEMBLY_H

#include "arena.h"
#include "ipv4_wire.h"
#include <wisp/clock.h>
#include <wisp/counter.h>
#include <wisp/hash.h>
#include <wisp/pkt.h>

struct wisp_reassembly;

struct wisp_reassembly_config {
    uint32_t datagrams; /* under reassembly at once */
    uint32_t pages_max; /* that fragments may hold in all */
    struct wisp_pool *pages;
    wisp_hash_fn hash;
    const uint8_t *seed; /* 32 bytes, read during init only */

    /* A datagram whose first fragment came was not complete in time: fragment starts at its
     * payload, its IPv4 header of header_size bytes stands before it. Borrowed. */
    void (*timed_out)(void *self, const uint8_t *header, uint8_t header_size,
                      const struct wisp_view *payload, wisp_time now);
    void *self;
};

/* A fragment: pkt starts at its payload and is cut to it; header are the bytes of its IPv4 header.
 */
struct wisp_fragment {
    struct wisp_pkt *pkt;
    const struct wisp_ipv4_header *header;
    const uint8_t *bytes;
};

struct wisp_reassembly_ops {
    /* Takes memory from arena; null while measuring. */
    struct wisp_reassembly *(*layout)(const struct wisp_reassembly_config *config,
                                      struct wisp_arena *arena);
    void (*init)(struct wisp_reassembly *ra, const struct wisp_reassembly_config *config);
    void (*fini)(struct wisp_reassembly *ra);

    /* Moves a fragment in. When the datagram is whole, it comes back: it starts at its payload, the
     * first fragment's header stands before it on the same page, and *header is that with the
     * whole's length. */
    struct wisp_pkt *(*input)(struct wisp_reassembly *ra, const struct wisp_fragment *fragment,
                              struct wisp_ipv4_header *header, wisp_time now);

    /* Gives up what is too old; when to call it next. */
    void (*expire)(struct wisp_reassembly *ra, wisp_time now);
    wisp_time (*deadline)(const struct wisp_reassembly *ra);

    bool (*counter)(const struct wisp_reassembly *ra, uint32_t index, struct wisp_counter *counter);
};

#endif
