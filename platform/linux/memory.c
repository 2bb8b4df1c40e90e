/* SPDX-License-Identifier: ISC */
/*
 * --memory, taken once at start: three quarters are pages for the pool, one quarter is for
 * everything else, given out from the front and never back. Pages to be shared with a Xen backend
 * come from elsewhere (xen.h).
 */
#include "linux.h"
#include "xen.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <wisp/page.h>

#define LEAST ((size_t)4 << 20) /* the stack, DHCP and a tap without TCP */

static uint8_t *memory;
static void *pool_memory;
static uint32_t pool_pages;
static size_t rest_size;
static size_t rest_used;

/* "64M" in bytes, or 0. */
static size_t size_of(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    unsigned shift = 0;
    if (end == text || *text == '-') {
        return 0;
    }
    shift = *end == 'K' || *end == 'k' ? 10 : shift;
    shift = *end == 'M' || *end == 'm' ? 20 : shift;
    shift = *end == 'G' || *end == 'g' ? 30 : shift;
    end += shift ? 1 : 0;
    return *end || n > ((unsigned long long)64 << 30) >> shift ? 0 : (size_t)n << shift;
}

void linux_memory_init(void)
{
    size_t size = size_of(wisp_platform_param("memory")) & ~(size_t)(4 * WISP_PAGE_SIZE - 1);
    if (size < LEAST) {
        wisp_platform_exit(
            2, "--memory=SIZE: from 4M (with TCP from 9M) to 64G, with K, M or G behind the "
               "number");
    }
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        wisp_platform_exit(1, "not enough memory: lower --memory");
    }
    /* fewer misses of the TLB; a kernel without them has none to give */
    (void)madvise(memory, size, MADV_HUGEPAGE);
    rest_size = size / 4;
    pool_memory = memory + rest_size;
    pool_pages = (uint32_t)((size - rest_size) / WISP_PAGE_SIZE);
    uint32_t shared = linux_number("xen-pages", 128, 1u << 20);
    if (linux_xen_wanted()) {
        pool_pages = shared;
        pool_memory = linux_xen_pages(shared);
    }
}

void *wisp_platform_pages(uint32_t *pages)
{
    *pages = pool_pages;
    return pool_memory;
}

void *wisp_platform_memory(size_t size)
{
    size_t rounded = (size + 63) & ~(size_t)63;
    if (rounded < size || rounded > rest_size - rest_used) {
        return NULL;
    }
    void *at = memory + rest_used;
    rest_used += rounded;
    return at;
}
