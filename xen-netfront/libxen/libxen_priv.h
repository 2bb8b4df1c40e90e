/* SPDX-License-Identifier: ISC */
/* The parts of the seam, as the files of this folder see them. */
#ifndef WISP_LIBXEN_PRIV_H
#define WISP_LIBXEN_PRIV_H

#include "libxen.h"
#include <sys/types.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#define LIBXEN_PORTS   32u
#define LIBXEN_WATCHES 16u

struct libxen_port {
    uint32_t port;
    bool open;
    bool told; /* arrived, and masked until asked for */
};

struct libxen_watch {
    uint32_t token;
    bool fired;
    bool used;
};

/* A process that waits for ours to end. */
struct libxen_guardian {
    pid_t pid;
    int pipe; /* its end closes when we die; a byte says that all is well */
};

struct wisp_libxen {
    struct wisp_hypervisor hv; /* first: what the driver sees */
    xengntshr_handle *grants;
    xenevtchn_handle *events;
    struct xs_handle *store;
    uint8_t *memory;
    uint32_t *references;
    uint32_t pages;
    struct libxen_port port[LIBXEN_PORTS];
    struct libxen_watch watch[LIBXEN_WATCHES];
    struct libxen_guardian guardian;
};

static inline struct wisp_libxen *libxen_of(struct wisp_hypervisor *hv)
{
    return (struct wisp_libxen *)(void *)hv;
}

/* grants.c */
bool libxen_grants_open(struct wisp_libxen *xen, uint32_t domain, uint32_t pages, char *why,
                        size_t size);
void libxen_grants_close(struct wisp_libxen *xen);
uint32_t libxen_grant(struct wisp_hypervisor *hv, uint16_t domain, struct wisp_page *page,
                      bool writable);
bool libxen_end_grant(struct wisp_hypervisor *hv, uint32_t reference);
void libxen_forget_grants(struct wisp_hypervisor *hv);

/* events.c */
bool libxen_events_open(struct wisp_libxen *xen, char *why, size_t size);
void libxen_events_close(struct wisp_libxen *xen);
uint32_t libxen_event_open(struct wisp_hypervisor *hv, uint16_t domain);
void libxen_event_close(struct wisp_hypervisor *hv, uint32_t port);
void libxen_event_notify(struct wisp_hypervisor *hv, uint32_t port);
bool libxen_event_pending(struct wisp_hypervisor *hv, uint32_t port);

/* store.c */
bool libxen_store_open(struct wisp_libxen *xen, char *why, size_t size);
void libxen_store_close(struct wisp_libxen *xen);
enum wisp_xs_result libxen_xs_read(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                   char *value, size_t size);
enum wisp_xs_result libxen_xs_write(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path,
                                    const char *value);
enum wisp_xs_result libxen_xs_remove(struct wisp_hypervisor *hv, wisp_xs_tx tx, const char *path);
wisp_xs_tx libxen_xs_begin(struct wisp_hypervisor *hv);
enum wisp_xs_result libxen_xs_end(struct wisp_hypervisor *hv, wisp_xs_tx tx, bool abort);
enum wisp_xs_result libxen_xs_watch(struct wisp_hypervisor *hv, const char *path, uint32_t token);
void libxen_xs_unwatch(struct wisp_hypervisor *hv, const char *path, uint32_t token);
bool libxen_xs_changed(struct wisp_hypervisor *hv, uint32_t token);

/* guardian.c: before any handle is opened, since they do not survive a fork. */
bool libxen_guardian_start(struct libxen_guardian *guardian, const char *path);

/* Sends the guardian home: our own end was orderly. */
void libxen_guardian_end(struct libxen_guardian *guardian);

#endif
