/* SPDX-License-Identifier: ISC */
/* The guest around an application: its start, its waiting, its end. */
#include "start.h"
#include "clock.h"
#include "console.h"
#include "events.h"
#include "machine.h"
#include "shutdown.h"
#include "xenstore.h"

static _Noreturn void end(enum wisp_shutdown how)
{
    wisp_devices_close();
    wisp_console_drain();
    wisp_shutdown(how);
}

_Noreturn void wisp_start(void)
{
    wisp_xenstore_init();
    wisp_arguments_init();
    wisp_log_init();
    wisp_memory_init();
    wisp_seed_init();
    wisp_shutdown_watch();
    int status = wisp_app_main();
    if (status != 0)
        wisp_platform_log(WISP_LOG_ERROR, wisp_app.name, "ended with status %d", status);
    end(wisp_shutdown_how());
}

wisp_time wisp_platform_now(void)
{
    return wisp_clock_now();
}

bool wisp_platform_wait(wisp_time deadline)
{
    if (deadline > wisp_clock_now() && !wisp_shutdown_asked())
        wisp_event_wait(deadline);
    return !wisp_shutdown_asked();
}

void wisp_platform_exit(int status, const char *reason)
{
    (void)status; /* a domain has no exit status; the reason is on the console */
    wisp_platform_print(wisp_app.name);
    wisp_platform_print(": ");
    wisp_platform_print(reason);
    wisp_platform_print("\n");
    end(WISP_SHUTDOWN_POWEROFF);
}

const char *wisp_platform_name(void)
{
    static char name[32];
    wisp_platform_format(name, sizeof(name), "Xen %u.%u %s", wisp_guest.xen_version >> 16,
                         wisp_guest.xen_version & 0xffff, wisp_guest.mode);
    return name;
}
