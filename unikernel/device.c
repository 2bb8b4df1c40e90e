/* SPDX-License-Identifier: ISC */
/* The guest's network devices: xen-netfront on device/vif/N, waited for until its backend is
 * connected. */
#include "clock.h"
#include "libc.h"
#include "machine.h"
#include "netfront.h"
#include "seam.h"
#include "shutdown.h"
#include "start.h"
#include "xenstore.h"

enum { DEVICES_MAX = 4, TOKENS_EACH = 2 };

#define PATIENCE WISP_SEC(10)

struct device {
    char path[24];
    struct wisp_netfront *front;
};

static struct device devices[DEVICES_MAX];
static char reason[256]; /* empty: no device was asked for */

static bool switched(const char *name)
{
    const char *value = wisp_platform_param(name);
    if (strcmp(value, "on") && strcmp(value, "off")) {
        wisp_platform_format(reason, sizeof(reason), "--%s is on or off", name);
        wisp_platform_exit(2, reason);
    }
    return !strcmp(value, "on");
}

static uint32_t offers(void)
{
    static const struct {
        const char *value;
        uint32_t without;
    } table[] = {
        {"on", 0},
        {"csum", WISP_OFFER_GSO},
        {"sg", WISP_OFFER_GSO | WISP_OFFER_CSUM_TX | WISP_OFFER_CSUM_RX},
        {"off", WISP_OFFER_GSO | WISP_OFFER_CSUM_TX | WISP_OFFER_CSUM_RX | WISP_OFFER_SG},
    };
    uint32_t all = WISP_OFFER_ALL;
    if (!switched("split-events")) {
        all &= ~(uint32_t)WISP_OFFER_SPLIT_EVENTS;
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!strcmp(table[i].value, wisp_platform_param("offload"))) {
            return all & ~table[i].without;
        }
    }
    wisp_platform_exit(2, "--offload is on, csum, sg or off");
}

static uint8_t trust(void)
{
    static const char *const values[] = {
        [WISP_TRUST_XENSTORE] = "xenstore", [WISP_TRUST_YES] = "yes", [WISP_TRUST_NO] = "no"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (!strcmp(values[i], wisp_platform_param("trust"))) {
            return (uint8_t)i;
        }
    }
    wisp_platform_exit(2, "--trust is xenstore, yes or no");
}

/* Asks until the backend is connected, or gives up; what the driver says then is the reason. */
static bool wait_for_backend(struct device *device)
{
    wisp_time end = wisp_clock_now() + PATIENCE;
    while (wisp_netfront_state(device->front) != WISP_NETFRONT_CONNECTED) {
        wisp_time next = wisp_netfront_step(device->front, wisp_clock_now());
        if (wisp_netfront_state(device->front) == WISP_NETFRONT_CONNECTED) {
            break;
        }
        if (wisp_clock_now() >= end || wisp_shutdown_asked()) {
            wisp_platform_format(reason, sizeof(reason), "%s", wisp_netfront_reason(device->front));
            return false;
        }
        wisp_xenstore_wait(wisp_time_min(next, end));
    }
    return true;
}

static void close_all(void)
{
    for (unsigned i = 0; i < DEVICES_MAX; i++) {
        if (devices[i].front) {
            wisp_netfront_fini(devices[i].front);
        }
    }
}

static bool attach(struct device *device, uint32_t index, struct wisp_pool *pages)
{
    struct wisp_netfront_config config;
    wisp_netfront_config_default(&config);
    config.hv = wisp_xen_hypervisor();
    config.path = device->path;
    config.token = 1 + index * TOKENS_EACH;
    config.pages = pages;
    config.offers = offers();
    config.trust = trust();
    size_t size = wisp_netfront_size(&config);
    void *memory = wisp_platform_memory(size);
    device->front = memory ? wisp_netfront_init(memory, size, &config) : NULL;
    if (!device->front) {
        wisp_platform_format(reason, sizeof(reason),
                             "too little memory for %s: raise memory=", device->path);
    }
    wisp_start_at_end(close_all);
    return device->front != NULL;
}

struct wisp_netdev *wisp_platform_netdev(uint32_t index, struct wisp_pool *pages)
{
    char node[40], backend[WISP_XS_VALUE_MAX];
    if (index >= DEVICES_MAX) {
        wisp_platform_format(reason, sizeof(reason), "an image has at most %d devices",
                             DEVICES_MAX);
        return NULL;
    }
    struct device *device = &devices[index];
    wisp_platform_format(device->path, sizeof(device->path), "device/vif/%u", (unsigned)index);
    wisp_platform_format(node, sizeof(node), "%s/backend", device->path);
    if (wisp_xenstore_read(0, node, backend, sizeof(backend)) != WISP_XS_OK) {
        wisp_platform_format(reason, sizeof(reason),
                             "no %s in xenstore: the configuration has no vif= for it", node);
        return NULL;
    }
    if (!device->front && !attach(device, index, pages)) {
        return NULL;
    }
    return wait_for_backend(device) ? wisp_netfront_dev(device->front) : NULL;
}

const char *wisp_platform_netdev_reason(void)
{
    return reason[0] ? reason : "no device asked for yet";
}

/* vif=['ip=...']: the toolstack writes it for the backend. */
const char *wisp_platform_netdev_config(uint32_t index)
{
    static char config[WISP_XS_VALUE_MAX];
    char node[WISP_XS_PATH_MAX], backend[WISP_XS_PATH_MAX - 4];
    wisp_platform_format(node, sizeof(node), "device/vif/%u/backend", (unsigned)index);
    if (wisp_xenstore_read(0, node, backend, sizeof(backend)) != WISP_XS_OK) {
        return NULL;
    }
    wisp_platform_format(node, sizeof(node), "%s/ip", backend);
    return wisp_xenstore_read(0, node, config, sizeof(config)) == WISP_XS_OK && config[0] ? config
                                                                                          : NULL;
}

/* Nobody can ask a guest for them. */
void wisp_platform_counters(wisp_counter_fn show, const void *self)
{
    (void)show;
    (void)self;
}
