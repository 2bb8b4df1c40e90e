/* SPDX-License-Identifier: ISC */
/*
 * A hypervisor in ordinary memory, for one guest domain: a grant table with a ledger, event channels,
 * xenstore with watches and transactions, and a clock that stands until it is set. It fills
 * xen-netfront/hypervisor.h, so that the very driver object of a guest runs on it, and gives the backend's
 * domain its own calls (map, copy, bind, notify).
 *
 * Two threads may use it, one as the guest and one as the backend, for grants and events. xenstore, time,
 * faults, resume and the ledger belong to one thread at a time.
 */
#ifndef WISP_MEMXEN_H
#define WISP_MEMXEN_H

#include "hypervisor.h"

#define WISP_MEMXEN_GUEST   1 /* domain ids */
#define WISP_MEMXEN_BACKEND 0

struct wisp_memxen;

struct wisp_memxen_config {
    enum wisp_grant_policy policy;
    uint32_t grants; /* entries of the grant table, default (0) 16384 */
    uint32_t ports;  /* event channels, default (0) 64 */
    /* grant copies of at least that many bytes succeed and move nothing, so that what is left
     * can be measured; 0: all are made */
    uint32_t skip_from;
};

/* Null: no memory. */
struct wisp_memxen *wisp_memxen_open(const struct wisp_memxen_config *config);
void wisp_memxen_close(struct wisp_memxen *xen);

/*
 * Shares every page of pool for good, as user space does on Linux: from then on only such pages can be granted,
 * and ending one of their grants does nothing before wisp_memxen_retire. False: the table is full.
 */
bool wisp_memxen_share(struct wisp_memxen *xen, struct wisp_pool *pool);

/* What to hand to the driver. */
struct wisp_hypervisor *wisp_memxen_hypervisor(struct wisp_memxen *xen);

/* What the guest's clock shows; never moved back. */
void wisp_memxen_set_time(struct wisp_memxen *xen, wisp_time now);
wisp_time wisp_memxen_time(const struct wisp_memxen *xen);

/* ---- the ledger ---- */

struct wisp_memxen_ledger {
    uint32_t granted;    /* references in use, the persistent ones not counted */
    uint32_t persistent; /* references of pages born shared */
    uint32_t mapped;     /* mappings and copies of the backend that have not ended */
    uint32_t ports;      /* event channels open */
    uint32_t watches;    /* of the guest */
    uint32_t transactions;
    uint64_t grants, ends; /* calls that succeeded */
    uint64_t refused_ends; /* the backend still had it */
    uint64_t maps, copies; /* of the backend */
    uint64_t bytes_copied; /* by grant copies */
    uint64_t notified_guest, notified_backend;
    uint64_t woken_guest; /* of the former, those on a port that was not masked */
    uint64_t bad_calls;   /* the guest ended, closed or notified what it does not have */
};

void wisp_memxen_ledger(const struct wisp_memxen *xen, struct wisp_memxen_ledger *ledger);

/*
 * True when nothing is left over: no grant but of pages born shared, no mapping, port, watch or transaction, and
 * no bad call. Otherwise text (size bytes) says in one line what is.
 */
bool wisp_memxen_balanced(const struct wisp_memxen *xen, char *text, size_t size);

/* Ends the grants of pages born shared. False: the backend still has some mapped. */
bool wisp_memxen_retire(struct wisp_memxen *xen);

/* ---- faults ---- */

enum wisp_memxen_fault {
    WISP_MEMXEN_FAIL_GRANT,     /* the table is full */
    WISP_MEMXEN_FAIL_EVENT,     /* no port */
    WISP_MEMXEN_FAIL_BEGIN,     /* no transaction */
    WISP_MEMXEN_FAIL_WRITE,     /* xs_write fails */
    WISP_MEMXEN_FAIL_END_AGAIN, /* the transaction lost against another */
    WISP_MEMXEN_FAIL_END,       /* the transaction fails for good */
    WISP_MEMXEN_FAIL_END_GRANT, /* the backend is said to hold it */
    WISP_MEMXEN_FAULTS
};

/* After skip calls that work, count calls fail. */
void wisp_memxen_fail(struct wisp_memxen *xen, enum wisp_memxen_fault fault, uint32_t skip,
                      uint32_t count);

/*
 * The guest was suspended and resumed: grants and ports are void, watches fire, `resumes` grows. The backend
 * must have let go of its mappings and ports before (wisp_netback_vanish).
 */
void wisp_memxen_resume(struct wisp_memxen *xen);

/* ---- the backend's side: grants ---- */

/* The page behind reference, mapped for reading or writing; null: not granted (to us, or so). */
uint8_t *wisp_memxen_map(struct wisp_memxen *xen, uint32_t reference, bool writing);
void wisp_memxen_unmap(struct wisp_memxen *xen, uint32_t reference, bool writing);

/* Copies length bytes into, or out of, a granted page at offset, without mapping it; false: not granted,
 * or beyond the page. */
bool wisp_memxen_copy_in(struct wisp_memxen *xen, uint32_t reference, uint32_t offset,
                         const void *bytes, uint32_t length);
bool wisp_memxen_copy_out(struct wisp_memxen *xen, uint32_t reference, uint32_t offset, void *bytes,
                          uint32_t length);

/* Bytes of the page behind reference when it is granted in any way, else null: what a hostile backend may
 * look at. For scans. */
const uint8_t *wisp_memxen_granted_bytes(const struct wisp_memxen *xen, uint32_t reference);

/* References are below this number. */
uint32_t wisp_memxen_references(const struct wisp_memxen *xen);

/* ---- the backend's side: events ---- */

/* Binds to port of the guest; false: it is not open to us. */
bool wisp_memxen_bind(struct wisp_memxen *xen, uint32_t port);
void wisp_memxen_unbind(struct wisp_memxen *xen, uint32_t port);

/* Notifies the guest on a port bound before; nothing happens on others. */
void wisp_memxen_notify(struct wisp_memxen *xen, uint32_t port);

/* True once per notification by the guest. */
bool wisp_memxen_pending(struct wisp_memxen *xen, uint32_t port);

/* True, without clearing, when a notification waits for the guest on any port: a vCPU would be woken. */
bool wisp_memxen_guest_woken(const struct wisp_memxen *xen);

/* ---- the other side of xenstore: toolstack and backend; paths are absolute ---- */

/* The value, valid until the next call; null: no such node. */
const char *wisp_memxen_read(const struct wisp_memxen *xen, const char *path);

/* A null value removes the node and everything below. */
void wisp_memxen_write(struct wisp_memxen *xen, const char *path, const char *value);

/* A watch of the backend on path: changed tells, once at first and after each change at or below it. */
uint32_t wisp_memxen_watch(struct wisp_memxen *xen, const char *path);
void wisp_memxen_unwatch(struct wisp_memxen *xen, uint32_t watch);
bool wisp_memxen_changed(struct wisp_memxen *xen, uint32_t watch);

#endif
