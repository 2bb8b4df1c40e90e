/* SPDX-License-Identifier: ISC */
/*
 * The counters on demand: each layer's that was told of (the stack's with its transports, DHCP, DNS), the device's
 * and its driver's, and the page pool's with its ledger. A line each, NAME VALUE, as slides shows them at /counters.
 */
#include "linux.h"
#include <stdio.h>
#include <wisp/page.h>

#define SOURCES 8u

static struct {
    wisp_counter_fn show;
    const void *self;
} source[SOURCES];
static uint32_t sources;

void wisp_platform_counters(wisp_counter_fn show, const void *self)
{
    for (uint32_t i = 0; i < sources; i++) {
        if (source[i].self == self) {
            source[i] = source[--sources];
        }
    }
    if (show && sources < SOURCES) {
        source[sources].show = show;
        source[sources++].self = self;
    }
}

static void line(const char *name, uint64_t value)
{
    fprintf(stderr, "%s %llu\n", name, (unsigned long long)value);
}

static void print_device(const struct wisp_netdev *dev)
{
    struct wisp_counter counter;
    line("device.rx.frames", dev->stats.rx_packets);
    line("device.rx.bytes", dev->stats.rx_bytes);
    line("device.rx.dropped", dev->stats.rx_dropped);
    line("device.tx.frames", dev->stats.tx_packets);
    line("device.tx.bytes", dev->stats.tx_bytes);
    line("device.tx.dropped", dev->stats.tx_dropped);
    line("device.notifications", dev->stats.kicks);
    line("device.bytes_copied", dev->stats.bytes_copied);
    for (uint32_t i = 0; dev->ops->counter && dev->ops->counter(dev, i, &counter); i++) {
        line(counter.name, counter.value);
    }
}

/* "pages.held.tcp_send": a name is one word. */
static void print_held(const char *holder, uint32_t pages)
{
    char name[64];
    snprintf(name, sizeof(name), "pages.held.%s", holder);
    for (char *at = name; *at; at++) {
        *at = *at == ' ' ? '_' : *at;
    }
    line(name, pages);
}

static void print_pages(const struct wisp_pool *pages)
{
    struct wisp_pool_stats stats;
    uint32_t held[WISP_HOLDERS];
    wisp_pool_stats(pages, &stats);
    line("pages.total", stats.pages);
    line("pages.reserve", stats.reserve);
    line("pages.in_use", stats.in_use);
    line("pages.lowest_free", stats.lowest_free);
    line("pages.refused", stats.refused);
    line("pages.cleared", stats.cleared);
    line("pages.quarantined", stats.quarantined);
    wisp_pool_ledger(pages, held);
    for (uint32_t i = 0; i < WISP_HOLDERS; i++) {
        print_held(wisp_holder_text((enum wisp_holder)i), held[i]);
    }
}

void linux_counters_print(void)
{
    struct wisp_counter counter;
    wisp_time now = wisp_platform_now();
    fprintf(stderr, "# %s: counters %llu.%03llu s after its start\n", wisp_app.name,
            (unsigned long long)(now / 1000000000u), (unsigned long long)(now / 1000000u % 1000u));
    for (uint32_t s = 0; s < sources; s++) {
        for (uint32_t i = 0; source[s].show(source[s].self, i, &counter); i++) {
            line(counter.name, counter.value);
        }
    }
    if (linux_device()) {
        print_device(linux_device());
        print_pages(linux_device_pages());
    }
}
