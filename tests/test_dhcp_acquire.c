/* SPDX-License-Identifier: ISC */
/* Getting a lease: messages octet by octet, offers, retransmission, INIT-REBOOT. */
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

static void again(void)
{
    free(dhcp);
    dhcp = peer_client(&config);
}

static void teardown(void)
{
    free(dhcp);
}

static struct wisp_ip4 option_ip4(uint8_t code)
{
    uint8_t length;
    const uint8_t *value = request_option(&message, code, &length);
    if (!value || length != 4) {
        return wisp_ip4(0, 0, 0, 0);
    }
    return wisp_ip4(value[0], value[1], value[2], value[3]);
}

static bool has(uint8_t code)
{
    uint8_t length;
    return request_option(&message, code, &length) != NULL;
}

static uint16_t secs(void)
{
    return (uint16_t)(message.bytes[8] << 8 | message.bytes[9]);
}

static void offer(struct wisp_ip4 server, struct wisp_ip4 address, wisp_time now)
{
    reply_begin(&reply, OFFER, request_xid(&message), address);
    reply_ip4(&reply, 54, server);
    reply_u32(&reply, 51, 3600);
    reply_u32(&reply, 1, 0xffffff00);
    reply_end(&reply);
    reply_give(&reply, dhcp, now);
}

/* covers: D1, D4, D6, D7, O53, O55, O57, O60 */
START_TEST(init__start__discover_has_every_field_right)
{
    static const uint8_t mac[16] = {0x02, 0x00, 0x00, 0xaa, 0xbb, 0x01};
    static const uint8_t zero[192] = {0};
    uint8_t length;
    wisp_dhcp_start(dhcp, WISP_SEC(5));
    expect_message(dhcp, WISP_SEC(5), DISCOVER, &message);
    ck_assert_mem_eq(message.bytes, "\1\1\6\0", 4);
    ck_assert_uint_eq(secs(), 0);
    ck_assert_mem_eq(message.bytes + 10, zero, 18); /* flags, ciaddr, yiaddr, siaddr, giaddr */
    ck_assert_mem_eq(message.bytes + 28, mac, 16);
    ck_assert_mem_eq(message.bytes + 44, zero, 192);
    ck_assert_mem_eq(message.bytes + 236, "\x63\x82\x53\x63", 4);
    const uint8_t *most = request_option(&message, 57, &length);
    ck_assert(length == 2 && most[0] * 256 + most[1] >= 576);
    ck_assert(!has(50) && !has(54));
    ck_assert_uint_eq(wisp_ip4_value(message.remote), 0xffffffff);
    ck_assert_uint_eq(wisp_ip4_value(message.local), 0);
    ck_assert_uint_ge(message.length, 300);
    expect_quiet(dhcp, WISP_SEC(5));
}
END_TEST

/* covers: D6, D1 */
START_TEST(init__broadcast_wanted__only_that_flag_set)
{
    config.broadcast = true;
    again();
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    ck_assert_mem_eq(message.bytes + 10, "\x80\0", 2);
}
END_TEST

/* covers: D2, O61 */
START_TEST(client_id__default_or_given__as_rfc_4361_or_text)
{
    /* type 255, IAID, DUID-LL: type 3, Ethernet, MAC */
    static const uint8_t by_mac[15] = {255, 0, 0xaa, 0xbb, 1, 0, 3, 0, 1, 2, 0, 0, 0xaa, 0xbb, 1};
    uint8_t length;
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    const uint8_t *id = request_option(&message, 61, &length);
    ck_assert_uint_eq(length, sizeof(by_mac));
    ck_assert_mem_eq(id, by_mac, sizeof(by_mac));
    config.client_id = "guest-7";
    again();
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    id = request_option(&message, 61, &length);
    ck_assert_uint_eq(length, 8);
    ck_assert_mem_eq(id, "\0guest-7", 8);
    config.client_id = ""; /* alone a type is no identifier (RFC 2132 §9.14: two octets at least) */
    again();
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    id = request_option(&message, 61, &length);
    ck_assert_uint_eq(length, sizeof(by_mac));
    ck_assert_mem_eq(id, by_mac, sizeof(by_mac));
}
END_TEST

/* covers: D16 */
START_TEST(texts__as_long_as_can_be__message_fits_without_overload)
{
    char text[300];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    config.client_id = config.host_name = config.vendor_class = text;
    again();
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_start(dhcp, 0);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_RELEASED);
    expect_message(dhcp, 0, DISCOVER, &message);
    ck_assert_uint_le(message.length, WISP_DHCP_MESSAGE_MAX);
    ck_assert_uint_eq(message.bytes[message.length - 1], 255);
    ck_assert(!has(52));
    uint8_t length;
    ck_assert_ptr_nonnull(request_option(&message, 55, &length));
}
END_TEST

/* covers: D3, D9, O50, O54 */
START_TEST(selecting__usable_offer__request_as_discover_with_server_and_address)
{
    uint8_t before_length;
    uint8_t length;
    uint8_t before[16];
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    wisp_time later = wisp_dhcp_deadline(dhcp);
    expect_message(dhcp, later, DISCOVER, &message);
    uint16_t discover_secs = secs();
    uint32_t xid = request_xid(&message);
    ck_assert_uint_ge(discover_secs, 3);
    memcpy(before, request_option(&message, 55, &before_length), 16);
    offer(PEER_SERVER, PEER_ADDRESS, later + WISP_SEC(2));
    expect_message(dhcp, later + WISP_SEC(2), REQUEST, &message);
    ck_assert(wisp_ip4_equal(option_ip4(54), PEER_SERVER));
    ck_assert(wisp_ip4_equal(option_ip4(50), PEER_ADDRESS));
    ck_assert_uint_eq(wisp_ip4_value(request_ciaddr(&message)), 0);
    ck_assert_uint_eq(secs(), discover_secs);
    ck_assert_uint_eq(request_xid(&message), xid);
    ck_assert_uint_eq(wisp_ip4_value(message.remote), 0xffffffff);
    const uint8_t *list = request_option(&message, 55, &length);
    ck_assert_uint_eq(length, before_length);
    ck_assert_mem_eq(list, before, length);
    ck_assert_ptr_nonnull(memchr(list, 121, length));
    ck_assert((const uint8_t *)memchr(list, 121, length) <
              (const uint8_t *)memchr(list, 3, length));
}
END_TEST

/* covers: D2, D3 */
START_TEST(whole_life__every_message__same_client_id_and_parameter_list)
{
    uint8_t length;
    uint8_t id[15];
    uint8_t list[13];
    peer_bind(dhcp, 3600, 0);
    wisp_dhcp_start(dhcp, 0);
    expect_event(dhcp, WISP_DHCP_LOST, WISP_DHCP_REASON_RELEASED);
    expect_message(dhcp, 0, DISCOVER, &message);
    memcpy(id, request_option(&message, 61, &length), sizeof(id));
    memcpy(list, request_option(&message, 55, &length), sizeof(list));
    peer_bind(dhcp, 3600, 0);
    wisp_time now = wisp_dhcp_deadline(dhcp);
    expect_message(dhcp, now, REQUEST, &message);
    ck_assert_mem_eq(request_option(&message, 61, &length), id, sizeof(id));
    ck_assert_mem_eq(request_option(&message, 55, &length), list, sizeof(list));
    ck_assert_uint_eq(length, sizeof(list));
    wisp_dhcp_release(dhcp, now);
    expect_message(dhcp, now, RELEASE, &message);
    ck_assert_mem_eq(request_option(&message, 61, &length), id, sizeof(id));
    peer_bind(dhcp, 3600, now);
    wisp_dhcp_conflict(dhcp, now);
    expect_message(dhcp, now, DECLINE, &message);
    ck_assert_mem_eq(request_option(&message, 61, &length), id, sizeof(id));
}
END_TEST

/* covers: D5, DH-17 */
START_TEST(many_clients__start__transaction_ids_spread_evenly)
{
    enum { CLIENTS = 1000000, BUCKETS = 256 };
    static uint32_t high[BUCKETS];
    static uint32_t low[BUCKETS];
    static uint8_t seen[1u << 24];
    uint32_t repeats = 0;
    size_t size = wisp_dhcp_size(&config);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        memcpy(config.seed, &i, sizeof(i));
        ck_assert_ptr_nonnull(wisp_dhcp_init(dhcp, size, &config));
        wisp_dhcp_start(dhcp, 0);
        wisp_dhcp_next(dhcp, 0, &message);
        uint32_t xid = request_xid(&message);
        high[xid >> 24]++;
        low[xid & 255]++;
        uint8_t bit = (uint8_t)(1u << (xid & 7));
        repeats += (seen[xid >> 8] & bit) != 0;
        seen[xid >> 8] |= bit;
    }
    /* 3906 expected in each; six standard deviations are 375. */
    for (int i = 0; i < BUCKETS; i++) {
        ck_assert_msg(high[i] > 3531 && high[i] < 4281, "high octet %d: %u", i, high[i]);
        ck_assert_msg(low[i] > 3531 && low[i] < 4281, "low octet %d: %u", i, low[i]);
    }
    /* Of 2^27 cells, a million random marks hit a marked one about 3,700 times. */
    ck_assert_msg(repeats < 4300, "%u", repeats);
}
END_TEST

/* covers: D8 */
START_TEST(start_delay__asked_for__one_to_ten_seconds)
{
    wisp_time least = WISP_NEVER;
    wisp_time most = 0;
    for (uint32_t i = 0; i < 300; i++) {
        peer_config(&config, i);
        config.start_delay = true;
        again();
        wisp_dhcp_start(dhcp, 0);
        expect_quiet(dhcp, 0);
        wisp_time at = wisp_dhcp_deadline(dhcp);
        ck_assert(at >= WISP_SEC(1) && at <= WISP_SEC(10));
        least = wisp_time_min(least, at);
        most = at > most ? at : most;
        expect_message(dhcp, at, DISCOVER, &message);
    }
    ck_assert(least < WISP_SEC(2) && most > WISP_SEC(9));
}
END_TEST

/* covers: D28 */
START_TEST(selecting__nobody_answers__backs_off_to_64_s_with_jitter)
{
    static const int seconds[] = {4, 8, 16, 32, 64, 64, 64};
    bool jittered = false;
    wisp_time now = 0;
    wisp_dhcp_start(dhcp, now);
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        expect_message(dhcp, now, DISCOVER, &message);
        expect_quiet(dhcp, now);
        wisp_time wait = wisp_dhcp_deadline(dhcp) - now;
        ck_assert_msg(wait >= WISP_SEC(seconds[i] - 1) && wait <= WISP_SEC(seconds[i] + 1) + 1,
                      "wait %zu: %llu", i, (unsigned long long)wait);
        jittered = jittered || wait % WISP_SEC(1) > 1;
        expect_quiet(dhcp, now + wait - 1);
        now += wait;
    }
    ck_assert(jittered);
    expect_event(dhcp, WISP_DHCP_SILENT, WISP_DHCP_REASON_NONE);
    expect_no_event(dhcp);
}
END_TEST

/* covers: D19 */
START_TEST(selecting__offer_nobody_can_use__ignored)
{
    static const struct {
        const char *name;
        struct wisp_ip4 server, address;
        uint32_t lease;
    } rows[] = {
        {"no server id", {{0, 0, 0, 0}}, {{192, 0, 2, 50}}, 60},
        {"server id broadcast", {{255, 255, 255, 255}}, {{192, 0, 2, 50}}, 60},
        {"address 0", {{192, 0, 2, 1}}, {{0, 0, 0, 0}}, 60},
        {"address multicast", {{192, 0, 2, 1}}, {{224, 0, 0, 5}}, 60},
        {"address broadcast", {{192, 0, 2, 1}}, {{255, 255, 255, 255}}, 60},
        {"address loopback", {{192, 0, 2, 1}}, {{127, 0, 0, 1}}, 60},
        {"network broadcast", {{192, 0, 2, 1}}, {{192, 0, 2, 255}}, 60},
        {"lease 0", {{192, 0, 2, 1}}, {{192, 0, 2, 50}}, 0},
    };
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_begin(&reply, OFFER, request_xid(&message), rows[i].address);
        if (wisp_ip4_value(rows[i].server)) {
            reply_ip4(&reply, 54, rows[i].server);
        }
        reply_u32(&reply, 51, rows[i].lease);
        reply_u32(&reply, 1, 0xffffff00);
        reply_give(&reply, dhcp, 0);
        ck_assert_msg(wisp_dhcp_state(dhcp) == WISP_DHCP_STATE_SELECTING, "%s", rows[i].name);
        ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.unusable"), i + 1);
    }
    expect_event(dhcp, WISP_DHCP_UNUSABLE, WISP_DHCP_REASON_NO_HOST);
    expect_no_event(dhcp);
    offer(PEER_SERVER, PEER_ADDRESS, 0);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REQUESTING);
}
END_TEST

/* covers: DH-10 */
START_TEST(selecting__only_absurd_leases__told_once_and_why_and_no_silence)
{
    static const struct {
        struct wisp_ip4 address;
        uint32_t lease;
        enum wisp_dhcp_reason reason;
    } rows[] = {
        {{{192, 0, 2, 50}}, 0, WISP_DHCP_REASON_NO_TIME},
        {{{224, 0, 0, 5}}, 60, WISP_DHCP_REASON_NO_HOST},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wisp_time now = 0;
        wisp_dhcp_start(dhcp, now);
        for (int tries = 0; tries < 6; tries++) {
            expect_message(dhcp, now, DISCOVER, &message);
            reply_make(&reply, OFFER, request_xid(&message), rows[i].address, rows[i].lease);
            reply_give(&reply, dhcp, now);
            now = wisp_dhcp_deadline(dhcp);
        }
        expect_event(dhcp, WISP_DHCP_UNUSABLE, rows[i].reason);
        expect_no_event(dhcp);
    }
}
END_TEST

/* covers: DH-10 */
START_TEST(requesting__absurd_ack__told_and_asked_again)
{
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    offer(PEER_SERVER, PEER_ADDRESS, 0);
    expect_message(dhcp, 0, REQUEST, &message);
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 0);
    reply_give(&reply, dhcp, 0);
    reply_give(&reply, dhcp, 0);
    expect_event(dhcp, WISP_DHCP_UNUSABLE, WISP_DHCP_REASON_NO_TIME);
    expect_no_event(dhcp);
    ck_assert_str_eq(wisp_dhcp_reason_text(WISP_DHCP_REASON_NO_TIME), "no lease time");
    expect_message(dhcp, wisp_dhcp_deadline(dhcp), REQUEST, &message);
}
END_TEST

/* covers: DH-14 */
START_TEST(selecting__two_offers__first_one_is_requested)
{
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    offer(PEER_SERVER, PEER_ADDRESS, 0);
    offer(wisp_ip4(192, 0, 2, 66), wisp_ip4(192, 0, 2, 99), 0);
    expect_message(dhcp, 0, REQUEST, &message);
    ck_assert(wisp_ip4_equal(option_ip4(54), PEER_SERVER));
    ck_assert(wisp_ip4_equal(option_ip4(50), PEER_ADDRESS));
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.unexpected"), 1);
}
END_TEST

/* covers: D20 */
START_TEST(requesting__ack_differs_from_offer__ack_counts)
{
    wisp_dhcp_start(dhcp, 0);
    expect_message(dhcp, 0, DISCOVER, &message);
    offer(PEER_SERVER, PEER_ADDRESS, 0);
    expect_message(dhcp, 0, REQUEST, &message);
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 100);
    reply_give(&reply, dhcp, WISP_MS(3));
    expect_event(dhcp, WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE);
    ck_assert(wisp_dhcp_lease(dhcp)->until == WISP_SEC(100));
    ck_assert_uint_eq(wisp_dhcp_lease(dhcp)->routes, 1); /* the offer had no router */
}
END_TEST

START_TEST(requesting__ack_after_two_requests__lease_counts_from_the_first)
{
    wisp_time now = WISP_SEC(5);
    wisp_dhcp_start(dhcp, now);
    expect_message(dhcp, now, DISCOVER, &message);
    offer(PEER_SERVER, PEER_ADDRESS, now);
    expect_message(dhcp, now, REQUEST, &message);
    expect_message(dhcp, wisp_dhcp_deadline(dhcp), REQUEST, &message);
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 100);
    reply_give(&reply, dhcp, now + WISP_SEC(6));
    ck_assert(wisp_dhcp_lease(dhcp)->from == now);
    ck_assert(wisp_dhcp_lease(dhcp)->until == now + WISP_SEC(100));
}
END_TEST

START_TEST(requesting__nobody_acknowledges__four_requests_then_discover)
{
    wisp_time now = 0;
    wisp_dhcp_start(dhcp, now);
    expect_message(dhcp, now, DISCOVER, &message);
    offer(PEER_SERVER, PEER_ADDRESS, now);
    for (int i = 0; i < 4; i++) {
        expect_message(dhcp, now, REQUEST, &message);
        expect_quiet(dhcp, now);
        now = wisp_dhcp_deadline(dhcp);
    }
    ck_assert(now > WISP_SEC(56) && now < WISP_SEC(64) + 9);
    expect_message(dhcp, now, DISCOVER, &message);
}
END_TEST

/* covers: D23, O56 */
START_TEST(requesting__nak_from_chosen_server__back_to_init_and_ever_slower)
{
    wisp_time now = 0;
    wisp_time before = 0;
    wisp_dhcp_start(dhcp, now);
    for (int i = 0; i < 6; i++) {
        expect_message(dhcp, now, DISCOVER, &message);
        ck_assert(i < 2 || now - before >= WISP_SEC(3));
        before = now;
        offer(PEER_SERVER, PEER_ADDRESS, now);
        expect_message(dhcp, now, REQUEST, &message);
        reply_begin(&reply, NAK, request_xid(&message), wisp_ip4(0, 0, 0, 0));
        reply_ip4(&reply, 54, PEER_SERVER);
        reply_option(&reply, 56, "no\033[1mleft", 10);
        reply_give(&reply, dhcp, now);
        ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_INIT);
        ck_assert_str_eq(wisp_dhcp_refusal(dhcp), "no.[1mleft");
        now = wisp_dhcp_deadline(dhcp) > now ? wisp_dhcp_deadline(dhcp) : now;
    }
    ck_assert_uint_eq(peer_count(dhcp, "dhcp.rx.naks"), 6);
    expect_no_event(dhcp);
}
END_TEST

/* covers: D10 */
START_TEST(init_reboot__remembered_address__asked_for_without_server)
{
    wisp_dhcp_reboot(dhcp, PEER_ADDRESS, 0);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_INIT_REBOOT);
    expect_message(dhcp, 0, REQUEST, &message);
    ck_assert_int_eq(wisp_dhcp_state(dhcp), WISP_DHCP_STATE_REBOOTING);
    ck_assert(!has(54));
    ck_assert(wisp_ip4_equal(option_ip4(50), PEER_ADDRESS));
    ck_assert_uint_eq(wisp_ip4_value(request_ciaddr(&message)), 0);
    ck_assert_uint_eq(wisp_ip4_value(message.remote), 0xffffffff);
    ck_assert_ptr_null(wisp_dhcp_lease(dhcp));
    reply_make(&reply, ACK, request_xid(&message), PEER_ADDRESS, 3600);
    reply_give(&reply, dhcp, 0);
    expect_event(dhcp, WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE);
}
END_TEST

/* covers: D23 */
START_TEST(rebooting__nak_from_any_server__discovers_at_once)
{
    wisp_dhcp_reboot(dhcp, PEER_ADDRESS, 0);
    expect_message(dhcp, 0, REQUEST, &message);
    reply_make(&reply, NAK, request_xid(&message), wisp_ip4(0, 0, 0, 0), 0);
    reply_give(&reply, dhcp, 5);
    expect_message(dhcp, 5, DISCOVER, &message);
    ck_assert(!has(50));
    expect_no_event(dhcp);
}
END_TEST

START_TEST(rebooting__nobody_answers__discovers)
{
    wisp_time now = 0;
    wisp_dhcp_reboot(dhcp, PEER_ADDRESS, now);
    for (int i = 0; i < 4; i++) {
        expect_message(dhcp, now, REQUEST, &message);
        expect_quiet(dhcp, now);
        now = wisp_dhcp_deadline(dhcp);
    }
    expect_message(dhcp, now, DISCOVER, &message);
}
END_TEST

START_TEST(selecting__link_returns__discovers_at_once)
{
    wisp_time now = 0;
    wisp_dhcp_start(dhcp, now);
    for (int i = 0; i < 5; i++) {
        expect_message(dhcp, now, DISCOVER, &message);
        expect_quiet(dhcp, now);
        now = wisp_dhcp_deadline(dhcp);
    }
    expect_message(dhcp, now, DISCOVER, &message);
    now += WISP_SEC(10);
    expect_quiet(dhcp, now);
    wisp_dhcp_confirm(dhcp, now);
    expect_message(dhcp, now, DISCOVER, &message);
    wisp_time wait = wisp_dhcp_deadline(dhcp) - now;
    ck_assert(wait < WISP_SEC(6));
}
END_TEST

/* A backend that has the link come and go all the time causes no flood. */
START_TEST(any_state__link_returns_a_thousand_times_a_second__one_message_a_second)
{
    for (int bound = 0; bound < 3; bound++) {
        uint32_t messages = 0;
        wisp_time now = WISP_SEC(100 * (bound + 1));
        if (bound == 1) {
            peer_bind(dhcp, 3600, now);
        } else if (bound == 2) {
            wisp_dhcp_inform(dhcp, PEER_ADDRESS, 24, now);
        } else {
            wisp_dhcp_start(dhcp, now);
        }
        for (int ms = 0; ms < 10000; ms++, now += WISP_MS(1)) {
            wisp_dhcp_confirm(dhcp, now);
            while (wisp_dhcp_next(dhcp, now, &message)) {
                messages++;
            }
            ck_assert(wisp_dhcp_deadline(dhcp) > now);
        }
        ck_assert_msg(messages >= 9 && messages <= 11, "%u messages", messages);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_acquire");
    TCase *tcase = tcase_create("acquire");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, init__start__discover_has_every_field_right);
    tcase_add_test(tcase, init__broadcast_wanted__only_that_flag_set);
    tcase_add_test(tcase, client_id__default_or_given__as_rfc_4361_or_text);
    tcase_add_test(tcase, texts__as_long_as_can_be__message_fits_without_overload);
    tcase_add_test(tcase, selecting__usable_offer__request_as_discover_with_server_and_address);
    tcase_add_test(tcase, whole_life__every_message__same_client_id_and_parameter_list);
    tcase_add_test(tcase, many_clients__start__transaction_ids_spread_evenly);
    tcase_add_test(tcase, start_delay__asked_for__one_to_ten_seconds);
    tcase_add_test(tcase, selecting__nobody_answers__backs_off_to_64_s_with_jitter);
    tcase_add_test(tcase, selecting__offer_nobody_can_use__ignored);
    tcase_add_test(tcase, selecting__only_absurd_leases__told_once_and_why_and_no_silence);
    tcase_add_test(tcase, requesting__absurd_ack__told_and_asked_again);
    tcase_add_test(tcase, selecting__two_offers__first_one_is_requested);
    tcase_add_test(tcase, requesting__ack_differs_from_offer__ack_counts);
    tcase_add_test(tcase, requesting__ack_after_two_requests__lease_counts_from_the_first);
    tcase_add_test(tcase, requesting__nobody_acknowledges__four_requests_then_discover);
    tcase_add_test(tcase, requesting__nak_from_chosen_server__back_to_init_and_ever_slower);
    tcase_add_test(tcase, init_reboot__remembered_address__asked_for_without_server);
    tcase_add_test(tcase, rebooting__nak_from_any_server__discovers_at_once);
    tcase_add_test(tcase, rebooting__nobody_answers__discovers);
    tcase_add_test(tcase, selecting__link_returns__discovers_at_once);
    tcase_add_test(tcase, any_state__link_returns_a_thousand_times_a_second__one_message_a_second);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
