/* SPDX-License-Identifier: ISC */
/*
 * Foreign pages: descriptions of static read-only data, so that it can be sent without a copy. They belong to
 * no pool and carry one reference for ever, so no unref ever frees them.
 */
#include "assert.h"
#include <wisp/page.h>

/* The data is only ever read through a view that is sent; views of received bytes are never foreign. */
static uint8_t *readable(const void *data)
{
    union {
        const void *in;
        uint8_t *out;
    } u = {.in = data};
    return u.out;
}

void wisp_foreign_init(struct wisp_page *pages, const void *data, size_t len)
{
    WISP_ASSERT(((uintptr_t)data & (WISP_PAGE_SIZE - 1)) == 0);
    uint32_t count = wisp_foreign_pages(len);
    for (uint32_t i = 0; i < count; i++) {
        pages[i] = (struct wisp_page){.data = readable(data) + (size_t)i * WISP_PAGE_SIZE,
                                      .refs = 1,
                                      .grant = WISP_GRANT_NONE,
                                      .role = WISP_ROLE_SEND,
                                      .holder = WISP_HOLDER_APP};
    }
}
