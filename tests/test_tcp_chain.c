/* SPDX-License-Identifier: ISC */
/* Chains of blocks against a plain array, by random operations; ends with every block back in the pool. */
#include "chain.h"
#include "suite.h"
#include <string.h>

#define BLOCKS 40u

static struct tcp_pool_block memory[BLOCKS];
static struct tcp_blocks pool;
static uint32_t model[2000];
static uint32_t length;

static void compare(const struct tcp_chain *chain)
{
    struct tcp_spot spot = chain_begin(chain);
    ck_assert_uint_eq(chain->count, length);
    for (uint32_t i = 0; i < length; i++, spot = chain_after(spot)) {
        ck_assert_ptr_nonnull(chain_at(spot));
        ck_assert_uint_eq(chain_at(spot)->view.length, model[i]);
    }
    ck_assert_ptr_null(chain_at(spot));
}

static void insert(struct tcp_chain *chain, uint32_t at, uint32_t value)
{
    struct tcp_spot spot = chain_begin(chain);
    for (uint32_t i = 0; i < at; i++) {
        spot = chain_after(spot);
    }
    if (wisp_tcp_chain_insert(chain, &pool, &spot)) {
        chain_at(spot)->view.length = value;
        memmove(&model[at + 1], &model[at], (length - at) * sizeof(model[0]));
        model[at] = value;
        length++;
    }
}

static void push(struct tcp_chain *chain, uint32_t value)
{
    union tcp_entry *entry = chain_push(chain, &pool);
    if (entry) {
        entry->view.length = value;
        model[length++] = value;
    }
}

static void pop(struct tcp_chain *chain, bool back)
{
    if (back) {
        wisp_tcp_chain_pop_back(chain, &pool);
    } else {
        chain_pop(chain, &pool);
        memmove(model, model + 1, (length - 1) * sizeof(model[0]));
    }
    length--;
}

START_TEST(random_operations__like_an_array__same_entries_and_no_block_lost)
{
    struct tcp_chain whole;
    struct tcp_chain *chain = &whole;
    uint32_t seed = 1;
    length = 0;
    wisp_tcp_chain_init(chain, _i); /* single at times, and never */
    wisp_tcp_blocks_init(&pool, memory, BLOCKS);
    for (uint32_t i = 0; i < 60000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t dice = seed >> 24 & 7;
        bool growing = i / 2000 % 2 == 0;
        if (length == 0 || (growing ? dice < 4 : dice < 1)) {
            push(chain, i);
        } else if (dice < 5 && length < 1000) {
            insert(chain, (seed >> 8) % length, i);
        } else {
            pop(chain, dice == 7);
        }
        if (i % 37 == 0) {
            compare(chain);
        }
    }
    while (length) {
        pop(chain, false);
    }
    ck_assert(chain_empty(chain) && !chain_is_single(chain));
    ck_assert_uint_eq(pool.available, BLOCKS);
}
END_TEST

START_TEST(empty_pool__push_and_insert__refused_and_nothing_changed)
{
    struct tcp_chain chain;
    wisp_tcp_chain_init(&chain, true);
    wisp_tcp_blocks_init(&pool, memory, 1);
    length = 0;
    for (uint32_t i = 0; i < 2 * TCP_BLOCK_ENTRIES; i++) {
        push(&chain, i);
    }
    ck_assert_uint_eq(chain.count, TCP_BLOCK_ENTRIES);
    insert(&chain, 5, 99);
    compare(&chain);
}
END_TEST

/* As part->next in the send queue: a spot stays good while entries come behind it and those before it go. */
START_TEST(spot_kept__entries_come_and_go__names_the_same_entry)
{
    struct tcp_chain whole;
    struct tcp_chain *chain = &whole;
    uint32_t seed = 3, value = 0, at = 0; /* the spot names entry model[at] */
    struct tcp_spot spot = {NULL, 0};
    length = 0;
    wisp_tcp_chain_init(chain, false);
    wisp_tcp_blocks_init(&pool, memory, BLOCKS);
    for (uint32_t i = 0; i < 100000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t dice = seed >> 28;
        if (dice < (i / 500 % 2 ? 6 : 9) && length < 200) {
            bool none = at == length;
            push(chain, value++);
            spot = none ? chain_last(chain) : spot;
        } else if (dice < 13 && at < length) {
            spot = chain_after(spot);
            at++;
        } else if (at > 0) {
            pop(chain, false);
            at--;
        }
        ck_assert(at == length || chain_at(spot)->view.length == model[at]);
        ck_assert(length == 0 || chain_back(chain)->view.length == model[length - 1]);
        ck_assert(length == 0 || chain_at(chain_last(chain)) == chain_back(chain));
        ck_assert(length == 0 || chain_at(chain_begin(chain)) == chain_front(chain));
        ck_assert(length > 0 || chain_at(chain_begin(chain)) == NULL);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp chain");
    TCase *tcase = tcase_create("chain");
    tcase_set_timeout(tcase, 60); /* a machine shared by others */
    tcase_add_loop_test(tcase, random_operations__like_an_array__same_entries_and_no_block_lost, 0,
                        2);
    tcase_add_test(tcase, empty_pool__push_and_insert__refused_and_nothing_changed);
    tcase_add_test(tcase, spot_kept__entries_come_and_go__names_the_same_entry);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
