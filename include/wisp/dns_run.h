/* SPDX-License-Identifier: ISC */
/*
 * The resolver at work: each question by a UDP socket of its own with an unpredictable port, truncated answers
 * by TCP where the application names it (config.by_tcp = &wisp_dns_by_tcp), else not at all. It belongs to the thread of
 * its stack; none of these functions calls back.
 */
#ifndef WISP_DNS_RUN_H
#define WISP_DNS_RUN_H

#include <wisp/dns.h>
#include <wisp/tcp.h>
#include <wisp/udp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_dns_run;

/* The way to ask by TCP; naming it links TCP. */
struct wisp_dns_tcp_ops;
extern const struct wisp_dns_tcp_ops wisp_dns_by_tcp;

struct wisp_dns_run_config {
    struct wisp_dns_config dns;
    struct wisp_udp *udp;
    struct wisp_tcp *tcp; /* null without by_tcp */
    /* &wisp_dns_by_tcp, or null: a truncated answer is a failure */
    const struct wisp_dns_tcp_ops *by_tcp;
};

/* Bytes of memory that wisp_dns_run_init needs for config, which it reads and does not keep. Pure: no errors. */
size_t wisp_dns_run_size(const struct wisp_dns_run_config *config);

/* Null when mem (64-aligned) is too small. */
struct wisp_dns_run *wisp_dns_run_init(void *mem, size_t size,
                                       const struct wisp_dns_run_config *config);

/* Closes what is open. Before the transports' fini. */
void wisp_dns_run_fini(struct wisp_dns_run *run);

/* The machine, to set servers and to look things up. */
struct wisp_dns *wisp_dns_run_machine(struct wisp_dns_run *run);

/* After each wisp_stack_poll; returns when it must be called again (<= now: after a poll, at once). */
wisp_time wisp_dns_run_step(struct wisp_dns_run *run, wisp_time now);

/* Whether a TCP event is about a connection of the resolver's, and nobody else's business. */
bool wisp_dns_run_owns(const struct wisp_dns_run *run, const struct wisp_tcp_event *event);

#ifdef __cplusplus
}
#endif
#endif
