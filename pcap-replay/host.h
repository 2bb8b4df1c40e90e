/* SPDX-License-Identifier: ISC */
/*
 * Who the stack is in inject mode: one hardware address and a few IPv4 addresses, chosen from the capture so that its
 * frames are really ours.
 */
#ifndef REPLAY_HOST_H
#define REPLAY_HOST_H

#include "flow.h"
#include <wisp/addr.h>

#define HOST_ADDRESSES 4u /* as many as a stack can have */
#define HOST_SENDERS   4096u
#define HOST_FIRST     256u /* frames at most that are looked at first */

struct host {
    struct flow_rules rules; /* --dut */
    struct wisp_mac mac;
    bool by_arp; /* no IPv4 goes to a responder: what is asked for by ARP are we */
    uint32_t address[HOST_ADDRESSES];
    uint32_t addresses;
    uint64_t sender[HOST_SENDERS / 64]; /* a bit for each hash of who sent to us */
};

/*
 * Chooses from the first frames of a capture, already decoded. mac null: that is chosen, too. The addresses are to be
 * given to the stack before the first frame.
 */
void host_choose(struct host *host, const struct flow_rules *rules, const struct wisp_mac *mac,
                 const struct packet *packets, uint32_t count);

/* An IPv4 frame or an ARP request that our card takes. */
bool host_takes(const struct host *host, const struct packet *packet);

/* To an address that is ours, or to everybody. */
bool host_is_ours(const struct host *host, const struct packet *packet);

/*
 * The frame is the next to come: true when its destination becomes an address of ours, the latest in host->address.
 * Never that of one who has sent to us, nor when there are enough.
 */
bool host_meets(struct host *host, const struct packet *packet);

#endif
