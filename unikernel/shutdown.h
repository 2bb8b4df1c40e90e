/* SPDX-License-Identifier: ISC */
/* The guest's end, and the toolstack's wish for it. */
#ifndef WISP_UNIKERNEL_SHUTDOWN_H
#define WISP_UNIKERNEL_SHUTDOWN_H

#include <stdbool.h>

enum wisp_shutdown { WISP_SHUTDOWN_POWEROFF, WISP_SHUTDOWN_REBOOT, WISP_SHUTDOWN_CRASH };

/* Ends the domain at once; the toolstack learns why. */
_Noreturn void wisp_shutdown(enum wisp_shutdown how);

/* Starts to listen to control/shutdown. */
void wisp_shutdown_watch(void);
/* True from the moment on when a poweroff, halt or reboot was asked for. Reads what xenstore sent.
 */
bool wisp_shutdown_asked(void);
/* How to end once asked. */
enum wisp_shutdown wisp_shutdown_how(void);

#endif
