/* SPDX-License-Identifier: ISC */
/* One DHCP exchange being replayed with our client: what its run (dhcp_replay.c) and its judge
 * (dhcp_judge.c) share. */
#ifndef REPLAY_DHCP_EXCHANGE_H
#define REPLAY_DHCP_EXCHANGE_H

#include "session.h"
#include <wisp/dhcp_run.h>

#define DHCP_FRAME_MAX 2048u
#define DHCP_HEARD     8u

/* A message with the frame it lies in. */
struct dhcp_heard {
    uint8_t frame[DHCP_FRAME_MAX];
    struct packet packet;
    struct dhcp_wire wire;
    wisp_time time;
};

struct dhcp_exchange {
    struct session *session;
    struct wisp_dhcp_run *client;
    void *memory;
    bool started;                   /* the user asked for something */
    bool conflict;                  /* another host claimed the address */
    bool claim_due;                 /* and was asked for it again */
    struct dhcp_heard claim;        /* by this ARP */
    bool awaiting;                  /* our request waits for its ACK or NAK */
    enum dhcp_class last;           /* of the client messages matched so far */
    uint64_t refusals;              /* our client took before that request */
    struct dhcp_heard theirs, ours; /* the latest pair matched */
    struct dhcp_heard current;      /* the captured message the run has come to */
    /* captured messages read beside it, by one function each */
    struct dhcp_heard again;
    struct dhcp_heard late_one;
    struct dhcp_heard later;
    wisp_time here;                    /* when ours was sent */
    uint64_t there;                    /* when theirs was captured */
    uint32_t answers_from, answers_to; /* frames delivered as answers to it */
    uint32_t answered_again;
    uint32_t late[DHCP_HEARD], lates;    /* offers the captured client did not take */
    struct dhcp_heard heard[DHCP_HEARD]; /* from our client, not looked at yet */
    uint32_t heard_in, heard_out;
};

/* Why an exchange cannot be judged; null: it stands whole. */
const char *dhcp_exchange_lacks(const struct flow *flow);

/* "DISCOVER OFFER REQUEST ACK". */
void dhcp_exchange_text(const struct flow *flow, char *text, size_t size);

/* NAKs our client took so far. */
uint64_t dhcp_refusals(const struct dhcp_exchange *run);

/* Compares our message with the captured one, as strictly as asked. */
void dhcp_judge_request(struct dhcp_exchange *run, const struct flow_frame *frame);

/* True when our client is where an ACK or NAK of the capture leads; then what it has is compared.
 */
bool dhcp_judge_outcome(struct dhcp_exchange *run, const struct flow_frame *frame,
                        const struct dhcp_wire *reply, bool final);

#endif
