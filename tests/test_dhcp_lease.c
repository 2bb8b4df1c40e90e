/* SPDX-License-Identifier: ISC */
/* What becomes of a reply: lease times, masks, routers, routes, MTU, names, in order or absurd. */
#include "dhcp_golden.h"
#include "dhcp_peer.h"
#include "lease.h"
#include "suite.h"
#include <string.h>

static struct reply reply;
static struct wisp_dhcp_lease lease;

static void read_lease(struct wisp_ip4 address, bool wide)
{
    struct dhcp_reply parsed;
    struct dhcp_lease_rules rules = {1500, wide};
    ck_assert_int_eq(dhcp_reply_parse(reply.bytes, reply.length, &parsed), DHCP_SOUND);
    dhcp_lease_read(&parsed, address, &rules, &lease);
}

static bool read_times(uint16_t fuzz, wisp_time from)
{
    struct dhcp_reply parsed;
    ck_assert_int_eq(dhcp_reply_parse(reply.bytes, reply.length, &parsed), DHCP_SOUND);
    lease.adjusted = 0;
    return dhcp_lease_time(&parsed, from, fuzz, &lease);
}

#define NOT_SENT UINT32_C(0xfffffffe)
#define CENTRE   32768 /* fuzz that shifts by nothing */

/* covers: D24, D30, DH-10, O51, O58 */
START_TEST(lease_times__sane_absurd_or_endless__taken_defaulted_or_refused)
{
    static const struct {
        const char *name;
        uint32_t lease, t1, t2;
        bool usable, adjusted;
        double want_t1, want_t2; /* seconds */
    } rows[] = {
        {"as given", 3600, 1000, 3000, true, false, 1000, 3000},
        {"defaults", 3600, NOT_SENT, NOT_SENT, true, false, 1800, 3150},
        {"only T1", 3600, 600, NOT_SENT, true, false, 600, 3150},
        {"only T2", 3600, NOT_SENT, 3000, true, false, 1800, 3000},
        {"T1 = T2", 3600, 1000, 1000, true, true, 1800, 3150},
        {"T1 > T2", 3600, 2000, 1000, true, true, 1800, 3150},
        {"T1 > T2 > lease", 3600, 9000, 8000, true, true, 1800, 3150},
        {"T2 = lease", 3600, 1000, 3600, true, true, 1800, 3150},
        {"T1 = T2 = 0", 3600, 0, 0, true, true, 1800, 3150},
        {"T1 = 0", 3600, 0, 3000, true, true, 1800, 3150},
        {"T1, T2 of all ones", 3600, UINT32_MAX, UINT32_MAX, true, true, 1800, 3150},
        {"lease 1", 1, NOT_SENT, NOT_SENT, true, false, 0.5, 0.875},
        {"lease 0", 0, NOT_SENT, NOT_SENT, false, false, 0, 0},
        {"no lease time", NOT_SENT, 1000, 2000, false, false, 0, 0},
        {"0x7fffffff", 0x7fffffff, NOT_SENT, NOT_SENT, true, false, 1073741823.5, 1879048191.125},
        {"largest", 0xfffffffd, NOT_SENT, NOT_SENT, true, false, 2147483646.5, 3758096381.375},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wisp_time from = WISP_SEC(1000);
        reply_begin(&reply, ACK, 7, PEER_ADDRESS);
        if (rows[i].lease != NOT_SENT) {
            reply_u32(&reply, 51, rows[i].lease);
        }
        if (rows[i].t1 != NOT_SENT) {
            reply_u32(&reply, 58, rows[i].t1);
        }
        if (rows[i].t2 != NOT_SENT) {
            reply_u32(&reply, 59, rows[i].t2);
        }
        ck_assert_msg(read_times(CENTRE, from) == rows[i].usable, "%s", rows[i].name);
        if (!rows[i].usable) {
            continue;
        }
        double t1 = (double)(lease.renew - from) / 1e9;
        double t2 = (double)(lease.rebind - from) / 1e9;
        ck_assert_msg(t1 > rows[i].want_t1 * 0.9999 && t1 < rows[i].want_t1 * 1.0001, "%s: T1 %f",
                      rows[i].name, t1);
        ck_assert_msg(t2 > rows[i].want_t2 * 0.9999 && t2 < rows[i].want_t2 * 1.0001, "%s: T2 %f",
                      rows[i].name, t2);
        ck_assert_msg(lease.until == from + WISP_SEC(rows[i].lease), "%s", rows[i].name);
        ck_assert_msg((lease.adjusted == WISP_DHCP_ADJUSTED_TIMES) == rows[i].adjusted, "%s",
                      rows[i].name);
    }
}
END_TEST

/* covers: D30 */
START_TEST(lease_time__all_ones__no_end)
{
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 51, UINT32_MAX);
    ck_assert(read_times(CENTRE, WISP_SEC(5)));
    ck_assert(lease.until == WISP_NEVER && lease.renew == WISP_NEVER && lease.rebind == WISP_NEVER);
}
END_TEST

/* covers: D24 */
START_TEST(default_times__any_fuzz__in_order_and_spread)
{
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 51, 3200);
    wisp_time least = WISP_NEVER;
    wisp_time most = 0;
    for (uint32_t fuzz = 0; fuzz < 65536; fuzz += 257) {
        ck_assert(read_times((uint16_t)fuzz, 0));
        ck_assert(0 < lease.renew && lease.renew < lease.rebind && lease.rebind < lease.until);
        least = wisp_time_min(least, lease.renew);
        most = lease.renew > most ? lease.renew : most;
    }
    ck_assert(least >= WISP_SEC(1500) && most <= WISP_SEC(1700) && most - least > WISP_SEC(190));
}
END_TEST

/* covers: DH-09, O1 */
START_TEST(mask__any__contiguous_or_by_class)
{
    static const struct {
        const char *name;
        struct wisp_ip4 address;
        uint32_t mask;
        uint8_t prefix;
        bool adjusted, wide;
    } rows[] = {
        {"/24", {{10, 0, 0, 5}}, 0xffffff00, 24, false, false},
        {"/32", {{10, 0, 0, 5}}, 0xffffffff, 32, false, false},
        {"/31", {{10, 0, 0, 5}}, 0xfffffffe, 31, false, false},
        {"/8", {{10, 0, 0, 5}}, 0xff000000, 8, false, false},
        {"/7, class A", {{10, 0, 0, 5}}, 0xfe000000, 8, true, false},
        {"/1, class A", {{10, 0, 0, 5}}, 0x80000000, 8, true, false},
        {"/1, class C", {{192, 168, 0, 5}}, 0x80000000, 24, true, false},
        {"/7, wide allowed", {{10, 0, 0, 5}}, 0xfe000000, 7, false, true},
        {"/1, wide allowed", {{10, 0, 0, 5}}, 0x80000000, 1, false, true},
        {"/0, class A", {{10, 0, 0, 5}}, 0, 8, true, true},
        {"holes, class B", {{172, 16, 0, 5}}, 0xff00ff00, 16, true, true},
        {"reversed, class C", {{192, 168, 0, 5}}, 0x00ffffff, 24, true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_begin(&reply, ACK, 7, rows[i].address);
        reply_u32(&reply, 1, rows[i].mask);
        read_lease(rows[i].address, rows[i].wide);
        ck_assert_msg(lease.prefix == rows[i].prefix, "%s: /%u", rows[i].name, lease.prefix);
        ck_assert_msg((lease.adjusted != 0) == rows[i].adjusted, "%s", rows[i].name);
    }
}
END_TEST

/* covers: DH-09, D19 */
START_TEST(address__of_no_single_host__not_usable)
{
    static const struct {
        struct wisp_ip4 address;
        uint8_t prefix;
        bool usable;
    } rows[] = {
        {{{10, 0, 0, 5}}, 24, true},    {{{10, 0, 0, 0}}, 24, false},
        {{{10, 0, 0, 255}}, 24, false}, {{{10, 0, 0, 0}}, 32, true},
        {{{10, 0, 0, 0}}, 31, true},    {{{0, 0, 0, 0}}, 24, false},
        {{{0, 1, 2, 3}}, 24, false},    {{{127, 0, 0, 1}}, 8, false},
        {{{224, 0, 0, 1}}, 24, false},  {{{255, 255, 255, 255}}, 32, false},
        {{{240, 0, 0, 1}}, 24, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_msg(wisp_ip4_is_host_within(rows[i].address, rows[i].prefix) == rows[i].usable,
                      "row %zu", i);
    }
}
END_TEST

/* covers: DH-09, O3 */
START_TEST(router__outside_subnet__taken_and_impossible_ones_left_out)
{
    static const struct wisp_ip4 routers[] = {
        {{0, 0, 0, 0}},   {{192, 0, 2, 50}}, {{192, 0, 2, 255}},     {{224, 0, 0, 1}},
        {{127, 0, 0, 1}}, {{10, 9, 9, 9}},   {{255, 255, 255, 255}}, {{192, 0, 2, 1}}};
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 1, 0xffffff00);
    reply_option(&reply, 3, routers, sizeof(routers));
    read_lease(PEER_ADDRESS, false);
    ck_assert_uint_eq(lease.adjusted, WISP_DHCP_ADJUSTED_ROUTER);
    ck_assert_uint_eq(lease.routes, 2);
    ck_assert(wisp_ip4_equal(lease.route[0].gateway, wisp_ip4(10, 9, 9, 9)));
    ck_assert(wisp_ip4_equal(lease.route[1].gateway, wisp_ip4(192, 0, 2, 1)));
    ck_assert_uint_eq(lease.route[0].prefix, 0);
}
END_TEST

/* covers: DH-09, O3 */
START_TEST(mask_of_32__gateway_beyond__both_kept)
{
    reply_begin(&reply, ACK, 7, wisp_ip4(10, 240, 0, 5));
    reply_u32(&reply, 1, 0xffffffff);
    reply_ip4(&reply, 3, wisp_ip4(10, 240, 0, 1));
    read_lease(wisp_ip4(10, 240, 0, 5), false);
    ck_assert_uint_eq(lease.prefix, 32);
    ck_assert_uint_eq(lease.routes, 1);
    ck_assert_uint_eq(lease.adjusted, 0);
}
END_TEST

struct route_row {
    const char *name;
    const char *bytes;
    uint8_t length;
    bool wide;
    uint8_t routes; /* from option 121; 99: option 3's one is used instead */
    bool adjusted;
};

/* covers: DH-13, O121 */
START_TEST(classless_routes__every_width__in_place_of_routers_or_refused)
{
    static const struct route_row rows[] = {
        {"default", "\0\300\0\2\1", 5, false, 1, false},
        {"on the link, then default beyond (GCE)", "\x20\x0a\xf0\0\1\0\0\0\0\0\x0a\xf0\0\1", 14,
         false, 2, false},
        {"/8, /17, /32", "\x08\x0a\300\0\2\1\x11\xac\x10\x80\300\0\2\1\x20\x0a\1\2\3\300\0\2\2", 23,
         false, 3, false},
        {"width 33", "\x21\x0a\0\0\0\0\300\0\2\1", 10, false, 99, true},
        {"width 255", "\xff\x0a\0\0\0\0\300\0\2\1", 10, false, 99, true},
        {"good, then width 33", "\0\300\0\2\1\x21\x0a\0\0\0\0\300\0\2\1", 15, false, 99, true},
        {"truncated router", "\0\300\0\2", 4, false, 99, true},
        {"truncated network", "\x18\x0a\0", 3, false, 99, true},
        {"0/1 and 128/1", "\1\0\300\0\2\1\1\x80\300\0\2\1", 12, false, 0, true},
        {"0/1 and 128/1, allowed", "\1\0\300\0\2\1\1\x80\300\0\2\1", 12, true, 2, false},
        {"router is us", "\0\300\0\2\x32", 5, false, 0, true},
        {"router multicast", "\0\340\0\0\1", 5, false, 0, true},
        {"network 127/8", "\x08\x7f\300\0\2\1", 6, false, 0, true},
        {"network multicast", "\x08\xe1\300\0\2\1", 6, false, 0, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_begin(&reply, ACK, 7, PEER_ADDRESS);
        reply_u32(&reply, 1, 0xffffff00);
        reply_ip4(&reply, 3, wisp_ip4(192, 0, 2, 77));
        reply_option(&reply, 121, rows[i].bytes, rows[i].length);
        read_lease(PEER_ADDRESS, rows[i].wide);
        bool from_router = lease.routes == 1 && lease.route[0].gateway.octet[3] == 77;
        ck_assert_msg(from_router == (rows[i].routes == 99), "%s", rows[i].name);
        ck_assert_msg(from_router || lease.routes == rows[i].routes, "%s: %u", rows[i].name,
                      lease.routes);
        ck_assert_msg((lease.adjusted != 0) == rows[i].adjusted, "%s", rows[i].name);
    }
}
END_TEST

/* covers: DH-13 */
START_TEST(classless_routes__host_bits_set_or_too_many__masked_and_bounded)
{
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 1, 0xffffff00);
    for (uint8_t i = 0; i < 40; i++) {
        const uint8_t route[] = {20, 10, i, 0xff, 192, 0, 2, 1};
        reply_option(&reply, 121, route, sizeof(route));
    }
    read_lease(PEER_ADDRESS, false);
    ck_assert_uint_eq(lease.routes, WISP_DHCP_ROUTES);
    ck_assert_uint_eq(lease.adjusted, WISP_DHCP_ADJUSTED_ROUTES);
    ck_assert(wisp_ip4_equal(lease.route[3].network, wisp_ip4(10, 3, 0xf0, 0)));
}
END_TEST

/* covers: DH-11, O26 */
START_TEST(mtu__any__floor_kept_and_device_not_exceeded)
{
    static const struct {
        uint16_t said, mtu;
        bool adjusted;
    } rows[] = {{0, 0, true},        {67, 0, true},      {68, 576, true},
                {575, 576, true},    {576, 576, false},  {1400, 1400, false},
                {1500, 1500, false}, {1501, 1500, true}, {65535, 1500, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_begin(&reply, ACK, 7, PEER_ADDRESS);
        reply_u32(&reply, 1, 0xffffff00);
        reply_u16(&reply, 26, rows[i].said);
        read_lease(PEER_ADDRESS, false);
        ck_assert_msg(lease.mtu == rows[i].mtu, "%u: %u", rows[i].said, lease.mtu);
        ck_assert_msg((lease.adjusted == WISP_DHCP_ADJUSTED_MTU) == rows[i].adjusted, "%u",
                      rows[i].said);
    }
}
END_TEST

/* covers: DH-04 */
START_TEST(options__255_octets_for_every_code__bounded)
{
    uint8_t full[255];
    memset(full, 'a', sizeof(full));
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    for (int code = 1; code < 255; code++) {
        if (code != 53 && code != 52) {
            reply_option(&reply, (uint8_t)code, full, 255);
        }
    }
    read_lease(PEER_ADDRESS, false);
    ck_assert_uint_eq(lease.prefix, 24);
    ck_assert_uint_eq(lease.mtu, 0);
    ck_assert_uint_eq(lease.name_servers, 0);
    ck_assert_uint_eq(lease.routes, 0);
    ck_assert_uint_eq(strlen(lease.host_name), 0);
    ck_assert_uint_eq(strlen(lease.domain), 0);
    ck_assert_uint_eq(lease.domains, 0);
    ck_assert(!read_times(0, 0));
}
END_TEST

/* covers: DH-04, O6 */
START_TEST(router_and_dns__63_entries_each__first_ones_kept)
{
    uint8_t list[252];
    for (size_t i = 0; i < sizeof(list); i += 4) {
        const uint8_t ip[4] = {10, 1, 1, (uint8_t)(1 + i / 4)};
        memcpy(list + i, ip, 4);
    }
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 1, 0xffffff00);
    reply_option(&reply, 3, list, sizeof(list));
    reply_option(&reply, 6, list, sizeof(list));
    reply_option(&reply, 42, list, sizeof(list));
    read_lease(PEER_ADDRESS, false);
    ck_assert_uint_eq(lease.routes, WISP_DHCP_ROUTES);
    ck_assert_uint_eq(lease.name_servers, WISP_DHCP_SERVERS);
    ck_assert_uint_eq(lease.time_servers, WISP_DHCP_SERVERS);
    ck_assert(wisp_ip4_equal(lease.name_server[3], wisp_ip4(10, 1, 1, 4)));
}
END_TEST

/* covers: DH-05 */
START_TEST(options__of_length_zero__as_if_not_there)
{
    static const uint8_t codes[] = {1,  3,  6,  12, 15, 26, 28, 42,  50,
                                    51, 52, 54, 55, 58, 59, 61, 119, 121};
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    for (size_t i = 0; i < sizeof(codes); i++) {
        reply_option(&reply, codes[i], NULL, 0);
    }
    read_lease(PEER_ADDRESS, false);
    ck_assert_uint_eq(lease.adjusted, WISP_DHCP_ADJUSTED_MASK);
    ck_assert(lease.routes == 0 && lease.name_servers == 0 && lease.domains == 0 && lease.mtu == 0);
    ck_assert(!read_times(0, 0));
    /* A type of length zero is no type. */
    struct dhcp_reply parsed;
    reply_begin(&reply, 0, 7, PEER_ADDRESS);
    reply_option(&reply, 53, NULL, 0);
    ck_assert_int_eq(dhcp_reply_parse(reply.bytes, reply.length, &parsed), DHCP_NO_TYPE);
}
END_TEST

/* covers: O28, DH-09 */
START_TEST(broadcast_address__any__by_the_mask_and_a_router_of_that_address_kept)
{
    static const struct {
        struct wisp_ip4 said;
        uint8_t adjusted;
    } rows[] = {
        {{{192, 0, 2, 255}}, 0},
        {{{255, 255, 255, 255}}, 0},
        {{{192, 0, 2, 1}}, WISP_DHCP_ADJUSTED_BROADCAST}, /* the router */
        {{{192, 0, 2, 0}}, WISP_DHCP_ADJUSTED_BROADCAST},
        {{{10, 255, 255, 255}}, WISP_DHCP_ADJUSTED_BROADCAST},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_begin(&reply, ACK, 7, PEER_ADDRESS);
        reply_u32(&reply, 1, 0xffffff00);
        reply_ip4(&reply, 3, wisp_ip4(192, 0, 2, 1));
        reply_ip4(&reply, 28, rows[i].said);
        read_lease(PEER_ADDRESS, false);
        ck_assert(wisp_ip4_equal(lease.broadcast, wisp_ip4(192, 0, 2, 255)));
        ck_assert_msg(lease.adjusted == rows[i].adjusted, "row %zu: %u", i, lease.adjusted);
        ck_assert_uint_eq(lease.routes, 1);
    }
}
END_TEST

/* covers: O28, O42 */
START_TEST(broadcast_and_time_servers__told_or_not__taken_or_by_the_mask)
{
    static const uint8_t servers[] = {10, 0, 0, 9, 224, 0, 1, 1, 10, 0, 0, 10};
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 1, 0xffffff00);
    read_lease(PEER_ADDRESS, false);
    ck_assert(wisp_ip4_equal(lease.broadcast, wisp_ip4(192, 0, 2, 255)));
    ck_assert_uint_eq(lease.time_servers, 0);
    reply_ip4(&reply, 28, wisp_ip4(192, 0, 2, 255));
    reply_option(&reply, 42, servers, sizeof(servers));
    read_lease(PEER_ADDRESS, false);
    ck_assert(wisp_ip4_equal(lease.broadcast, wisp_ip4(192, 0, 2, 255)));
    ck_assert_uint_eq(lease.time_servers, 2);
    ck_assert(wisp_ip4_equal(lease.time_server[1], wisp_ip4(10, 0, 0, 10)));
    ck_assert_uint_eq(lease.adjusted, WISP_DHCP_ADJUSTED_SERVERS);
}
END_TEST

/* covers: O12, O15, O119 */
START_TEST(names__proper__taken)
{
    /* RFC 3397 §2's example */
    static const char search[] = "\3eng\5apple\3com\0\11marketing\300\4";
    reply_begin(&reply, ACK, 7, PEER_ADDRESS);
    reply_u32(&reply, 1, 0xffffff00);
    reply_option(&reply, 12, "box", 3);
    reply_option(&reply, 15, "example.org\0", 12); /* with a final zero, as some servers send it */
    reply_option(&reply, 119, search, 10);         /* in two parts, RFC 3396 */
    reply_option(&reply, 119, search + 10, sizeof(search) - 1 - 10);
    read_lease(PEER_ADDRESS, false);
    ck_assert_str_eq(lease.host_name, "box");
    ck_assert_str_eq(lease.domain, "example.org");
    ck_assert_uint_eq(lease.domains, 2);
    ck_assert_str_eq(lease.search[0], "eng.apple.com");
    ck_assert_str_eq(lease.search[1], "marketing.apple.com");
    ck_assert_uint_eq(lease.adjusted, 0);
}
END_TEST

/* covers: DH-12, O12, O15, O119 */
START_TEST(names__with_loops_or_foreign_octets__unused)
{
    static const struct {
        const char *name;
        uint8_t code;
        const char *bytes;
        uint8_t length;
    } rows[] = {
        {"search: self pointer", 119, "\300\0", 2},
        {"search: loop after a good name", 119, "\1a\0\1b\300\3", 7},
        {"search: forward pointer", 119, "\300\2\1a\0", 5},
        {"search: no end", 119, "\3www", 4},
        {"search: escape", 119, "\2\033[\0", 4},
        {"domain: escape", 15, "a\033[31m", 6},
        {"domain: shell", 15, "$(reboot)", 9},
        {"domain: only zeros", 15, "\0\0", 2},
        {"host name: blank", 12, "a b", 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_begin(&reply, ACK, 7, PEER_ADDRESS);
        reply_u32(&reply, 1, 0xffffff00);
        reply_option(&reply, rows[i].code, rows[i].bytes, rows[i].length);
        read_lease(PEER_ADDRESS, false);
        ck_assert_msg(lease.adjusted == WISP_DHCP_ADJUSTED_NAMES, "%s", rows[i].name);
        ck_assert_msg(lease.domains == 0 && !lease.host_name[0] && !lease.domain[0], "%s",
                      rows[i].name);
    }
}
END_TEST

static void text_of(struct wisp_ip4 ip, char text[WISP_ADDR_TEXT_MAX])
{
    struct wisp_addr addr = wisp_addr_ip4(ip);
    wisp_addr_text(&addr, text, WISP_ADDR_TEXT_MAX);
}

/* covers: O51, O54 */
START_TEST(real_servers_acks__parsed__as_tshark_reads_them)
{
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        const struct golden *g = &goldens[i];
        struct dhcp_reply parsed;
        struct dhcp_lease_rules rules = {1500, false};
        char text[WISP_ADDR_TEXT_MAX];
        ck_assert_msg(dhcp_reply_parse(g->bytes, g->length, &parsed) == DHCP_SOUND, "%s", g->name);
        ck_assert_uint_eq(parsed.type, ACK);
        dhcp_lease_read(&parsed, parsed.yiaddr, &rules, &lease);
        ck_assert(dhcp_lease_time(&parsed, 0, CENTRE, &lease));
        text_of(lease.address, text);
        ck_assert_msg(strcmp(text, g->address) == 0, "%s: %s", g->name, text);
        text_of(lease.server, text);
        ck_assert_msg(strcmp(text, g->server) == 0, "%s: %s", g->name, text);
        text_of(wisp_ip4_from_value(wisp_ip4_mask(lease.prefix)), text);
        ck_assert_msg(strcmp(text, g->mask) == 0, "%s: %s", g->name, text);
        ck_assert_msg(lease.until == WISP_SEC(g->lease), "%s", g->name);
        ck_assert_msg(lease.renew == WISP_SEC(g->t1) && lease.rebind == WISP_SEC(g->t2), "%s",
                      g->name);
        ck_assert_msg(strcmp(lease.domain, g->domain) == 0, "%s: %s", g->name, lease.domain);
        ck_assert_msg(lease.adjusted == 0, "%s: %x", g->name, lease.adjusted);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_lease");
    TCase *tcase = tcase_create("lease");
    tcase_add_test(tcase, real_servers_acks__parsed__as_tshark_reads_them);
    tcase_add_test(tcase, lease_times__sane_absurd_or_endless__taken_defaulted_or_refused);
    tcase_add_test(tcase, lease_time__all_ones__no_end);
    tcase_add_test(tcase, default_times__any_fuzz__in_order_and_spread);
    tcase_add_test(tcase, mask__any__contiguous_or_by_class);
    tcase_add_test(tcase, address__of_no_single_host__not_usable);
    tcase_add_test(tcase, router__outside_subnet__taken_and_impossible_ones_left_out);
    tcase_add_test(tcase, mask_of_32__gateway_beyond__both_kept);
    tcase_add_test(tcase, classless_routes__every_width__in_place_of_routers_or_refused);
    tcase_add_test(tcase, classless_routes__host_bits_set_or_too_many__masked_and_bounded);
    tcase_add_test(tcase, mtu__any__floor_kept_and_device_not_exceeded);
    tcase_add_test(tcase, options__255_octets_for_every_code__bounded);
    tcase_add_test(tcase, router_and_dns__63_entries_each__first_ones_kept);
    tcase_add_test(tcase, options__of_length_zero__as_if_not_there);
    tcase_add_test(tcase, broadcast_address__any__by_the_mask_and_a_router_of_that_address_kept);
    tcase_add_test(tcase, broadcast_and_time_servers__told_or_not__taken_or_by_the_mask);
    tcase_add_test(tcase, names__proper__taken);
    tcase_add_test(tcase, names__with_loops_or_foreign_octets__unused);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
