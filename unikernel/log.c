/* SPDX-License-Identifier: ISC */
/* Lines for the console. A terminal in raw mode (xl console) wants a carriage return before each
 * line feed. */
#include "console.h"
#include "format.h"
#include "logspec.h"
#include "start.h"

static const char *spec = WISP_LOGSPEC_DEFAULT;

void wisp_log_init(void)
{
    const char *given = wisp_platform_param("log");
    if (!wisp_logspec_valid(given)) {
        wisp_platform_exit(
            2,
            "--log=MODULE:LEVEL,..., like net:debug,*:warn; levels are error, warn, info, debug");
    }
    spec = given;
}

void wisp_platform_print(const char *text)
{
    while (*text) {
        size_t length = 0;
        while (text[length] && text[length] != '\n') {
            length++;
        }
        wisp_console_write(text, length);
        text += length;
        if (*text == '\n') {
            wisp_console_write("\r\n", 2);
            text++;
        }
    }
}

void wisp_platform_output(const void *bytes, size_t len)
{
    wisp_console_write(bytes, len);
}

void wisp_platform_log(enum wisp_log_level level, const char *module, const char *format, ...)
{
    static const char *const prefix[] = {"error: ", "warning: ", "", ""};
    if (!wisp_logspec_passes(spec, module, level)) {
        return;
    }
    char message[400], line[512];
    va_list args;
    va_start(args, format);
    wisp_vformat(message, sizeof(message), format, args);
    va_end(args);
    unsigned ms = (unsigned)(wisp_platform_now() / 1000000u);
    wisp_platform_format(line, sizeof(line), "[%5u.%03u] %-6s %s%s\n", ms / 1000, ms % 1000, module,
                         prefix[level], message);
    wisp_platform_print(line);
}
