/* SPDX-License-Identifier: ISC */
/* The guest's end of xenstore's rings: what a full, an empty, a wrapping and a lying ring do. */
#include "suite.h"
#include "xenstore_wire.h"
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

static struct xenstore_domain_interface ring;
static char bytes[2 * XENSTORE_RING_SIZE];

static void setup(void)
{
    memset(&ring, 0, sizeof(ring));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7 + 1);
    }
}

/* What the other side would read, in order. */
static void take_requests(char *to, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        to[i] = ring.req[MASK_XENSTORE_IDX(ring.req_cons++)];
    }
}

static void give_responses(const char *from, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] = from[i];
    }
}

START_TEST(empty__put_too_much__takes_what_fits)
{
    ck_assert_uint_eq(wisp_xs_ring_put(&ring, bytes, sizeof(bytes)), XENSTORE_RING_SIZE);
    ck_assert_uint_eq(ring.req_prod, XENSTORE_RING_SIZE);
    ck_assert_uint_eq(wisp_xs_ring_put(&ring, bytes, 1), 0);
}
END_TEST

START_TEST(indices_near_wrap__put_and_get__bytes_arrive_in_order)
{
    char got[300];
    ring.req_prod = ring.req_cons = UINT32_MAX - 100;
    ring.rsp_prod = ring.rsp_cons = UINT32_MAX - 100;
    ck_assert_uint_eq(wisp_xs_ring_put(&ring, bytes, sizeof(got)), sizeof(got));
    take_requests(got, sizeof(got));
    ck_assert_mem_eq(got, bytes, sizeof(got));
    memset(got, 0, sizeof(got));
    give_responses(bytes, sizeof(got));
    ck_assert_uint_eq(wisp_xs_ring_get(&ring, got, sizeof(got)), sizeof(got));
    ck_assert_mem_eq(got, bytes, sizeof(got));
    ck_assert_uint_eq(ring.rsp_cons, ring.rsp_prod);
}
END_TEST

START_TEST(part_of_a_message__get__gives_that_part)
{
    char got[16];
    give_responses(bytes, 5);
    ck_assert_uint_eq(wisp_xs_ring_get(&ring, got, sizeof(got)), 5);
    ck_assert_uint_eq(wisp_xs_ring_get(&ring, got, sizeof(got)), 0);
}
END_TEST

START_TEST(other_side_claims_more_than_a_ring__get__broken_and_nothing_read)
{
    char got[16] = {0};
    static const char none[16];
    ring.rsp_prod = ring.rsp_cons + XENSTORE_RING_SIZE + 1;
    memset(ring.rsp, 'x', sizeof(ring.rsp));
    ck_assert(wisp_xs_ring_get(&ring, got, sizeof(got)) == WISP_XS_RING_BROKEN);
    ck_assert_mem_eq(got, none, sizeof(got));
}
END_TEST

START_TEST(other_side_took_more_than_was_put__put__broken)
{
    ring.req_cons = ring.req_prod + 1;
    ck_assert(wisp_xs_ring_put(&ring, bytes, 1) == WISP_XS_RING_BROKEN);
}
END_TEST

static const struct {
    const char *name;
    const char *text;
    size_t length;
    enum wisp_xs_result result;
} errors[] = {
    {"absent", "ENOENT", 7, WISP_XS_ABSENT},        {"start over", "EAGAIN", 7, WISP_XS_AGAIN},
    {"no permission", "EACCES", 7, WISP_XS_FAILED}, {"cut", "ENOENT", 6, WISP_XS_FAILED},
    {"longer", "ENOENTX", 8, WISP_XS_FAILED},       {"nothing", "", 0, WISP_XS_FAILED},
};

START_TEST(error_texts__parse__mean_what_they_say)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        ck_assert_msg(wisp_xs_error_parse(errors[i].text, errors[i].length) == errors[i].result,
                      "%s", errors[i].name);
    }
}
END_TEST

static const struct {
    const char *name;
    const char *event;
    size_t length;
    bool good;
} events[] = {
    {"of ours",
     "device/vif/0\0"
     "0000002a",
     22, true},
    {"path of no length",
     "\0"
     "0000002a",
     10, true},
    {"no final zero",
     "device/vif/0\0"
     "0000002a7",
     22, false},
    {"short token",
     "device/vif/0\0"
     "000002a",
     21, false},
    {"long token",
     "device/vif/0\0"
     "00000002a",
     23, false},
    {"not a number",
     "device/vif/0\0"
     "0000 02a",
     22, false},
    {"capital digit",
     "device/vif/0\0"
     "0000002A",
     22, false},
    {"no token", "device/vif/0", 13, false},
    {"no zero at all", "device/vif/0", 12, false},
    {"nothing", "", 0, false},
};

START_TEST(watch_events__parse__only_whole_ones_have_a_token)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        uint32_t token = 0;
        bool good = wisp_xs_token_parse(events[i].event, events[i].length, &token);
        ck_assert_msg(good == events[i].good, "%s", events[i].name);
        ck_assert_msg(!good || token == 42, "%s: %u", events[i].name, token);
    }
}
END_TEST

/* Every event cut at every length: no over-read (the sanitizer's word), no token. */
START_TEST(watch_event_cut__parse__no_token)
{
    static const char event[] = "device/vif/0\0"
                                "0000002a";
    for (size_t length = 0; length < sizeof(event); length++) {
        char *exact = malloc(length + 1);
        uint32_t token;
        memcpy(exact, event, length);
        ck_assert(!wisp_xs_token_parse(exact, length, &token));
        free(exact);
    }
}
END_TEST

START_TEST(token__emit__is_eight_digits)
{
    char text[9];
    wisp_xs_token_emit(0xfedcba98, text);
    ck_assert_str_eq(text, "fedcba98");
    wisp_xs_token_emit(0, text);
    ck_assert_str_eq(text, "00000000");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("xenstore_wire");
    TCase *tests = tcase_create("rings and messages");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, empty__put_too_much__takes_what_fits);
    tcase_add_test(tests, indices_near_wrap__put_and_get__bytes_arrive_in_order);
    tcase_add_test(tests, part_of_a_message__get__gives_that_part);
    tcase_add_test(tests, other_side_claims_more_than_a_ring__get__broken_and_nothing_read);
    tcase_add_test(tests, other_side_took_more_than_was_put__put__broken);
    tcase_add_test(tests, error_texts__parse__mean_what_they_say);
    tcase_add_test(tests, watch_events__parse__only_whole_ones_have_a_token);
    tcase_add_test(tests, watch_event_cut__parse__no_token);
    tcase_add_test(tests, token__emit__is_eight_digits);
    suite_add_tcase(suite, tests);
    return wisp_suite_run(suite);
}
