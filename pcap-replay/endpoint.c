/* SPDX-License-Identifier: ISC */
/*
 * Endpoint mode: the capture is sorted into flows, and each is replayed, when it is over, against a stack of its own.
 * Of a flow that is open only what its frames were is kept; payload is read again when it is replayed.
 */
#include "dhcp_exchange.h"
#include "run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *proto_of(const struct flow *flow)
{
    switch (flow->kind) {
    case PACKET_TCP:
        return "tcp";
    case PACKET_UDP:
        return flow->dhcp.client ? "dhcp" : "udp";
    case PACKET_ICMP:
        return "icmp";
    case PACKET_ARP:
        return "arp";
    case PACKET_IP6:
        return "ip6";
    default:
        return "ip";
    }
}

static void name_end(char text[48], const struct flow *flow, uint32_t address, uint16_t port)
{
    char with_port[8] = "";
    if (flow->kind == PACKET_IP6) {
        snprintf(text, 48, "-");
        return;
    }
    if (flow->kind == PACKET_TCP || flow->kind == PACKET_UDP) {
        snprintf(with_port, sizeof(with_port), ":%u", port);
    }
    snprintf(text, 48, "%u.%u.%u.%u%s", address >> 24, address >> 16 & 255, address >> 8 & 255,
             address & 255, with_port);
}

static void name_exchange(struct pcapreplay_flow *result, const struct flow *flow)
{
    const uint8_t *mac = flow->dut_mac;
    int n = snprintf(result->exchange, sizeof(result->exchange), "%02x:%02x:%02x:%02x:%02x:%02x ",
                     mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    dhcp_exchange_text(flow, result->exchange + n, sizeof(result->exchange) - (size_t)n);
}

static struct pcapreplay_flow *add_flow(struct run *run, const struct flow *flow)
{
    struct pcapreplay_report *report = run->report;
    if (report->flow_count == run->flow_space) {
        uint32_t space = run->flow_space ? 2 * run->flow_space : 64;
        void *flows = realloc(report->flows, space * sizeof(report->flows[0]));
        if (!flows) {
            run_fault(run, "no memory for the report");
            return NULL;
        }
        report->flows = flows;
        run->flow_space = space;
    }
    struct pcapreplay_flow *result = &report->flows[report->flow_count++];
    memset(result, 0, sizeof(*result));
    result->id = flow->id;
    result->proto = proto_of(flow);
    result->first_frame = flow->frames[0].number;
    name_end(result->peer, flow, flow->peer, flow->peer_port);
    name_end(result->dut, flow, flow->dut, flow->dut_port);
    if (flow->dhcp.client) {
        name_exchange(result, flow);
    }
    return result;
}

/* What --list tells: the captured frames, and no verdict. */
static void list_flow(struct pcapreplay_flow *result, const struct flow *flow)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_frame *frame = &flow->frames[i];
        result->frames_in += frame->to_dut;
        result->frames_out += !frame->to_dut;
        result->bytes_in += frame->to_dut ? frame->length : 0;
        result->bytes_out += frame->to_dut ? 0 : frame->length;
    }
    result->verdict = PCAPREPLAY_SKIP;
    snprintf(result->why, sizeof(result->why), "only listed");
}

static void flow_over(void *context, struct flow *flow)
{
    struct run *run = context;
    char reason[200];
    struct pcapreplay_flow *result = run->stopped ? NULL : add_flow(run, flow);
    if (!result) {
        return;
    }
    if (run->options->list) {
        list_flow(result, flow);
        return;
    }
    if (!run->rules.any_dut && flow->dhcp.client &&
        ((flow->dut ^ run->rules.dut) & run->rules.dut_mask) != 0) {
        result->verdict = PCAPREPLAY_SKIP;
        snprintf(result->why, sizeof(result->why), "its client is none of --dut");
        return;
    }
    struct session_ground ground = {.options = run->options,
                                    .memory = run->memory,
                                    .scratch = run->scratch,
                                    .impairment = run->impaired ? &run->impairment : NULL,
                                    .show = run->writer ? run_show : NULL,
                                    .context = run,
                                    .counter = run_counter};
    if (!replay_flow(&ground, flow, run->trace, result, reason, sizeof(reason))) {
        char text[300];
        snprintf(text, sizeof(text), "flow %u %s %s: %s", result->id, result->proto, result->peer,
                 reason);
        run_fault(run, text);
    }
    run->report->frames_in += result->frames_in;
    run->report->frames_out += result->frames_out;
}

static int by_id(const void *a, const void *b)
{
    const struct pcapreplay_flow *x = a;
    const struct pcapreplay_flow *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void count_verdicts(struct pcapreplay_report *report)
{
    for (uint32_t i = 0; i < report->flow_count; i++) {
        enum pcapreplay_verdict verdict = report->flows[i].verdict;
        report->pass += verdict == PCAPREPLAY_PASS;
        report->fail += verdict == PCAPREPLAY_FAIL;
        report->skip += verdict == PCAPREPLAY_SKIP;
    }
}

bool run_endpoint(struct run *run)
{
    bool damaged = false;
    struct captured frame;
    struct packet packet;
    struct flow_table *table = flow_table_open(&run->rules, flow_over, run);
    run->scratch = malloc(sizeof(*run->scratch));
    if (!table || !run->scratch) {
        run_fault(run, "no memory");
        run->stopped = true;
        if (table) {
            flow_table_close(table);
        }
        return true;
    }
    while (run_next(run, &frame, &damaged)) {
        packet_decode(&packet, frame.bytes, frame.length, frame.wire_length);
        run->report->skipped += !flow_table_add(table, &frame, &packet);
    }
    run->stopped |= damaged;
    flow_table_close(table);
    if (run->report->flow_count > 1) {
        qsort(run->report->flows, run->report->flow_count, sizeof(run->report->flows[0]), by_id);
    }
    count_verdicts(run->report);
    return !damaged;
}
