/* SPDX-License-Identifier: ISC */
/* Routes and output: which next hop, which source, which identification; dead gateways; what is
 * refused. */
#include "net.h"
#include "suite.h"
#include <string.h>

static struct net net;
static struct wisp_l3 *l3;
static uint8_t frame[2000];
static uint8_t answer[2000];

static const uint8_t us[] = {10, 0, 0, 1};

static void attach(void *self, struct wisp_l3 *given)
{
    (void)self;
    l3 = given;
}

static const struct wisp_transport_ops ops = {.attach = attach};
static struct wisp_transport probe;

static void open_prefix(uint8_t prefix)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.no_address = true;
    net_open(&net, &options);
    probe = (struct wisp_transport){.ops = &ops, .self = &probe, .protocol = 253};
    wisp_stack_attach(net.stack[0], &probe, net.now);
    ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &net.addr[0], prefix, net.now), WISP_OK);
    net_run(&net, WISP_SEC(3));
    net_discard(&net);
}

static void setup(void)
{
    open_prefix(24);
}

static void teardown(void)
{
    net_close(&net);
}

static struct wisp_addr ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return wisp_addr_ip4(wisp_ip4(a, b, c, d));
}

static enum wisp_err route(struct wisp_addr network, uint8_t prefix, struct wisp_addr gateway)
{
    return wisp_stack_route_add(net.stack[0], &network, prefix, &gateway);
}

static enum wisp_err send_packet(struct wisp_pkt *pkt, struct wisp_addr to, bool dont_fragment)
{
    struct wisp_flow flow = {.local = net.addr[0],
                             .remote = to,
                             .protocol = 253,
                             .ttl = 64,
                             .dont_fragment = dont_fragment};
    ck_assert_ptr_nonnull(pkt);
    memset(wisp_pkt_extend(pkt, 40), 7, 40);
    enum wisp_err err = l3->ops->send(l3->self, pkt, &flow, net.now);
    net_settle(&net);
    return err;
}

static enum wisp_err send_to(struct wisp_addr to, bool dont_fragment)
{
    return send_packet(l3->ops->alloc(l3->self, false), to, dont_fragment);
}

/* The last octet of the address that is asked for when something goes to addr; 0: nobody is. */
static uint8_t asked_for(struct wisp_addr addr)
{
    uint8_t last = 0;
    send_to(addr, true);
    while (net_sent(&net, answer, sizeof(answer)) > 0) {
        last = net_get16(answer + 12) == 0x0806 ? answer[41] : last;
    }
    return last;
}

static void tell(uint8_t last)
{
    uint8_t mac[] = {2, 0, 0, 0, 9, last};
    uint8_t who[] = {10, 0, 0, last};
    net_arp_frame(frame, 1, mac, who, us);
    net_inject(&net, frame, 42);
    net_discard(&net);
}

/* The last octet of the station a packet to addr goes to at once; 0: none went. */
static uint8_t goes_to(struct wisp_addr addr)
{
    uint8_t last = 0;
    send_to(addr, true);
    while (net_sent(&net, answer, sizeof(answer)) > 0) {
        last = net_get16(answer + 12) == 0x0800 ? answer[5] : last;
    }
    return last;
}

/* covers: I36, I37, I40 */
START_TEST(routes_of_several_lengths__longest_prefix_wins_without_any_only_neighbours_reached)
{
    ck_assert_int_eq(send_to(ip(192, 0, 2, 1), true), WISP_ERR_UNREACHABLE);
    ck_assert_uint_eq(asked_for(ip(10, 0, 0, 77)), 77);
    ck_assert_int_eq(route(ip(0, 0, 0, 0), 0, ip(10, 0, 0, 200)), WISP_OK);
    ck_assert_int_eq(route(ip(192, 0, 2, 128), 25, ip(10, 0, 0, 203)), WISP_OK);
    ck_assert_int_eq(route(ip(192, 0, 0, 0), 16, ip(10, 0, 0, 201)), WISP_OK);
    ck_assert_int_eq(route(ip(192, 0, 2, 0), 24, ip(10, 0, 0, 202)), WISP_OK);
    ck_assert_int_eq(route(ip(192, 0, 2, 129), 32, ip(10, 0, 0, 204)), WISP_OK);
    ck_assert_uint_eq(asked_for(ip(8, 8, 8, 8)), 200);
    ck_assert_uint_eq(asked_for(ip(192, 0, 3, 1)), 201);
    ck_assert_uint_eq(asked_for(ip(192, 0, 2, 1)), 202);
    ck_assert_uint_eq(asked_for(ip(192, 0, 2, 200)), 203);
    ck_assert_uint_eq(asked_for(ip(192, 0, 2, 129)), 204);
    ck_assert_uint_eq(asked_for(ip(10, 0, 0, 78)), 78);
    wisp_stack_routes_clear(net.stack[0]);
    ck_assert_int_eq(send_to(ip(8, 8, 8, 8), true), WISP_ERR_UNREACHABLE);
}
END_TEST

START_TEST(host_mask_and_gateway_outside__gateway_asked_for_on_the_link)
{
    net_close(&net);
    open_prefix(32);
    ck_assert_int_eq(send_to(ip(10, 0, 0, 2), true), WISP_ERR_UNREACHABLE);
    ck_assert_int_eq(route(ip(0, 0, 0, 0), 0, ip(172, 16, 0, 9)), WISP_OK);
    ck_assert_uint_eq(asked_for(ip(10, 0, 0, 2)), 9);
    static const uint8_t gateway[] = {172, 16, 0, 9};
    net_arp_frame(frame, 2, net_mac_peer, gateway, us);
    net_inject(&net, frame, 42);
    net_discard(&net);
    ck_assert_uint_eq(goes_to(ip(10, 0, 0, 2)), 2);
}
END_TEST

START_TEST(impossible_routes_and_addresses__refused)
{
    ck_assert_int_eq(route(ip(10, 1, 0, 1), 24, ip(10, 0, 0, 2)), WISP_ERR_INVALID);
    ck_assert_int_eq(route(ip(10, 1, 0, 0), 33, ip(10, 0, 0, 2)), WISP_ERR_INVALID);
    ck_assert_int_eq(route(ip(10, 1, 0, 0), 24, ip(224, 0, 0, 2)), WISP_ERR_INVALID);
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(route(ip(10, 1, 0, 0), 24, ip(10, 0, 0, 2)), WISP_OK);
    }
    ck_assert_int_eq(route(ip(10, 1, 0, 0), 24, ip(10, 0, 0, 2)), WISP_ERR_FULL);
    static const uint8_t bad[][4] = {{0, 0, 0, 0},    {127, 0, 0, 1}, {224, 0, 0, 1},
                                     {10, 2, 0, 255}, {10, 2, 0, 0},  {255, 255, 255, 255}};
    for (size_t i = 0; i < 6; i++) {
        struct wisp_addr addr = ip(bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
        ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &addr, 24, net.now),
                         WISP_ERR_INVALID);
    }
}
END_TEST

/* covers: I38, I39, I37 */
START_TEST(first_of_two_gateways_dies__traffic_moves_to_the_second_and_back_when_it_lives)
{
    struct wisp_addr far = ip(192, 0, 2, 1);
    ck_assert_int_eq(route(ip(0, 0, 0, 0), 0, ip(10, 0, 0, 201)), WISP_OK);
    ck_assert_int_eq(route(ip(0, 0, 0, 0), 0, ip(10, 0, 0, 202)), WISP_OK);
    tell(201);
    tell(202);
    ck_assert_uint_eq(goes_to(far), 201);
    /* No traffic: nobody asks the gateways anything. */
    net_run(&net, WISP_SEC(50));
    ck_assert_uint_eq(net_discard(&net), 0);
    ck_assert_uint_eq(goes_to(far), 201);
    /* TCP gets no answer through it, and neither does ARP. */
    l3->ops->advise(l3->self, &far, false, net.now);
    net_run(&net, WISP_SEC(7));
    net_discard(&net);
    tell(202);
    ck_assert_uint_eq(goes_to(far), 202);
    net_run(&net, WISP_SEC(5));
    ck_assert_uint_eq(goes_to(far), 202);
    tell(201);
    ck_assert_uint_eq(goes_to(far), 201);
}
END_TEST

/* covers: IP-14, I11 */
START_TEST(identifications__per_peer_from_unpredictable_starts__zero_when_never_cut)
{
    uint32_t first[32];
    uint32_t near = 0;
    for (uint8_t i = 0; i < 32; i++) {
        tell((uint8_t)(100 + i));
        send_to(ip(10, 0, 0, (uint8_t)(100 + i)), false);
        ck_assert_uint_gt(net_sent(&net, answer, sizeof(answer)), 0);
        first[i] = net_get16(answer + 18);
        near += i > 0 && (uint16_t)(first[i] - first[i - 1] + 16) < 32;
    }
    ck_assert_uint_le(near, 2);
    send_to(ip(10, 0, 0, 131), false);
    net_sent(&net, answer, sizeof(answer));
    ck_assert_uint_eq(net_get16(answer + 18), (first[31] + 1) & 0xffff);
    send_to(ip(10, 0, 0, 131), true);
    net_sent(&net, answer, sizeof(answer));
    ck_assert_uint_eq(net_get16(answer + 18), 0);
    ck_assert_uint_eq(net_get16(answer + 20), 0x4000);
}
END_TEST

/* covers: I9, I6 */
START_TEST(source_not_ours_or_destination_nobody__never_leaves)
{
    static const uint8_t bad[][4] = {
        {127, 0, 0, 1}, {0, 0, 0, 0}, {0, 1, 1, 1}, {240, 0, 0, 1}, {10, 0, 0, 1}};
    route(ip(0, 0, 0, 0), 0, ip(10, 0, 0, 200));
    for (size_t i = 0; i < 5; i++) {
        struct wisp_addr to = ip(bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
        ck_assert_int_ne(send_to(to, true), WISP_OK);
    }
    struct wisp_addr ours = net.addr[0];
    net.addr[0] = ip(10, 0, 0, 9);
    ck_assert_int_ne(send_to(ip(10, 0, 0, 2), true), WISP_OK);
    net.addr[0] = ip(255, 255, 255, 255);
    ck_assert_int_ne(send_to(ip(10, 0, 0, 2), true), WISP_OK);
    net.addr[0] = ours;
    ck_assert_uint_eq(net_discard(&net), 0);
}
END_TEST

/* covers: I13, I15 */
START_TEST(ttl_of_every_value__leaves_as_given)
{
    struct wisp_flow flow = {.local = net.addr[0], .remote = ip(10, 0, 0, 2), .protocol = 253};
    net_introduce(&net);
    for (uint32_t ttl = 1; ttl < 256; ttl++) {
        struct wisp_pkt *pkt = l3->ops->alloc(l3->self, false);
        memset(wisp_pkt_extend(pkt, 40), 7, 40);
        flow.ttl = (uint8_t)ttl;
        ck_assert_int_eq(l3->ops->send(l3->self, pkt, &flow, net.now), WISP_OK);
        net_settle(&net);
        ck_assert_uint_gt(net_sent(&net, answer, sizeof(answer)), 0);
        ck_assert_uint_eq(answer[22], ttl);
    }
}
END_TEST

/* covers: I48, I49 */
START_TEST(broadcast_forms__leave_in_a_link_broadcast_only)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct wisp_addr forms[] = {ip(255, 255, 255, 255), ip(10, 0, 0, 255)};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(send_to(forms[i], true), WISP_OK);
        ck_assert_uint_gt(net_sent(&net, answer, sizeof(answer)), 0);
        ck_assert_mem_eq(answer, everybody, 6);
    }
}
END_TEST

/* covers: I43 */
START_TEST(mtu_shrinks__new_size_told_and_larger_packets_that_may_not_be_cut_refused)
{
    struct wisp_addr to = ip(10, 0, 0, 2);
    net_introduce(&net);
    ck_assert_uint_eq(l3->ops->mtu(l3->self, &to), 1500);
    struct wisp_netdev *dev = wisp_link_dev(net.link, 0);
    dev->caps.mtu = 68;
    dev->caps.generation++;
    net_settle(&net);
    ck_assert_uint_eq(l3->ops->mtu(l3->self, &to), 68);
    ck_assert_int_eq(send_to(to, true), WISP_OK);
    dev->caps.mtu = 59; /* 40 bytes and a header do not fit */
    dev->caps.generation++;
    net_settle(&net);
    net_discard(&net);
    ck_assert_int_eq(send_to(to, true), WISP_ERR_INVALID);
    ck_assert_uint_eq(net_discard(&net), 0);
    ck_assert_int_eq(send_to(to, false), WISP_OK);
    ck_assert_uint_eq(net_discard(&net), 2);
    dev->caps.mtu = 1500;
}
END_TEST

START_TEST(mtu_shrinks_while_packets_wait_for_their_neighbour__too_large_ones_never_leave)
{
    struct wisp_netdev *dev = wisp_link_dev(net.link, 0);
    ck_assert_int_eq(send_to(ip(10, 0, 0, 66), true), WISP_OK); /* 60 bytes, asks who that is */
    ck_assert_int_eq(send_to(ip(10, 0, 0, 66), false), WISP_OK);
    net_discard(&net);
    dev->caps.mtu = 59;
    dev->caps.generation++;
    tell(66);
    ck_assert_uint_eq(net_count(&net, "ipv4.tx.too_big"), 1); /* not to be cut */
    ck_assert_uint_eq(net_count(&net, "ipv4.tx.fragmented"), 1);
    dev->caps.mtu = 1500;
    dev->caps.generation++;
}
END_TEST

START_TEST(link_down__packets_wait_and_leave_when_it_comes_back)
{
    struct wisp_netdev *dev = wisp_link_dev(net.link, 0);
    struct wisp_stack_event event;
    net_introduce(&net);
    send_to(ip(10, 0, 0, 2), true);
    net_discard(&net);
    struct wisp_pkt *under_way = l3->ops->alloc(l3->self, false);
    dev->link = false;
    ck_assert_int_eq(send_packet(under_way, ip(10, 0, 0, 2), true), WISP_OK);
    ck_assert_ptr_null(l3->ops->alloc(l3->self, true));
    ck_assert_uint_eq(l3->ops->room(l3->self), 0);
    ck_assert_uint_eq(net_discard(&net), 0);
    dev->link = true;
    net_settle(&net);
    ck_assert_uint_ge(net_discard(&net), 1);
    bool down = false;
    bool up = false;
    while (wisp_stack_next_event(net.stack[0], &event)) {
        down |= event.kind == WISP_STACK_LINK_DOWN;
        up |= event.kind == WISP_STACK_LINK_UP;
    }
    ck_assert(down && up);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *tc = tcase_create("output");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(
        tc, routes_of_several_lengths__longest_prefix_wins_without_any_only_neighbours_reached);
    tcase_add_test(tc, host_mask_and_gateway_outside__gateway_asked_for_on_the_link);
    tcase_add_test(tc, impossible_routes_and_addresses__refused);
    tcase_add_test(tc,
                   first_of_two_gateways_dies__traffic_moves_to_the_second_and_back_when_it_lives);
    tcase_add_test(tc, identifications__per_peer_from_unpredictable_starts__zero_when_never_cut);
    tcase_add_test(tc, source_not_ours_or_destination_nobody__never_leaves);
    tcase_add_test(tc, ttl_of_every_value__leaves_as_given);
    tcase_add_test(tc, broadcast_forms__leave_in_a_link_broadcast_only);
    tcase_add_test(tc, mtu_shrinks__new_size_told_and_larger_packets_that_may_not_be_cut_refused);
    tcase_add_test(tc,
                   mtu_shrinks_while_packets_wait_for_their_neighbour__too_large_ones_never_leave);
    tcase_add_test(tc, link_down__packets_wait_and_leave_when_it_comes_back);
    suite_add_tcase(suite, tc);
    return wisp_suite_run(suite);
}
