/* SPDX-License-Identifier: ISC */
/*
 * --xen=HANDLE: the ring driver in user space, in dom0 or a Linux guest, on device/vif/HANDLE of
 * this domain (in dom0: xl network-attach 0). All pages of the pool are shared with the backend, so
 * the pool is as large as
 * --xen-pages says, not --memory.
 */
#include "xen.h"
#include "libxen.h"
#include "linux.h"
#include "netfront.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wisp/platform.h>

#define CONNECT_WITHIN WISP_SEC(10)
#define CLOSE_WITHIN   WISP_SEC(6)
#define NOT_ON_XEN     77

static struct wisp_libxen *xen;
static struct wisp_netfront *front;
static char path[32];

/* What the kernel says it runs on, where it says so. */
static bool on_xen(void)
{
    char type[8] = "";
    FILE *file = fopen("/sys/hypervisor/type", "r");
    if (file) {
        type[fread(type, 1, sizeof(type) - 1, file)] = 0;
        fclose(file);
    }
    return strncmp(type, "xen", 3) == 0;
}

bool linux_xen_wanted(void)
{
    return wisp_platform_param("xen") != NULL;
}

void *linux_xen_pages(uint32_t pages)
{
    static char why[256];
    snprintf(path, sizeof(path), "device/vif/%u", linux_number("xen", 0, 65535));
    xen = wisp_libxen_open(&(struct wisp_libxen_config){path, pages}, why, sizeof(why));
    if (!xen) {
        /* What nobody asked Xen for is no failure: test runners count 77 as skipped. */
        wisp_platform_exit(on_xen() ? 1 : NOT_ON_XEN, why);
    }
    return wisp_libxen_pages(xen);
}

/* Steps the driver until its state is as wanted or time is up; false: the latter. */
static bool step_until(enum wisp_netfront_state state, wisp_time limit)
{
    wisp_time end = wisp_platform_now() + limit;
    for (;;) {
        wisp_time now = wisp_platform_now();
        wisp_time at = wisp_netfront_step(front, now);
        if (wisp_netfront_state(front) == state) {
            return true;
        }
        if (now >= end) {
            return false;
        }
        struct pollfd fds[LINUX_XEN_FDS];
        wisp_time until = wisp_time_min(at, end);
        int left = until > now ? (int)((until - now) / 1000000u) + 1 : 0;
        poll(fds, linux_xen_fds(fds), left);
        linux_xen_collect();
    }
}

static struct wisp_netfront *make_front(struct wisp_pool *pages)
{
    struct wisp_netfront_config config;
    wisp_netfront_config_default(&config);
    config.hv = wisp_libxen_hypervisor(xen);
    config.path = path;
    config.pages = pages;
    config.token = 1;
    config.tx_packets = 256;
    size_t size = wisp_netfront_size(&config);
    void *mem = wisp_platform_memory(size);
    return mem ? wisp_netfront_init(mem, size, &config) : NULL;
}

struct wisp_netdev *linux_xen_open(struct wisp_pool *pages, char *why, size_t size)
{
    front = make_front(pages);
    if (!front) {
        snprintf(why, size, "too little memory for the Xen device: raise --xen-pages or --memory");
        return NULL;
    }
    if (!step_until(WISP_NETFRONT_CONNECTED, CONNECT_WITHIN)) {
        snprintf(why, size, "no connection to the backend: %s", wisp_netfront_reason(front));
        return NULL;
    }
    return wisp_netfront_dev(front);
}

uint32_t linux_xen_fds(struct pollfd fds[LINUX_XEN_FDS])
{
    int fd[WISP_LIBXEN_FDS];
    if (!xen) {
        return 0;
    }
    wisp_libxen_fds(xen, fd);
    for (uint32_t i = 0; i < LINUX_XEN_FDS; i++) {
        fds[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
    }
    return LINUX_XEN_FDS;
}

void linux_xen_collect(void)
{
    if (xen) {
        wisp_libxen_collect(xen);
    }
}

void linux_xen_close(void)
{
    if (front) {
        wisp_netfront_close(front, wisp_platform_now());
        step_until(WISP_NETFRONT_CLOSED, CLOSE_WITHIN);
    }
    if (xen) {
        wisp_libxen_close(xen);
        xen = NULL;
    }
}
