/* SPDX-License-Identifier: ISC */
/*
 * The files of one run (see files.h). Each that is written is a file of its own: not the capture, not the list of
 * captures, no other output, and not the golden file it is to be compared with. Names of one file are told by device and
 * inode, so neither links nor standard input and output hide it.
 */
#define _GNU_SOURCE
#include "files.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct role {
    const char *name;
    struct output_id id;
    bool written;
};

bool files_golden_is_capture(const struct command *command)
{
    size_t length = command->expect ? strlen(command->expect) : 0;
    return length > 5 && strcmp(command->expect + length - 5, ".pcap") == 0;
}

static bool reports(const struct command *command)
{
    return !command->quiet;
}

static struct output_id identify_input(const char *path)
{
    if (!path) {
        return (struct output_id){0};
    }
    return strcmp(path, "-") == 0 ? output_identify_open(STDIN_FILENO) : output_identify(path);
}

static struct output_id identify_output(const char *path)
{
    return path ? output_identify(path) : (struct output_id){0};
}

/* False: two of the files are one, and one of these is written; that is said. */
static bool are_apart(const struct command *command)
{
    const char *report = reports(command) ? command->output : NULL;
    const struct role roles[] = {
        {"the capture", identify_input(command->replay.file), false},
        {"the list of --files-from", identify_input(command->files), false},
        {"--write", identify_output(command->replay.write), true},
        {"--output", identify_output(report), true},
        {"--expect", identify_output(command->expect), command->update},
        {"standard output",
         reports(command) && !report ? output_identify_open(STDOUT_FILENO) : (struct output_id){0},
         true},
    };
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        for (size_t j = 0; j < i; j++) {
            if ((roles[i].written || roles[j].written) && output_same(&roles[i].id, &roles[j].id)) {
                fprintf(stderr, "pcap-replay: %s and %s are one file: name another\n",
                        roles[j].name, roles[i].name);
                return false;
            }
        }
    }
    return true;
}

static bool open_one(struct output **output, const char *path)
{
    char reason[4400];
    *output = output_open(path, reason, sizeof(reason));
    if (!*output) {
        fprintf(stderr, "pcap-replay: %s\n", reason);
    }
    return *output != NULL;
}

/* ---- a list ---- */

/* A file that is there; of a long list many are kept. */
struct place {
    dev_t device;
    ino_t inode;
};

static bool find_place(struct place *place, const char *path)
{
    struct output_id id = identify_output(path);
    *place = (struct place){id.device, id.inode};
    return id.known && !id.name[0];
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->device != y->device) {
        return x->device < y->device ? -1 : 1;
    }
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* Where the captures of the list are, sorted. Null: there are none. */
static struct place *find_captures(struct batch *batch, size_t *count)
{
    const char *reason;
    struct place place, *captures = NULL;
    *count = 0;
    for (size_t space = 0; batch_next(batch, &reason);) {
        if (!find_place(&place, batch->path)) {
            continue; /* not there: its own run says so */
        }
        if (*count == space) {
            space = space ? 2 * space : 64;
            void *grown = realloc(captures, space * sizeof(*captures));
            if (!grown) {
                break;
            }
            captures = grown;
        }
        captures[(*count)++] = place;
    }
    if (captures) {
        qsort(captures, *count, sizeof(*captures), by_place);
    }
    batch_again(batch);
    return captures;
}

/* The first output that is one of the captures, to be freed; null: none is. */
static char *find_clash(const struct command *command, struct batch *batch,
                        const struct place *captures, size_t count)
{
    const char *const patterns[] = {command->replay.write, command->quiet ? NULL : command->output,
                                    command->update ? command->expect : NULL};
    const char *reason;
    char *clash = NULL;
    while (!clash && batch_next(batch, &reason)) {
        for (size_t i = 0; !clash && i < sizeof(patterns) / sizeof(patterns[0]); i++) {
            char *name = batch_file_name(batch, patterns[i]);
            struct place place;
            if (find_place(&place, name) &&
                bsearch(&place, captures, count, sizeof(*captures), by_place)) {
                clash = name;
            } else {
                free(name);
            }
        }
    }
    batch_again(batch);
    return clash;
}

bool files_spare_list(const struct command *command, struct batch *batch)
{
    size_t count;
    struct place *captures = find_captures(batch, &count);
    char *clash = captures ? find_clash(command, batch, captures, count) : NULL;
    if (clash) {
        fprintf(stderr, "pcap-replay: %s is a capture of the list: name another\n", clash);
    }
    free(clash);
    free(captures);
    return !clash;
}

/* ---- opening ---- */

/* Where frames go that are only compared: nobody has that name. */
static bool make_frames(struct files *files)
{
    const char *folder = getenv("TMPDIR");
    int fd = asprintf(&files->frames, "%s/pcap-replay-XXXXXX", folder ? folder : "/tmp") < 0
                 ? -1
                 : mkstemp(files->frames);
    if (fd < 0) {
        perror("pcap-replay: cannot make a temporary file");
        free(files->frames);
        files->frames = NULL;
        return false;
    }
    close(fd);
    return true;
}

/* Frames are read again to be compared. */
static bool can_be_read_again(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        fprintf(stderr,
                "pcap-replay: --write=%s is no regular file, which --expect compares with a "
                "golden one\n",
                path);
        return false;
    }
    return true;
}

bool files_open(struct files *files, const struct command *command)
{
    const char *report = reports(command) ? command->output : NULL;
    bool frames = files_golden_is_capture(command);
    *files = (struct files){0};
    bool good = are_apart(command) && (!report || open_one(&files->report, report)) &&
                (!command->update || open_one(&files->golden, command->expect)) &&
                (!frames || (command->replay.write ? can_be_read_again(command->replay.write)
                                                   : make_frames(files)));
    if (!good) {
        files_close(files);
    }
    return good;
}

bool files_write(struct output **output, const char *bytes, size_t size)
{
    char reason[4400];
    struct output *file = *output;
    *output = NULL;
    output_write(file, bytes, size);
    if (output_close(file, true, reason, sizeof(reason))) {
        return true;
    }
    fprintf(stderr, "pcap-replay: %s\n", reason);
    return false;
}

void files_close(struct files *files)
{
    char ignored[8];
    if (files->report) {
        output_close(files->report, false, ignored, sizeof(ignored));
    }
    if (files->golden) {
        output_close(files->golden, false, ignored, sizeof(ignored));
    }
    if (files->frames) {
        unlink(files->frames);
        free(files->frames);
    }
}
