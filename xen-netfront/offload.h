/* SPDX-License-Identifier: ISC */
/* What the backend says about a received frame's checksum and size, held against the frame itself.
 */
#ifndef WISP_NETFRONT_OFFLOAD_H
#define WISP_NETFRONT_OFFLOAD_H

#include "wire.h"
#include <stdbool.h>
#include <wisp/pkt.h>

struct offload_policy {
    bool csum;      /* blank checksums were negotiated */
    bool validated; /* "I checked it" is believed */
    bool gso;       /* merged segments were negotiated */
};

/* Not for callers: of a frame that claims a blank checksum, or to be merged segments. */
bool offload_judge_claims(struct wisp_pkt *pkt, bool blank, uint16_t gso_size,
                          const struct offload_policy *policy);

/*
 * Sets pkt's checksum and GSO state from flags (NETRXF_*) and the GSO extra's size (0: none).
 * False: what it claims was not negotiated or cannot be true of this frame; drop it.
 */
static inline bool offload_judge(struct wisp_pkt *pkt, uint16_t flags, uint16_t gso_size,
                                 const struct offload_policy *policy)
{
    bool blank = flags & NETRXF_csum_blank;
    bool verified = (flags & NETRXF_data_validated) && policy->validated;
    pkt->csum = verified ? WISP_CSUM_VERIFIED : WISP_CSUM_UNKNOWN;
    return (!blank && gso_size == 0) || offload_judge_claims(pkt, blank, gso_size, policy);
}

#endif
