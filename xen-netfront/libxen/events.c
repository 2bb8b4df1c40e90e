/* SPDX-License-Identifier: ISC */
/* Event channels. The kernel masks a port when it reports it; it is unmasked when the driver asks
 * for it. */
#include "libxen_priv.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

bool libxen_events_open(struct wisp_libxen *xen, char *why, size_t size)
{
    xen->events = xenevtchn_open(NULL, 0);
    if (!xen->events) {
        snprintf(why, size, "cannot open /dev/xen/evtchn: %s (modprobe xen-evtchn; be root)",
                 strerror(errno));
    }
    return xen->events != NULL;
}

void libxen_events_close(struct wisp_libxen *xen)
{
    if (xen->events) {
        xenevtchn_close(xen->events);
    }
}

static struct libxen_port *find(struct wisp_libxen *xen, uint32_t port)
{
    for (uint32_t i = 0; i < LIBXEN_PORTS; i++) {
        if (xen->port[i].open && xen->port[i].port == port) {
            return &xen->port[i];
        }
    }
    return NULL;
}

uint32_t libxen_event_open(struct wisp_hypervisor *hv, uint16_t domain)
{
    struct wisp_libxen *xen = libxen_of(hv);
    for (uint32_t i = 0; i < LIBXEN_PORTS; i++) {
        if (xen->port[i].open) {
            continue;
        }
        int port = xenevtchn_bind_unbound_port(xen->events, domain);
        if (port < 0) {
            return WISP_EVENT_NONE;
        }
        xen->port[i] = (struct libxen_port){.port = (uint32_t)port, .open = true};
        return (uint32_t)port;
    }
    return WISP_EVENT_NONE;
}

void libxen_event_close(struct wisp_hypervisor *hv, uint32_t port)
{
    struct wisp_libxen *xen = libxen_of(hv);
    struct libxen_port *entry = find(xen, port);
    if (entry) {
        entry->open = false;
        xenevtchn_unbind(xen->events, port);
    }
}

void libxen_event_notify(struct wisp_hypervisor *hv, uint32_t port)
{
    xenevtchn_notify(libxen_of(hv)->events, port);
}

bool libxen_event_pending(struct wisp_hypervisor *hv, uint32_t port)
{
    struct wisp_libxen *xen = libxen_of(hv);
    struct libxen_port *entry = find(xen, port);
    if (!entry || !entry->told) {
        return false;
    }
    entry->told = false;
    xenevtchn_unmask(xen->events, port);
    return true;
}

void wisp_libxen_collect(struct wisp_libxen *xen)
{
    struct pollfd fd = {.fd = xenevtchn_fd(xen->events), .events = POLLIN};
    /* Each port is reported once until it is unmasked, so there are no more reports than ports. */
    for (uint32_t i = 0; i < LIBXEN_PORTS && poll(&fd, 1, 0) == 1; i++) {
        int port = xenevtchn_pending(xen->events);
        struct libxen_port *entry = port < 0 ? NULL : find(xen, (uint32_t)port);
        if (entry) {
            entry->told = true;
        }
    }
}
