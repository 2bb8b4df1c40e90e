/* SPDX-License-Identifier: ISC */
/* The files in the image, laid out by tools/embed: each starts on a page and owns its last one. */
#ifndef WISP_SLIDES_SITE_H
#define WISP_SLIDES_SITE_H

#include <stddef.h>
#include <stdint.h>
#include <wisp/page.h>

struct site_file {
    const char *path; /* "/style.css"; a page has two: "/a.html" and "/a" */
    const char *type; /* for Content-Type */
    const char *etag; /* with its quotes */
    const uint8_t *data;
    uint32_t length;
    uint32_t page; /* its first one in site_pages */
};

/* Made by tools/embed; sorted by path. */
extern const struct site_file site_files[];
extern const uint32_t site_count;      /* paths */
extern const uint32_t site_file_count; /* files, and their bytes */
extern const uint64_t site_bytes;
extern struct wisp_page site_pages[];

/* Describes the files as pages. Once, before anything is sent. */
void site_init(void);

/* The file at path, or null. */
const struct site_file *site_find(const char *path);

#endif
