/* SPDX-License-Identifier: ISC */
/* The bytes of an answer as pages: a part of a file in the image, or pages of the pool written for it. */
#ifndef WISP_SLIDES_BODY_H
#define WISP_SLIDES_BODY_H

#include "site.h"
#include <stdbool.h>
#include <wisp/tcp.h>

#define BODY_PAGES 8u /* the longest text made for the occasion */

struct body {
    struct wisp_page *file;             /* consecutive pages, or null: made[] */
    struct wisp_page *made[BODY_PAGES]; /* owned */
    uint64_t at;                        /* next byte, counted from the first page */
    uint64_t left;
};

/* Bytes first .. first + length - 1 of file. */
void body_of_file(struct body *body, const struct site_file *file, uint64_t first, uint64_t length);

/* A copy of length bytes (at most BODY_PAGES pages) on pages of pool. False: none left. */
bool body_of_text(struct body *body, struct wisp_pool *pool, const char *text, uint32_t length);

/* Queues what conn takes. True: all of it is queued. */
bool body_send(struct body *body, struct wisp_tcp_conn *conn);

/* Lets the pages go; those queued are TCP's until acknowledged. */
void body_drop(struct body *body);

#endif
