/* SPDX-License-Identifier: ISC */
/* A backend that keeps pages, changes them late, answers early, and looks around; and grants that
 * run out. */
#include "rig.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static void open_with(struct rig_config config)
{
    rig_open(&rig, &config);
    rig_connect(&rig);
}

static void lie(uint8_t kind, uint32_t a)
{
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = kind, .a = a}));
}

static void answer(const uint8_t *bytes, uint32_t length)
{
    ck_assert(rig_lie(
        &rig, (struct wisp_lie){
                  .kind = WISP_LIE_RX_ANSWER, .b = length, .bytes = bytes, .length = length}));
}

static uint32_t quarantined(void)
{
    struct wisp_pool_stats stats;
    wisp_pool_stats(rig.pool, &stats);
    return stats.quarantined;
}

/* covers: XN-10 */
START_TEST(strict__backend_keeps_received_page__not_delivered_and_never_used_again)
{
    static uint8_t bytes[100] = {1, 2, 3};
    open_with((struct rig_config){.policy = WISP_GRANT_STRICT, .gentle = true});
    lie(WISP_LIE_KEEP_RX, 1);
    answer(bytes, 100);
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 0);
    ck_assert_uint_eq(rig_count(&rig, "netfront.rx.not_revoked"), 1);
    ck_assert_uint_eq(quarantined(), 1);
    lie(WISP_LIE_KEEP_RX, 0);
    lie(WISP_LIE_SCRIBBLE, 0x5a);
    for (uint32_t i = 0; i < 600; i++) {
        rig_deliver(&rig, 100, (uint8_t)i);
        rig_run(&rig, 1);
        ck_assert_uint_eq(rig.pkts, 1);
        lie(WISP_LIE_SCRIBBLE, i);
        ck_assert(rig_counts_up(rig.pkt[0], 100, (uint8_t)i));
        rig_drop(&rig);
    }
    ck_assert_uint_eq(quarantined(), 1);
    lie(WISP_LIE_RELEASE, 0);
    rig_close(&rig);
}
END_TEST

/* covers: XN-10 */
START_TEST(persistent_untrusted__page_changed_after_delivery__copy_unchanged)
{
    static uint8_t bytes[1400];
    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i + 9);
    }
    open_with((struct rig_config){.policy = WISP_GRANT_PERSISTENT, .untrusted = true});
    ck_assert(!wisp_netfront_trusted(rig.front));
    lie(WISP_LIE_KEEP_RX, 1);
    answer(bytes, sizeof(bytes));
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 1);
    lie(WISP_LIE_SCRIBBLE, 0x5a);
    ck_assert(rig_counts_up(rig.pkt[0], sizeof(bytes), 9));
    ck_assert_uint_eq(rig.pkt[0]->flags & WISP_PKT_MUTABLE, 0);
    ck_assert_uint_eq(rig.dev->stats.bytes_copied, sizeof(bytes));
    lie(WISP_LIE_KEEP_RX, 0);
    lie(WISP_LIE_RELEASE, 0);
    rig_close(&rig);
}
END_TEST

/* covers: XN-10 */
START_TEST(persistent_trusted__page_delivered__marked_as_changeable)
{
    static uint8_t bytes[100];
    open_with((struct rig_config){.policy = WISP_GRANT_PERSISTENT});
    answer(bytes, 100);
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 1);
    ck_assert_uint_ne(rig.pkt[0]->flags & WISP_PKT_MUTABLE, 0);
    ck_assert_uint_eq(rig.dev->stats.bytes_copied, 0);
    rig_close(&rig);
}
END_TEST

/* covers: XN-07 */
START_TEST(frame_sent__answered_before_it_was_read__page_not_used_again)
{
    static const uint16_t views[] = {1000, 0};
    open_with((struct rig_config){.policy = WISP_GRANT_STRICT, .gentle = true});
    lie(WISP_LIE_EARLY_TX, 1);
    struct wisp_pkt *pkt = rig_packet(&rig, 54, views, 0);
    const struct wisp_page *kept = pkt->view[1].page;
    ck_assert(rig_send(&rig, pkt));
    rig_run(&rig, 2);
    ck_assert_uint_eq(rig.completed, 1);
    ck_assert_uint_eq(rig_count(&rig, "netfront.grants.stuck"), 1);
    ck_assert_uint_eq(quarantined(), 1);
    struct wisp_page *page[RIG_PAGES];
    uint32_t n = 0;
    while ((page[n] = wisp_page_alloc_reserved(rig.pool, WISP_ROLE_APP, WISP_HOLDER_APP)) != NULL) {
        ck_assert_ptr_ne(page[n], kept);
        n++;
    }
    while (n > 0) {
        wisp_page_unref(page[--n]);
    }
    lie(WISP_LIE_EARLY_TX, 0);
    lie(WISP_LIE_RELEASE, 0);
    rig_close(&rig);
}
END_TEST

/* covers: XN-12 */
START_TEST(strict__backend_keeps_every_page__broken_after_a_bounded_loss)
{
    static uint8_t bytes[100];
    open_with((struct rig_config){.policy = WISP_GRANT_STRICT, .gentle = true});
    lie(WISP_LIE_KEEP_RX, 1);
    for (uint32_t i = 1; i <= 32; i++) {
        answer(bytes, 100);
        rig_front(&rig);
        ck_assert_uint_eq(quarantined(), i);
        ck_assert(rig.dev->link);
    }
    answer(bytes, 100);
    rig_front(&rig);
    ck_assert(!rig.dev->link);
    ck_assert_uint_eq(rig_count(&rig, "netfront.broken"), 1);
    ck_assert_uint_eq(rig_count(&rig, "netfront.grants.stuck"), 33);
    rig_run(&rig, 5);
    ck_assert_int_eq(wisp_netfront_state(rig.front), WISP_NETFRONT_BROKEN);
    rig_close(&rig);
}
END_TEST

/* ---- what the backend can see ---- */

static const char canary[] = "wisp canary: nobody was sent this";

/* Writes canaries all over every page that is free, as secrets of some other part of the program.
 */
static void hide_canaries(struct wisp_pool *pool)
{
    struct wisp_page *page[RIG_PAGES];
    uint32_t n = 0;
    while ((page[n] = wisp_page_alloc_reserved(pool, WISP_ROLE_PRIVATE, WISP_HOLDER_APP)) != NULL) {
        for (uint32_t at = 0; at + sizeof(canary) <= WISP_PAGE_SIZE; at += sizeof(canary)) {
            memcpy(page[n]->data + at, canary, sizeof(canary));
        }
        n++;
    }
    while (n > 0) {
        wisp_page_unref(page[--n]);
    }
}

static void look_around(const char *when)
{
    ck_assert_msg(!wisp_netback_sees(rig.nb, canary, sizeof(canary) - 1), "seen %s", when);
}

/* A frame whose last page holds a canary behind the bytes to be sent. */
static struct wisp_pkt *packet_with_tail(bool private_page)
{
    struct wisp_pkt *pkt = rig_packet(&rig, 54, NULL, 0);
    enum wisp_role role = private_page ? WISP_ROLE_PRIVATE : WISP_ROLE_APP;
    struct wisp_page *page = wisp_page_alloc(rig.pool, role, WISP_HOLDER_APP);
    memset(page->data, 'x', 600);
    memcpy(page->data + 700, canary, sizeof(canary));
    ck_assert(wisp_pkt_append(pkt, page, 0, 600));
    return pkt;
}

/* covers: XN-20 */
START_TEST(canaries_everywhere__traffic_and_reconnects__none_in_any_shared_page)
{
    static const struct rig_config config[] = {
        {.policy = WISP_GRANT_STRICT},
        {.policy = WISP_GRANT_STRICT, .untrusted = true},
        {.policy = WISP_GRANT_PERSISTENT, .untrusted = true},
    };
    for (size_t i = 0; i < 3; i++) {
        bool copies = config[i].untrusted;
        rig_open(&rig, &config[i]);
        hide_canaries(rig.pool);
        rig_connect(&rig);
        look_around("after connecting");
        ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 1}));
        ck_assert(rig_send(&rig, rig_packet(&rig, 54, (const uint16_t[]){100, 4096, 1, 0}, 3)));
        ck_assert(rig_send(&rig, packet_with_tail(true)));
        if (copies) {
            ck_assert(rig_send(&rig, packet_with_tail(false)));
        }
        look_around("in flight");
        ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STALL_TX, .a = 0}));
        for (uint32_t k = 0; k < 40; k++) {
            rig_deliver(&rig, 50 + 100 * k, (uint8_t)k);
            rig_run(&rig, 1);
            rig_drop(&rig);
            hide_canaries(rig.pool);
            look_around("after receiving");
        }
        wisp_netback_restart(rig.nb);
        rig_run(&rig, 3);
        rig_connect(&rig);
        look_around("after reconnecting");
        rig_close(&rig);
    }
}
END_TEST

/* ---- grants run out ---- */

/* covers: XN-21 */
START_TEST(strict__grant_table_full__frames_wait_and_slots_are_refilled_later)
{
    static const uint16_t views[] = {1000, 1000, 1000, 0};
    open_with((struct rig_config){.policy = WISP_GRANT_STRICT});
    wisp_memxen_fail(rig.xen, WISP_MEMXEN_FAIL_GRANT, 2, 30);
    ck_assert(rig_send(&rig, rig_packet(&rig, 54, views, 5))); /* its third page finds none */
    rig_deliver(&rig, 3000, 7);
    rig_front(&rig);
    wisp_netback_poll(rig.nb, rig.now);
    rig_front(&rig);
    ck_assert_uint_eq(rig.frames, 0);
    ck_assert_uint_eq(rig_count(&rig, "netfront.tx.waited"), 1);
    ck_assert_uint_ge(rig_count(&rig, "netfront.tx.no_grant"), 1);
    ck_assert_uint_eq(rig.dev->ops->room(rig.dev), 0);
    ck_assert_uint_le(rig.dev->ops->deadline(rig.dev, rig.now), rig.now + WISP_MS(10));
    rig_run(&rig, 50);
    ck_assert_uint_eq(rig.frames, 1);
    ck_assert_uint_eq(rig.seen.length, 3054);
    ck_assert_uint_eq(rig.completed, 1);
    ck_assert_uint_gt(rig.dev->ops->room(rig.dev), 0);
    rig_close(&rig);
}
END_TEST

/* covers: XN-21 */
START_TEST(connecting__grants_fail_at_each_point__connects_later_and_nothing_leaks)
{
    static const enum wisp_grant_policy policy[] = {WISP_GRANT_STRICT, WISP_GRANT_PERSISTENT};
    for (int p = 0; p < 2; p++) {
        for (uint32_t skip = 0; skip < 40; skip++) {
            rig_open(&rig, &(struct rig_config){.policy = policy[p]});
            wisp_memxen_fail(rig.xen, WISP_MEMXEN_FAIL_GRANT, skip, 3);
            for (int i = 0; i < 10 && !rig.dev->link; i++) {
                rig.now += WISP_MS(500);
                rig_run(&rig, 1);
            }
            ck_assert_msg(rig.dev->link, "%s", wisp_netfront_reason(rig.front));
            rig_close(&rig);
        }
    }
}
END_TEST

/* covers: XN-21 */
START_TEST(receiving__pool_empty__slots_refilled_when_pages_come_back)
{
    open_with((struct rig_config){.policy = WISP_GRANT_STRICT, .rx_slots = 64});
    struct wisp_page *page[RIG_PAGES];
    uint32_t n = 0;
    while ((page[n] = wisp_page_alloc(rig.pool, WISP_ROLE_APP, WISP_HOLDER_APP)) != NULL) {
        n++;
    }
    for (uint32_t i = 0; i < 60; i++) {
        rig_deliver(&rig, 100, (uint8_t)i);
    }
    rig_run(&rig, 1);
    ck_assert_uint_ge(rig.pkts, 40);
    ck_assert_uint_le(rig.dev->ops->deadline(rig.dev, rig.now), rig.now + WISP_MS(10));
    rig_drop(&rig);
    while (n > 0) {
        wisp_page_unref(page[--n]);
    }
    rig_run(&rig, 15);
    rig_drop(&rig);
    for (uint32_t i = 0; i < 60; i++) {
        rig_deliver(&rig, 100, (uint8_t)i);
    }
    rig_run(&rig, 1);
    ck_assert_uint_eq(rig.pkts, 60);
    rig_close(&rig);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("xn_grants");
    TCase *tc = tcase_create("xn_grants");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, strict__backend_keeps_received_page__not_delivered_and_never_used_again);
    tcase_add_test(tc, persistent_untrusted__page_changed_after_delivery__copy_unchanged);
    tcase_add_test(tc, persistent_trusted__page_delivered__marked_as_changeable);
    tcase_add_test(tc, frame_sent__answered_before_it_was_read__page_not_used_again);
    tcase_add_test(tc, strict__backend_keeps_every_page__broken_after_a_bounded_loss);
    tcase_add_test(tc, canaries_everywhere__traffic_and_reconnects__none_in_any_shared_page);
    tcase_add_test(tc, strict__grant_table_full__frames_wait_and_slots_are_refilled_later);
    tcase_add_test(tc, connecting__grants_fail_at_each_point__connects_later_and_nothing_leaks);
    tcase_add_test(tc, receiving__pool_empty__slots_refilled_when_pages_come_back);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return wisp_suite_run(suite());
}
