/* SPDX-License-Identifier: ISC */
/* What the files of icmp/ share. */
#ifndef WISP_ICMP_PRIV_H
#define WISP_ICMP_PRIV_H

#include "icmp.h"

#define WISP_ICMP_PROTOCOL 1u

/* ---- ping.c ---- */

/* An echo reply arrived; pkt starts at the ICMP header. Borrowed. */
void wisp_icmp_ping_answered(struct wisp_icmp *icmp, const struct wisp_pkt *pkt,
                             const struct wisp_icmp_message *m, const struct wisp_arrival *arrival,
                             wisp_time now);

/* An error quotes an ICMP message of ours. */
void wisp_icmp_ping_failed(struct wisp_icmp *icmp, const struct wisp_icmp_error *error,
                           wisp_time now);

#endif
