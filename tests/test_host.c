/* SPDX-License-Identifier: ISC */
/* Who the stack is in inject mode: the responder's card, and addresses whose frames that card takes. */
#include "build.h"
#include "host.h"
#include "suite.h"
#include <string.h>

enum { A = 1, B, C, D, E, F, G }; /* stations; 10.0.0.N at 02:00:00:00:00:N */

#define IP(n) (0x0a000000u + (uint32_t)(n))

static uint8_t bytes[HOST_FIRST][64];
static struct packet packets[HOST_FIRST];
static uint32_t count;
static struct host host;
static struct flow_rules rules;

static void setup(void)
{
    count = 0;
    memset(bytes, 0, sizeof(bytes));
    rules = (struct flow_rules){.any_dut = true};
}

static void set_card(uint8_t mac[6], int station)
{
    memcpy(mac, (const uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)station}, 6);
}

static void decode(uint32_t length)
{
    packet_decode(&packets[count], bytes[count], length, length);
    count++;
}

/* A TCP segment from one address to another, between the cards of two stations. */
static void segment(int from, int from_card, int to, int to_card, uint8_t flags)
{
    uint8_t *frame = bytes[count];
    struct build_ends ends = {.from = IP(from), .to = IP(to)};
    struct build_ip ip = {.protocol = 6, .ttl = 64};
    set_card(ends.from_mac, from_card);
    set_card(ends.to_mac, to_card);
    build_ip(frame, &ends, &ip, 20);
    put_be16(frame + 34, from < to ? 40000 : 80);
    put_be16(frame + 36, from < to ? 80 : 40000);
    frame[46] = 0x50;
    frame[47] = flags;
    decode(54);
}

static void arp(int operation, int from, int to)
{
    uint8_t *frame = bytes[count];
    memset(frame, 0xff, 6);
    if (operation == 2) {
        set_card(frame, to);
    }
    set_card(frame + 6, from);
    memcpy(frame + 12, (const uint8_t[10]){8, 6, 0, 1, 8, 0, 6, 4, 0, (uint8_t)operation}, 10);
    set_card(frame + 22, from);
    put_be32(frame + 28, IP(from));
    put_be32(frame + 38, IP(to));
    decode(60);
}

static void choose(void)
{
    host_choose(&host, &rules, NULL, packets, count);
}

static void expect(int card, uint32_t addresses, uint32_t first)
{
    uint8_t mac[6];
    set_card(mac, card);
    ck_assert_msg(memcmp(host.mac.octet, mac, 6) == 0, "card %u, wanted %d", host.mac.octet[5],
                  card);
    ck_assert_uint_eq(host.addresses, addresses);
    ck_assert_msg(addresses == 0 || host.address[0] == first, "address %x", host.address[0]);
}

START_TEST(connection__from_its_first_frame__responder_is_ours)
{
    segment(A, A, B, B, TCP_SYN);
    segment(B, B, A, A, TCP_SYN | TCP_ACK);
    segment(B, B, A, A, TCP_ACK);
    segment(B, B, A, A, TCP_ACK);
    choose();
    expect(B, 1, IP(B));
    ck_assert(host_is_ours(&host, &packets[0]) && !host_is_ours(&host, &packets[1]));
    ck_assert(host_takes(&host, &packets[0]) && !host_takes(&host, &packets[1]));
}
END_TEST

START_TEST(connection__from_its_second_frame__responder_is_ours)
{
    segment(B, B, A, A, TCP_SYN | TCP_ACK);
    segment(A, A, B, B, TCP_ACK);
    choose();
    expect(B, 1, IP(B));
}
END_TEST

START_TEST(gateway__hosts_behind_it__as_many_as_a_stack_has)
{
    for (int to = B; to <= G; to++) {
        segment(A, A, to, G, TCP_SYN);
        segment(to, G, A, A, TCP_SYN | TCP_ACK);
    }
    choose();
    expect(G, HOST_ADDRESSES, IP(B));
    ck_assert(host_is_ours(&host, &packets[6]) && !host_is_ours(&host, &packets[8]));
}
END_TEST

START_TEST(both_ways_to_one_card__peer_sends_to_us__is_never_ours)
{
    segment(A, A, B, C, TCP_SYN);
    segment(B, A, A, C, TCP_SYN | TCP_ACK);
    segment(A, A, B, C, TCP_ACK);
    choose();
    expect(C, 1, IP(B));
    for (uint32_t i = 0; i < count; i++) {
        ck_assert(!host_meets(&host, &packets[i]));
    }
}
END_TEST

START_TEST(later_frames__to_new_addresses__ours_only_on_our_card)
{
    segment(A, A, B, B, TCP_SYN);
    choose();
    segment(A, A, C, C, TCP_SYN);
    ck_assert(!host_meets(&host, &packets[1]));
    segment(A, A, D, B, TCP_SYN);
    ck_assert(host_meets(&host, &packets[2]));
    ck_assert(!host_meets(&host, &packets[2]));
    segment(E, E, D, B, TCP_SYN);
    segment(A, A, E, B, TCP_SYN); /* who has sent to us */
    ck_assert(!host_meets(&host, &packets[3]) && !host_meets(&host, &packets[4]));
    expect(B, 2, IP(B));
    ck_assert_uint_eq(host.address[1], IP(D));
}
END_TEST

START_TEST(frames_no_card_takes__seen_first__count_for_nothing)
{
    segment(A, A, B, B, TCP_SYN);
    packets[0].vlan = true;
    segment(A, C, B, C, TCP_SYN); /* from the very card it goes to */
    segment(A, A, B, B, TCP_SYN);
    packets[2].destination = 0x7f000001;
    segment(A, A, D, D, TCP_SYN);
    choose();
    expect(D, 1, IP(D));
}
END_TEST

START_TEST(arp_alone__asked_for__who_answers_is_ours)
{
    arp(1, A, B);
    arp(2, B, A);
    choose();
    expect(B, 0, 0);
    ck_assert(host_meets(&host, &packets[0]));
    ck_assert(!host_meets(&host, &packets[1]));
    expect(B, 1, IP(B));
}
END_TEST

START_TEST(arp_scan__beside_a_connection__takes_no_address)
{
    for (int to = C; to <= G; to++) {
        arp(1, A, to);
    }
    segment(A, A, B, B, TCP_SYN);
    choose();
    expect(B, 1, IP(B));
    ck_assert(!host_meets(&host, &packets[0]));
}
END_TEST

START_TEST(user_names_the_opener__chosen__is_ours)
{
    segment(A, A, B, B, TCP_SYN);
    segment(B, B, A, A, TCP_SYN | TCP_ACK);
    rules = (struct flow_rules){.dut = IP(A), .dut_mask = UINT32_MAX};
    choose();
    expect(A, 1, IP(A));
    struct wisp_mac mac = {{2, 0, 0, 0, 0, B}};
    host_choose(&host, &rules, &mac, packets, count);
    expect(B, 1, IP(A));
}
END_TEST

START_TEST(nothing_at_all__chosen__has_a_card)
{
    choose();
    expect(B, 0, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    TCase *tcase = tcase_create("host");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, connection__from_its_first_frame__responder_is_ours);
    tcase_add_test(tcase, connection__from_its_second_frame__responder_is_ours);
    tcase_add_test(tcase, gateway__hosts_behind_it__as_many_as_a_stack_has);
    tcase_add_test(tcase, both_ways_to_one_card__peer_sends_to_us__is_never_ours);
    tcase_add_test(tcase, later_frames__to_new_addresses__ours_only_on_our_card);
    tcase_add_test(tcase, frames_no_card_takes__seen_first__count_for_nothing);
    tcase_add_test(tcase, arp_alone__asked_for__who_answers_is_ours);
    tcase_add_test(tcase, arp_scan__beside_a_connection__takes_no_address);
    tcase_add_test(tcase, user_names_the_opener__chosen__is_ours);
    tcase_add_test(tcase, nothing_at_all__chosen__has_a_card);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
