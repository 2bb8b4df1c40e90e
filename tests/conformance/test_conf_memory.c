/* SPDX-License-Identifier: ISC */
/* What a connection remembers and where: its three parts, the ring of delayed acknowledgements, its timer; and that
 * nothing of it is left when its place goes to another one. */
#include "suite.h"
#include "tcp_priv.h"
#include "wire.h"
#include <string.h>

static struct wire w;
static uint32_t working_parts;

static void setup(void)
{
    wire_open(&w, NULL);
}

static void teardown(void)
{
    wire_close(&w);
}

START_TEST(time_wait_with_history_and_unread_bytes__read_and_released__timer_is_off)
{
    struct wisp_tcp_conn *c = wire_server(&w);
    struct seg got;
    wire_drain(&w);
    wire_write(&w, c, 100);
    wire_expect(&w, GOT(.flags = ACK, .length = 100));
    wire_wait_segment(&w, WISP_SEC(5), &got); /* again: history */
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10));
    wisp_tcp_shutdown(c);
    wire_step(&w);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK | FIN, .length = 0));
    wire_drain(&w);
    ck_assert_int_eq(c->state, WISP_TCP_STATE_TIME_WAIT);
    ck_assert_uint_eq(wisp_tcp_readable(c), 10);
    wisp_tcp_consume(c, 10);
    wire_events(&w, c, NULL);
    wisp_tcp_release(c);
    wire_step(&w);
    wire_events(&w, c, NULL);
    wire_step(&w);
    bool armed = wisp_timer_is_set(&c->timer);
    wire_wait(&w, armed ? c->timer.at - w.now - WISP_US(500) : 0);
    w.source = 50000;
    w.our_iss_known = false;
    struct wisp_tcp_conn *other = wire_accept(&w, SEG(.mss = 1460));
    ck_assert_ptr_eq(other, c);
    wire_drain(&w);
    wire_wait(&w, WISP_SEC(3));
    ck_assert(!armed);
}
END_TEST

static void past_4_gib(uint32_t acked, uint32_t received)
{
    struct wisp_tcp_conn *c = wire_server(&w);
    wire_drain(&w);
    c->acked = acked;
    c->received = received;
    wire_write(&w, c, 10);
    wire_drain(&w);
    wire_step(&w); /* the device lets go */
    ck_assert_uint_eq(wisp_tcp_queued(c), (uint64_t)acked + 10);
    ck_assert_uint_eq(wisp_tcp_released(c), acked);
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10));
    struct wisp_tcp_info info = wire_info(c);
    ck_assert_uint_eq(wisp_tcp_released(c), (uint64_t)acked + 10);
    ck_assert_uint_eq(info.bytes_received, (uint64_t)received + 10);
    ck_assert_uint_eq(info.bytes_sent, (uint64_t)acked + 10);
    ck_assert_uint_eq(info.queued, 0);
}

START_TEST(sent__past_4_gib__counted)
{
    past_4_gib(UINT32_MAX - 5, 0);
}
END_TEST

START_TEST(received__past_4_gib__counted)
{
    past_4_gib(0, UINT32_MAX - 9); /* to exactly 2^32 */
}
END_TEST

static struct wisp_tcp_conn *many[2 * TCP_LATE + 2];
static struct seg ask[2 * TCP_LATE + 2];

START_TEST(connection_freed_while_it_owes__another_timer_fires__nothing_of_it_is_on_the_wheel)
{
    wire_accept_many(&w, many, ask, 2);
    wire_tell(&w, ask[1]);
    wire_wait(&w, WISP_MS(20));
    wire_tell(&w, ask[0]);
    wisp_tcp_abort(many[0]);
    wisp_tcp_release(many[0]);
    wire_step(&w);
    wire_wait(&w, WISP_MS(22)); /* the other's acknowledgement */
    ck_assert(!wisp_timer_is_set(&many[0]->timer));
    wire_drain(&w);
}
END_TEST

START_TEST(connection_freed_while_it_owes__others_push_it_out__nothing_of_it_is_on_the_wheel)
{
    wire_accept_many(&w, many, ask, TCP_LATE + 2);
    wire_tell(&w, ask[0]);
    wisp_tcp_abort(many[0]);
    wisp_tcp_release(many[0]);
    wire_step(&w); /* it is free, and its 40 ms are not over */
    ck_assert(!wisp_timer_is_set(&many[0]->timer));
    for (uint32_t i = 1; i < TCP_LATE + 1; i++) {
        wire_queue(&w, ask[i]);
    }
    wire_step(&w);
    ck_assert(!wisp_timer_is_set(&many[0]->timer));
    wire_drain(&w);
}
END_TEST

START_TEST(owes__an_unrelated_timer_fires__not_yet_on_the_wheel)
{
    wire_accept_many(&w, many, ask, 3);
    wire_write(&w, many[2], 1); /* its retransmission timer runs */
    wire_wait(&w, many[2]->rexmit_at - w.now - WISP_MS(20));
    wire_tell(&w, ask[0]);
    ck_assert(!wisp_timer_is_set(&many[0]->timer));
    wisp_time asked = w.now;
    while (w.deadline < asked + WISP_MS(35)) {
        w.now = w.deadline;
        wire_step(&w);
    }
    ck_assert(!wisp_timer_is_set(&many[0]->timer));
}
END_TEST

START_TEST(
    connection_that_sent_again_and_had_a_soft_error_is_given_back__next_in_its_place__knows_nothing)
{
    struct wisp_tcp_conn *c = wire_server(&w);
    wire_drain(&w);
    wire_write(&w, c, 100);
    wire_wait(&w, WISP_SEC(10));
    ck_assert_uint_gt(wire_info(c).bytes_retransmitted, 0);
    wisp_tcp_abort(c);
    wisp_tcp_release(c);
    wire_step(&w);
    wire_drain(&w);
    w.source = 50000;
    w.our_iss_known = false;
    struct wisp_tcp_conn *other = wire_accept(&w, SEG(.mss = 1460));
    ck_assert_ptr_eq(other, c);
    ck_assert_uint_eq(wire_info(other).bytes_retransmitted, 0);
    ck_assert_int_eq(wisp_tcp_soft_error(other), WISP_OK);
}
END_TEST

START_TEST(request__part_is_at_the_connection_s_place)
{
    wire_accept_many(&w, many, ask, 3);
    for (uint32_t i = 3; i-- > 0;) {
        wire_tell(&w, ask[i]);
        ck_assert_ptr_eq(many[i]->part, &w.tcp->parts.part[many[i] - w.tcp->conn]);
    }
}
END_TEST

/* What the device's queue is chosen by: of the keyed hash, the same for a connection's life, and not for all. */
START_TEST(connections__queue_of_the_device__by_their_tuple)
{
    uint32_t differ = 0;
    wire_accept_many(&w, many, ask, 8);
    for (uint32_t i = 0; i < 8; i++) {
        struct tcp_tuple tuple;
        wisp_tcp_conn_tuple(many[i], &tuple);
        ck_assert_uint_eq(many[i]->queue, (uint16_t)wisp_tcp_hash(w.tcp, &tuple));
        differ += many[i]->queue != many[0]->queue;
    }
    ck_assert_uint_gt(differ, 0);
}
END_TEST

static void keeps_to_its_chain(const struct tcp_part *part)
{
    const struct tcp_block *block = part->held_at.block;
    ck_assert(!spot_is_single(part->held_at));
    if (block) {
        ck_assert(part->records.count && !part->records.single);
        const struct tcp_block *at = part->records.u.list.head;
        while (at && at != block) {
            at = at == part->records.u.list.tail ? NULL : at->next;
        }
        ck_assert_ptr_nonnull(at);
    }
}

START_TEST(many_segments__acknowledged_bit_by_bit__held_at_names_a_block_of_the_chain)
{
    struct wisp_tcp_conn *c = wire_server(&w);
    static const uint8_t data[100];
    wisp_tcp_set_nodelay(c, true);
    wire_drain(&w);
    c->cc.cwnd = 60000;
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 1)); /* unread: the working part stays */
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t first = w.our_next - w.our_iss;
        uint32_t n = 1 + round * 3;
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_uint_eq(wisp_tcp_write(c, data, 100), 100);
            wire_step(&w);
            wire_drain(&w);
            wire_step(&w);
        }
        for (uint32_t i = 1; i <= n; i++) {
            wire_tell(&w, SEG(.flags = ACK, .ack = first + 100 * i));
            if (c->part) {
                keeps_to_its_chain(c->part);
            }
        }
    }
}
END_TEST

static void tune_many(struct wisp_tcp_config *config)
{
    config->connections = 200;
    config->working = working_parts;
    config->half_open = 64;
}

/* Each connection that owes is in the ring or on the wheel, none that is free is on the wheel, and no deadline is passed over. */
static void invariants(void)
{
    struct wisp_tcp *tcp = w.tcp;
    for (uint32_t i = 0; i < tcp->config.connections; i++) {
        struct wisp_tcp_conn *c = &tcp->conn[i];
        bool is_free = false;
        for (uint32_t f = tcp->free_conn; f != TCP_NONE; f = tcp->conn[f].output_next) {
            is_free |= f == i;
        }
        if (is_free) {
            ck_assert(!wisp_timer_is_set(&c->timer));
            ck_assert(!(c->flags & TCP_ACK_LATER) && !c->part);
            continue;
        }
        if (wisp_timer_is_set(&c->timer)) {
            ck_assert_uint_le(tcp->timers_at,
                              c->timer.at + 70000 > w.now ? c->timer.at + 70000 : w.now + 70000);
        }
        if (c->flags & TCP_ACK_LATER) {
            int32_t ahead = (int32_t)(c->ack_at - tcp_ms(w.now));
            wisp_time due = w.now + (ahead > 0 ? (wisp_time)ahead * 1000000 : 0) + 1100000;
            bool ring = false;
            for (uint32_t k = 0; k < TCP_LATE; k++) {
                ring |= tcp->late[k] == c;
            }
            ck_assert(ring || (wisp_timer_is_set(&c->timer) && c->timer.at <= due));
            ck_assert_uint_le(tcp->timers_at, due);
            ck_assert_int_ge(ahead, -2);
        }
        if (c->part) {
            bool at = c->part->holder == TCP_PART_AT_PLACE;
            ck_assert(c->part->holder != TCP_PART_FREE);
            ck_assert(!at || c->part == &tcp->parts.part[i]);
            ck_assert(!spot_is_single(c->part->held_at));
            if (c->part->unsent) {
                ck_assert_ptr_nonnull(chain_at(c->part->next.at));
                struct tcp_cursor cursor;
                wisp_tcp_send_find(c, c->snd_nxt, &cursor);
                if (c->state >= WISP_TCP_STATE_ESTABLISHED) {
                    ck_assert_ptr_eq(chain_at(cursor.at), chain_at(c->part->next.at));
                    ck_assert_uint_eq(cursor.offset, c->part->next.offset);
                }
            }
        }
    }
}

START_TEST(anything__with_many_connections__invariants)
{
    static struct wisp_tcp_conn *c[120];
    static uint32_t peer[120], port[120];
    static const uint8_t data[6000];
    uint32_t seed = 77 + (uint32_t)_i, next_port = 10000;
    wire_close(&w);
    working_parts = _i & 1 ? 40 : 0;
    wire_open(&w, &(struct wire_options){.tune = tune_many});
    wire_listen(&w, 80);
    memset(c, 0, sizeof(c));
    for (uint32_t round = 0; round < 6000; round++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t n = (seed >> 8) % 120, dice = seed >> 27;
        if (c[n] && (c[n]->state == WISP_TCP_STATE_CLOSED)) {
            wire_events(&w, c[n], NULL);
            wisp_tcp_release(c[n]);
            wire_step(&w);
            c[n] = NULL;
        }
        if (!c[n]) {
            w.source = next_port++;
            w.our_iss_known = false;
            wire_drain(&w);
            c[n] = wire_accept(&w, SEG(.mss = 1460, .window = 60000));
            port[n] = w.source;
            peer[n] = w.peer_next;
            wisp_tcp_set_nodelay(c[n], true);
            continue;
        }
        w.source = port[n];
        if (dice < 14) {
            uint32_t length = dice < 10 ? 1 + (seed >> 5) % 40 : 700;
            wire_queue(&w, SEG(.flags = ACK | PSH, .raw_numbers = true, .source = port[n],
                               .seq = peer[n] + (dice == 9 ? 50 : 0), .ack = c[n]->snd_nxt.v,
                               .length = length, .data = data));
            if (dice != 9) {
                peer[n] += length;
            }
        } else if (dice < 20 && c[n]->state == WISP_TCP_STATE_ESTABLISHED) {
            wisp_tcp_consume(c[n], wisp_tcp_readable(c[n]));
            wisp_tcp_write(c[n], data, 1 + (seed >> 5) % (dice < 18 ? 80 : 6000));
        } else if (dice < 23) {
            uint32_t flight = c[n]->snd_nxt.v - c[n]->snd_una.v;
            wire_queue(&w, SEG(.flags = ACK, .raw_numbers = true, .source = port[n], .seq = peer[n],
                               .ack = c[n]->snd_una.v + (flight ? (seed >> 3) % (flight + 1) : 0),
                               .data = data));
        } else if (dice < 24 && round % 3 == 0) {
            wisp_tcp_abort(c[n]);
            wire_events(&w, c[n], NULL);
            wisp_tcp_release(c[n]);
            c[n] = NULL;
        } else if (dice < 26) {
            w.now += WISP_US((seed >> 4) % 3000);
        } else if (dice < 27 && round % 5 == 0) {
            wire_drain(&w);
            wire_wait(&w, WISP_MS((seed >> 4) % 30));
        } else if (dice < 28 && round % 7 == 0) {
            wire_queue(&w, SEG(.flags = RST | ACK, .raw_numbers = true, .source = port[n],
                               .seq = c[n]->rcv_nxt.v, .ack = c[n]->snd_nxt.v));
        } else {
            wire_step(&w);
        }
        wire_step(&w);
        wire_drain(&w);
        if (c[n]) {
            peer[n] = c[n]->rcv_nxt.v;
        }
        struct wisp_tcp_event event;
        while (wisp_tcp_next_event(w.tcp, &event)) {
        }
        invariants();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, time_wait_with_history_and_unread_bytes__read_and_released__timer_is_off);
    tcase_add_test(tcase, sent__past_4_gib__counted);
    tcase_add_test(tcase, received__past_4_gib__counted);
    tcase_add_test(
        tcase, connection_freed_while_it_owes__another_timer_fires__nothing_of_it_is_on_the_wheel);
    tcase_add_test(
        tcase, connection_freed_while_it_owes__others_push_it_out__nothing_of_it_is_on_the_wheel);
    tcase_add_test(tcase, owes__an_unrelated_timer_fires__not_yet_on_the_wheel);
    tcase_add_test(
        tcase,
        connection_that_sent_again_and_had_a_soft_error_is_given_back__next_in_its_place__knows_nothing);
    tcase_add_test(tcase, request__part_is_at_the_connection_s_place);
    tcase_add_test(tcase,
                   many_segments__acknowledged_bit_by_bit__held_at_names_a_block_of_the_chain);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, anything__with_many_connections__invariants, 0, 4);
    tcase_add_test(tcase, connections__queue_of_the_device__by_their_tuple);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
