/* SPDX-License-Identifier: ISC */
/* Which log lines pass: "net:debug,*:info", as every platform reads it. Freestanding. */
#ifndef WISP_PLATFORM_LOGSPEC_H
#define WISP_PLATFORM_LOGSPEC_H

#include <stdbool.h>
#include <wisp/platform.h>

#define WISP_LOGSPEC_DEFAULT "*:info"

/* Whether spec is a list of MODULE:LEVEL or LEVEL, joined by commas. */
bool wisp_logspec_valid(const char *spec);

/* Whether a line of module at level passes a valid spec: the first entry that names the module decides, "*"
 * names all; without one, info and above pass. */
bool wisp_logspec_passes(const char *spec, const char *module, enum wisp_log_level level);

/* "error", "warn", "info", "debug". */
const char *wisp_log_level_text(enum wisp_log_level level);

#endif
