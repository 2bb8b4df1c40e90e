/* SPDX-License-Identifier: ISC */
/*
 * Opening and closing the seam. The order matters: the guardian is forked before there is any
 * handle, xenstore tells whose pages they will be, and pages and ports go before the guardian is
 * sent home.
 */
#include "libxen_priv.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static wisp_time now(struct wisp_hypervisor *hv)
{
    struct timespec t;
    (void)hv;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return WISP_SEC(t.tv_sec) + WISP_NS(t.tv_nsec);
}

static const struct wisp_hypervisor_ops libxen_ops = {
    .grant = libxen_grant,
    .end_grant = libxen_end_grant,
    .forget_grants = libxen_forget_grants,
    .event_open = libxen_event_open,
    .event_close = libxen_event_close,
    .event_notify = libxen_event_notify,
    .event_pending = libxen_event_pending,
    .xs_read = libxen_xs_read,
    .xs_write = libxen_xs_write,
    .xs_remove = libxen_xs_remove,
    .xs_begin = libxen_xs_begin,
    .xs_end = libxen_xs_end,
    .xs_watch = libxen_xs_watch,
    .xs_unwatch = libxen_xs_unwatch,
    .xs_changed = libxen_xs_changed,
    .now = now,
};

/* The domain the pages are to be shared with. */
static bool find_domain(struct wisp_libxen *xen, const char *path, uint32_t *domain, char *why,
                        size_t size)
{
    char key[WISP_XS_PATH_MAX];
    char value[WISP_XS_VALUE_MAX];
    char *end;
    int length = snprintf(key, sizeof(key), "%s/backend-id", path);
    if (length < 0 || (size_t)length >= sizeof(key)) {
        snprintf(why, size, "%s is too long a path", path);
        return false;
    }
    if (libxen_xs_read(&xen->hv, 0, key, value, sizeof(value)) != WISP_XS_OK) {
        snprintf(why, size, "no %s in xenstore: make the device first (xl network-attach DOMAIN)",
                 key);
        return false;
    }
    unsigned long id = strtoul(value, &end, 10);
    if (end == value || *end || id > 0x7fef) {
        snprintf(why, size, "%s in xenstore is no domain's number: \"%.40s\"", key, value);
        return false;
    }
    *domain = (uint32_t)id;
    return true;
}

/* In tenths of a second: how long a guardian may take to notice that its owner was killed, and then to close. */
#define USED_STEPS    10
#define CLOSING_STEPS 120

/* Whether no other frontend has the device, the kernel's or a process. One that was killed leaves it
 * Closed, by its guardian's hand, which is waited for. */
static bool is_free(struct wisp_libxen *xen, const char *path, char *why, size_t size)
{
    char key[WISP_XS_PATH_MAX];
    char state[WISP_XS_VALUE_MAX];
    snprintf(key, sizeof(key), "%s/state", path); /* shorter than the key read before */
    for (int i = 0; i < CLOSING_STEPS; i++) {
        if (libxen_xs_read(&xen->hv, 0, key, state, sizeof(state)) != WISP_XS_OK ||
            strchr("345", state[0]) == NULL) {
            return true;
        }
        if (state[0] != '5' && i >= USED_STEPS) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    snprintf(
        why, size,
        "%s is in use (its state is %s): end the process that has it, or unbind xen-netfront "
        "(echo vif-%s > /sys/bus/xen/drivers/vif/unbind); of nobody: xenstore-write %s/state 6",
        path, state, strrchr(path, '/') + 1, path);
    return false;
}

static bool open_all(struct wisp_libxen *xen, const struct wisp_libxen_config *config, char *why,
                     size_t size)
{
    uint32_t domain;
    if (!libxen_guardian_start(&xen->guardian, config->path)) {
        snprintf(why, size, "cannot start a process: %s", strerror(errno));
        return false;
    }
    return libxen_store_open(xen, why, size) &&
           find_domain(xen, config->path, &domain, why, size) &&
           is_free(xen, config->path, why, size) && libxen_events_open(xen, why, size) &&
           libxen_grants_open(xen, domain, config->pages, why, size);
}

struct wisp_libxen *wisp_libxen_open(const struct wisp_libxen_config *config, char *why,
                                     size_t size)
{
    struct wisp_libxen *xen = calloc(1, sizeof(*xen));
    if (!xen) {
        snprintf(why, size, "no memory");
        return NULL;
    }
    xen->hv.ops = &libxen_ops;
    xen->hv.policy = WISP_GRANT_PERSISTENT;
    if (!open_all(xen, config, why, size)) {
        wisp_libxen_close(xen);
        return NULL;
    }
    return xen;
}

void wisp_libxen_close(struct wisp_libxen *xen)
{
    libxen_grants_close(xen);
    libxen_events_close(xen);
    libxen_store_close(xen);
    libxen_guardian_end(&xen->guardian);
    free(xen);
}

struct wisp_hypervisor *wisp_libxen_hypervisor(struct wisp_libxen *xen)
{
    return &xen->hv;
}

void *wisp_libxen_pages(struct wisp_libxen *xen)
{
    return xen->memory;
}

void wisp_libxen_fds(const struct wisp_libxen *xen, int fds[WISP_LIBXEN_FDS])
{
    fds[0] = xenevtchn_fd(xen->events);
    fds[1] = xs_fileno(xen->store);
}
