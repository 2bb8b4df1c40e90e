/* SPDX-License-Identifier: ISC */
/*
 * Taking and ending grants (see grants.h). Only the atomic outcome of end_grant counts (XSA-396): a
 * page whose grant could not be ended keeps its reference and never goes back to its pool. If it is
 * sent once more (TCP still owns it) that same reference serves.
 *
 * Static pages belong to no pool, so nothing could find their grants when the connection ends:
 * under either policy they are granted per use. A reference of theirs that cannot be ended is left
 * behind: what it shows never changes.
 *
 * After a resume each device forgets the references of the pages it used and of those nobody uses;
 * devices that share a pool must all have been polled once before one of them has a backend again,
 * which the xenstore handshake between the two sees to.
 */
#include "grants.h"

bool grants_take(struct grants *grants, struct wisp_page *page, bool writable)
{
    uint32_t reference = grants->hv->ops->grant(grants->hv, grants->domain, page, writable);
    if (reference == WISP_GRANT_NONE) {
        return false;
    }
    count(grants->counts, COUNT_GRANTS);
    page->grant = reference;
    page->domain = grants->domain;
    return true;
}

bool grants_end(struct grants *grants, struct wisp_page *page)
{
    if (grants->lost) {
        page->grant = WISP_GRANT_NONE;
        return true;
    }
    if (grants->hv->ops->end_grant(grants->hv, page->grant)) {
        count(grants->counts, COUNT_GRANTS_ENDED);
        page->grant = WISP_GRANT_NONE;
        return true;
    }
    if (!page->quarantined || !page->pool) {
        count(grants->counts, COUNT_GRANTS_STUCK);
        grants->stuck++;
    }
    if (!page->pool) {
        page->grant = WISP_GRANT_NONE;
    }
    wisp_page_quarantine(page);
    return false;
}

void grants_sweep(struct grants *grants, struct wisp_pool *pool)
{
    struct wisp_pool_stats stats;
    wisp_pool_stats(pool, &stats);
    for (uint32_t i = 0; i < stats.pages; i++) {
        struct wisp_page *page = wisp_pool_page(pool, i);
        if (page->grant != WISP_GRANT_NONE && page->domain == grants->domain &&
            page->device_uses == 0 && (!page->quarantined || grants->lost)) {
            grants_end(grants, page);
        }
    }
}
