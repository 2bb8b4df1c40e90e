/* SPDX-License-Identifier: ISC */
/* RFC 9293, closing: orderly in every order, aborts, TIME-WAIT. */
#include "suite.h"
#include "wire.h"

static struct wire w;

static void setup(void)
{
    wire_open(&w, NULL);
}

static void teardown(void)
{
    wire_close(&w);
}

static void population(uint32_t connections, uint32_t time_wait)
{
    uint32_t c, h, t;
    wisp_tcp_population(w.tcp, &c, &h, &t);
    ck_assert_uint_eq(c, connections);
    ck_assert_uint_eq(t, time_wait);
}

/* covers: E10, MUST-12 */
START_TEST(peer_closes_first__we_follow__orderly_end)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    enum wisp_err reason = WISP_ERR_RESET;
    wire_tell(&w, SEG(.flags = FIN | ACK));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_CLOSE_WAIT);
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_END);
    struct seg got;
    wire_wait_segment(&w, WISP_MS(500), &got);
    ck_assert_uint_eq(got.ack, 2);
    wisp_tcp_close(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK, .seq = 1, .ack = 2));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_LAST_ACK);
    wire_tell(&w, SEG(.flags = ACK, .ack = 2));
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_OK);
    wisp_tcp_release(conn);
    wire_step(&w);
    population(0, 0);
}
END_TEST

/* covers: E10, MUST-13, E11 */
START_TEST(we_close_first__peer_follows__time_wait_for_two_msl)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    enum wisp_err reason = WISP_ERR_RESET;
    wisp_tcp_close(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK, .seq = 1));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_FIN_WAIT_1);
    wire_tell(&w, SEG(.flags = ACK, .ack = 2));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_FIN_WAIT_2);
    wire_tell(&w, SEG(.flags = FIN | ACK, .ack = 2));
    wire_expect(&w, GOT(.flags = ACK, .seq = 2, .ack = 2));
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_OK);
    wisp_tcp_release(conn);
    wire_step(&w);
    population(0, 1);
    wire_wait(&w, WISP_SEC(50));
    population(0, 1);
    /* again: answered, and 2 MSL anew */
    wire_tell(&w, SEG(.flags = FIN | ACK, .seq = 1, .ack = 2));
    wire_expect(&w, GOT(.flags = ACK, .seq = 2, .ack = 2));
    wire_wait(&w, WISP_SEC(50));
    population(0, 1);
    wire_wait(&w, WISP_SEC(11));
    population(0, 0);
}
END_TEST

/* covers: E10 */
START_TEST(both_close_at_once__fins_cross__closing_then_time_wait)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_close(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK, .seq = 1, .ack = 1));
    wire_tell(&w, SEG(.flags = FIN | ACK, .seq = 1, .ack = 1));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_CLOSING);
    wire_expect(&w, GOT(.flags = ACK, .ack = 2));
    wire_tell(&w, SEG(.flags = ACK, .ack = 2));
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_CLOSED);
    wisp_tcp_release(conn);
    wire_step(&w);
    population(0, 1);
}
END_TEST

/* covers: MAY-1 */
START_TEST(shutdown__peer_goes_on_sending__half_closed_connection_receives)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_shutdown(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK, .seq = 1));
    wire_tell(&w, SEG(.flags = ACK, .ack = 2));
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 700, .ack = 2));
    ck_assert_uint_eq(wisp_tcp_readable(conn), 700);
    ck_assert_uint_eq(wisp_tcp_write(conn, "x", 1), 0);
    wisp_tcp_consume(conn, 700);
    wire_tell(&w, SEG(.flags = FIN | ACK, .ack = 2));
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_END);
}
END_TEST

/* covers: SHLD-3 */
START_TEST(close__with_unread_data__rst)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10));
    wisp_tcp_close(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = RST));
    wisp_tcp_release(conn);
}
END_TEST

/* covers: SHLD-3 */
START_TEST(close__data_arrives_after__rst)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_close(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK));
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10, .ack = 2));
    wire_expect(&w, GOT(.flags = RST));
    wisp_tcp_release(conn);
}
END_TEST

/* covers: MUST-12 */
START_TEST(abort__peer_gets_rst__application_is_told_closed)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    enum wisp_err reason = WISP_OK;
    wisp_tcp_abort(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = RST, .seq = 1));
    ck_assert(wire_events(&w, conn, &reason) & WISP_TCP_CLOSED);
    ck_assert_int_eq(reason, WISP_ERR_CLOSED);
    wisp_tcp_release(conn);
    wire_step(&w);
    population(0, 0);
}
END_TEST

/* Another one was heard since, so that only having sent last speaks for it. */
START_TEST(abort__of_the_connection_that_sent_last__what_comes_for_it_later_is_for_nobody)
{
    struct wisp_tcp_conn *other = wire_server(&w);
    uint32_t seq = w.peer_iss + 1;
    uint32_t ack = w.our_iss + 1;
    uint32_t source = w.source;
    struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.source = 50000, .mss = 1460));
    wisp_tcp_write(conn, "hello", 5);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK | PSH, .length = 5));
    wire_tell(&w, SEG(.flags = ACK, .raw_numbers = true, .source = source, .seq = seq, .ack = ack));
    wisp_tcp_abort(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = RST));
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .ack = 6));
    wire_expect(&w, GOT(.flags = RST, .seq = 6));
    wisp_tcp_release(conn);
    wisp_tcp_abort(other);
    wisp_tcp_release(other);
}
END_TEST

/* The application still holds the handle, and nobody else sent or was heard since. */
START_TEST(time_wait__of_the_connection_that_sent_last__answers_the_fin_again)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_write(conn, "hello", 5);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK | PSH, .length = 5));
    wire_tell(&w, SEG(.flags = ACK, .ack = 6));
    wisp_tcp_close(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK, .seq = 6));
    for (int i = 0; i < 3; i++) {
        wire_tell(&w, SEG(.flags = FIN | ACK, .seq = 1, .ack = 7));
        wire_expect(&w, GOT(.flags = ACK, .seq = 7, .ack = 2));
    }
    ck_assert_uint_eq(wisp_stack_count(w.stack, "tcp.rx.time_wait"), 2);
    wisp_tcp_release(conn);
}
END_TEST

/* covers: MUST-12 */
START_TEST(closed_connection__not_released__handle_stays_valid)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10));
    wire_tell(&w, SEG(.flags = RST));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_CLOSED);
    ck_assert_uint_eq(wisp_tcp_write(conn, "x", 1), 0);
    wisp_tcp_close(conn);
    wisp_tcp_abort(conn);
    wisp_tcp_shutdown(conn);
    wire_wait(&w, WISP_SEC(100));
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_CLOSED);
    wisp_tcp_release(conn);
    wire_step(&w);
    population(0, 0);
}
END_TEST

static void into_time_wait(bool timestamps)
{
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn =
        wire_accept(&w, SEG(.mss = 1460, .timestamps = timestamps, .tsval = 10000));
    w.peer_tsval = 10000;
    wisp_tcp_close(conn);
    wisp_tcp_release(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK, .seq = 1));
    wire_tell(&w, SEG(.flags = FIN | ACK, .ack = 2));
    wire_expect(&w, GOT(.flags = ACK, .ack = 2));
    population(0, 1);
}

/* covers: MAY-2, TC-38 */
START_TEST(time_wait__syn_with_higher_number__reopens_and_lower_does_not)
{
    into_time_wait(false);
    wire_tell(&w, SEG(.flags = SYN, .seq = 0xffff0000u)); /* lower */
    struct seg got;
    if (wire_next(&w, &got)) {
        ck_assert_uint_eq(got.flags & (SYN | RST), 0);
    }
    population(0, 1);
    w.peer_iss += 100000;
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_expect(&w, GOT(.flags = SYN | ACK, .ack = 1));
    wire_tell(&w, SEG(.flags = ACK));
    wire_events(&w, NULL, NULL);
    ck_assert_ptr_nonnull(wire_accepted(&w));
}
END_TEST

/* covers: SHLD-4 */
START_TEST(time_wait_with_timestamps__syn_with_newer_timestamp__reopens_whatever_its_number)
{
    into_time_wait(true);
    w.peer_iss -= 100000;
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460, .timestamps = true, .tsval = 10500));
    wire_expect(&w, GOT(.flags = SYN | ACK, .ack = 1));
}
END_TEST

/* covers: SHLD-4, TC-38 */
START_TEST(time_wait_with_timestamps__syn_with_older_timestamp__stays_whatever_its_number)
{
    into_time_wait(true);
    w.peer_iss += 100000;
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460, .timestamps = true, .tsval = 9000));
    struct seg got;
    while (wire_next(&w, &got)) {
        ck_assert_uint_eq(got.flags & (SYN | RST), 0);
    }
    population(0, 1);
}
END_TEST

/* covers: TC-38 */
START_TEST(time_wait__rst_and_old_data__stays)
{
    into_time_wait(false);
    wire_tell(&w, SEG(.flags = RST, .seq = 2));
    wire_silent(&w);
    population(0, 1);
    wire_tell(&w, SEG(.flags = ACK, .seq = 0, .length = 1, .ack = 2));
    struct seg got;
    while (wire_next(&w, &got)) {
        ck_assert_uint_eq(got.flags & RST, 0);
    }
    population(0, 1);
}
END_TEST

static void few_time_wait(struct wisp_tcp_config *config)
{
    config->time_wait = 8;
}

/* covers: RS-07 */
START_TEST(time_wait_table_full__more_arrive__oldest_goes)
{
    struct wire_options options = {.tune = few_time_wait};
    wire_close(&w);
    wire_open(&w, &options);
    wire_listen(&w, 80);
    for (uint32_t i = 0; i < 20; i++) {
        w.source = 41000 + i;
        w.peer_iss = 1000 * i;
        struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.mss = 1460));
        wisp_tcp_close(conn);
        wisp_tcp_release(conn);
        wire_step(&w);
        wire_expect(&w, GOT(.flags = FIN | ACK));
        wire_tell(&w, SEG(.flags = FIN | ACK, .ack = 2));
        wire_expect(&w, GOT(.flags = ACK));
    }
    population(0, 8);
}
END_TEST

/* covers: RS-06 */
START_TEST(fin_wait_2_released__peer_never_closes__ends_by_itself)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_close(conn);
    wisp_tcp_release(conn);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = FIN | ACK));
    wire_tell(&w, SEG(.flags = ACK, .ack = 2));
    population(1, 0);
    wire_wait(&w, WISP_SEC(300));
    population(0, 0);
}
END_TEST

/* covers: TC-09 */
START_TEST(flags_of_all_kinds__to_a_listener__no_half_open_left_but_by_syn)
{
    wire_listen(&w, 80);
    for (uint32_t flags = 0; flags < 256; flags++) {
        w.source = 42000 + flags;
        wire_tell(&w, SEG(.flags = flags));
        struct seg got;
        while (wire_next(&w, &got)) {
            ck_assert_uint_eq(flags & RST, 0);
        }
        uint32_t c, h, t;
        wisp_tcp_population(w.tcp, &c, &h, &t);
        bool plain_syn = (flags & SYN) && !(flags & (ACK | RST));
        ck_assert_msg(h == 0 || plain_syn, "flags %02x left something half open", flags);
        if (h) {
            wire_tell(&w, SEG(.flags = RST, .seq = 1));
            wire_tell(&w, SEG(.flags = RST, .seq = 2));
            wisp_tcp_population(w.tcp, &c, &h, &t);
            ck_assert_uint_eq(h, 0);
        }
    }
}
END_TEST

/* covers: TC-08 */
START_TEST(flags_of_all_kinds__to_every_state__no_crash_and_nothing_leaks)
{
    for (uint32_t flags = 0; flags < 256; flags++) {
        for (int stage = 0; stage < 7; stage++) {
            wire_close(&w);
            wire_open(&w, NULL);
            struct seg got;
            struct wisp_tcp_conn *conn;
            if (stage == 0) {
                conn = wire_connect(&w, 80);
                wire_expect(&w, GOT(.flags = SYN));
            } else {
                conn = wire_server(&w);
            }
            if (stage == 2 || stage == 4) {
                wire_tell(&w, SEG(.flags = FIN | ACK));
            }
            if (stage >= 3) {
                wisp_tcp_close(conn);
                wire_step(&w);
            }
            if (stage == 5) {
                wire_tell(&w, SEG(.flags = ACK, .ack = 2));
            }
            if (stage == 6) {
                wire_tell(&w, SEG(.flags = FIN | ACK, .ack = 1));
            }
            wire_tell(&w, SEG(.flags = flags, .length = 3));
            wire_tell(&w, SEG(.flags = flags, .seq = 50, .ack = 50));
            while (wire_next(&w, &got)) {
            }
            wisp_tcp_release(conn);
            wire_wait(&w, WISP_SEC(1));
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: close");
    TCase *tcase = tcase_create("close");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, peer_closes_first__we_follow__orderly_end);
    tcase_add_test(tcase, we_close_first__peer_follows__time_wait_for_two_msl);
    tcase_add_test(tcase, both_close_at_once__fins_cross__closing_then_time_wait);
    tcase_add_test(tcase, shutdown__peer_goes_on_sending__half_closed_connection_receives);
    tcase_add_test(tcase, close__with_unread_data__rst);
    tcase_add_test(tcase, close__data_arrives_after__rst);
    tcase_add_test(tcase, abort__peer_gets_rst__application_is_told_closed);
    tcase_add_test(tcase,
                   abort__of_the_connection_that_sent_last__what_comes_for_it_later_is_for_nobody);
    tcase_add_test(tcase, time_wait__of_the_connection_that_sent_last__answers_the_fin_again);
    tcase_add_test(tcase, closed_connection__not_released__handle_stays_valid);
    tcase_add_test(tcase, time_wait__syn_with_higher_number__reopens_and_lower_does_not);
    tcase_add_test(
        tcase, time_wait_with_timestamps__syn_with_newer_timestamp__reopens_whatever_its_number);
    tcase_add_test(tcase,
                   time_wait_with_timestamps__syn_with_older_timestamp__stays_whatever_its_number);
    tcase_add_test(tcase, time_wait__rst_and_old_data__stays);
    tcase_add_test(tcase, time_wait_table_full__more_arrive__oldest_goes);
    tcase_add_test(tcase, fin_wait_2_released__peer_never_closes__ends_by_itself);
    tcase_add_test(tcase, flags_of_all_kinds__to_a_listener__no_half_open_left_but_by_syn);
    tcase_add_test(tcase, flags_of_all_kinds__to_every_state__no_crash_and_nothing_leaks);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
