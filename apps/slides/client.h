/* SPDX-License-Identifier: ISC */
/* One connection of the web server, from accept to release. */
#ifndef WISP_SLIDES_CLIENT_H
#define WISP_SLIDES_CLIENT_H

#include "body.h"
#include "request.h"
#include "status.h"
#include <wisp/tcp.h>

enum client_state {
    CLIENT_FREE,
    CLIENT_READING,  /* for a request */
    CLIENT_SENDING,  /* an answer */
    CLIENT_DRAINING, /* our side is closed; what still comes is thrown away, for a while */
};

#define CLIENT_HEAD_MOST 512u

struct client {
    struct wisp_tcp_conn *conn;
    enum client_state state;
    bool keep_alive;   /* after the answer being sent */
    bool peer_closed;  /* it will ask for nothing more */
    wisp_time idle_at; /* when to look whether it still gets on */
    uint64_t taken;    /* bytes it had acknowledged when last looked at */
    uint32_t head_at, head_length;
    char head[CLIENT_HEAD_MOST];
    struct body body;
    struct http_request_reader reader;
    struct client *next_free;
};

/* What clients share. */
struct server {
    struct wisp_net *net;
    struct wisp_tcp *tcp;
    struct client *clients;
    struct client *free;
    uint32_t count;
    uint64_t requests, accepted;
    wisp_time idle_after; /* a client is closed after being idle for so long */
};

/* Takes over a connection just accepted; the server has a free client for it. */
void client_open(struct server *server, struct wisp_tcp_conn *conn);

/* Does what an event asks for. True: something was done that TCP should send. */
bool client_event(struct server *server, const struct wisp_tcp_event *event);

/* Closes clients that ask for nothing, ask too slowly or take too little; called about once a second. */
void client_sweep(struct server *server);

/* Ends all of them, orderly. */
void client_close_all(struct server *server);

#endif
