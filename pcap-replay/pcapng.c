/* SPDX-License-Identifier: ISC */
/*
 * libpcap gives up on a pcapng file whose interfaces have different snapshot lengths, though every packet says
 * itself how much of it there is. This stream finds the interface description blocks on the way and sets their
 * snapshot length (pcapng, "Interface Description Block", four bytes at offset 12) to one value.
 *
 *   block:  type 4, total length 4, body, total length 4; a section header's body starts with its byte order
 *
 * The patch is made in the bytes as they pass; `at` is the position in the file, `block` where the current block
 * starts. Blocks are followed from the start of the file on, so seeking back is remembered by position: what lies
 * before the farthest point reached is known to hold interface blocks only where `patch` says.
 */
#define _GNU_SOURCE
#include "pcapng.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SECTION    0x0a0d0d0au
#define INTERFACE  1u
#define SNAPLEN    262144u
#define INTERFACES 4096u
#define HEAD       12u /* type, length, byte order */
#define MAX_BLOCK  (1u << 27)

struct even {
    FILE *file;
    uint64_t at;    /* position of the next byte read */
    uint64_t block; /* start of the block that headers are collected from */
    uint64_t known; /* blocks are followed up to here */
    uint8_t head[HEAD];
    bool follow;                /* it is pcapng, as far as was seen */
    bool swapped;               /* other byte order than little endian */
    uint64_t patch[INTERFACES]; /* positions of snapshot lengths, ascending */
    uint32_t patches;
    char buffer[]; /* the stream's: glibc keeps its own size unless it is given one */
};

static uint32_t number(const struct even *even, const uint8_t *at)
{
    if (even->swapped) {
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* The head of a block is complete: where the next one starts, and whether this one is to be patched. */
static void block_known(struct even *even)
{
    static const uint8_t big[4] = {0x1a, 0x2b, 0x3c, 0x4d};
    uint32_t type = number(even, even->head);
    if (type == SECTION) {
        even->swapped = memcmp(even->head + 8, big, 4) == 0;
    } else if (even->block == 0) {
        even->follow = false;
    }
    uint32_t length = number(even, even->head + 4);
    if (length < HEAD || length > MAX_BLOCK) {
        even->follow = false;
        return;
    }
    if (type == INTERFACE && length >= 20 && even->patches < INTERFACES) {
        even->patch[even->patches++] = even->block + 12;
    }
    even->block += (length + 3) & ~3u;
}

/* Follows the blocks through n bytes at position `even->at`. */
static void follow(struct even *even, const uint8_t *bytes, size_t n)
{
    uint64_t end = even->at + n;
    while (even->follow && even->known < end) {
        if (even->known < even->block) {
            even->known = even->block < end ? even->block : end;
            continue;
        }
        even->head[even->known - even->block] = bytes[even->known - even->at];
        even->known++;
        if (even->known == even->block + HEAD) {
            block_known(even);
        }
    }
}

static void apply(const struct even *even, uint8_t *bytes, size_t n)
{
    static const uint8_t little[4] = {0, 0, SNAPLEN >> 16, 0};
    static const uint8_t swapped[4] = {0, SNAPLEN >> 16, 0, 0};
    for (uint32_t i = even->patches; i-- > 0 && even->patch[i] + 4 > even->at;) {
        for (uint32_t k = 0; k < 4; k++) {
            uint64_t where = even->patch[i] + k;
            if (where >= even->at && where < even->at + n) {
                bytes[where - even->at] = even->swapped ? swapped[k] : little[k];
            }
        }
    }
}

static ssize_t even_read(void *cookie, char *buffer, size_t size)
{
    struct even *even = cookie;
    size_t n = fread(buffer, 1, size, even->file);
    if (n == 0 && ferror(even->file)) {
        return -1;
    }
    if (even->at <= even->known) {
        follow(even, (uint8_t *)buffer, n);
    }
    apply(even, (uint8_t *)buffer, n);
    even->at += n;
    return (ssize_t)n;
}

static int even_seek(void *cookie, off64_t *offset, int whence)
{
    struct even *even = cookie;
    if (whence == SEEK_CUR && *offset == 0) {
        *offset = (off64_t)even->at; /* asked for every frame: not worth a system call */
        return 0;
    }
    if (fseeko(even->file, *offset, whence) != 0) {
        return -1;
    }
    *offset = ftello(even->file);
    even->at = (uint64_t)*offset;
    return 0;
}

static int even_close(void *cookie)
{
    struct even *even = cookie;
    int result = even->file == stdin ? 0 : fclose(even->file);
    free(even);
    return result;
}

FILE *pcapng_even(FILE *file, size_t buffer)
{
    static const cookie_io_functions_t functions = {
        .read = even_read, .seek = even_seek, .close = even_close};
    struct even *even = calloc(1, sizeof(*even) + buffer);
    if (!even) {
        return NULL;
    }
    even->file = file;
    even->follow = true;
    FILE *stream = fopencookie(even, "r", functions);
    if (!stream) {
        free(even);
        return NULL;
    }
    setvbuf(stream, even->buffer, _IOFBF, buffer);
    return stream;
}
