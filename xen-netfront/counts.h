/* SPDX-License-Identifier: ISC */
/* What the driver counts, beside the device's own statistics. Names are in netfront.c. */
#ifndef WISP_NETFRONT_COUNTS_H
#define WISP_NETFRONT_COUNTS_H

#include <stdint.h>

enum netfront_count {
    COUNT_RX_SLOTS,
    COUNT_RX_BAD_ID,
    COUNT_RX_BAD_STATUS,
    COUNT_RX_BAD_EXTENT,
    COUNT_RX_BAD_EXTRA,
    COUNT_RX_BAD_OFFLOAD, /* a checksum or GSO state that was not negotiated, or on no TCP/UDP frame
                           */
    COUNT_RX_TOO_LONG,
    COUNT_RX_STALLED, /* a frame whose end did not come */
    COUNT_RX_NO_PACKET,
    COUNT_RX_NO_PAGE,
    COUNT_RX_EMPTY,
    COUNT_RX_REVOKE, /* dropped: the grant could not be ended before parsing */
    COUNT_TX_SLOTS,
    COUNT_TX_BAD_ID,
    COUNT_TX_BAD_NULL, /* "no response" for an extra that was never sent */
    COUNT_TX_ERROR,    /* frames the backend said it did not send */
    COUNT_TX_REFUSED,  /* frames no slots can carry: a caller's mistake, dropped */
    COUNT_TX_NO_GRANT,
    COUNT_TX_WAITED, /* frames that waited for slots, grants or pages */
    COUNT_GRANTS,
    COUNT_GRANTS_ENDED,
    COUNT_GRANTS_STUCK, /* ends that failed: pages quarantined */
    COUNT_EVENTS,
    COUNT_EVENTS_SPURIOUS,
    COUNT_EVENTS_BACKED_OFF,
    COUNT_CONNECTS,
    COUNT_BROKEN,
    COUNT_XENSTORE_BAD, /* values that could not be used */
    COUNT_RETURNED,     /* frames in flight when the connection ended, handed back as completed */
    NETFRONT_COUNTS
};

struct counts {
    uint64_t value[NETFRONT_COUNTS];
};

static inline void count(struct counts *counts, enum netfront_count which)
{
    counts->value[which]++;
}

#endif
