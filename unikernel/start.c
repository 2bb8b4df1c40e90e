/* SPDX-License-Identifier: ISC */
/* The guest around an application: its start, its waiting, its end. */
#include "start.h"
#include "clock.h"
#include "console.h"
#include "machine.h"
#include "shutdown.h"
#include "xenstore.h"

static void (*at_end)(void);

void wisp_start_at_end(void (*close)(void))
{
    at_end = close;
}

_Noreturn void wisp_start_end(void)
{
    void (*close)(void) = at_end;
    at_end = NULL;
    if (close) {
        close();
    }
    wisp_console_drain();
    wisp_shutdown(wisp_shutdown_how());
}

static void say(const char *milestone)
{
    wisp_platform_log(WISP_LOG_DEBUG, "boot", "%s", milestone);
}

_Noreturn void wisp_start(void)
{
    wisp_xenstore_init();
    wisp_arguments_init();
    wisp_log_init();
    say("sealed");
    wisp_memory_init();
    say("memory divided");
    wisp_seed_init();
    say("seeded");
    wisp_shutdown_watch();
    say("xenstore answers");
    int status = wisp_app_main();
    if (status != 0) {
        wisp_platform_log(WISP_LOG_ERROR, wisp_app.name, "ended with status %d", status);
    }
    wisp_start_end();
}

wisp_time wisp_platform_now(void)
{
    return wisp_clock_now();
}

bool wisp_platform_wait(wisp_time deadline)
{
    if (deadline > wisp_clock_now() && !wisp_shutdown_asked()) {
        wisp_xenstore_wait(deadline);
    }
    return !wisp_shutdown_asked();
}

void wisp_platform_exit(int status, const char *reason)
{
    (void)status; /* a domain has no exit status; the reason is on the console */
    wisp_platform_print(wisp_app.name);
    wisp_platform_print(": ");
    wisp_platform_print(reason);
    wisp_platform_print("\n");
    wisp_start_end();
}

const char *wisp_platform_name(void)
{
    static char name[32];
    wisp_platform_format(name, sizeof(name), "Xen %u.%u %s", wisp_guest.xen_version >> 16,
                         wisp_guest.xen_version & 0xffff, wisp_guest.mode);
    return name;
}
