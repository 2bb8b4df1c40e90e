/* SPDX-License-Identifier: ISC */
/*
 * The order of the boot, the same for both machines, and the place where the sealed guest begins.
 * Nothing that can wait is done here: events, xenstore and entropy are opened by the sealed guest.
 */
#include "clock.h"
#include "console.h"
#include "grants.h"
#include "hypercall.h"
#include "layout.h"
#include "machine.h"
#include "panic.h"
#include "seal_check.h"
#include "start.h"
#include "thread.h"
#include <xen/version.h>

struct wisp_guest wisp_guest WISP_SEALED;

struct wisp_thread wisp_thread;

WISP_BOOT _Noreturn void wisp_boot(const void *info, const struct wisp_machine *machine)
{
    wisp_thread.self = &wisp_thread;
    machine->init(info);
    wisp_clock_init();
    wisp_guest.xen_version = (uint32_t)wisp_hypercall_xen_version(XENVER_version, NULL);
    machine->open_traps();
    machine->map_pool();
    wisp_grants_init(machine);
    machine->seal();
    __builtin_unreachable();
}

_Noreturn void wisp_sealed(void)
{
    struct wisp_seal_report report;
    if (!wisp_seal_check(&report)) {
        wisp_panic_number("not sealed: a page is writable and executable, or code is writable, at",
                          report.first_bad);
    }
    wisp_start();
}
