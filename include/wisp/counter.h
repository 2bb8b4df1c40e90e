/* SPDX-License-Identifier: ISC */
/* Counters: each layer's table of names and values, for printing and for tests. */
#ifndef WISP_COUNTER_H
#define WISP_COUNTER_H

#include <stdint.h>

struct wisp_counter {
    const char *name; /* "ipv4.rx.bad_checksum", a static string */
    uint64_t value;
};

#endif
