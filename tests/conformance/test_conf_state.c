/* SPDX-License-Identifier: ISC */
/* RFC 9293 §3.10.7, all flags in all states of a connection, against a table; and states that a vanished peer would
 * leave for ever. */
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

static enum wisp_tcp_state state_of(const struct wisp_tcp_conn *conn)
{
    struct wisp_tcp_info info;
    uint32_t connections, half_open, time_wait;
    wisp_tcp_info(conn, &info);
    wisp_tcp_population(w.tcp, &connections, &half_open, &time_wait);
    return time_wait ? WISP_TCP_STATE_TIME_WAIT : info.state;
}

static const char *name_of(enum wisp_tcp_state state)
{
    static const char *const names[] = {
        "CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
        "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT",
    };
    return names[state];
}

/* Ours in FIN-WAIT-1 and its like is sent and not acknowledged. */
static struct wisp_tcp_conn *bring_to(enum wisp_tcp_state state)
{
    struct wisp_tcp_conn *conn;
    if (state == WISP_TCP_STATE_SYN_SENT) {
        conn = wire_connect(&w, 80);
        wire_expect(&w, GOT(.flags = SYN));
        return conn;
    }
    wire_listen(&w, 80);
    conn = wire_accept(&w, SEG(.mss = 1460));
    if (state == WISP_TCP_STATE_CLOSE_WAIT || state == WISP_TCP_STATE_LAST_ACK) {
        wire_tell(&w, SEG(.flags = FIN | ACK));
    }
    if (state != WISP_TCP_STATE_ESTABLISHED && state != WISP_TCP_STATE_CLOSE_WAIT) {
        wisp_tcp_shutdown(conn);
        wire_step(&w);
    }
    wire_drain(&w);
    if (state == WISP_TCP_STATE_FIN_WAIT_2) {
        wire_tell(&w, SEG(.flags = ACK, .ack = 2));
    }
    if (state == WISP_TCP_STATE_CLOSING) {
        wire_tell(&w, SEG(.flags = FIN | ACK, .ack = 1));
    }
    wire_drain(&w);
    ck_assert_msg(state_of(conn) == state, "%s instead of %s", name_of(state_of(conn)),
                  name_of(state));
    return conn;
}

/* Where an empty segment leads that starts at RCV.NXT and, if it acknowledges, acknowledges all. */
static enum wisp_tcp_state after(enum wisp_tcp_state state, uint32_t flags)
{
    if (state == WISP_TCP_STATE_SYN_SENT) {
        bool acknowledged = flags & ACK;
        return flags & RST ? (acknowledged ? WISP_TCP_STATE_CLOSED : state)
               : flags & SYN
                   ? (acknowledged ? WISP_TCP_STATE_ESTABLISHED : WISP_TCP_STATE_SYN_RECEIVED)
                   : state;
    }
    if (flags & RST) {
        return WISP_TCP_STATE_CLOSED;
    }
    if (flags & SYN || !(flags & ACK)) {
        return state;
    }
    switch (state) {
    case WISP_TCP_STATE_ESTABLISHED:
        return flags & FIN ? WISP_TCP_STATE_CLOSE_WAIT : state;
    case WISP_TCP_STATE_FIN_WAIT_1:
    case WISP_TCP_STATE_FIN_WAIT_2:
        return flags & FIN ? WISP_TCP_STATE_TIME_WAIT : WISP_TCP_STATE_FIN_WAIT_2;
    case WISP_TCP_STATE_CLOSING:
        return WISP_TCP_STATE_TIME_WAIT;
    case WISP_TCP_STATE_LAST_ACK:
        return WISP_TCP_STATE_CLOSED;
    default:
        return state;
    }
}

static const enum wisp_tcp_state states[] = {
    WISP_TCP_STATE_SYN_SENT,   WISP_TCP_STATE_ESTABLISHED, WISP_TCP_STATE_FIN_WAIT_1,
    WISP_TCP_STATE_FIN_WAIT_2, WISP_TCP_STATE_CLOSE_WAIT,  WISP_TCP_STATE_CLOSING,
    WISP_TCP_STATE_LAST_ACK,
};

/* covers: TC-08, E3, E6, E7, E8, E10 */
START_TEST(every_state__every_combination_of_flags__leads_where_the_table_says)
{
    enum wisp_tcp_state state = states[_i];
    for (uint32_t flags = 0; flags < 256; flags++) {
        wire_close(&w);
        wire_open(&w, NULL);
        struct wisp_tcp_conn *conn = bring_to(state);
        uint32_t seq = state == WISP_TCP_STATE_SYN_SENT ? 0 : w.peer_next - w.peer_iss;
        wire_tell(&w, SEG(.flags = flags, .seq = seq));
        struct seg got;
        uint32_t answers = 0;
        while (wire_next(&w, &got)) {
            answers++;
            ck_assert_msg(!(flags & RST), "%s, flags %02x: a reset was answered", name_of(state),
                          flags);
        }
        enum wisp_tcp_state want = after(state, flags);
        enum wisp_tcp_state is = state_of(conn);
        /* A FIN on the SYN may be taken at once, or when it comes again. */
        bool early = want == WISP_TCP_STATE_ESTABLISHED && state == WISP_TCP_STATE_SYN_SENT &&
                     flags & FIN && is == WISP_TCP_STATE_CLOSE_WAIT;
        ck_assert_msg(is == want || early, "%s, flags %02x: leads to %s, should to %s",
                      name_of(state), flags, name_of(is), name_of(want));
        ck_assert_uint_le(answers, 1);
    }
}
END_TEST

static const enum wisp_tcp_state waiting[] = {
    WISP_TCP_STATE_SYN_SENT, WISP_TCP_STATE_FIN_WAIT_1, WISP_TCP_STATE_FIN_WAIT_2,
    WISP_TCP_STATE_CLOSING,  WISP_TCP_STATE_LAST_ACK,
};

/* covers: RS-06 */
START_TEST(released_connection__peer_vanishes__is_gone_within_ten_minutes)
{
    struct wisp_tcp_conn *conn = bring_to(waiting[_i]);
    uint32_t connections, half_open, time_wait;
    wisp_tcp_release(conn);
    wire_wait(&w, WISP_SEC(600));
    wire_drain(&w);
    wisp_tcp_population(w.tcp, &connections, &half_open, &time_wait);
    ck_assert_msg(connections == 0 && time_wait == 0, "still there, from %s", name_of(waiting[_i]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: state");
    TCase *tcase = tcase_create("state");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, every_state__every_combination_of_flags__leads_where_the_table_says,
                        0, sizeof(states) / sizeof(states[0]));
    tcase_add_loop_test(tcase, released_connection__peer_vanishes__is_gone_within_ten_minutes, 0,
                        sizeof(waiting) / sizeof(waiting[0]));
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
