/* SPDX-License-Identifier: ISC */
/* What is in a slot, once it was copied out: checked values, or no. */
#ifndef WISP_NETFRONT_SLOT_H
#define WISP_NETFRONT_SLOT_H

#include "wire.h"
#include <stdbool.h>

enum slot_fault {
    SLOT_GOOD,
    SLOT_BAD_ID,     /* not the request this slot answers */
    SLOT_BAD_STATUS, /* an error of the backend's, or a length no page has */
    SLOT_BAD_EXTENT  /* beyond the end of the page */
};

/* One data slot of a received frame. */
struct slot_rx {
    uint32_t offset; /* offset + length <= WISP_PAGE_SIZE */
    uint32_t length;
    uint16_t flags; /* NETRXF_* */
};

/* Checks the response to request id. flags are given even for a bad slot: the chain goes on. */
enum slot_fault slot_rx_parse(uint64_t raw, uint16_t id, struct slot_rx *slot);

/* What the extras of one frame said. */
struct slot_extras {
    uint8_t seen; /* a bit for each type */
    uint8_t count;
    uint16_t gso_size; /* 0: no GSO extra */
};

/* Takes one extra; false: it is unknown, repeated, or impossible. *more: another one follows. */
bool slot_extra_parse(uint64_t raw, struct slot_extras *extras, bool *more);

/* The GSO extra of a frame to be cut into size bytes of payload each. */
netif_extra_info_t slot_gso_emit(uint16_t size);

/* Joins or leaves a multicast group. */
netif_extra_info_t slot_mcast_emit(const uint8_t group[6], bool join);

#endif
