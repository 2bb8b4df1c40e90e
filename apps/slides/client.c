/* SPDX-License-Identifier: ISC */
/*
 * A client goes round READING -> SENDING -> READING, one request at a time, however many it has sent ahead
 * (pipelining): the next one is read when the last answer is queued. It leaves the circle when it or we want
 * to close: we close our side, throw away what still comes so that no RST overtakes the answer (RFC 9112
 * §9.6), and let go when it closes too or time is up.
 *
 * While an answer waits for room, nothing is read: TCP's window tells the client to wait.
 *
 * A client has `idle_after` for a whole request, however it drips in, and as long for each TAKES_LEAST bytes of an
 * answer; so nobody holds a place by being slow.
 */
#include "client.h"
#include "answer.h"
#include <string.h>

#define DRAIN_FOR   WISP_SEC(2)
#define TAKES_LEAST 16384u
#define TURNS       64u /* requests answered in one event, so that one client cannot hold up the others */

static void release(struct server *server, struct client *client)
{
    body_drop(&client->body);
    wisp_tcp_release(client->conn);
    client->state = CLIENT_FREE;
    client->next_free = server->free;
    server->free = client;
    server->count--;
}

void client_open(struct server *server, struct wisp_tcp_conn *conn)
{
    struct client *client = server->free;
    server->free = client->next_free;
    server->count++;
    server->accepted++;
    client->conn = conn;
    client->state = CLIENT_READING;
    client->peer_closed = false;
    client->body = (struct body){0};
    client->idle_at = server->net->now + server->idle_after;
    client->taken = 0;
    http_request_init(&client->reader);
    wisp_tcp_set_cookie(conn, client);
    wisp_tcp_set_nodelay(conn, true);
}

/* The events asked for: an end that was seen is not told again, and an answer being sent waits for room only. */
static void want(struct client *client)
{
    uint32_t reading = client->peer_closed ? WISP_TCP_READABLE : WISP_TCP_READABLE | WISP_TCP_END;
    wisp_tcp_want(client->conn, client->state == CLIENT_SENDING ? WISP_TCP_WRITABLE : reading);
}

static void emit_head(struct client *client, const struct answer *answer, bool head_only)
{
    struct wisp_text text = {client->head, sizeof(client->head), 0};
    answer_emit(answer, head_only, &text);
    client->head_at = 0;
    client->head_length = (uint32_t)(text.used < text.size ? text.used : text.size);
    client->keep_alive = answer->keep_alive;
    client->state = CLIENT_SENDING;
}

static void answer_file(struct client *client, const struct site_file *file)
{
    const struct http_request *request = &client->reader.request;
    struct answer_resource resource = {0};
    if (file) {
        resource = (struct answer_resource){file->type, file->etag, file->length};
    }
    struct answer answer = answer_decide(request, file ? &resource : NULL);
    emit_head(client, &answer, request->method == HTTP_VERB_HEAD);
    if (answer.body) {
        body_of_file(&client->body, file, answer.first, answer.length);
    }
}

/* A page made for the occasion. Without memory for it the head promises nothing and the client is closed. */
static void answer_made(struct server *server, struct client *client, status_page make)
{
    static char bytes[BODY_PAGES * WISP_PAGE_SIZE];
    struct wisp_text text = {bytes, sizeof(bytes), 0};
    const char *type = make(server, &text);
    uint32_t length = (uint32_t)(text.used < text.size ? text.used : text.size);
    struct answer_resource resource = {type, NULL, length};
    struct answer answer = answer_decide(&client->reader.request, &resource);
    emit_head(client, &answer, client->reader.request.method == HTTP_VERB_HEAD);
    if (answer.body && !body_of_text(&client->body, server->net->pages, bytes, length)) {
        client->head_length = 0;
        client->keep_alive = false;
    }
}

static void answer_request(struct server *server, struct client *client)
{
    const struct http_request *request = &client->reader.request;
    status_page make = request->bad ? NULL : status_find(request->target);
    server->requests++;
    client->idle_at = server->net->now + server->idle_after;
    if (make) {
        answer_made(server, client, make);
    } else {
        answer_file(client, request->bad ? NULL : site_find(request->target));
    }
}

/* Reads up to the end of one request. True: there is one. */
static bool read_request(struct client *client)
{
    struct wisp_view view;
    while (wisp_tcp_peek(client->conn, &view, 1) == 1) {
        size_t used = 0;
        bool complete =
            http_request_input(&client->reader, wisp_view_bytes(&view), view.length, &used);
        wisp_tcp_consume(client->conn, (uint32_t)used);
        if (complete) {
            return true;
        }
    }
    return false;
}

/* True: the answer is queued. */
static bool send_answer(struct client *client)
{
    uint32_t left = client->head_length - client->head_at;
    if (left > 0) {
        client->head_at += wisp_tcp_write(client->conn, client->head + client->head_at, left);
    }
    return client->head_at == client->head_length && body_send(&client->body, client->conn);
}

static void start_draining(struct server *server, struct client *client)
{
    client->state = CLIENT_DRAINING;
    client->idle_at = server->net->now + DRAIN_FOR;
    wisp_tcp_shutdown(client->conn);
}

static void answer_sent(struct server *server, struct client *client)
{
    body_drop(&client->body);
    if (client->keep_alive) {
        client->state = CLIENT_READING;
        http_request_init(&client->reader);
    } else {
        start_draining(server, client);
    }
}

/* One round; false: nothing more to do now. */
static bool turn(struct server *server, struct client *client)
{
    if (client->state == CLIENT_READING && read_request(client)) {
        answer_request(server, client);
    }
    if (client->state != CLIENT_SENDING || !send_answer(client)) {
        return false;
    }
    answer_sent(server, client);
    return true;
}

static void drain(struct client *client)
{
    uint32_t readable = wisp_tcp_readable(client->conn);
    wisp_tcp_consume(client->conn, readable);
}

bool client_event(struct server *server, const struct wisp_tcp_event *event)
{
    struct client *client = wisp_tcp_cookie(event->conn);
    if (event->what & WISP_TCP_CLOSED) {
        release(server, client);
        return true;
    }
    client->peer_closed |= (event->what & WISP_TCP_END) != 0;
    if (client->state != CLIENT_DRAINING) {
        for (uint32_t i = 0; i < TURNS && turn(server, client); i++) {
        }
    }
    if (client->state == CLIENT_DRAINING) {
        drain(client);
    }
    if (client->peer_closed && client->state != CLIENT_SENDING &&
        wisp_tcp_readable(client->conn) == 0) {
        release(server, client);
        return true;
    }
    want(client);
    return true;
}

/* True: bytes still go to it, and enough of them since last looked. */
static bool gets_on(struct server *server, struct client *client)
{
    uint64_t taken = wisp_tcp_released(client->conn);
    if (client->state == CLIENT_DRAINING || taken == wisp_tcp_queued(client->conn) ||
        taken - client->taken < TAKES_LEAST) {
        return false;
    }
    client->taken = taken;
    client->idle_at = server->net->now + server->idle_after;
    return true;
}

void client_sweep(struct server *server)
{
    for (uint32_t i = 0, seen = 0; seen < server->count; i++) {
        struct client *client = &server->clients[i];
        if (client->state == CLIENT_FREE) {
            continue;
        }
        seen++;
        if (server->net->now < client->idle_at || gets_on(server, client)) {
            continue;
        }
        if (wisp_tcp_released(client->conn) != wisp_tcp_queued(client->conn)) {
            wisp_tcp_abort(client->conn); /* what it was sent would stay as long as it likes */
        }
        seen--;
        release(server, client);
    }
}

void client_close_all(struct server *server)
{
    for (uint32_t i = 0; server->count > 0; i++) {
        if (server->clients[i].state != CLIENT_FREE) {
            release(server, &server->clients[i]);
        }
    }
}
