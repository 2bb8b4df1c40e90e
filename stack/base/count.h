/* SPDX-License-Identifier: ISC */
/* A module's counters are an array of values beside an array of names; this shows one of them. */
#ifndef WISP_BASE_COUNT_H
#define WISP_BASE_COUNT_H

#include <stdbool.h>
#include <wisp/counter.h>

static inline bool wisp_count_at(const char *const *names, const uint64_t *values, uint32_t count,
                                 uint32_t index, struct wisp_counter *counter)
{
    if (index >= count) {
        return false;
    }
    counter->name = names[index];
    counter->value = values[index];
    return true;
}

#endif
