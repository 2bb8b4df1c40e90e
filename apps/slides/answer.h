/* SPDX-License-Identifier: ISC */
/* What to answer to a request for a file: a status, a part of the file, and a head. No I/O. */
#ifndef WISP_SLIDES_ANSWER_H
#define WISP_SLIDES_ANSWER_H

#include "request.h"
#include "text.h"
#include <stdbool.h>

/* What can be asked for: a file, or something made for the occasion. */
struct answer_resource {
    const char *type;
    const char *etag; /* null: none, and no ranges */
    uint64_t length;
};

struct answer {
    uint16_t status;
    bool body; /* send the bytes first .. first + length - 1 of the resource after the head */
    bool keep_alive;
    uint64_t first, length;                 /* of the resource */
    const struct answer_resource *resource; /* null: the status says it all, in a short text */
};

/* Decides; resource null: there is none of that name. */
struct answer answer_decide(const struct http_request *request,
                            const struct answer_resource *resource);

/* Writes the head of the answer, and for statuses without a resource the short text too. */
void answer_emit(const struct answer *answer, bool head_only, struct wisp_text *text);

#endif
