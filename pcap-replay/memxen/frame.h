/* SPDX-License-Identifier: ISC */
/*
 * A frame as it stands between a guest's backend and the world: pieces of memory, borrowed, and what is known
 * of its checksum. And what a host does to a frame when nobody below it can: complete a checksum, cut a large
 * TCP segment into ordinary ones.
 */
#ifndef WISP_FRAME_H
#define WISP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define WISP_FRAME_PIECES 20u
#define WISP_FRAME_MAX    65550u /* the largest IP packet and its Ethernet header */
#define WISP_FRAME_HASH   UINT16_MAX

struct wisp_piece {
    const uint8_t *bytes;
    uint32_t length;
};

struct wisp_frame {
    struct wisp_piece piece[WISP_FRAME_PIECES];
    uint32_t pieces;
    uint32_t length;   /* of all pieces */
    bool csum_blank;   /* the transport checksum is the pseudo-header's sum only */
    bool validated;    /* the sender's side vouches for the transport checksum */
    uint16_t gso_size; /* payload bytes of each TCP segment to be cut; 0: not to be cut */
    uint16_t queue;    /* the ring it came from; to a guest: the ring, or WISP_FRAME_HASH */
};

/* A frame of one piece. */
static inline struct wisp_frame wisp_frame_of(const void *bytes, uint32_t length)
{
    struct wisp_frame frame = {
        .piece = {{bytes, length}}, .pieces = 1, .length = length, .queue = WISP_FRAME_HASH};
    return frame;
}

/* Copies the frame's bytes out, from offset on, at most size; returns how many. */
uint32_t wisp_frame_copy(const struct wisp_frame *frame, uint32_t offset, void *bytes,
                         uint32_t size);

/* Where the transport header of an IPv4 frame starts and its protocol; false: no IPv4, or cut short. */
bool wisp_frame_transport(const uint8_t *bytes, uint32_t length, uint32_t *start,
                          uint8_t *protocol);

/*
 * Completes the TCP or UDP checksum of the whole frame at bytes, whatever is in its field. False: it is not
 * an unfragmented TCP or UDP packet in IPv4.
 */
bool wisp_frame_fill_csum(uint8_t *bytes, uint32_t length);

/* True when the IPv4 header's and the TCP, UDP or ICMP checksum (if there is one to check) are right. */
bool wisp_frame_csum_good(const uint8_t *bytes, uint32_t length);

/* True when the TCP or UDP checksum field holds the pseudo-header's sum: a capture taken before offload. */
bool wisp_frame_csum_blank(const uint8_t *bytes, uint32_t length);

typedef void (*wisp_frame_fn)(void *context, const uint8_t *bytes, uint32_t length);

/*
 * Gives fn the frames a network card makes of the TCP segment at bytes: gso_size bytes of payload each,
 * sequence numbers, lengths, identifications and flags as they follow, all checksums complete. A frame that
 * cannot be cut (no TCP, gso_size 0) is given as it is.
 */
void wisp_frame_segment(const uint8_t *bytes, uint32_t length, uint16_t gso_size, wisp_frame_fn fn,
                        void *context);

/* A number that is the same for all frames of one flow. */
uint32_t wisp_frame_flow_hash(const uint8_t *bytes, uint32_t length);

#endif
