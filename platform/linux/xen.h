/* SPDX-License-Identifier: ISC */
/* --xen: xen-netfront over libxen as the device. Two files fill this; xen_without.c where libxen is
 * missing. */
#ifndef WISP_PLATFORM_LINUX_XEN_H
#define WISP_PLATFORM_LINUX_XEN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <wisp/netdev.h>

#define LINUX_XEN_FDS 2

/* Was --xen given? */
bool linux_xen_wanted(void);

/* Opens Xen and makes so many pages that are shared with the backend; ends the process with a
 * reason otherwise. */
void *linux_xen_pages(uint32_t pages);

/* Connects to the backend. Null: why says why not. */
struct wisp_netdev *linux_xen_open(struct wisp_pool *pages, char *why, size_t size);

/* Descriptors to poll for reading; returns how many. After the poll: collect. */
uint32_t linux_xen_fds(struct pollfd fds[LINUX_XEN_FDS]);
void linux_xen_collect(void);

/* Leaves the backend; the stack is gone. */
void linux_xen_close(void);

#endif
