/* SPDX-License-Identifier: ISC */
/* The parts of the hypervisor in memory, as its own files see them. */
#ifndef WISP_MEMXEN_PRIV_H
#define WISP_MEMXEN_PRIV_H

#include "memxen.h"
#include <stdatomic.h>

/* ---- grants.c ---- */

struct memxen_grant {
    _Atomic uint32_t state; /* bits of grants.c; 0: free */
    uint32_t next;          /* free list; the guest's own book-keeping */
    uint8_t *data;
    bool persistent;
};

struct memxen_grants {
    struct memxen_grant *entry;
    uint32_t *by_page; /* references of pages born shared, hashed by address; open addressing */
    uint32_t count;
    uint32_t free;
    uint32_t in_use, persistent;
    uint32_t skip_from;                             /* see struct wisp_memxen_config */
    uint64_t grants, ends, refused_ends, bad_calls; /* the guest's thread */
    _Atomic uint64_t maps, copies, bytes_copied;    /* the backend's */
    _Atomic uint64_t mapped;
};

bool memxen_grants_init(struct memxen_grants *grants, uint32_t count);
void memxen_grants_fini(struct memxen_grants *grants);
uint32_t memxen_grant(struct memxen_grants *grants, uint8_t *data, bool writable);
bool memxen_grant_for_good(struct memxen_grants *grants, uint8_t *data);
uint32_t memxen_grant_find(struct memxen_grants *grants, const uint8_t *data);
bool memxen_grant_end(struct memxen_grants *grants, uint32_t reference);
void memxen_grants_void(struct memxen_grants *grants);
bool memxen_grants_retire(struct memxen_grants *grants);

/* ---- events.c ---- */

struct memxen_port {
    bool open;
    _Atomic bool bound;
    _Atomic bool guest_pending, backend_pending;
};

struct memxen_events {
    struct memxen_port *port;
    uint32_t count;
    uint32_t open;
    uint64_t bad_calls;
    _Atomic uint64_t notified_guest, woken_guest, notified_backend;
};

bool memxen_events_init(struct memxen_events *events, uint32_t count);
void memxen_events_fini(struct memxen_events *events);
uint32_t memxen_event_open(struct memxen_events *events);
void memxen_event_close(struct memxen_events *events, uint32_t port);
void memxen_event_notify(struct memxen_events *events, uint32_t port);
bool memxen_event_pending(struct memxen_events *events, uint32_t port);
void memxen_events_void(struct memxen_events *events);

/* ---- store.c ---- */

enum memxen_owner { MEMXEN_OWNER_GUEST, MEMXEN_OWNER_BACKEND };

struct memxen_node;
struct memxen_watch;
struct memxen_change;

struct memxen_store {
    struct memxen_node *nodes;
    struct memxen_watch *watches;
    struct memxen_change *changes; /* of open transactions: written, removed or only read */
    uint64_t generation;
    uint64_t begun[8]; /* generation at the start of transaction k + 1; 0: not open */
};

void memxen_store_init(struct memxen_store *store);
void memxen_store_fini(struct memxen_store *store);
const char *memxen_store_read(struct memxen_store *store, wisp_xs_tx tx, const char *path);
bool memxen_store_write(struct memxen_store *store, wisp_xs_tx tx, const char *path,
                        const char *value);
wisp_xs_tx memxen_store_begin(struct memxen_store *store);
enum wisp_xs_result memxen_store_end(struct memxen_store *store, wisp_xs_tx tx, bool commit);
bool memxen_store_watch(struct memxen_store *store, enum memxen_owner owner, const char *path,
                        uint32_t token);
void memxen_store_unwatch(struct memxen_store *store, enum memxen_owner owner, uint32_t token);
bool memxen_store_changed(struct memxen_store *store, enum memxen_owner owner, uint32_t token);
void memxen_store_fire_all(struct memxen_store *store);
uint32_t memxen_store_watches(const struct memxen_store *store, enum memxen_owner owner);
uint32_t memxen_store_transactions(const struct memxen_store *store);

/* ---- hypervisor.c ---- */

struct memxen_fault {
    uint32_t skip, count;
};

struct wisp_memxen {
    struct wisp_hypervisor hv; /* first: what the driver sees */
    struct memxen_grants grants;
    struct memxen_events events;
    struct memxen_store store;
    struct memxen_fault fault[WISP_MEMXEN_FAULTS];
    uint32_t next_watch;
    wisp_time now;
};

#endif
