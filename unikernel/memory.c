/* SPDX-License-Identifier: ISC */
/*
 * All memory that neither image nor tables took: three quarters are pages for the pool, one quarter
 * is for everything else, given out from the front and never back.
 *
 * It is zero as Xen gives it: Xen clears what a dead domain had, Linux what it balloons out. Only
 * its beginning may hold what toolstack and boot left, and is cleared here.
 */
#include "machine.h"
#include "start.h"
#include <string.h>
#include <wisp/page.h>

/* What the toolstack puts behind image and tables: a few pages. */
#define TOUCHED UINT64_C(0x10000)

static uint8_t *pages_start, *rest_at, *rest_end;
static uint32_t page_count;

void wisp_memory_init(void)
{
    uintptr_t start = wisp_guest.pool_start, end = wisp_guest.pool_end;
    memset((void *)start, 0, end - start < TOUCHED ? end - start : TOUCHED);
    uintptr_t pages = (end - start) / 4 * 3 & ~(uintptr_t)(WISP_PAGE_SIZE - 1);
    pages_start = (uint8_t *)start;
    page_count = (uint32_t)(pages / WISP_PAGE_SIZE);
    rest_at = pages_start + pages;
    rest_end = (uint8_t *)end;
}

void *wisp_platform_pages(uint32_t *pages)
{
    *pages = page_count;
    return pages_start;
}

void *wisp_platform_memory(size_t size)
{
    size_t rounded = (size + 63) & ~(size_t)63;
    if (rounded < size || rounded > (size_t)(rest_end - rest_at)) {
        return NULL;
    }
    void *at = rest_at;
    rest_at += rounded;
    return at;
}
