/* SPDX-License-Identifier: ISC */
/*
 * A killed process cannot tell xenstore anything, and as long as its state there says Connected,
 * netback keeps the device, its mappings and so the kernel's pages. The guardian is a child that
 * waits on a pipe: a byte means that all is well, the end of the pipe that the owner died. Then it
 * walks the state to Closed, as the owner would have done.
 *
 * It is out of the reach of a terminal's signals and of a kill of the owner's process group.
 */
#include "libxen_priv.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_MICROSECONDS 100000
#define STEPS             50

static void set_state(struct xs_handle *store, const char *path, const char *state)
{
    char key[WISP_XS_PATH_MAX];
    snprintf(key, sizeof(key), "%s/state", path);
    xs_write(store, 0, key, state, 1);
}

/* The one character of the backend's state, or 0. */
static char back_state(struct xs_handle *store, const char *path)
{
    char key[2 * WISP_XS_PATH_MAX];
    char *value;
    char state = 0;
    snprintf(key, sizeof(key), "%.250s/backend", path);
    char *back = xs_read(store, 0, key, NULL);
    if (!back) {
        return 0;
    }
    snprintf(key, sizeof(key), "%.250s/state", back);
    free(back);
    value = xs_read(store, 0, key, NULL);
    if (value) {
        state = value[0];
        free(value);
    }
    return state;
}

static void wait_for(struct xs_handle *store, const char *path, char from)
{
    for (int i = 0; i < STEPS && back_state(store, path) == from; i++) {
        usleep(STEP_MICROSECONDS);
    }
}

static void close_device(const char *path)
{
    struct xs_handle *store = xs_open(0);
    if (!store) {
        return;
    }
    if (back_state(store, path) == '4') {
        set_state(store, path, "5");
        wait_for(store, path, '4');
        set_state(store, path, "6");
        wait_for(store, path, '5');
    }
    xs_close(store);
}

/* Gives back what belongs to the owner: its terminal and pipes would else stay open with us. */
static void detach(void)
{
    setsid();
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN); /* asks the owner for its counters, by a name that is ours, too */
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
}

static _Noreturn void guard(int fd, const char *path)
{
    char byte;
    ssize_t got;
    detach();
    do {
        got = read(fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 0) {
        close_device(path);
    }
    _exit(0);
}

bool libxen_guardian_start(struct libxen_guardian *guardian, const char *path)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return false;
    }
    pid_t pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    if (pid == 0) {
        close(ends[1]);
        guard(ends[0], path);
    }
    close(ends[0]);
    guardian->pid = pid;
    guardian->pipe = ends[1];
    return true;
}

void libxen_guardian_end(struct libxen_guardian *guardian)
{
    if (guardian->pid > 0) {
        /* it may be gone already: so much the better, and no reason to end by SIGPIPE */
        void (*before)(int) = signal(SIGPIPE, SIG_IGN);
        ssize_t wrote = write(guardian->pipe, "", 1);
        (void)wrote;
        signal(SIGPIPE, before);
        close(guardian->pipe);
        waitpid(guardian->pid, NULL, 0);
    }
}
