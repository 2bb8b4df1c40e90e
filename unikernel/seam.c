/* SPDX-License-Identifier: ISC */
/* The seam under the ring driver, filled by hypercalls. Each page is granted for one use and the
 * grant ended. */
#include "seam.h"
#include "clock.h"
#include "events.h"
#include "grants.h"
#include "xenstore.h"

static uint32_t grant(struct wisp_hypervisor *hv, uint16_t domain, struct wisp_page *page,
                      bool writable)
{
    (void)hv;
    uint32_t reference = wisp_grant_open(domain, page->data, writable);
    return reference == WISP_GRANT_FULL ? WISP_GRANT_NONE : reference;
}

static bool end_grant(struct wisp_hypervisor *hv, uint32_t reference)
{
    (void)hv;
    return wisp_grant_close(reference);
}

/* An image is never resumed. */
static void forget_grants(struct wisp_hypervisor *hv)
{
    (void)hv;
}

static uint32_t event_open(struct wisp_hypervisor *hv, uint16_t domain)
{
    (void)hv;
    return wisp_event_open(domain);
}

static void event_close(struct wisp_hypervisor *hv, uint32_t port)
{
    (void)hv;
    wisp_event_close(port);
}

static void event_notify(struct wisp_hypervisor *hv, uint32_t port)
{
    (void)hv;
    wisp_event_notify(port);
}

static bool event_pending(struct wisp_hypervisor *hv, uint32_t port)
{
    (void)hv;
    return wisp_event_pending(port);
}

static enum wisp_xs_result xs_read(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                   char *value, size_t size)
{
    (void)hv;
    return wisp_xenstore_read(tx, path, value, size);
}

static enum wisp_xs_result xs_write(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                    const char *value)
{
    (void)hv;
    return wisp_xenstore_write(tx, path, value);
}

static enum wisp_xs_result xs_remove(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path)
{
    (void)hv;
    return wisp_xenstore_remove(tx, path);
}

static wisp_xs_tx xs_begin(struct wisp_hypervisor *hv)
{
    (void)hv;
    return wisp_xenstore_begin();
}

static enum wisp_xs_result xs_end(struct wisp_hypervisor *hv, wisp_xs_tx tx, bool abort)
{
    (void)hv;
    return wisp_xenstore_end(tx, abort);
}

static enum wisp_xs_result xs_watch(struct wisp_hypervisor *hv, const char *path, uint32_t token)
{
    (void)hv;
    return wisp_xenstore_watch(path, token);
}

static void xs_unwatch(struct wisp_hypervisor *hv, const char *path, uint32_t token)
{
    (void)hv;
    wisp_xenstore_unwatch(path, token);
}

static bool xs_changed(struct wisp_hypervisor *hv, uint32_t token)
{
    (void)hv;
    return wisp_xenstore_changed(token);
}

static wisp_time now(struct wisp_hypervisor *hv)
{
    (void)hv;
    return wisp_clock_now();
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

static struct wisp_hypervisor hypervisor = {.ops = &ops, .policy = WISP_GRANT_STRICT};

struct wisp_hypervisor *wisp_xen_hypervisor(void)
{
    return &hypervisor;
}
