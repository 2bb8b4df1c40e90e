/* SPDX-License-Identifier: ISC */
/* Log specifications, read anew for each line: log lines are rare, and so there is nothing to keep. */
#include "logspec.h"

static const char *const level_text[] = {"error", "warn", "info", "debug"};

const char *wisp_log_level_text(enum wisp_log_level level)
{
    return level_text[level];
}

/* One entry of a list. */
struct entry {
    const char *module; /* "*" when only a level was given */
    size_t module_length;
    int level; /* -1: no level of that name */
};

static bool equal(const char *text, size_t length, const char *word)
{
    size_t i = 0;
    while (i < length && word[i] && text[i] == word[i]) {
        i++;
    }
    return i == length && !word[i];
}

static int level_named(const char *text, size_t length)
{
    for (int i = 0; i < 4; i++) {
        if (equal(text, length, level_text[i])) {
            return i;
        }
    }
    return -1;
}

/* Reads one entry and returns what follows its comma, or null after the last. */
static const char *next_entry(const char *spec, struct entry *entry)
{
    size_t colon = 0;
    size_t length = 0;
    for (; spec[length] && spec[length] != ','; length++) {
        if (spec[length] == ':' && !colon) {
            colon = length;
        }
    }
    *entry = (struct entry){"*", 1, level_named(spec, length)};
    if (colon) {
        *entry = (struct entry){spec, colon, level_named(spec + colon + 1, length - colon - 1)};
    }
    return spec[length] ? spec + length + 1 : NULL;
}

bool wisp_logspec_valid(const char *spec)
{
    struct entry entry;
    while (spec) {
        spec = next_entry(spec, &entry);
        if (entry.level < 0) {
            return false;
        }
    }
    return true;
}

bool wisp_logspec_passes(const char *spec, const char *module, enum wisp_log_level level)
{
    struct entry entry;
    while (spec) {
        spec = next_entry(spec, &entry);
        if (equal(entry.module, entry.module_length, "*") ||
            equal(entry.module, entry.module_length, module)) {
            return (int)level <= entry.level;
        }
    }
    return level <= WISP_LOG_INFO;
}
