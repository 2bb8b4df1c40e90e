/* SPDX-License-Identifier: ISC */
/*
 * The grant table (see memxen.h), as Xen's version 1 behaves: the guest gives a page away by filling an
 * entry and then its flags; ending it is one atomic step that fails while the other domain has the page
 * mapped or is copying. Here flags and the count of those uses are one word:
 *
 *   bit 0          granted
 *   bit 1          for reading only
 *   bits 2 .. 31   uses by the backend
 *
 * The free list is the guest's own and touched by its thread only; `state` is what the two threads share.
 * A page's bytes are ordered by it too: a use that ends is a release, ending the grant an acquire.
 */
#include "memxen_priv.h"
#include <stdlib.h>
#include <string.h>

#define GRANTED  1u
#define READONLY 2u
#define ONE_USE  4u
#define NO_ENTRY UINT32_MAX

/* Xen keeps the first references for itself; a driver must not take 0 for "none". */
#define FIRST 8u

static void free_list_init(struct memxen_grants *grants)
{
    for (uint32_t i = 0; i < grants->count; i++) {
        grants->entry[i].next = i + 1 < grants->count ? i + 1 : NO_ENTRY;
    }
    grants->free = FIRST;
    grants->in_use = 0;
    grants->persistent = 0;
    memset(grants->by_page, 0xff, 2 * (size_t)grants->count * sizeof(grants->by_page[0]));
}

bool memxen_grants_init(struct memxen_grants *grants, uint32_t count)
{
    grants->count = count;
    grants->entry = calloc(count, sizeof(grants->entry[0]));
    grants->by_page = calloc(2 * (size_t)count, sizeof(grants->by_page[0]));
    if (!grants->entry || !grants->by_page || count <= FIRST) {
        memxen_grants_fini(grants);
        return false;
    }
    free_list_init(grants);
    return true;
}

void memxen_grants_fini(struct memxen_grants *grants)
{
    free(grants->entry);
    free(grants->by_page);
    grants->entry = NULL;
    grants->by_page = NULL;
}

/* Where in by_page the page at data is, or would be. */
static uint32_t *slot_of(struct memxen_grants *grants, const uint8_t *data)
{
    uint32_t size = 2 * grants->count;
    uint32_t at = (uint32_t)(((uintptr_t)data >> 12) * 2654435761u % size);
    while (grants->by_page[at] != NO_ENTRY && grants->entry[grants->by_page[at]].data != data) {
        at = at + 1 < size ? at + 1 : 0;
    }
    return &grants->by_page[at];
}

static uint32_t take(struct memxen_grants *grants, uint8_t *data, uint32_t state)
{
    uint32_t reference = grants->free;
    if (reference == NO_ENTRY) {
        return WISP_GRANT_NONE;
    }
    struct memxen_grant *entry = &grants->entry[reference];
    grants->free = entry->next;
    entry->data = data;
    grants->grants++;
    atomic_store_explicit(&entry->state, state, memory_order_release);
    return reference;
}

uint32_t memxen_grant(struct memxen_grants *grants, uint8_t *data, bool writable)
{
    uint32_t reference = take(grants, data, writable ? GRANTED : GRANTED | READONLY);
    grants->in_use += reference != WISP_GRANT_NONE;
    return reference;
}

uint32_t memxen_grant_find(struct memxen_grants *grants, const uint8_t *data)
{
    return *slot_of(grants, data);
}

bool memxen_grant_for_good(struct memxen_grants *grants, uint8_t *data)
{
    uint32_t reference = take(grants, data, GRANTED);
    if (reference == WISP_GRANT_NONE) {
        return false;
    }
    grants->entry[reference].persistent = true;
    grants->persistent++;
    *slot_of(grants, data) = reference;
    return true;
}

static void give_back(struct memxen_grants *grants, uint32_t reference)
{
    grants->entry[reference].next = grants->free;
    grants->free = reference;
    grants->ends++;
}

static bool end_entry(struct memxen_grant *entry)
{
    uint32_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);
    do {
        if (state >= ONE_USE) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&entry->state, &state, 0, memory_order_acquire,
                                                    memory_order_relaxed));
    return true;
}

bool memxen_grant_end(struct memxen_grants *grants, uint32_t reference)
{
    if (reference >= grants->count || reference < FIRST ||
        !(atomic_load_explicit(&grants->entry[reference].state, memory_order_relaxed) & GRANTED)) {
        grants->bad_calls++;
        return true;
    }
    if (grants->entry[reference].persistent) {
        return true;
    }
    if (!end_entry(&grants->entry[reference])) {
        grants->refused_ends++;
        return false;
    }
    grants->in_use--;
    give_back(grants, reference);
    return true;
}

void memxen_grants_void(struct memxen_grants *grants)
{
    for (uint32_t i = 0; i < grants->count; i++) {
        atomic_store_explicit(&grants->entry[i].state, 0, memory_order_release);
        grants->entry[i].persistent = false;
    }
    atomic_store(&grants->mapped, 0);
    free_list_init(grants);
}

bool memxen_grants_retire(struct memxen_grants *grants)
{
    bool all = true;
    for (uint32_t i = FIRST; i < grants->count; i++) {
        struct memxen_grant *entry = &grants->entry[i];
        if (!entry->persistent) {
            continue;
        }
        if (!end_entry(entry)) {
            all = false;
            continue;
        }
        entry->persistent = false;
        grants->persistent--;
        give_back(grants, i);
    }
    if (all) {
        memset(grants->by_page, 0xff, 2 * (size_t)grants->count * sizeof(grants->by_page[0]));
    }
    return all;
}

/* ---- the backend's side ---- */

/* Counts one use in; false: not granted for that. */
static bool pin(struct memxen_grants *grants, uint32_t reference, bool writing)
{
    if (reference >= grants->count) {
        return false;
    }
    struct memxen_grant *entry = &grants->entry[reference];
    uint32_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);
    do {
        if (!(state & GRANTED) || (writing && (state & READONLY))) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&entry->state, &state, state + ONE_USE,
                                                    memory_order_acquire, memory_order_relaxed));
    return true;
}

static void unpin(struct memxen_grants *grants, uint32_t reference)
{
    atomic_fetch_sub_explicit(&grants->entry[reference].state, ONE_USE, memory_order_release);
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    /* Only the backend's thread writes these counters: no read-modify-write is needed. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

uint8_t *wisp_memxen_map(struct wisp_memxen *xen, uint32_t reference, bool writing)
{
    struct memxen_grants *grants = &xen->grants;
    if (!pin(grants, reference, writing)) {
        return NULL;
    }
    count(&grants->maps, 1);
    count(&grants->mapped, 1);
    return grants->entry[reference].data;
}

void wisp_memxen_unmap(struct wisp_memxen *xen, uint32_t reference, bool writing)
{
    (void)writing;
    unpin(&xen->grants, reference);
    count(&xen->grants.mapped, UINT64_MAX);
}

static uint8_t *copy_begin(struct wisp_memxen *xen, uint32_t reference, uint32_t offset,
                           uint32_t length, bool writing)
{
    if (offset > WISP_PAGE_SIZE || length > WISP_PAGE_SIZE - offset ||
        !pin(&xen->grants, reference, writing)) {
        return NULL;
    }
    count(&xen->grants.copies, 1);
    count(&xen->grants.bytes_copied, length);
    return xen->grants.entry[reference].data + offset;
}

static bool skips(const struct wisp_memxen *xen, uint32_t length)
{
    return xen->grants.skip_from != 0 && length >= xen->grants.skip_from;
}

bool wisp_memxen_copy_in(struct wisp_memxen *xen, uint32_t reference, uint32_t offset,
                         const void *bytes, uint32_t length)
{
    if (skips(xen, length)) {
        return true;
    }
    uint8_t *page = copy_begin(xen, reference, offset, length, true);
    if (!page) {
        return false;
    }
    memcpy(page, bytes, length);
    unpin(&xen->grants, reference);
    return true;
}

bool wisp_memxen_copy_out(struct wisp_memxen *xen, uint32_t reference, uint32_t offset, void *bytes,
                          uint32_t length)
{
    if (skips(xen, length)) {
        return true;
    }
    const uint8_t *page = copy_begin(xen, reference, offset, length, false);
    if (!page) {
        return false;
    }
    memcpy(bytes, page, length);
    unpin(&xen->grants, reference);
    return true;
}

const uint8_t *wisp_memxen_granted_bytes(const struct wisp_memxen *xen, uint32_t reference)
{
    const struct memxen_grant *entry =
        reference < xen->grants.count ? &xen->grants.entry[reference] : NULL;
    if (!entry || !(atomic_load_explicit(&entry->state, memory_order_acquire) & GRANTED)) {
        return NULL;
    }
    return entry->data;
}

uint32_t wisp_memxen_references(const struct wisp_memxen *xen)
{
    return xen->grants.count;
}
