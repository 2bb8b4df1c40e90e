/* SPDX-License-Identifier: ISC */
/*
 * The hypervisor in memory as the guest sees it: the table of xen-netfront/hypervisor.h, filled from grants.c,
 * events.c and store.c, with faults where a test asked for them; and the ledger over all of it.
 *
 * Paths a guest gives relative are below its home, /local/domain/ID, as xenstored has it.
 */
#include "memxen_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_GRANTS 16384
#define DEFAULT_PORTS  64

static struct wisp_memxen *xen_of(struct wisp_hypervisor *hv)
{
    return (struct wisp_memxen *)(void *)hv;
}

/* True when this call is one that is to fail. */
static bool fails(struct wisp_memxen *xen, enum wisp_memxen_fault which)
{
    struct memxen_fault *fault = &xen->fault[which];
    if (fault->count == 0) {
        return false;
    }
    if (fault->skip > 0) {
        fault->skip--;
        return false;
    }
    fault->count--;
    return true;
}

void wisp_memxen_fail(struct wisp_memxen *xen, enum wisp_memxen_fault fault, uint32_t skip,
                      uint32_t count)
{
    xen->fault[fault] = (struct memxen_fault){skip, count};
}

static uint32_t grant(struct wisp_hypervisor *hv, uint16_t domain, struct wisp_page *page,
                      bool writable)
{
    struct wisp_memxen *xen = xen_of(hv);
    if (domain != WISP_MEMXEN_BACKEND || fails(xen, WISP_MEMXEN_FAIL_GRANT)) {
        return WISP_GRANT_NONE;
    }
    if (xen->grants.persistent > 0) {
        return memxen_grant_find(&xen->grants, page->data);
    }
    return memxen_grant(&xen->grants, page->data, writable);
}

static bool end_grant(struct wisp_hypervisor *hv, uint32_t reference)
{
    struct wisp_memxen *xen = xen_of(hv);
    return !fails(xen, WISP_MEMXEN_FAIL_END_GRANT) && memxen_grant_end(&xen->grants, reference);
}

/* The table was emptied by wisp_memxen_resume already; a guest that forgets at another time leaks. */
static void forget_grants(struct wisp_hypervisor *hv)
{
    (void)hv;
}

static uint32_t event_open(struct wisp_hypervisor *hv, uint16_t domain)
{
    struct wisp_memxen *xen = xen_of(hv);
    if (domain != WISP_MEMXEN_BACKEND || fails(xen, WISP_MEMXEN_FAIL_EVENT)) {
        return WISP_EVENT_NONE;
    }
    return memxen_event_open(&xen->events);
}

static void event_close(struct wisp_hypervisor *hv, uint32_t port)
{
    memxen_event_close(&xen_of(hv)->events, port);
}

static void event_notify(struct wisp_hypervisor *hv, uint32_t port)
{
    memxen_event_notify(&xen_of(hv)->events, port);
}

static bool event_pending(struct wisp_hypervisor *hv, uint32_t port)
{
    return memxen_event_pending(&xen_of(hv)->events, port);
}

/* The absolute path; false: too long. */
static bool absolute(const char *path, char out[WISP_XS_PATH_MAX])
{
    const char *home = path[0] == '/' ? "" : "/local/domain/1/";
    return snprintf(out, WISP_XS_PATH_MAX, "%s%s", home, path) < (int)WISP_XS_PATH_MAX;
}

static enum wisp_xs_result xs_read(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                   char *value, size_t size)
{
    char full[WISP_XS_PATH_MAX];
    if (!absolute(path, full)) {
        return WISP_XS_FAILED;
    }
    const char *found = memxen_store_read(&xen_of(hv)->store, tx, full);
    if (!found) {
        return WISP_XS_ABSENT;
    }
    if (strlen(found) >= size) {
        return WISP_XS_FAILED;
    }
    memcpy(value, found, strlen(found) + 1);
    return WISP_XS_OK;
}

static enum wisp_xs_result xs_write(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                    const char *value)
{
    char full[WISP_XS_PATH_MAX];
    if (fails(xen_of(hv), WISP_MEMXEN_FAIL_WRITE) || !absolute(path, full) ||
        !memxen_store_write(&xen_of(hv)->store, tx, full, value)) {
        return WISP_XS_FAILED;
    }
    return WISP_XS_OK;
}

static enum wisp_xs_result xs_remove(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path)
{
    char full[WISP_XS_PATH_MAX];
    if (!absolute(path, full)) {
        return WISP_XS_FAILED;
    }
    if (!memxen_store_read(&xen_of(hv)->store, tx, full)) {
        return WISP_XS_ABSENT;
    }
    return memxen_store_write(&xen_of(hv)->store, tx, full, NULL) ? WISP_XS_OK : WISP_XS_FAILED;
}

static wisp_xs_tx xs_begin(struct wisp_hypervisor *hv)
{
    struct wisp_memxen *xen = xen_of(hv);
    return fails(xen, WISP_MEMXEN_FAIL_BEGIN) ? 0 : memxen_store_begin(&xen->store);
}

static enum wisp_xs_result xs_end(struct wisp_hypervisor *hv, wisp_xs_tx tx, bool abort_it)
{
    struct wisp_memxen *xen = xen_of(hv);
    bool again = !abort_it && fails(xen, WISP_MEMXEN_FAIL_END_AGAIN);
    bool failed = !abort_it && fails(xen, WISP_MEMXEN_FAIL_END);
    enum wisp_xs_result result = memxen_store_end(&xen->store, tx, !abort_it && !again && !failed);
    return again ? WISP_XS_AGAIN : failed ? WISP_XS_FAILED : result;
}

static enum wisp_xs_result xs_watch(struct wisp_hypervisor *hv, const char *path, uint32_t token)
{
    char full[WISP_XS_PATH_MAX];
    bool good = absolute(path, full) &&
                memxen_store_watch(&xen_of(hv)->store, MEMXEN_OWNER_GUEST, full, token);
    return good ? WISP_XS_OK : WISP_XS_FAILED;
}

static void xs_unwatch(struct wisp_hypervisor *hv, const char *path, uint32_t token)
{
    (void)path;
    memxen_store_unwatch(&xen_of(hv)->store, MEMXEN_OWNER_GUEST, token);
}

static bool xs_changed(struct wisp_hypervisor *hv, uint32_t token)
{
    return memxen_store_changed(&xen_of(hv)->store, MEMXEN_OWNER_GUEST, token);
}

static wisp_time now(struct wisp_hypervisor *hv)
{
    return xen_of(hv)->now;
}

static const struct wisp_hypervisor_ops ops = {
    .grant = grant,
    .end_grant = end_grant,
    .forget_grants = forget_grants,
    .event_open = event_open,
    .event_close = event_close,
    .event_notify = event_notify,
    .event_pending = event_pending,
    .xs_read = xs_read,
    .xs_write = xs_write,
    .xs_remove = xs_remove,
    .xs_begin = xs_begin,
    .xs_end = xs_end,
    .xs_watch = xs_watch,
    .xs_unwatch = xs_unwatch,
    .xs_changed = xs_changed,
    .now = now,
};

struct wisp_memxen *wisp_memxen_open(const struct wisp_memxen_config *config)
{
    struct wisp_memxen *xen = calloc(1, sizeof(*xen));
    if (!xen) {
        return NULL;
    }
    xen->hv.ops = &ops;
    xen->hv.policy = config->policy;
    memxen_store_init(&xen->store);
    if (!memxen_grants_init(&xen->grants, config->grants ? config->grants : DEFAULT_GRANTS) ||
        !memxen_events_init(&xen->events, config->ports ? config->ports : DEFAULT_PORTS)) {
        wisp_memxen_close(xen);
        return NULL;
    }
    xen->grants.skip_from = config->skip_from;
    return xen;
}

bool wisp_memxen_share(struct wisp_memxen *xen, struct wisp_pool *pool)
{
    struct wisp_pool_stats stats;
    bool all = true;
    wisp_pool_stats(pool, &stats);
    for (uint32_t i = 0; i < stats.pages; i++) {
        all &= memxen_grant_for_good(&xen->grants, wisp_pool_page(pool, i)->data);
    }
    return all;
}

void wisp_memxen_close(struct wisp_memxen *xen)
{
    memxen_grants_fini(&xen->grants);
    memxen_events_fini(&xen->events);
    memxen_store_fini(&xen->store);
    free(xen);
}

struct wisp_hypervisor *wisp_memxen_hypervisor(struct wisp_memxen *xen)
{
    return &xen->hv;
}

void wisp_memxen_set_time(struct wisp_memxen *xen, wisp_time when)
{
    if (when > xen->now) {
        xen->now = when;
    }
}

wisp_time wisp_memxen_time(const struct wisp_memxen *xen)
{
    return xen->now;
}

void wisp_memxen_ledger(const struct wisp_memxen *xen, struct wisp_memxen_ledger *ledger)
{
    const struct memxen_grants *grants = &xen->grants;
    *ledger = (struct wisp_memxen_ledger){
        .granted = grants->in_use,
        .persistent = grants->persistent,
        .mapped = (uint32_t)atomic_load(&grants->mapped),
        .ports = xen->events.open,
        .watches = memxen_store_watches(&xen->store, MEMXEN_OWNER_GUEST),
        .transactions = memxen_store_transactions(&xen->store),
        .grants = grants->grants,
        .ends = grants->ends,
        .refused_ends = grants->refused_ends,
        .maps = atomic_load(&grants->maps),
        .copies = atomic_load(&grants->copies),
        .bytes_copied = atomic_load(&grants->bytes_copied),
        .notified_guest = atomic_load(&xen->events.notified_guest),
        .woken_guest = atomic_load(&xen->events.woken_guest),
        .notified_backend = atomic_load(&xen->events.notified_backend),
        .bad_calls = grants->bad_calls + xen->events.bad_calls,
    };
}

bool wisp_memxen_balanced(const struct wisp_memxen *xen, char *text, size_t size)
{
    struct wisp_memxen_ledger l;
    wisp_memxen_ledger(xen, &l);
    bool good = l.granted == 0 && l.mapped == 0 && l.ports == 0 && l.watches == 0 &&
                l.transactions == 0 && l.bad_calls == 0;
    if (size > 0) {
        snprintf(text, size,
                 "granted %u, mapped %u, ports %u, watches %u, transactions %u, bad calls %llu",
                 l.granted, l.mapped, l.ports, l.watches, l.transactions,
                 (unsigned long long)l.bad_calls);
    }
    return good;
}

bool wisp_memxen_retire(struct wisp_memxen *xen)
{
    return memxen_grants_retire(&xen->grants);
}

void wisp_memxen_resume(struct wisp_memxen *xen)
{
    memxen_grants_void(&xen->grants);
    memxen_events_void(&xen->events);
    memxen_store_fire_all(&xen->store);
    xen->hv.resumes++;
}

/* ---- the other side of xenstore ---- */

const char *wisp_memxen_read(const struct wisp_memxen *xen, const char *path)
{
    /* Outside of a transaction reading changes nothing. */
    return memxen_store_read((struct memxen_store *)&xen->store, 0, path);
}

void wisp_memxen_write(struct wisp_memxen *xen, const char *path, const char *value)
{
    memxen_store_write(&xen->store, 0, path, value);
}

uint32_t wisp_memxen_watch(struct wisp_memxen *xen, const char *path)
{
    uint32_t watch = xen->next_watch++;
    memxen_store_watch(&xen->store, MEMXEN_OWNER_BACKEND, path, watch);
    return watch;
}

void wisp_memxen_unwatch(struct wisp_memxen *xen, uint32_t watch)
{
    memxen_store_unwatch(&xen->store, MEMXEN_OWNER_BACKEND, watch);
}

bool wisp_memxen_changed(struct wisp_memxen *xen, uint32_t watch)
{
    return memxen_store_changed(&xen->store, MEMXEN_OWNER_BACKEND, watch);
}
