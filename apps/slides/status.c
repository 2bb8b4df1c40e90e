/* SPDX-License-Identifier: ISC */
/* See status.h. The numbers are the stack's own counters, read when asked for. */
#include "status.h"
#include "client.h"
#include "site.h"
#include <wisp/version.h>

/* Strings here are ours or the platform's; quotes and control characters are left out all the same. */
static void add_string(struct wisp_text *text, const char *string)
{
    wisp_text_add(text, "\"");
    for (; *string; string++) {
        if (*string >= ' ' && *string != '"' && *string != '\\') {
            wisp_text_add_bytes(text, string, 1);
        }
    }
    wisp_text_add(text, "\"");
}

static void add_name(struct wisp_text *text, const char *name)
{
    wisp_text_add(text, text->used > 1 ? ",\n" : "\n");
    add_string(text, name);
    wisp_text_add(text, ": ");
}

static void add_named_string(struct wisp_text *text, const char *name, const char *value)
{
    add_name(text, name);
    add_string(text, value);
}

static void add_named(struct wisp_text *text, const char *name, uint64_t value)
{
    add_name(text, name);
    wisp_text_add_number(text, value);
}

static void add_platform(const struct server *server, struct wisp_text *text)
{
    struct wisp_addr addr;
    char own[WISP_ADDR_TEXT_MAX] = "";
    uint8_t prefix;
    if (wisp_stack_address(server->net->stack, &addr, &prefix)) {
        wisp_addr_text(&addr, own, sizeof(own));
    }
    add_named_string(text, "version", WISP_VERSION_STRING);
    add_named_string(text, "platform", wisp_platform_name());
    add_named_string(text, "address", own);
    add_named(text, "uptime_ms", server->net->now / WISP_MS(1));
}

static void add_device(const struct server *server, struct wisp_text *text)
{
    const struct wisp_netdev *dev = server->net->netdev;
    add_named(text, "mtu", dev->caps.mtu);
    add_named(text, "checksum_offload", dev->caps.csum_tx != 0);
    add_named(text, "segmentation_offload", dev->caps.gso_tx != 0);
    add_named(text, "frames_in", dev->stats.rx_packets);
    add_named(text, "frames_out", dev->stats.tx_packets);
    add_named(text, "bytes_in", dev->stats.rx_bytes);
    add_named(text, "bytes_out", dev->stats.tx_bytes);
    add_named(text, "frames_dropped", dev->stats.rx_dropped + dev->stats.tx_dropped);
    add_named(text, "driver_bytes_copied", dev->stats.bytes_copied);
    add_named(text, "grants", dev->stats.grants);
    add_named(text, "grants_ended", dev->stats.grants_ended);
}

static void add_memory(const struct server *server, struct wisp_text *text)
{
    struct wisp_pool_stats pages;
    wisp_pool_stats(server->net->pages, &pages);
    add_named(text, "pages", pages.pages);
    add_named(text, "pages_in_use", pages.in_use);
    add_named(text, "pages_refused", pages.refused);
}

static void add_server(const struct server *server, struct wisp_text *text)
{
    add_named(text, "connections", server->count);
    add_named(text, "connections_accepted", server->accepted);
    add_named(text, "requests", server->requests);
    add_named(text, "files", site_file_count);
    add_named(text, "file_bytes", site_bytes);
}

static const char *status_json(const struct server *server, struct wisp_text *text)
{
    wisp_text_add(text, "{");
    add_platform(server, text);
    add_device(server, text);
    add_memory(server, text);
    add_server(server, text);
    wisp_text_add(text, "\n}\n");
    return "application/json";
}

static void add_line(struct wisp_text *text, const char *name, uint64_t value)
{
    wisp_text_add(text, name);
    wisp_text_add(text, " ");
    wisp_text_add_number(text, value);
    wisp_text_add(text, "\n");
}

/* What every device counts, then what only this kind does: slots, grants, events. */
static void add_device_lines(const struct wisp_netdev *dev, struct wisp_text *text)
{
    struct wisp_counter counter;
    add_line(text, "device.rx.frames", dev->stats.rx_packets);
    add_line(text, "device.rx.bytes", dev->stats.rx_bytes);
    add_line(text, "device.rx.dropped", dev->stats.rx_dropped);
    add_line(text, "device.tx.frames", dev->stats.tx_packets);
    add_line(text, "device.tx.bytes", dev->stats.tx_bytes);
    add_line(text, "device.tx.dropped", dev->stats.tx_dropped);
    add_line(text, "device.notifications", dev->stats.kicks);
    add_line(text, "device.bytes_copied", dev->stats.bytes_copied);
    for (uint32_t i = 0; dev->ops->counter && dev->ops->counter(dev, i, &counter); i++) {
        add_line(text, counter.name, counter.value);
    }
}

static const char *counters_text(const struct server *server, struct wisp_text *text)
{
    struct wisp_counter counter;
    for (uint32_t i = 0; wisp_stack_counter(server->net->stack, i, &counter); i++) {
        add_line(text, counter.name, counter.value);
    }
    add_device_lines(server->net->netdev, text);
    return "text/plain; charset=utf-8";
}

status_page status_find(const char *path)
{
    return wisp_text_equal(path, "/status.json") ? status_json
           : wisp_text_equal(path, "/counters")  ? counters_text
                                                 : NULL;
}
