/* SPDX-License-Identifier: ISC */
/*
 * A Linux tap as a network device: frames go through /dev/net/tun with a virtio-net header in front, so that
 * the kernel takes and gives blank checksums and segments of up to 64 KB. Each direction copies a frame once,
 * in the kernel, from or to the very pages the stack uses.
 *
 * Linux only. One thread at a time.
 */
#ifndef WISP_TAP_H
#define WISP_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <wisp/netdev.h>

struct wisp_tap_config {
    const char *name; /* "wisp0": attached to, or created where that is allowed */
    /* "10.0.0.1/24": the other end's address, set if the tap is created; null: none */
    const char *host;
    uint16_t mtu;        /* set if the tap is created (68..65535); 0: what the tap has */
    bool csum;           /* checksum offload, both directions */
    bool gso;            /* segmentation offload, both directions; only with csum */
    uint32_t packets;    /* packets to send from, default 512 when 0 */
    struct wisp_mac mac; /* all zero: one made from the name */
};

struct wisp_tap;

/* Bytes of memory wisp_tap_open needs for config. */
size_t wisp_tap_size(const struct wisp_tap_config *config);

/*
 * Opens the tap in mem (64-aligned, zeroed, wisp_tap_size bytes) with its pages from pages. Null when the
 * kernel refuses; why then has one line for a person, with what to do (size bytes, always ended by zero).
 */
struct wisp_tap *wisp_tap_open(void *mem, size_t size, const struct wisp_tap_config *config,
                               struct wisp_pool *pages, char *why, size_t why_size);

/* Closes it and gives its pages back; the stack must be gone. A tap it created goes away with it. */
void wisp_tap_close(struct wisp_tap *tap);

/* The device to give to a stack. */
struct wisp_netdev *wisp_tap_dev(struct wisp_tap *tap);

/* Readable when a frame waits: for poll(2). */
int wisp_tap_fd(const struct wisp_tap *tap);

#endif
