/* SPDX-License-Identifier: ISC */
/* Counters: each layer's table of names and values, for printing and for tests. */
#ifndef WISP_COUNTER_H
#define WISP_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_counter {
    const char *name; /* "ipv4.rx.bad_checksum", a static string */
    uint64_t value;
};

/* What shows the counters of something, self: number index, or false beyond the last. */
typedef bool (*wisp_counter_fn)(const void *self, uint32_t index, struct wisp_counter *counter);

#ifdef __cplusplus
}
#endif

#endif
