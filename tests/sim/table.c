/* SPDX-License-Identifier: ISC */
/*
 * Throughput by loss, round trip and window, in virtual time, as Markdown on standard output: docs/sim.md, which a
 * test compares with what a run gives now. A change in behaviour is a change of that file.
 */
#include "sim.h"
#include <stdio.h>

#define SEEDS 20u
#define SEEDS_BAD                                                                                  \
    3u /* from 20 % on, where a connection takes minutes, and may end by the user timeout */

/* Lost packets in a million, each way. */
static const uint32_t losses[] = {0, 1000, 10000, 20000, 50000, 100000, 200000, 300000};
#define LOSSES (sizeof(losses) / sizeof(losses[0]))

static uint32_t window;

static void tune(struct wisp_tcp_config *config)
{
    config->receive_window = window;
}

/* Enough for the loss to show, and not so much that a bad link takes hours. */
static uint32_t bytes_for(uint32_t loss)
{
    return loss >= 200000 ? 100000 : loss >= 50000 ? 500000 : 4000000;
}

/* Bytes a second, over all seeds together; 0: some run failed. */
static uint64_t throughput(uint32_t loss, wisp_time round_trip)
{
    uint64_t bytes = 0;
    wisp_time took = 0;
    uint64_t seeds = loss >= 200000 ? SEEDS_BAD : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct sim_plan plan = {.name = "table",
                                .bytes = {bytes_for(loss), 0},
                                .lend = true,
                                .limit = WISP_SEC(1000000),
                                .impair = {.loss = loss, .delay = round_trip / 2},
                                .tune = tune};
        struct sim_result result = sim_run(&plan, seed);
        if (!result.finished) {
            fprintf(stderr, "sim-table: loss %u, round trip %llu us, seed %llu: %s\n", loss,
                    (unsigned long long)(round_trip / 1000), (unsigned long long)seed,
                    result.failure);
            return 0;
        }
        bytes += bytes_for(loss);
        took += result.took;
    }
    return bytes * 1000000 / (took / 1000);
}

static void print_head(const char *first)
{
    printf("\n| %s |", first);
    for (size_t i = 0; i < LOSSES; i++) {
        printf(" %u.%u %% |", losses[i] / 10000, losses[i] / 1000 % 10);
    }
    printf("\n|---|");
    for (size_t i = 0; i < LOSSES; i++) {
        printf("---:|");
    }
    printf("\n");
}

static bool print_row(const char *name, wisp_time round_trip, uint64_t unit)
{
    bool good = true;
    printf("| %s |", name);
    for (size_t i = 0; i < LOSSES; i++) {
        uint64_t rate = throughput(losses[i], round_trip);
        good = good && rate;
        printf(" %llu |", (unsigned long long)((rate + unit / 2) / unit));
    }
    printf("\n");
    return good;
}

static bool by_round_trip(void)
{
    static const struct {
        const char *name;
        wisp_time round_trip;
    } rows[] = {{"0.1 ms", WISP_US(100)},
                {"1 ms", WISP_MS(1)},
                {"10 ms", WISP_MS(10)},
                {"100 ms", WISP_MS(100)}};
    bool good = true;
    window = 512 * 1024;
    print_head("round trip");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        good &= print_row(rows[i].name, rows[i].round_trip, 1000);
    }
    return good;
}

static bool by_window(void)
{
    static const uint32_t windows[] = {4096, 16384, 32768};
    bool good = true;
    print_head("window");
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        char name[16];
        window = windows[i];
        snprintf(name, sizeof(name), "%u", window);
        good &= print_row(name, WISP_MS(100), 1);
    }
    return good;
}

int main(void)
{
    printf(
        "# Throughput in virtual time\n\n"
        "Made by `tools/sim-table`; a test holds it. Two stacks of ours, one sends 4 MB (0.5 MB from 5 %% loss on, 0.1 MB\n"
        "from 20 %%), MTU 1500, no offload, NewReno without SACK recovery, retransmission timer at least 200 ms; packets are\n"
        "lost at random each way, the link has no rate. Bytes of %u seeds (%u from\n"
        "20 %% on) by their time, handshake and close included.\n\n"
        "## By loss and round trip: kB/s, window 512 KiB\n",
        SEEDS, SEEDS_BAD);
    bool good = by_round_trip();
    printf("\n## By loss and window: B/s, round trip 100 ms\n");
    good &= by_window();
    printf(
        "\nsmoltcp's netsim with the same link and buffers of these sizes, as its repository stores it:\n");
    print_head("buffer");
    printf("| 4096 | 35062 | 33860 | 26937 | 21887 | 14074 | 7871 | 1604 | 402 |\n"
           "| 16384 | 161842 | 159311 | 127091 | 104233 | 55319 | 27269 | 7655 | 1277 |\n"
           "| 32768 | 322945 | 314780 | 219671 | 166587 | 76626 | 37775 | 6079 | 1156 |\n");
    return good ? 0 : 1;
}
