/* SPDX-License-Identifier: ISC */
/* Time since the program started, and entropy. */
#include "linux.h"
#include <errno.h>
#include <sys/random.h>
#include <time.h>

static wisp_time start;
static uint64_t epoch;

static uint64_t reading(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void linux_clock_init(void)
{
    start = reading(CLOCK_MONOTONIC);
    epoch = reading(CLOCK_REALTIME);
}

uint64_t linux_clock_epoch(void)
{
    return epoch;
}

wisp_time wisp_platform_now(void)
{
    return reading(CLOCK_MONOTONIC) - start;
}

void wisp_platform_entropy(void *bytes, size_t len)
{
    uint8_t *to = bytes;
    while (len > 0) {
        ssize_t got = getrandom(to, len, 0);
        if (got < 0 && errno != EINTR) {
            wisp_platform_exit(1, "the kernel gives no random numbers");
        }
        to += got > 0 ? got : 0;
        len -= got > 0 ? (size_t)got : 0;
    }
}
