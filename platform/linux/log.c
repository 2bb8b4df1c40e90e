/* SPDX-License-Identifier: ISC */
/* Log lines (standard error), output (standard output), and the end with a reason. */
#include "format.h"
#include "linux.h"
#include "logspec.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *spec = WISP_LOGSPEC_DEFAULT;

/* Modules of the application besides its name: only where it defines them. */
extern const char *const wisp_app_log_modules[] __attribute__((weak));

/* Module number index of those that log here, or null behind the last. */
static const char *module_at(uint32_t index)
{
    static const char *const always[] = {"*", NULL, "net", "dhcp"};
    const uint32_t count = sizeof(always) / sizeof(always[0]);
    if (index < count) {
        return always[index] ? always[index] : wisp_app.name;
    }
    return wisp_app_log_modules ? wisp_app_log_modules[index - count] : NULL;
}

static bool is_module(const char *name, size_t length)
{
    const char *module;
    for (uint32_t i = 0; (module = module_at(i)); i++) {
        if (strlen(module) == length && strncmp(module, name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Ends for the first entry of a valid specification that names a module nobody logs as. */
static void check_modules(const char *text)
{
    while (text) {
        const char *comma = strchr(text, ',');
        size_t length = strcspn(text, ":,");
        if (text[length] == ':' && !is_module(text, length)) {
            char why[256];
            int used = snprintf(why, sizeof(why), "--log: there is no module %.*s; there are",
                                length < 40 ? (int)length : 40, text);
            const char *module;
            for (uint32_t i = 0; (module = module_at(i)) && used < (int)sizeof(why); i++) {
                used += snprintf(why + used, sizeof(why) - (size_t)used, " %s", module);
            }
            wisp_platform_exit(2, why);
        }
        text = comma ? comma + 1 : NULL;
    }
}

void linux_log_init(void)
{
    if (!wisp_logspec_valid(wisp_platform_param("log"))) {
        wisp_platform_exit(
            2,
            "--log=MODULE:LEVEL,..., like net:debug,*:warn; levels are error, warn, info, debug");
    }
    check_modules(wisp_platform_param("log"));
    spec = wisp_platform_param("log");
}

void wisp_platform_log(enum wisp_log_level level, const char *module, const char *format, ...)
{
    if (!wisp_logspec_passes(spec, module, level)) {
        return;
    }
    char line[512];
    va_list args;
    va_start(args, format);
    wisp_vformat(line, sizeof(line), format, args);
    va_end(args);
    wisp_time now = wisp_platform_now();
    fprintf(stderr, "[%5llu.%03llu] %-6s %s%s\n", (unsigned long long)(now / 1000000000u),
            (unsigned long long)(now / 1000000u % 1000u), module,
            level <= WISP_LOG_WARN ? (level == WISP_LOG_WARN ? "warning: " : "error: ") : "", line);
}

/* A reader that has gone away ends the program by SIGPIPE, as it should. */
void wisp_platform_output(const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t wrote = write(STDOUT_FILENO, at, len);
        if (wrote < 0 && errno != EINTR) {
            wisp_platform_exit(1, strerror(errno));
        }
        at += wrote > 0 ? wrote : 0;
        len -= wrote > 0 ? (size_t)wrote : 0;
    }
}

void wisp_platform_print(const char *text)
{
    wisp_platform_output(text, strlen(text));
}

void wisp_platform_exit(int status, const char *reason)
{
    fprintf(stderr, "%s: %s\n", wisp_app.name, reason);
    const char *why = linux_capture_close();
    if (why) {
        fprintf(stderr, "%s: %s\n", wisp_app.name, why);
    }
    exit(why && status == 0 ? 1 : status);
}
