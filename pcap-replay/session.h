/* SPDX-License-Identifier: ISC */
/* One flow being replayed against a stack of its own: what the engines for TCP and for datagrams share. */
#ifndef REPLAY_SESSION_H
#define REPLAY_SESSION_H

#include "build.h"
#include "flow.h"
#include "rig.h"
#include "stream.h"

struct session_ground;

/* Room for what one flow after the other sends and receives. */
struct session_scratch {
    uint8_t captured[BUILD_MAX];   /* a frame as it was read */
    uint8_t built[BUILD_MAX + 64]; /* one that is sent */
    uint8_t received[65536];       /* a datagram the application got */
};

struct session {
    const struct pcapreplay_options *options;
    const struct session_ground *ground;
    struct session_scratch *scratch;
    const struct flow *flow;
    struct trace *trace;
    struct pcapreplay_flow *result;
    struct rig *rig;
    struct build_ends ends; /* from the peer to the stack, as they are in the replay */
    wisp_time now;          /* virtual; the flow's first frame stands at its captured time */
    /* A frame of the stack's, ARP requests excepted, which the session answers itself. */
    void (*out)(void *engine, const struct packet *packet, wisp_time now);
    void *engine;
    bool asked; /* an ARP request of the stack waits for its answer */
    uint32_t asked_for;
};

/* What all flows of a run need to have a rig made for them. */
struct session_ground {
    const struct pcapreplay_options *options;
    struct rig_memory *memory;
    struct session_scratch *scratch;
    const struct impairment *impairment;
    void (*show)(void *context, bool to_stack, const uint8_t *bytes, uint32_t length,
                 wisp_time now);
    void *context;
    void (*counter)(void *context, const char *name, uint64_t value);
};

/* Makes the rig for flow. False: a fault, in error. */
bool session_open(struct session *session, const struct session_ground *ground,
                  const struct flow *flow, struct trace *trace, struct pcapreplay_flow *result,
                  char *error, size_t size);

/* Ends it. False: a fault, in error. */
bool session_close(struct session *session, const struct session_ground *ground, char *error,
                   size_t size);

/* One step of the rig at session->now, ARP answered; returns when there is more to do. */
wisp_time session_step(struct session *session);

/* The time a captured frame has in the replay: its own, or now if that is later. */
wisp_time session_frame_time(const struct session *session, const struct flow_frame *frame);

/* Sets the verdict of a flow that fails: at frame (null: at the end), printf's format for why. */
void session_fail(struct session *session, const struct flow_frame *frame, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void session_skip(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Replays a flow and sets its verdict. False: a fault of the stack, in error. */
bool replay_flow(const struct session_ground *ground, const struct flow *flow, struct trace *trace,
                 struct pcapreplay_flow *result, char *error, size_t size);

/* The engines; they set verdict and counts of session->result. */

void tcp_replay(struct session *session, struct stream streams[2]);
void tcp_refused_replay(struct session *session);
void udp_replay(struct session *session);
void icmp_replay(struct session *session);
void arp_replay(struct session *session);
void dhcp_replay(struct session *session);

#endif
