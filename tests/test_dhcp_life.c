/* SPDX-License-Identifier: ISC */
/*
 * Long lives in virtual time against an obedient server behind a bad link: thirty renewals in a row, a year,
 * a thousand seeds of loss, duplication and delay.
 */
#include "dhcp_peer.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

#define FLIGHTS 64

/* A server that knows one client, and a link that loses, doubles and delays. */
struct world {
    struct wisp_dhcp *dhcp;
    wisp_time now;
    uint32_t random;
    uint32_t loss, doubling; /* in 256 */
    wisp_time delay;         /* at most */
    uint32_t lease;
    bool server_up;
    struct flight {
        bool used, to_server;
        wisp_time at;
        struct wisp_dhcp_message message; /* to the server; its reply is made on arrival */
        uint8_t type;
        uint32_t xid;
    } flight[FLIGHTS];
    wisp_time leased_until; /* as the server sees it */
    uint64_t messages, renewed, lost, leased;
    bool has_address;
};

static uint32_t draw(struct world *w)
{
    w->random = w->random * 1664525u + 1013904223u;
    return w->random >> 8;
}

static struct flight *take_off(struct world *w)
{
    for (int i = 0; i < FLIGHTS; i++) {
        if (!w->flight[i].used) {
            w->flight[i].used = true;
            wisp_time delay = (wisp_time)draw(w) << 24; /* a draw alone is less than 17 ms */
            delay |= draw(w);
            w->flight[i].at = w->now + delay % w->delay;
            return &w->flight[i];
        }
    }
    ck_abort_msg("the link is full");
}

static void travel(struct world *w, bool to_server, const struct wisp_dhcp_message *message,
                   uint8_t type, uint32_t xid)
{
    int copies = draw(w) % 256 < w->loss ? 0 : draw(w) % 256 < w->doubling ? 2 : 1;
    while (copies-- > 0) {
        struct flight *flight = take_off(w);
        flight->to_server = to_server;
        flight->type = type;
        flight->xid = xid;
        if (message) {
            flight->message = *message;
        }
    }
}

static void serve(struct world *w, const struct wisp_dhcp_message *message)
{
    if (!w->server_up) {
        return;
    }
    if (request_type(message) == DISCOVER) {
        travel(w, false, NULL, OFFER, request_xid(message));
    } else if (request_type(message) == REQUEST) {
        w->leased_until = w->lease == UINT32_MAX ? WISP_NEVER : w->now + WISP_SEC(w->lease);
        travel(w, false, NULL, ACK, request_xid(message));
    }
}

static void land(struct world *w)
{
    static struct reply reply;
    for (int i = 0; i < FLIGHTS; i++) {
        struct flight *flight = &w->flight[i];
        if (!flight->used || flight->at > w->now) {
            continue;
        }
        flight->used = false;
        if (flight->to_server) {
            struct wisp_dhcp_message message = flight->message;
            serve(w, &message);
        } else {
            reply_make(&reply, flight->type, flight->xid, PEER_ADDRESS, w->lease);
            wisp_dhcp_input(w->dhcp, reply.bytes, reply.length, w->now);
        }
    }
}

static void note_events(struct world *w)
{
    struct wisp_dhcp_event event;
    while (wisp_dhcp_next_event(w->dhcp, &event)) {
        if (event.kind == WISP_DHCP_LEASED) {
            ck_assert(!w->has_address);
            w->has_address = true;
            w->leased++;
        } else if (event.kind == WISP_DHCP_RENEWED) {
            ck_assert(w->has_address);
            w->renewed++;
        } else if (event.kind == WISP_DHCP_LOST) {
            ck_assert(w->has_address);
            w->has_address = false;
            w->lost++;
        }
    }
}

/* The client never uses an address longer than the server thinks it does. */
static void check_lease(const struct world *w)
{
    const struct wisp_dhcp_lease *lease = wisp_dhcp_lease(w->dhcp);
    ck_assert(!w->has_address || (lease && lease->until <= w->leased_until));
}

/* One moment: the client speaks, the link delivers, time goes to the next thing that happens. */
static void moment(struct world *w)
{
    struct wisp_dhcp_message message;
    land(w);
    note_events(w);
    check_lease(w);
    while (wisp_dhcp_next(w->dhcp, w->now, &message)) {
        w->messages++;
        travel(w, true, &message, 0, 0);
    }
    note_events(w);
    wisp_time next = wisp_dhcp_deadline(w->dhcp);
    ck_assert(next > w->now);
    for (int i = 0; i < FLIGHTS; i++) {
        if (w->flight[i].used) {
            next = wisp_time_min(next, w->flight[i].at);
        }
    }
    ck_assert(next != WISP_NEVER);
    w->now = next > w->now ? next : w->now;
    check_lease(w);
}

static struct world *new_world(uint32_t seed, uint32_t lease)
{
    struct wisp_dhcp_config config;
    struct world *w = calloc(1, sizeof(*w));
    peer_config(&config, seed);
    w->dhcp = peer_client(&config);
    w->random = seed * 2654435761u + 1;
    w->lease = lease;
    w->server_up = true;
    w->delay = WISP_MS(2);
    wisp_dhcp_start(w->dhcp, 0);
    return w;
}

static void end_world(struct world *w)
{
    free(w->dhcp);
    free(w);
}

/* covers: D24, D11 */
START_TEST(good_link__thirty_leases__all_renewed_at_half_time)
{
    struct world *w = new_world(1, 3600);
    while (w->renewed < 30) {
        moment(w);
    }
    ck_assert_uint_eq(w->leased, 1);
    ck_assert_uint_eq(w->lost, 0);
    ck_assert_uint_eq(w->messages, 32);
    ck_assert(w->now > WISP_SEC(30 * 1680) && w->now < WISP_SEC(30 * 1920));
    end_world(w);
}
END_TEST

START_TEST(good_link__a_year_with_server_outages__address_comes_back_every_time)
{
    struct world *w = new_world(2, 3600);
    uint64_t outages = 0;
    for (uint64_t day = 0; day < 365; day++) {
        while (w->now < WISP_SEC(day * 86400 + 80000)) {
            moment(w);
        }
        ck_assert(w->has_address);
        w->server_up = day % 7 != 6; /* once a week away for longer than a lease */
        outages += day % 7 == 6;
        while (w->now < WISP_SEC(day * 86400 + 86400)) {
            moment(w);
        }
        w->server_up = true;
    }
    ck_assert_uint_eq(w->lost, outages);
    ck_assert_uint_eq(w->leased, outages + 1);
    ck_assert_uint_gt(w->renewed, 365 * 24 * 2 * 9 / 10);
    ck_assert_uint_lt(w->messages, 365 * 24 * 3);
    end_world(w);
}
END_TEST

/* covers: D28, DH-10 */
START_TEST(bad_links__a_thousand_seeds__lease_held_and_no_flood)
{
    static const uint32_t leases[] = {1, 2, 10, 60, 600, 3600, 86400, 0x7fffffff};
    for (uint32_t seed = 0; seed < 1000; seed++) {
        struct world *w = new_world(seed, leases[seed % 8]);
        w->loss = seed % 160; /* up to five in eight */
        w->doubling = (seed / 7) % 128;
        w->delay =
            WISP_MS(1)
            << seed % 13; /* up to four seconds, so that an answer may be to an earlier request */
        uint32_t seconds = w->lease < 60 && w->loss < 80 ? 600 : 7200;
        while (w->now < WISP_SEC(seconds)) {
            moment(w);
        }
        ck_assert_msg(w->leased >= 1, "seed %u: no lease in %u s", seed, seconds);
        /* At most what a one-second lease needs: a search and a request each second, doubled by nothing. */
        ck_assert_msg(w->messages <= 4 * seconds, "seed %u: %llu messages", seed,
                      (unsigned long long)w->messages);
        ck_assert_msg(w->lease < 3600 || w->messages < 200, "seed %u: %llu messages", seed,
                      (unsigned long long)w->messages);
        end_world(w);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_life");
    TCase *tcase = tcase_create("life");
    tcase_set_timeout(tcase, 110);
    tcase_add_test(tcase, good_link__thirty_leases__all_renewed_at_half_time);
    tcase_add_test(tcase, good_link__a_year_with_server_outages__address_comes_back_every_time);
    tcase_add_test(tcase, bad_links__a_thousand_seeds__lease_held_and_no_flood);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
