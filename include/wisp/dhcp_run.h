/* SPDX-License-Identifier: ISC */
/*
 * The DHCP client at work on a stack: it sends and receives over UDP, adds and removes the leased address and
 * its routes, bounds the device's MTU, answers conflicts, and asks again when the link returns or the machine
 * moved. It belongs to the thread of its stack; none of these functions calls back.
 *
 *     run = wisp_dhcp_run_init(...);  wisp_dhcp_start(wisp_dhcp_run_machine(run), now);
 *     for (;;) {
 *         deadline = wisp_stack_poll(stack, now);
 *         while (wisp_stack_next_event(stack, &event)) wisp_dhcp_run_notice(run, &event, now);
 *         deadline = min(deadline, wisp_dhcp_run_step(run, now));
 *         while (wisp_dhcp_run_next_event(run, &what)) ...      // to be told; it is done already
 *     }
 */
#ifndef WISP_DHCP_RUN_H
#define WISP_DHCP_RUN_H

#include <wisp/dhcp.h>
#include <wisp/stack.h>
#include <wisp/udp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wisp_dhcp_run;

struct wisp_dhcp_run_config {
    /* mac and mtu are filled from the device, max_message is bounded by its MTU */
    struct wisp_dhcp_config dhcp;
    struct wisp_stack *stack;
    struct wisp_udp *udp;       /* attached to the stack */
    struct wisp_netdev *netdev; /* the stack's */
    /* the only default router, whatever leases say; 0.0.0.0: theirs */
    struct wisp_ip4 gateway;
};

/* Bytes of memory that wisp_dhcp_run_init needs for config, which it reads and does not keep. Pure: no errors. */
size_t wisp_dhcp_run_size(const struct wisp_dhcp_run_config *config);

/* Null when mem (64-aligned) is too small, or port 68 or a socket cannot be had. */
struct wisp_dhcp_run *wisp_dhcp_run_init(void *mem, size_t size,
                                         const struct wisp_dhcp_run_config *config);

/* Takes a leased address away without a word to the server, and closes the port. */
void wisp_dhcp_run_fini(struct wisp_dhcp_run *run, wisp_time now);

/* The machine, to start, release or ask. */
struct wisp_dhcp *wisp_dhcp_run_machine(struct wisp_dhcp_run *run);

/* What happened to addresses and the link. */
void wisp_dhcp_run_notice(struct wisp_dhcp_run *run, const struct wisp_stack_event *event,
                          wisp_time now);

/* After each wisp_stack_poll and its events; returns when it must be called again (<= now: after a poll,
 * at once, because there is something to send). */
wisp_time wisp_dhcp_run_step(struct wisp_dhcp_run *run, wisp_time now);

/* The machine's events, after they were acted on. */
bool wisp_dhcp_run_next_event(struct wisp_dhcp_run *run, struct wisp_dhcp_event *event);

#ifdef __cplusplus
}
#endif
#endif
