/* SPDX-License-Identifier: ISC */
/* A backend that lies about received frames: lengths, chains, extras, checksums, sizes. */
#include "rig.h"
#include "suite.h"
#include <string.h>
#include <xen/io/netif.h>

static struct rig rig;

#define MORE  NETRXF_more_data
#define EXTRA NETRXF_extra_info
#define BLANK (NETRXF_csum_blank | NETRXF_data_validated)
#define AGAIN XEN_NETIF_EXTRA_FLAG_MORE
#define GSO   XEN_NETIF_EXTRA_TYPE_GSO
#define TCP4  XEN_NETIF_GSO_TYPE_TCPV4

static uint32_t room;

static void open_with(struct rig_config config)
{
    rig_open(&rig, &config);
    rig_connect(&rig);
    room = wisp_netback_room(rig.nb, 100);
}

static void open_strict(void)
{
    open_with((struct rig_config){.policy = WISP_GRANT_STRICT});
}

static void slot(int32_t status, uint32_t flags, uint32_t offset, const void *bytes)
{
    uint32_t length = status > 0 && status <= 4096 && bytes ? (uint32_t)status : 0;
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_RX_ANSWER,
                                              .b = (uint32_t)status,
                                              .c = flags,
                                              .d = offset,
                                              .bytes = bytes,
                                              .length = length}));
}

static void extra(uint32_t type, uint32_t flags, uint32_t size, uint32_t gso)
{
    ck_assert(rig_lie(
        &rig,
        (struct wisp_lie){.kind = WISP_LIE_RX_EXTRA, .a = type, .b = flags, .c = size, .d = gso}));
}

/* What was told was dropped, under this name; an honest frame still comes through; no slot is
 * missing. */
static void dropped(const char *what, const char *name, uint64_t times)
{
    rig_run(&rig, 1);
    ck_assert_msg(rig.pkts == 0, "%s: delivered", what);
    ck_assert_msg(rig_count(&rig, name) == times, "%s: %s is %lu", what, name,
                  (unsigned long)rig_count(&rig, name));
    ck_assert_msg(rig.dev->stats.rx_dropped == times, "%s", what);
    rig_deliver(&rig, 300, 42);
    rig_run(&rig, 1);
    ck_assert_msg(rig.pkts == 1 && rig_counts_up(rig.pkt[0], 300, 42), "%s: honest frame", what);
    rig_drop(&rig);
    ck_assert_msg(wisp_netback_room(rig.nb, 100) == room, "%s: slots", what);
}

/* covers: XN-03 */
START_TEST(slot__impossible_status_or_extent__dropped_and_recycled)
{
    static const struct {
        const char *name;
        int32_t status;
        uint32_t offset;
        const char *count;
    } lie[] = {
        {"error", -1, 0, "netfront.rx.bad_status"},
        {"error below", -2, 0, "netfront.rx.bad_status"},
        {"most negative", -32768, 0, "netfront.rx.bad_status"},
        {"a byte beyond the page", 4097, 0, "netfront.rx.bad_status"},
        {"largest", 32767, 0, "netfront.rx.bad_status"},
        {"offset pushes it beyond", 200, 4000, "netfront.rx.bad_extent"},
        {"offset beyond", 1, 4096, "netfront.rx.bad_extent"},
        {"largest offset", 100, 0xffff, "netfront.rx.bad_extent"},
        {"sum wraps in 16 bits", 4096, 0xffff, "netfront.rx.bad_extent"},
    };
    for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
        open_strict();
        slot(lie[i].status, 0, lie[i].offset, NULL);
        dropped(lie[i].name, lie[i].count, 1);
        slot(100, MORE, 0, NULL);
        slot(lie[i].status, MORE, lie[i].offset, NULL);
        slot(100, 0, 0, NULL);
        dropped(lie[i].name, lie[i].count, 2);
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-04 */
START_TEST(chain__longer_than_eighteen_slots__dropped_whole)
{
    static const uint32_t slots[] = {19, 20, 40, 200};
    for (size_t i = 0; i < 4; i++) {
        open_strict();
        for (uint32_t k = 1; k < slots[i]; k++) {
            slot(100, MORE, 0, NULL);
            rig_front(&rig);
        }
        slot(100, 0, 0, NULL);
        dropped("long chain", "netfront.rx.too_long", 1);
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-04 */
START_TEST(chain__eighteen_full_slots__delivered)
{
    static uint8_t page[4096];
    open_strict();
    for (uint32_t k = 1; k <= 18; k++) {
        slot(4096, k < 18 ? MORE : 0, 0, page);
    }
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 1);
    ck_assert_uint_eq(rig.pkt[0]->length, 18 * 4096);
    rig_close(&rig);
}
END_TEST

/* covers: XN-04, XN-23 */
START_TEST(chain__ends_at_producer_then_goes_on_too_late__no_part_delivered)
{
    open_strict();
    slot(100, MORE, 0, NULL);
    slot(100, MORE, 0, NULL);
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 0);
    ck_assert_uint_le(rig.dev->ops->deadline(rig.dev, rig.now), rig.now + WISP_SEC(1));
    rig.now += WISP_SEC(2);
    rig_front(&rig);
    ck_assert_uint_eq(rig_count(&rig, "netfront.rx.stalled"), 1);
    slot(100, MORE, 0, NULL);
    slot(100, 0, 0, NULL);
    dropped("late end", "netfront.rx.stalled", 1);
    rig_close(&rig);
}
END_TEST

/* covers: XN-23 */
START_TEST(chain__stalls_and_goes_on_in_time__delivered_whole)
{
    static uint8_t bytes[200];
    for (uint32_t i = 0; i < 200; i++) {
        bytes[i] = (uint8_t)i;
    }
    open_strict();
    slot(100, MORE, 0, bytes);
    rig_run(&rig, 500);
    ck_assert_uint_eq(rig.pkts, 0);
    slot(100, 0, 0, bytes + 100);
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 1);
    ck_assert(rig_counts_up(rig.pkt[0], 200, 0));
    rig_close(&rig);
}
END_TEST

/* covers: XN-05 */
START_TEST(extras__unknown_repeated_or_endless__bounded_and_dropped)
{
    static const struct {
        const char *name;
        uint32_t type[12];
        uint32_t count;
    } lie[] = {
        {"type 0", {0}, 1},
        {"type MAX", {XEN_NETIF_EXTRA_TYPE_MAX}, 1},
        {"type 255", {255}, 1},
        {"multicast to a guest", {XEN_NETIF_EXTRA_TYPE_MCAST_ADD}, 1},
        {"the same twice", {GSO, GSO}, 2},
        {"hash, GSO, hash", {4, GSO, 4}, 3},
        {"no end of them", {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4}, 12},
    };
    for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
        open_strict();
        slot(100, EXTRA, 0, NULL);
        for (uint32_t k = 0; k < lie[i].count; k++) {
            extra(lie[i].type[k], k + 1 < lie[i].count ? AGAIN : 0, 1448, TCP4);
        }
        dropped(lie[i].name, "netfront.rx.bad_extra", 1);
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-05 */
START_TEST(extras__announced_at_the_producer_and_missing__frame_not_delivered)
{
    open_strict();
    slot(100, EXTRA, 0, NULL);
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 0);
    rig.now += WISP_SEC(2);
    rig_front(&rig);
    extra(4, 0, 0, 0);
    dropped("late extra", "netfront.rx.stalled", 1);
    rig_close(&rig);
}
END_TEST

/* covers: XN-06 */
START_TEST(gso__impossible_sizes_types_and_frames__dropped_or_made_harmless)
{
    static const struct {
        const char *name;
        uint8_t protocol;
        uint32_t flags, size, type;
        uint32_t offers;
        const char *count; /* null: delivered */
        uint16_t gso_size; /* then, as this; 0: not merged */
    } lie[] = {
        {"size 0", 6, BLANK, 0, TCP4, 0, "netfront.rx.bad_extra", 0},
        {"type 0", 6, BLANK, 500, 0, 0, "netfront.rx.bad_extra", 0},
        {"type 2: TCPv6", 6, BLANK, 500, 2, 0, "netfront.rx.bad_extra", 0},
        {"type 255", 6, BLANK, 500, 255, 0, "netfront.rx.bad_extra", 0},
        {"not negotiated", 6, BLANK, 500, TCP4, WISP_OFFER_SG | WISP_OFFER_CSUM_RX,
         "netfront.rx.bad_offload", 0},
        {"UDP", 17, BLANK, 500, TCP4, 0, "netfront.rx.bad_offload", 0},
        {"ICMP", 1, BLANK, 500, TCP4, 0, "netfront.rx.bad_offload", 0},
        {"nobody vouches", 6, 0, 500, TCP4, 0, "netfront.rx.bad_offload", 0},
        {"size beyond payload", 6, BLANK, 65535, TCP4, 0, NULL, 0},
        {"size of payload", 6, BLANK, 1000, TCP4, 0, NULL, 0},
        {"size 1", 6, BLANK, 1, TCP4, 0, NULL, 1},
        {"honest", 6, BLANK, 500, TCP4, 0, NULL, 500},
    };
    uint8_t frame[1200];
    for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
        open_with((struct rig_config){.policy = WISP_GRANT_STRICT, .offers = lie[i].offers});
        uint32_t length = rig_ip_frame(frame, lie[i].protocol, 1000, true);
        slot((int32_t)length, EXTRA | lie[i].flags, 0, frame);
        extra(GSO, 0, lie[i].size, lie[i].type);
        if (lie[i].count) {
            dropped(lie[i].name, lie[i].count, 1);
        } else {
            rig_run(&rig, 1);
            ck_assert_msg(rig.pkts == 1, "%s", lie[i].name);
            ck_assert_msg(rig.pkt[0]->gso == (lie[i].gso_size ? WISP_GSO_TCP4 : WISP_GSO_NONE) &&
                              rig.pkt[0]->gso_size == lie[i].gso_size,
                          "%s", lie[i].name);
        }
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-11 */
START_TEST(checksum__what_the_backend_says__held_against_frame_and_policy)
{
    static const struct {
        const char *name;
        uint8_t protocol; /* 0: ARP */
        uint32_t flags;
        uint32_t offers;
        uint32_t trust;
        bool dropped;
        uint8_t csum;
        uint16_t start, offset;
    } say[] = {
        {"tcp blank", 6, BLANK, 0, 0, false, WISP_CSUM_BLANK, 34, 16},
        {"udp blank", 17, BLANK, 0, 0, false, WISP_CSUM_BLANK, 34, 6},
        {"tcp validated", 6, NETRXF_data_validated, 0, 0, false, WISP_CSUM_VERIFIED, 0, 0},
        {"tcp, nothing said", 6, 0, 0, 0, false, WISP_CSUM_UNKNOWN, 0, 0},
        {"validated, not trusted", 6, NETRXF_data_validated, 0, WISP_TRUST_NO, false,
         WISP_CSUM_UNKNOWN, 0, 0},
        {"blank ICMP", 1, BLANK, 0, 0, true, 0, 0, 0},
        {"blank ARP", 0, BLANK, 0, 0, true, 0, 0, 0},
        {"blank, not negotiated", 6, BLANK, WISP_OFFER_SG, 0, true, 0, 0, 0},
    };
    uint8_t frame[300];
    for (size_t i = 0; i < sizeof(say) / sizeof(say[0]); i++) {
        open_with((struct rig_config){
            .policy = WISP_GRANT_STRICT, .offers = say[i].offers, .trust = say[i].trust});
        uint32_t length = rig_ip_frame(frame, say[i].protocol, 100, true);
        if (say[i].protocol == 0) {
            memcpy(frame + 12, "\x08\x06", 2);
        }
        slot((int32_t)length, say[i].flags, 0, frame);
        if (say[i].dropped) {
            dropped(say[i].name, "netfront.rx.bad_offload", 1);
        } else {
            rig_run(&rig, 1);
            ck_assert_msg(rig.pkts == 1 && rig.pkt[0]->csum == say[i].csum, "%s", say[i].name);
            ck_assert_msg(rig.pkt[0]->csum_start == say[i].start &&
                              rig.pkt[0]->csum_offset == say[i].offset,
                          "%s", say[i].name);
        }
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-11 */
START_TEST(checksum_blank__header_lengths_impossible__dropped)
{
    static const struct {
        const char *name;
        uint32_t at;
        uint8_t value;
        uint32_t length; /* 0: whole */
    } lie[] = {
        {"version 6", 14, 0x65, 0},
        {"IP header of 16", 14, 0x44, 0},
        {"IP header beyond the end", 14, 0x4f, 60},
        {"TCP header of 16", 46, 0x40, 0},
        {"TCP header beyond the end", 46, 0xf0, 60},
        {"a fragment", 20, 0x20, 0},
        {"a later fragment", 21, 9, 0},
        {"cut in the IP header", 14, 0x45, 30},
        {"cut in the TCP header", 14, 0x45, 45},
    };
    uint8_t frame[300];
    for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
        open_strict();
        uint32_t length = rig_ip_frame(frame, 6, 100, true);
        frame[lie[i].at] = lie[i].value;
        slot((int32_t)(lie[i].length ? lie[i].length : length), BLANK, 0, frame);
        dropped(lie[i].name, "netfront.rx.bad_offload", 1);
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-18 */
START_TEST(headers__straddle_slots_of_one_byte__same_verdict_as_in_one)
{
    uint8_t frame[1200];
    static const enum wisp_grant_policy policy[] = {WISP_GRANT_STRICT, WISP_GRANT_PERSISTENT};
    for (int bad = 0; bad < 2; bad++) {
        for (int p = 0; p < 2; p++) {
            open_with((struct rig_config){.policy = policy[p]});
            uint32_t length = rig_ip_frame(frame, bad ? 1 : 6, 1000, true);
            for (uint32_t start = 0; start < 54; start += 17) {
                /* One slot up to start, then 16 of a byte each, then the rest. */
                if (start > 0) {
                    slot((int32_t)start, MORE | BLANK, 0, frame);
                }
                for (uint32_t k = 0; k < 16; k++) {
                    slot(1, MORE | (start + k == 0 ? BLANK : 0), 0, frame + start + k);
                }
                slot((int32_t)(length - start - 16), 0, 0, frame + start + 16);
                rig_run(&rig, 1);
                ck_assert_uint_eq(rig.pkts, bad ? 0 : 1);
                if (!bad) {
                    uint8_t got[1200];
                    ck_assert_uint_eq(rig.pkt[0]->length, length);
                    ck_assert_uint_eq(rig.pkt[0]->csum, WISP_CSUM_BLANK);
                    ck_assert_uint_eq(rig.pkt[0]->csum_start, 34);
                    ck_assert(wisp_pkt_read(rig.pkt[0], 0, got, length));
                    ck_assert_mem_eq(got, frame, length);
                }
                rig_drop(&rig);
            }
            ck_assert_uint_eq(rig_count(&rig, "netfront.rx.bad_offload"), bad ? 4 : 0);
            rig_close(&rig);
        }
    }
}
END_TEST

/* covers: XN-19 */
START_TEST(chain__slots_of_length_zero__skipped_or_dropped_when_nothing_else)
{
    static uint8_t bytes[200];
    for (uint32_t i = 0; i < 200; i++) {
        bytes[i] = (uint8_t)i;
    }
    static const enum wisp_grant_policy policy[] = {WISP_GRANT_STRICT, WISP_GRANT_PERSISTENT};
    for (int p = 0; p < 2; p++) {
        open_with((struct rig_config){.policy = policy[p]});
        slot(0, MORE, 0, NULL);
        slot(100, MORE, 0, bytes);
        slot(0, MORE, 4096, NULL);
        slot(100, MORE, 0, bytes + 100);
        slot(0, 0, 0, NULL);
        rig_run(&rig, 1);
        ck_assert_uint_eq(rig.pkts, 1);
        ck_assert(rig_counts_up(rig.pkt[0], 200, 0));
        ck_assert_uint_eq(rig.pkt[0]->views, 2);
        rig_drop(&rig);
        slot(0, MORE, 0, NULL);
        slot(0, 0, 0, NULL);
        dropped("all of length zero", "netfront.rx.empty", 1);
        rig_close(&rig);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("xn_chain");
    TCase *tc = tcase_create("xn_chain");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, slot__impossible_status_or_extent__dropped_and_recycled);
    tcase_add_test(tc, chain__longer_than_eighteen_slots__dropped_whole);
    tcase_add_test(tc, chain__eighteen_full_slots__delivered);
    tcase_add_test(tc, chain__ends_at_producer_then_goes_on_too_late__no_part_delivered);
    tcase_add_test(tc, chain__stalls_and_goes_on_in_time__delivered_whole);
    tcase_add_test(tc, extras__unknown_repeated_or_endless__bounded_and_dropped);
    tcase_add_test(tc, extras__announced_at_the_producer_and_missing__frame_not_delivered);
    tcase_add_test(tc, gso__impossible_sizes_types_and_frames__dropped_or_made_harmless);
    tcase_add_test(tc, checksum__what_the_backend_says__held_against_frame_and_policy);
    tcase_add_test(tc, checksum_blank__header_lengths_impossible__dropped);
    tcase_add_test(tc, headers__straddle_slots_of_one_byte__same_verdict_as_in_one);
    tcase_add_test(tc, chain__slots_of_length_zero__skipped_or_dropped_when_nothing_else);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return wisp_suite_run(suite());
}
