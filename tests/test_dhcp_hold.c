/* SPDX-License-Identifier: ISC */
/* Having a lease: renewal, rebinding, expiry, refusals, changes, confirmation. */
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

static bool has(uint8_t code)
{
    uint8_t length;
    return request_option(&message, code, &length) != NULL;
}

static void answer(uint8_t type, struct wisp_ip4 server, struct wisp_ip4 address, wisp_time now)
{
    reply_begin(&reply, type, request_xid(&message), address);
    reply_ip4(&reply, 54, server);
    reply_u32(&reply, 51, 3600);
    reply_u32(&reply, 1, 0xffffff00);
    reply_give(&reply, dhcp, now);
}

/* Binds for an hour at 0 and goes to where T1 (or T2) has just passed; the request is in message. */
static wisp_time to_renewing(void)
{
    peer_bind(dhcp, 3600, 0);
    wisp_time now = wisp_dhcp_lease(dhcp)->renew;
    expect_quiet(dhcp, now - 1);
    expect_message(dhcp, now, REQUEST, &message);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_RENEWING);
    return now;
}

static wisp_time to_rebinding(void)
{
    to_renewing();
    wisp_time now = wisp_dhcp_lease(dhcp)->rebind;
    expect_message(dhcp, now, REQUEST, &message);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REBINDING);
    return now;
}

/* covers: D11, D15 */
START_TEST(bound__t1__asks_its_server_by_unicast)
{
    to_renewing();
    ck_assert(!has(54) && !has(50));
    ck_assert(wisp_ip4_equal(request_ciaddr(&message), PEER_ADDRESS));
    ck_assert(wisp_ip4_equal(message.remote, PEER_SERVER));
    ck_assert(wisp_ip4_equal(message.local, PEER_ADDRESS));
    ck_assert_mem_eq(message.bytes + 10, "\0\0", 2);
}
END_TEST

/* covers: D12 */
START_TEST(renewing__t2__asks_everybody)
{
    to_rebinding();
    ck_assert(!has(54) && !has(50));
    ck_assert(wisp_ip4_equal(request_ciaddr(&message), PEER_ADDRESS));
    ck_assert_uint_eq(wisp_ip4_value(message.remote), 0xffffffff);
}
END_TEST

START_TEST(renewing__ack__lease_counts_from_the_request)
{
    wisp_time now = to_renewing();
    answer(ACK, PEER_SERVER, PEER_ADDRESS, now + WISP_SEC(7));
    expect_event(dhcp, WISP_DHCP_RENEWED, WISP_DHCP_REASON_NONE);
    ck_assert(wisp_dhcp_lease(dhcp)->until == now + WISP_SEC(3600));
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_BOUND);
    expect_no_event(dhcp);
}
END_TEST

/* covers: D25 */
START_TEST(renewing_and_rebinding__no_answer__half_of_what_is_left_not_below_60_s)
{
    wisp_time now = to_renewing();
    wisp_time rebind = wisp_dhcp_lease(dhcp)->rebind;
    wisp_time until = wisp_dhcp_lease(dhcp)->until;
    int requests = 1;
    while (now < rebind) {
        wisp_time next = wisp_dhcp_deadline(dhcp);
        wisp_time half = (rebind - now) / 2;
        wisp_time want = now + (half > WISP_SEC(60) ? half : WISP_SEC(60));
        ck_assert(next == (want < rebind ? want : rebind));
        expect_quiet(dhcp, next - 1);
        expect_message(dhcp, next, REQUEST, &message);
        now = next;
        requests++;
    }
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REBINDING);
    while (wisp_dhcp_deadline(dhcp) < until) {
        wisp_time next = wisp_dhcp_deadline(dhcp);
        wisp_time half = (until - now) / 2;
        ck_assert(next == now + (half > WISP_SEC(60) ? half : WISP_SEC(60)));
        expect_message(dhcp, next, REQUEST, &message);
        now = next;
        requests++;
    }
    ck_assert_int_gt(requests, 6);
    ck_assert_int_lt(requests, 14);
}
END_TEST

/* covers: D26 */
START_TEST(rebinding__lease_over__address_lost_at_once_and_init)
{
    to_rebinding();
    wisp_time until = wisp_dhcp_lease(dhcp)->until;
    while (wisp_dhcp_deadline(dhcp) < until) {
        expect_message(dhcp, wisp_dhcp_deadline(dhcp), REQUEST, &message);
    }
    ck_assert(wisp_dhcp_deadline(dhcp) == until);
    expect_no_event(dhcp);
    expect_message(dhcp, until, DISCOVER, &message);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_EXPIRED);
    ck_assert_ptr_null(wisp_dhcp_lease(dhcp));
}
END_TEST

/* covers: D26 */
START_TEST(bound__slept_past_the_end__lost_before_anything_is_sent)
{
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_confirm(dhcp, WISP_SEC(86400));
    expect_message(dhcp, WISP_SEC(86400), DISCOVER, &message);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_EXPIRED);
}
END_TEST

START_TEST(rebinding__another_server_answers__lease_is_its)
{
    struct wisp_ip4 other = wisp_ip4(192, 0, 2, 9);
    wisp_time now = to_rebinding();
    answer(ACK, other, PEER_ADDRESS, now);
    expect_event(dhcp, WISP_DHCP_RENEWED, WISP_DHCP_REASON_NONE);
    ck_assert(wisp_ip4_equal(wisp_dhcp_lease(dhcp)->server, other));
    now = wisp_dhcp_lease(dhcp)->renew;
    expect_message(dhcp, now, REQUEST, &message);
    ck_assert(wisp_ip4_equal(message.remote, other));
}
END_TEST

/* covers: DH-14, D23 */
START_TEST(bound__foreign_nak_offer_or_forcerenew__ignored)
{
    static const uint8_t types[] = {NAK, OFFER, ACK, FORCERENEW, DISCOVER, 18, 255};
    static const struct wisp_ip4 servers[] = {{{192, 0, 2, 66}}, {{192, 0, 2, 1}}};
    for (size_t i = 0; i < sizeof(types); i++) {
        for (size_t k = 0; k < 2; k++) {
            peer_bind(dhcp, 3600, 0);
            uint32_t xids[] = {0, 0x12345678};
            for (size_t x = 0; x < 2; x++) {
                reply_begin(&reply, types[i], xids[x], wisp_ip4(192, 0, 2, 99));
                reply_ip4(&reply, 54, servers[k]);
                reply_u32(&reply, 51, 3600);
                reply_give(&reply, dhcp, 5);
                ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_BOUND);
            }
            expect_no_event(dhcp);
            expect_quiet(dhcp, 5);
        }
    }
}
END_TEST

/* covers: DH-14 */
START_TEST(bound__nak_with_the_last_xid__ignored_as_nothing_was_asked)
{
    static const uint8_t types[] = {NAK, ACK, OFFER};
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    answer(OFFER, PEER_SERVER, PEER_ADDRESS, 0);
    expect_message(dhcp, 0, REQUEST, &message);
    answer(ACK, PEER_SERVER, PEER_ADDRESS, 0);
    expect_event(dhcp, WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE);
    for (size_t i = 0; i < sizeof(types); i++) {
        answer(types[i], PEER_SERVER, wisp_ip4(192, 0, 2, 99), 0);
    }
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_BOUND);
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.unexpected"), 3);
    expect_no_event(dhcp);
}
END_TEST

/* covers: DH-14, D23 */
START_TEST(renewing__answers_of_another_server__ignored)
{
    wisp_time now = to_renewing();
    answer(NAK, wisp_ip4(192, 0, 2, 66), wisp_ip4(0, 0, 0, 0), now);
    answer(ACK, wisp_ip4(192, 0, 2, 66), wisp_ip4(192, 0, 2, 99), now);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_RENEWING);
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.foreign_server"), 2);
    expect_no_event(dhcp);
}
END_TEST

/* covers: D23 */
START_TEST(renewing__nak_of_its_server__address_lost_and_init)
{
    wisp_time now = to_renewing();
    answer(NAK, PEER_SERVER, wisp_ip4(0, 0, 0, 0), now);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_REFUSED);
    expect_message(dhcp, now, DISCOVER, &message);
}
END_TEST

/* covers: DH-15, D27, D20 */
START_TEST(renewing__ack_with_another_address__old_one_lost_first)
{
    struct wisp_ip4 other = wisp_ip4(192, 0, 2, 99);
    struct wisp_dhcp_event event;
    wisp_time now = to_renewing();
    answer(ACK, PEER_SERVER, other, now);
    ck_assert(wisp_dhcp_next_event(dhcp, &event));
    ck_assert_int_eq(event.kind, WISP_DHCP_LOST);
    ck_assert_int_eq(event.reason, WISP_DHCP_REASON_CHANGED);
    ck_assert(wisp_ip4_equal(event.address, PEER_ADDRESS));
    ck_assert(wisp_dhcp_next_event(dhcp, &event));
    ck_assert_int_eq(event.kind, WISP_DHCP_LEASED);
    ck_assert(wisp_ip4_equal(event.address, other));
    ck_assert(wisp_ip4_equal(wisp_dhcp_lease(dhcp)->address, other));
}
END_TEST

START_TEST(renewing__ack_of_an_earlier_request__ignored)
{
    to_renewing();
    struct wisp_dhcp_message first = message;
    wisp_time now = wisp_dhcp_deadline(dhcp);
    expect_message(dhcp, now, REQUEST, &message);
    ck_assert_uint_ne(request_xid(&first), request_xid(&message));
    struct wisp_dhcp_message second = message;
    message = first;
    answer(ACK, PEER_SERVER, PEER_ADDRESS, now);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_RENEWING);
    message = second;
    answer(ACK, PEER_SERVER, PEER_ADDRESS, now);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_BOUND);
}
END_TEST

/* covers: D30 */
START_TEST(bound__lease_without_end__never_asks_again)
{
    peer_bind(dhcp, UINT32_MAX, 0);
    ck_assert(wisp_dhcp_deadline(dhcp) == WISP_NEVER);
    expect_quiet(dhcp, WISP_SEC(UINT64_C(10000000000)));
}
END_TEST

/* A lease is confirmed after link loss, resume or migration, and used meanwhile. */
START_TEST(bound__link_returns__asks_with_the_address_in_use)
{
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_confirm(dhcp, WISP_SEC(100));
    expect_message(dhcp, WISP_SEC(100), REQUEST, &message);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REBOOTING);
    ck_assert(!has(54) && has(50));
    ck_assert_ptr_nonnull(wisp_dhcp_lease(dhcp));
    expect_no_event(dhcp);
    answer(ACK, PEER_SERVER, PEER_ADDRESS, WISP_SEC(100));
    expect_event(dhcp, WISP_DHCP_RENEWED, WISP_DHCP_REASON_NONE);
    ck_assert(wisp_dhcp_lease(dhcp)->until == WISP_SEC(3700));
}
END_TEST

START_TEST(rebooting__moved_to_another_network__nak_takes_the_address)
{
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_confirm(dhcp, WISP_SEC(100));
    expect_message(dhcp, WISP_SEC(100), REQUEST, &message);
    answer(NAK, wisp_ip4(10, 0, 0, 1), wisp_ip4(0, 0, 0, 0), WISP_SEC(100));
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_REFUSED);
    expect_message(dhcp, WISP_SEC(100), DISCOVER, &message);
}
END_TEST

START_TEST(rebooting__nobody_answers__lease_goes_on_as_before)
{
    peer_bind(dhcp, 3600, 0);
    wisp_time renew = wisp_dhcp_lease(dhcp)->renew;
    wisp_time now = WISP_SEC(100);
    wisp_dhcp_confirm(dhcp, now);
    for (int i = 0; i < 4; i++) {
        expect_message(dhcp, now, REQUEST, &message);
        expect_quiet(dhcp, now);
        now = wisp_dhcp_deadline(dhcp);
    }
    expect_quiet(dhcp, now);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_BOUND);
    ck_assert(wisp_dhcp_deadline(dhcp) == renew);
    expect_event(dhcp, WISP_DHCP_SILENT, WISP_DHCP_REASON_NONE);
    expect_no_event(dhcp);
    expect_message(dhcp, renew, REQUEST, &message);
    ck_assert(wisp_ip4_equal(message.remote, PEER_SERVER));
}
END_TEST

/* covers: DH-10 */
START_TEST(lease_of_one_second__obedient_server__honoured_without_busy_loop)
{
    wisp_time now = 0;
    uint32_t messages = 0;
    struct wisp_dhcp_event event;
    wisp_dhcp_start(dhcp, 0);
    while (now < WISP_SEC(600)) {
        while (wisp_dhcp_next(dhcp, now, &message)) {
            messages++;
            reply_make(&reply, request_type(&message) == DISCOVER ? OFFER : ACK,
                       request_xid(&message), PEER_ADDRESS, 1);
            reply_give(&reply, dhcp, now);
        }
        while (wisp_dhcp_next_event(dhcp, &event)) {
            ck_assert(event.kind == (messages == 2 ? WISP_DHCP_LEASED : WISP_DHCP_RENEWED));
        }
        now = wisp_dhcp_deadline(dhcp);
    }
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.leases"), 1);
    ck_assert_uint_ge(peer_count(dhcp, "dhcp.renewals"), 600000 / 532);
    ck_assert_uint_le(messages, 600000 / 468 + 2); /* T1 is half of the lease, give or take 1/32 */
}
END_TEST

/* covers: DH-10 */
START_TEST(short_lease__server_silent__requests_stay_60_s_apart)
{
    peer_bind(dhcp, 30, 0);
    wisp_time last = 0;
    int requests = 0;
    while (wisp_dhcp_deadline(dhcp) < WISP_SEC(30)) {
        last = wisp_dhcp_deadline(dhcp);
        if (wisp_dhcp_next(dhcp, last, &message)) {
            requests++;
        }
    }
    ck_assert_int_eq(requests, 2); /* at T1 and at T2 */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_hold");
    TCase *tcase = tcase_create("hold");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, bound__t1__asks_its_server_by_unicast);
    tcase_add_test(tcase, renewing__t2__asks_everybody);
    tcase_add_test(tcase, renewing__ack__lease_counts_from_the_request);
    tcase_add_test(tcase, renewing_and_rebinding__no_answer__half_of_what_is_left_not_below_60_s);
    tcase_add_test(tcase, rebinding__lease_over__address_lost_at_once_and_init);
    tcase_add_test(tcase, bound__slept_past_the_end__lost_before_anything_is_sent);
    tcase_add_test(tcase, rebinding__another_server_answers__lease_is_its);
    tcase_add_test(tcase, bound__foreign_nak_offer_or_forcerenew__ignored);
    tcase_add_test(tcase, bound__nak_with_the_last_xid__ignored_as_nothing_was_asked);
    tcase_add_test(tcase, renewing__answers_of_another_server__ignored);
    tcase_add_test(tcase, renewing__nak_of_its_server__address_lost_and_init);
    tcase_add_test(tcase, renewing__ack_with_another_address__old_one_lost_first);
    tcase_add_test(tcase, renewing__ack_of_an_earlier_request__ignored);
    tcase_add_test(tcase, bound__lease_without_end__never_asks_again);
    tcase_add_test(tcase, bound__link_returns__asks_with_the_address_in_use);
    tcase_add_test(tcase, rebooting__moved_to_another_network__nak_takes_the_address);
    tcase_add_test(tcase, rebooting__nobody_answers__lease_goes_on_as_before);
    tcase_add_test(tcase, lease_of_one_second__obedient_server__honoured_without_busy_loop);
    tcase_add_test(tcase, short_lease__server_silent__requests_stay_60_s_apart);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
