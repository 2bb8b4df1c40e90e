/* SPDX-License-Identifier: ISC */
/* xenstore: values that are none, states that jump, connections that end at every step of their
 * making. */
#include "rig.h"
#include "suite.h"
#include <string.h>
#include <xen/io/xenbus.h>

static struct rig rig;

static const struct rig_config manner[] = {
    {.policy = WISP_GRANT_STRICT},
    {.policy = WISP_GRANT_PERSISTENT},
    {.policy = WISP_GRANT_PERSISTENT, .untrusted = true},
    {.policy = WISP_GRANT_STRICT, .max_queues = 3, .queues = 3},
};

#define MANNERS (sizeof(manner) / sizeof(manner[0]))

static void node(uint8_t kind, const char *path, const char *value)
{
    ck_assert(rig_lie(&rig, (struct wisp_lie){.kind = kind, .path = path, .value = value}));
}

static void back(const char *path, const char *value)
{
    node(WISP_LIE_BACK_NODE, path, value);
}

static void front(const char *path, const char *value)
{
    node(WISP_LIE_FRONT_NODE, path, value);
}

/* A frame each way. */
static void passes(const char *when)
{
    uint32_t before = rig.frames;
    rig_drop(&rig);
    ck_assert_msg(rig_send(&rig, rig_packet(&rig, 60, NULL, 1)), "%s", when);
    rig_deliver(&rig, 400, 9);
    rig_run(&rig, 3);
    ck_assert_msg(rig.frames == before + 1, "%s: nothing sent", when);
    ck_assert_msg(rig.pkts == 1 && rig_counts_up(rig.pkt[0], 400, 9), "%s: nothing received", when);
    rig_drop(&rig);
}

/* Half a second a round, for what is retried. */
static void run_slowly(uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds && !rig.dev->link; i++) {
        rig.now += WISP_MS(500);
        rig_run(&rig, 1);
    }
}

/* covers: XN-16 */
START_TEST(waiting__backend_values_that_are_none__lesser_feature_and_counted)
{
    static const struct {
        const char *key, *value;
        bool bad, no_gso, no_sg;
    } entry[] = {
        {"feature-sg", "zzz", true, true, true},
        {"feature-sg", "18446744073709551617", true, true, true},
        {"feature-sg", "", true, true, true},
        {"feature-sg", "-1", true, true, true},
        {"feature-sg", "2", true, true, true},
        {"feature-sg", NULL, false, true, true},
        {"feature-gso-tcpv4", "yes", true, true, false},
        {"feature-gso-tcpv4", NULL, false, true, false},
        {"feature-split-event-channels", "1 ", true, false, false},
        {"multi-queue-max-queues", "0", true, false, false},
        {"multi-queue-max-queues", "1000000000", false, false, false},
        {"multi-queue-max-queues", "99999999999999999999", true, false, false},
        {"feature-no-csum-offload", "perhaps", true, false, false},
    };
    for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++) {
        rig_open(&rig,
                 &(struct rig_config){.policy = WISP_GRANT_STRICT, .max_queues = 2, .mtu = 9000});
        back(entry[i].key, entry[i].value);
        rig_connect(&rig);
        const struct wisp_netdev_caps *caps = &rig.dev->caps;
        ck_assert_msg((rig_count(&rig, "netfront.xenstore.bad") > 0) == entry[i].bad, "row %zu", i);
        ck_assert_msg((caps->gso_tx == 0) == entry[i].no_gso, "row %zu", i);
        ck_assert_msg((caps->mtu == 1500) == entry[i].no_sg, "row %zu", i);
        ck_assert_uint_eq(wisp_netfront_queues(rig.front), 1);
        passes(entry[i].key);
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-16 */
START_TEST(waiting__frontend_values_that_are_none__safe_default_or_a_clear_reason)
{
    static const struct {
        const char *key, *value;
        const char *reason; /* null: connects */
        uint16_t mtu;
        bool trusted;
    } entry[] = {
        {"mtu", "99999", NULL, 1500, true},
        {"mtu", "67", NULL, 1500, true},
        {"mtu", "abc", NULL, 1500, true},
        {"mtu", "68", NULL, 68, true},
        {"mtu", "65521", NULL, 65521, true},
        {"mtu", NULL, NULL, 1500, true},
        {"trusted", "0", NULL, 9000, false},
        {"trusted", "maybe", NULL, 9000, false},
        {"trusted", NULL, NULL, 9000, true},
        {"mac", NULL, NULL, 9000, true}, /* the backend has it too */
        {"mac", "02:00:00:00:00", NULL, 9000, true},
        {"backend-id", "x", "device/vif/0: no usable backend-id in xenstore", 1500, true},
        {"backend-id", "-1", "device/vif/0: no usable backend-id in xenstore", 1500, true},
        {"backend-id", "99999", "device/vif/0: no usable backend-id in xenstore", 1500, true},
        {"backend", NULL, "device/vif/0: no backend in xenstore", 1500, true},
        {"backend", "", "device/vif/0: no backend in xenstore", 1500, true},
    };
    for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++) {
        rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .mtu = 9000});
        front(entry[i].key, entry[i].value);
        run_slowly(5);
        ck_assert_msg(rig.dev->link == !entry[i].reason, "row %zu: %s", i,
                      wisp_netfront_reason(rig.front));
        if (entry[i].reason) {
            ck_assert_str_eq(wisp_netfront_reason(rig.front), entry[i].reason);
        } else {
            ck_assert_uint_eq(rig.dev->caps.mtu, entry[i].mtu);
            ck_assert_uint_eq(wisp_netfront_trusted(rig.front), entry[i].trusted);
            passes(entry[i].key);
        }
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-16 */
START_TEST(waiting__no_usable_mac_anywhere__does_not_connect_until_there_is_one)
{
    static const char *const mac[] = {
        "",  "02:00:00:00:00:0g", "02:00:00:00:00:01:", "01:00:5e:00:00:01", "00:00:00:00:00:00",
        NULL};
    for (size_t i = 0; i < 6; i++) {
        rig_open(&rig, &manner[0]);
        front("mac", mac[i]);
        back("mac", mac[i]);
        run_slowly(4);
        ck_assert(!rig.dev->link);
        ck_assert_str_eq(wisp_netfront_reason(rig.front),
                         "device/vif/0: no usable mac in xenstore");
        front("mac", "02:00:00:00:00:07");
        run_slowly(4);
        ck_assert(rig.dev->link);
        ck_assert_uint_eq(rig.dev->caps.mac.octet[5], 7);
        rig_close(&rig);
    }
}
END_TEST

/* covers: XN-16 */
START_TEST(connected__backend_state_jumps__ignored_or_connects_again)
{
    static const struct {
        const char *name;
        uint32_t state[3];
        uint32_t count;
    } jump[] = {
        {"Closed at once", {XenbusStateClosed}, 1},
        {"Closing", {XenbusStateClosing}, 1},
        {"InitWait", {XenbusStateInitWait}, 1},
        {"InitWait twice", {XenbusStateInitWait, XenbusStateInitWait}, 2},
        {"Initialising", {XenbusStateInitialising}, 1},
        {"Unknown", {XenbusStateUnknown}, 1},
        {"Reconfigured", {XenbusStateReconfigured, XenbusStateConnected}, 2},
        {"9, which is none", {9, XenbusStateConnected}, 2},
        {"a tour", {XenbusStateClosed, XenbusStateConnected, XenbusStateInitWait}, 3},
    };
    for (size_t m = 0; m < MANNERS; m++) {
        for (size_t i = 0; i < sizeof(jump) / sizeof(jump[0]); i++) {
            struct rig_config config = manner[m];
            config.gentle = true; /* rings it said it had let go of, and had not */
            rig_open(&rig, &config);
            rig_connect(&rig);
            ck_assert(rig_send(&rig, rig_packet(&rig, 60, NULL, 1)));
            for (uint32_t k = 0; k < jump[i].count; k++) {
                rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STATE, .a = jump[i].state[k]});
                rig_front(&rig);
                rig_front(&rig);
            }
            rig_run(&rig, 10);
            run_slowly(20);
            if (!rig.dev->link) {
                wisp_netback_restart(rig.nb);
                run_slowly(20);
            }
            ck_assert_msg(rig.dev->link, "%s: %s", jump[i].name, wisp_netfront_reason(rig.front));
            ck_assert_uint_eq(rig.completed, 1);
            passes(jump[i].name);
            rig_close(&rig);
        }
    }
}
END_TEST

/* covers: XN-16 */
START_TEST(connected__backend_directory_removed__closes_and_waits)
{
    rig_open(&rig, &manner[0]);
    rig_connect(&rig);
    wisp_netback_vanish(rig.nb);
    back("", NULL);
    rig_run(&rig, 3);
    ck_assert(!rig.dev->link);
    ck_assert_int_eq(wisp_netfront_state(rig.front), WISP_NETFRONT_WAITING);
    wisp_netback_restart(rig.nb);
    rig_connect(&rig);
    passes("after the removal");
    rig_close(&rig);
}
END_TEST

/* ---- an end at every step ---- */

static void vanish_and_restart(void)
{
    wisp_netback_vanish(rig.nb);
    wisp_netback_restart(rig.nb);
}

static void migrate(void)
{
    wisp_netback_migrate(rig.nb);
}

static void unplug(void)
{
    wisp_netback_unplug(rig.nb, true);
}

/* covers: XN-17 */
START_TEST(any_step__restart_migration_or_unplug__frames_return_and_all_is_connected_again)
{
    static const struct {
        const char *name;
        void (*happens)(void);
    } event[] = {{"restart", vanish_and_restart}, {"migration", migrate}, {"unplug", unplug}};
    for (size_t m = 0; m < MANNERS; m++) {
        for (size_t e = 0; e < 3; e++) {
            for (uint32_t step = 0; step < 12; step++) {
                rig_open(&rig, &manner[m]);
                uint32_t sent = 0;
                uint32_t announced = 0;
                for (uint32_t k = 0; k < step; k++) {
                    static const uint16_t views[] = {2000, 300, 0};
                    rig.now += WISP_MS(1);
                    if (k & 1) {
                        wisp_netback_poll(rig.nb, rig.now);
                    } else {
                        rig_front(&rig);
                        sent += rig.dev->link && rig_send(&rig, rig_packet(&rig, 54, views, 0));
                    }
                    announced = rig.dev->announce;
                }
                event[e].happens();
                rig_front(&rig);
                rig_run(&rig, 5);
                run_slowly(20);
                ck_assert_msg(rig.dev->link, "%s at step %u: %s", event[e].name, step,
                              wisp_netfront_reason(rig.front));
                ck_assert_uint_eq(rig.completed, sent);
                ck_assert(!announced || rig.dev->announce == announced + 1);
                passes(event[e].name);
                rig_close(&rig);
            }
        }
    }
}
END_TEST

/* covers: XN-17 */
START_TEST(connecting__each_hypervisor_call_fails_once__connects_at_last_with_nothing_left)
{
    static const enum wisp_memxen_fault fault[] = {
        WISP_MEMXEN_FAIL_EVENT, WISP_MEMXEN_FAIL_BEGIN,     WISP_MEMXEN_FAIL_WRITE,
        WISP_MEMXEN_FAIL_END,   WISP_MEMXEN_FAIL_END_AGAIN,
    };
    for (size_t m = 0; m < MANNERS; m++) {
        for (size_t f = 0; f < sizeof(fault) / sizeof(fault[0]); f++) {
            for (uint32_t skip = 0; skip < 30; skip++) {
                rig_open(&rig, &manner[m]);
                wisp_memxen_fail(rig.xen, fault[f], skip, 1);
                run_slowly(20);
                ck_assert_msg(rig.dev->link, "fault %zu after %u: %s", f, skip,
                              wisp_netfront_reason(rig.front));
                passes("after a failure");
                wisp_memxen_fail(rig.xen, fault[f], 0, 0);
                rig_close(&rig);
            }
        }
    }
}
END_TEST

/* covers: XN-17 */
START_TEST(connecting__transactions_lost_for_ever__no_endless_loop)
{
    rig_open(&rig, &manner[0]);
    wisp_memxen_fail(rig.xen, WISP_MEMXEN_FAIL_END_AGAIN, 0, UINT32_MAX);
    run_slowly(10);
    ck_assert(!rig.dev->link);
    ck_assert_str_eq(wisp_netfront_reason(rig.front), "device/vif/0: cannot write to xenstore");
    wisp_memxen_fail(rig.xen, WISP_MEMXEN_FAIL_END_AGAIN, 0, 0);
    run_slowly(10);
    ck_assert(rig.dev->link);
    rig_close(&rig);
}
END_TEST

/* covers: XN-12, XN-16 */
START_TEST(connecting__backend_keeps_rings_of_each_connection__loss_is_bounded)
{
    struct wisp_pool_stats stats;
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .gentle = true});
    for (uint32_t i = 0; i < 400; i++) {
        rig_run(&rig, 1);
        uint32_t state = i & 1 ? XenbusStateInitWait : XenbusStateClosed;
        rig_lie(&rig, (struct wisp_lie){.kind = WISP_LIE_STATE, .a = state});
        rig_front(&rig);
    }
    wisp_pool_stats(rig.pool, &stats);
    ck_assert_uint_gt(stats.quarantined, 0);
    ck_assert_uint_le(stats.quarantined, 40);
    rig_close(&rig);
}
END_TEST

START_TEST(connected__carrier_goes_and_comes__link_follows_and_nothing_is_lost)
{
    rig_open(&rig, &manner[0]);
    rig_connect(&rig);
    wisp_netback_set_carrier(rig.nb, false);
    rig_run(&rig, 1);
    ck_assert(!rig.dev->link);
    ck_assert_uint_eq(rig.dev->ops->room(rig.dev), 0);
    wisp_netback_set_carrier(rig.nb, true);
    rig_run(&rig, 1);
    ck_assert(rig.dev->link);
    ck_assert_uint_eq(rig.dev->announce, 1);
    passes("carrier back");
    rig_close(&rig);
}
END_TEST

START_TEST(offered__hotplug_late__link_only_when_the_backend_is_connected)
{
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .late_hotplug = true});
    rig_run(&rig, 20);
    ck_assert(!rig.dev->link);
    ck_assert_int_eq(wisp_netfront_state(rig.front), WISP_NETFRONT_OFFERED);
    wisp_netback_hotplug(rig.nb);
    rig_run(&rig, 2);
    ck_assert(rig.dev->link);
    passes("late hotplug");
    rig_close(&rig);
}
END_TEST

START_TEST(connected_with_much__another_backend_with_less__capabilities_change_with_a_generation)
{
    rig_open(&rig, &(struct rig_config){.policy = WISP_GRANT_STRICT, .mtu = 9000});
    rig_connect(&rig);
    uint32_t generation = rig.dev->caps.generation;
    wisp_netback_vanish(rig.nb);
    wisp_netback_restart(rig.nb);
    back("feature-gso-tcpv4", "0");
    back("feature-sg", "0");
    rig_run(&rig, 5);
    rig_connect(&rig);
    ck_assert_uint_gt(rig.dev->caps.generation, generation);
    ck_assert_uint_eq(rig.dev->caps.gso_tx, 0);
    ck_assert_uint_eq(rig.dev->caps.mtu, 1500);
    passes("less");
    rig_close(&rig);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("xn_bus");
    TCase *tc = tcase_create("xn_bus");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, waiting__backend_values_that_are_none__lesser_feature_and_counted);
    tcase_add_test(tc, waiting__frontend_values_that_are_none__safe_default_or_a_clear_reason);
    tcase_add_test(tc, waiting__no_usable_mac_anywhere__does_not_connect_until_there_is_one);
    tcase_add_test(tc, connected__backend_state_jumps__ignored_or_connects_again);
    tcase_add_test(tc, connected__backend_directory_removed__closes_and_waits);
    tcase_add_test(tc,
                   any_step__restart_migration_or_unplug__frames_return_and_all_is_connected_again);
    tcase_add_test(tc,
                   connecting__each_hypervisor_call_fails_once__connects_at_last_with_nothing_left);
    tcase_add_test(tc, connecting__transactions_lost_for_ever__no_endless_loop);
    tcase_add_test(tc, connecting__backend_keeps_rings_of_each_connection__loss_is_bounded);
    tcase_add_test(tc, connected__carrier_goes_and_comes__link_follows_and_nothing_is_lost);
    tcase_add_test(tc, offered__hotplug_late__link_only_when_the_backend_is_connected);
    tcase_add_test(
        tc, connected_with_much__another_backend_with_less__capabilities_change_with_a_generation);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return wisp_suite_run(suite());
}
