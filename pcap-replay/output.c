/* SPDX-License-Identifier: ISC */
/*
 * Files that appear whole or not at all (see output.h): written beside their place under a name that nobody has, and
 * renamed at the end.
 *
 *   a regular file, or none yet    FILE.partial beside it, with the mode of the one it replaces
 *   a symbolic link                the same for what it leads to, be that there or not
 *   a pipe, a device               written straight: there is nothing to be replaced
 *   a folder, a file not writable  refused
 */
#define _GNU_SOURCE
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS    40
#define PARTIALS 100

struct output {
    char *path;    /* as it was asked for */
    char *target;  /* where it leads to; null: written straight */
    char *partial; /* what is to be renamed */
    FILE *file;
    int reason; /* errno of the first write that failed; 0: none did */
};

/* ---- names ---- */

/* The length of the folder's part of path, its slash included. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* What the link at path says, seen from where path is seen from. Null: it is no link, or no memory. */
static char *follow(const char *path)
{
    char to[4096];
    char *joined = NULL;
    ssize_t length = readlink(path, to, sizeof(to) - 1);
    if (length <= 0 || length == (ssize_t)sizeof(to) - 1) {
        return NULL;
    }
    to[length] = '\0';
    size_t folder = to[0] == '/' ? 0 : folder_length(path);
    return asprintf(&joined, "%.*s%s", (int)folder, path, to) < 0 ? NULL : joined;
}

/* The name at the end of all links of path, which may be nobody's yet. */
static char *resolve(const char *path)
{
    char *at = strdup(path);
    for (int i = 0; at && i < LINKS; i++) {
        char *next = follow(at);
        if (!next) {
            return at;
        }
        free(at);
        at = next;
    }
    free(at);
    errno = ELOOP;
    return NULL;
}

static struct output_id identify(const struct stat *status)
{
    return (struct output_id){.known = S_ISREG(status->st_mode) || S_ISFIFO(status->st_mode),
                              .device = status->st_dev,
                              .inode = status->st_ino};
}

struct output_id output_identify_open(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? identify(&status) : (struct output_id){0};
}

struct output_id output_identify(const char *path)
{
    struct stat status;
    struct output_id id = {0};
    if (stat(path, &status) == 0) {
        return identify(&status);
    }
    char *target = resolve(path);
    size_t length = target ? folder_length(target) : 0;
    char *folder = target ? strndup(length ? target : ".", length ? length : 1) : NULL;
    if (folder && stat(folder, &status) == 0) {
        id = (struct output_id){.known = true, .device = status.st_dev, .inode = status.st_ino};
        snprintf(id.name, sizeof(id.name), "%s", target + length);
    }
    free(folder);
    free(target);
    return id;
}

bool output_same(const struct output_id *a, const struct output_id *b)
{
    return a->known && b->known && a->device == b->device && a->inode == b->inode &&
           strcmp(a->name, b->name) == 0;
}

/* ---- opening ---- */

/* A file beside target that was not there before, so that nobody's is lost. */
static int make_partial(struct output *output)
{
    for (int i = 1; i <= PARTIALS; i++) {
        char number[8] = "";
        if (i > 1) {
            snprintf(number, sizeof(number), "-%d", i);
        }
        if (asprintf(&output->partial, "%s.partial%s", output->target, number) < 0) {
            output->partial = NULL;
            return -1;
        }
        int fd = open(output->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            return fd;
        }
        free(output->partial);
        output->partial = NULL;
        if (errno != EEXIST) {
            return -1;
        }
    }
    return -1;
}

/* Of ours where standard output or error is that file already: what others write there stands behind it. */
static int same_as_ours(const struct stat *there)
{
    struct stat own;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fstat(fd, &own) == 0 && own.st_dev == there->st_dev && own.st_ino == there->st_ino) {
            return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        }
    }
    return -1;
}

/* Of a regular file, or of none yet. */
static int open_beside(struct output *output, const struct stat *there)
{
    struct stat status;
    int ours = there ? same_as_ours(there) : -1;
    if (ours >= 0) {
        return ours;
    }
    output->target = resolve(output->path);
    if (!output->target || (there && access(output->path, W_OK) != 0)) {
        return -1;
    }
    if (there && (stat(output->target, &status) != 0 || status.st_dev != there->st_dev ||
                  status.st_ino != there->st_ino)) {
        /* an open file without a name, by way of /proc: it cannot be replaced */
        free(output->target);
        output->target = NULL;
        return open(output->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    }
    int fd = make_partial(output);
    if (fd >= 0 && there && fchmod(fd, there->st_mode & 0777) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_path(struct output *output)
{
    struct stat status;
    bool there = stat(output->path, &status) == 0;
    if (output->path[0] == '\0') {
        errno = ENOENT;
        return -1;
    }
    if (there && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return -1;
    }
    if (there && !S_ISREG(status.st_mode)) {
        return open(output->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    }
    if (!there && errno != ENOENT) {
        return -1;
    }
    return open_beside(output, there ? &status : NULL);
}

static void release(struct output *output)
{
    free(output->path);
    free(output->target);
    free(output->partial);
    free(output);
}

static void give_up(struct output *output, int reason, char *error, size_t size)
{
    snprintf(error, size, "cannot write %s: %s", output->path, strerror(reason));
    if (output->partial) {
        unlink(output->partial);
    }
    release(output);
}

struct output *output_open(const char *path, char *error, size_t size)
{
    struct output *output = calloc(1, sizeof(*output));
    if (!output || !(output->path = strdup(path))) {
        snprintf(error, size, "cannot write %s: no memory", path);
        free(output);
        return NULL;
    }
    int fd = open_path(output);
    output->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!output->file) {
        int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        give_up(output, reason, error, size);
        return NULL;
    }
    return output;
}

FILE *output_file(const struct output *output)
{
    return output->file;
}

void output_write(struct output *output, const void *bytes, size_t size)
{
    if (fwrite(bytes, 1, size, output->file) != size && !output->reason) {
        output->reason = errno;
    }
}

bool output_close(struct output *output, bool keep, char *error, size_t size)
{
    int reason = output->reason;
    if (fclose(output->file) != 0 && !reason) {
        reason = errno;
    }
    if (keep && !reason && output->partial && rename(output->partial, output->target) != 0) {
        reason = errno;
    }
    if (keep && reason) {
        give_up(output, reason, error, size);
        return false;
    }
    if (!keep && output->partial) {
        unlink(output->partial);
    }
    release(output);
    return true;
}
