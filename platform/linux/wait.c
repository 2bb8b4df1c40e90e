/* SPDX-License-Identifier: ISC */
/*
 * Waiting for the device, a deadline, or a signal that asks to end or to show the counters. The signals' handlers
 * write to an eventfd that is waited for too, so a signal just before the wait is not missed. The counters are
 * printed by the wait, between two steps, when nobody changes them.
 */
#include "linux.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;
static volatile sig_atomic_t asked;
static int signal_fd = -1;

static void on_signal(int number)
{
    int saved = errno;
    uint64_t one = 1;
    if (number == SIGUSR1) {
        asked = 1;
    } else {
        stopping = 1;
    }
    ssize_t wrote = write(signal_fd, &one, sizeof(one));
    (void)wrote; /* the count is at its top: then it is readable already */
    errno = saved;
}

void linux_signals_init(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND; /* a second Ctrl-C ends at once */
    signal_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (signal_fd < 0) {
        wisp_platform_exit(1, strerror(errno));
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, NULL);
}

/* The wish is taken back before what was written for it is read: a signal that comes in between sets it again, and is
 * answered next time; one that asks to end is looked at behind this, so its wake-up may be read, too. */
static void answer(void)
{
    uint64_t count;
    asked = 0;
    ssize_t got = read(signal_fd, &count, sizeof(count));
    (void)got;
    linux_counters_print();
}

bool wisp_platform_wait(wisp_time deadline)
{
    wisp_time now = wisp_platform_now();
    if (asked) {
        answer();
    }
    if (stopping) {
        return false;
    }
    if (deadline <= now) {
        return true;
    }
    struct pollfd fds[LINUX_DEVICE_FDS + 1];
    uint32_t count = linux_device_fds(fds);
    fds[count++] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
    struct timespec left = {.tv_sec = (time_t)((deadline - now) / 1000000000u),
                            .tv_nsec = (long)((deadline - now) % 1000000000u)};
    ppoll(fds, count, deadline == WISP_NEVER ? NULL : &left, NULL);
    linux_device_collect();
    if (asked) {
        answer();
    }
    return !stopping;
}
