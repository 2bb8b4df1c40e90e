/* SPDX-License-Identifier: ISC */
/*
 * pcap-replay: the library as a command. Options are read here, the report is printed or compared with a golden file;
 * all else is pcapreplay_run. See pcap-replay(1).
 */
#define _GNU_SOURCE
#include "pcapreplay.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <wisp/version.h>

struct command {
    struct pcapreplay_options replay;
    enum pcapreplay_format format;
    bool stats, quiet, update;
    const char *expect, *output;
    char *filter;
    char *golden_write; /* where the frames go that are compared with a golden capture */
};

static const char help_text[] =
    "usage: pcap-replay [OPTIONS] FILE|- [FILTER...]\n"
    "Replays a capture into the wisp stack, through a Xen ring in memory, and judges the answers.\n"
    "\n"
    "      --mode=endpoint|inject  endpoint (default): one side of each flow is the stack;\n"
    "                              inject: frames as they are\n"
    "  -d, --dut=ADDR[/LEN]        the hosts the stack is (default: each flow's responder; of DHCP, the client)\n"
    "      --dut-mac=MAC           its hardware address in inject mode (default: as captured)\n"
    "      --strict=LEVEL          stream (default), headers or bytes\n"
    "      --csum=POLICY           auto (default), keep or fix\n"
    "      --impair=SPEC           delay=20ms,jitter=5ms,loss=1%,dup=.1%,reorder=2%,corrupt=.01%,rate=10Mbit\n"
    "      --mtu=N                 default 1500\n"
    "      --split=N               fill ring slots with at most N bytes (default: whole pages)\n"
    "      --queues=N              ring pairs, 1 to 8\n"
    "      --persistent            grants for good instead of for each use\n"
    "      --allow-truncated       judge flows of cut frames too\n"
    "      --seed=N                of all random numbers, default 1\n"
    "  -L, --limit=N               read at most N frames\n"
    "      --list                  only say which flows there are\n"
    "  -w, --write=FILE            all frames of both directions, as nanosecond pcap\n"
    "      --expect=FILE           compare with a golden file: frames if it ends in .pcap, else the report\n"
    "      --update                write that file anew\n"
    "  -f, --format=FORMAT         text (default), tap or json\n"
    "  -o, --output=FILE           where the report goes\n"
    "      --stats                 counters; time and memory it took, on standard error\n"
    "  -q, --quiet                 no report\n"
    "  -h, --help                  this\n"
    "  -V, --version               the version\n"
    "\n"
    "exit status: 0 match, 1 mismatch, 2 usage, 3 capture unreadable, 4 stack fault, 77 nothing applies\n";

enum long_option {
    OPTION_MODE = 256,
    OPTION_DUT_MAC,
    OPTION_STRICT,
    OPTION_CSUM,
    OPTION_IMPAIR,
    OPTION_MTU,
    OPTION_SPLIT,
    OPTION_QUEUES,
    OPTION_PERSISTENT,
    OPTION_ALLOW_TRUNCATED,
    OPTION_SEED,
    OPTION_LIST,
    OPTION_EXPECT,
    OPTION_UPDATE,
    OPTION_STATS
};

static const struct option long_options[] = {
    {"mode", required_argument, NULL, OPTION_MODE},
    {"dut", required_argument, NULL, 'd'},
    {"dut-mac", required_argument, NULL, OPTION_DUT_MAC},
    {"strict", required_argument, NULL, OPTION_STRICT},
    {"csum", required_argument, NULL, OPTION_CSUM},
    {"impair", required_argument, NULL, OPTION_IMPAIR},
    {"mtu", required_argument, NULL, OPTION_MTU},
    {"split", required_argument, NULL, OPTION_SPLIT},
    {"queues", required_argument, NULL, OPTION_QUEUES},
    {"persistent", no_argument, NULL, OPTION_PERSISTENT},
    {"allow-truncated", no_argument, NULL, OPTION_ALLOW_TRUNCATED},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"limit", required_argument, NULL, 'L'},
    {"list", no_argument, NULL, OPTION_LIST},
    {"write", required_argument, NULL, 'w'},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"update", no_argument, NULL, OPTION_UPDATE},
    {"format", required_argument, NULL, 'f'},
    {"output", required_argument, NULL, 'o'},
    {"stats", no_argument, NULL, OPTION_STATS},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void __attribute__((noreturn)) usage(const char *option, const char *valid)
{
    fprintf(stderr, "pcap-replay: --%s is %s\n", option, valid);
    exit(PCAPREPLAY_USAGE);
}

/* The index of text among words, which end with null. */
static int choose(const char *option, const char *text, const char *const *words, const char *valid)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            return i;
        }
    }
    usage(option, valid);
}

static uint64_t read_number(const char *option, const char *text, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value > most) {
        char valid[64];
        snprintf(valid, sizeof(valid), "a number from 0 to %llu", (unsigned long long)most);
        usage(option, valid);
    }
    return value;
}

static void read_choice(struct command *command, int option, const char *text)
{
    static const char *const modes[] = {"endpoint", "inject", NULL};
    static const char *const levels[] = {"stream", "headers", "bytes", NULL};
    static const char *const policies[] = {"auto", "keep", "fix", NULL};
    static const char *const formats[] = {"text", "tap", "json", NULL};
    struct pcapreplay_options *replay = &command->replay;
    switch (option) {
    case OPTION_MODE:
        replay->mode =
            (enum pcapreplay_mode)choose("mode", text, modes, "endpoint or inject");
        break;
    case OPTION_STRICT:
        replay->strict =
            (enum pcapreplay_strict)choose("strict", text, levels, "stream, headers or bytes");
        break;
    case OPTION_CSUM:
        replay->csum = (enum pcapreplay_csum)choose("csum", text, policies, "auto, keep or fix");
        break;
    default:
        command->format = (enum pcapreplay_format)choose("format", text, formats, "text, tap or json");
        break;
    }
}

static void read_value(struct command *command, int option, const char *text)
{
    struct pcapreplay_options *replay = &command->replay;
    switch (option) {
    case 'd':
        replay->dut = text;
        break;
    case OPTION_DUT_MAC:
        replay->dut_mac = text;
        break;
    case OPTION_IMPAIR:
        replay->impair = text;
        break;
    case OPTION_MTU:
        replay->mtu = (uint16_t)read_number("mtu", text, 65535);
        break;
    case OPTION_SPLIT:
        replay->split = (uint16_t)read_number("split", text, 4096);
        break;
    case OPTION_QUEUES:
        replay->queues = (uint16_t)read_number("queues", text, 8);
        break;
    case OPTION_SEED:
        replay->seed = read_number("seed", text, UINT64_MAX);
        break;
    case 'L':
        replay->limit = read_number("limit", text, UINT64_MAX);
        break;
    case 'w':
        replay->write = text;
        break;
    case OPTION_EXPECT:
        command->expect = text;
        break;
    case 'o':
        command->output = text;
        break;
    default:
        read_choice(command, option, text);
        break;
    }
}

/* False: not an option without a value. */
static bool read_flag(struct command *command, int option)
{
    switch (option) {
    case OPTION_PERSISTENT:
        command->replay.persistent = true;
        return true;
    case OPTION_ALLOW_TRUNCATED:
        command->replay.allow_truncated = true;
        return true;
    case OPTION_LIST:
        command->replay.list = true;
        return true;
    case OPTION_UPDATE:
        command->update = true;
        return true;
    case OPTION_STATS:
        command->stats = true;
        return true;
    case 'q':
        command->quiet = true;
        return true;
    case 'h':
        fputs(help_text, stdout);
        exit(EXIT_SUCCESS);
    case 'V':
        printf("pcap-replay (wisp) %s\n", WISP_VERSION_STRING);
        exit(EXIT_SUCCESS);
    default:
        return false;
    }
}

/* The words of a filter, joined by spaces. */
static char *join(char **words, int count)
{
    size_t size = 1;
    for (int i = 0; i < count; i++) {
        size += strlen(words[i]) + 1;
    }
    char *text = calloc(1, size);
    for (int i = 0; text && i < count; i++) {
        strcat(text, words[i]);
        strcat(text, i + 1 < count ? " " : "");
    }
    return text;
}

static void read_command(struct command *command, int argc, char **argv)
{
    int option;
    pcapreplay_options_default(&command->replay);
    opterr = 0; /* what is wrong is one line, below */
    while ((option = getopt_long(argc, argv, "d:L:w:f:o:qhV", long_options, NULL)) != -1) {
        if (option == '?') {
            fprintf(stderr, "pcap-replay: %s is wrong; valid options: -d -f -h -L -o -q -V -w", argv[optind - 1]);
            for (const struct option *valid = long_options; valid->name; valid++) {
                fprintf(stderr, " --%s", valid->name);
            }
            fprintf(stderr, "\n");
            exit(PCAPREPLAY_USAGE);
        }
        if (!read_flag(command, option)) {
            read_value(command, option, optarg);
        }
    }
    if (optind >= argc) {
        fputs("pcap-replay: no capture FILE given (- is standard input); see pcap-replay --help\n", stderr);
        exit(PCAPREPLAY_USAGE);
    }
    if (command->update && !command->expect) {
        fputs("pcap-replay: --update needs --expect=FILE\n", stderr);
        exit(PCAPREPLAY_USAGE);
    }
    command->replay.file = argv[optind];
    command->filter = join(argv + optind + 1, argc - optind - 1);
    command->replay.filter = command->filter;
}

/* ---- golden files ---- */

static bool is_capture(const char *path)
{
    size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".pcap") == 0;
}

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

static bool write_whole(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes, 1, size, file) == size;
    return file && fclose(file) == 0 && good;
}

/* Compares what was got with the golden file, or renews that; the exit status. */
static int compare_golden(const struct command *command, const char *got, size_t size, int status)
{
    size_t golden_size = 0;
    if (command->update) {
        if (!write_whole(command->expect, got, size)) {
            fprintf(stderr, "pcap-replay: cannot write %s: %s\n", command->expect, strerror(errno));
            return PCAPREPLAY_USAGE;
        }
        return status;
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
    fprintf(stderr, "pcap-replay: differs from %s at byte %zu (--update renews it)\n", command->expect,
            at);
    return PCAPREPLAY_MISMATCH;
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

static void print_cost(const struct pcapreplay_report *report, double wall)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double busy = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
    fprintf(stderr,
            "replayed %.6f s of trace in %.3f s, %.3f s of processor time: %.0f frames per second of "
            "it; %ld KB of memory\n",
            (double)report->virtual_ns / 1e9, wall, busy,
            (double)report->frames / (busy > 0 ? busy : wall), used.ru_maxrss);
}

static int print_report(struct command *command, const struct pcapreplay_report *report,
                        double wall)
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
    if (command->expect && !is_capture(command->expect)) {
        status = compare_golden(command, text, size, status);
    }
    if (!command->quiet && command->output && !write_whole(command->output, text, size)) {
        fprintf(stderr, "pcap-replay: cannot write %s: %s\n", command->output, strerror(errno));
        status = PCAPREPLAY_USAGE;
    } else if (!command->quiet && !command->output) {
        fwrite(text, 1, size, stdout);
    }
    if (command->stats) {
        print_cost(report, wall);
    }
    free(text);
    return status;
}

static int compare_frames(const struct command *command, int status)
{
    size_t size;
    char *got = read_whole(command->replay.write, &size);
    if (!got) {
        return status;
    }
    status = compare_golden(command, got, size, status);
    free(got);
    if (command->golden_write) {
        unlink(command->golden_write);
    }
    return status;
}

static int run(struct command *command)
{
    if (command->expect && is_capture(command->expect) && !command->replay.write) {
        if (asprintf(&command->golden_write, "%s.got", command->expect) < 0) {
            return PCAPREPLAY_FAULT;
        }
        command->replay.write = command->golden_write;
    }
    bool terminal = isatty(STDERR_FILENO) && !command->quiet;
    command->replay.progress = terminal ? show_progress : NULL;
    double start = clock_seconds();
    struct pcapreplay_report *report = pcapreplay_run(&command->replay);
    if (!report) {
        fputs("pcap-replay: no memory\n", stderr);
        return PCAPREPLAY_FAULT;
    }
    double wall = clock_seconds() - start;
    int status = (int)report->status;
    if (terminal && report->frames > 0x3fff) {
        fputs("\r\033[K", stderr);
    }
    if (status == PCAPREPLAY_USAGE || status == PCAPREPLAY_UNREADABLE) {
        fprintf(stderr, "pcap-replay: %s\n", report->text);
    } else {
        status = print_report(command, report, wall);
        if (command->expect && is_capture(command->expect)) {
            status = compare_frames(command, status);
        }
    }
    pcapreplay_free(report);
    return status;
}

int main(int argc, char **argv)
{
    struct command command = {.format = PCAPREPLAY_TEXT};
    read_command(&command, argc, argv);
    int status = run(&command);
    free(command.filter);
    free(command.golden_write);
    return status;
}
