/* SPDX-License-Identifier: ISC */
/*
 * The DHCP client at work on a stack: what it puts on the wire and does to the stack, the test playing the server
 * frame by frame. The server is 192.0.2.1, the first lease 192.0.2.50.
 */
#include "dhcp_peer.h"
#include "famine.h"
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <string.h>
#include <wisp/dhcp_run.h>
#include <wisp/tcp.h>

#define SERVER     PEER_SERVER
#define LEASED     PEER_ADDRESS
#define LEASE_TIME 3600u

static struct net net;
static struct wisp_udp *udp;
static struct wisp_tcp *tcp;
static struct wisp_dhcp_run *run;
static struct wisp_dhcp_run_config config;
static struct reply reply;
static wisp_time wake;

static void open_transports(void)
{
    struct wisp_udp_config udp_config;
    struct wisp_tcp_config tcp_config;
    wisp_udp_config_default(&udp_config);
    udp_config.hash = test_siphash;
    udp = wisp_udp_init(net_memory(&net, wisp_udp_size(&udp_config)), wisp_udp_size(&udp_config),
                        &udp_config);
    wisp_stack_attach(net.stack[0], wisp_udp_transport(udp), net.now);
    wisp_tcp_config_default(&tcp_config);
    tcp_config.connections = 4;
    tcp_config.hash = test_siphash;
    tcp_config.cc = &wisp_tcp_cc_newreno;
    tcp = wisp_tcp_init(net_memory(&net, wisp_tcp_size(&tcp_config)), wisp_tcp_size(&tcp_config),
                        &tcp_config);
    wisp_stack_attach(net.stack[0], wisp_tcp_transport(tcp), net.now);
}

static void open_with(enum wisp_probe probe, struct wisp_ip4 gateway)
{
    struct net_options options;
    net_options_default(&options);
    options.alone = true;
    options.no_address = true;
    options.config.probe = probe;
    net_open(&net, &options);
    open_transports();
    memset(&config, 0, sizeof(config));
    wisp_dhcp_config_default(&config.dhcp);
    config.dhcp.hash = test_siphash;
    config.stack = net.stack[0];
    config.udp = udp;
    config.netdev = wisp_link_dev(net.link, 0);
    config.gateway = gateway;
    size_t size = wisp_dhcp_run_size(&config);
    void *mem = net_memory(&net, size);
    ck_assert_ptr_null(wisp_dhcp_run_init(mem, size - 1, &config));
    run = wisp_dhcp_run_init(mem, size, &config);
    ck_assert_ptr_nonnull(run);
    /* the port is taken */
    ck_assert_ptr_null(wisp_dhcp_run_init(net_memory(&net, size), size, &config));
}

static void setup(void)
{
    open_with(WISP_PROBE_BESIDE, wisp_ip4(0, 0, 0, 0));
}

static void end(void)
{
    wisp_dhcp_run_fini(run, net.now);
    wisp_tcp_fini(tcp);
    wisp_udp_fini(udp);
    net_close(&net);
}

/* Steps stack and client until both rest at this moment. */
static void settle(void)
{
    struct wisp_stack_event event;
    for (int i = 0; i < 1000; i++) {
        wake = wisp_stack_poll(net.stack[0], net.now);
        while (wisp_stack_next_event(net.stack[0], &event)) {
            wisp_dhcp_run_notice(run, &event, net.now);
        }
        wake = wisp_time_min(wake, wisp_dhcp_run_step(run, net.now));
        if (wake > net.now) {
            return;
        }
    }
    ck_abort_msg("they do not come to rest");
}

static void pass_time(wisp_time duration)
{
    wisp_time until = net.now + duration;
    settle();
    while (wake <= until) {
        net.now = wake;
        settle();
    }
    net.now = until;
}

/* The next frame with a DHCP message of ours, which stands in message->bytes; others are passed over. */
static bool sent(struct wisp_dhcp_message *message, uint8_t header[42])
{
    static uint8_t frame[2000];
    size_t length;
    while ((length = net_sent(&net, frame, sizeof(frame))) > 0) {
        if (length > 42 && frame[12] == 8 && frame[13] == 0 && frame[23] == 17 &&
            net_get16(frame + 36) == 67) {
            memcpy(header, frame, 42);
            message->length = (uint32_t)length - 42;
            memcpy(message->bytes, frame + 42, length - 42);
            ck_assert_uint_eq(net_get16(frame + 34), 68);
            return true;
        }
    }
    return false;
}

static void expect_sent(uint8_t type, struct wisp_dhcp_message *message, uint8_t header[42])
{
    ck_assert_msg(sent(message, header), "a message of type %u is not sent", type);
    ck_assert_uint_eq(request_type(message), type);
}

/* Sends `reply` from the server's port to `to`, by broadcast or to our hardware address. */
static bool deliver_if_room(struct wisp_ip4 to, bool broadcast, uint16_t from_port)
{
    static uint8_t frame[2000];
    memcpy(reply.bytes + 28, net_mac_ours, 6);
    size_t length = net_ip_frame(frame, 17, 20, 8 + reply.length);
    memset(frame, broadcast ? 0xff : 0, 6);
    if (!broadcast) {
        memcpy(frame, net_mac_ours, 6);
    }
    memcpy(frame + 26, SERVER.octet, 4);
    memcpy(frame + 30, to.octet, 4);
    net_ip_seal(frame);
    net_put16(frame + 34, from_port);
    net_put16(frame + 36, 68);
    net_put16(frame + 38, 8 + reply.length);
    net_put16(frame + 40, 0);
    memcpy(frame + 42, reply.bytes, reply.length);
    bool arrived = wisp_link_inject(wisp_link_dev(net.link, 0), frame, (uint32_t)length);
    settle();
    return arrived;
}

static void deliver(struct wisp_ip4 to, bool broadcast, uint16_t from_port)
{
    ck_assert(deliver_if_room(to, broadcast, from_port));
}

static void answer(uint8_t type, const struct wisp_dhcp_message *message, struct wisp_ip4 address)
{
    reply_make(&reply, type, request_xid(message), address, LEASE_TIME);
    deliver(wisp_ip4(255, 255, 255, 255), true, 67);
}

static void expect_told(enum wisp_dhcp_event_kind kind, enum wisp_dhcp_reason reason)
{
    struct wisp_dhcp_event event;
    ck_assert_msg(wisp_dhcp_run_next_event(run, &event), "event %d is missing", (int)kind);
    ck_assert_int_eq(event.kind, kind);
    ck_assert_int_eq(event.reason, reason);
}

static void lease(struct wisp_ip4 address)
{
    struct wisp_dhcp_message message;
    uint8_t header[42];
    wisp_dhcp_start(wisp_dhcp_run_machine(run), net.now);
    settle();
    expect_sent(DISCOVER, &message, header);
    answer(OFFER, &message, address);
    expect_sent(REQUEST, &message, header);
    answer(ACK, &message, address);
    expect_told(WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE);
}

static bool has_address(struct wisp_ip4 address, uint8_t prefix)
{
    struct wisp_addr addr;
    uint8_t bits;
    return wisp_stack_address(net.stack[0], &addr, &bits) && wisp_ip4_equal(addr.u.ip4, address) &&
           bits == prefix;
}

/* Whom ARP is asked for when a packet goes to `remote`; 0.0.0.0: nobody, there is no way. */
static struct wisp_ip4 next_hop(struct wisp_ip4 remote)
{
    struct wisp_addr to = wisp_addr_ip4(remote);
    uint8_t frame[2000];
    net_discard(&net);
    if (wisp_stack_ping(net.stack[0], &to, 1, 1, 8, net.now) != WISP_OK) {
        return wisp_ip4(0, 0, 0, 0);
    }
    settle();
    while (net_sent(&net, frame, sizeof(frame)) > 0) {
        if (net_get16(frame + 12) == 0x0806) {
            return wisp_ip4(frame[38], frame[39], frame[40], frame[41]);
        }
    }
    return wisp_ip4(0, 0, 0, 0);
}

static void expect_hop(struct wisp_ip4 remote, struct wisp_ip4 hop)
{
    struct wisp_ip4 found = next_hop(remote);
    ck_assert_msg(wisp_ip4_equal(found, hop), "by %u.%u.%u.%u", found.octet[0], found.octet[1],
                  found.octet[2], found.octet[3]);
}

/* covers: D6 */
START_TEST(device_with_a_small_mtu__discover__bounds_answers_by_it)
{
    /* the device's, the configuration's, what is told */
    static const uint16_t rows[][3] = {
        {1500, 1500, 1500}, {1000, 1500, 1000}, {1000, 800, 800}, {296, 1500, 576}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wisp_dhcp_message message;
        uint8_t header[42];
        uint8_t length;
        wisp_dhcp_run_fini(run, net.now);
        config.netdev->caps.mtu = rows[i][0];
        config.dhcp.max_message = rows[i][1];
        size_t size = wisp_dhcp_run_size(&config);
        run = wisp_dhcp_run_init(net_memory(&net, size), size, &config);
        wisp_dhcp_start(wisp_dhcp_run_machine(run), net.now);
        wisp_dhcp_run_step(run, net.now);
        config.netdev->caps.mtu = 1500; /* which the message needs to leave in one piece */
        settle();
        expect_sent(DISCOVER, &message, header);
        ck_assert_uint_eq(net_get16(request_option(&message, 57, &length)), rows[i][2]);
    }
    end();
}
END_TEST

START_TEST(no_address__messages__from_nobody_to_everybody_and_unicast_answers_taken)
{
    struct wisp_dhcp_message message;
    uint8_t header[42];
    static const uint8_t nobody_to_everybody[8] = {0, 0, 0, 0, 255, 255, 255, 255};
    static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};
    wisp_dhcp_start(wisp_dhcp_run_machine(run), net.now);
    settle();
    expect_sent(DISCOVER, &message, header);
    ck_assert_mem_eq(header, everybody, 6);
    ck_assert_mem_eq(header + 26, nobody_to_everybody, 8);
    ck_assert_uint_eq(message.bytes[10] & 0x80, 0);
    reply_make(&reply, OFFER, request_xid(&message), LEASED, LEASE_TIME);
    deliver(LEASED, false, 67);
    expect_sent(REQUEST, &message, header);
    ck_assert_mem_eq(header + 26, nobody_to_everybody, 8);
    reply_make(&reply, ACK, request_xid(&message), LEASED, LEASE_TIME);
    deliver(LEASED, false, 67);
    ck_assert(has_address(LEASED, 24));
    end();
}
END_TEST

/* covers: D22 */
START_TEST(ack__leased__announced_in_the_same_moment)
{
    uint8_t frame[2000];
    lease(LEASED);
    ck_assert_uint_eq(net_sent(&net, frame, sizeof(frame)), 60);
    ck_assert_uint_eq(net_get16(frame + 12), 0x0806);
    ck_assert_mem_eq(frame + 28, LEASED.octet, 4);
    ck_assert_mem_eq(frame + 38, LEASED.octet, 4);
    end();
}
END_TEST

/* covers: D21, A1, D22 */
START_TEST(strict_probing__leased__probed_first_then_announced)
{
    uint8_t frame[2000];
    uint32_t probes = 0;
    struct wisp_addr addr;
    uint8_t prefix;
    open_with(WISP_PROBE_WAIT, wisp_ip4(0, 0, 0, 0));
    lease(LEASED);
    ck_assert(!wisp_stack_address(net.stack[0], &addr, &prefix));
    pass_time(WISP_SEC(12));
    while (net_sent(&net, frame, sizeof(frame)) > 0) {
        ck_assert_uint_eq(net_get16(frame + 12), 0x0806);
        bool is_probe = memcmp(frame + 28, "\0\0\0\0", 4) == 0;
        ck_assert(is_probe || probes == 3);
        probes += is_probe;
    }
    ck_assert_uint_eq(probes, 3);
    ck_assert(has_address(LEASED, 24));
    end();
}
END_TEST

/* covers: AR-12, D21 */
START_TEST(strict_probing__another_host_answers__declined_and_pause_of_ten_seconds)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 9};
    struct wisp_dhcp_message message;
    uint8_t header[42];
    uint8_t frame[42];
    uint8_t length;
    open_with(WISP_PROBE_WAIT, wisp_ip4(0, 0, 0, 0));
    lease(LEASED);
    pass_time(WISP_SEC(2));
    net_arp_frame(frame, 2, other, LEASED.octet, LEASED.octet);
    ck_assert(wisp_link_inject(wisp_link_dev(net.link, 0), frame, sizeof(frame)));
    settle();
    expect_told(WISP_DHCP_LOST, WISP_DHCP_REASON_CONFLICT);
    expect_sent(DECLINE, &message, header);
    ck_assert_mem_eq(header + 26, "\0\0\0\0\xff\xff\xff\xff", 8);
    ck_assert_mem_eq(request_option(&message, 50, &length), LEASED.octet, 4);
    ck_assert_mem_eq(request_option(&message, 54, &length), SERVER.octet, 4);
    pass_time(WISP_SEC(10) - WISP_MS(1));
    ck_assert(!sent(&message, header));
    pass_time(WISP_MS(1));
    expect_sent(DISCOVER, &message, header);
    end();
}
END_TEST

/* covers: AR-12, A10 */
START_TEST(address_in_use__claimed_twice_by_another__lost_declined_and_connections_told)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 9};
    struct wisp_addr remote = wisp_addr_ip4(wisp_ip4(192, 0, 2, 7));
    struct wisp_dhcp_message message;
    struct wisp_tcp_event event;
    struct wisp_tcp_conn *conn;
    uint8_t header[42];
    uint8_t frame[42];
    lease(LEASED);
    pass_time(WISP_SEC(20));
    ck_assert_int_eq(wisp_tcp_connect(tcp, NULL, 0, &remote, 80, net.now, &conn), WISP_OK);
    for (int i = 0; i < 2; i++) {
        pass_time(WISP_MS(500));
        net_arp_frame(frame, 1, other, LEASED.octet, LEASED.octet);
        ck_assert(wisp_link_inject(wisp_link_dev(net.link, 0), frame, sizeof(frame)));
        settle();
    }
    expect_told(WISP_DHCP_LOST, WISP_DHCP_REASON_CONFLICT);
    expect_sent(DECLINE, &message, header);
    ck_assert(!has_address(LEASED, 24));
    ck_assert(wisp_tcp_next_event(tcp, &event));
    ck_assert(event.what & WISP_TCP_CLOSED);
    ck_assert_int_eq(event.reason, WISP_ERR_ADDRESS_LOST);
    wisp_tcp_release(conn);
    end();
}
END_TEST

/* covers: D26 */
START_TEST(lease_over__nobody_renewed__address_routes_and_connections_gone)
{
    struct wisp_addr remote = wisp_addr_ip4(wisp_ip4(203, 0, 113, 7));
    struct wisp_tcp_event event;
    struct wisp_tcp_conn *conn;
    lease(LEASED);
    pass_time(WISP_SEC(LEASE_TIME) - WISP_MS(1));
    ck_assert(has_address(LEASED, 24));
    ck_assert_int_eq(wisp_tcp_connect(tcp, NULL, 0, &remote, 80, net.now, &conn), WISP_OK);
    pass_time(WISP_MS(1));
    expect_told(WISP_DHCP_LOST, WISP_DHCP_REASON_EXPIRED);
    ck_assert(!has_address(LEASED, 24));
    ck_assert(wisp_tcp_next_event(tcp, &event));
    ck_assert_int_eq(event.reason, WISP_ERR_ADDRESS_LOST);
    wisp_tcp_release(conn);
    expect_hop(remote.u.ip4, wisp_ip4(0, 0, 0, 0));
    end();
}
END_TEST

/* covers: D26 */
START_TEST(renewed_in_time__connections__go_on)
{
    struct wisp_addr remote = wisp_addr_ip4(wisp_ip4(192, 0, 2, 7));
    struct wisp_dhcp_message message;
    struct wisp_tcp_event event;
    struct wisp_tcp_conn *conn;
    static const uint8_t server[4] = {192, 0, 2, 1};
    uint8_t header[42];
    uint8_t frame[42];
    lease(LEASED);
    pass_time(WISP_SEC(2));
    ck_assert_int_eq(wisp_tcp_connect(tcp, NULL, 0, &remote, 80, net.now, &conn), WISP_OK);
    net_discard(&net);
    net.now = wisp_dhcp_lease(wisp_dhcp_run_machine(run))->renew;
    settle(); /* asks who has the server's address */
    net_arp_frame(frame, 2, net_mac_peer, server, LEASED.octet);
    memcpy(frame, net_mac_ours, 6);
    ck_assert(wisp_link_inject(wisp_link_dev(net.link, 0), frame, sizeof(frame)));
    settle();
    expect_sent(REQUEST, &message, header);
    ck_assert_mem_eq(header, net_mac_peer, 6);
    ck_assert_mem_eq(header + 26, "\xc0\x00\x02\x32\xc0\x00\x02\x01", 8);
    while (wisp_tcp_next_event(tcp, &event)) {
        ck_assert_int_ne(event.reason, WISP_ERR_ADDRESS_LOST);
    }
    reply_begin(&reply, ACK, request_xid(&message), LEASED);
    reply_ip4(&reply, 54, SERVER);
    reply_ip4(&reply, 1, wisp_ip4(255, 255, 0, 0)); /* a wider network from now on */
    reply_u32(&reply, 51, LEASE_TIME);
    reply_end(&reply);
    deliver(LEASED, false, 67);
    expect_told(WISP_DHCP_RENEWED, WISP_DHCP_REASON_NONE);
    ck_assert(has_address(LEASED, 16));
    expect_hop(wisp_ip4(192, 0, 99, 9), wisp_ip4(192, 0, 99, 9));
    while (wisp_tcp_next_event(tcp, &event)) {
        ck_assert_int_ne(event.reason, WISP_ERR_ADDRESS_LOST);
    }
    wisp_tcp_abort(conn);
    wisp_tcp_release(conn);
    end();
}
END_TEST

START_TEST(lease_with_router__route__by_it_unless_a_gateway_is_given)
{
    lease(LEASED);
    expect_hop(wisp_ip4(203, 0, 113, 7), SERVER);
    end();
    open_with(WISP_PROBE_NONE, wisp_ip4(192, 0, 2, 254));
    lease(LEASED);
    expect_hop(wisp_ip4(203, 0, 113, 7), wisp_ip4(192, 0, 2, 254));
    end();
}
END_TEST

START_TEST(mask_32_and_router_beyond__packets__leave_by_it)
{
    struct wisp_dhcp_message message;
    uint8_t header[42];
    wisp_dhcp_start(wisp_dhcp_run_machine(run), net.now);
    settle();
    for (uint8_t type = OFFER; type <= ACK; type = (uint8_t)(type + ACK - OFFER)) {
        ck_assert(sent(&message, header));
        reply_begin(&reply, type, request_xid(&message), LEASED);
        reply_ip4(&reply, 54, SERVER);
        reply_ip4(&reply, 1, wisp_ip4(255, 255, 255, 255));
        reply_ip4(&reply, 3, wisp_ip4(10, 1, 2, 3));
        reply_u32(&reply, 51, LEASE_TIME);
        reply_u16(&reply, 26, 1400);
        reply_end(&reply);
        deliver(wisp_ip4(255, 255, 255, 255), true, 67);
    }
    ck_assert(has_address(LEASED, 32));
    ck_assert_uint_eq(config.netdev->caps.mtu, 1400);
    expect_hop(wisp_ip4(203, 0, 113, 7), wisp_ip4(10, 1, 2, 3));
    wisp_dhcp_run_fini(run, net.now);
    ck_assert(!has_address(LEASED, 32));
    ck_assert_uint_eq(config.netdev->caps.mtu, 1500);
    wisp_tcp_fini(tcp);
    wisp_udp_fini(udp);
    net_close(&net);
}
END_TEST

START_TEST(bound__link_away_and_back_or_resumed__asks_for_its_address_again)
{
    struct wisp_dhcp_message message;
    uint8_t header[42];
    uint8_t length;
    lease(LEASED);
    for (int i = 0; i < 2; i++) {
        pass_time(WISP_SEC(20));
        net_discard(&net);
        if (i == 0) {
            config.netdev->link = false;
            pass_time(WISP_SEC(1));
            ck_assert(has_address(LEASED, 24));
            config.netdev->link = true;
        } else {
            config.netdev->announce++;
        }
        settle();
        expect_sent(REQUEST, &message, header);
        ck_assert_mem_eq(request_option(&message, 50, &length), LEASED.octet, 4);
        ck_assert_ptr_null(request_option(&message, 54, &length));
        ck_assert_mem_eq(message.bytes + 12, "\0\0\0\0", 4);
        answer(ACK, &message, LEASED);
        expect_told(WISP_DHCP_RENEWED, WISP_DHCP_REASON_NONE);
        ck_assert(has_address(LEASED, 24));
    }
    /* On another network the server there says no. */
    config.netdev->announce++;
    settle();
    ck_assert(!sent(&message, header)); /* at most once a second */
    pass_time(WISP_SEC(1));
    expect_sent(REQUEST, &message, header);
    answer(NAK, &message, wisp_ip4(0, 0, 0, 0));
    expect_told(WISP_DHCP_LOST, WISP_DHCP_REASON_REFUSED);
    ck_assert(!has_address(LEASED, 24));
    expect_sent(DISCOVER, &message, header);
    end();
}
END_TEST

START_TEST(bound__started_again_or_informed__old_address_leaves_at_once)
{
    struct wisp_addr addr;
    uint8_t prefix;
    for (int again = 0; again < 3; again++) {
        struct wisp_dhcp *dhcp = wisp_dhcp_run_machine(run);
        lease(LEASED);
        if (again == 0) {
            wisp_dhcp_start(dhcp, net.now);
        } else if (again == 1) {
            wisp_dhcp_reboot(dhcp, LEASED, net.now);
        } else {
            wisp_dhcp_inform(dhcp, LEASED, 24, net.now);
        }
        settle();
        expect_told(WISP_DHCP_LOST, WISP_DHCP_REASON_RELEASED);
        ck_assert(!wisp_stack_address(net.stack[0], &addr, &prefix));
        while (net_sent(&net, (uint8_t[2000]){0}, 2000) > 0) {
        }
    }
    lease(wisp_ip4(192, 0, 2, 99));
    ck_assert(has_address(wisp_ip4(192, 0, 2, 99), 24));
    end();
}
END_TEST

START_TEST(release__message_leaves_by_the_address__then_it_goes)
{
    static const uint8_t server[4] = {192, 0, 2, 1};
    struct wisp_dhcp_message message;
    uint8_t header[42];
    uint8_t frame[42];
    lease(LEASED);
    wisp_dhcp_release(wisp_dhcp_run_machine(run), net.now);
    settle();
    net_arp_frame(frame, 2, net_mac_peer, server, LEASED.octet);
    memcpy(frame, net_mac_ours, 6);
    ck_assert(wisp_link_inject(wisp_link_dev(net.link, 0), frame, sizeof(frame)));
    settle();
    expect_sent(RELEASE, &message, header);
    ck_assert_mem_eq(header + 26, LEASED.octet, 4);
    pass_time(WISP_MS(100));
    expect_told(WISP_DHCP_LOST, WISP_DHCP_REASON_RELEASED);
    ck_assert(!has_address(LEASED, 24));
    end();
}
END_TEST

START_TEST(own_address__inform__only_what_surrounds_it_changes)
{
    struct wisp_addr own = wisp_addr_ip4(wisp_ip4(192, 0, 2, 77));
    struct wisp_dhcp_message message;
    uint8_t header[42];
    open_with(WISP_PROBE_NONE, wisp_ip4(192, 0, 2, 254));
    ck_assert_int_eq(wisp_stack_address_add(net.stack[0], &own, 24, net.now), WISP_OK);
    wisp_dhcp_inform(wisp_dhcp_run_machine(run), own.u.ip4, 24, net.now);
    settle();
    expect_sent(INFORM, &message, header);
    ck_assert_mem_eq(header + 26, own.u.ip4.octet, 4);
    ck_assert_mem_eq(message.bytes + 12, own.u.ip4.octet, 4);
    answer(ACK, &message, wisp_ip4(0, 0, 0, 0));
    expect_told(WISP_DHCP_INFORMED, WISP_DHCP_REASON_NONE);
    ck_assert(has_address(own.u.ip4, 24));
    expect_hop(wisp_ip4(203, 0, 113, 7), wisp_ip4(192, 0, 2, 254));
    end();
}
END_TEST

/* covers: DH-01 */
START_TEST(selecting__offer_from_another_port_or_too_long__ignored)
{
    struct wisp_dhcp_message message;
    uint8_t header[42];
    wisp_dhcp_start(wisp_dhcp_run_machine(run), net.now);
    settle();
    expect_sent(DISCOVER, &message, header);
    static const uint16_t ports[] = {0, 66, 68, 6700, 65535};
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        reply_make(&reply, OFFER, request_xid(&message), LEASED, LEASE_TIME);
        deliver(wisp_ip4(255, 255, 255, 255), true, ports[i]);
        ck_assert(!sent(&message, header));
    }
    ck_assert_int_eq(wisp_dhcp_state(wisp_dhcp_run_machine(run)), WISP_DHCP_STATE_SELECTING);
    end();
}
END_TEST

START_TEST(no_packet_to_be_had__discover__leaves_when_there_is_one)
{
    struct wisp_dhcp_message message;
    struct wisp_pkt *held[4096];
    uint32_t n = 0;
    uint8_t header[42];
    while (n < 4096 && (held[n] = wisp_pkt_alloc(config.netdev->tx_pool)) != NULL) {
        n++;
    }
    ck_assert_uint_lt(n, 4096);
    wisp_dhcp_start(wisp_dhcp_run_machine(run), net.now);
    settle();
    pass_time(WISP_MS(100));
    ck_assert(!sent(&message, header));
    while (n > 0) {
        wisp_pkt_drop(held[--n]);
    }
    pass_time(WISP_MS(20));
    expect_sent(DISCOVER, &message, header);
    ck_assert(!sent(&message, header));
    end();
}
END_TEST

/* The server of one second: answers what it heard, if there is a page for it. */
static void serve(void)
{
    struct wisp_dhcp_message message;
    uint8_t header[42];
    for (int i = 0; i < 100; i++) {
        pass_time(WISP_MS(10));
        if (sent(&message, header)) {
            uint8_t type = request_type(&message);
            ck_assert(type == DISCOVER || type == REQUEST);
            reply_make(&reply, type == DISCOVER ? OFFER : ACK, request_xid(&message), LEASED,
                       LEASE_TIME);
            deliver_if_room(wisp_ip4(255, 255, 255, 255), true, 67);
        }
    }
}

/* covers: RS-12 */
START_TEST(pool_fails__at_any_request__a_lease_is_had_all_the_same)
{
    static const uint64_t spans[] = {1, 10};
    for (size_t k = 0; k < sizeof(spans) / sizeof(spans[0]); k++) {
        uint64_t asked = 1;
        for (uint64_t first = 1; first <= asked; first++) {
            setup();
            famine_begin(first, spans[k]);
            wisp_dhcp_start(wisp_dhcp_run_machine(run), net.now);
            for (int i = 0; i < 60 && !has_address(LEASED, 24); i++) {
                serve();
            }
            ck_assert_msg(has_address(LEASED, 24), "request %d", (int)first);
            asked = famine_end();
            expect_told(WISP_DHCP_LEASED, WISP_DHCP_REASON_NONE);
            end();
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_run");
    TCase *tcase = tcase_create("fresh");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, device_with_a_small_mtu__discover__bounds_answers_by_it);
    tcase_add_test(tcase, no_address__messages__from_nobody_to_everybody_and_unicast_answers_taken);
    tcase_add_test(tcase, ack__leased__announced_in_the_same_moment);
    tcase_add_test(tcase,
                   address_in_use__claimed_twice_by_another__lost_declined_and_connections_told);
    tcase_add_test(tcase, lease_over__nobody_renewed__address_routes_and_connections_gone);
    tcase_add_test(tcase, renewed_in_time__connections__go_on);
    tcase_add_test(tcase, lease_with_router__route__by_it_unless_a_gateway_is_given);
    tcase_add_test(tcase, mask_32_and_router_beyond__packets__leave_by_it);
    tcase_add_test(tcase, bound__link_away_and_back_or_resumed__asks_for_its_address_again);
    tcase_add_test(tcase, bound__started_again_or_informed__old_address_leaves_at_once);
    tcase_add_test(tcase, release__message_leaves_by_the_address__then_it_goes);
    tcase_add_test(tcase, selecting__offer_from_another_port_or_too_long__ignored);
    tcase_add_test(tcase, no_packet_to_be_had__discover__leaves_when_there_is_one);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("configured");
    tcase_add_test(tcase, strict_probing__leased__probed_first_then_announced);
    tcase_add_test(tcase, strict_probing__another_host_answers__declined_and_pause_of_ten_seconds);
    tcase_add_test(tcase, pool_fails__at_any_request__a_lease_is_had_all_the_same);
    tcase_add_test(tcase, own_address__inform__only_what_surrounds_it_changes);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
