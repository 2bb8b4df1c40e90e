/* SPDX-License-Identifier: ISC */
/* Replies that are none: in every state that waits for one, nothing but a counter moves. */
#include "dhcp_peer.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct reply reply;
static struct wisp_dhcp_config config;
static struct wisp_dhcp *dhcp;
static struct wisp_dhcp_message message;

static void setup(void)
{
    peer_config(&config, 1);
    dhcp = peer_client(&config);
}

static void teardown(void)
{
    free(dhcp);
}

struct spoil {
    const char *name;
    size_t at;
    uint8_t value;
    const char *counter;
};

static const struct spoil spoils[] = {
    {"xid, first octet", 4, 0x5a, "dhcp.rx.foreign_xid"},
    {"xid, last octet", 7, 0x5a, "dhcp.rx.foreign_xid"},
    {"chaddr, first octet", 28, 0x5a, "dhcp.rx.foreign_hardware"},
    {"chaddr, last octet", 33, 0x5a, "dhcp.rx.foreign_hardware"},
    {"op is a request's", 0, 1, "dhcp.rx.bad_header"},
    {"op 255", 0, 255, "dhcp.rx.bad_header"},
    {"htype 6", 1, 6, "dhcp.rx.bad_header"},
    {"hlen 0", 2, 0, "dhcp.rx.bad_header"},
    {"hlen 16", 2, 16, "dhcp.rx.bad_header"},
    {"hlen 17", 2, 17, "dhcp.rx.bad_header"},
    {"hlen 255", 2, 255, "dhcp.rx.bad_header"},
    {"cookie, first octet", 236, 0, "dhcp.rx.bad_header"},
    {"cookie, last octet", 239, 0, "dhcp.rx.bad_header"},
    {"type is a client's", 242, DISCOVER, "dhcp.rx.unexpected"},
    {"type 0", 242, 0, "dhcp.rx.unexpected"},
    {"type 255", 242, 255, "dhcp.rx.unexpected"},
};

static void spoil_all(uint8_t type, wisp_time now)
{
    enum wisp_dhcp_state state = wisp_dhcp_state(dhcp);
    wisp_time deadline = wisp_dhcp_deadline(dhcp);
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        uint64_t before = peer_count(dhcp, spoils[i].counter);
        reply_make(&reply, type, request_xid(&message), PEER_ADDRESS, 3600);
        ck_assert_msg(reply.bytes[spoils[i].at] != spoils[i].value, "%s spoils nothing",
                      spoils[i].name);
        reply.bytes[spoils[i].at] = spoils[i].value;
        reply_give(&reply, dhcp, now);
        ck_assert_msg(peer_count(dhcp, spoils[i].counter) == before + 1, "%s in %s", spoils[i].name,
                      wisp_dhcp_state_text(state));
        ck_assert_msg(wisp_dhcp_state(dhcp) == state, "%s", spoils[i].name);
        ck_assert(wisp_dhcp_deadline(dhcp) == deadline);
    }
    expect_no_event(dhcp);
}

/* covers: DH-01, D18 */
START_TEST(every_waiting_state__spoiled_replies__ignored_and_counted)
{
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    spoil_all(OFFER, 0);
    reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, 3600);
    reply_give(&reply, dhcp, 0);
    expect_message(dhcp, 0, REQUEST, &message);
    spoil_all(ACK, 0);
    spoil_all(NAK, 0);
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 3600);
    reply_give(&reply, dhcp, 0);
    expect_event(dhcp, WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE);
    wisp_time now = wisp_dhcp_lease(dhcp)->renew;
    expect_message(dhcp, now, REQUEST, &message);
    spoil_all(ACK, now);
    spoil_all(NAK, now);
    now = wisp_dhcp_lease(dhcp)->rebind;
    expect_message(dhcp, now, REQUEST, &message);
    spoil_all(NAK, now);
    wisp_dhcp_inform(dhcp, PEER_ADDRESS, 24, now);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_RELEASED);
    expect_message(dhcp, now, INFORM, &message);
    spoil_all(ACK, now);
}
END_TEST

/* covers: DH-01 */
START_TEST(every_state__reply_it_does_not_wait_for__ignored)
{
    static const uint8_t others[][3] = {{ACK, NAK, FORCERENEW}, {OFFER, RELEASE, FORCERENEW}};
    for (int requesting = 0; requesting < 2; requesting++) {
        wisp_dhcp_start(dhcp, 0);
        expect_message(dhcp, 0, DISCOVER, &message);
        if (requesting) {
            reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, 3600);
            reply_give(&reply, dhcp, 0);
            expect_message(dhcp, 0, REQUEST, &message);
        }
        enum wisp_dhcp_state state = wisp_dhcp_state(dhcp);
        for (int i = 0; i < 3; i++) {
            reply_make(&reply, others[requesting][i], request_xid(&message), PEER_ADDRESS, 3600);
            reply_give(&reply, dhcp, 0);
            ck_assert_int_eq(wisp_dhcp_state(dhcp), state);
        }
    }
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.unexpected"), 6);
    expect_no_event(dhcp);
}
END_TEST

/* covers: DH-14 */
START_TEST(requesting__ack_or_nak_of_another_server__ignored)
{
    static const uint8_t types[] = {ACK, NAK};
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, 3600);
    reply_give(&reply, dhcp, 0);
    /* before the request was even sent */
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 3600);
    reply_give(&reply, dhcp, 0);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REQUESTING);
    expect_message(dhcp, 0, REQUEST, &message);
    for (int i = 0; i < 2; i++) {
        reply_begin(&reply, types[i], request_xid(&message), PEER_ADDRESS);
        reply_ip4(&reply, 54, wisp_ip4(192, 0, 2, 66));
        reply_u32(&reply, 51, 3600);
        reply_give(&reply, dhcp, 0);
        ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REQUESTING);
    }
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.foreign_server"), 2);
}
END_TEST

START_TEST(requesting__client_id_echoed__must_be_ours)
{
    static const uint8_t ours[15] = {255, 0, 0xaa, 0xbb, 1, 0, 3, 0, 1, 2, 0, 0, 0xaa, 0xbb, 1};
    static const struct {
        const char *name;
        uint8_t length;
        uint8_t flip;
        bool taken;
    } rows[] = {{"other", 15, 1, false}, {"shorter", 14, 0, false}, {"ours", 15, 0, true}};
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    for (size_t i = 0; i < 3; i++) {
        uint8_t id[15];
        memcpy(id, ours, sizeof(id));
        id[3] ^= rows[i].flip;
        reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, 3600);
        reply.length--;
        reply_option(&reply, 61, id, rows[i].length);
        reply_give(&reply, dhcp, 0);
        bool taken = wisp_dhcp_state(dhcp) == WISP_DHCP_STATE_REQUESTING;
        ck_assert_msg(taken == rows[i].taken, "%s", rows[i].name);
    }
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.foreign_client"), 2);
}
END_TEST

/* covers: DH-16 */
START_TEST(any_state__a_million_offers__same_memory_same_state)
{
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, 3600);
    for (uint32_t i = 0; i < 1000000; i++) {
        reply.bytes[19] = (uint8_t)(1 + i % 250); /* another address each time */
        wisp_dhcp_input(dhcp, reply.bytes, reply.length, i);
    }
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.messages"), 1000000);
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.offers"), 1);
    expect_message(dhcp, 1000000, REQUEST, &message);
    expect_quiet(dhcp, 1000000);
    expect_no_event(dhcp);
}
END_TEST

/* covers: DH-02 */
START_TEST(requesting__ack_truncated_anywhere__never_a_lease_without_its_time)
{
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, 3600);
    size_t whole = reply.length;
    for (size_t length = 0; length < whole - 1; length++) {
        reply.length = length;
        reply_give(&reply, dhcp, 0);
        ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_SELECTING);
    }
    reply.length = whole;
    reply_give(&reply, dhcp, 0);
    expect_message(dhcp, 0, REQUEST, &message);
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 3600);
    for (size_t length = 0; length < whole - 1; length++) {
        reply.length = length;
        reply_give(&reply, dhcp, 0);
        ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REQUESTING);
    }
}
END_TEST

START_TEST(every_state__random_mutations__survived_and_time_moves_on)
{
    uint32_t state = 12345;
    wisp_time now = 0;
    wisp_dhcp_start(dhcp, now);
    memset(&message, 0, sizeof(message));
    for (int round = 0; round < 100000; round++) {
        struct wisp_dhcp_event event;
        state = state * 1664525u + 1013904223u;
        reply_make(&reply, (uint8_t)(1 + (state >> 28) % 9), request_xid(&message), PEER_ADDRESS,
                   state >> 20);
        for (uint32_t i = 0; i < (state >> 16 & 3); i++) {
            state = state * 1664525u + 1013904223u;
            reply.bytes[236 + (state >> 8) % 34] = (uint8_t)(state >> 24);
        }
        reply_give(&reply, dhcp, now);
        while (wisp_dhcp_next_event(dhcp, &event)) {
        }
        for (int sent = 0; wisp_dhcp_next(dhcp, now, &message); sent++) {
            ck_assert_int_lt(sent, 4);
        }
        ck_assert(wisp_dhcp_deadline(dhcp) > now);
        while (wisp_dhcp_next_event(dhcp, &event)) {
        }
        now = state & 1 && wisp_dhcp_deadline(dhcp) != WISP_NEVER ? wisp_dhcp_deadline(dhcp)
                                                                  : now + 1;
        if (wisp_dhcp_deadline(dhcp) == WISP_NEVER) {
            wisp_dhcp_start(dhcp, now);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_input");
    TCase *tcase = tcase_create("input");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_waiting_state__spoiled_replies__ignored_and_counted);
    tcase_add_test(tcase, every_state__reply_it_does_not_wait_for__ignored);
    tcase_add_test(tcase, requesting__ack_or_nak_of_another_server__ignored);
    tcase_add_test(tcase, requesting__client_id_echoed__must_be_ours);
    tcase_add_test(tcase, any_state__a_million_offers__same_memory_same_state);
    tcase_add_test(tcase, requesting__ack_truncated_anywhere__never_a_lease_without_its_time);
    tcase_add_test(tcase, every_state__random_mutations__survived_and_time_moves_on);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
