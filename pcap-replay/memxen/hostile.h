/* SPDX-License-Identifier: ISC */
/*
 * A backend that lies. The honest netback of netback.h goes on working, and between its polls the lies of a
 * script, or of a fuzzer's bytes, are told: what a domain that shares these pages could write there, what it
 * could do with grants and events, and what it could put into xenstore.
 */
#ifndef WISP_HOSTILE_H
#define WISP_HOSTILE_H

#include "netback.h"

enum wisp_lie_kind {
    /* rings; the change is published and notified at once */
    WISP_LIE_TX_RSP_PROD, /* a is added to the TX ring's rsp_prod, nothing is written */
    WISP_LIE_RX_RSP_PROD, /* a is added to the RX ring's rsp_prod, nothing is written */
    WISP_LIE_TX_RESPONSE, /* a response of id a with status b */
    /* a response of id a, status b, flags c, offset d, to the next request */
    WISP_LIE_RX_RESPONSE,
    /* the same with the request's own id (a is ignored), its page holding bytes */
    WISP_LIE_RX_ANSWER,
    /* an extra of type a, flags b, gso size c, gso type d, in the next response */
    WISP_LIE_RX_EXTRA,
    WISP_LIE_TX_REQ_EVENT, /* req_event := a */
    WISP_LIE_RX_REQ_EVENT,
    WISP_LIE_TX_RSP_EVENT, /* rsp_event := a: the frontend's own word, overwritten */
    WISP_LIE_RX_RSP_EVENT,
    WISP_LIE_TX_FLIP, /* byte a of the TX ring page is xored with b */
    WISP_LIE_RX_FLIP,
    WISP_LIE_EVENTS, /* a notifications */
    /* habits: a is 1 from now on, or 0 no more */
    WISP_LIE_MUTE,     /* never notifies */
    WISP_LIE_DEAF,     /* never asks to be notified */
    WISP_LIE_STALL_TX, /* takes nothing from the TX ring */
    WISP_LIE_STALL_RX, /* gives nothing to the RX ring */
    WISP_LIE_KEEP_RX,  /* keeps every RX page mapped after it answered */
    /* answers TX slots at once, keeps their pages mapped, delivers nothing */
    WISP_LIE_EARLY_TX,
    /* grants */
    WISP_LIE_SCRIBBLE, /* writes a into every byte of the pages it kept for writing */
    WISP_LIE_RELEASE,  /* unmaps what it kept */
    WISP_LIE_HOLD,     /* keeps TX pages a milliseconds from now on; UINT32_MAX: for ever */
    /* xenstore */
    WISP_LIE_BACK_NODE,  /* path below the backend's directory := value; null removes it */
    WISP_LIE_FRONT_NODE, /* the same below the frontend's */
    WISP_LIE_STATE,      /* shows state a */
    WISP_LIES
};

struct wisp_lie {
    /* told in poll number after, counted from the start of the script; 0: the first */
    uint32_t after;
    uint8_t kind; /* enum wisp_lie_kind */
    uint8_t queue;
    uint32_t a, b, c, d;
    const char *path, *value;
    const uint8_t *bytes; /* RX_ANSWER */
    uint32_t length;
};

/* Starts a script: lies sorted by after, borrowed until told. */
void wisp_netback_script(struct wisp_netback *nb, const struct wisp_lie *lies, uint32_t count);

/* Tells one lie now. False: there was nothing to tell it with (not connected, no such queue, no request). */
bool wisp_netback_lie(struct wisp_netback *nb, const struct wisp_lie *lie);

/*
 * Makes up one lie, or one honest frame, of the fuzzer's bytes at *data and moves *data on. False: they are used
 * up.
 */
bool wisp_netback_fuzz(struct wisp_netback *nb, const uint8_t **data, size_t *size, wisp_time now);

/* The page of a ring, for a second thread that flips bytes; null: not connected. */
uint8_t *wisp_netback_ring_page(struct wisp_netback *nb, uint32_t queue, bool tx);

/* True when canary (length bytes) stands in any page the guest shares with us now. */
bool wisp_netback_sees(const struct wisp_netback *nb, const void *canary, size_t length);

/* Pages kept mapped by KEEP_RX and EARLY_TX. */
uint32_t wisp_netback_kept(const struct wisp_netback *nb);

#endif
