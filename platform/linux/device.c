/* SPDX-License-Identifier: ISC */
/* The one device of the process: a tap, or xen-netfront, shown to a pcap file if asked. */
#include "linux.h"
#include "tap.h"
#include "xen.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static struct wisp_tap *tap;
static struct wisp_netdev *device;
static struct wisp_pool *pool;
static char reason[256] = "a Linux process has one device, number 0";

static bool offload_config(struct wisp_tap_config *config)
{
    const char *offload = wisp_platform_param("offload");
    config->gso = strcmp(offload, "on") == 0;
    config->csum = config->gso || strcmp(offload, "csum") == 0;
    return config->csum || strcmp(offload, "off") == 0;
}

static bool mtu_config(struct wisp_tap_config *config)
{
    const char *text = wisp_platform_param("mtu");
    if (!text) {
        return true;
    }
    char *end;
    long mtu = strtol(text, &end, 10);
    config->mtu = (uint16_t)mtu;
    return *text && !*end && mtu >= 68 && mtu <= 65521; /* the tap's own limits */
}

/* What Linux takes as the name of a device. A % would make it choose another one. */
static bool name_config(struct wisp_tap_config *config)
{
    const char *name = wisp_platform_param("tap");
    size_t length = strlen(name);
    config->name = name;
    return length >= 1 && length <= 15 && strcspn(name, "/:% \t\n\v\f\r") == length &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool mac_config(struct wisp_tap_config *config)
{
    const char *text = wisp_platform_param("mac");
    static const struct wisp_mac none;
    return !text || (wisp_mac_parse(text, strlen(text), &config->mac) &&
                     !(config->mac.octet[0] & 1) && !wisp_mac_equal(config->mac, none));
}

static bool host_config(struct wisp_tap_config *config)
{
    struct wisp_ip4 ip;
    uint8_t prefix;
    config->host = wisp_platform_param("tap-host");
    return wisp_ip4_parse_prefix(config->host, strlen(config->host), &ip, &prefix) && ip.octet[0];
}

static void read_config(struct wisp_tap_config *config)
{
    *config = (struct wisp_tap_config){0};
    if (!name_config(config)) {
        wisp_platform_exit(2, "--tap=NAME: a name has 1 to 15 characters, none of them / : % or a "
                              "blank, like wisp0");
    }
    if (!host_config(config)) {
        wisp_platform_exit(2, "--tap-host is an address and its network's bits, like 10.0.0.1/24");
    }
    if (!offload_config(config)) {
        wisp_platform_exit(2, "--offload is on, csum or off");
    }
    if (!mtu_config(config)) {
        wisp_platform_exit(2, "--mtu is a number from 68 to 65521");
    }
    if (!mac_config(config)) {
        wisp_platform_exit(2, "--mac is a hardware address of one station, like 02:00:00:00:00:01");
    }
}

static struct wisp_netdev *open_tap(const struct wisp_tap_config *config, struct wisp_pool *pages)
{
    size_t size = wisp_tap_size(config);
    void *mem = wisp_platform_memory(size);
    if (!mem) {
        snprintf(reason, sizeof(reason), "too little memory for the tap: raise --memory");
        return NULL;
    }
    tap = wisp_tap_open(mem, size, config, pages, reason, sizeof(reason));
    return tap ? wisp_tap_dev(tap) : NULL;
}

struct wisp_netdev *wisp_platform_netdev(uint32_t index, struct wisp_pool *pages)
{
    if (index > 0 || device) {
        return NULL;
    }
    const char *file = wisp_platform_param("pcap");
    if (file && !*file) {
        wisp_platform_exit(2, "--pcap=FILE: the name of a file is needed");
    }
    struct wisp_tap_config config;
    read_config(&config); /* a wrong one is refused with --xen, too */
    struct wisp_netdev *dev = linux_xen_wanted() ? linux_xen_open(pages, reason, sizeof(reason))
                                                 : open_tap(&config, pages);
    device = dev && file ? linux_capture_open(file, dev, reason, sizeof(reason)) : dev;
    pool = device ? pages : NULL;
    return device;
}

const struct wisp_netdev *linux_device(void)
{
    return device;
}

const struct wisp_pool *linux_device_pages(void)
{
    return pool;
}

const char *wisp_platform_netdev_reason(void)
{
    return reason;
}

const char *wisp_platform_netdev_config(uint32_t index)
{
    (void)index; /* nobody tells a process its address */
    return NULL;
}

uint32_t linux_device_fds(struct pollfd fds[LINUX_DEVICE_FDS])
{
    if (linux_xen_wanted()) {
        return linux_xen_fds(fds);
    }
    fds[0] = (struct pollfd){.fd = tap ? wisp_tap_fd(tap) : -1, .events = POLLIN};
    return 1;
}

void linux_device_collect(void)
{
    linux_xen_collect();
}

const char *linux_device_close(void)
{
    const char *why = linux_capture_close();
    device = NULL; /* the stack that used it is gone */
    pool = NULL;
    linux_xen_close();
    if (tap) {
        wisp_tap_close(tap);
        tap = NULL;
    }
    return why;
}

const char *wisp_platform_name(void)
{
    static char name[128];
    struct utsname kernel;
    uname(&kernel);
    bool xen = linux_xen_wanted();
    snprintf(name, sizeof(name), "%.30s %.40s, %s %.16s", kernel.sysname, kernel.release,
             xen ? "xen vif" : "tap", wisp_platform_param(xen ? "xen" : "tap"));
    return name;
}
