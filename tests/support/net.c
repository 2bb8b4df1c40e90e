/* SPDX-License-Identifier: ISC */
/* See net.h. */
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

const uint8_t net_mac_ours[6] = {2, 0, 0, 0, 0, 1};
const uint8_t net_mac_peer[6] = {2, 0, 0, 0, 0, 2};

void net_options_default(struct net_options *options)
{
    memset(options, 0, sizeof(*options));
    options->link.mtu = 1500;
    wisp_stack_config_default(&options->config);
    options->config.probe = WISP_PROBE_NONE;
    options->config.reassembly = &wisp_ipv4_reassembly;
}

void *net_memory(struct net *net, size_t size)
{
    void *p =
        aligned_alloc(WISP_PAGE_SIZE, (size + WISP_PAGE_SIZE - 1) & ~(size_t)(WISP_PAGE_SIZE - 1));
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_lt(net->memories, sizeof(net->memory) / sizeof(net->memory[0]));
    memset(p, 0, size);
    net->memory[net->memories++] = p;
    return p;
}

static void open_end(struct net *net, const struct net_options *options, int end)
{
    struct wisp_stack_config config = options->config;
    config.netdev = wisp_link_dev(net->link, end);
    config.pages = net->pool[end];
    config.hash = test_siphash;
    config.sum = wisp_sum_portable;
    config.seed[0] ^= (uint8_t)(end + 1);
    size_t size = wisp_stack_size(&config);
    void *mem = net_memory(net, size);
    net->stack[end] = wisp_stack_init(mem, size, &config, net->now);
    ck_assert_ptr_nonnull(net->stack[end]);
    ck_assert_ptr_null(wisp_stack_init(mem, size - 1, &config, net->now));
    if (!options->no_address) {
        enum wisp_err err = wisp_stack_address_add(net->stack[end], &net->addr[end], 24, net->now);
        ck_assert_int_eq(err, WISP_OK);
    }
}

void net_open(struct net *net, const struct net_options *options)
{
    memset(net, 0, sizeof(*net));
    net->now = WISP_SEC(1000);
    uint32_t count = options->pages ? options->pages : NET_PAGES;
    for (uint8_t i = 0; i < 2; i++) {
        void *meta = net_memory(net, wisp_pool_size(count));
        void *pages = net_memory(net, (size_t)count * WISP_PAGE_SIZE);
        net->pool[i] = wisp_pool_init(meta, wisp_pool_size(count), pages, count, 16, true);
        net->addr[i] = wisp_addr_ip4(wisp_ip4(10, 0, 0, (uint8_t)(i + 1)));
    }
    net->link = calloc(1, sizeof(*net->link));
    size_t size = wisp_link_size(&options->link);
    ck_assert(wisp_link_init(net->link, &options->link, net_memory(net, size), size, net->pool));
    open_end(net, options, 0);
    if (!options->alone) {
        open_end(net, options, 1);
    }
    net_settle(net);
    if (options->alone) {
        net_discard(net);
    }
}

void net_close(struct net *net)
{
    for (int i = 0; i < 2; i++) {
        if (net->stack[i]) {
            wisp_stack_fini(net->stack[i]);
        }
    }
    wisp_link_fini(net->link);
    for (int i = 0; i < 2; i++) {
        struct wisp_pool_stats stats;
        wisp_pool_stats(net->pool[i], &stats);
        ck_assert_msg(stats.in_use == 0, "end %d: %u pages not given back", i, stats.in_use);
    }
    free(net->link);
    for (uint32_t i = 0; i < net->memories; i++) {
        free(net->memory[i]);
    }
}

static wisp_time poll_all(struct net *net)
{
    wisp_time at = wisp_stack_poll(net->stack[0], net->now);
    if (net->stack[1]) {
        at = wisp_time_min(at, wisp_stack_poll(net->stack[1], net->now));
        struct wisp_netdev *first = wisp_link_dev(net->link, 0);
        at = wisp_time_min(at, first->ops->deadline(first, net->now));
    }
    return at;
}

void net_settle(struct net *net)
{
    for (int i = 0; i < 10000; i++) {
        if (poll_all(net) > net->now) {
            return;
        }
    }
    ck_abort_msg("the stacks do not come to rest");
}

void net_run(struct net *net, wisp_time duration)
{
    wisp_time end = net->now + duration;
    for (int i = 0; i < 1000000; i++) {
        wisp_time at = poll_all(net);
        if (at > net->now) {
            if (at >= end) {
                break;
            }
            net->now = at;
        }
    }
    net->now = end;
    net_settle(net);
}

void net_inject(struct net *net, const void *frame, size_t length)
{
    ck_assert(wisp_link_inject(wisp_link_dev(net->link, 0), frame, (uint32_t)length));
    net_settle(net);
}

size_t net_sent(struct net *net, uint8_t *bytes, size_t size)
{
    struct wisp_netdev *peer = wisp_link_dev(net->link, 1);
    struct wisp_pkt *pkt;
    if (peer->ops->receive(peer, &pkt, 1, net->now) == 0) {
        return 0;
    }
    size_t length = pkt->length;
    ck_assert_uint_le(length, size);
    ck_assert(wisp_pkt_read(pkt, 0, bytes, pkt->length));
    if (net_get16(bytes + 12) == 0x0800) {
        ck_assert_msg(bytes[22] != 0, "a packet with TTL 0 was sent"); /* RFC 1122 §3.2.1.7 */
        ck_assert_uint_eq(net_checksum(bytes + 14, 20, 0), 0);
    }
    wisp_pkt_drop(pkt);
    return length;
}

uint32_t net_discard(struct net *net)
{
    uint8_t *bytes = malloc(70000);
    uint32_t n = 0;
    while (net_sent(net, bytes, 70000) > 0) {
        n++;
    }
    free(bytes);
    return n;
}

void net_put16(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

uint32_t net_get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

void net_arp_frame(uint8_t *frame, uint16_t operation, const uint8_t sender_mac[6],
                   const uint8_t sender[4], const uint8_t target[4])
{
    static const uint8_t kind[] = {8, 6, 0, 1, 8, 0, 6, 4};
    memset(frame, 0, 42);
    memset(frame, 0xff, 6);
    memcpy(frame + 6, sender_mac, 6);
    memcpy(frame + 12, kind, sizeof(kind));
    net_put16(frame + 20, operation);
    memcpy(frame + 22, sender_mac, 6);
    memcpy(frame + 28, sender, 4);
    memcpy(frame + 38, target, 4);
}

void net_introduce(struct net *net)
{
    static const uint8_t from[] = {10, 0, 0, 2};
    static const uint8_t to[] = {10, 0, 0, 1};
    uint8_t frame[42];
    net_settle(net);
    net_discard(net); /* questions to a peer that was known before */
    net_arp_frame(frame, 1, net_mac_peer, from, to);
    net_inject(net, frame, sizeof(frame));
    ck_assert_uint_eq(net_discard(net), 1);
}

uint16_t net_checksum(const uint8_t *bytes, size_t length, uint32_t start)
{
    uint64_t sum = start;
    for (size_t i = 0; i < length; i++) {
        sum += i % 2 ? bytes[i] : (uint64_t)bytes[i] << 8;
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

void net_ip_seal(uint8_t *frame)
{
    uint8_t *ip = frame + 14;
    ip[10] = ip[11] = 0;
    uint16_t c = net_checksum(ip, (size_t)(ip[0] & 15) * 4, 0);
    ip[10] = (uint8_t)(c >> 8);
    ip[11] = (uint8_t)c;
}

size_t net_ip_frame(uint8_t *frame, uint8_t protocol, size_t header, size_t payload)
{
    uint8_t *ip = frame + 14;
    size_t total = header + payload;
    static const uint8_t addresses[] = {10, 0, 0, 2, 10, 0, 0, 1};
    memcpy(frame, net_mac_ours, 6);
    memcpy(frame + 6, net_mac_peer, 6);
    frame[12] = 8;
    frame[13] = 0;
    memset(ip, 1, header);
    ip[0] = (uint8_t)(0x40 | header / 4);
    ip[1] = 0;
    ip[2] = (uint8_t)(total >> 8);
    ip[3] = (uint8_t)total;
    ip[4] = 0x12;
    ip[5] = 0x34;
    ip[6] = ip[7] = 0;
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, addresses, 8);
    net_ip_seal(frame);
    return 14 + total;
}

uint64_t net_count(const struct net *net, const char *name)
{
    return wisp_stack_count(net->stack[0], name);
}

void net_expect_drop(struct net *net, const void *frame, size_t length, const char *name)
{
    uint64_t before = net_count(net, name);
    net_inject(net, frame, length);
    uint64_t after = net_count(net, name);
    ck_assert_msg(after == before + 1, "length %zu: %s went from %llu to %llu", length, name,
                  (unsigned long long)before, (unsigned long long)after);
    ck_assert_msg(net_discard(net) == 0, "length %zu, %s: something was sent", length, name);
}

size_t net_expect_answer(struct net *net, const void *frame, size_t length, uint8_t *answer,
                         size_t size)
{
    net_inject(net, frame, length);
    size_t n = net_sent(net, answer, size);
    ck_assert_msg(n > 0, "no answer to a frame of %zu bytes", length);
    ck_assert_uint_eq(net_discard(net), 0);
    return n;
}

void net_icmp_seal(uint8_t *frame)
{
    uint8_t *icmp = frame + 14 + (size_t)(frame[14] & 15) * 4;
    size_t length = net_get16(frame + 16) - (size_t)(frame[14] & 15) * 4;
    net_put16(icmp + 2, 0);
    net_put16(icmp + 2, net_checksum(icmp, length, 0));
}

size_t net_echo_frame(uint8_t *frame, size_t payload)
{
    size_t length = net_ip_frame(frame, 1, 20, 8 + payload);
    uint8_t *icmp = frame + 34;
    memset(icmp, 0, 8);
    icmp[0] = 8;
    net_put16(icmp + 4, 0x1234);
    net_put16(icmp + 6, 1);
    for (size_t i = 0; i < payload; i++) {
        icmp[8 + i] = (uint8_t)(i * 7 + 1);
    }
    net_icmp_seal(frame);
    return length;
}

void net_udp_seal(uint8_t *frame)
{
    uint8_t *udp = frame + 14 + (size_t)(frame[14] & 15) * 4;
    size_t length = net_get16(udp + 4);
    uint32_t pseudo = 17 + (uint32_t)length;
    for (size_t i = 26; i < 34; i += 2) {
        pseudo += net_get16(frame + i);
    }
    net_put16(udp + 6, 0);
    uint16_t sum = net_checksum(udp, length, pseudo);
    net_put16(udp + 6, sum == 0 ? 0xffff : sum);
}

size_t net_udp_frame(uint8_t *frame, uint16_t port, size_t payload)
{
    size_t length = net_ip_frame(frame, 17, 20, 8 + payload);
    uint8_t *udp = frame + 34;
    net_put16(udp, 4000);
    net_put16(udp + 2, port);
    net_put16(udp + 4, 8 + payload);
    for (size_t i = 0; i < payload; i++) {
        udp[8 + i] = (uint8_t)(i * 5 + 2);
    }
    net_udp_seal(frame);
    return length;
}
