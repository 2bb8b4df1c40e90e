/* SPDX-License-Identifier: ISC */
/* The walk over every page-table entry of the running guest: run at each start, before anything
 * else. */
#ifndef WISP_UNIKERNEL_SEAL_CHECK_H
#define WISP_UNIKERNEL_SEAL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct wisp_seal_report {
    uint64_t executable, writable, constant; /* pages of 4 KiB by what they may be used for */
    uint64_t tables;                         /* tables met, none of them writable */
    uint64_t first_bad;                      /* address, when the check fails */
};

/* True when no page is writable and executable, nothing but .text and the hypercall page is
 * executable, and no table is mapped writable. */
bool wisp_seal_check(struct wisp_seal_report *report);

#endif
