/* SPDX-License-Identifier: ISC */
/*
 * The seam of hypervisor.h for a Linux process in dom0, or in any Linux guest, over libxengnttab,
 * libxenevtchn and libxenstore.
 *
 * gntalloc cannot share a page the process already has, so the pages are made here, all of them
 * shared with the backend for good: the persistent policy. Static data has no grant; the driver
 * copies it and counts that.
 *
 * A guardian process outlives a killed owner: it tells xenstore that the device is closed, so that
 * the backend lets go and the kernel gets its pages back.
 */
#ifndef WISP_LIBXEN_H
#define WISP_LIBXEN_H

#include "hypervisor.h"

struct wisp_libxen;

struct wisp_libxen_config {
    const char *path; /* the device's xenstore directory, "device/vif/1" */
    uint32_t pages;   /* to make */
};

/* Null: not here, or not now; why (size bytes) says in one line what is missing and what to do
 * about it. */
struct wisp_libxen *wisp_libxen_open(const struct wisp_libxen_config *config, char *why,
                                     size_t size);

/* After the device is closed. */
void wisp_libxen_close(struct wisp_libxen *xen);

struct wisp_hypervisor *wisp_libxen_hypervisor(struct wisp_libxen *xen);

/* The pages, zeroed, config.pages of them. */
void *wisp_libxen_pages(struct wisp_libxen *xen);

/* Descriptors to poll for reading: events, xenstore. */
#define WISP_LIBXEN_FDS 2
void wisp_libxen_fds(const struct wisp_libxen *xen, int fds[WISP_LIBXEN_FDS]);

/* Takes note of events that arrived; to be called after each poll. */
void wisp_libxen_collect(struct wisp_libxen *xen);

#endif
