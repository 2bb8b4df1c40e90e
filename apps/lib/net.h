/* SPDX-License-Identifier: ISC */
/*
 * What every application does first and then again and again: bring the network up as the boot parameters
 * say, and take one step after the other. Transports are added by functions in files of their own, so that
 * an application links only those it names.
 *
 *     wisp_net_open(&net, &(struct wisp_net_config){0});
 *     tcp = wisp_net_tcp(&net, NULL);
 *     while (wisp_net_step(&net, acted ? 0 : WISP_NEVER)) { acted = false; ... events ... }
 *     wisp_tcp_fini(tcp);
 *     wisp_net_close(&net);
 *
 * These functions end the program with a reason when something is missing: there is nothing else to do.
 */
#ifndef WISP_APPS_NET_H
#define WISP_APPS_NET_H

#include <stdbool.h>
#include <wisp/platform.h>
#include <wisp/stack.h>
#include <wisp/tcp.h>
#include <wisp/udp.h>

struct wisp_net_config {
    const struct wisp_reassembly_ops *reassembly; /* null: fragments are dropped */
    bool quiet;                                   /* the banner is for debugging only */
};

struct wisp_net;
struct wisp_dhcp_lease;

/* Configuration by the network (net_dhcp.c), where the parameters leave the address to it. */
struct wisp_net_automatic {
    void (*notice)(struct wisp_net *net, const struct wisp_stack_event *event);
    wisp_time (*step)(struct wisp_net *net);
    const struct wisp_dhcp_lease *(*lease)(struct wisp_net *net); /* null: none yet */
    void (*close)(struct wisp_net *net);
};

struct wisp_net {
    struct wisp_pool *pages;
    struct wisp_netdev *netdev;
    struct wisp_stack *stack;
    wisp_time now;                              /* the time of the current step */
    wisp_time deadline;                         /* when the stack wants the next one */
    struct wisp_ip4 gateway;                    /* given by parameters or platform; 0.0.0.0: none */
    const struct wisp_net_automatic *automatic; /* null: the address was given */
    struct wisp_dhcp_run *dhcp;                 /* automatic's */
    struct wisp_udp *udp;                       /* made by wisp_net_udp; ended by wisp_net_close */
    void (*udp_fini)(struct wisp_udp *udp);
};

/*
 * Opens the first device and makes a stack on it. Its address comes from the command line (--ipv4); without
 * that from the platform (xenstore's `ip`); without that from the network (DHCP), some steps later.
 */
void wisp_net_open(struct wisp_net *net, const struct wisp_net_config *config);

/* Steps until there is an address to speak from; ends the program when that takes longer than patience, or an end
 * is asked for. */
void wisp_net_await(struct wisp_net *net, wisp_time patience);

/* Attaches TCP or UDP; change adjusts the default configuration, or null. There is one UDP, DHCP's too: a second
 * call gives the first one's, and wisp_net_close ends it. */
struct wisp_tcp *wisp_net_tcp(struct wisp_net *net, void (*change)(struct wisp_tcp_config *config));
struct wisp_udp *wisp_net_udp(struct wisp_net *net, void (*change)(struct wisp_udp_config *config));

/*
 * Waits until the device, the stack or `at` wants the next step, and takes it. `at` is 0 after the
 * application has acted, so that what it wrote leaves. False: an end was asked for.
 */
bool wisp_net_step(struct wisp_net *net, wisp_time at);

/* One step without waiting: what was written last leaves, also when the end was asked for. */
void wisp_net_flush(struct wisp_net *net);

/* Ends configuration by the network, UDP and the stack; TCP first. */
void wisp_net_close(struct wisp_net *net);

/* The number given as parameter name, from least to most; ends the program, saying so, for another. */
uint32_t wisp_net_number(const char *name, uint32_t least, uint32_t most);

/* Memory or the end of the program. */
void *wisp_net_memory(size_t size);

#endif
