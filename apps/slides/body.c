/* SPDX-License-Identifier: ISC */
/* See body.h. Nothing here reads or writes a byte that is sent, but for the text's one copy onto its pages. */
#include "body.h"
#include <string.h>

#define VIEWS 32u /* handed to TCP at once */

void body_of_file(struct body *body, const struct site_file *file, uint64_t first, uint64_t length)
{
    *body = (struct body){.file = &site_pages[file->page], .at = first, .left = length};
}

bool body_of_text(struct body *body, struct wisp_pool *pool, const char *text, uint32_t length)
{
    *body = (struct body){.left = length};
    for (uint32_t i = 0; length > 0 && i < BODY_PAGES; i++) {
        uint32_t part = length < WISP_PAGE_SIZE ? length : WISP_PAGE_SIZE;
        body->made[i] = wisp_page_alloc(pool, WISP_ROLE_APP, WISP_HOLDER_APP);
        if (!body->made[i]) {
            body_drop(body);
            return false;
        }
        memcpy(body->made[i]->data, text, part);
        text += part;
        length -= part;
    }
    return length == 0;
}

static struct wisp_view view_at(const struct body *body, uint64_t at, uint64_t left)
{
    uint64_t number = at / WISP_PAGE_SIZE;
    uint32_t offset = (uint32_t)(at % WISP_PAGE_SIZE);
    uint32_t length = WISP_PAGE_SIZE - offset;
    struct wisp_page *page = body->file ? &body->file[number] : body->made[number];
    return (struct wisp_view){page, offset, left < length ? (uint32_t)left : length};
}

/* Up to VIEWS views of what is left; returns how many, and their bytes. */
static uint32_t views_of(const struct body *body, struct wisp_view *views, uint32_t *bytes)
{
    uint64_t at = body->at;
    uint64_t left = body->left;
    uint32_t n = 0;
    while (n < VIEWS && left > 0) {
        views[n] = view_at(body, at, left);
        at += views[n].length;
        left -= views[n++].length;
    }
    *bytes = (uint32_t)(body->left - left);
    return n;
}

bool body_send(struct body *body, struct wisp_tcp_conn *conn)
{
    while (body->left > 0) {
        struct wisp_view views[VIEWS];
        uint32_t bytes;
        uint32_t count = views_of(body, views, &bytes);
        uint32_t took = wisp_tcp_send(conn, views, count);
        body->at += took;
        body->left -= took;
        if (took < bytes) {
            return false;
        }
    }
    return true;
}

void body_drop(struct body *body)
{
    for (uint32_t i = 0; i < BODY_PAGES; i++) {
        if (body->made[i]) {
            wisp_page_unref(body->made[i]);
        }
    }
    *body = (struct body){0};
}
