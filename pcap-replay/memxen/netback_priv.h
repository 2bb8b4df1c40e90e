/* SPDX-License-Identifier: ISC */
/* The parts of the netback in memory, as its own files see them. */
#ifndef WISP_NETBACK_PRIV_H
#define WISP_NETBACK_PRIV_H

#include "netback.h"
#include "ring.h"

#define NETBACK_QUEUES      8u
#define NETBACK_SLOTS_MAX   18u  /* data slots of a packet; one more and it is dropped */
#define NETBACK_SLOTS_FATAL 20u  /* and at this number the vif is disabled */
#define NETBACK_COPY        128u /* first bytes of a packet, copied; the rest is mapped */
#define NETBACK_WAITING     1024u
#define NETBACK_MULTICAST   64u

/* A TX slot whose page is mapped: its response comes when it is let go of. */
struct held_slot {
    uint32_t gref;
    uint16_t id;
};

/* A packet of the guest some of whose pages the host still has. */
struct held_packet {
    wisp_time until;
    uint32_t slots;
    struct held_slot slot[NETBACK_SLOTS_FATAL];
};

/* A frame to the guest that waits for slots. */
struct waiting_frame {
    struct waiting_frame *next;
    wisp_time expires;
    struct wisp_frame frame; /* one piece: bytes */
    uint8_t bytes[];
};

struct netback_queue {
    struct wisp_netback *nb;
    uint16_t number;
    struct ring tx, rx;
    uint32_t tx_gref, rx_gref;
    uint32_t tx_port, rx_port; /* the same unless split */
    bool tx_work, rx_work;     /* a notification came, or work was left over */
    bool rx_pushed;            /* responses to publish */
    struct held_packet held[RING_SLOTS];
    uint32_t held_in, held_out; /* free running */
    struct waiting_frame *first, **last;
    uint32_t waiting;
    wisp_time starved_since; /* frames wait for slots since; WISP_NEVER: not */
    uint64_t credit;
    wisp_time credit_at; /* when credit is given again */
    uint8_t head[NETBACK_COPY];
};

/* What a hostile backend keeps doing; all false is honest. */
struct netback_habits {
    bool mute;     /* never notifies */
    bool deaf;     /* never asks to be notified (req_event stays) */
    bool stall_tx; /* takes nothing from the TX ring */
    bool stall_rx; /* gives nothing to the RX ring */
    bool keep_rx;  /* keeps every RX page mapped after it answered */
    bool early_tx; /* answers TX slots before it reads their pages, and keeps these mapped */
};

/* A page a hostile backend kept mapped. */
struct netback_kept {
    uint32_t gref;
    uint8_t *bytes;
    bool writing;
};

#define NETBACK_KEPT 1024u

struct wisp_lie;

struct netback_script {
    const struct wisp_lie *lie;
    uint32_t count;
    uint32_t polls;
};

struct wisp_netback {
    struct wisp_memxen *xen;
    struct wisp_netback_config config;
    struct wisp_netback_stats stats;
    int state; /* enum xenbus_state, as shown */
    bool online;
    bool hotplugged;
    bool served; /* rings mapped */
    const char *fatal;
    bool plain;     /* served, with nothing special about it: see netback_note */
    uint32_t watch; /* on the frontend's state */
    bool watching;
    uint32_t queues;
    struct netback_queue queue[NETBACK_QUEUES];
    /* What the frontend said. */
    uint32_t frontend; /* enum wisp_netback_feature: what it receives */
    bool rx_csum;      /* takes blank checksums */
    bool rx_notify;
    bool multicast_control;
    struct wisp_mac multicast[NETBACK_MULTICAST];
    uint32_t multicasts;
    struct netback_script script;
    struct netback_habits habits;
    struct netback_kept kept[NETBACK_KEPT];
    uint32_t kept_count;
};

/* netback.c */
/* To be called after a change of what `plain` sums up for the small frame's sake: served, not
 * disabled, one queue, no multicast filter, whole pages, honest on its RX ring. */
void netback_note(struct wisp_netback *nb);
void netback_disable(struct wisp_netback *nb, const char *reason);
void netback_signal(struct netback_queue *queue, uint32_t port);
void netback_keep(struct wisp_netback *nb, uint32_t gref, bool writing);
void netback_unkeep(struct wisp_netback *nb);

/* hostile.c */
void netback_script_poll(struct wisp_netback *nb);

/* netback_bus.c */
void netback_bus_poll(struct wisp_netback *nb);
void netback_nodes_make(struct wisp_netback *nb);
void netback_nodes_remove(struct wisp_netback *nb);
void netback_disconnect(struct wisp_netback *nb);
void netback_show_state(struct wisp_netback *nb, int state);

/* netback_tx.c */
void netback_tx_work(struct netback_queue *queue, wisp_time now);
void netback_tx_release(struct netback_queue *queue, wisp_time now);
void netback_tx_drop_held(struct netback_queue *queue);

/* netback_rx.c */
void netback_rx_work(struct netback_queue *queue, wisp_time now);
void netback_rx_drop_waiting(struct netback_queue *queue);
uint32_t netback_rx_slots(const struct wisp_netback *nb, uint32_t length, bool gso);

#endif
