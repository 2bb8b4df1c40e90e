/* SPDX-License-Identifier: ISC */
/*
 * pvclock: Xen writes {counter, time, scale} to the shared page, with a version that is odd
 * meanwhile; time now is that time plus the scaled counts since. Xen moves the base now and then by
 * a few nanoseconds, so the answer is held monotonic here.
 */
#include "clock.h"
#include "layout.h"
#include "machine.h"
#include <xen/xen.h>

/* Not of the standard: the product of the scaling has 96 bits. */
__extension__ typedef unsigned __int128 wide;

static uint64_t start WISP_SEALED;
static uint64_t last;

static uint64_t counter(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t scale(uint64_t ticks, uint32_t multiplier, int8_t shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (uint64_t)((wide)ticks * multiplier >> 32);
}

static uint64_t system_time(void)
{
    const volatile vcpu_time_info_t *info = &wisp_guest.shared->vcpu_info[0].time;
    uint32_t version;
    uint64_t time;
    do {
        version = info->version;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        time = info->system_time +
               scale(counter() - info->tsc_timestamp, info->tsc_to_system_mul, info->tsc_shift);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != info->version);
    return time;
}

void wisp_clock_init(void)
{
    start = last = system_time();
}

wisp_time wisp_clock_now(void)
{
    uint64_t time = system_time();
    if (time > last) {
        last = time;
    }
    return last - start;
}

uint64_t wisp_clock_system_time(wisp_time time)
{
    return wisp_time_add(time, start);
}
