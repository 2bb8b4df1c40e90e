/* SPDX-License-Identifier: ISC */
/* RFC 9293 §3.8.6.3, delayed acknowledgements: on time however many wait, and no timer for those that data took along. */
#include "suite.h"
#include "tcp_priv.h"
#include "wire.h"

#define MANY (3 * TCP_LATE + 5)

static struct wire w;
static struct wisp_tcp_conn *conn[MANY];
static struct seg next[MANY]; /* one byte, as the peer's next one */

static void setup(void)
{
    wire_open(&w, NULL);
}

static void teardown(void)
{
    wire_close(&w);
}

static void open_many(void)
{
    wire_accept_many(&w, conn, next, MANY);
}

/* Those that arrived in one step. */
static uint32_t tell(uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        wire_queue(&w, next[i]);
    }
    wire_step(&w);
    return count;
}

static uint32_t acks(void)
{
    uint32_t n = 0;
    struct seg got;
    while (wire_next(&w, &got)) {
        ck_assert_uint_eq(got.flags, ACK);
        ck_assert_uint_eq(got.length, 0);
        n++;
    }
    return n;
}

/* covers: SHLD-18 */
START_TEST(more_requests_than_one_step_remembers__nobody_answers__each_acknowledged_after_40_ms)
{
    open_many();
    tell(0, MANY);
    wire_wait(&w, WISP_MS(38));
    ck_assert_uint_eq(acks(), 0);
    wire_wait(&w, WISP_MS(3));
    ck_assert_uint_eq(acks(), MANY);
    wire_wait(&w, WISP_SEC(1));
    wire_silent(&w);
}
END_TEST

/* covers: SHLD-18 */
START_TEST(requests_in_two_steps__nobody_answers__each_acknowledged_in_its_own_time)
{
    open_many();
    tell(0, 4);
    wire_wait(&w, WISP_MS(20));
    tell(4, 7);
    wire_wait(&w, WISP_MS(21));
    ck_assert_uint_eq(acks(), 4);
    wire_wait(&w, WISP_MS(17));
    ck_assert_uint_eq(acks(), 0);
    wire_wait(&w, WISP_MS(3));
    ck_assert_uint_eq(acks(), 7);
}
END_TEST

/* The stack is asked again when it said, and not before: nobody steps it in between. */
START_TEST(request__nobody_answers_or_steps__the_deadline_given_is_the_acknowledgement_s)
{
    open_many();
    tell(0, 1);
    ck_assert_uint_le(w.deadline, w.now + WISP_MS(40));
    wisp_time asked = w.now;
    uint32_t acknowledged = 0;
    for (int i = 0; i < 100 && !acknowledged; i++) {
        w.now = w.deadline;
        wire_step(&w);
        acknowledged = acks();
    }
    ck_assert_uint_eq(acknowledged, 1);
    ck_assert_uint_le(w.now, asked + WISP_MS(41));
    ck_assert_uint_ge(w.now, asked + WISP_MS(39));
}
END_TEST

/* covers: SHLD-18 */
START_TEST(requests_in_two_steps_one_after_the_other__nobody_answers__each_acknowledged)
{
    open_many();
    tell(0, 4);
    tell(4, 7);
    wire_wait(&w, WISP_MS(38));
    ck_assert_uint_eq(acks(), 0);
    wire_wait(&w, WISP_MS(3));
    ck_assert_uint_eq(acks(), 11);
}
END_TEST

START_TEST(request_in_the_step_in_which_another_timer_fires__deadline__is_its_acknowledgement_s)
{
    open_many();
    tell(0, 1);
    wire_step(&w);
    w.now += WISP_MS(41);
    wire_queue(&w, next[1]);
    wisp_stack_poll(w.stack, w.now);
    ck_assert_uint_eq(acks(), 1);
    ck_assert_uint_le(w.tcp->timers_at, w.now + WISP_MS(40));
}
END_TEST

START_TEST(requests_answered_before_the_next_step__no_timer_runs_for_their_acknowledgements)
{
    open_many();
    tell(3, 3);
    tell(0, 3);
    for (int i = 0; i < 3; i++) {
        wisp_tcp_consume(conn[i], 1);
        ck_assert_uint_eq(wisp_tcp_write(conn[i], "a", 1), 1);
    }
    wire_step(&w);
    wire_step(&w);
    for (int i = 0; i < 3; i++) {
        wire_expect(&w, GOT(.flags = ACK | PSH, .length = 1));
        ck_assert_uint_gt(conn[i]->timer.at, w.now + WISP_MS(150)); /* of the retransmission */
    }
    wire_wait(&w, WISP_MS(100));
    ck_assert_uint_eq(acks(), 3); /* of those that nobody answered */
}
END_TEST

START_TEST(connection_given_back_while_it_owes_an_acknowledgement__another_in_its_place__on_time)
{
    struct seg reset;
    open_many();
    for (uint32_t i = 0; i < 4; i++) {
        wire_queue(&w, next[i]);
    }
    wisp_stack_poll(w.stack, w.now);
    for (int i = 0; i < 4; i++) {
        wisp_tcp_abort(conn[i]);
        wisp_tcp_release(conn[i]);
    }
    wisp_stack_poll(w.stack, w.now);
    for (int i = 0; i < 4; i++) {
        wire_next(&w, &reset);
        ck_assert(reset.flags & RST);
    }
    w.source = 50000;
    w.our_iss_known = false;
    struct wisp_tcp_conn *other = wire_accept(&w, SEG(.mss = 1460));
    ck_assert(other == conn[0] || other == conn[1] || other == conn[2] || other == conn[3]);
    wire_wait(&w, WISP_MS(10));
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 1));
    wire_wait(&w, WISP_MS(38));
    wire_silent(&w);
    wire_wait(&w, WISP_MS(3));
    ck_assert_uint_eq(acks(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: delayed acknowledgements");
    TCase *tcase = tcase_create("late");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(
        tcase,
        more_requests_than_one_step_remembers__nobody_answers__each_acknowledged_after_40_ms);
    tcase_add_test(tcase, requests_in_two_steps__nobody_answers__each_acknowledged_in_its_own_time);
    tcase_add_test(tcase,
                   request__nobody_answers_or_steps__the_deadline_given_is_the_acknowledgement_s);
    tcase_add_test(tcase,
                   requests_in_two_steps_one_after_the_other__nobody_answers__each_acknowledged);
    tcase_add_test(
        tcase,
        request_in_the_step_in_which_another_timer_fires__deadline__is_its_acknowledgement_s);
    tcase_add_test(
        tcase, requests_answered_before_the_next_step__no_timer_runs_for_their_acknowledgements);
    tcase_add_test(
        tcase,
        connection_given_back_while_it_owes_an_acknowledgement__another_in_its_place__on_time);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
