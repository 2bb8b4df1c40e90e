/* SPDX-License-Identifier: ISC */
/*
 * The frontend's side of the xenbus handshake (xenbus.h, xen-netif.md section 6).
 *
 *   WAITING   --backend InitWait: rings, keys in one transaction, we are Connected-->  OFFERED
 *   OFFERED   --backend Connected-->  CONNECTED     (Linux ignores Initialised, so that is never
 * written) OFFERED, CONNECTED  --backend Closing, Closed, gone, starting over-->  CLOSING, we are
 * Closed OFFERED, CONNECTED  --ring lies, too many grants kept-->  CLOSING, we are Closing, then
 * BROKEN CLOSING   --backend Closed, gone, starting over, or 5 s later: grants ended-->  WAITING,
 * BROKEN or CLOSED BROKEN    --backend InitWait: somebody started it over-->  WAITING any --resume:
 * grants and ports forgotten, watches set anew-->  WAITING
 *
 * WAITING with a backend that stands at Connected or Closed although it is meant to be there (we
 * were killed before; it was restarted) writes Initialising, which makes Linux's netback start
 * over.
 *
 * Every call reads a few nodes at most and does one transition; whatever the backend writes, there
 * is no loop here that it could keep going.
 */
#include "xenbus.h"
#include "netfront_priv.h"

#define RETRY          WISP_MS(500)
#define SAY_AGAIN      WISP_SEC(2)
#define LET_GO         WISP_SEC(5)
#define TRANSACTIONS   8u
#define STATE_UNUSABLE UINT32_MAX

static __attribute__((noinline)) struct keys front_keys(const struct wisp_netfront *front)
{
    return (struct keys){front->config.hv, 0, front->config.path, ""};
}

static __attribute__((noinline)) struct keys back_keys(const struct wisp_netfront *front)
{
    return (struct keys){front->config.hv, 0, front->xenbus.back, ""};
}

static void because(struct wisp_netfront *front, const char *what, const char *detail)
{
    struct text text = text_begin(front->xenbus.reason, sizeof(front->xenbus.reason));
    text_add(&text, front->config.path);
    text_add(&text, ": ");
    text_add(&text, what);
    text_add(&text, detail);
}

/* Tells the backend where we stand. */
static void say(struct wisp_netfront *front, uint32_t state)
{
    struct keys keys = front_keys(front);
    if (keys_write_number(&keys, "state", state) == WISP_XS_OK) {
        front->xenbus.said = state;
    }
}

/* The backend's state; Unknown when its directory is gone, STATE_UNUSABLE when it is no state. */
static uint32_t back_state(struct wisp_netfront *front)
{
    struct keys keys = back_keys(front);
    uint32_t state = XenbusStateUnknown;
    bool bad = false;
    if (!keys_read_number(&keys, "state", XenbusStateReconfigured, &state, &bad) && bad) {
        count(&front->counts, COUNT_XENSTORE_BAD);
        return STATE_UNUSABLE;
    }
    return state;
}

/* ---- finding the backend ---- */

static void watch_back(struct wisp_netfront *front, bool on)
{
    struct wisp_hypervisor *hv = front->config.hv;
    struct xenbus *bus = &front->xenbus;
    if (bus->watching_back && !on) {
        hv->ops->xs_unwatch(hv, bus->back, front->config.token + 1);
        bus->watching_back = false;
    } else if (!bus->watching_back && on) {
        bus->watching_back =
            hv->ops->xs_watch(hv, bus->back, front->config.token + 1) == WISP_XS_OK;
    }
}

/* Reads who the backend is; it may be another one than before. */
static bool find_back(struct wisp_netfront *front)
{
    struct xenbus *bus = &front->xenbus;
    struct keys keys = front_keys(front);
    char path[WISP_XS_PATH_MAX];
    uint32_t domain;
    bool bad = false;
    if (keys_read(&keys, "backend", path, sizeof(path)) != WISP_XS_OK || !path[0]) {
        because(front, "no backend in xenstore", "");
        return false;
    }
    if (!keys_read_number(&keys, "backend-id", 0x7fef, &domain, &bad)) {
        because(front, "no usable backend-id in xenstore", "");
        return false;
    }
    if (!text_equal(path, bus->back)) {
        watch_back(front, false);
        struct text text = text_begin(bus->back, sizeof(bus->back));
        text_add(&text, path);
    }
    bus->domain = (uint16_t)domain;
    watch_back(front, true);
    return true;
}

/* ---- connecting ---- */

static enum wisp_xs_result write_queue(const struct keys *keys, const struct queue *queue,
                                       bool split)
{
    const char *const one = "event-channel";
    const char *const two[] = {"event-channel-tx", "event-channel-rx"};
    uint32_t port[] = {queue->tx_port, queue->rx_port};
    enum wisp_xs_result result = keys_write_number(keys, "tx-ring-ref", queue->tx.ring_page->grant);
    if (result == WISP_XS_OK) {
        result = keys_write_number(keys, "rx-ring-ref", queue->rx.ring_page->grant);
    }
    if (result == WISP_XS_OK) {
        result = split ? keys_remove(keys, one) : keys_write_number(keys, one, queue->tx_port);
    }
    for (int i = 0; i < 2 && result == WISP_XS_OK; i++) {
        result = split ? keys_write_number(keys, two[i], port[i]) : keys_remove(keys, two[i]);
    }
    return result;
}

/* Keys of one queue lie flat, those of several in a directory each. What an earlier connection left
 * of the other kind is removed: Linux looks for the split ports first. */
static enum wisp_xs_result write_queues(const struct wisp_netfront *front, struct keys keys)
{
    static const char *const flat[] = {"tx-ring-ref", "rx-ring-ref", "event-channel",
                                       "event-channel-tx", "event-channel-rx"};
    enum wisp_xs_result result = WISP_XS_OK;
    if (front->queues == 1) {
        return write_queue(&keys, &front->queue[0], front->features.split);
    }
    for (size_t i = 0; i < sizeof(flat) / sizeof(flat[0]) && result == WISP_XS_OK; i++) {
        result = keys_remove(&keys, flat[i]);
    }
    for (uint32_t i = 0; i < front->queues && result == WISP_XS_OK; i++) {
        char sub[16];
        struct text text = text_begin(sub, sizeof(sub));
        text_add(&text, "queue-");
        text_add_number(&text, i);
        text_add(&text, "/");
        keys.sub = sub;
        result = write_queue(&keys, &front->queue[i], front->features.split);
    }
    return result;
}

/* Writes everything the backend reads, in one transaction. */
static bool write_keys(struct wisp_netfront *front)
{
    struct wisp_hypervisor *hv = front->config.hv;
    for (uint32_t i = 0; i < TRANSACTIONS; i++) {
        struct keys keys = front_keys(front);
        keys.tx = hv->ops->xs_begin(hv);
        if (keys.tx == 0) {
            return false;
        }
        enum wisp_xs_result result = write_queues(front, keys);
        if (result == WISP_XS_OK) {
            result = features_emit(&front->features, &keys);
        }
        bool written = result == WISP_XS_OK;
        result = hv->ops->xs_end(hv, keys.tx, !written);
        if (!written || result == WISP_XS_OK) {
            return written;
        }
        if (result != WISP_XS_AGAIN) {
            return false;
        }
    }
    return false;
}

static void offer(struct wisp_netfront *front, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    struct keys keys = front_keys(front);
    struct keys back = back_keys(front);
    struct identity identity;
    uint32_t bad = 0;
    bool known = identity_parse(&identity, &keys, &back, &bad);
    features_parse(&front->features, &back, front->config.offers, front->config.queues, &bad);
    front->counts.value[COUNT_XENSTORE_BAD] += bad;
    bus->at = now + RETRY;
    if (!known) {
        because(front, "no usable mac in xenstore", "");
        return;
    }
    if (!netfront_open_rings(front, &identity, bus->domain, now)) {
        because(front, "no pages, grants or event channels for the rings", "");
        return;
    }
    if (!write_keys(front)) {
        netfront_close_rings(front, false);
        because(front, "cannot write to xenstore", "");
        return;
    }
    say(front, XenbusStateConnected);
    bus->state = WISP_NETFRONT_OFFERED;
    bus->broken = false;
    bus->at = now + SAY_AGAIN;
    because(front, "rings offered, the backend has not connected yet", "");
}

static bool online(struct wisp_netfront *front)
{
    struct keys back = back_keys(front);
    uint32_t value = 0;
    bool bad = false;
    return keys_read_number(&back, "online", 1, &value, &bad) && value == 1;
}

static void wait_step(struct wisp_netfront *front, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    bus->at = WISP_NEVER;
    if (!find_back(front)) {
        return;
    }
    uint32_t state = back_state(front);
    if (front->shared.grants.stuck > NETFRONT_STUCK_MAX) {
        because(front, "the backend keeps too many pages", "");
        return;
    }
    if (state == XenbusStateInitWait) {
        offer(front, now);
        return;
    }
    because(front, "the backend is not ready (no InitWait)", "");
    bool stands =
        state == XenbusStateConnected || state == XenbusStateClosing || state == XenbusStateClosed;
    if (stands && bus->said != XenbusStateInitialising && online(front)) {
        say(front, XenbusStateInitialising);
    }
}

/* ---- connected ---- */

static void look_at_carrier(struct wisp_netfront *front)
{
    struct keys back = back_keys(front);
    uint32_t carrier = 1;
    bool bad = false;
    keys_read_number(&back, "carrier", 1, &carrier, &bad);
    front->counts.value[COUNT_XENSTORE_BAD] += bad;
    netfront_set_link(front, carrier == 1);
    because(front, carrier == 1 ? "connected" : "connected, no carrier", "");
}

static void close_begin(struct wisp_netfront *front, uint32_t say_state, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    netfront_set_link(front, false);
    say(front, say_state);
    bus->state = WISP_NETFRONT_CLOSING;
    bus->let_go_by = wisp_time_add(now, LET_GO);
    bus->at = bus->let_go_by;
}

/* True when the backend has no use for our rings any more. */
static bool has_let_go(uint32_t state)
{
    return state <= XenbusStateInitWait || state == XenbusStateClosed;
}

static void close_step(struct wisp_netfront *front, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    uint32_t state = back_state(front);
    if (state == XenbusStateClosing && bus->said == XenbusStateClosing) {
        say(front, XenbusStateClosed);
    }
    if (!has_let_go(state) && now < bus->let_go_by) {
        bus->at = bus->let_go_by;
        return;
    }
    if (bus->said == XenbusStateClosing) {
        say(front, XenbusStateClosed);
    }
    netfront_close_rings(front, false);
    bus->at = WISP_NEVER;
    bus->state = bus->leaving  ? WISP_NETFRONT_CLOSED
                 : bus->broken ? WISP_NETFRONT_BROKEN
                               : WISP_NETFRONT_WAITING;
    if (bus->state == WISP_NETFRONT_WAITING) {
        wait_step(front, now);
    }
}

static void connected_step(struct wisp_netfront *front, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    uint32_t state = back_state(front);
    bool offered = bus->state == WISP_NETFRONT_OFFERED;
    bool due = now >= bus->at;
    bus->at = WISP_NEVER;
    switch (state) {
    case XenbusStateConnected:
        if (offered) {
            bus->state = WISP_NETFRONT_CONNECTED;
            count(&front->counts, COUNT_CONNECTS);
            front->dev.announce++;
        }
        look_at_carrier(front);
        return;
    case XenbusStateInitWait:
    case XenbusStateInitialised:
        if (offered) {
            /* A backend made anew behind our back waits for a change, and may have missed ours. */
            if (due) {
                say(front, XenbusStateConnected);
            }
            bus->at = now + SAY_AGAIN;
            return;
        }
        break;
    case XenbusStateReconfiguring:
    case XenbusStateReconfigured:
    case STATE_UNUSABLE:
        return;
    default:
        break;
    }
    because(front, "the backend closed", "");
    close_begin(front, XenbusStateClosed, now);
    close_step(front, now);
}

static void broken_step(struct wisp_netfront *front, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    bus->at = WISP_NEVER;
    if (back_state(front) == XenbusStateInitWait) {
        bus->broken = false;
        bus->state = WISP_NETFRONT_WAITING;
        wait_step(front, now);
    }
}

void xenbus_break(struct wisp_netfront *front, const char *why, wisp_time now)
{
    count(&front->counts, COUNT_BROKEN);
    front->xenbus.broken = true;
    because(front, "broken: ", why);
    close_begin(front, XenbusStateClosing, now);
}

void xenbus_leave(struct wisp_netfront *front, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    bus->leaving = true;
    because(front, "closed", "");
    if (bus->state == WISP_NETFRONT_OFFERED || bus->state == WISP_NETFRONT_CONNECTED) {
        close_begin(front, XenbusStateClosing, now);
    } else if (bus->state != WISP_NETFRONT_CLOSING) {
        bus->state = WISP_NETFRONT_CLOSED;
    }
}

/* ---- all states ---- */

static void watch_front(struct wisp_netfront *front)
{
    struct wisp_hypervisor *hv = front->config.hv;
    if (hv->ops->xs_watch(hv, front->config.path, front->config.token) != WISP_XS_OK) {
        because(front, "cannot watch xenstore", "");
    }
}

static void resume(struct wisp_netfront *front)
{
    struct xenbus *bus = &front->xenbus;
    netfront_set_link(front, false);
    front->config.hv->ops->forget_grants(front->config.hv);
    netfront_close_rings(front, true);
    front->shared.grants.stuck = 0;
    bus->resumes = front->config.hv->resumes;
    watch_back(front, false);
    front->config.hv->ops->xs_unwatch(front->config.hv, front->config.path, front->config.token);
    bus->said = 0;
    bus->broken = false;
    bus->state = bus->leaving ? WISP_NETFRONT_CLOSED : WISP_NETFRONT_WAITING;
    bus->at = 0;
    watch_front(front);
}

/* Asks both, so that each watch is told of once. */
static bool changed(struct wisp_netfront *front)
{
    struct wisp_hypervisor *hv = front->config.hv;
    bool front_changed = hv->ops->xs_changed(hv, front->config.token);
    bool back_changed = hv->ops->xs_changed(hv, front->config.token + 1);
    return front_changed || back_changed;
}

void xenbus_step(struct wisp_netfront *front, wisp_time now)
{
    struct xenbus *bus = &front->xenbus;
    if (bus->resumes != front->config.hv->resumes) {
        resume(front);
    }
    if (!changed(front) && now < bus->at) {
        return;
    }
    switch (bus->state) {
    case WISP_NETFRONT_WAITING:
        wait_step(front, now);
        break;
    case WISP_NETFRONT_OFFERED:
    case WISP_NETFRONT_CONNECTED:
        connected_step(front, now);
        break;
    case WISP_NETFRONT_CLOSING:
        close_step(front, now);
        break;
    case WISP_NETFRONT_BROKEN:
        broken_step(front, now);
        break;
    case WISP_NETFRONT_CLOSED:
        bus->at = WISP_NEVER;
        break;
    }
}

void xenbus_init(struct wisp_netfront *front)
{
    front->xenbus =
        (struct xenbus){.state = WISP_NETFRONT_WAITING, .resumes = front->config.hv->resumes};
    because(front, "not looked at yet", "");
    watch_front(front);
}

void xenbus_fini(struct wisp_netfront *front)
{
    struct wisp_hypervisor *hv = front->config.hv;
    if (front->queues > 0) {
        netfront_set_link(front, false);
        say(front, XenbusStateClosed);
    }
    watch_back(front, false);
    hv->ops->xs_unwatch(hv, front->config.path, front->config.token);
}
