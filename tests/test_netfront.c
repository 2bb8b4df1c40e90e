/* SPDX-License-Identifier: ISC */
/* The ring driver against the netback in memory: connecting, every feature, both grant policies,
 * both directions. */
#include "netfront_priv.h"
#include "rig.h"
#include "suite.h"
#include <string.h>

static struct rig rig;

static const struct {
    const char *name;
    struct rig_config config;
} manner[] = {
    {"strict", {.policy = WISP_GRANT_STRICT}},
    {"strict, untrusted", {.policy = WISP_GRANT_STRICT, .untrusted = true}},
    {"persistent", {.policy = WISP_GRANT_PERSISTENT}},
    {"persistent, born shared", {.policy = WISP_GRANT_PERSISTENT, .born_shared = true}},
    {"persistent, untrusted", {.policy = WISP_GRANT_PERSISTENT, .untrusted = true}},
};

#define MANNERS (sizeof(manner) / sizeof(manner[0]))

static bool copies(const struct rig *r)
{
    return r->config.policy == WISP_GRANT_PERSISTENT && r->config.untrusted;
}

START_TEST(waiting__backend_ready__connects_and_disconnects_with_nothing_left)
{
    for (size_t i = 0; i < MANNERS; i++) {
        rig_open(&rig, &manner[i].config);
        rig_connect(&rig);
        ck_assert_msg(wisp_netback_connected(rig.nb), "%s", manner[i].name);
        ck_assert_uint_eq(rig.dev->caps.mtu, 1500);
        ck_assert_uint_eq(rig.dev->caps.mac.octet[5], 1);
        ck_assert_uint_eq(rig.dev->caps.gso_tx, 65521);
        ck_assert_uint_eq(rig.dev->announce, 1);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(connected__frames_of_many_shapes_sent__arrive_whole_and_complete)
{
    static const struct {
        uint16_t head;
        uint16_t views[18];
    } shape[] = {
        {14, {0}},
        {60, {0}},
        {54, {1}},
        {54, {1460}},
        {66, {4096, 4096, 4096}},
        {54, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}},
        {192, {4096}},
    };
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        for (uint32_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
            struct wisp_pkt *pkt = rig_packet(&rig, shape[i].head, shape[i].views, (uint8_t)i);
            uint32_t length = pkt->length;
            ck_assert(rig_send(&rig, pkt));
            rig_run(&rig, 2);
            ck_assert_msg(rig.frames == i + 1 && rig.seen.length == length, "%s: shape %u",
                          manner[m].name, i);
            for (uint32_t k = 0; k < length; k++) {
                ck_assert_uint_eq(rig.last[k], (uint8_t)(i + k));
            }
            ck_assert_uint_eq(rig.completed, i + 1);
        }
        ck_assert_uint_eq(rig.failed, 0);
        /* An untrusted backend is granted no page with bytes on it that it is not sent: parts of pages are copied,
         * and under persistent grants whole ones too. */
        uint64_t parts = 1 + 1460 + 17 * 18 / 2;
        uint64_t wholes = 4 * 4096;
        ck_assert_uint_eq(rig.dev->stats.bytes_copied, copies(&rig)           ? parts + wholes
                                                       : rig.config.untrusted ? parts
                                                                              : 0);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(connected__frames_of_many_lengths_received__arrive_whole_and_uncopied)
{
    static const uint32_t length[] = {14, 60, 1514, 4096, 4097, 9000, 65000};
    for (size_t m = 0; m < MANNERS; m++) {
        for (uint16_t split = 0; split < 2; split++) {
            struct rig_config config = manner[m].config;
            config.slot_bytes = split ? 1000 : 0;
            rig_open(&rig, &config);
            rig_connect(&rig);
            for (uint32_t i = 0; i < sizeof(length) / sizeof(length[0]); i++) {
                rig_deliver(&rig, length[i], (uint8_t)i);
                rig_run(&rig, 2);
                ck_assert_msg(rig.pkts == 1, "%s: length %u", manner[m].name, length[i]);
                ck_assert(rig_counts_up(rig.pkt[0], length[i], (uint8_t)i));
                bool exposed = config.policy == WISP_GRANT_PERSISTENT && !config.untrusted;
                ck_assert_uint_eq((rig.pkt[0]->flags & WISP_PKT_MUTABLE) != 0, exposed);
                rig_drop(&rig);
            }
            ck_assert_uint_eq(rig.dev->stats.bytes_copied > 0, copies(&rig));
            rig_close(&rig);
        }
    }
}
END_TEST

/* So many frames of two slots out and one in, each seen whole and in its turn. */
static void pass_both_ways(uint32_t frames)
{
    static const uint16_t views[] = {1446, 0};
    for (uint32_t i = 0; i < frames; i++) {
        ck_assert(rig_send(&rig, rig_packet(&rig, 54, views, (uint8_t)i)));
        rig_deliver(&rig, 100 + i % 1400, (uint8_t)i);
        rig_run(&rig, 1);
        ck_assert_uint_eq(rig.last[0], (uint8_t)i);
        ck_assert_uint_eq(rig.pkts, 1);
        ck_assert(rig_counts_up(rig.pkt[0], 100 + i % 1400, (uint8_t)i));
        rig_drop(&rig);
    }
    ck_assert_uint_eq(rig.frames, frames);
}

START_TEST(connected__thousands_of_frames_both_ways__rings_wrap_and_order_holds)
{
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        pass_both_ways(3000);
        rig_close(&rig);
    }
}
END_TEST

/* Both ends, as if they had exchanged almost 2^32 slots. */
static void turn_rings(void)
{
    const uint32_t by = 0u - 512;
    wisp_netback_turn(rig.nb, by);
    for (uint32_t i = 0; i < rig.front->queues; i++) {
        struct ring *const ring[] = {&rig.front->queue[i].tx.ring, &rig.front->queue[i].rx.ring};
        for (int k = 0; k < 2; k++) {
            ring[k]->filled += by;
            ring[k]->published += by;
            ring[k]->consumed += by;
        }
    }
}

START_TEST(indices_about_to_pass_2_to_the_32__frames_both_ways__order_holds)
{
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        turn_rings();
        ck_assert_uint_gt(rig.front->queue[0].tx.ring.filled, UINT32_MAX - 512);
        pass_both_ways(1500);
        ck_assert_uint_lt(rig.front->queue[0].tx.ring.filled, 10000);
        ck_assert_uint_lt(rig.front->queue[0].rx.ring.filled, 10000);
        rig_close(&rig);
    }
}
END_TEST

/* A backend that goes back over the wrap, or ahead of what was asked, is as bad there as elsewhere. */
START_TEST(indices_just_past_2_to_the_32__response_index_jumps__device_broken)
{
    static const uint32_t jump[] = {1, 1000, UINT32_MAX, 0x80000000u};
    for (size_t k = 0; k < sizeof(jump) / sizeof(jump[0]); k++) {
        rig_open(&rig, &manner[0].config);
        rig_connect(&rig);
        turn_rings();
        while (rig.front->queue[0].tx.ring.filled > 1000) {
            ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 0)));
            rig_run(&rig, 1);
        }
        rig_front(&rig);
        ck_assert(rig.dev->link);
        ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_TX_RSP_PROD, .a = jump[k]}));
        rig_front(&rig);
        ck_assert_uint_eq(rig_count(&rig, "netfront.broken"), 1);
        rig_run(&rig, 5);
        rig_close(&rig);
    }
}
END_TEST

/* ---- offloads and features ---- */

static struct wisp_pkt *tcp_packet(uint32_t payload)
{
    uint8_t head[64];
    uint32_t length = rig_ip_frame(head, 6, 0, true);
    uint16_t views[18] = {0};
    for (uint32_t i = 0; payload > 0; i++) {
        views[i] = (uint16_t)(payload < 4096 ? payload : 4096);
        payload -= views[i];
    }
    struct wisp_pkt *pkt = rig_packet(&rig, length, views, 0);
    memcpy(wisp_pkt_head(pkt), head, length);
    pkt->csum = WISP_CSUM_BLANK;
    pkt->csum_start = 34;
    pkt->csum_offset = 16;
    return pkt;
}

START_TEST(gso__largest_segment_sent__one_extra_eighteen_slots_and_no_copy)
{
    struct wisp_netback_stats stats;
    rig_open(&rig, &manner[0].config);
    rig_connect(&rig);
    struct wisp_pkt *pkt = tcp_packet(65535 - 54);
    pkt->gso = WISP_GSO_TCP4;
    pkt->gso_size = 1448;
    ck_assert_uint_eq(pkt->length, 65535);
    ck_assert(rig_send(&rig, pkt));
    rig_run(&rig, 2);
    ck_assert_uint_eq(rig.frames, 1);
    ck_assert_uint_eq(rig.seen.length, 65535);
    ck_assert_uint_eq(rig.seen.gso_size, 1448);
    ck_assert(rig.seen.csum_blank);
    wisp_netback_stats(rig.nb, &stats);
    ck_assert_uint_eq(stats.tx_gso, 1);
    ck_assert_uint_eq(stats.tx_gso_fixup, 0);
    ck_assert_uint_eq(stats.tx_extras, 1);
    ck_assert_uint_eq(stats.tx_slots, 18); /* 17 of data and the extra */
    ck_assert_uint_eq(rig.completed, 1);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.bad_null"), 0);
    ck_assert_uint_eq(rig.dev->stats.bytes_copied, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(gso__frames_no_slots_can_carry__refused_and_counted)
{
    static const uint16_t runt[] = {100, 0};
    rig_open(&rig, &manner[0].config);
    rig_connect(&rig);
    struct wisp_pkt *pkt = tcp_packet(60000);
    pkt->gso = WISP_GSO_TCP4;
    pkt->gso_size = 1448;
    pkt->csum = WISP_CSUM_UNKNOWN; /* Linux would have to sum it all */
    ck_assert(rig_send(&rig, pkt));
    pkt = tcp_packet(60000);
    pkt->gso = WISP_GSO_TCP4;
    ck_assert(rig_send(&rig, pkt));                           /* segments of no size */
    ck_assert(rig_send(&rig, tcp_packet(65535 - 53)));        /* a byte too long */
    ck_assert(rig_send(&rig, rig_packet(&rig, 13, runt, 0))); /* headers over two slots */
    rig_run(&rig, 2);
    ck_assert_uint_eq(rig.frames, 0);
    ck_assert_uint_eq(rig.completed, 4);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.refused"), 4);
    ck_assert_ptr_null(wisp_netback_fatal(rig.nb));
    rig_close(&rig);
}
END_TEST

START_TEST(checksum__blank_or_complete__flag_says_so)
{
    rig_open(&rig, &manner[0].config);
    rig_connect(&rig);
    ck_assert_uint_eq(rig.dev->caps.csum_tx, WISP_OFFLOAD_TCP4 | WISP_OFFLOAD_UDP4);
    ck_assert(rig_send(&rig, tcp_packet(100)));
    rig_run(&rig, 1);
    ck_assert(rig.seen.csum_blank);
    struct wisp_pkt *pkt = tcp_packet(100);
    pkt->csum = WISP_CSUM_UNKNOWN;
    ck_assert(rig_send(&rig, pkt));
    rig_run(&rig, 1);
    ck_assert(!rig.seen.csum_blank);
    rig_close(&rig);
}
END_TEST

/* Hands the driver a TCP frame with a blank checksum, merged if gso_size says so. */
static void deliver_tcp(uint32_t payload, uint16_t gso_size)
{
    static uint8_t bytes[WISP_FRAME_MAX];
    struct wisp_frame frame = wisp_frame_of(bytes, rig_ip_frame(bytes, 6, payload, true));
    frame.csum_blank = true;
    frame.gso_size = gso_size;
    ck_assert(wisp_netback_send(rig.nb, &frame, rig.now));
    rig_run(&rig, 2);
}

START_TEST(gso_received__offered_or_not__merged_or_cut_by_the_backend)
{
    static const struct {
        uint32_t offers;
        uint32_t pkts;
        uint8_t csum;
    } row[] = {
        {WISP_OFFER_ALL & ~(uint32_t)WISP_OFFER_MULTICAST, 1, WISP_CSUM_BLANK},
        {WISP_OFFER_SG | WISP_OFFER_CSUM_RX, 10, WISP_CSUM_VERIFIED},
        {WISP_OFFER_RX_NOTIFY, 10, WISP_CSUM_VERIFIED},
    };
    for (size_t i = 0; i < 3; i++) {
        rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .offers = row[i].offers});
        rig_connect(&rig);
        deliver_tcp(14480, 1448);
        ck_assert_msg(rig.pkts == row[i].pkts, "row %zu: %u", i, rig.pkts);
        ck_assert_uint_eq(rig.pkt[0]->gso, row[i].pkts == 1 ? WISP_GSO_TCP4 : WISP_GSO_NONE);
        ck_assert_uint_eq(rig.pkt[0]->csum, row[i].csum);
        ck_assert_uint_eq(rig.dev->caps.gso_rx != 0, row[i].pkts == 1);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(no_scatter_gather__frames_of_many_views__copied_into_one_slot)
{
    static const uint16_t views[] = {300, 300, 800, 0};
    for (size_t m = 0; m < MANNERS; m++) {
        struct rig_config config = manner[m].config;
        config.offers = WISP_OFFER_CSUM_TX;
        config.mtu = 9000;
        rig_open(&rig, &config);
        rig_connect(&rig);
        ck_assert_uint_eq(rig.dev->caps.mtu, 1500);
        ck_assert_uint_eq(rig.dev->caps.gso_tx, 0);
        ck_assert(rig_send(&rig, rig_packet(&rig, 54, views, 7)));
        rig_deliver(&rig, 1514, 1);
        rig_run(&rig, 2);
        ck_assert_uint_eq(rig.seen.length, 1454);
        ck_assert_uint_eq(rig.last[1453], (uint8_t)(7 + 1453));
        ck_assert_uint_ge(rig.dev->stats.bytes_copied, 1454);
        ck_assert_uint_eq(rig.completed, 1);
        ck_assert_uint_eq(rig.pkts, 1);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(split_events__offered_or_not__two_ports_or_one)
{
    for (uint32_t split = 0; split < 2; split++) {
        struct wisp_memxen_ledger ledger;
        rig_open(&rig,
                 &(struct rig_config){.policy = WISP_GRANT_STRICT,
                                      .features = split ? WISP_NETBACK_ALL : WISP_NETBACK_SG});
        rig_connect(&rig);
        wisp_memxen_ledger(rig.xen, &ledger);
        ck_assert_uint_eq(ledger.ports, 1 + split);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(several_queues__many_flows__each_stays_on_one_and_all_are_used)
{
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .max_queues = 8, .queues = 4});
    rig_connect(&rig);
    ck_assert_uint_eq(wisp_netback_queues(rig.nb), 4);
    uint32_t used = 0;
    for (uint32_t i = 0; i < 32; i++) {
        struct wisp_pkt *pkt = rig_packet(&rig, 60, NULL, 0);
        pkt->queue = (uint16_t)(i / 2 * 4096);
        ck_assert(rig_send(&rig, pkt));
        rig_run(&rig, 1);
        ck_assert_uint_eq(rig.queues[i], rig.queues[i & ~1u]);
        used |= 1u << rig.queues[i];
    }
    ck_assert_uint_eq(used, 15);
    for (uint16_t k = 0; k < 4; k++) {
        static uint8_t bytes[100];
        struct wisp_frame frame = wisp_frame_of(bytes, 100);
        frame.queue = k;
        ck_assert(wisp_netback_send(rig.nb, &frame, rig.now));
    }
    rig_run(&rig, 2);
    ck_assert_uint_eq(rig.pkts, 4);
    rig_close(&rig);
}
END_TEST

START_TEST(multicast_control__groups_joined_and_left__backend_filters_also_after_reconnecting)
{
    static const struct wisp_mac group = {{0x01, 0x00, 0x5e, 0, 0, 0xfb}};
    uint8_t bytes[100] = {0x01, 0x00, 0x5e, 0, 0, 0xfb};
    struct wisp_frame frame = wisp_frame_of(bytes, 100);
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .offers = WISP_OFFER_ALL});
    rig_connect(&rig);
    for (uint32_t step = 0; step < 4; step++) {
        if (step == 1) {
            ck_assert(wisp_netfront_multicast(rig.front, group, true));
        } else if (step == 2) {
            wisp_netback_vanish(rig.nb);
            wisp_netback_restart(rig.nb);
        } else if (step == 3) {
            ck_assert(wisp_netfront_multicast(rig.front, group, false));
        }
        rig_run(&rig, 4);
        ck_assert(rig.dev->link);
        wisp_netback_send(rig.nb, &frame, rig.now);
        rig_run(&rig, 2);
        ck_assert_msg(rig.pkts == (step == 1 || step == 2), "step %u", step);
        rig_drop(&rig);
    }
    ck_assert_uint_eq(rig.frames, 0); /* what tells of a group is no frame */
    rig_close(&rig);
}
END_TEST

START_TEST(static_data__sent__by_reference_unless_pages_must_be_born_shared)
{
    static _Alignas(4096) uint8_t data[4096];
    memset(data, 'd', 1000);
    for (size_t m = 0; m < MANNERS; m++) {
        struct wisp_page page;
        wisp_foreign_init(&page, data, 1000);
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        for (int i = 0; i < 3; i++) {
            struct wisp_pkt *pkt = rig_packet(&rig, 54, NULL, 0);
            wisp_page_ref(&page);
            ck_assert(wisp_pkt_append(pkt, &page, 0, 1000));
            ck_assert(rig_send(&rig, pkt));
        }
        rig_run(&rig, 2);
        ck_assert_uint_eq(rig.frames, 3);
        ck_assert_uint_eq(rig.last[1053], 'd');
        bool copied = copies(&rig) || rig.config.born_shared;
        ck_assert_uint_eq(rig.dev->stats.bytes_copied, copied ? 3000 : 0);
        rig_close(&rig);
        ck_assert_uint_eq(page.refs, 1);
        ck_assert_uint_eq(page.grant, WISP_GRANT_NONE);
        ck_assert_uint_eq(page.device_uses, 0);
    }
}
END_TEST

/* Xen maps a page 127 times through one grant and no more. */
START_TEST(static_page__sent_more_often_than_a_grant_can_be_mapped__the_rest_waits)
{
    static _Alignas(4096) uint8_t data[4096];
    struct wisp_page page;
    wisp_foreign_init(&page, data, sizeof(data));
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT});
    rig_connect(&rig);
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 1}));
    uint32_t sent = 0;
    for (; sent < 70 && rig.dev->ops->room(rig.dev) > 0; sent++) {
        struct wisp_pkt *pkt = rig_packet(&rig, 54, NULL, (uint8_t)sent);
        for (uint32_t k = 0; k < 2; k++) {
            wisp_page_ref(&page);
            ck_assert(wisp_pkt_append(pkt, &page, 1000 * k, 500));
        }
        ck_assert(rig_send(&rig, pkt));
        ck_assert_uint_le(page.device_uses, 127);
    }
    ck_assert_uint_ge(page.device_uses, 64);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.waited"), 1);
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 0}));
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig.frames, sent);
    ck_assert_uint_eq(rig.completed, sent);
    ck_assert_uint_eq(rig.failed, 0);
    ck_assert_uint_eq(rig.last[0], (uint8_t)(sent - 1));
    rig_close(&rig);
    ck_assert_uint_eq(page.refs, 1);
}
END_TEST

/* ---- pressure ---- */

START_TEST(backend_stalled__more_sent_than_the_ring_holds__bounded_and_in_order_later)
{
    static const uint16_t views[] = {10, 10, 10, 0};
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 1}));
        uint32_t sent = 0;
        while (sent < 128 && rig.dev->ops->room(rig.dev) > 0) {
            ck_assert(rig_send(&rig, rig_packet(&rig, 54, views, (uint8_t)sent++)));
        }
        ck_assert_uint_ge(sent, 64); /* 64 of four slots each fill the ring */
        ck_assert_uint_le(sent, 128);
        ck_assert_uint_eq(rig.dev->ops->room(rig.dev), 0);
        ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 0}));
        rig_run(&rig, 30);
        ck_assert_uint_eq(rig.frames, sent);
        ck_assert_uint_eq(rig.completed, sent);
        ck_assert_uint_eq(rig.last[0], (uint8_t)(sent - 1));
        rig_close(&rig);
    }
}
END_TEST

START_TEST(backend_holds_pages__frame_answered_late__complete_only_then)
{
    static const uint16_t views[] = {4096, 4096, 0};
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        wisp_netback_set_hold(rig.nb, WISP_SEC(1));
        struct wisp_pkt *pkt = rig_packet(&rig, 54, views, 0);
        ck_assert(rig_send(&rig, pkt));
        rig_run(&rig, 500);
        ck_assert_uint_eq(rig.frames, 1);
        ck_assert_uint_eq(rig.completed, 0);
        ck_assert_uint_ne(pkt->flags & WISP_PKT_HELD, 0);
        rig_run(&rig, 1200);
        ck_assert_uint_eq(rig.completed, 1);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(backend_holds_pages_for_ever__connection_ends__frame_comes_back)
{
    static const uint16_t views[] = {4096, 0};
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        wisp_netback_set_hold(rig.nb, WISP_NEVER);
        ck_assert(rig_send(&rig, rig_packet(&rig, 54, views, 0)));
        rig_run(&rig, 100);
        ck_assert_uint_eq(rig.completed, 0);
        wisp_netback_restart(rig.nb);
        rig_run(&rig, 5);
        ck_assert_uint_eq(rig.completed, 1);
        ck_assert(rig.dev->link);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(load__a_thousand_frames_in_batches__events_stay_away)
{
    struct wisp_memxen_ledger before, after;
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_PERSISTENT, .born_shared = true});
    rig_connect(&rig);
    rig_run(&rig, 3);
    wisp_memxen_ledger(rig.xen, &before);
    uint64_t kicks = rig.dev->stats.kicks;
    for (uint32_t i = 0; i < 1000; i++) {
        ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 0)));
        rig_deliver(&rig, 60, 0);
        if (i % 32 == 31) {
            rig_run(&rig, 1);
            rig_drop(&rig);
        }
    }
    wisp_memxen_ledger(rig.xen, &after);
    ck_assert_uint_le(after.notified_guest - before.notified_guest, 70);
    ck_assert_uint_le(rig.dev->stats.kicks - kicks, 70);
    ck_assert_uint_eq(after.grants, before.grants);
    rig_run(&rig, 2);
    rig_close(&rig);
}
END_TEST

static void frame_comes(void)
{
    rig_deliver(&rig, 60, 0);
    wisp_netback_poll(rig.nb, rig.now);
}

/* Answers to a bulk transfer wait for its completions, but not long. */
START_TEST(many_in_flight__few_frames_come__no_event_and_seen_within_a_millisecond)
{
    struct wisp_memxen_ledger before, after;
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT});
    rig_connect(&rig);
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 1}));
    for (uint32_t i = 0; i < 80; i++) {
        ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 0)));
    }
    rig_front(&rig);
    frame_comes();
    rig_front(&rig);
    rig_front(&rig);
    ck_assert_uint_eq(rig.pkts, 1);
    wisp_time deadline = rig.dev->ops->deadline(rig.dev, rig.now);
    ck_assert_uint_gt(deadline, rig.now);
    ck_assert_uint_le(deadline, rig.now + WISP_MS(1));
    wisp_memxen_ledger(rig.xen, &before);
    frame_comes();
    wisp_memxen_ledger(rig.xen, &after);
    ck_assert_uint_eq(after.notified_guest, before.notified_guest);
    rig.now = deadline;
    rig_front(&rig);
    ck_assert_uint_eq(rig.pkts, 2);
    /* Patience that was had for nothing is not had again. */
    rig_front(&rig);
    rig.now += WISP_MS(1);
    rig_front(&rig);
    wisp_memxen_ledger(rig.xen, &before);
    frame_comes();
    wisp_memxen_ledger(rig.xen, &after);
    ck_assert_uint_eq(after.notified_guest, before.notified_guest + 1);
    rig_front(&rig);
    ck_assert_uint_eq(rig.pkts, 3);
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 0}));
    rig_run(&rig, 3);
    ck_assert_uint_eq(rig.completed, 80);
    rig_drop(&rig);
    rig_close(&rig);
}
END_TEST

START_TEST(idle__after_everything_was_taken__no_deadline)
{
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        rig_deliver(&rig, 100, 0);
        ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 0)));
        rig_run(&rig, 20);
        rig_front(&rig);
        ck_assert_uint_eq(rig.completed, 1);
        ck_assert_uint_eq(rig.dev->ops->deadline(rig.dev, rig.now), WISP_NEVER);
        rig_close(&rig);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("netfront");
    TCase *tc = tcase_create("netfront");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, waiting__backend_ready__connects_and_disconnects_with_nothing_left);
    tcase_add_test(tc, connected__frames_of_many_shapes_sent__arrive_whole_and_complete);
    tcase_add_test(tc, connected__frames_of_many_lengths_received__arrive_whole_and_uncopied);
    tcase_add_test(tc, connected__thousands_of_frames_both_ways__rings_wrap_and_order_holds);
    tcase_add_test(tc, indices_about_to_pass_2_to_the_32__frames_both_ways__order_holds);
    tcase_add_test(tc, indices_just_past_2_to_the_32__response_index_jumps__device_broken);
    tcase_add_test(tc, gso__largest_segment_sent__one_extra_eighteen_slots_and_no_copy);
    tcase_add_test(tc, gso__frames_no_slots_can_carry__refused_and_counted);
    tcase_add_test(tc, checksum__blank_or_complete__flag_says_so);
    tcase_add_test(tc, gso_received__offered_or_not__merged_or_cut_by_the_backend);
    tcase_add_test(tc, no_scatter_gather__frames_of_many_views__copied_into_one_slot);
    tcase_add_test(tc, split_events__offered_or_not__two_ports_or_one);
    tcase_add_test(tc, several_queues__many_flows__each_stays_on_one_and_all_are_used);
    tcase_add_test(
        tc, multicast_control__groups_joined_and_left__backend_filters_also_after_reconnecting);
    tcase_add_test(tc, static_data__sent__by_reference_unless_pages_must_be_born_shared);
    tcase_add_test(tc, static_page__sent_more_often_than_a_grant_can_be_mapped__the_rest_waits);
    tcase_add_test(tc, many_in_flight__few_frames_come__no_event_and_seen_within_a_millisecond);
    tcase_add_test(tc, backend_stalled__more_sent_than_the_ring_holds__bounded_and_in_order_later);
    tcase_add_test(tc, backend_holds_pages__frame_answered_late__complete_only_then);
    tcase_add_test(tc, backend_holds_pages_for_ever__connection_ends__frame_comes_back);
    tcase_add_test(tc, load__a_thousand_frames_in_batches__events_stay_away);
    tcase_add_test(tc, idle__after_everything_was_taken__no_deadline);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return wisp_suite_run(suite());
}
