/* SPDX-License-Identifier: ISC */
/*
 * The seam under the ring driver: the few things it needs from a hypervisor. Three parts fill it:
 * unikernel/ (hypercalls), xen-netfront/libxen (dom0 user space), pcap-replay/ (a hypervisor in memory).
 *
 * All calls return at once, except that xenstore calls may take a round trip to xenstored. None calls back, and
 * one hypervisor is used by one thread at a time.
 * Whatever comes out of xenstore or a shared page is the backend's word: the driver checks it.
 */
#ifndef WISP_XEN_HYPERVISOR_H
#define WISP_XEN_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wisp/clock.h>
#include <wisp/page.h>

/* How pages get to be shared. */
enum wisp_grant_policy {
    WISP_GRANT_STRICT,    /* granted for each use, ended before the bytes are looked at */
    WISP_GRANT_PERSISTENT /* granted once, as long as the device lives */
};

/* A port of ours, or none. */
#define WISP_EVENT_NONE UINT32_MAX

/* A xenstore transaction; 0: outside of any. */
typedef uint32_t wisp_xs_tx;

enum wisp_xs_result {
    WISP_XS_OK,
    WISP_XS_ABSENT, /* no such node */
    WISP_XS_AGAIN,  /* transaction end: somebody else wrote; start over */
    WISP_XS_FAILED  /* no permission, no connection, value too long for the buffer */
};

/* Longest path and value the driver uses, with the final zero. */
#define WISP_XS_PATH_MAX  256u
#define WISP_XS_VALUE_MAX 256u

struct wisp_hypervisor;

struct wisp_hypervisor_ops {
    /* ---- grants ---- */

    /*
     * Shares page with domain for reading, or reading and writing. Returns the reference, or
     * WISP_GRANT_NONE when the table is full (an ordinary result). Under the persistent policy it may return
     * the reference the page was born with, which then is always writable; and NONE for a page that was not
     * born shared (static data), which the driver then copies.
     */
    uint32_t (*grant)(struct wisp_hypervisor *hv, uint16_t domain, struct wisp_page *page,
                      bool writable);

    /*
     * Ends sharing; the atomic outcome counts. False: the other domain still has it mapped or is copying;
     * the reference and the page must then not be used again (quarantine), or be tried again later.
     * The driver says when: after each use, or under the persistent policy when the connection ends. Where
     * pages are born shared it does nothing and returns true.
     */
    bool (*end_grant)(struct wisp_hypervisor *hv, uint32_t reference);

    /* After a resume: all references are void; forget them without a call. */
    void (*forget_grants)(struct wisp_hypervisor *hv);

    /* ---- event channels ---- */

    /* A new port that domain may bind, or WISP_EVENT_NONE. */
    uint32_t (*event_open)(struct wisp_hypervisor *hv, uint16_t domain);
    void (*event_close)(struct wisp_hypervisor *hv, uint32_t port);
    void (*event_notify)(struct wisp_hypervisor *hv, uint32_t port);

    /*
     * True once per arrival: tests, clears and unmasks. From its arrival until it is told here a port is
     * masked: a driver that puts off asking is not woken by that port meanwhile (XN-13).
     */
    bool (*event_pending)(struct wisp_hypervisor *hv, uint32_t port);

    /* ---- xenstore ---- */

    /* Reads a node's value as a string with a final zero. */
    enum wisp_xs_result (*xs_read)(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                   char *value, size_t size);
    enum wisp_xs_result (*xs_write)(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                    const char *value);
    enum wisp_xs_result (*xs_remove)(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path);

    /* 0 when there is none to be had. */
    wisp_xs_tx (*xs_begin)(struct wisp_hypervisor *hv);
    enum wisp_xs_result (*xs_end)(struct wisp_hypervisor *hv, wisp_xs_tx tx, bool abort);

    /* Watches path and what is below; xs_changed then tells, once at first and after each change. */
    enum wisp_xs_result (*xs_watch)(struct wisp_hypervisor *hv, const char *path, uint32_t token);
    void (*xs_unwatch)(struct wisp_hypervisor *hv, const char *path, uint32_t token);

    /* True when a watch with token fired since the last call; several changes may be told as one. */
    bool (*xs_changed)(struct wisp_hypervisor *hv, uint32_t token);

    /* ---- time ---- */
    wisp_time (*now)(struct wisp_hypervisor *hv);
};

struct wisp_hypervisor {
    const struct wisp_hypervisor_ops *ops;
    enum wisp_grant_policy policy;
    /* grows when the domain was suspended and resumed: grants and ports are void */
    uint32_t resumes;
};

#endif
