/* SPDX-License-Identifier: ISC */
/*
 * wisp-bench: runs each job with every peer that can do it, round after round in turn, and prints medians.
 * Smaller is better everywhere. Nothing here judges: ratios are printed, people and docs draw conclusions.
 */
#define _GNU_SOURCE
#include "bench.h"
#include "ring.h"
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wisp/version.h>

#define ROUNDS_MAX 99
#define LARGE_PAGE ((size_t)2 << 20)

static const struct bench_job jobs[] = {
    {"bulk1500-sum", BENCH_BULK, 1500, true, 0, 65535, false, 1, 0,
     "TCP stream, MTU 1500, software checksums"},
    {"bulk1500-nosum", BENCH_BULK, 1500, false, 0, 65535, false, 1, 0,
     "the same, checksums left to the device"},
    {"bulk1500-sum-512k", BENCH_BULK, 1500, true, 0, 524288, false, 1, 0, "window 512 KiB"},
    {"bulk1500-nosum-512k", BENCH_BULK, 1500, false, 0, 524288, false, 1, 0, "window 512 KiB"},
    {"bulk1500-sum-ts", BENCH_BULK, 1500, true, 0, 65535, true, 1, 0, "with timestamps"},
    {"bulk-gso", BENCH_BULK, 1500, false, 65535, 524288, false, 1, 0,
     "64 KB segments, checksums left to the device"},
    {"rr1", BENCH_RR, 1500, true, 0, 65535, false, 1, 0, "1-byte request and response"},
    {"rr1-ts", BENCH_RR, 1500, true, 0, 65535, true, 1, 0, "with timestamps"},
    {"udp-echo", BENCH_UDP_ECHO, 1500, true, 0, 65535, false, 0, 32,
     "18-byte datagrams, 32 in flight"},
    {"udp-echo-1", BENCH_UDP_ECHO, 1500, true, 0, 65535, false, 0, 1, "one in flight"},
    {"crr-0", BENCH_CRR, 1500, true, 0, 65535, false, 0, 0, "connect, request, response, close"},
    {"crr-1000", BENCH_CRR, 1500, true, 0, 65535, false, 1000, 0, "with 1000 in TIME-WAIT"},
    {"crr-8192", BENCH_CRR, 1500, true, 0, 65535, false, 8192, 0, "with 8192 in TIME-WAIT"},
    {"scale-rr-1", BENCH_RR, 1500, true, 0, 65535, false, 1, 0, "random request/response, 1 open"},
    {"scale-rr-100", BENCH_RR, 1500, true, 0, 65535, false, 100, 0, "100 open"},
    {"scale-rr-1000", BENCH_RR, 1500, true, 0, 65535, false, 1000, 0, "1000 open"},
    {"scale-rr-10000", BENCH_RR, 1500, true, 0, 65535, false, 10000, 0, "10000 open"},
    {"idle-mem", BENCH_IDLE, 1500, true, 0, 65535, false, 1000, 0,
     "bytes per idle established connection"},
    {"netfront-pps-16", BENCH_RING_PPS, 1500, false, 0, 0, false, 0, 16,
     "frames of 60 bytes there and back, 16 at once"},
    {"netfront-pps-32", BENCH_RING_PPS, 1500, false, 0, 0, false, 0, 32, "32 at once"},
    {"netfront-pps-64", BENCH_RING_PPS, 1500, false, 0, 0, false, 0, 64, "64 at once"},
    {"netfront-gso", BENCH_RING_GSO, 1500, false, 65535, 0, false, 0, 4,
     "64 KB segments there and back, 4 at once"},
    {"netfront-bulk", BENCH_RING_BULK, 1500, false, 65535, 524288, false, 1, 0,
     "TCP from guest to guest, GSO, checksums left out"},
};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

/* Jobs NAME-COUNT, in the table from the smallest count to the largest: the largest that is run is reported as
 * NAME, too. */
static const char *const families[] = {"crr", "scale-rr", "netfront-pps"};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const struct bench_peer *const peers[] = {&bench_wisp, &bench_lwip, &bench_floor};
#define PEERS 3

struct result {
    bool done[PEERS];
    double median[PEERS];
    double spread; /* of wisp: (max - min) / median */
    struct bench_facts facts;
    uint32_t runs;
    struct ring_result ring; /* of the netfront jobs, which have no other */
};

static uint8_t source[BENCH_SOURCE_SIZE] __attribute__((aligned(4096)));

const uint8_t *bench_source(void)
{
    return source;
}

bool bench_check_bytes(struct bench_check *check, const uint8_t *p, size_t length)
{
    uint64_t at = check->bytes;
    check->bytes += length;
    if (at >= 2 * BENCH_SOURCE_SIZE) {
        return true;
    }
    for (size_t i = 0; i < length; i++) {
        if (p[i] != source[(at + i) % BENCH_SOURCE_SIZE] && length > 1) {
            bench_fail("receiver", "bulk", "payload differs from what was sent");
        }
    }
    return true;
}

void bench_fail(const char *peer, const char *job, const char *why)
{
    fprintf(stderr, "wisp-bench: %s failed %s: %s\n", peer, job, why);
    exit(1);
}

uint64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void *bench_memory(size_t size)
{
    size_t page = size < LARGE_PAGE ? 4096 : LARGE_PAGE;
    size = (size + page - 1) & ~(page - 1);
    void *memory = aligned_alloc(page, size);
    if (!memory) {
        bench_fail("main", "any job", "not enough memory");
    }
    if (page == LARGE_PAGE) {
        (void)madvise(memory, size, MADV_HUGEPAGE); /* a kernel without them has none to give */
    }
    memset(memory, 0, size);
    return memory;
}

uint32_t bench_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Units that take about target nanoseconds. */
static uint64_t calibrate(const struct bench_peer *peer, void *state, uint64_t target)
{
    for (uint64_t units = 16;; units *= 4) {
        uint64_t start = bench_now();
        peer->run(state, units);
        uint64_t took = bench_now() - start;
        if (took > target / 8 || units > 1u << 24) {
            uint64_t more = units * target / (took ? took : 1);
            return more ? more : 1;
        }
    }
}

static const char *only_peer; /* null: all */
static uint64_t fixed_units;  /* 0: as many as take the target's time */

static bool is_ring(const struct bench_job *job)
{
    return job->kind >= BENCH_RING_PPS;
}

static bool takes_part(int p, const struct bench_job *job)
{
    if (only_peer && strcmp(only_peer, peers[p]->name) != 0) {
        return false;
    }
    return peers[p]->can(job) && (job->kind != BENCH_IDLE || peers[p]->measure);
}

static void run_job(const struct bench_job *job, uint32_t rounds, uint64_t target, struct result *r)
{
    void *state[PEERS] = {NULL};
    uint64_t units[PEERS] = {0};
    double sample[PEERS][ROUNDS_MAX];
    r->runs = job->kind == BENCH_IDLE ? 1 : rounds;
    for (int p = 0; p < PEERS; p++) {
        r->done[p] = takes_part(p, job);
        if (!r->done[p]) {
            continue;
        }
        state[p] = peers[p]->open(job);
        if (job->kind != BENCH_IDLE) {
            units[p] = fixed_units ? fixed_units : calibrate(peers[p], state[p], target);
        }
    }
    for (uint32_t k = 0; k < r->runs; k++) {
        for (int p = 0; p < PEERS; p++) {
            if (!r->done[p]) {
                continue;
            }
            if (job->kind == BENCH_IDLE) {
                sample[p][k] = peers[p]->measure(state[p]);
                continue;
            }
            uint64_t start = bench_now();
            peers[p]->run(state[p], units[p]);
            sample[p][k] = (double)(bench_now() - start) / (double)units[p];
        }
    }
    for (int p = 0; p < PEERS; p++) {
        if (!r->done[p]) {
            continue;
        }
        if (p == 0) {
            peers[p]->facts(state[p], &r->facts);
        }
        qsort(sample[p], r->runs, sizeof(double), compare);
        r->median[p] = sample[p][r->runs / 2];
        if (p == 0 && r->median[0] > 0) {
            r->spread = (sample[0][r->runs - 1] - sample[0][0]) / r->median[0];
        }
        peers[p]->close(state[p]);
    }
}

/* A job through the ring: a slot with persistent grants is what is compared with the floor. */
static void run_ring(const struct bench_job *job, uint32_t rounds, uint64_t target,
                     struct result *r)
{
    ring_job_run(job, rounds, target, &r->ring);
    r->done[0] = r->done[2] = true;
    r->median[0] = r->ring.slot[RING_PERSISTENT];
    r->median[2] = r->ring.floor;
    r->spread = r->ring.spread;
    r->runs = rounds;
}

/* Each job in a process of its own: a second copy of a C library cannot be unloaded cleanly. */
static void run_apart(const struct bench_job *job, uint32_t rounds, uint64_t target,
                      struct result *r)
{
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) {
        bench_fail("main", job->name, "no pipe");
    }
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        bench_fail("main", job->name, "cannot fork");
    }
    if (child == 0) {
        if (is_ring(job) && fixed_units) {
            ring_job_count(job, fixed_units);
        } else if (is_ring(job)) {
            run_ring(job, rounds, target, r);
        } else {
            run_job(job, rounds, target, r);
        }
        ssize_t wrote = write(pipe_ends[1], r, sizeof(*r));
        _exit(wrote == (ssize_t)sizeof(*r) ? 0 : 1);
    }
    close(pipe_ends[1]);
    ssize_t got = read(pipe_ends[0], r, sizeof(*r));
    close(pipe_ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (got != (ssize_t)sizeof(*r) || status != 0) {
        exit(1);
    }
}

static const char *unit_of(const struct bench_job *job)
{
    return job->kind == BENCH_IDLE ? "B" : "ns";
}

static void print_head(void)
{
    printf("%-20s %4s %9s %12s %9s %9s %9s %7s %8s\n", "job", "unit", "wisp", "Debian lwIP",
           "floor", "lwIP/wisp", "wisp/flr", "spread", "frames");
}

static void print_value(bool done, double value)
{
    if (done) {
        printf(" %9.1f", value);
    } else {
        printf(" %9s", "-");
    }
}

static void print_row(const struct bench_job *job, const struct result *r)
{
    printf("%-20s %4s", job->name, unit_of(job));
    print_value(r->done[0], r->median[0]);
    printf("   ");
    print_value(r->done[1], r->median[1]);
    print_value(r->done[2], r->median[2]);
    print_value(r->done[1], r->median[1] / r->median[0]);
    print_value(r->done[2], r->median[0] / r->median[2]);
    printf(" %6.1f%%", 100 * r->spread);
    if (r->facts.units) {
        printf(" %8.2f", (double)r->facts.frames / (double)r->facts.units);
    }
    if (r->facts.payload_copied && job->kind == BENCH_BULK) {
        printf("  copied %llu", (unsigned long long)r->facts.payload_copied);
    }
    printf("\n");
    fflush(stdout);
}

static json_t *value_or_null(bool done, double value)
{
    return done ? json_real(value) : json_null();
}

/* What was counted beside a result, or null. */
static json_t *json_counted(const struct bench_facts *facts)
{
    if (facts->units == 0) {
        return NULL;
    }
    json_t *o = json_object();
    json_object_set_new(o, "frames_per_unit",
                        json_real((double)facts->frames / (double)facts->units));
    json_object_set_new(o, "payload_bytes_copied", json_integer((json_int_t)facts->payload_copied));
    json_object_set_new(o, "link_bytes_copied", json_integer((json_int_t)facts->link_copied));
    return o;
}

/* The same members for every job; what only some have lies in "counted". */
static json_t *json_result(const char *name, const struct bench_job *job, const struct result *r)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(name));
    json_object_set_new(o, "unit", json_string(unit_of(job)));
    json_object_set_new(o, "wisp", value_or_null(r->done[0], r->median[0]));
    json_object_set_new(o, "lwip", value_or_null(r->done[1], r->median[1]));
    json_object_set_new(o, "floor", value_or_null(r->done[2], r->median[2]));
    json_object_set_new(o, "spread", json_real(r->spread));
    json_object_set_new(o, "runs", json_integer(r->runs));
    json_t *counted = is_ring(job) ? ring_json(&r->ring) : json_counted(&r->facts);
    if (counted) {
        json_object_set_new(o, "counted", counted);
    }
    return o;
}

/* Whether job is one of the family: its name, a hyphen and a count. */
static bool of_family(const struct bench_job *job, const char *family)
{
    size_t n = strlen(family);
    return strncmp(job->name, family, n) == 0 && job->name[n] == '-';
}

static void cpu_model(char *text, size_t size)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];
    snprintf(text, size, "unknown");
    while (f && fgets(line, sizeof(line), f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            colon[strcspn(colon, "\n")] = 0;
            snprintf(text, size, "%s", colon + 2);
            break;
        }
    }
    if (f) {
        fclose(f);
    }
}

static json_t *environment(uint32_t rounds)
{
    struct utsname u;
    char cpu[256];
    uname(&u);
    cpu_model(cpu, sizeof(cpu));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "wisp", WISP_VERSION_STRING, "kernel",
                     u.release, "cpu", cpu, "compiler", __VERSION__, "sum",
                     __builtin_cpu_supports("avx2") ? "avx2" : "portable", "rounds", (int)rounds);
}

static void usage(FILE *out)
{
    fprintf(
        out,
        "Usage: wisp-bench [OPTION]... [JOB]...\n"
        "Compares wisp with Debian's lwIP and with a floor (headers and checksums only), both ends of\n"
        "each on one core over a link in memory. Smaller is better.\n\n"
        "  --json        print one JSON object: environment and results, each with name, unit (ns or B),\n"
        "                wisp, lwip, floor (null: cannot do it), spread, runs and what else was counted\n"
        "  --rounds=N    rounds, interleaved (7; 1..%d)\n"
        "  --quick       shorter rounds\n"
        "  --peer=NAME   only that one: wisp, lwip or floor (for profiling)\n"
        "  --units=N     N units a round, not as many as fill a time (for counting instructions; jobs\n"
        "                through the ring do N once, with persistent grants, and time nothing)\n"
        "  --list        list the jobs\n"
        "  --help        this text\n"
        "  --version     the version\n",
        ROUNDS_MAX);
}

static void list(void)
{
    for (size_t i = 0; i < JOBS; i++) {
        printf("%-20s %s\n", jobs[i].name, jobs[i].help);
    }
}

static bool wanted(const struct bench_job *job, char **names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(job->name, names[i]) == 0 || of_family(job, names[i])) {
            return true;
        }
    }
    return count == 0;
}

static bool known(const char *name)
{
    char *one[1] = {strdup(name)};
    bool found = false;
    for (size_t i = 0; i < JOBS; i++) {
        found |= wanted(&jobs[i], one, 1);
    }
    free(one[0]);
    return found;
}

static void print_ring(const struct bench_job *job, const struct result *r, int head)
{
    if (head != 1) {
        ring_print_head();
    }
    ring_print_row(job, &r->ring);
}

static void print_stack(const struct bench_job *job, const struct result *r, int head)
{
    if (head != 0) {
        print_head();
    }
    print_row(job, r);
}

static void run_all(char **names, int count, uint32_t rounds, uint64_t target, bool json)
{
    json_t *results = json_array();
    json_t *largest[FAMILIES] = {NULL};
    int head = -1; /* the table begun: of the ring, or not */
    for (size_t i = 0; i < JOBS; i++) {
        struct result r = {0};
        if (!wanted(&jobs[i], names, count)) {
            continue;
        }
        run_apart(&jobs[i], rounds, target, &r);
        if (is_ring(&jobs[i]) && fixed_units) {
            fprintf(stderr, "%s: %llu units done, for counting: nothing was timed\n", jobs[i].name,
                    (unsigned long long)fixed_units);
            continue;
        }
        if (!json) {
            (is_ring(&jobs[i]) ? print_ring : print_stack)(&jobs[i], &r, head);
            head = is_ring(&jobs[i]);
        }
        json_array_append_new(results, json_result(jobs[i].name, &jobs[i], &r));
        for (size_t f = 0; f < FAMILIES; f++) {
            if (of_family(&jobs[i], families[f])) {
                json_decref(largest[f]);
                largest[f] = json_result(families[f], &jobs[i], &r);
            }
        }
    }
    for (size_t f = 0; f < FAMILIES; f++) {
        if (largest[f]) {
            json_array_append_new(results, largest[f]);
        }
    }
    if (json) {
        json_t *all =
            json_pack("{s:o, s:o}", "environment", environment(rounds), "results", results);
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        printf("\n");
        json_decref(all);
    } else {
        json_decref(results);
    }
}

/* A number from 1 to most, all of text; else 0. */
static uint64_t number(const char *text, uint64_t most)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    return *text < '0' || *text > '9' || *end || value > most ? 0 : value;
}

/* The status of a run whose output is complete, or was lost. */
static int ended(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return 0;
    }
    fprintf(stderr, "wisp-bench: cannot write standard output: %s\n", strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, 0, 'j'},
                                            {"rounds", required_argument, 0, 'r'},
                                            {"quick", no_argument, 0, 'q'},
                                            {"list", no_argument, 0, 'l'},
                                            {"peer", required_argument, 0, 'p'},
                                            {"units", required_argument, 0, 'u'},
                                            {"help", no_argument, 0, 'h'},
                                            {"version", no_argument, 0, 'V'},
                                            {0, 0, 0, 0}};
    uint32_t rounds = 7;
    uint64_t target = 60000000;
    bool json = false;
    opterr = 0; /* what is wrong is one line, below */
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'j':
            json = true;
            break;
        case 'r':
            rounds = (uint32_t)number(optarg, ROUNDS_MAX);
            break;
        case 'q':
            target = 10000000;
            break;
        case 'p':
            only_peer = optarg;
            break;
        case 'u':
            fixed_units = number(optarg, UINT32_MAX);
            if (fixed_units == 0) {
                fprintf(stderr, "wisp-bench: --units takes a number from 1 to %u\n", UINT32_MAX);
                return 2;
            }
            break;
        case 'l':
            list();
            return ended();
        case 'h':
            usage(stdout);
            return ended();
        case 'V':
            printf("wisp-bench %s\n", WISP_VERSION_STRING);
            return ended();
        default:
            fprintf(
                stderr,
                "wisp-bench: %s is wrong; valid options: --json --rounds=N --quick --peer=NAME --units=N --list --help "
                "--version\n",
                argv[optind - 1]);
            return 2;
        }
    }
    if (only_peer && strcmp(only_peer, "wisp") != 0 && strcmp(only_peer, "lwip") != 0 &&
        strcmp(only_peer, "floor") != 0) {
        fprintf(stderr, "wisp-bench: --peer takes wisp, lwip or floor\n");
        return 2;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "wisp-bench: --rounds takes 1 to %d\n", ROUNDS_MAX);
        return 2;
    }
    for (int i = optind; i < argc; i++) {
        if (!known(argv[i])) {
            fprintf(stderr, "wisp-bench: no job '%s'; --list shows them\n", argv[i]);
            return 2;
        }
    }
    for (size_t i = 0; i < sizeof(source); i++) {
        source[i] = (uint8_t)(i * 131 + (i >> 8) * 7 + 1);
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof(one), &one);
    run_all(argv + optind, argc - optind, rounds, target, json);
    return ended();
}
