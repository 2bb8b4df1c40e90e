/* SPDX-License-Identifier: ISC */
/*
 * What the world can do to a call. A peer's bytes never cause one of these (they are dropped and counted),
 * and a caller's mistake is an assertion in test builds; what is left is listed here, with what to do next.
 */
#ifndef WISP_ERR_H
#define WISP_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

enum wisp_err {
    WISP_OK = 0,
    /* no room at the moment: wait for the event the call names, then repeat */
    WISP_ERR_AGAIN,
    /* a table sized at start is full: release something, or start with more */
    WISP_ERR_FULL,
    WISP_ERR_INVALID, /* an argument that came from outside is not usable: correct it */
    WISP_ERR_IN_USE,  /* the address or port is taken: choose another */
    /* no route or no answer from the next hop: check address, mask and gateway */
    WISP_ERR_UNREACHABLE,
    /* the peer said no (RST to a SYN, port unreachable): nobody listens there */
    WISP_ERR_REFUSED,
    /* the peer or a device on the path broke the connection: data may be lost */
    WISP_ERR_RESET,
    WISP_ERR_TIMEOUT,     /* no answer within the user timeout: the peer or the path is gone */
    WISP_ERR_CLOSED,      /* this direction was closed before: nothing more can be done with it */
    WISP_ERR_ADDRESS_LOST /* the local address went away (conflict, lease over): open anew */
};

/* A short English text for err, a static string. Any thread, any time. */
const char *wisp_err_text(enum wisp_err err);

#ifdef __cplusplus
}
#endif
#endif
