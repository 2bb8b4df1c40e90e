/* SPDX-License-Identifier: ISC */
/* The process around an application. */
#include "linux.h"

int main(int argc, char **argv)
{
    linux_clock_init();
    linux_arguments(argc, argv);
    linux_log_init();
    linux_memory_init();
    linux_signals_init();
    int status = wisp_app_main();
    linux_device_close();
    return status;
}
