/* SPDX-License-Identifier: ISC */
/*
 * Process 1 of the lab's dom0: answers lab/xen (see frame.h). Each connection is one command, in a
 * process group of its own: carries its three streams and tells its exact exit status. Hanging up
 * early ends the command and its group.
 *
 * A command is over when its first process ends. What it left running in the background lives on;
 * its output is carried up to that moment and its pipes are then closed.
 *
 * Every user of the machine that runs QEMU can connect, so a command must begin with the token
 * given as this program's only argument.
 */
#define _GNU_SOURCE
#include "frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 1024

struct session {
    int caller;
    pid_t child;
    int ended;        /* pidfd: readable once the command has ended */
    int in, out, err; /* our ends of its streams; -1 when closed */
    uint8_t frame[FRAME_HEADER + FRAME_MAX];
    size_t filled;  /* bytes of the frame that have arrived */
    size_t written; /* of an IN frame's payload, bytes its command has taken */
};

static bool send_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Takes what has arrived of the current frame. False: the caller has gone. */
static bool frame_fill(struct session *s)
{
    size_t want = FRAME_HEADER;
    if (s->filled >= FRAME_HEADER) {
        want += frame_length(s->frame);
    }
    if (want > sizeof s->frame) {
        return false;
    }
    if (s->filled < want) {
        ssize_t n = recv(s->caller, s->frame + s->filled, want - s->filled, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            return false;
        }
        s->filled += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool frame_complete(const struct session *s)
{
    return s->filled >= FRAME_HEADER && s->filled == FRAME_HEADER + frame_length(s->frame);
}

static void close_end(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static _Noreturn void become(char **words, const int in[2], const int out[2], const int err[2])
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    setsid();
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execvp(words[0], words);
    dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static bool command_start(struct session *s, const char *token)
{
    static char *words[MAX_WORDS + 1];
    size_t count = 0;
    char *end = (char *)s->frame + s->filled;
    if (s->frame[0] != FRAME_RUN || s->filled == FRAME_HEADER || end[-1] != '\0') {
        return false;
    }
    for (char *w = (char *)s->frame + FRAME_HEADER; w < end && count < MAX_WORDS;
         w += strlen(w) + 1) {
        words[count++] = w;
    }
    words[count] = NULL;
    if (count < 2 || strcmp(words[0], token) != 0) {
        return false;
    }
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
        return false;
    }
    s->child = fork();
    if (s->child == 0) {
        become(words + 1, in, out, err);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    s->in = in[1];
    s->out = out[0];
    s->err = err[0];
    fcntl(s->in, F_SETFL, O_NONBLOCK);
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    fcntl(s->err, F_SETFL, O_NONBLOCK);
    s->ended = s->child > 0 ? (int)syscall(SYS_pidfd_open, s->child, 0) : -1;
    s->filled = 0;
    return s->ended >= 0;
}

/* Carries one read's worth. False: the caller has gone. */
static bool carry_output(struct session *s, int *from, enum frame_kind kind, bool *idle)
{
    static uint8_t buffer[FRAME_HEADER + FRAME_MAX];
    ssize_t n = *from < 0 ? -1 : read(*from, buffer + FRAME_HEADER, FRAME_MAX);
    *idle = n <= 0;
    if (n == 0) {
        close_end(from);
    }
    if (n <= 0) {
        return true;
    }
    frame_begin(buffer, kind, (size_t)n);
    return send_all(s->caller, buffer, FRAME_HEADER + (size_t)n);
}

/* Hands the waiting IN frame on; a command that no longer reads loses the rest. */
static void carry_input(struct session *s)
{
    size_t length = frame_length(s->frame);
    if (length == 0) {
        close_end(&s->in);
    } else if (s->in >= 0) {
        ssize_t n = write(s->in, s->frame + FRAME_HEADER + s->written, length - s->written);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n < 0) {
            close_end(&s->in);
        } else {
            s->written += (size_t)n;
        }
    }
    if (s->in < 0 || s->written == length) {
        s->filled = 0;
        s->written = 0;
    }
}

static bool finish(struct session *s)
{
    bool out_idle = false, err_idle = false;
    while (!out_idle || !err_idle) {
        if (!carry_output(s, &s->out, FRAME_OUT, &out_idle) ||
            !carry_output(s, &s->err, FRAME_ERR, &err_idle)) {
            return false;
        }
    }
    int status = 0;
    waitpid(s->child, &status, 0);
    s->child = 0;
    uint8_t last[FRAME_HEADER + 1];
    frame_begin(last, FRAME_EXIT, 1);
    last[FRAME_HEADER] =
        (uint8_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    return send_all(s->caller, last, sizeof last);
}

/* Runs the command to its end. False: the caller went first. */
static bool command_carry(struct session *s)
{
    for (;;) {
        bool blocked = frame_complete(s);
        struct pollfd p[] = {
            {.fd = s->caller, .events = (short)(blocked ? 0 : POLLIN)},
            {.fd = s->out, .events = POLLIN},
            {.fd = s->err, .events = POLLIN},
            {.fd = blocked ? s->in : -1, .events = POLLOUT},
            {.fd = s->ended, .events = POLLIN},
        };
        bool idle;
        if (poll(p, 5, -1) < 0) {
            continue;
        }
        if ((p[1].revents && !carry_output(s, &s->out, FRAME_OUT, &idle)) ||
            (p[2].revents && !carry_output(s, &s->err, FRAME_ERR, &idle))) {
            return false;
        }
        if ((p[0].revents & POLLIN) ? !frame_fill(s) : (p[0].revents & (POLLHUP | POLLERR)) != 0) {
            return false;
        }
        if (frame_complete(s)) {
            carry_input(s);
        }
        if (p[4].revents) {
            return finish(s);
        }
    }
}

static void session_end(struct session *s)
{
    if (s->child > 0) {
        kill(-s->child, SIGTERM);
        usleep(50000);
        kill(-s->child, SIGKILL);
        waitpid(s->child, NULL, 0);
    }
}

static void serve(int caller, const char *token)
{
    static struct session s = {.in = -1, .out = -1, .err = -1, .ended = -1};
    int on = 1;
    setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s.caller = caller;
    uint8_t here[FRAME_HEADER];
    frame_begin(here, FRAME_HERE, 0);
    bool there = send_all(caller, here, sizeof here);
    while (there && !frame_complete(&s)) {
        struct pollfd p = {.fd = caller, .events = POLLIN};
        there = poll(&p, 1, -1) > 0 && frame_fill(&s);
    }
    if (there && command_start(&s, token)) {
        command_carry(&s);
    }
    session_end(&s);
}

static int listen_for_callers(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(AGENT_PORT)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, 64) < 0) {
        perror("lab-agent");
        exit(1);
    }
    return fd;
}

/* As process 1 it inherits every orphan: ignoring SIGCHLD lets them end without a trace. */
int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    int listener = listen_for_callers();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int caller = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (caller >= 0 && fork() == 0) {
            signal(SIGCHLD, SIG_DFL);
            close(listener);
            serve(caller, argv[1]);
            _exit(0);
        }
        close(caller);
    }
}
