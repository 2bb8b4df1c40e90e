/* SPDX-License-Identifier: ISC */
/* xenstore's ring and messages (xen/io/xs_wire.h) as bytes: no calls, no waiting; also tested as a
 * process. */
#ifndef WISP_UNIKERNEL_XENSTORE_WIRE_H
#define WISP_UNIKERNEL_XENSTORE_WIRE_H

#include "hypervisor.h"
#include <stddef.h>
#include <stdint.h>

struct xenstore_domain_interface;

/* A message: 16 bytes of these four, then length bytes. */
struct wisp_xs_header {
    uint32_t type, request, transaction, length;
};

/* Moves up to size bytes; returns how many. WISP_XS_RING_BROKEN when the other side's index is
 * impossible. */
#define WISP_XS_RING_BROKEN SIZE_MAX
size_t wisp_xs_ring_put(struct xenstore_domain_interface *ring, const void *bytes, size_t size);
size_t wisp_xs_ring_get(struct xenstore_domain_interface *ring, void *bytes, size_t size);

/* What an XS_ERROR's text (with its zero, as it came: length bytes) means to a driver. */
enum wisp_xs_result wisp_xs_error_parse(const char *text, size_t length);

/* The token of a watch event (path, zero, token, zero), written by wisp_xs_token_emit; false when
 * it is none. */
bool wisp_xs_token_parse(const char *event, size_t length, uint32_t *token);
/* Eight digits and a zero. */
void wisp_xs_token_emit(uint32_t token, char text[9]);

#endif
