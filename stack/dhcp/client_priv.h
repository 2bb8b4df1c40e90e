/* SPDX-License-Identifier: ISC */
/*
 * The client's inside, shared by the files of this folder that hold one group of states each.
 *
 * One time, `due`, says when the state has something to do: send, send again, or move on. A lease in use adds
 * its own end, in whatever state the client is meanwhile. A state's step function is called when due is
 * reached; it sends one message or moves due or the state, so that the loop in wisp_dhcp_next ends.
 */
#ifndef WISP_DHCP_CLIENT_PRIV_H
#define WISP_DHCP_CLIENT_PRIV_H

#include "codec.h"
#include "lease.h"
#include "rng.h"

#define DHCP_TRIES         4u /* requests without an answer before something else is tried: about 60 s */
#define DHCP_SILENT_TRIES  2u /* DISCOVERs without an answer before it is told: about 12 s */
#define DHCP_EVENTS        8u
#define DHCP_REFUSAL_MAX   64u
#define DHCP_MAX_CONFLICTS 10u         /* RFC 5227 §2.1.1: then at most one new address a minute */
#define DHCP_CONFIRM_LEAST WISP_SEC(1) /* however often the link comes and goes */
#define DHCP_RELEASE_LINGER                                                                        \
    WISP_MS(100) /* the address stays so long for the message to leave (ARP) */

struct dhcp_counters {
    uint64_t sent, received, offers, acks, naks, leases, renewals, lost, conflicts;
    uint64_t bad_short, bad_header, bad_options, bad_type;
    uint64_t foreign_xid, foreign_hardware, foreign_client, foreign_server;
    uint64_t unexpected, unusable, events_dropped;
};

struct wisp_dhcp {
    enum wisp_dhcp_state state;
    wisp_time due;          /* see above; WISP_NEVER: nothing */
    wisp_time started;      /* of this search, for secs */
    wisp_time confirm_next; /* the next confirmation leaves then at the soonest */
    wisp_time sent_at; /* the first message with this xid in this state: an answer may be to it */
    uint32_t xid;
    uint32_t tries;     /* messages sent in this state; in RENEWING and REBINDING at most 1 */
    uint32_t refusals;  /* NAKs in a row */
    uint32_t conflicts; /* in a row */
    uint16_t secs;      /* of the DISCOVER, repeated by its REQUEST */
    bool silence_told;  /* or that nothing usable is offered */
    bool confirming;    /* the next message is a confirmation */
    bool leased;        /* lease is in use */
    bool declining;     /* a DECLINE is to be sent before anything else */
    /* requested (SELECTING's offer, INIT-REBOOT, DECLINE) or informed about */
    struct wisp_ip4 wanted;
    struct wisp_ip4 server; /* chosen */
    uint8_t inform_prefix;
    struct wisp_dhcp_lease lease;
    struct wisp_dhcp_event event[DHCP_EVENTS];
    uint32_t event_first, event_count;
    struct dhcp_counters count;
    struct wisp_rng rng;
    struct wisp_dhcp_config config; /* its texts are the copies below */
    struct dhcp_lease_rules rules;
    uint8_t client_id[DHCP_CLIENT_ID_MAX];
    uint8_t client_id_length;
    char host_name[WISP_DHCP_TEXT_MAX];
    char vendor_class[WISP_DHCP_TEXT_MAX];
    char refusal[DHCP_REFUSAL_MAX];
};

/* client.c */
void dhcp_tell(struct wisp_dhcp *dhcp, enum wisp_dhcp_event_kind kind, enum wisp_dhcp_reason reason,
               struct wisp_ip4 address);
/* SILENT or UNUSABLE, unless one of them was told in this search. */
void dhcp_complain(struct wisp_dhcp *dhcp, enum wisp_dhcp_event_kind kind,
                   enum wisp_dhcp_reason reason);
void dhcp_enter(struct wisp_dhcp *dhcp, enum wisp_dhcp_state state, wisp_time due);
void dhcp_new_xid(struct wisp_dhcp *dhcp);

/* Fills message with one of that type as the state asks, and counts it as sent. */
void dhcp_compose(struct wisp_dhcp *dhcp, enum dhcp_type type, wisp_time now,
                  struct wisp_dhcp_message *message);

/* How long to wait for an answer to transmission number `tries` (from 1): doubling, jittered. */
wisp_time dhcp_backoff(struct wisp_dhcp *dhcp, uint32_t tries);

/* acquire.c: INIT, SELECTING, REQUESTING, INIT-REBOOT, REBOOTING */
void dhcp_forget(struct wisp_dhcp *dhcp);
void dhcp_search(struct wisp_dhcp *dhcp, wisp_time at);
bool dhcp_acquire_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message);
void dhcp_offer(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply, wisp_time now);

/* Reads the lease that was asked for at `from`; false: it cannot be used, which is counted and told. */
bool dhcp_read(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply, wisp_time from,
               struct wisp_dhcp_lease *lease);

/* hold.c: BOUND, RENEWING, REBINDING and the end of leases */
void dhcp_ack(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply);
void dhcp_nak(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply, wisp_time now);
void dhcp_lose(struct wisp_dhcp *dhcp, enum wisp_dhcp_reason reason);
void dhcp_resume(struct wisp_dhcp *dhcp);
bool dhcp_hold_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message);

/* leave.c: DECLINE, RELEASE, INFORM */
bool dhcp_leave_step(struct wisp_dhcp *dhcp, wisp_time now, struct wisp_dhcp_message *message);
void dhcp_informed(struct wisp_dhcp *dhcp, const struct dhcp_reply *reply);

#endif
