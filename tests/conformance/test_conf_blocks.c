/* SPDX-License-Identifier: ISC */
/* The pool of blocks is empty: who needs none goes on, who needs one waits for its own peer, not for others'. */
#include "suite.h"
#include "tcp_priv.h"
#include "wire.h"
#include <string.h>

enum { MANY = 6 };

static struct wire w;
static struct wisp_tcp_conn *many[MANY];
static struct seg ask[MANY];
static const uint8_t data[8000];

static void tune(struct wisp_tcp_config *config)
{
    config->blocks = 1;
}

static void setup(void)
{
    wire_open(&w, &(struct wire_options){.tune = tune});
    wire_can_hold(&w);
    wire_accept_many(&w, many, ask, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        wisp_tcp_set_nodelay(many[i], true);
    }
}

static void teardown(void)
{
    wire_close(&w);
}

static void text(uint32_t i, uint32_t ahead, uint32_t length)
{
    wire_queue(&w, SEG(.flags = ACK | PSH, .raw_numbers = true, .source = ask[i].source,
                       .seq = many[i]->rcv_nxt.v + ahead, .ack = many[i]->snd_una.v,
                       .window = 60000, .length = length, .data = data));
}

static void acknowledge(uint32_t i)
{
    wire_queue(&w, SEG(.flags = ACK, .raw_numbers = true, .source = ask[i].source,
                       .seq = many[i]->rcv_nxt.v, .ack = many[i]->snd_nxt.v, .window = 60000));
}

/* One step, as a driver would call it again at its deadline; not until there is nothing to do. */
static wisp_time poll(void)
{
    wisp_time at = 0;
    for (int i = 0; i < 20; i++) {
        at = wisp_stack_poll(w.stack, w.now);
    }
    return at;
}

/* The only block is taken by pieces out of order that nobody will ever complete. */
static void take_block(uint32_t i)
{
    text(i, 100, 50);
    poll();
    ck_assert_uint_eq(w.tcp->blocks.available, 0);
    wire_drain(&w);
}

START_TEST(no_block__second_segment_of_one__waits_and_the_others_are_served)
{
    take_block(0);
    ck_assert_uint_eq(wisp_tcp_write(many[1], data, 3000), 3000); /* three segments, one record */
    wisp_time at = poll();
    ck_assert_uint_eq(tcp_in_flight(many[1]), 1460);
    ck_assert_uint_gt(at, w.now); /* no busy loop until the peer answers */
    wire_drain(&w);
    text(2, 0, 3000 - 80);
    text(3, 0, 20);
    ck_assert_uint_eq(wisp_tcp_write(many[4], data, 1000), 1000);
    poll();
    ck_assert_uint_eq(many[2]->ack_sent.v, many[2]->rcv_nxt.v);
    ck_assert_uint_eq(tcp_in_flight(many[4]), 1000);
    w.now += WISP_MS(45);
    poll();
    ck_assert_uint_eq(many[3]->ack_sent.v, many[3]->rcv_nxt.v);
}
END_TEST

START_TEST(no_block__own_peer_sends__is_acknowledged_in_time)
{
    take_block(0);
    ck_assert_uint_eq(wisp_tcp_write(many[1], data, 3000), 3000);
    poll();
    text(1, 0, 100);
    poll();
    w.now += WISP_MS(45);
    poll();
    ck_assert_uint_eq(many[1]->ack_sent.v, many[1]->rcv_nxt.v);
}
END_TEST

START_TEST(no_block__acknowledged_before_the_device_lets_go__goes_on_then)
{
    take_block(0);
    w.device_holds = true;
    ck_assert_uint_eq(wisp_tcp_write(many[1], data, 3000), 3000);
    poll();
    acknowledge(1);
    poll();
    ck_assert_uint_eq(tcp_in_flight(many[1]), 0);
    w.device_holds = false;
    poll();
    ck_assert_uint_eq(tcp_in_flight(many[1]), 1460);
}
END_TEST

START_TEST(no_block__nothing_queued__writable)
{
    take_block(0);
    wisp_tcp_want(many[1], WISP_TCP_WRITABLE);
    poll();
    ck_assert(wire_events(&w, many[1], NULL) & WISP_TCP_WRITABLE);
    ck_assert_uint_gt(wisp_tcp_write(many[1], data, 1000), 0);
}
END_TEST

START_TEST(one_block_of_all__everybody_sends_and_receives__all_of_it_arrives)
{
    enum { ALL = 60000 };
    uint32_t written[MANY] = {0}, got[MANY] = {0};
    uint64_t base[MANY];
    uint32_t seed = 5 + (uint32_t)_i;
    bool over = false;
    for (uint32_t i = 0; i < MANY; i++) {
        wisp_tcp_want(many[i], WISP_TCP_READABLE | WISP_TCP_WRITABLE);
        base[i] = wisp_tcp_queued(many[i]);
    }
    for (uint32_t round = 0; round < 40000 && !over; round++) {
        over = true;
        for (uint32_t i = 0; i < MANY; i++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t dice = seed >> 24;
            if (written[i] < ALL) {
                uint32_t most = ALL - written[i] < 5000 ? ALL - written[i] : 5000;
                written[i] += wisp_tcp_write(many[i], data, most);
            }
            if (got[i] < ALL && dice < 200) {
                text(i, dice < 30 ? 700 : 0, 1 + dice * 3);
                text(i, 0, 700);
            }
            if (dice & 1) {
                acknowledge(i);
            }
            poll();
            if (dice & 6) {
                uint32_t n = wisp_tcp_readable(many[i]);
                wisp_tcp_consume(many[i], n);
                got[i] += n;
            }
            wire_drain(&w);
            over &= written[i] == ALL && tcp_in_flight(many[i]) == 0 && got[i] >= ALL &&
                    !(many[i]->part && many[i]->part->unsent);
            ck_assert_int_eq(many[i]->state, WISP_TCP_STATE_ESTABLISHED);
        }
        w.now += WISP_MS(5);
    }
    ck_assert(over);
    for (uint32_t i = 0; i < MANY; i++) {
        ck_assert_uint_eq(wisp_tcp_queued(many[i]) - base[i], ALL);
        while (wisp_tcp_readable(many[i])) {
            wisp_tcp_consume(many[i], wisp_tcp_readable(many[i]));
        }
        wisp_tcp_abort(many[i]);
    }
    poll();
    ck_assert_uint_eq(w.tcp->blocks.available, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: blocks");
    TCase *tcase = tcase_create("blocks");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, no_block__second_segment_of_one__waits_and_the_others_are_served);
    tcase_add_test(tcase, no_block__own_peer_sends__is_acknowledged_in_time);
    tcase_add_test(tcase, no_block__acknowledged_before_the_device_lets_go__goes_on_then);
    tcase_add_test(tcase, no_block__nothing_queued__writable);
    tcase_add_loop_test(tcase, one_block_of_all__everybody_sends_and_receives__all_of_it_arrives, 0,
                        4);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
