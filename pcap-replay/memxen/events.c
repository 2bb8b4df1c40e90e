/* SPDX-License-Identifier: ISC */
/*
 * Event channels (see memxen.h). A port is one channel, seen from both ends by the same number; each end has
 * a pending bit that the other end sets. Like Xen's, an event carries nothing, and several become one.
 *
 * Setting and taking a pending bit are full barriers: a notification must be seen by whoever, having taken
 * the bit, reads a ring index.
 */
#include "memxen_priv.h"
#include <stdlib.h>

bool memxen_events_init(struct memxen_events *events, uint32_t count)
{
    events->count = count;
    events->port = calloc(count, sizeof(events->port[0]));
    return events->port != NULL;
}

void memxen_events_fini(struct memxen_events *events)
{
    free(events->port);
    events->port = NULL;
}

static bool is_open(const struct memxen_events *events, uint32_t port)
{
    return port > 0 && port < events->count && events->port[port].open;
}

uint32_t memxen_event_open(struct memxen_events *events)
{
    /* Port 0 is never valid in Xen. */
    for (uint32_t port = 1; port < events->count; port++) {
        if (!events->port[port].open) {
            events->port[port].open = true;
            atomic_store(&events->port[port].bound, false);
            atomic_store(&events->port[port].guest_pending, false);
            atomic_store(&events->port[port].backend_pending, false);
            events->open++;
            return port;
        }
    }
    return WISP_EVENT_NONE;
}

void memxen_event_close(struct memxen_events *events, uint32_t port)
{
    if (!is_open(events, port)) {
        events->bad_calls++;
        return;
    }
    atomic_store(&events->port[port].bound, false);
    events->port[port].open = false;
    events->open--;
}

void memxen_event_notify(struct memxen_events *events, uint32_t port)
{
    if (!is_open(events, port)) {
        events->bad_calls++;
        return;
    }
    atomic_fetch_add_explicit(&events->notified_backend, 1, memory_order_relaxed);
    /* Kept for a backend that binds later, as Xen does for an unbound port. */
    atomic_store(&events->port[port].backend_pending, true);
}

bool memxen_event_pending(struct memxen_events *events, uint32_t port)
{
    if (!is_open(events, port)) {
        events->bad_calls++;
        return false;
    }
    return atomic_load_explicit(&events->port[port].guest_pending, memory_order_relaxed) &&
           atomic_exchange(&events->port[port].guest_pending, false);
}

void memxen_events_void(struct memxen_events *events)
{
    for (uint32_t port = 0; port < events->count; port++) {
        events->port[port].open = false;
        atomic_store(&events->port[port].bound, false);
    }
    events->open = 0;
}

bool wisp_memxen_bind(struct wisp_memxen *xen, uint32_t port)
{
    if (!is_open(&xen->events, port)) {
        return false;
    }
    atomic_store(&xen->events.port[port].bound, true);
    return true;
}

void wisp_memxen_unbind(struct wisp_memxen *xen, uint32_t port)
{
    if (port < xen->events.count) {
        atomic_store(&xen->events.port[port].bound, false);
    }
}

void wisp_memxen_notify(struct wisp_memxen *xen, uint32_t port)
{
    if (port >= xen->events.count || !atomic_load(&xen->events.port[port].bound)) {
        return;
    }
    atomic_fetch_add_explicit(&xen->events.notified_guest, 1, memory_order_relaxed);
    /* A pending port is masked: only the first arrival wakes. */
    if (!atomic_exchange(&xen->events.port[port].guest_pending, true)) {
        atomic_fetch_add_explicit(&xen->events.woken_guest, 1, memory_order_relaxed);
    }
}

bool wisp_memxen_pending(struct wisp_memxen *xen, uint32_t port)
{
    return port < xen->events.count && atomic_load(&xen->events.port[port].bound) &&
           atomic_exchange(&xen->events.port[port].backend_pending, false);
}

bool wisp_memxen_guest_woken(const struct wisp_memxen *xen)
{
    for (uint32_t port = 1; port < xen->events.count; port++) {
        if (xen->events.port[port].open && atomic_load(&xen->events.port[port].guest_pending)) {
            return true;
        }
    }
    return false;
}
