/* SPDX-License-Identifier: ISC */
/* The conversation with the backend through xenstore: connect, disconnect, start over. */
#ifndef WISP_NETFRONT_XENBUS_H
#define WISP_NETFRONT_XENBUS_H

#include "keys.h"
#include "netfront.h"

struct xenbus {
    enum wisp_netfront_state state;
    char back[WISP_XS_PATH_MAX]; /* the backend's directory; "" before it is known */
    uint16_t domain;
    uint32_t resumes; /* of the hypervisor, as of the last look */
    uint32_t said;    /* our state as last written, 0: not yet */
    bool watching_back;
    bool broken;         /* the backend broke the protocol in this connection */
    bool leaving;        /* wisp_netfront_close was called */
    wisp_time at;        /* look again then, though nothing changed */
    wisp_time let_go_by; /* closing: grants are ended then, whatever the backend does */
    char reason[160];
};

struct wisp_netfront;

void xenbus_init(struct wisp_netfront *front);
void xenbus_fini(struct wisp_netfront *front);

/* Takes what changed in xenstore into account. Cheap when nothing did. */
void xenbus_step(struct wisp_netfront *front, wisp_time now);

/* The backend lied about a ring: no more of it. */
void xenbus_break(struct wisp_netfront *front, const char *why, wisp_time now);

/* Closes for good: see wisp_netfront_close. */
void xenbus_leave(struct wisp_netfront *front, wisp_time now);

#endif
