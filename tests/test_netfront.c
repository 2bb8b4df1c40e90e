/* SPDX-License-Identifier: ISC */
/* The ring driver against the netback in memory: connecting, every feature, both grant policies,
 * both directions. */
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
        ck_assert_uint_eq(rig.dev->stats.bytes_copied > 0, copies(&rig));
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

START_TEST(connected__thousands_of_frames_both_ways__rings_wrap_and_order_holds)
{
    for (size_t m = 0; m < MANNERS; m++) {
        rig_open(&rig, &manner[m].config);
        rig_connect(&rig);
        for (uint32_t i = 0; i < 3000; i++) {
            static const uint16_t views[] = {1446, 0};
            ck_assert(rig_send(&rig, rig_packet(&rig, 54, views, (uint8_t)i)));
            rig_deliver(&rig, 100 + i % 1400, (uint8_t)i);
            rig_run(&rig, 1);
            ck_assert_uint_eq(rig.last[0], (uint8_t)i);
            ck_assert_uint_eq(rig.pkts, 1);
            ck_assert(rig_counts_up(rig.pkt[0], 100 + i % 1400, (uint8_t)i));
            rig_drop(&rig);
        }
        ck_assert_uint_eq(rig.frames, 3000);
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
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return wisp_suite_run(suite());
}
