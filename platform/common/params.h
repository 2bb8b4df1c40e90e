/* SPDX-License-Identifier: ISC */
/*
 * Boot parameters as every platform reads them: words "--name=value" and operands, checked against tables.
 * Freestanding; the words must outlive the table, nothing is copied.
 */
#ifndef WISP_PLATFORM_PARAMS_H
#define WISP_PLATFORM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <wisp/platform.h>

/* The parameters of the network set-up, the same on every platform. */
extern const struct wisp_param wisp_net_params[];

#define WISP_PARAMS_TABLES   3u /* the application's, the network's, the platform's */
#define WISP_PARAMS_MOST     64u
#define WISP_PARAMS_OPERANDS 16u

struct wisp_params {
    const struct wisp_app *app;
    const struct wisp_param *table[WISP_PARAMS_TABLES]; /* each ended by a null name, or null */
    const char *given[WISP_PARAMS_MOST];                /* in the order of the tables */
    const char *operand[WISP_PARAMS_OPERANDS];
    uint32_t operands;
};

/* Starts with nothing given; platform is the platform's own table. */
void wisp_params_init(struct wisp_params *params, const struct wisp_app *app,
                      const struct wisp_param *platform);

/* Takes one word in. False: why (size bytes) has one line that names what is valid. */
bool wisp_params_word(struct wisp_params *params, const char *word, char *why, size_t size);

/* As wisp_platform_param, wisp_platform_param_source and wisp_platform_operand. */
const char *wisp_params_value(const struct wisp_params *params, const char *name);
enum wisp_param_source wisp_params_source(const struct wisp_params *params, const char *name);
const char *wisp_params_operand(const struct wisp_params *params, uint32_t index);

/* The help text, piece by piece, through put. */
void wisp_params_help(const struct wisp_params *params, void (*put)(const char *text));

#endif
