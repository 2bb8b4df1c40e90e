/* SPDX-License-Identifier: ISC */
/* Options and what they may be (see command.h, and pcap-replay(1) for what they do). */
#define _GNU_SOURCE
#include "command.h"
#include "batch.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <wisp/version.h>

static const char help_text[] =
    "usage: pcap-replay [OPTIONS] FILE|- [FILTER...]\n"
    "       pcap-replay [OPTIONS] --files-from=LIST|- [FILTER...]\n"
    "Replays a capture into the wisp stack, through a Xen ring in memory, and judges the answers.\n"
    "\n"
    "      --mode=endpoint|inject  endpoint (default): one side of each flow is the stack;\n"
    "                              inject: frames as they are\n"
    "  -d, --dut=ADDR[/LEN]        the hosts the stack is (default: each flow's responder; of DHCP, the client)\n"
    "      --dut-mac=MAC           its hardware address in inject mode (default: the one most frames to a responder go to)\n"
    "      --strict=LEVEL          stream (default), headers or bytes; in endpoint mode\n"
    "      --csum=POLICY           auto (default), keep or fix\n"
    "      --impair=SPEC           delay=20ms,jitter=5ms,loss=1%,dup=.1%,reorder=2%,corrupt=.01%,rate=10Mbit\n"
    "      --mtu=N                 576 to 65535, default 1500\n"
    "      --split=N               fill ring slots with at most N bytes (0, default: whole pages; up to 4096)\n"
    "      --queues=N              ring pairs, 1 (default) to 8\n"
    "      --persistent            grants for good instead of for each use\n"
    "      --allow-truncated       judge flows of cut frames too; in endpoint mode\n"
    "      --seed=N                of all random numbers, default 1\n"
    "      --files-from=LIST       each capture whose path is a line of LIST, by itself, with the same options\n"
    "  -L, --limit=N               read at most N frames (0, default: all)\n"
    "      --list                  only say which flows there are; in endpoint mode\n"
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
    "With --files-from, FILE of --write, --expect and --output has %n in it, which becomes the capture's number.\n"
    "A file that is written is none that is read, nor another that is written of that capture; it appears whole, or not at all.\n"
    "exit status: 0 match, 1 mismatch, 2 usage or not written, 3 capture unreadable, 4 stack fault, 77 nothing applies;\n"
    "of many captures the first that occurred of 4, 2, 3, 1, 0, 77\n";

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
    OPTION_STATS,
    OPTION_FILES_FROM
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
    {"files-from", required_argument, NULL, OPTION_FILES_FROM},
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

void command_flush(struct command *command)
{
    bool lost = ferror(stdout) != 0; /* errno is then still that of the write before */
    lost |= fflush(stdout) != 0;
    if (lost && !command->lost) {
        fprintf(stderr, "pcap-replay: cannot write standard output: %s\n", strerror(errno));
        command->lost = true;
    }
}

int command_finish(struct command *command, int status)
{
    command_flush(command);
    return command->lost ? batch_worse(status, PCAPREPLAY_USAGE) : status;
}

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

static uint64_t read_number(const char *option, const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < least || value > most) {
        char valid[64];
        snprintf(valid, sizeof(valid), "a number from %llu to %llu", (unsigned long long)least,
                 (unsigned long long)most);
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
        replay->mode = (enum pcapreplay_mode)choose("mode", text, modes, "endpoint or inject");
        break;
    case OPTION_STRICT:
        command->strict_given = true;
        replay->strict =
            (enum pcapreplay_strict)choose("strict", text, levels, "stream, headers or bytes");
        break;
    case OPTION_CSUM:
        replay->csum = (enum pcapreplay_csum)choose("csum", text, policies, "auto, keep or fix");
        break;
    default:
        command->format =
            (enum pcapreplay_format)choose("format", text, formats, "text, tap or json");
        break;
    }
}

/* The name of a file; an empty one would be taken for none. */
static const char *read_name(const char *option, const char *text)
{
    if (text[0] == '\0') {
        usage(option, "the name of a file");
    }
    return text;
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
        replay->mtu = (uint16_t)read_number("mtu", text, PCAPREPLAY_MTU_MIN, UINT16_MAX);
        break;
    case OPTION_SPLIT:
        replay->split = (uint16_t)read_number("split", text, 0, PCAPREPLAY_SPLIT_MAX);
        break;
    case OPTION_QUEUES:
        replay->queues = (uint16_t)read_number("queues", text, 1, PCAPREPLAY_QUEUES_MAX);
        break;
    case OPTION_SEED:
        replay->seed = read_number("seed", text, 0, UINT64_MAX);
        break;
    case 'L':
        replay->limit = read_number("limit", text, 0, UINT64_MAX);
        break;
    case 'w':
        replay->write = read_name("write", text);
        break;
    case OPTION_EXPECT:
        command->expect = read_name("expect", text);
        break;
    case 'o':
        command->output = read_name("output", text);
        break;
    case OPTION_FILES_FROM:
        command->files = read_name("files-from", text);
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
        exit(command_finish(command, EXIT_SUCCESS));
    case 'V':
        printf("pcap-replay (wisp) %s\n", WISP_VERSION_STRING);
        exit(command_finish(command, EXIT_SUCCESS));
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

/* A file named in an option is written, or compared, once for each capture. */
static void need_pattern(const char *option, const char *file)
{
    if (file && !batch_is_pattern(file)) {
        fprintf(stderr,
                "pcap-replay: --%s=%s needs %%n in it, the capture's number, with --files-from\n",
                option, file);
        exit(PCAPREPLAY_USAGE);
    }
}

/* An option that the mode has no use for would be given in vain. */
static void need_mode(const struct command *command)
{
    const struct pcapreplay_options *replay = &command->replay;
    const char *option = NULL;
    if (replay->mode == PCAPREPLAY_INJECT) {
        option = command->strict_given     ? "strict"
                 : replay->list            ? "list"
                 : replay->allow_truncated ? "allow-truncated"
                                           : NULL;
    } else if (replay->dut_mac) {
        option = "dut-mac";
    }
    if (option) {
        fprintf(stderr, "pcap-replay: --%s is for --mode=%s only\n", option,
                replay->mode == PCAPREPLAY_INJECT ? "endpoint" : "inject");
        exit(PCAPREPLAY_USAGE);
    }
}

static void read_operands(struct command *command, int count, char **words)
{
    if (command->files) {
        need_pattern("write", command->replay.write);
        need_pattern("expect", command->expect);
        need_pattern("output", command->output);
    } else if (count == 0) {
        fputs("pcap-replay: no capture FILE given (- is standard input); see pcap-replay --help\n",
              stderr);
        exit(PCAPREPLAY_USAGE);
    } else {
        command->replay.file = words[0];
        count--;
        words++;
    }
    command->filter = join(words, count);
    command->replay.filter = command->filter;
}

void command_read(struct command *command, int argc, char **argv)
{
    int option;
    *command = (struct command){.format = PCAPREPLAY_TEXT};
    pcapreplay_options_default(&command->replay);
    opterr = 0; /* what is wrong is one line, below */
    while ((option = getopt_long(argc, argv, "d:L:w:f:o:qhV", long_options, NULL)) != -1) {
        if (option == '?') {
            fprintf(stderr, "pcap-replay: %s is wrong; valid options: -d -f -h -L -o -q -V -w",
                    argv[optind - 1]);
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
    if (command->update && !command->expect) {
        fputs("pcap-replay: --update needs --expect=FILE\n", stderr);
        exit(PCAPREPLAY_USAGE);
    }
    need_mode(command);
    read_operands(command, argc - optind, argv + optind);
}

void command_free(struct command *command)
{
    free(command->filter);
}
