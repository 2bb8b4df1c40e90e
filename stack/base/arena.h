/* SPDX-License-Identifier: ISC */
/*
 * Cuts one piece of memory, handed in at init, into parts. Run it once over a null base to learn the size
 * (the same function lays out and measures, so the two cannot disagree), once over the memory.
 */
#ifndef WISP_BASE_ARENA_H
#define WISP_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct wisp_arena {
    uint8_t *base; /* null while measuring */
    size_t used;
};

/* count objects of size bytes, aligned to align (a power of two); null while measuring. */
static inline void *wisp_arena_take(struct wisp_arena *arena, size_t count, size_t size,
                                    size_t align)
{
    size_t at = (arena->used + align - 1) & ~(align - 1);
    arena->used = at + count * size;
    return arena->base ? arena->base + at : NULL;
}

#define WISP_ARENA_ARRAY(arena, type, count)                                                       \
    ((type *)wisp_arena_take((arena), (count), sizeof(type), _Alignof(type)))

#endif
