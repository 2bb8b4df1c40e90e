/* SPDX-License-Identifier: ISC */
/* What the backend says about a received frame's checksum and size, held against the frame itself.
 */
#ifndef WISP_NETFRONT_OFFLOAD_H
#define WISP_NETFRONT_OFFLOAD_H

#include <stdbool.h>
#include <wisp/pkt.h>

struct offload_policy {
    bool csum;      /* blank checksums were negotiated */
    bool validated; /* "I checked it" is believed */
    bool gso;       /* merged segments were negotiated */
};

/*
 * Sets pkt's checksum and GSO state from flags (NETRXF_*) and the GSO extra's size (0: none).
 * False: what it claims was not negotiated or cannot be true of this frame; drop it.
 */
bool offload_judge(struct wisp_pkt *pkt, uint16_t flags, uint16_t gso_size,
                   const struct offload_policy *policy);

#endif
