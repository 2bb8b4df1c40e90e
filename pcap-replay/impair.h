/* SPDX-License-Identifier: ISC */
/* What bad networks do to frames on their way, on virtual time and from a seed. */
#ifndef REPLAY_IMPAIR_H
#define REPLAY_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct impairment {
    uint64_t delay, jitter; /* nanoseconds; jitter is added, up to that much, and keeps the order */
    uint32_t loss, duplicate, reorder, corrupt; /* millionths */
    uint64_t rate;                              /* bits per second, 0: unlimited */
};

/* Reads "delay=20ms,loss=1%,..."; false with a reason in error. */
bool impairment_parse(const char *text, struct impairment *impairment, char *error, size_t size);

/* One direction of a path. */
struct impair;

/* A frame came through; gso_size as it was given. */
typedef void (*impair_fn)(void *context, uint8_t *bytes, uint32_t length, uint16_t gso_size,
                          uint64_t now);

/* through is called from impair_pass and impair_step. Null: no memory. */
struct impair *impair_open(const struct impairment *impairment, uint64_t seed, impair_fn through,
                           void *context);
void impair_close(struct impair *impair);

/* A frame enters; its bytes are copied if it has to wait. */
void impair_pass(struct impair *impair, const uint8_t *bytes, uint32_t length, uint16_t gso_size,
                 uint64_t now);

/* Lets through what is due; returns when the next one is, UINT64_MAX: none waits. */
uint64_t impair_step(struct impair *impair, uint64_t now);

#endif
