/* SPDX-License-Identifier: ISC */
/* See net.h: pool, device, stack, addresses, and the step. */
#include "net.h"
#include "net_address.h"
#include "net_counters.h"
#include "text.h"
#include <wisp/page.h>
#include <wisp/version.h>

#define RESERVE_PART 32 /* one page in so many is kept for ARP, ACK, FIN and RST */

void *wisp_net_memory(size_t size)
{
    void *mem = wisp_platform_memory(size);
    if (!mem) {
        wisp_platform_exit(1, "not enough memory: give more, or allow less");
    }
    return mem;
}

uint32_t wisp_net_number(const char *name, uint32_t least, uint32_t most)
{
    const char *text = wisp_platform_param(name);
    uint64_t number;
    if (!wisp_text_number(text, wisp_text_length(text), most, &number) || number < least) {
        char why[96];
        wisp_platform_format(why, sizeof(why), "--%s=%s: a number from %u to %u", name, text, least,
                             most);
        wisp_platform_exit(2, why);
    }
    return (uint32_t)number;
}

static void open_pages(struct wisp_net *net)
{
    uint32_t pages;
    void *memory = wisp_platform_pages(&pages);
    size_t size = wisp_pool_size(pages);
    net->pages =
        wisp_pool_init(wisp_net_memory(size), size, memory, pages, pages / RESERVE_PART + 1, true);
    if (!net->pages) {
        wisp_platform_exit(1, "not enough memory: give more, or allow less");
    }
}

static enum wisp_probe probe_param(void)
{
    const char *text = wisp_platform_param("ipv4-probe");
    if (wisp_text_equal(text, "wait")) {
        return WISP_PROBE_WAIT;
    }
    if (wisp_text_equal(text, "none")) {
        return WISP_PROBE_NONE;
    }
    if (!wisp_text_equal(text, "beside")) {
        wisp_platform_exit(2, "--ipv4-probe is beside, wait or none");
    }
    return WISP_PROBE_BESIDE;
}

static void open_stack(struct wisp_net *net, const struct wisp_net_config *given)
{
    struct wisp_stack_config config;
    wisp_stack_config_default(&config);
    config.netdev = net->netdev;
    config.pages = net->pages;
    config.hash = wisp_platform_hash();
    config.sum = wisp_platform_sum();
    config.reassembly = given->reassembly;
    config.probe = probe_param();
    wisp_platform_entropy(config.seed, sizeof(config.seed));
    size_t size = wisp_stack_size(&config);
    net->stack = wisp_stack_init(wisp_net_memory(size), size, &config, net->now);
    if (!net->stack) {
        wisp_platform_exit(1, "not enough memory: give more, or allow less");
    }
    wisp_net_show_stack(net->stack);
}

void wisp_net_banner(const struct wisp_net *net, enum wisp_log_level level)
{
    const struct wisp_netdev_caps *caps = &net->netdev->caps;
    const uint8_t *m = caps->mac.octet;
    struct wisp_pool_stats stats;
    wisp_pool_stats(net->pages, &stats);
    wisp_platform_log(level, wisp_app.name, "wisp %s on %s, %u pages of 4 KiB", WISP_VERSION_STRING,
                      wisp_platform_name(), stats.pages);
    wisp_platform_log(level, "net", "%02x:%02x:%02x:%02x:%02x:%02x, MTU %u, offloads:%s%s%s", m[0],
                      m[1], m[2], m[3], m[4], m[5], caps->mtu, caps->csum_tx ? " checksum" : "",
                      caps->gso_tx ? " segmentation" : "", caps->csum_tx ? "" : " none");
}

void wisp_net_open(struct wisp_net *net, const struct wisp_net_config *config)
{
    *net = (struct wisp_net){.now = wisp_platform_now()};
    open_pages(net);
    net->netdev = wisp_platform_netdev(0, net->pages);
    if (!net->netdev) {
        wisp_platform_exit(1, wisp_platform_netdev_reason());
    }
    open_stack(net, config);
    net->now = wisp_platform_now(); /* opening a device takes its time */
    wisp_net_configure(net, config->quiet ? WISP_LOG_DEBUG : WISP_LOG_INFO);
}

static void tell(const struct wisp_stack_event *event)
{
    char addr[WISP_ADDR_TEXT_MAX];
    const uint8_t *m = event->other.octet;
    wisp_addr_text(&event->addr, addr, sizeof(addr));
    switch (event->kind) {
    case WISP_STACK_ADDRESS_READY:
        wisp_platform_log(WISP_LOG_DEBUG, "net", "%s is ready", addr);
        break;
    case WISP_STACK_ADDRESS_CONFLICT:
        wisp_platform_log(
            WISP_LOG_WARN, "net", "%s is also claimed by %02x:%02x:%02x:%02x:%02x:%02x: %s", addr,
            m[0], m[1], m[2], m[3], m[4], m[5], event->lost ? "given up" : "kept and defended");
        break;
    case WISP_STACK_LINK_UP:
        wisp_platform_log(WISP_LOG_INFO, "net", "link up");
        break;
    case WISP_STACK_LINK_DOWN:
        wisp_platform_log(WISP_LOG_WARN, "net", "link down");
        break;
    case WISP_STACK_RESUMED:
        wisp_platform_log(WISP_LOG_INFO, "net", "resumed");
        break;
    }
}

void wisp_net_flush(struct wisp_net *net)
{
    struct wisp_stack_event event;
    net->now = wisp_platform_now();
    net->deadline = wisp_stack_poll(net->stack, net->now);
    while (wisp_stack_next_event(net->stack, &event)) {
        tell(&event);
        if (net->automatic) {
            net->automatic->notice(net, &event);
        }
    }
    if (net->automatic) {
        net->deadline = wisp_time_min(net->deadline, net->automatic->step(net));
    }
}

bool wisp_net_step(struct wisp_net *net, wisp_time at)
{
    if (!wisp_platform_wait(wisp_time_min(at, net->deadline))) {
        return false;
    }
    wisp_net_flush(net);
    return true;
}

void wisp_net_await(struct wisp_net *net, wisp_time patience)
{
    wisp_time until = wisp_time_add(net->now, patience);
    struct wisp_addr addr;
    uint8_t prefix;
    while (!wisp_stack_address(net->stack, &addr, &prefix)) {
        if (net->now >= until) {
            wisp_platform_exit(1, "no address in time: does a DHCP server answer?");
        }
        if (!wisp_net_step(net, until)) {
            wisp_platform_exit(1, "ended before there was an address");
        }
    }
}

void wisp_net_close(struct wisp_net *net)
{
    if (net->automatic) {
        net->automatic->close(net);
    }
    if (net->udp) {
        net->udp_fini(net->udp);
    }
    wisp_net_show_no_more(net->stack);
    wisp_stack_fini(net->stack);
}
