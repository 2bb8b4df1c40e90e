/* SPDX-License-Identifier: ISC */
/* --xen where the process was built without libxen. */
#include "xen.h"
#include <wisp/platform.h>

bool linux_xen_wanted(void)
{
    if (wisp_platform_param("xen")) {
        wisp_platform_exit(2, "built without libxen: apt-get install libxen-dev and build again");
    }
    return false;
}

void *linux_xen_pages(uint32_t pages)
{
    (void)pages;
    return NULL;
}

struct wisp_netdev *linux_xen_open(struct wisp_pool *pages, char *why, size_t size)
{
    (void)pages;
    (void)why;
    (void)size;
    return NULL;
}

uint32_t linux_xen_fds(struct pollfd fds[LINUX_XEN_FDS])
{
    (void)fds;
    return 0;
}

void linux_xen_collect(void)
{
}

void linux_xen_close(void)
{
}
