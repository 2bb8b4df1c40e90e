/* SPDX-License-Identifier: ISC */
/*
 * A module's counters are an array of values; this names them. The names lie one behind the other as one text, found
 * by offsets: two bytes for each, where a pointer would take eight of an image.
 */
#ifndef WISP_BASE_COUNT_NAMES_H
#define WISP_BASE_COUNT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <wisp/counter.h>

struct wisp_count_names {
    const char *text;
    const uint16_t *at; /* where in text the name of each begins */
    uint32_t count;
};

/*
 * Defines count_names, the file's struct wisp_count_names, from a list of all count of them, in any order:
 *     #define NAMES(NAME) NAME(WISP_ARP_RX_SHORT, "arp.rx.short") NAME(WISP_ARP_FULL, "arp.full") ...
 */
#define WISP_COUNT_NAMES(LIST, count)                                                              \
    _Static_assert(0 LIST(WISP_COUNT_ONE) == count, "each counter has its name");                  \
    static const struct count_text {                                                               \
        LIST(WISP_COUNT_ROOM)                                                                      \
    } count_text = {LIST(WISP_COUNT_TEXT)};                                                        \
    static const uint16_t count_at[count] = {LIST(WISP_COUNT_AT)};                                 \
    static const struct wisp_count_names count_names = {(const char *)&count_text, count_at, count}

#define WISP_COUNT_ONE(which, name)  +1
#define WISP_COUNT_ROOM(which, name) char which[sizeof(name)];
#define WISP_COUNT_TEXT(which, name) .which = name,
#define WISP_COUNT_AT(which, name)   [which] = offsetof(struct count_text, which),

/* Counter number index, or false beyond the last. */
static inline bool wisp_count_at(const struct wisp_count_names *names, const uint64_t *values,
                                 uint32_t index, struct wisp_counter *counter)
{
    if (index >= names->count) {
        return false;
    }
    counter->name = names->text + names->at[index];
    counter->value = values[index];
    return true;
}

#endif
