/* SPDX-License-Identifier: ISC */
/*
 * The netback's xenbus side: the nodes of toolstack and backend, and Linux's state machine. The frontend's
 * state drives it:
 *
 *   frontend        backend goes to
 *   Initialising    InitWait (by way of Closing and Closed when it was Connected)
 *   Initialised     (ignored)
 *   Connected       Connected, when rings and ports can be had and the hotplug script is done
 *   Closing         Closing
 *   Closed          Closed, and InitWait again with the next Initialising, if online
 *   Unknown         Closed
 *
 * What cannot be served (no rx-copy, too many queues, a ring that is not granted) is written to the error node
 * and closes the device.
 */
#include "netback_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#define PATH_MAX_LENGTH 200

static void front_path(const struct wisp_netback *nb, const char *key, char out[PATH_MAX_LENGTH])
{
    snprintf(out, PATH_MAX_LENGTH, "/local/domain/%d/device/vif/%u%s%s", WISP_MEMXEN_GUEST,
             nb->config.vif, key[0] ? "/" : "", key);
}

static void back_path(const struct wisp_netback *nb, const char *key, char out[PATH_MAX_LENGTH])
{
    snprintf(out, PATH_MAX_LENGTH, "/local/domain/%d/backend/vif/%d/%u%s%s", WISP_MEMXEN_BACKEND,
             WISP_MEMXEN_GUEST, nb->config.vif, key[0] ? "/" : "", key);
}

static void set_front(struct wisp_netback *nb, const char *key, const char *value)
{
    char path[PATH_MAX_LENGTH];
    front_path(nb, key, path);
    wisp_memxen_write(nb->xen, path, value);
}

static void set_back(struct wisp_netback *nb, const char *key, const char *value)
{
    char path[PATH_MAX_LENGTH];
    back_path(nb, key, path);
    wisp_memxen_write(nb->xen, path, value);
}

static void set_back_number(struct wisp_netback *nb, const char *key, uint32_t value)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", value);
    set_back(nb, key, text);
}

/* A decimal number the frontend wrote; false: absent or no number. */
static bool front_number(const struct wisp_netback *nb, const char *key, uint32_t *number)
{
    char path[PATH_MAX_LENGTH];
    front_path(nb, key, path);
    const char *text = wisp_memxen_read(nb->xen, path);
    char *end;
    if (!text || text[0] < '0' || text[0] > '9') {
        return false;
    }
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

static bool front_flag(const struct wisp_netback *nb, const char *key)
{
    uint32_t number;
    return front_number(nb, key, &number) && number != 0;
}

void netback_show_state(struct wisp_netback *nb, int state)
{
    nb->state = state;
    set_back_number(nb, "state", (uint32_t)state);
}

static void write_frontend_nodes(struct wisp_netback *nb)
{
    char path[PATH_MAX_LENGTH];
    char text[32];
    const uint8_t *mac = nb->config.mac.octet;
    back_path(nb, "", path);
    set_front(nb, "backend", path);
    snprintf(text, sizeof(text), "%d", WISP_MEMXEN_BACKEND);
    set_front(nb, "backend-id", text);
    snprintf(text, sizeof(text), "%u", nb->config.vif);
    set_front(nb, "handle", text);
    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    set_front(nb, "mac", text);
    set_back(nb, "mac", text);
    if (nb->config.mtu) {
        snprintf(text, sizeof(text), "%u", nb->config.mtu);
        set_front(nb, "mtu", text);
    }
    if (nb->config.untrusted) {
        set_front(nb, "trusted", "0");
    }
    set_front(nb, "state", "1");
}

static void write_backend_nodes(struct wisp_netback *nb)
{
    char path[PATH_MAX_LENGTH];
    uint32_t features = nb->config.features;
    front_path(nb, "", path);
    set_back(nb, "frontend", path);
    set_back_number(nb, "frontend-id", WISP_MEMXEN_GUEST);
    set_back(nb, "online", "1");
    set_back_number(nb, "handle", nb->config.vif);
    set_back_number(nb, "feature-sg", (features & WISP_NETBACK_SG) != 0);
    set_back_number(nb, "feature-gso-tcpv4", (features & WISP_NETBACK_GSO4) != 0);
    set_back_number(nb, "feature-rx-copy", 1);
    set_back_number(nb, "feature-rx-flip", 0);
    if (features & WISP_NETBACK_MULTICAST) {
        set_back_number(nb, "feature-multicast-control", 1);
        set_back_number(nb, "feature-dynamic-multicast-control", 1);
    }
    if (features & WISP_NETBACK_SPLIT_EVENTS) {
        set_back_number(nb, "feature-split-event-channels", 1);
    }
    if (nb->config.max_queues) {
        set_back_number(nb, "multi-queue-max-queues", nb->config.max_queues);
    }
}

void netback_nodes_make(struct wisp_netback *nb)
{
    char path[PATH_MAX_LENGTH];
    nb->online = true;
    nb->hotplugged = !nb->config.late_hotplug;
    nb->fatal = NULL;
    netback_show_state(nb, XenbusStateInitialising);
    write_backend_nodes(nb);
    write_frontend_nodes(nb);
    if (!nb->watching) {
        front_path(nb, "state", path);
        nb->watch = wisp_memxen_watch(nb->xen, path);
        nb->watching = true;
    }
    netback_show_state(nb, XenbusStateInitWait);
}

void netback_nodes_remove(struct wisp_netback *nb)
{
    char path[PATH_MAX_LENGTH];
    wisp_memxen_unwatch(nb->xen, nb->watch);
    nb->watching = false;
    front_path(nb, "", path);
    wisp_memxen_write(nb->xen, path, NULL);
    back_path(nb, "", path);
    wisp_memxen_write(nb->xen, path, NULL);
}

/* ---- connecting ---- */

static void device_error(struct wisp_netback *nb, const char *reason)
{
    nb->stats.fatal++;
    set_back(nb, "error", reason);
    netback_disconnect(nb);
    netback_show_state(nb, XenbusStateClosing);
}

/* What the frontend says of itself; null, or why it cannot be served. */
static const char *read_frontend(struct wisp_netback *nb)
{
    if (!front_flag(nb, "request-rx-copy")) {
        return "no request-rx-copy";
    }
    uint32_t most = nb->config.max_queues ? nb->config.max_queues : 1;
    if (!front_number(nb, "multi-queue-num-queues", &nb->queues)) {
        nb->queues = 1;
    }
    if (nb->queues == 0 || nb->queues > most) {
        nb->queues = 0;
        return "more queues asked for than there are";
    }
    nb->rx_notify = front_flag(nb, "feature-rx-notify");
    nb->rx_csum = !front_flag(nb, "feature-no-csum-offload");
    nb->multicast_control = front_flag(nb, "request-multicast-control");
    nb->multicasts = 0;
    nb->frontend = (front_flag(nb, "feature-sg") ? WISP_NETBACK_SG : 0) |
                   (front_flag(nb, "feature-gso-tcpv4") ? WISP_NETBACK_GSO4 : 0);
    return NULL;
}

/* The number of a key of queue k: below queue-K/ when there are several. */
static bool queue_number(const struct wisp_netback *nb, uint32_t k, const char *key,
                         uint32_t *number)
{
    char name[64];
    if (nb->queues == 1) {
        return front_number(nb, key, number);
    }
    snprintf(name, sizeof(name), "queue-%u/%s", k, key);
    return front_number(nb, name, number);
}

static bool attach_ring(struct wisp_netback *nb, struct ring *ring, uint32_t gref)
{
    ring->page = (struct ring_page *)(void *)wisp_memxen_map(nb->xen, gref, true);
    if (!ring->page) {
        return false;
    }
    /* A frontend may keep its ring over a backend's restart: go on where the responses ended. */
    ring->rsp_prod = atomic_load(&ring->page->rsp_prod);
    ring->rsp_shown = ring->rsp_prod;
    ring->req_cons = ring->rsp_prod;
    return ring_req_prod(ring) - ring->rsp_prod <= RING_SLOTS;
}

static bool attach_ports(struct wisp_netback *nb, struct netback_queue *queue, uint32_t k)
{
    bool split = queue_number(nb, k, "event-channel-tx", &queue->tx_port) &&
                 queue_number(nb, k, "event-channel-rx", &queue->rx_port);
    if (!split) {
        if (!queue_number(nb, k, "event-channel", &queue->tx_port)) {
            return false;
        }
        queue->rx_port = queue->tx_port;
    }
    return wisp_memxen_bind(nb->xen, queue->tx_port) && wisp_memxen_bind(nb->xen, queue->rx_port);
}

static const char *attach_queue(struct wisp_netback *nb, uint32_t k)
{
    struct netback_queue *queue = &nb->queue[k];
    *queue = (struct netback_queue){.nb = nb, .number = (uint16_t)k, .starved_since = WISP_NEVER};
    queue->last = &queue->first;
    if (!queue_number(nb, k, "tx-ring-ref", &queue->tx_gref) ||
        !queue_number(nb, k, "rx-ring-ref", &queue->rx_gref)) {
        return "no ring reference";
    }
    if (!attach_ring(nb, &queue->tx, queue->tx_gref) ||
        !attach_ring(nb, &queue->rx, queue->rx_gref)) {
        return "a ring cannot be mapped";
    }
    if (!attach_ports(nb, queue, k)) {
        return "no event channel";
    }
    /* What was on the rings before anybody listened. */
    queue->tx_work = true;
    queue->rx_work = true;
    return NULL;
}

static void connect_frontend(struct wisp_netback *nb)
{
    const char *reason = read_frontend(nb);
    nb->served = true;
    for (uint32_t k = 0; !reason && k < nb->queues; k++) {
        reason = attach_queue(nb, k);
    }
    if (reason) {
        device_error(nb, reason);
        return;
    }
    nb->stats.connects++;
    netback_note(nb);
    netback_show_state(nb, XenbusStateConnected);
}

void netback_disconnect(struct wisp_netback *nb)
{
    if (!nb->served) {
        return;
    }
    nb->served = false;
    netback_note(nb);
    netback_unkeep(nb);
    for (uint32_t k = 0; k < nb->queues; k++) {
        struct netback_queue *queue = &nb->queue[k];
        netback_tx_drop_held(queue);
        netback_rx_drop_waiting(queue);
        wisp_memxen_unbind(nb->xen, queue->tx_port);
        wisp_memxen_unbind(nb->xen, queue->rx_port);
        if (queue->tx.page) {
            wisp_memxen_unmap(nb->xen, queue->tx_gref, true);
        }
        if (queue->rx.page) {
            wisp_memxen_unmap(nb->xen, queue->rx_gref, true);
        }
        queue->tx.page = NULL;
        queue->rx.page = NULL;
    }
    nb->queues = 0;
}

/* ---- the state machine ---- */

static void close_down(struct wisp_netback *nb, int state)
{
    netback_disconnect(nb);
    if (nb->state != XenbusStateClosing && nb->state != XenbusStateClosed) {
        netback_show_state(nb, XenbusStateClosing);
    }
    if (state == XenbusStateClosed && nb->state != XenbusStateClosed) {
        netback_show_state(nb, XenbusStateClosed);
    }
}

static void start_over(struct wisp_netback *nb)
{
    if (nb->state == XenbusStateInitWait || !nb->online) {
        return;
    }
    close_down(nb, XenbusStateClosed);
    nb->fatal = NULL;
    netback_show_state(nb, XenbusStateInitWait);
}

static void frontend_changed(struct wisp_netback *nb, uint32_t state)
{
    switch (state) {
    case XenbusStateInitialising:
        start_over(nb);
        break;
    case XenbusStateConnected:
        if (nb->state == XenbusStateClosed && nb->online) {
            netback_show_state(nb, XenbusStateInitWait);
        }
        if (nb->state == XenbusStateInitWait && nb->hotplugged) {
            nb->fatal = NULL;
            connect_frontend(nb);
        }
        break;
    case XenbusStateClosing:
        if (nb->state != XenbusStateClosed) {
            close_down(nb, XenbusStateClosing);
        }
        break;
    case XenbusStateClosed:
    case XenbusStateUnknown:
        close_down(nb, XenbusStateClosed);
        break;
    default:
        break;
    }
}

void netback_bus_poll(struct wisp_netback *nb)
{
    uint32_t state;
    if (nb->watching && wisp_memxen_changed(nb->xen, nb->watch)) {
        if (!front_number(nb, "state", &state)) {
            state = XenbusStateUnknown;
        }
        frontend_changed(nb, state);
    }
}

void wisp_netback_hotplug(struct wisp_netback *nb)
{
    uint32_t state;
    nb->hotplugged = true;
    set_back(nb, "hotplug-status", "connected");
    if (front_number(nb, "state", &state) && state == XenbusStateConnected) {
        frontend_changed(nb, state);
    }
}

void wisp_netback_set_carrier(struct wisp_netback *nb, bool up)
{
    set_back_number(nb, "carrier", up);
}

void wisp_netback_unplug(struct wisp_netback *nb, bool online)
{
    nb->online = online;
    set_back_number(nb, "online", online);
    close_down(nb, XenbusStateClosing);
}

void wisp_netback_vanish(struct wisp_netback *nb)
{
    netback_disconnect(nb);
    nb->state = XenbusStateUnknown;
}

void wisp_netback_restart(struct wisp_netback *nb)
{
    char path[PATH_MAX_LENGTH];
    netback_disconnect(nb);
    nb->online = true;
    nb->fatal = NULL;
    nb->hotplugged = !nb->config.late_hotplug;
    back_path(nb, "", path);
    wisp_memxen_write(nb->xen, path, NULL);
    netback_show_state(nb, XenbusStateInitialising);
    write_backend_nodes(nb);
    char mac[32];
    const uint8_t *octet = nb->config.mac.octet;
    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", octet[0], octet[1], octet[2],
             octet[3], octet[4], octet[5]);
    set_back(nb, "mac", mac);
    netback_show_state(nb, XenbusStateInitWait);
    /* A frontend still Connected is looked at only when it writes its state again. */
    wisp_memxen_changed(nb->xen, nb->watch);
}

void wisp_netback_migrate(struct wisp_netback *nb)
{
    char path[PATH_MAX_LENGTH];
    wisp_netback_vanish(nb);
    back_path(nb, "", path);
    wisp_memxen_write(nb->xen, path, NULL);
    front_path(nb, "", path);
    wisp_memxen_write(nb->xen, path, NULL);
    wisp_memxen_resume(nb->xen);
    netback_nodes_make(nb);
    wisp_memxen_changed(nb->xen, nb->watch);
}
