/* SPDX-License-Identifier: ISC */
/*
 * What passes between lab/xen on this machine (call.c) and dom0 (agent.c), one TCP connection per
 * command: frames of a kind, a length in two bytes big-endian, and that many bytes.
 *
 *   to dom0     RUN   the lab's token, then the command's words, each ended by a NUL; comes first
 *               IN    bytes for its standard input; an empty one is the end of it
 *   from dom0   HERE  empty; the connection has reached dom0; comes first, before RUN is read
 *               OUT   bytes of its standard output
 *               ERR   bytes of its standard error
 *               EXIT  one byte, its exit status (128 + n when signal n ended it); the last frame
 *
 * QEMU listens with room for a single waiting connection. What follows from that for the caller: it
 * dials with a lock held until HERE has come, so that callers do not crowd each other out; and it
 * sends no IN before HERE, as the second segment of a connection that Linux keeps only as a SYN
 * cookie, which it does when that room is full, is answered by a reset. The first one completes it.
 *
 * Either side hanging up ends the session; in dom0 that kills the command and its process group.
 */
#ifndef WISP_LAB_FRAME_H
#define WISP_LAB_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_RUN = 'R',
    FRAME_IN = 'I',
    FRAME_HERE = 'H',
    FRAME_OUT = 'O',
    FRAME_ERR = 'E',
    FRAME_EXIT = 'X'
};

#define FRAME_HEADER 3u
#define FRAME_MAX    60000u

#define AGENT_PORT 10 /* of dom0, on the network that only this machine's QEMU is on */

static inline size_t frame_length(const uint8_t *header)
{
    return (size_t)header[1] << 8 | header[2];
}

static inline void frame_begin(uint8_t *header, enum frame_kind kind, size_t length)
{
    header[0] = (uint8_t)kind;
    header[1] = (uint8_t)(length >> 8);
    header[2] = (uint8_t)length;
}

#endif
