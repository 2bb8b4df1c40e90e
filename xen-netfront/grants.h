/* SPDX-License-Identifier: ISC */
/*
 * Which pages the backend may touch. A page's grant is taken at its first use by the device and
 * ended, under the strict policy, with its last; `device_uses` counts. Under the persistent policy
 * pages of a pool keep theirs until the connection ends.
 */
#ifndef WISP_NETFRONT_GRANTS_H
#define WISP_NETFRONT_GRANTS_H

#include "counts.h"
#include "hypervisor.h"

struct grants {
    struct wisp_hypervisor *hv;
    struct counts *counts;
    uint16_t domain;
    bool keep;      /* persistent */
    bool lost;      /* after a resume: references are void, ending them is forgetting them */
    uint32_t stuck; /* pages quarantined since the start or the last resume */
};

/* Xen refuses to map a page 128 times through one grant, and the backend then drops the frame: a page that is sent that
 * often, as a static one may be, waits for its earlier uses. */
#define GRANT_USES_MAX 100u

/* True when one more use of page has to wait for others to end. */
static inline bool grants_busy(const struct wisp_page *page)
{
    return page->device_uses >= GRANT_USES_MAX;
}

/* Not for callers: the page has no grant yet. */
bool grants_take(struct grants *grants, struct wisp_page *page, bool writable);

/* Not for callers: the page's last use went and its grant with it. */
bool grants_end(struct grants *grants, struct wisp_page *page);

/* One more use of page by the device. False: no grant to be had now. */
static inline bool grants_use(struct grants *grants, struct wisp_page *page, bool writable)
{
    if (page->grant == WISP_GRANT_NONE && !grants_take(grants, page, writable)) {
        return false;
    }
    page->device_uses++;
    return true;
}

/* One use less. False: the backend would not let go; the page is quarantined and its bytes may
 * still change. */
static inline bool grants_done(struct grants *grants, struct wisp_page *page)
{
    if (--page->device_uses != 0 || (grants->keep && page->pool)) {
        return true;
    }
    return grants_end(grants, page);
}

/* True when page carries a grant to somebody else, so this device has to copy it. */
static inline bool grants_foreign(const struct grants *grants, const struct wisp_page *page)
{
    return page->grant != WISP_GRANT_NONE && page->domain != grants->domain;
}

/* Ends the grants of all pages of pool that no device uses: when a connection ends. */
void grants_sweep(struct grants *grants, struct wisp_pool *pool);

#endif
