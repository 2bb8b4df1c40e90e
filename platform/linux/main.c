/* SPDX-License-Identifier: ISC */
/* The process around an application. */
#include "linux.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    linux_clock_init();
    linux_arguments(argc, argv);
    linux_log_init();
    linux_check();
    linux_memory_init();
    linux_signals_init();
    int status = wisp_app_main();
    const char *why = linux_device_close();
    if (why) {
        fprintf(stderr, "%s: %s\n", wisp_app.name, why);
    }
    return why && status == 0 ? 1 : status;
}
