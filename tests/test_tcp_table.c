/* SPDX-License-Identifier: ISC */
/* The table of four-tuples: what was added is found, what was removed is not, also with colliding tags. */
#include "suite.h"
#include "tcp_priv.h"

#define SLOTS 64u
#define ITEMS 42u

static struct tcp_slot slot[SLOTS];
static struct tcp_table table;

static bool has(uint32_t tag, uint32_t entry)
{
    uint32_t at = tag;
    struct tcp_slot *found;
    while ((found = wisp_tcp_table_probe(&table, tag, &at)) != NULL) {
        if (found->entry == entry) {
            return true;
        }
    }
    return false;
}

/* Tags that collide: all in few home slots, some at the end so that probing wraps. */
static uint32_t tag_of(uint32_t i)
{
    return i % 3 == 0 ? 62 : i % 3 == 1 ? 3 : i * 64 + 63;
}

START_TEST(colliding_tags__added_and_removed_in_any_order__only_what_is_there_is_found)
{
    static bool in[ITEMS];
    uint32_t seed = 7;
    wisp_tcp_table_init(&table, slot, SLOTS);
    for (uint32_t round = 0; round < 20000; round++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t i = (seed >> 8) % ITEMS;
        uint32_t entry = tcp_entry(TCP_KIND_CONN, i);
        if (in[i]) {
            wisp_tcp_table_remove(&table, tag_of(i), entry);
        } else {
            wisp_tcp_table_add(&table, tag_of(i), entry);
        }
        in[i] = !in[i];
        for (uint32_t k = 0; k < ITEMS; k++) {
            ck_assert(has(tag_of(k), tcp_entry(TCP_KIND_CONN, k)) == in[k]);
        }
    }
}
END_TEST

START_TEST(entries__slots_for_them__a_power_of_two_and_a_quarter_free)
{
    for (uint32_t n = 1; n < 100000; n += 97) {
        uint32_t slots = wisp_tcp_table_slots(n);
        ck_assert_uint_eq(slots & (slots - 1), 0);
        ck_assert_uint_ge(slots - slots / 4, n);
    }
}
END_TEST

static uint64_t mix(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    const uint8_t *byte = data;
    uint64_t hash = key[0];
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ byte[i]) * 1099511628211u;
    }
    return hash;
}

/* The hash of the tuple asked for last is kept. */
START_TEST(tuples_that_differ_in_one_field__hashed_in_turn__each_has_its_own_hash)
{
    struct wisp_addr local = wisp_addr_ip4(wisp_ip4(10, 0, 0, 1));
    struct wisp_addr remote = wisp_addr_ip4(wisp_ip4(10, 0, 0, 2));
    struct wisp_addr other = wisp_addr_ip4(wisp_ip4(10, 0, 0, 3));
    const struct tcp_tuple tuples[] = {{&local, &remote, 80, 4000},
                                       {&other, &remote, 80, 4000},
                                       {&local, &other, 80, 4000},
                                       {&local, &remote, 81, 4000},
                                       {&local, &remote, 80, 4001}};
    static struct wisp_tcp whole = {.config = {.hash = mix}, .key_table = {1}};
    struct wisp_tcp *tcp = &whole;
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 5; k++) {
            wisp_tcp_hash(tcp, &tuples[i]);
            ck_assert_uint_eq(wisp_tcp_hash(tcp, &tuples[k]),
                              wisp_tcp_tuple_hash(tcp->config.hash, tcp->key_table, &tuples[k]));
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp table");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase,
                   colliding_tags__added_and_removed_in_any_order__only_what_is_there_is_found);
    tcase_add_test(tcase, entries__slots_for_them__a_power_of_two_and_a_quarter_free);
    tcase_add_test(tcase, tuples_that_differ_in_one_field__hashed_in_turn__each_has_its_own_hash);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
