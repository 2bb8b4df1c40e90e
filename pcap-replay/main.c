/* SPDX-License-Identifier: ISC */
/*
 * pcap-replay: the library as a command. The report is printed or compared with a golden file, of one capture or of
 * each in a list; all else is pcapreplay_run. See pcap-replay(1).
 */
#define _GNU_SOURCE
#include "batch.h"
#include "command.h"
#include "files.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---- golden files ---- */

static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    char *bytes = NULL;
    *size = 0;
    for (size_t n = 1, space = 0; n > 0; *size += n) {
        if (*size == space) {
            space = space ? 2 * space : 65536;
            char *grown = realloc(bytes, space);
            if (!grown) {
                break;
            }
            bytes = grown;
        }
        n = fread(bytes + *size, 1, space - *size, file);
    }
    fclose(file);
    return bytes;
}

/* Compares what was got with the golden file, or renews that; the exit status. */
static int compare_golden(const struct command *command, struct files *files, const char *got,
                          size_t size, int status)
{
    size_t golden_size = 0;
    if (command->update && status == PCAPREPLAY_FAULT) {
        fputs("pcap-replay: not renewed: a run with a fault is nobody's golden\n", stderr);
        return status;
    }
    if (command->update) {
        return files_write(&files->golden, got, size) ? status : PCAPREPLAY_USAGE;
    }
    char *golden = read_whole(command->expect, &golden_size);
    if (!golden) {
        fprintf(stderr, "pcap-replay: cannot read %s: %s (--update makes it)\n", command->expect,
                strerror(errno));
        return PCAPREPLAY_USAGE;
    }
    size_t at = 0;
    while (at < size && at < golden_size && got[at] == golden[at]) {
        at++;
    }
    free(golden);
    if (at == size && at == golden_size) {
        return status == PCAPREPLAY_MISMATCH ? PCAPREPLAY_MATCH : status;
    }
    fprintf(stderr, "pcap-replay: differs from %s at byte %zu (--update renews it)\n",
            command->expect, at);
    return batch_worse(status, PCAPREPLAY_MISMATCH);
}

/* ---- running ---- */

static void show_progress(void *context, uint64_t frames, uint64_t bytes, uint64_t total)
{
    (void)context;
    if (total) {
        fprintf(stderr, "\r%llu frames, %3llu %%", (unsigned long long)frames,
                (unsigned long long)(bytes * 100 / total < 100 ? bytes * 100 / total : 100));
    } else {
        fprintf(stderr, "\r%llu frames", (unsigned long long)frames);
    }
}

static double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Of one capture, or of the first in a list, the start of the process is a part. */
static void print_cost(struct command *command, const struct pcapreplay_report *report, double wall)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double busy = seconds_of(used.ru_utime) + seconds_of(used.ru_stime) - command->spent;
    command->spent += busy;
    if (command->number) {
        fprintf(stderr, "%s: ", command->replay.file);
    }
    fprintf(
        stderr,
        "replayed %.6f s of trace in %.3f s, %.3f s of processor time: %.0f frames per second of "
        "it; %ld KB of memory\n",
        (double)report->virtual_ns / 1e9, wall, busy,
        (double)report->frames / (busy > 0 ? busy : wall), used.ru_maxrss);
}

/* TAP has one plan: in a list, each capture is a test, and its report the subtest above. */
static bool is_subtest(const struct command *command)
{
    return command->number && command->format == PCAPREPLAY_TAP && !command->quiet &&
           !command->output;
}

static void show_report(struct command *command, const char *text, size_t size)
{
    if (!is_subtest(command)) {
        fwrite(text, 1, size, stdout);
        command_flush(command);
        return;
    }
    printf("# Subtest: %s\n", command->replay.file);
    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        printf("    %.*s\n", (int)(end - line), line);
    }
    command_flush(command);
}

static void show_test(const struct command *command, int status, const char *text)
{
    printf("%s %llu - %s: %s%s\n",
           status == PCAPREPLAY_MATCH || status == PCAPREPLAY_NOTHING ? "ok" : "not ok",
           (unsigned long long)command->number, command->replay.file, text,
           status == PCAPREPLAY_NOTHING ? " # SKIP" : "");
}

static int print_report(struct command *command, struct files *files,
                        const struct pcapreplay_report *report, double wall)
{
    char *text = NULL;
    size_t size = 0;
    int status = (int)report->status;
    FILE *memory = open_memstream(&text, &size);
    if (!memory) {
        return PCAPREPLAY_FAULT;
    }
    pcapreplay_print(report, &command->replay, command->format, command->stats, memory);
    fclose(memory);
    if (command->expect && !files_golden_is_capture(command)) {
        status = compare_golden(command, files, text, size, status);
    }
    if (files->report && !files_write(&files->report, text, size)) {
        status = PCAPREPLAY_USAGE;
    } else if (!command->quiet && !command->output) {
        show_report(command, text, size);
    }
    if (command->stats) {
        print_cost(command, report, wall);
    }
    free(text);
    return status;
}

static int compare_frames(const struct command *command, struct files *files, int status)
{
    size_t size;
    char *got = read_whole(command->replay.write, &size);
    if (!got) {
        fprintf(stderr, "pcap-replay: cannot read %s again: %s\n", command->replay.write,
                strerror(errno));
        return PCAPREPLAY_USAGE;
    }
    status = compare_golden(command, files, got, size, status);
    free(got);
    return status;
}

static int judge(struct command *command, struct files *files,
                 const struct pcapreplay_report *report, double wall)
{
    int status = (int)report->status;
    if (status == PCAPREPLAY_USAGE || status == PCAPREPLAY_UNREADABLE) {
        fprintf(stderr, "pcap-replay: %s\n", report->text);
    } else {
        status = print_report(command, files, report, wall);
        if (files_golden_is_capture(command)) {
            status = compare_frames(command, files, status);
        }
    }
    if (is_subtest(command)) {
        show_test(command, status, report->text);
    }
    return status;
}

static int replay(struct command *command, struct files *files)
{
    bool terminal = isatty(STDERR_FILENO) && !command->quiet;
    command->replay.progress = terminal ? show_progress : NULL;
    double start = clock_seconds();
    struct pcapreplay_report *report = pcapreplay_run(&command->replay);
    if (!report) {
        fputs("pcap-replay: no memory\n", stderr);
        return PCAPREPLAY_FAULT;
    }
    double wall = clock_seconds() - start;
    if (terminal && report->frames > 0x3fff) {
        fputs("\r\033[K", stderr);
    }
    int status = judge(command, files, report, wall);
    pcapreplay_free(report);
    return status;
}

static int run(struct command *command)
{
    struct files files;
    if (!files_open(&files, command)) {
        return PCAPREPLAY_USAGE;
    }
    if (files.frames) {
        command->replay.write = files.frames;
    }
    int status = replay(command, &files);
    files_close(&files);
    return status;
}

static int refuse_input(const struct command *command)
{
    static const char text[] =
        "-: standard input is no capture of a list (./- is a file of that name)";
    fprintf(stderr, "pcap-replay: %s\n", text);
    if (is_subtest(command)) {
        show_test(command, PCAPREPLAY_UNREADABLE, text);
    }
    return PCAPREPLAY_UNREADABLE;
}

/* The capture the batch has come to, with the options of all and files of its own. */
static int run_one(struct command *all, const struct batch *batch)
{
    struct command one = *all;
    char *write = batch_file_name(batch, all->replay.write);
    char *expect = batch_file_name(batch, all->expect);
    char *output = batch_file_name(batch, all->output);
    one.number = batch->number;
    one.replay.file = batch->path;
    one.replay.write = write;
    one.expect = expect;
    one.output = output;
    int status = strcmp(batch->path, "-") == 0 ? refuse_input(&one) : run(&one);
    all->spent = one.spent;
    all->lost = one.lost;
    free(write);
    free(expect);
    free(output);
    return status;
}

static int run_list(struct command *command)
{
    struct batch batch;
    const char *reason = NULL;
    int worst = PCAPREPLAY_NOTHING, status = worst;
    bool writes = command->replay.write || command->output || command->update;
    if (!batch_open(&batch, command->files, writes)) {
        fprintf(stderr, "pcap-replay: cannot read %s: %s\n", command->files, strerror(errno));
        return PCAPREPLAY_USAGE;
    }
    if (writes && !files_spare_list(command, &batch)) {
        batch_close(&batch);
        return PCAPREPLAY_USAGE;
    }
    /* An option that cannot be used for one capture can be used for none. */
    while (status != PCAPREPLAY_USAGE && batch_next(&batch, &reason)) {
        status = run_one(command, &batch);
        worst = batch_worse(worst, status);
        command_flush(
            command); /* between what is said of it and of the next one on standard error */
    }
    if (reason) {
        fprintf(stderr, "pcap-replay: cannot read %s: %s\n", command->files, reason);
        worst = batch_worse(worst, PCAPREPLAY_USAGE);
    } else if (batch.number == 0) {
        fprintf(stderr, "pcap-replay: no capture is named in %s\n", command->files);
    }
    command->number = batch.number;
    if (is_subtest(command) && !reason && status != PCAPREPLAY_USAGE) {
        printf("1..%llu\n", (unsigned long long)batch.number);
    }
    batch_close(&batch);
    return worst;
}

int main(int argc, char **argv)
{
    struct command command;
    command_read(&command, argc, argv);
    int status = command.files ? run_list(&command) : run(&command);
    status = command_finish(&command, status);
    command_free(&command);
    return status;
}
