/* SPDX-License-Identifier: ISC */
/*
 * An impaired path (see impair.h). Frames that wait are a list in the order they are due; one overtakes another
 * only when it was chosen for reordering, which holds it back by a millisecond beyond the delay.
 */
#include "impair.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REORDER_BY 1000000ull
#define MILLION    1000000u

struct waiting {
    struct waiting *next;
    uint64_t due;
    uint32_t length;
    uint16_t gso_size;
    uint8_t bytes[];
};

struct impair {
    struct impairment how;
    uint64_t random;
    uint64_t last_due; /* of a frame that keeps the order */
    uint64_t line_free;
    struct waiting *first;
    impair_fn through;
    void *context;
};

/* ---- reading the option ---- */

static bool parse_time(const char *text, uint64_t *time)
{
    char *unit;
    double value = strtod(text, &unit);
    double scale = strcmp(unit, "ns") == 0   ? 1
                   : strcmp(unit, "us") == 0 ? 1e3
                   : strcmp(unit, "ms") == 0 ? 1e6
                   : strcmp(unit, "s") == 0  ? 1e9
                                             : 0;
    *time = (uint64_t)(value * scale);
    return unit != text && scale > 0 && value >= 0 && value * scale < 3.6e12;
}

static bool parse_chance(const char *text, uint32_t *millionths)
{
    char *unit;
    double value = strtod(text, &unit);
    *millionths = (uint32_t)(value * 1e4 + 0.5);
    return unit != text && strcmp(unit, "%") == 0 && value >= 0 && value <= 100;
}

static bool parse_rate(const char *text, uint64_t *rate)
{
    char *unit;
    double value = strtod(text, &unit);
    double scale = strcmp(unit, "bit") == 0    ? 1
                   : strcmp(unit, "kbit") == 0 ? 1e3
                   : strcmp(unit, "Mbit") == 0 ? 1e6
                   : strcmp(unit, "Gbit") == 0 ? 1e9
                                               : 0;
    *rate = (uint64_t)(value * scale);
    return unit != text && scale > 0 && *rate >= 1000 && value * scale < 1e13;
}

static bool parse_item(const char *name, const char *value, struct impairment *to)
{
    if (strcmp(name, "delay") == 0) {
        return parse_time(value, &to->delay);
    }
    if (strcmp(name, "jitter") == 0) {
        return parse_time(value, &to->jitter);
    }
    if (strcmp(name, "loss") == 0) {
        return parse_chance(value, &to->loss);
    }
    if (strcmp(name, "dup") == 0) {
        return parse_chance(value, &to->duplicate);
    }
    if (strcmp(name, "reorder") == 0) {
        return parse_chance(value, &to->reorder);
    }
    if (strcmp(name, "corrupt") == 0) {
        return parse_chance(value, &to->corrupt);
    }
    return strcmp(name, "rate") == 0 && parse_rate(value, &to->rate);
}

bool impairment_parse(const char *text, struct impairment *impairment, char *error, size_t size)
{
    char item[64];
    memset(impairment, 0, sizeof(*impairment));
    do { /* an empty one is no item either */
        size_t length = strcspn(text, ",");
        if (length < sizeof(item)) {
            memcpy(item, text, length);
            item[length] = '\0';
        }
        char *value = length < sizeof(item) ? strchr(item, '=') : NULL;
        if (value) {
            *value++ = '\0';
        }
        if (!value || !parse_item(item, value, impairment)) {
            snprintf(
                error, size,
                "--impair: '%.*s' is none of delay=TIME jitter=TIME (ns us ms s) loss=N%% dup=N%% "
                "reorder=N%% corrupt=N%% rate=N (bit kbit Mbit Gbit)",
                (int)length, text);
            return false;
        }
        text += length;
    } while (*text++ == ',');
    return true;
}

/* ---- the path ---- */

struct impair *impair_open(const struct impairment *impairment, uint64_t seed, impair_fn through,
                           void *context)
{
    struct impair *impair = calloc(1, sizeof(*impair));
    if (impair) {
        impair->how = *impairment;
        impair->random = seed;
        impair->through = through;
        impair->context = context;
    }
    return impair;
}

void impair_close(struct impair *impair)
{
    while (impair->first) {
        struct waiting *next = impair->first->next;
        free(impair->first);
        impair->first = next;
    }
    free(impair);
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(struct impair *impair)
{
    uint64_t z = impair->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static bool happens(struct impair *impair, uint32_t millionths)
{
    return millionths > 0 && draw(impair) % MILLION < millionths;
}

static uint64_t due_time(struct impair *impair, uint32_t length, uint64_t now)
{
    const struct impairment *how = &impair->how;
    uint64_t start = now;
    if (how->rate) {
        start = impair->line_free > now ? impair->line_free : now;
        /* 24 bytes of preamble, frame check sequence and gap stand on the line too. */
        impair->line_free = start + (uint64_t)(length + 24) * 8u * 1000000000u / how->rate;
        start = impair->line_free;
    }
    uint64_t due = start + how->delay + (how->jitter ? draw(impair) % (how->jitter + 1) : 0);
    if (happens(impair, how->reorder)) {
        return due + REORDER_BY;
    }
    impair->last_due = due > impair->last_due ? due : impair->last_due;
    return impair->last_due;
}

static void enqueue(struct impair *impair, const uint8_t *bytes, uint32_t length, uint16_t gso_size,
                    uint64_t now)
{
    struct waiting *waiting = malloc(sizeof(*waiting) + length);
    if (!waiting) {
        return;
    }
    memcpy(waiting->bytes, bytes, length);
    waiting->length = length;
    waiting->gso_size = gso_size;
    waiting->due = due_time(impair, length, now);
    if (length > 0 && happens(impair, impair->how.corrupt)) {
        uint64_t bit = draw(impair) % ((uint64_t)length * 8);
        waiting->bytes[bit / 8] ^= (uint8_t)(1u << (bit & 7));
    }
    struct waiting **at = &impair->first;
    while (*at && (*at)->due <= waiting->due) {
        at = &(*at)->next;
    }
    waiting->next = *at;
    *at = waiting;
}

void impair_pass(struct impair *impair, const uint8_t *bytes, uint32_t length, uint16_t gso_size,
                 uint64_t now)
{
    if (happens(impair, impair->how.loss)) {
        return;
    }
    enqueue(impair, bytes, length, gso_size, now);
    if (happens(impair, impair->how.duplicate)) {
        enqueue(impair, bytes, length, gso_size, now);
    }
}

uint64_t impair_step(struct impair *impair, uint64_t now)
{
    while (impair->first && impair->first->due <= now) {
        struct waiting *waiting = impair->first;
        impair->first = waiting->next;
        impair->through(impair->context, waiting->bytes, waiting->length, waiting->gso_size, now);
        free(waiting);
    }
    return impair->first ? impair->first->due : UINT64_MAX;
}
