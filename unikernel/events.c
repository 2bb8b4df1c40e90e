/* SPDX-License-Identifier: ISC */
/*
 * A port's event is a bit in the shared page. SCHEDOP_poll blocks until one of a list of bits is
 * set, or a time comes; it looks at the bits itself after it has announced that it waits, so no
 * event is lost between our look and its. What wakes it is moved to `arrived`, and that port is not
 * waited for again until its owner has asked: an event nobody asks for cannot keep the guest awake.
 */
#include "events.h"
#include "clock.h"
#include "hypercall.h"
#include "machine.h"
#include <xen/event_channel.h>
#include <xen/sched.h>

enum { PORTS_MAX = 32 };

static struct {
    evtchn_port_t port;
    bool arrived;
} ports[PORTS_MAX];
static unsigned port_count;

static bool take(uint32_t port)
{
    uint64_t bit = UINT64_C(1) << port % 64;
    unsigned long *word = &wisp_guest.shared->evtchn_pending[port / 64 % 64];
    return __atomic_load_n(word, __ATOMIC_RELAXED) & bit &&
           __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST) & bit;
}

void wisp_event_add(uint32_t port)
{
    if (port_count < PORTS_MAX) {
        ports[port_count].port = port;
        ports[port_count++].arrived = false;
    }
}

uint32_t wisp_event_open(uint16_t domain)
{
    evtchn_alloc_unbound_t alloc = {.dom = DOMID_SELF, .remote_dom = domain};
    if (port_count == PORTS_MAX ||
        wisp_hypercall_event_channel(EVTCHNOP_alloc_unbound, &alloc) != 0)
        return UINT32_MAX;
    wisp_event_add(alloc.port);
    return alloc.port;
}

void wisp_event_close(uint32_t port)
{
    evtchn_close_t op = {.port = port};
    wisp_hypercall_event_channel(EVTCHNOP_close, &op);
    take(port);
    for (unsigned i = 0; i < port_count; i++) {
        if (ports[i].port == port) {
            ports[i] = ports[--port_count];
        }
    }
}

void wisp_event_notify(uint32_t port)
{
    evtchn_send_t op = {.port = port};
    wisp_hypercall_event_channel(EVTCHNOP_send, &op);
}

bool wisp_event_pending(uint32_t port)
{
    bool pending = take(port);
    for (unsigned i = 0; i < port_count; i++) {
        if (ports[i].port == port && ports[i].arrived) {
            ports[i].arrived = false;
            pending = true;
        }
    }
    return pending;
}

static void poll(evtchn_port_t *list, unsigned count, wisp_time deadline)
{
    sched_poll_t op = {.nr_ports = count,
                       .timeout = deadline == WISP_NEVER ? 0 : wisp_clock_system_time(deadline)};
    op.ports.p = list;
    wisp_hypercall_sched(SCHEDOP_poll, &op);
}

void wisp_event_wait(wisp_time deadline)
{
    evtchn_port_t list[PORTS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < port_count; i++) {
        if (!ports[i].arrived) {
            list[count++] = ports[i].port;
        }
    }
    poll(list, count, deadline);
    for (unsigned i = 0; i < port_count; i++) {
        ports[i].arrived |= take(ports[i].port);
    }
}

void wisp_event_wait_one(uint32_t port, wisp_time deadline)
{
    poll(&port, 1, deadline);
    take(port);
}
