/* SPDX-License-Identifier: ISC */
/* The hypervisor in memory: grants, events, xenstore. */
#include "memxen.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

static struct wisp_memxen *xen;
static struct wisp_hypervisor *hv;
static struct wisp_page page[4];
static uint8_t *memory;

static void setup(void)
{
    struct wisp_memxen_config config = {.policy = WISP_GRANT_STRICT, .grants = 12, .ports = 4};
    xen = wisp_memxen_open(&config);
    hv = wisp_memxen_hypervisor(xen);
    memory = aligned_alloc(WISP_PAGE_SIZE, 4 * WISP_PAGE_SIZE);
    memset(memory, 0, 4 * WISP_PAGE_SIZE);
    for (int i = 0; i < 4; i++) {
        page[i] = (struct wisp_page){.data = memory + (size_t)i * WISP_PAGE_SIZE, .refs = 1};
    }
}

static void teardown(void)
{
    char text[128];
    ck_assert_msg(wisp_memxen_balanced(xen, text, sizeof(text)), "left over: %s", text);
    wisp_memxen_close(xen);
    free(memory);
}

START_TEST(granted__mapped__end_refused_until_unmapped)
{
    uint32_t ref = hv->ops->grant(hv, 0, &page[0], true);
    ck_assert_uint_ne(ref, WISP_GRANT_NONE);
    uint8_t *bytes = wisp_memxen_map(xen, ref, true);
    ck_assert_ptr_eq(bytes, page[0].data);
    ck_assert(!hv->ops->end_grant(hv, ref));
    wisp_memxen_unmap(xen, ref, true);
    ck_assert(hv->ops->end_grant(hv, ref));
    ck_assert_ptr_null(wisp_memxen_map(xen, ref, false));
}
END_TEST

START_TEST(granted_for_reading__written__refused)
{
    uint32_t ref = hv->ops->grant(hv, 0, &page[0], false);
    ck_assert(!wisp_memxen_copy_in(xen, ref, 0, "x", 1));
    ck_assert_ptr_null(wisp_memxen_map(xen, ref, true));
    char byte = 1;
    ck_assert(wisp_memxen_copy_out(xen, ref, 4095, &byte, 1));
    ck_assert_int_eq(byte, 0);
    ck_assert(!wisp_memxen_copy_out(xen, ref, 4095, &byte, 2));
    ck_assert(hv->ops->end_grant(hv, ref));
}
END_TEST

START_TEST(table_full__grant__none_until_one_ended)
{
    uint32_t ref[4];
    for (int i = 0; i < 4; i++) {
        ref[i] = hv->ops->grant(hv, 0, &page[i], true);
        ck_assert_uint_ne(ref[i], WISP_GRANT_NONE);
    }
    ck_assert_uint_eq(hv->ops->grant(hv, 0, &page[0], true), WISP_GRANT_NONE);
    ck_assert(hv->ops->end_grant(hv, ref[2]));
    ref[2] = hv->ops->grant(hv, 0, &page[2], true);
    ck_assert_uint_ne(ref[2], WISP_GRANT_NONE);
    for (int i = 0; i < 4; i++) {
        ck_assert(hv->ops->end_grant(hv, ref[i]));
    }
}
END_TEST

START_TEST(ended__ended_again__counted_as_bad)
{
    struct wisp_memxen_ledger ledger;
    uint32_t ref = hv->ops->grant(hv, 0, &page[0], true);
    ck_assert(hv->ops->end_grant(hv, ref));
    ck_assert(hv->ops->end_grant(hv, ref));
    wisp_memxen_ledger(xen, &ledger);
    ck_assert_uint_eq(ledger.bad_calls, 1);
    char text[128];
    ck_assert(!wisp_memxen_balanced(xen, text, sizeof(text)));
    wisp_memxen_close(xen);
    free(memory);
    setup();
}
END_TEST

START_TEST(pool_born_shared__grant__the_same_reference_for_life)
{
    uint8_t *meta = aligned_alloc(64, 4096);
    struct wisp_pool *pool = wisp_pool_init(meta, 4096, memory, 4, 0, true);
    ck_assert(wisp_memxen_share(xen, pool));
    struct wisp_page *p = wisp_pool_page(pool, 1);
    uint32_t ref = hv->ops->grant(hv, 0, p, false);
    ck_assert_uint_eq(hv->ops->grant(hv, 0, p, true), ref);
    struct wisp_page other = {.data = (uint8_t *)meta};
    ck_assert_uint_eq(hv->ops->grant(hv, 0, &other, false), WISP_GRANT_NONE);
    ck_assert_ptr_nonnull(wisp_memxen_map(xen, ref, true));
    ck_assert(hv->ops->end_grant(hv, ref));
    ck_assert(!wisp_memxen_retire(xen));
    wisp_memxen_unmap(xen, ref, true);
    ck_assert(wisp_memxen_retire(xen));
    free(meta);
}
END_TEST

START_TEST(port_open__notified_twice__pending_once)
{
    uint32_t port = hv->ops->event_open(hv, 0);
    ck_assert(!hv->ops->event_pending(hv, port));
    ck_assert(wisp_memxen_bind(xen, port));
    wisp_memxen_notify(xen, port);
    wisp_memxen_notify(xen, port);
    ck_assert(wisp_memxen_guest_woken(xen));
    ck_assert(hv->ops->event_pending(hv, port));
    ck_assert(!hv->ops->event_pending(hv, port));
    struct wisp_memxen_ledger ledger;
    wisp_memxen_ledger(xen, &ledger);
    ck_assert_uint_eq(ledger.notified_guest, 2);
    ck_assert_uint_eq(ledger.woken_guest, 1);
    hv->ops->event_notify(hv, port);
    ck_assert(wisp_memxen_pending(xen, port));
    ck_assert(!wisp_memxen_pending(xen, port));
    hv->ops->event_close(hv, port);
    ck_assert(!wisp_memxen_bind(xen, port));
}
END_TEST

START_TEST(relative_path__written__stands_below_the_guests_home)
{
    char value[16];
    ck_assert_int_eq(hv->ops->xs_write(hv, 0, "device/vif/0/state", "4"), WISP_XS_OK);
    ck_assert_str_eq(wisp_memxen_read(xen, "/local/domain/1/device/vif/0/state"), "4");
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "device/vif/0/state", value, sizeof(value)),
                     WISP_XS_OK);
    ck_assert_str_eq(value, "4");
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "device/vif/0/state", value, 1), WISP_XS_FAILED);
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "device/vif", value, 16), WISP_XS_ABSENT);
    ck_assert_int_eq(hv->ops->xs_remove(hv, 0, "device/vif/0"), WISP_XS_ABSENT);
    wisp_memxen_write(xen, "/local/domain/1/device", NULL);
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "device/vif/0/state", value, 16), WISP_XS_ABSENT);
}
END_TEST

START_TEST(transaction__unseen_before_its_end__seen_as_one_after)
{
    char value[16];
    wisp_xs_tx tx = hv->ops->xs_begin(hv);
    ck_assert_uint_ne(tx, 0);
    ck_assert_int_eq(hv->ops->xs_write(hv, tx, "a", "1"), WISP_XS_OK);
    ck_assert_int_eq(hv->ops->xs_read(hv, tx, "a", value, 16), WISP_XS_OK);
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "a", value, 16), WISP_XS_ABSENT);
    ck_assert_int_eq(hv->ops->xs_end(hv, tx, false), WISP_XS_OK);
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "a", value, 16), WISP_XS_OK);
}
END_TEST

START_TEST(transaction__node_it_read_changes__again)
{
    char value[16];
    wisp_memxen_write(xen, "/x", "1");
    wisp_xs_tx tx = hv->ops->xs_begin(hv);
    hv->ops->xs_read(hv, tx, "/x", value, 16);
    hv->ops->xs_write(hv, tx, "a", "1");
    wisp_memxen_write(xen, "/x", "2");
    ck_assert_int_eq(hv->ops->xs_end(hv, tx, false), WISP_XS_AGAIN);
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "a", value, 16), WISP_XS_ABSENT);
    tx = hv->ops->xs_begin(hv);
    hv->ops->xs_write(hv, tx, "a", "1");
    wisp_memxen_write(xen, "/unrelated", "2");
    ck_assert_int_eq(hv->ops->xs_end(hv, tx, false), WISP_XS_OK);
    tx = hv->ops->xs_begin(hv);
    hv->ops->xs_write(hv, tx, "b", "1");
    ck_assert_int_eq(hv->ops->xs_end(hv, tx, true), WISP_XS_OK);
    ck_assert_int_eq(hv->ops->xs_read(hv, 0, "b", value, 16), WISP_XS_ABSENT);
}
END_TEST

START_TEST(watch__changes_at_and_below__told_once_each_time)
{
    ck_assert_int_eq(hv->ops->xs_watch(hv, "device/vif/0", 7), WISP_XS_OK);
    ck_assert(hv->ops->xs_changed(hv, 7));
    ck_assert(!hv->ops->xs_changed(hv, 7));
    wisp_memxen_write(xen, "/local/domain/1/device/vif/0/mac", "x");
    wisp_memxen_write(xen, "/local/domain/1/device/vif/0/mtu", "x");
    ck_assert(hv->ops->xs_changed(hv, 7));
    ck_assert(!hv->ops->xs_changed(hv, 7));
    wisp_memxen_write(xen, "/local/domain/1/device/vif/01", "x");
    ck_assert(!hv->ops->xs_changed(hv, 7));
    wisp_memxen_write(xen, "/local/domain/1/device", NULL);
    ck_assert(hv->ops->xs_changed(hv, 7));
    hv->ops->xs_unwatch(hv, "device/vif/0", 7);
    wisp_memxen_write(xen, "/local/domain/1/device/vif/0/mac", "x");
    ck_assert(!hv->ops->xs_changed(hv, 7));
}
END_TEST

START_TEST(faults__asked_for__come_after_the_calls_skipped)
{
    wisp_memxen_fail(xen, WISP_MEMXEN_FAIL_GRANT, 1, 1);
    uint32_t a = hv->ops->grant(hv, 0, &page[0], true);
    ck_assert_uint_ne(a, WISP_GRANT_NONE);
    ck_assert_uint_eq(hv->ops->grant(hv, 0, &page[1], true), WISP_GRANT_NONE);
    uint32_t b = hv->ops->grant(hv, 0, &page[1], true);
    ck_assert_uint_ne(b, WISP_GRANT_NONE);
    ck_assert(hv->ops->end_grant(hv, a) && hv->ops->end_grant(hv, b));
    wisp_memxen_fail(xen, WISP_MEMXEN_FAIL_END_AGAIN, 0, 2);
    for (int i = 0; i < 3; i++) {
        wisp_xs_tx tx = hv->ops->xs_begin(hv);
        ck_assert_int_eq(hv->ops->xs_end(hv, tx, false), i < 2 ? WISP_XS_AGAIN : WISP_XS_OK);
    }
}
END_TEST

START_TEST(resume__grants_and_ports__void_and_watches_fire)
{
    uint32_t ref = hv->ops->grant(hv, 0, &page[0], true);
    hv->ops->event_open(hv, 0);
    hv->ops->xs_watch(hv, "device", 1);
    ck_assert(hv->ops->xs_changed(hv, 1));
    wisp_memxen_resume(xen);
    ck_assert_uint_eq(hv->resumes, 1);
    ck_assert_ptr_null(wisp_memxen_map(xen, ref, false));
    ck_assert(hv->ops->xs_changed(hv, 1));
    hv->ops->xs_unwatch(hv, "device", 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memxen");
    TCase *tests = tcase_create("memxen");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, granted__mapped__end_refused_until_unmapped);
    tcase_add_test(tests, granted_for_reading__written__refused);
    tcase_add_test(tests, table_full__grant__none_until_one_ended);
    tcase_add_test(tests, ended__ended_again__counted_as_bad);
    tcase_add_test(tests, pool_born_shared__grant__the_same_reference_for_life);
    tcase_add_test(tests, port_open__notified_twice__pending_once);
    tcase_add_test(tests, relative_path__written__stands_below_the_guests_home);
    tcase_add_test(tests, transaction__unseen_before_its_end__seen_as_one_after);
    tcase_add_test(tests, transaction__node_it_read_changes__again);
    tcase_add_test(tests, watch__changes_at_and_below__told_once_each_time);
    tcase_add_test(tests, faults__asked_for__come_after_the_calls_skipped);
    tcase_add_test(tests, resume__grants_and_ports__void_and_watches_fire);
    suite_add_tcase(suite, tests);
    return wisp_suite_run(suite);
}
