/* SPDX-License-Identifier: ISC */
/* The library's entry (see pcapreplay.h): options checked, files opened, a mode run, the outcome put into words. */
#include "options.h"
#include "run.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_outcome(struct pcapreplay_report *report, enum pcapreplay_status status,
                        const char *format, ...) __attribute__((format(printf, 3, 4)));

static void set_outcome(struct pcapreplay_report *report, enum pcapreplay_status status,
                        const char *format, ...)
{
    va_list arguments;
    report->status = status;
    va_start(arguments, format);
    vsnprintf(report->text, sizeof(report->text), format, arguments);
    va_end(arguments);
}

void run_fault(struct run *run, const char *reason)
{
    if (run->report->status != PCAPREPLAY_FAULT) {
        set_outcome(run->report, PCAPREPLAY_FAULT, "stack fault: %s", reason);
    }
}

void run_show(void *context, bool to_stack, const uint8_t *bytes, uint32_t length, wisp_time now)
{
    struct run *run = context;
    (void)to_stack;
    writer_add(run->writer, bytes, length, now);
}

void run_counter(void *context, const char *name, uint64_t value)
{
    struct run *run = context;
    struct pcapreplay_report *report = run->report;
    uint32_t at = run->counter_next;
    if (at >= report->counter_count || strcmp(report->counters[at].name, name) != 0) {
        for (at = 0; at < report->counter_count && strcmp(report->counters[at].name, name) != 0;
             at++) {
        }
    }
    if (at == report->counter_count) {
        void *counters =
            realloc(report->counters, (report->counter_count + 1) * sizeof(report->counters[0]));
        if (!counters) {
            return;
        }
        report->counters = counters;
        report->counters[at].value = 0;
        snprintf(report->counters[at].name, sizeof(report->counters[at].name), "%s", name);
        report->counter_count++;
    }
    report->counters[at].value += value;
    run->counter_next = at + 1;
}

bool run_next(struct run *run, struct captured *frame, bool *damaged)
{
    const struct pcapreplay_options *options = run->options;
    if (options->limit && run->report->frames >= options->limit) {
        return false;
    }
    int result = trace_next(run->trace, frame);
    *damaged = result < 0;
    if (result <= 0) {
        return false;
    }
    run->report->frames++;
    if (options->progress && (run->report->frames & 0x3fff) == 0) {
        struct trace_info info;
        trace_info(run->trace, &info);
        options->progress(options->context, info.frames, info.bytes, info.file_size);
    }
    return true;
}

/* ---- options ---- */

static bool read_dut(struct run *run)
{
    const char *text = run->options->dut;
    struct wisp_ip4 ip;
    uint8_t prefix;
    run->rules.any_dut = text == NULL;
    if (!text) {
        return true;
    }
    if (!wisp_ip4_parse_prefix(text, strlen(text), &ip, &prefix)) {
        set_outcome(run->report, PCAPREPLAY_USAGE, "--dut: '%s' is no ADDR or ADDR/LEN of IPv4",
                    text);
        return false;
    }
    run->rules.dut = wisp_ip4_value(ip);
    run->rules.dut_mask = wisp_ip4_mask(prefix);
    return true;
}

static bool read_options(struct run *run)
{
    const struct pcapreplay_options *options = run->options;
    struct pcapreplay_report *report = run->report;
    if (options->mtu < PCAPREPLAY_MTU_MIN) {
        set_outcome(report, PCAPREPLAY_USAGE, "--mtu: %u to 65535", PCAPREPLAY_MTU_MIN);
        return false;
    }
    if (options->queues < 1 || options->queues > PCAPREPLAY_QUEUES_MAX) {
        set_outcome(report, PCAPREPLAY_USAGE, "--queues: 1 to %u", PCAPREPLAY_QUEUES_MAX);
        return false;
    }
    if (options->split > PCAPREPLAY_SPLIT_MAX) {
        set_outcome(report, PCAPREPLAY_USAGE, "--split: 0 to %u", PCAPREPLAY_SPLIT_MAX);
        return false;
    }
    if (options->mode == PCAPREPLAY_INJECT &&
        (options->list || options->allow_truncated || options->strict != PCAPREPLAY_STREAM)) {
        set_outcome(report, PCAPREPLAY_USAGE,
                    "--strict, --list and --allow-truncated: nothing is judged in inject mode");
        return false;
    }
    if (options->mode == PCAPREPLAY_ENDPOINT && options->dut_mac) {
        set_outcome(report, PCAPREPLAY_USAGE, "--dut-mac: in endpoint mode it is as captured");
        return false;
    }
    if (options->dut_mac) {
        run->dut_mac_given =
            wisp_mac_parse(options->dut_mac, strlen(options->dut_mac), &run->dut_mac);
        if (!run->dut_mac_given) {
            set_outcome(report, PCAPREPLAY_USAGE, "--dut-mac: '%s' is no MAC address",
                        options->dut_mac);
            return false;
        }
    }
    if (options->impair) {
        run->impaired = true;
        if (!impairment_parse(options->impair, &run->impairment, report->text,
                              sizeof(report->text))) {
            report->status = PCAPREPLAY_USAGE;
            return false;
        }
    }
    return read_dut(run);
}

static bool open_files(struct run *run)
{
    const struct pcapreplay_options *options = run->options;
    struct pcapreplay_report *report = run->report;
    bool usage;
    run->trace = trace_open(options->file, options->filter, options->mode == PCAPREPLAY_ENDPOINT,
                            report->text, sizeof(report->text), &usage);
    if (!run->trace) {
        report->status = usage ? PCAPREPLAY_USAGE : PCAPREPLAY_UNREADABLE;
        return false;
    }
    if (options->write) {
        struct output_id write = output_identify(options->write);
        if (output_same(&write, trace_source(run->trace))) {
            set_outcome(report, PCAPREPLAY_USAGE,
                        "--write=%s is the capture that is read: name another file",
                        options->write);
            return false;
        }
        run->writer = writer_open(options->write, options->mode == PCAPREPLAY_INJECT, report->text,
                                  sizeof(report->text));
        if (!run->writer) {
            report->status = PCAPREPLAY_USAGE;
            return false;
        }
    }
    run->memory = rig_memory_open();
    if (!run->memory) {
        run_fault(run, "no memory");
    }
    return run->memory != NULL;
}

/* ---- the outcome ---- */

static void note_trace(struct run *run)
{
    struct pcapreplay_report *report = run->report;
    struct trace_info info;
    trace_info(run->trace, &info);
    snprintf(report->link_type, sizeof(report->link_type), "%s", info.link_type);
    report->bytes = info.bytes;
    report->cut = info.cut;
    report->backwards = info.backwards;
    report->filtered = info.filtered;
    report->virtual_ns = info.last;
}

static void conclude(struct run *run, bool whole)
{
    struct pcapreplay_report *report = run->report;
    if (!whole) {
        set_outcome(report, PCAPREPLAY_UNREADABLE, "%s: %s", run->options->file,
                    trace_error(run->trace));
    } else if (report->status == PCAPREPLAY_FAULT) {
        return;
    } else if (report->frames == 0) {
        set_outcome(report, PCAPREPLAY_NOTHING, "no frames%s",
                    report->filtered ? " pass the filter" : " in the capture");
    } else if (run->options->mode == PCAPREPLAY_INJECT) {
        set_outcome(report, PCAPREPLAY_MATCH, "the stack stayed whole");
    } else if (run->options->list) {
        set_outcome(report, PCAPREPLAY_MATCH, "listed");
    } else if (report->fail) {
        set_outcome(report, PCAPREPLAY_MISMATCH, "%u of %u flow%s", report->fail,
                    report->pass + report->fail,
                    report->pass + report->fail == 1 ? " differs"
                    : report->fail == 1              ? "s differs"
                                                     : "s differ");
    } else if (report->pass == 0) {
        set_outcome(report, PCAPREPLAY_NOTHING, "no flow of the capture can be judged");
    } else {
        set_outcome(report, PCAPREPLAY_MATCH, "all flows that can be judged match");
    }
}

static void close_files(struct run *run)
{
    char reason[300];
    if (run->writer) {
        bool keep =
            run->report->status != PCAPREPLAY_UNREADABLE && run->report->status != PCAPREPLAY_USAGE;
        if (!writer_close(run->writer, keep, reason, sizeof(reason)) &&
            run->report->status != PCAPREPLAY_FAULT) {
            set_outcome(run->report, PCAPREPLAY_USAGE, "%s", reason);
        }
    }
    free(run->scratch);
    if (run->memory) {
        rig_memory_close(run->memory);
    }
    if (run->trace) {
        trace_close(run->trace);
    }
}

struct pcapreplay_report *pcapreplay_run(const struct pcapreplay_options *options)
{
    struct pcapreplay_report *report = calloc(1, sizeof(*report));
    struct pcapreplay_options own;
    struct run run = {.options = &own, .report = report};
    if (!report) {
        return NULL;
    }
    if (!options_take(&own, options) || !own.file) {
        set_outcome(report, PCAPREPLAY_USAGE,
                    "the options name no file, or are none of pcapreplay_options_default's of this "
                    "version");
        return report;
    }
    if (read_options(&run) && open_files(&run)) {
        bool whole = own.mode == PCAPREPLAY_INJECT ? run_inject(&run) : run_endpoint(&run);
        note_trace(&run);
        conclude(&run, whole);
    }
    close_files(&run);
    return report;
}

void pcapreplay_free(struct pcapreplay_report *report)
{
    if (!report) {
        return;
    }
    free(report->flows);
    free(report->counters);
    free(report);
}
