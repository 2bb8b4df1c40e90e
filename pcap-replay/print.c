/* SPDX-License-Identifier: ISC */
/*
 * Reports: text for people, TAP for test runners, JSON for programs (one object, keys sorted; `frames`, `flows` with
 * `proto`, `peer`, `complete`, `verdict`, and `pass`, `fail`, `skip` are stable). Nothing in them depends on the wall
 * clock or on addresses in memory.
 */
#include "options.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *verdict_text(enum pcapreplay_verdict verdict)
{
    return verdict == PCAPREPLAY_PASS ? "pass" : verdict == PCAPREPLAY_FAIL ? "fail" : "skip";
}

static const char *strict_text(enum pcapreplay_strict strict)
{
    return strict == PCAPREPLAY_STREAM    ? "stream"
           : strict == PCAPREPLAY_HEADERS ? "headers"
                                          : "bytes";
}

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e9;
}

/* ---- text ---- */

/* The plural's letter. */
static const char *s_of(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_flow(const struct pcapreplay_flow *flow, const struct pcapreplay_options *options,
                       FILE *file)
{
    char ends[100], frames[48], bytes[48];
    snprintf(ends, sizeof(ends), "%s > %s", flow->peer, flow->dut);
    snprintf(frames, sizeof(frames), "%llu/%llu", (unsigned long long)flow->frames_in,
             (unsigned long long)flow->frames_out);
    snprintf(bytes, sizeof(bytes), "%llu/%llu B", (unsigned long long)flow->bytes_in,
             (unsigned long long)flow->bytes_out);
    fprintf(file, "%5u  %-5s  %-44s %14s %20s   %s%s%s\n", flow->id, flow->proto, ends, frames,
            bytes,
            options->list                      ? "-"
            : flow->verdict == PCAPREPLAY_PASS ? "PASS"
            : flow->verdict == PCAPREPLAY_FAIL ? "FAIL"
                                               : "SKIP  ",
            flow->verdict == PCAPREPLAY_SKIP && !options->list ? flow->why : "",
            flow->verdict == PCAPREPLAY_PASS && !flow->complete ? " (incomplete)" : "");
    if (flow->exchange[0]) {
        fprintf(file, "              %s\n", flow->exchange);
    }
}

static void print_failure(const struct pcapreplay_flow *flow, FILE *file)
{
    fprintf(file, "\n FAIL  flow %u %s %s > %s", flow->id, flow->proto, flow->peer, flow->dut);
    if (flow->diff_frame) {
        fprintf(file, "   frame %llu, t=+%.6f", (unsigned long long)flow->diff_frame,
                seconds(flow->diff_time));
    }
    fprintf(file, "\n       why       %s\n", flow->why);
    if (flow->expected[0]) {
        fprintf(file, "       expected  %s\n", flow->expected);
    }
    if (flow->got[0]) {
        fprintf(file, "       got       %s\n", flow->got);
    }
}

static void print_notes(const struct pcapreplay_report *report, FILE *file)
{
    if (report->cut) {
        fprintf(file, "note     %llu frame%s cut by the capture\n", (unsigned long long)report->cut,
                report->cut == 1 ? " was" : "s were");
    }
    if (report->backwards) {
        bool one = report->backwards == 1;
        fprintf(file, "note     %llu %s in time: taken as simultaneous\n",
                (unsigned long long)report->backwards,
                one ? "frame stands before its predecessor"
                    : "frames stand before their predecessors");
    }
    if (report->blank) {
        fprintf(file,
                "note     %llu frame%s with blank checksum%s (taken before offload): delivered as "
                "such\n",
                (unsigned long long)report->blank, s_of(report->blank), s_of(report->blank));
    }
    if (report->filtered) {
        fprintf(file, "note     %llu frame%s left out by the filter\n",
                (unsigned long long)report->filtered, s_of(report->filtered));
    }
}

static void print_text(const struct pcapreplay_report *report,
                       const struct pcapreplay_options *options, bool stats, FILE *file)
{
    fprintf(file, "capture  %s: %llu frame%s, %llu B, %.3f s, %s\n", options->file,
            (unsigned long long)report->frames, s_of(report->frames),
            (unsigned long long)report->bytes, seconds(report->virtual_ns), report->link_type);
    print_notes(report, file);
    if (options->mode == PCAPREPLAY_INJECT) {
        fprintf(file, "inject   %llu frame%s in, %llu out, %llu skipped\n",
                (unsigned long long)report->frames_in, s_of(report->frames_in),
                (unsigned long long)report->frames_out, (unsigned long long)report->skipped);
    } else {
        fprintf(file, "dut      %s   strict %s\n\n",
                options->dut ? options->dut : "the responder of each flow",
                strict_text(options->strict));
        fprintf(file, " flow  proto  %-44s %14s %20s   verdict\n", "peer > dut", "frames in/out",
                "stream in/out");
        for (uint32_t i = 0; i < report->flow_count; i++) {
            print_flow(&report->flows[i], options, file);
        }
        for (uint32_t i = 0; i < report->flow_count; i++) {
            if (report->flows[i].verdict == PCAPREPLAY_FAIL) {
                print_failure(&report->flows[i], file);
            }
        }
        fprintf(file, "\n%u flow%s: %u pass, %u fail, %u skip\n", report->flow_count,
                s_of(report->flow_count), report->pass, report->fail, report->skip);
    }
    for (uint32_t i = 0; stats && i < report->counter_count; i++) {
        fprintf(file, "%-44s %llu\n", report->counters[i].name,
                (unsigned long long)report->counters[i].value);
    }
    fprintf(file, "result   %s\n", report->text);
}

/* ---- TAP ---- */

static void print_tap(const struct pcapreplay_report *report,
                      const struct pcapreplay_options *options, FILE *file)
{
    if (options->mode == PCAPREPLAY_INJECT || report->flow_count == 0) {
        bool nothing = report->status == PCAPREPLAY_NOTHING;
        fprintf(file, "1..1\n%s 1 - %s%s\n",
                report->status == PCAPREPLAY_MATCH || nothing ? "ok" : "not ok", report->text,
                nothing ? " # SKIP" : "");
        return;
    }
    fprintf(file, "1..%u\n", report->flow_count);
    for (uint32_t i = 0; i < report->flow_count; i++) {
        const struct pcapreplay_flow *flow = &report->flows[i];
        bool fail = flow->verdict == PCAPREPLAY_FAIL;
        fprintf(file, "%s %u - %s %s > %s%s%s\n", fail ? "not ok" : "ok", i + 1, flow->proto,
                flow->peer, flow->dut, flow->verdict == PCAPREPLAY_SKIP ? " # SKIP " : "",
                flow->verdict == PCAPREPLAY_SKIP ? flow->why : "");
        if (flow->exchange[0]) {
            fprintf(file, "# %s\n", flow->exchange);
        }
        if (fail) {
            fprintf(file, "# %s\n", flow->why);
        }
    }
    if (report->status == PCAPREPLAY_FAULT) {
        fprintf(file, "Bail out! %s\n", report->text);
    }
}

/* ---- JSON ---- */

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static void add_difference(json_t *object, const struct pcapreplay_flow *flow)
{
    json_t *difference = json_object();
    if (flow->diff_frame) {
        json_object_set_new(difference, "frame", number(flow->diff_frame));
        json_object_set_new(difference, "t_ns", number(flow->diff_time));
    }
    if (flow->expected[0]) {
        json_object_set_new(difference, "expected", json_string(flow->expected));
    }
    if (flow->got[0]) {
        json_object_set_new(difference, "got", json_string(flow->got));
    }
    json_object_set_new(object, "first_diff", difference);
}

static json_t *flow_object(const struct pcapreplay_flow *flow)
{
    json_t *object = json_object();
    json_object_set_new(object, "id", number(flow->id));
    json_object_set_new(object, "proto", json_string(flow->proto));
    json_object_set_new(object, "peer", json_string(flow->peer));
    json_object_set_new(object, "dut", json_string(flow->dut));
    json_object_set_new(object, "complete", json_boolean(flow->complete));
    json_object_set_new(object, "verdict", json_string(verdict_text(flow->verdict)));
    json_object_set_new(object, "first_frame", number(flow->first_frame));
    json_object_set_new(object, "frames_in", number(flow->frames_in));
    json_object_set_new(object, "frames_out", number(flow->frames_out));
    json_object_set_new(object, "bytes_in", number(flow->bytes_in));
    json_object_set_new(object, "bytes_out", number(flow->bytes_out));
    if (flow->exchange[0]) {
        json_object_set_new(object, "exchange", json_string(flow->exchange));
    }
    if (flow->why[0]) {
        json_object_set_new(object, "why", json_string(flow->why));
    }
    if (flow->verdict == PCAPREPLAY_FAIL) {
        add_difference(object, flow);
    }
    return object;
}

static json_t *frames_object(const struct pcapreplay_report *report)
{
    json_t *object = json_object();
    json_object_set_new(object, "read", number(report->frames));
    json_object_set_new(object, "in", number(report->frames_in));
    json_object_set_new(object, "out", number(report->frames_out));
    json_object_set_new(object, "skipped", number(report->skipped));
    json_object_set_new(object, "cut", number(report->cut));
    json_object_set_new(object, "filtered", number(report->filtered));
    return object;
}

static void print_json(const struct pcapreplay_report *report,
                       const struct pcapreplay_options *options, bool stats, FILE *file)
{
    json_t *object = json_object();
    json_t *flows = json_array();
    for (uint32_t i = 0; i < report->flow_count; i++) {
        json_array_append_new(flows, flow_object(&report->flows[i]));
    }
    json_object_set_new(object, "version", number(1));
    json_object_set_new(object, "file", json_string(options->file));
    json_object_set_new(object, "mode",
                        json_string(options->mode == PCAPREPLAY_INJECT ? "inject" : "endpoint"));
    json_object_set_new(object, "strict", json_string(strict_text(options->strict)));
    json_object_set_new(object, "dut", options->dut ? json_string(options->dut) : json_null());
    json_object_set_new(object, "frames", frames_object(report));
    json_object_set_new(object, "flows", flows);
    json_object_set_new(object, "pass", number(report->pass));
    json_object_set_new(object, "fail", number(report->fail));
    json_object_set_new(object, "skip", number(report->skip));
    json_object_set_new(object, "virtual_ns", number(report->virtual_ns));
    json_object_set_new(object, "status", number((uint64_t)report->status));
    json_object_set_new(object, "result", json_string(report->text));
    if (stats) {
        json_t *counters = json_object();
        for (uint32_t i = 0; i < report->counter_count; i++) {
            json_object_set_new(counters, report->counters[i].name,
                                number(report->counters[i].value));
        }
        json_object_set_new(object, "counters", counters);
    }
    json_dumpf(object, file, JSON_INDENT(1) | JSON_SORT_KEYS);
    fputc('\n', file);
    json_decref(object);
}

void pcapreplay_print(const struct pcapreplay_report *report,
                      const struct pcapreplay_options *options, enum pcapreplay_format format,
                      bool stats, FILE *file)
{
    struct pcapreplay_options own;
    if (!options_take(&own, options) || !own.file) {
        fprintf(file, "result   %s\n", report->text); /* of a run that could not know them either */
    } else if (format == PCAPREPLAY_TAP) {
        print_tap(report, &own, file);
    } else if (format == PCAPREPLAY_JSON) {
        print_json(report, &own, stats, file);
    } else {
        print_text(report, &own, stats, file);
    }
}
