/* SPDX-License-Identifier: ISC */
/*
 * call [-i] DIR WORD...      runs a command in the dom0 of the lab in DIR: its output comes out
 *                            here, its exit status is ours; -i hands our standard input on,
 *                            otherwise it has none
 * call -m DIR COMMAND        gives QEMU's monitor one command and prints what it answers
 *
 * DIR, which callers lock while they dial, holds `port`, the TCP port of 127.0.0.1 that leads to
 * dom0's agent; `image/token`, the password for it; and `monitor`, a socket, opened from inside DIR
 * as a socket's path is bound to 108 bytes.
 *
 * Exit status 125: the lab cannot be reached or hung up before the command ended.
 */
#define _GNU_SOURCE
#include "frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { UNREACHABLE = 125 };

struct buffer {
    uint8_t bytes[FRAME_HEADER + FRAME_MAX];
    size_t filled, taken;
};

static _Noreturn void lost(const char *what)
{
    fprintf(stderr, "lab: %s\n", what);
    exit(UNREACHABLE);
}

static void read_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    if (!f || !fgets(line, (int)size, f)) {
        lost("not running");
    }
    fclose(f);
    line[strcspn(line, "\n")] = '\0';
}

static int dial_agent(void)
{
    char port[16];
    read_line("port", port, sizeof port);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)atoi(port)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        lost("not running");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int dial_monitor(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "monitor"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        lost("not running");
    }
    return fd;
}

static void send_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n < 0) {
            lost("the connection broke");
        }
        bytes += n;
        length -= (size_t)n;
    }
}

/* Appends a word and its NUL; returns the new length. */
static size_t add_word(uint8_t *frame, size_t length, const char *word)
{
    size_t n = strlen(word) + 1;
    if (length + n > FRAME_MAX) {
        lost("the command is too long (60000 bytes): put it into a file");
    }
    memcpy(frame + FRAME_HEADER + length, word, n);
    return length + n;
}

static void ask(int fd, char **words)
{
    static uint8_t frame[FRAME_HEADER + FRAME_MAX];
    char token[80];
    read_line("image/token", token, sizeof token);
    size_t length = add_word(frame, 0, token);
    for (; *words; words++) {
        length = add_word(frame, length, *words);
    }
    frame_begin(frame, FRAME_RUN, length);
    send_all(fd, frame, FRAME_HEADER + length);
}

/* Waits until dom0 has the connection (see frame.h). */
static void await_here(int fd)
{
    uint8_t frame[FRAME_HEADER];
    if (recv(fd, frame, sizeof frame, MSG_WAITALL) != sizeof frame || frame[0] != FRAME_HERE ||
        frame_length(frame) != 0) {
        lost("dom0 does not answer");
    }
}

/* One caller at a time; a caller that dies lets the next one in. */
static int dial_in_turn(char **words)
{
    int turn = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (turn < 0 || flock(turn, LOCK_EX) < 0) {
        lost("cannot lock its folder");
    }
    int fd = dial_agent();
    ask(fd, words);
    await_here(fd);
    close(turn);
    return fd;
}

static void print_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            exit(UNREACHABLE); /* our own reader has gone */
        }
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
}

/* Prints whole frames as they complete; returns when the command has told its status. */
static void take_answer(int fd, struct buffer *answer)
{
    size_t want = FRAME_HEADER;
    if (answer->filled >= want) {
        want += frame_length(answer->bytes);
    }
    ssize_t n = recv(fd, answer->bytes + answer->filled, want - answer->filled, 0);
    if (n <= 0) {
        lost("dom0 hung up");
    }
    answer->filled += (size_t)n;
    if (answer->filled < FRAME_HEADER) {
        return;
    }
    size_t length = frame_length(answer->bytes);
    if (length > FRAME_MAX) {
        lost("dom0 does not speak our language");
    }
    if (answer->filled < FRAME_HEADER + length) {
        return;
    }
    const uint8_t *payload = answer->bytes + FRAME_HEADER;
    answer->filled = 0;
    switch (answer->bytes[0]) {
    case FRAME_OUT:
        print_all(STDOUT_FILENO, payload, length);
        break;
    case FRAME_ERR:
        print_all(STDERR_FILENO, payload, length);
        break;
    case FRAME_EXIT:
        exit(payload[0]);
    default:
        lost("dom0 does not speak our language");
    }
}

static void take_input(struct buffer *input, bool *open)
{
    ssize_t n = read(STDIN_FILENO, input->bytes + FRAME_HEADER, FRAME_MAX);
    size_t length = n > 0 ? (size_t)n : 0;
    *open = n > 0;
    frame_begin(input->bytes, FRAME_IN, length);
    input->filled = FRAME_HEADER + length;
    input->taken = 0;
}

static void give_input(int fd, struct buffer *input)
{
    ssize_t n = send(fd, input->bytes + input->taken, input->filled - input->taken,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
        input->taken += (size_t)n;
    }
    if (input->taken == input->filled) {
        input->filled = input->taken = 0;
    }
}

static _Noreturn void converse(int fd, bool stdin_open)
{
    static struct buffer input, answer;
    if (!stdin_open) {
        frame_begin(input.bytes, FRAME_IN, 0);
        input.filled = FRAME_HEADER;
    }
    for (;;) {
        bool waiting = input.filled > 0;
        struct pollfd p[] = {
            {.fd = fd, .events = (short)(waiting ? POLLIN | POLLOUT : POLLIN)},
            {.fd = stdin_open && !waiting ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(p, 2, -1) < 0) {
            continue;
        }
        if (p[1].revents) {
            take_input(&input, &stdin_open);
        }
        if (p[0].revents & POLLOUT) {
            give_input(fd, &input);
        }
        if (p[0].revents & (POLLIN | POLLHUP)) {
            take_answer(fd, &answer);
        }
    }
}

/* The monitor ends each answer with its prompt; it echoes the command with terminal codes in
 * the first line, which is left out. */
static bool monitor_answer(int fd, char *text, size_t size)
{
    static const char prompt[] = "\n(qemu) ";
    size_t length = 0;
    while (length + 1 < size) {
        ssize_t n = recv(fd, text + length, size - 1 - length, 0);
        if (n <= 0) {
            break;
        }
        length += (size_t)n;
        text[length] = '\0';
        if (length >= sizeof prompt - 1 &&
            strcmp(text + length - (sizeof prompt - 1), prompt) == 0) {
            text[length - (sizeof prompt - 2)] = '\0';
            return true;
        }
    }
    text[length] = '\0';
    return false;
}

static int monitor(const char *command)
{
    static char text[65536];
    int fd = dial_monitor();
    if (!monitor_answer(fd, text, sizeof text)) {
        lost("the monitor does not answer");
    }
    send_all(fd, (const uint8_t *)command, strlen(command));
    send_all(fd, (const uint8_t *)"\n", 1);
    bool whole = monitor_answer(fd, text, sizeof text);
    char *body = strchr(text, '\n');
    if (body) {
        fputs(body + 1, stdout);
    }
    return whole || strcmp(command, "quit") == 0 ? 0 : UNREACHABLE;
}

int main(int argc, char **argv)
{
    bool with_input = argc > 1 && strcmp(argv[1], "-i") == 0;
    bool to_monitor = argc > 1 && strcmp(argv[1], "-m") == 0;
    char **rest = argv + (with_input || to_monitor ? 2 : 1);
    if (argc < 3 || !rest[0] || !rest[1]) {
        fputs("usage: call [-i] DIR WORD... | call -m DIR COMMAND\n", stderr);
        return 2;
    }
    if (chdir(rest[0]) < 0) {
        lost("not running");
    }
    if (to_monitor) {
        return monitor(rest[1]);
    }
    converse(dial_in_turn(rest + 1), with_input);
}
