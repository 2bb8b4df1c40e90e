/* SPDX-License-Identifier: ISC */
/* DECLINE, RELEASE, INFORM. */
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
    config.host_name = "box";
    dhcp = peer_client(&config);
}

static void teardown(void)
{
    free(dhcp);
}

/* The message's options are exactly these, in any order. */
static void expect_options(const char *codes, size_t count)
{
    size_t found = 0;
    for (uint32_t at = 240; message.bytes[at] != 255; at += 2u + message.bytes[at + 1]) {
        ck_assert_msg(memchr(codes, message.bytes[at], count), "option %u", message.bytes[at]);
        found++;
    }
    ck_assert_uint_eq(found, count);
}

/* covers: AR-12, D21, A10 */
START_TEST(bound__conflict__declined_lost_and_restart_after_ten_seconds)
{
    wisp_time now = WISP_SEC(1);
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_conflict(dhcp, now);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_CONFLICT);
    ck_assert_ptr_null(wisp_dhcp_lease(dhcp));
    expect_message(dhcp, now, DECLINE, &message);
    expect_quiet(dhcp, now);
    expect_quiet(dhcp, now + WISP_SEC(10) - 1);
    expect_message(dhcp, now + WISP_SEC(10), DISCOVER, &message);
}
END_TEST

/* covers: D13 */
START_TEST(decline__contents__identifiers_and_address_only)
{
    uint8_t length;
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_conflict(dhcp, 0);
    expect_message(dhcp, 0, DECLINE, &message);
    expect_options("\x35\x3d\x32\x36", 4);
    ck_assert_mem_eq(request_option(&message, 50, &length), PEER_ADDRESS.octet, 4);
    ck_assert_mem_eq(request_option(&message, 54, &length), PEER_SERVER.octet, 4);
    ck_assert_uint_eq(wisp_ip4_value(request_ciaddr(&message)), 0);
    ck_assert_uint_eq(wisp_ip4_value(message.remote), 0xffffffff);
    ck_assert_mem_eq(message.bytes + 10, "\0\0", 2);
}
END_TEST

/* covers: A6 */
START_TEST(conflicts__ten_in_a_row__then_one_address_a_minute)
{
    wisp_time now = 0;
    for (int i = 1; i <= 12; i++) {
        peer_bind(dhcp, 3600, now); /* starts anew, so conflicts are counted through search below */
        wisp_dhcp_conflict(dhcp, now);
        expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_CONFLICT);
        expect_message(dhcp, now, DECLINE, &message);
    }
    /* A start by hand forgets conflicts; the client's own searches do not. */
    now = wisp_dhcp_deadline(dhcp);
    for (int i = 2; i <= 14; i++) {
        expect_message(dhcp, now, DISCOVER, &message);
        reply_make(&reply, OFFER, request_xid(&message), PEER_ADDRESS, 3600);
        reply_give(&reply, dhcp, now);
        expect_message(dhcp, now, REQUEST, &message);
        reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 3600);
        reply_give(&reply, dhcp, now);
        wisp_dhcp_conflict(dhcp, now);
        expect_message(dhcp, now, DECLINE, &message);
        wisp_time wait = wisp_dhcp_deadline(dhcp) - now;
        ck_assert_msg(wait == (i < 10 ? WISP_SEC(10) : WISP_SEC(60)), "conflict %d", i);
        now += wait;
    }
}
END_TEST

START_TEST(no_lease__conflict__nothing_happens)
{
    wisp_dhcp_start(dhcp, 0);
    wisp_dhcp_conflict(dhcp, 0);
    expect_no_event(dhcp);
    expect_message(dhcp, 0, DISCOVER, &message);
}
END_TEST

/* covers: D13, D15 */
START_TEST(bound__release__told_to_the_server_before_the_address_goes)
{
    uint8_t length;
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_release(dhcp, 5);
    expect_message(dhcp, 5, RELEASE, &message);
    expect_options("\x35\x3d\x36", 3);
    ck_assert_mem_eq(request_option(&message, 54, &length), PEER_SERVER.octet, 4);
    ck_assert(wisp_ip4_equal(request_ciaddr(&message), PEER_ADDRESS));
    ck_assert(wisp_ip4_equal(message.remote, PEER_SERVER));
    ck_assert(wisp_ip4_equal(message.local, PEER_ADDRESS));
    expect_no_event(dhcp);
    expect_quiet(dhcp, 5);
    wisp_time now = wisp_dhcp_deadline(dhcp);
    ck_assert(now < WISP_SEC(1));
    expect_quiet(dhcp, now);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_RELEASED);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_STOPPED);
    ck_assert(wisp_dhcp_deadline(dhcp) == WISP_NEVER);
}
END_TEST

START_TEST(selecting__release__stops_without_a_word)
{
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    wisp_dhcp_release(dhcp, 0);
    expect_quiet(dhcp, WISP_SEC(1000));
    expect_no_event(dhcp);
}
END_TEST

/* covers: D14 */
START_TEST(inform__contents__own_address_and_no_lease_time)
{
    uint8_t length;
    wisp_dhcp_inform(dhcp, PEER_ADDRESS, 24, 0);
    expect_message(dhcp, 0, INFORM, &message);
    ck_assert(wisp_ip4_equal(request_ciaddr(&message), PEER_ADDRESS));
    ck_assert(wisp_ip4_equal(message.local, PEER_ADDRESS));
    ck_assert_ptr_null(request_option(&message, 50, &length));
    ck_assert_ptr_null(request_option(&message, 51, &length));
    ck_assert_ptr_null(request_option(&message, 54, &length));
    const uint8_t *list = request_option(&message, 55, &length);
    ck_assert_ptr_null(memchr(list, 51, length));
    ck_assert_ptr_nonnull(memchr(list, 6, length));
}
END_TEST

START_TEST(informing__ack_without_lease_time__parameters_and_own_address)
{
    wisp_dhcp_inform(dhcp, PEER_ADDRESS, 25, 0);
    expect_message(dhcp, 0, INFORM, &message);
    reply_begin(&reply, ACK, request_xid(&message), wisp_ip4(0, 0, 0, 0));
    reply_ip4(&reply, 54, PEER_SERVER);
    reply_u32(&reply, 1, 0xffffff00);
    reply_ip4(&reply, 6, wisp_ip4(192, 0, 2, 53));
    reply_give(&reply, dhcp, 0);
    expect_event(dhcp, WISP_DHCP_INFORMED, WISP_DHCP_REASON_NONE);
    const struct wisp_dhcp_lease *lease = wisp_dhcp_lease(dhcp);
    ck_assert(wisp_ip4_equal(lease->address, PEER_ADDRESS));
    ck_assert_uint_eq(lease->prefix, 25);
    ck_assert_uint_eq(lease->name_servers, 1);
    ck_assert(lease->until == WISP_NEVER);
    expect_quiet(dhcp, WISP_SEC(100000));
    wisp_dhcp_confirm(dhcp, WISP_SEC(100000));
    expect_message(dhcp, WISP_SEC(100000), INFORM, &message);
}
END_TEST

/* covers: D29 */
START_TEST(informing__no_answer_in_four_tries__told_and_over)
{
    wisp_time now = 0;
    wisp_dhcp_inform(dhcp, PEER_ADDRESS, 24, now);
    for (int i = 0; i < 4; i++) {
        expect_message(dhcp, now, INFORM, &message);
        expect_quiet(dhcp, now);
        now = wisp_dhcp_deadline(dhcp);
    }
    ck_assert(now > WISP_SEC(55) && now < WISP_SEC(65));
    expect_quiet(dhcp, now);
    expect_event(dhcp, WISP_DHCP_SILENT, WISP_DHCP_REASON_NONE);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_STOPPED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_leave");
    TCase *tcase = tcase_create("leave");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, bound__conflict__declined_lost_and_restart_after_ten_seconds);
    tcase_add_test(tcase, decline__contents__identifiers_and_address_only);
    tcase_add_test(tcase, conflicts__ten_in_a_row__then_one_address_a_minute);
    tcase_add_test(tcase, no_lease__conflict__nothing_happens);
    tcase_add_test(tcase, bound__release__told_to_the_server_before_the_address_goes);
    tcase_add_test(tcase, selecting__release__stops_without_a_word);
    tcase_add_test(tcase, inform__contents__own_address_and_no_lease_time);
    tcase_add_test(tcase, informing__ack_without_lease_time__parameters_and_own_address);
    tcase_add_test(tcase, informing__no_answer_in_four_tries__told_and_over);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
