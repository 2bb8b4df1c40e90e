/* SPDX-License-Identifier: ISC */
/*
 * Pages that are born shared. The kernel's limit on them (1024 for all processes together, by
 * default) is the usual reason for a refusal.
 */
#include "libxen_priv.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_FILE "/sys/module/xen_gntalloc/parameters/limit"

static void explain(int error, uint32_t pages, char *why, size_t size)
{
    if (error == ENOSPC) {
        snprintf(why, size,
                 "no room for %u shared pages: raise the limit (echo %u > " LIMIT_FILE
                 ") or ask for fewer",
                 pages, pages + 1024);
    } else {
        snprintf(why, size, "cannot share %u pages: %s", pages, strerror(error));
    }
}

bool libxen_grants_open(struct wisp_libxen *xen, uint32_t domain, uint32_t pages, char *why,
                        size_t size)
{
    xen->grants = xengntshr_open(NULL, 0);
    if (!xen->grants) {
        snprintf(why, size, "cannot open /dev/xen/gntalloc: %s (modprobe xen-gntalloc; be root)",
                 strerror(errno));
        return false;
    }
    xen->references = calloc(pages, sizeof(xen->references[0]));
    if (!xen->references) {
        snprintf(why, size, "no memory");
        return false;
    }
    xen->memory = xengntshr_share_pages(xen->grants, domain, (int)pages, xen->references, 1);
    if (!xen->memory) {
        explain(errno, pages, why, size);
        return false;
    }
    xen->pages = pages;
    memset(xen->memory, 0, (size_t)pages * WISP_PAGE_SIZE);
    return true;
}

void libxen_grants_close(struct wisp_libxen *xen)
{
    if (xen->memory) {
        xengntshr_unshare(xen->grants, xen->memory, xen->pages);
    }
    free(xen->references);
    if (xen->grants) {
        xengntshr_close(xen->grants);
    }
}

uint32_t libxen_grant(struct wisp_hypervisor *hv, uint16_t domain, struct wisp_page *page,
                      bool writable)
{
    const struct wisp_libxen *xen = libxen_of(hv);
    size_t index = (size_t)((uintptr_t)page->data - (uintptr_t)xen->memory) / WISP_PAGE_SIZE;
    (void)domain;
    (void)writable;
    bool ours = (uintptr_t)page->data >= (uintptr_t)xen->memory && index < xen->pages;
    return ours ? xen->references[index] : WISP_GRANT_NONE;
}

bool libxen_end_grant(struct wisp_hypervisor *hv, uint32_t reference)
{
    (void)hv;
    (void)reference;
    return true; /* the kernel ends it when the process does, and only once nobody has it mapped */
}

void libxen_forget_grants(struct wisp_hypervisor *hv)
{
    (void)hv;
}
