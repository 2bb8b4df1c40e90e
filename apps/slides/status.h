/* SPDX-License-Identifier: ISC */
/* What the server says about itself: /status.json and /counters. */
#ifndef WISP_SLIDES_STATUS_H
#define WISP_SLIDES_STATUS_H

#include "net.h"
#include "text.h"

struct server;

/* The maker of the page at path, or null. It writes to text, and says its type. */
typedef const char *(*status_page)(const struct server *server, struct wisp_text *text);
status_page status_find(const char *path);

#endif
