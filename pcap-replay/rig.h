/* SPDX-License-Identifier: ISC */
/*
 * The stack on its test bed: a hypervisor and a netback in memory, the ring, netfront, the stack with TCP and UDP,
 * on a clock that its user moves. Frames go in and come out as bytes, complete with their checksums; on the way they
 * pass the impaired path, if one was asked for, and are shown to a writer.
 */
#ifndef REPLAY_RIG_H
#define REPLAY_RIG_H

#include "impair.h"
#include "pcapreplay.h"
#include <wisp/stack.h>
#include <wisp/tcp.h>
#include <wisp/udp.h>

struct rig;

/* Memory that one rig after the other uses. Null: none to be had. */
struct rig_memory *rig_memory_open(void);
void rig_memory_close(struct rig_memory *memory);

struct rig_config {
    struct rig_memory *memory; /* of one rig at a time */
    struct wisp_mac mac;
    uint16_t mtu;
    uint64_t seed;
    bool persistent;
    uint16_t split;
    uint16_t queues;
    enum wisp_probe probe;               /* how the stack checks new addresses */
    const struct impairment *impairment; /* null: a perfect path */
    /* A frame left the stack and arrived at its peer. */
    void (*out)(void *context, const uint8_t *bytes, uint32_t length, wisp_time now);
    /* Every frame where it crosses the stack's edge, in either direction; null: nobody looks. */
    void (*show)(void *context, bool to_stack, const uint8_t *bytes, uint32_t length,
                 wisp_time now);
    void *context;
};

/* Null, with a reason: it could not be made, which is a fault of the stack. The clock stands at now. */
struct rig *rig_open(const struct rig_config *config, wisp_time now, char *error, size_t size);

/*
 * Ends it. False, with a reason: pages, packets or grants are missing, the backend found the frontend breaking its
 * rules, or the stack went round in circles.
 */
bool rig_close(struct rig *rig, char *error, size_t size);

/* An address of the stack; everybody else is on the link. False: no more room. */
bool rig_address(struct rig *rig, uint32_t address, wisp_time now);

/* Sends a frame towards the stack, of any size; blank: its transport checksum is the pseudo-header's sum only;
 * gso_size: how a segment larger than the MTU is to be cut, 0: it is not. */
void rig_send(struct rig *rig, const uint8_t *bytes, uint32_t length, bool blank, uint16_t gso_size,
              wisp_time now);

/* Frames of length bytes that the ring takes at once. */
uint32_t rig_room(struct rig *rig, uint32_t length);

/* Does all there is to do at now; returns when there is more, WISP_NEVER: not by itself. */
wisp_time rig_step(struct rig *rig, wisp_time now);

struct wisp_stack *rig_stack(struct rig *rig);
struct wisp_tcp *rig_tcp(struct rig *rig);
struct wisp_udp *rig_udp(struct rig *rig);
struct wisp_netdev *rig_netdev(struct rig *rig);
uint64_t rig_frames_in(const struct rig *rig);
uint64_t rig_frames_out(const struct rig *rig);

/* Calls fn for each counter of stack, driver and backend. */
void rig_counters(struct rig *rig, void (*fn)(void *context, const char *name, uint64_t value),
                  void *context);

/* A wisp_hash_fn. */
uint64_t rig_hash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len);

#endif
