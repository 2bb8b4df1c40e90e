/* SPDX-License-Identifier: ISC */
/* The guest's xenstore client: one request at a time, each waiting for its answer; watches are
 * collected meanwhile. */
#ifndef WISP_UNIKERNEL_XENSTORE_H
#define WISP_UNIKERNEL_XENSTORE_H

#include "hypervisor.h"

/* Tokens of the platform's own; a driver's are small numbers. */
enum { WISP_XENSTORE_TOKEN_SHUTDOWN = 0x7ffffff0 };

void wisp_xenstore_init(void);

/* Semantics as in hypervisor.h. A path that does not begin with / is below the guest's own
 * directory. */
enum wisp_xs_result wisp_xenstore_read(wisp_xs_tx tx, const char *path, char *value, size_t size);
enum wisp_xs_result wisp_xenstore_write(wisp_xs_tx tx, const char *path, const char *value);
enum wisp_xs_result wisp_xenstore_remove(wisp_xs_tx tx, const char *path);
wisp_xs_tx wisp_xenstore_begin(void);
enum wisp_xs_result wisp_xenstore_end(wisp_xs_tx tx, bool abort);
enum wisp_xs_result wisp_xenstore_watch(const char *path, uint32_t token);
void wisp_xenstore_unwatch(const char *path, uint32_t token);
bool wisp_xenstore_changed(uint32_t token);
/* Blocks as wisp_event_wait does, unless a watch fired since the last wait: what came in beside an
 * answer would wake nobody. */
void wisp_xenstore_wait(wisp_time deadline);

#endif
