/* SPDX-License-Identifier: ISC */
/*
 * Requests carry a number and their answers bring it back; between them come watch events, which
 * are noted in `watches` and asked for later. An answer that does not come within ten seconds, or a
 * ring whose indices are impossible, ends the connection: from then on everything fails at once.
 *
 * Leaves out: more than one request at a time, permissions, reconnection.
 */
#include "xenstore.h"
#include "clock.h"
#include "events.h"
#include "libc.h"
#include "machine.h"
#include "xenstore_wire.h"
#include <xen/io/xs_wire.h>

#define PATIENCE WISP_SEC(10)

enum { WATCHES_MAX = 16, EVENT_MAX = 512 };

struct part {
    const char *bytes;
    size_t length;
};

struct reply {
    char *bytes;
    size_t size, length; /* length is what came, even where size cut it */
};

static struct {
    uint32_t token;
    bool used, fired;
} watches[WATCHES_MAX];
static uint32_t last_request;
static bool lost, news;

void wisp_xenstore_init(void)
{
    lost = wisp_guest.store == NULL || wisp_guest.store_port == 0;
    if (!lost) {
        wisp_event_add(wisp_guest.store_port);
    }
}

/* Puts or gets all of size bytes, or marks the connection lost. */
static void transfer(bool get, char *bytes, size_t size)
{
    wisp_time end = wisp_clock_now() + PATIENCE;
    while (size && !lost) {
        size_t moved = get ? wisp_xs_ring_get(wisp_guest.store, bytes, size)
                           : wisp_xs_ring_put(wisp_guest.store, bytes, size);
        lost = moved == WISP_XS_RING_BROKEN || (!moved && wisp_clock_now() > end);
        if (lost) {
            return;
        }
        if (moved) {
            wisp_event_notify(wisp_guest.store_port);
        } else {
            wisp_event_wait_one(wisp_guest.store_port, end);
        }
        bytes += moved;
        size -= moved;
    }
}

static void receive(char *bytes, size_t size)
{
    transfer(true, bytes, size);
}

static void send(const void *bytes, size_t size)
{
    transfer(false, (char *)(uintptr_t)bytes, size);
}

/* length bytes of payload: what fits into size, the rest thrown away. */
static size_t receive_payload(char *bytes, size_t size, size_t length)
{
    char waste[64];
    size_t kept = length < size ? length : size;
    receive(bytes, kept);
    for (size_t left = length - kept; left && !lost;) {
        size_t piece = left < sizeof(waste) ? left : sizeof(waste);
        receive(waste, piece);
        left -= piece;
    }
    return kept;
}

/* An event too long for us, or not of our making, may concern any watch. */
static void note_event(size_t length)
{
    char event[EVENT_MAX];
    uint32_t token = 0;
    bool known = receive_payload(event, sizeof(event), length) == length &&
                 wisp_xs_token_parse(event, length, &token);
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].used && (!known || watches[i].token == token)) {
            watches[i].fired = news = true;
        }
    }
}

/* One message: true when it was the answer to request. */
static bool receive_message(uint32_t request, struct wisp_xs_header *header, struct reply *reply)
{
    receive((char *)header, sizeof(*header));
    if (!lost && header->length > XENSTORE_PAYLOAD_MAX) {
        lost = true;
    }
    if (lost) {
        return false;
    }
    if (header->type == XS_WATCH_EVENT) {
        note_event(header->length);
        return false;
    }
    bool ours = header->request == request;
    reply->length = header->length;
    receive_payload(reply->bytes, ours ? reply->size : 0, header->length);
    return ours && !lost;
}

static enum wisp_xs_result call(uint32_t type, wisp_xs_tx tx, const struct part *parts,
                                unsigned count, struct reply *reply)
{
    char error[32];
    struct reply none = {error, sizeof(error), 0};
    struct wisp_xs_header header = {type, ++last_request, tx, 0};
    for (unsigned i = 0; i < count; i++) {
        header.length += (uint32_t)parts[i].length;
    }
    if (header.length > XENSTORE_PAYLOAD_MAX) {
        return WISP_XS_FAILED;
    }
    send(&header, sizeof(header));
    for (unsigned i = 0; i < count; i++) {
        send(parts[i].bytes, parts[i].length);
    }
    struct reply *into = reply ? reply : &none;
    do {
        if (lost) {
            return WISP_XS_FAILED;
        }
    } while (!receive_message(last_request, &header, into));
    if (header.type != XS_ERROR) {
        return WISP_XS_OK;
    }
    return wisp_xs_error_parse(into->bytes, into->length < into->size ? into->length : into->size);
}

static struct part text(const char *string)
{
    return (struct part){string, strlen(string) + 1};
}

enum wisp_xs_result wisp_xenstore_read(wisp_xs_tx tx, const char *path, char *value, size_t size)
{
    struct part parts[] = {text(path)};
    struct reply reply = {value, size, 0};
    enum wisp_xs_result result = call(XS_READ, tx, parts, 1, &reply);
    if (result == WISP_XS_OK && reply.length >= size) {
        result = WISP_XS_FAILED;
    }
    value[result == WISP_XS_OK ? reply.length : 0] = 0;
    return result;
}

enum wisp_xs_result wisp_xenstore_write(wisp_xs_tx tx, const char *path, const char *value)
{
    struct part parts[] = {text(path), {value, strlen(value)}};
    return call(XS_WRITE, tx, parts, 2, NULL);
}

enum wisp_xs_result wisp_xenstore_remove(wisp_xs_tx tx, const char *path)
{
    struct part parts[] = {text(path)};
    return call(XS_RM, tx, parts, 1, NULL);
}

wisp_xs_tx wisp_xenstore_begin(void)
{
    char digits[16];
    wisp_xs_tx tx = 0;
    struct part parts[] = {text("")};
    struct reply reply = {digits, sizeof(digits), 0};
    if (call(XS_TRANSACTION_START, 0, parts, 1, &reply) != WISP_XS_OK) {
        return 0;
    }
    for (size_t i = 0;
         i < reply.length && i < sizeof(digits) && digits[i] >= '0' && digits[i] <= '9'; i++) {
        tx = tx * 10 + (wisp_xs_tx)(digits[i] - '0');
    }
    return tx;
}

enum wisp_xs_result wisp_xenstore_end(wisp_xs_tx tx, bool abort)
{
    struct part parts[] = {text(abort ? "F" : "T")};
    return call(XS_TRANSACTION_END, tx, parts, 1, NULL);
}

enum wisp_xs_result wisp_xenstore_watch(const char *path, uint32_t token)
{
    char name[9];
    wisp_xs_token_emit(token, name);
    struct part parts[] = {text(path), text(name)};
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].used && watches[i].token != token) {
            continue;
        }
        watches[i].used = true;
        watches[i].token = token;
        return call(XS_WATCH, 0, parts, 2, NULL);
    }
    return WISP_XS_FAILED;
}

void wisp_xenstore_unwatch(const char *path, uint32_t token)
{
    char name[9];
    wisp_xs_token_emit(token, name);
    struct part parts[] = {text(path), text(name)};
    call(XS_UNWATCH, 0, parts, 2, NULL);
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].used && watches[i].token == token) {
            watches[i].used = watches[i].fired = false;
        }
    }
}

/* The event is asked for before the ring is read: what comes meanwhile ends the next wait. */
static void receive_events(void)
{
    struct reply none = {NULL, 0, 0};
    struct wisp_xs_header header;
    wisp_event_pending(wisp_guest.store_port);
    while (!lost && __atomic_load_n(&wisp_guest.store->rsp_prod, __ATOMIC_ACQUIRE) !=
                        wisp_guest.store->rsp_cons) {
        receive_message(0, &header, &none);
    }
}

void wisp_xenstore_wait(wisp_time deadline)
{
    receive_events(); /* behind an answer there may be one whose bit was taken with the answer's */
    if (!news) {
        wisp_event_wait(deadline);
    }
    news = false;
}

bool wisp_xenstore_changed(uint32_t token)
{
    bool fired = false;
    receive_events();
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].used && watches[i].token == token && watches[i].fired) {
            watches[i].fired = false;
            fired = true;
        }
    }
    return fired;
}
