/* SPDX-License-Identifier: ISC */
/* See famine.h. The linker gives the names: a call of f arrives at __wrap_f, and __real_f is the pool's own. */
#include "famine.h"
#include <stdbool.h>
#include <wisp/pkt.h>

static uint64_t asked;
static uint64_t from;
static uint64_t length;

struct wisp_page *__real_wisp_page_alloc(struct wisp_pool *pool, enum wisp_role role,
                                         enum wisp_holder holder);
struct wisp_page *__real_wisp_page_alloc_reserved(struct wisp_pool *pool, enum wisp_role role,
                                                  enum wisp_holder holder);
struct wisp_pkt *__real_wisp_pkt_alloc(struct wisp_pktpool *pool);
uint32_t __real_wisp_pktpool_available(const struct wisp_pktpool *pool);
struct wisp_page *__wrap_wisp_page_alloc(struct wisp_pool *pool, enum wisp_role role,
                                         enum wisp_holder holder);
struct wisp_page *__wrap_wisp_page_alloc_reserved(struct wisp_pool *pool, enum wisp_role role,
                                                  enum wisp_holder holder);
struct wisp_pkt *__wrap_wisp_pkt_alloc(struct wisp_pktpool *pool);
uint32_t __wrap_wisp_pktpool_available(const struct wisp_pktpool *pool);

void famine_begin(uint64_t first, uint64_t count)
{
    asked = 0;
    from = first;
    length = count;
}

uint64_t famine_end(void)
{
    length = 0;
    return asked;
}

static bool refused(void)
{
    asked++;
    return from > 0 && asked >= from && asked - from < length;
}

struct wisp_page *__wrap_wisp_page_alloc(struct wisp_pool *pool, enum wisp_role role,
                                         enum wisp_holder holder)
{
    return refused() ? NULL : __real_wisp_page_alloc(pool, role, holder);
}

struct wisp_page *__wrap_wisp_page_alloc_reserved(struct wisp_pool *pool, enum wisp_role role,
                                                  enum wisp_holder holder)
{
    return refused() ? NULL : __real_wisp_page_alloc_reserved(pool, role, holder);
}

struct wisp_pkt *__wrap_wisp_pkt_alloc(struct wisp_pktpool *pool)
{
    return refused() ? NULL : __real_wisp_pkt_alloc(pool);
}

/* Who asks first how many there are takes one that is there. */
uint32_t __wrap_wisp_pktpool_available(const struct wisp_pktpool *pool)
{
    return refused() ? 0 : __real_wisp_pktpool_available(pool);
}
