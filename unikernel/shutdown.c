/* SPDX-License-Identifier: ISC */
/*
 * The toolstack writes control/shutdown; a guest acknowledges by emptying the node, finishes what
 * it does and ends itself. "suspend" is acknowledged and refused: an image cannot yet be moved.
 */
#include "shutdown.h"
#include "hypercall.h"
#include "libc.h"
#include "xenstore.h"
#include <wisp/platform.h>
#include <xen/sched.h>

#define NODE "control/shutdown"

static bool asked;
static enum wisp_shutdown how = WISP_SHUTDOWN_POWEROFF;

_Noreturn void wisp_shutdown(enum wisp_shutdown reason)
{
    static const unsigned char codes[] = {SHUTDOWN_poweroff, SHUTDOWN_reboot, SHUTDOWN_crash};
    sched_shutdown_t op = {.reason = codes[reason]};
    for (;;) {
        wisp_hypercall_sched(SCHEDOP_shutdown, &op);
    }
}

void wisp_shutdown_watch(void)
{
    wisp_xenstore_watch(NODE, WISP_XENSTORE_TOKEN_SHUTDOWN);
}

static void acknowledge(const char *wish)
{
    if (!strcmp(wish, "poweroff") || !strcmp(wish, "halt") || !strcmp(wish, "reboot")) {
        asked = true;
        how = strcmp(wish, "reboot") ? WISP_SHUTDOWN_POWEROFF : WISP_SHUTDOWN_REBOOT;
    } else {
        wisp_platform_log(WISP_LOG_WARN, "shutdown",
                          "the toolstack asks for \"%s\", which this image cannot do", wish);
    }
    wisp_xenstore_write(0, NODE, "");
}

bool wisp_shutdown_asked(void)
{
    char wish[16];
    if (wisp_xenstore_changed(WISP_XENSTORE_TOKEN_SHUTDOWN) &&
        wisp_xenstore_read(0, NODE, wish, sizeof(wish)) == WISP_XS_OK && wish[0]) {
        acknowledge(wish);
    }
    return asked;
}

enum wisp_shutdown wisp_shutdown_how(void)
{
    return how;
}
