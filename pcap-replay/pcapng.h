/* SPDX-License-Identifier: ISC */
/* A pcapng stream with the snapshot lengths of all its interfaces made alike, so that libpcap takes it. */
#ifndef REPLAY_PCAPNG_H
#define REPLAY_PCAPNG_H

#include <stdio.h>

/*
 * A stream that reads what file holds, and closes it at its end. Other formats pass unchanged. Seekable when file
 * is, to positions that were told before. buffer: bytes read at a time. Null: no memory.
 */
FILE *pcapng_even(FILE *file, size_t buffer);

#endif
