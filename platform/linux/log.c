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

void linux_log_init(void)
{
    if (!wisp_logspec_valid(wisp_platform_param("log"))) {
        wisp_platform_exit(2, "--log=SPEC: MODULE:LEVEL joined by commas, like tcp:debug,*:warn; "
                              "levels are error, warn, info, debug");
    }
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
