/* SPDX-License-Identifier: ISC */
/* What counts as a duplicate acknowledgement (RFC 5681 §2, RFC 6675 §2, RFC 2883), and that three are answered. */
#include "suite.h"
#include "tcp_priv.h"
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

/* covers: MUST-19 */
START_TEST(three_duplicate_acks__fast_retransmit__without_waiting_for_the_timer)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1));
    wire_tell(&w, SEG(.flags = ACK, .ack = 1));
    struct seg got;
    while (wire_next(&w, &got)) {
        ck_assert_uint_ne(got.seq, 1);
    }
    wire_tell(&w, SEG(.flags = ACK, .ack = 1));
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 1460));
    ck_assert_uint_lt(wire_info(conn).ssthresh, 14600);
}
END_TEST

/* The peer's window grows with each segment that comes out of order, as Linux's does. */
START_TEST(duplicate_acks_that_open_the_window__with_news_of_blocks__fast_retransmit)
{
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.mss = 1460, .sack_permitted = true));
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    for (uint32_t i = 1; i <= 3; i++) {
        ck_assert_uint_eq(wisp_stack_count(w.stack, "tcp.fast_retransmits"), 0);
        wire_tell(&w, SEG(.flags = ACK, .ack = 1, .window = 30000 + 2000 * i,
                          .sack = {{1461, 1461 + 1460 * i}}));
    }
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 1460));
    ck_assert_uint_eq(wisp_stack_count(w.stack, "tcp.fast_retransmits"), 1);
}
END_TEST

static void no_fast_retransmit(const uint32_t (*blocks)[2], uint32_t count, uint32_t window)
{
    for (uint32_t i = 0; i < count; i++) {
        wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = window ? window : 30000 + 1000 * i,
                          .sack = {{blocks[i][0], blocks[i][1]}}));
    }
    wire_drain(&w);
    ck_assert_uint_eq(wisp_stack_count(w.stack, "tcp.fast_retransmits"), 0);
}

/* The peer's application reads, so that the window opens. What is no news: the block of the acknowledgement before, one
 * below SND.UNA (RFC 2883), an empty one, one beyond what was sent. */
START_TEST(window_updates__with_no_news_of_blocks__no_fast_retransmit)
{
    static const uint32_t same[][2] = {{2921, 4381}, {2921, 4381}, {2921, 4381}, {2921, 4381}};
    static const uint32_t old[][2] = {{1, 11}, {21, 31}, {41, 51}, {1, 1461}, {1461, 1471}};
    static const uint32_t empty[][2] = {{2921, 2921}, {4381, 2921}, {4381, 4381}, {5841, 5841}};
    static const uint32_t beyond[][2] = {
        {4381, 14602}, {2921, 20000}, {5841, 14603}, {5841, 99999}};
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.mss = 1460, .sack_permitted = true));
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = 20000, .sack = {{2921, 4381}}));
    wire_drain(&w);
    no_fast_retransmit(same, 4, 0);
    no_fast_retransmit(old, 5, 0);
    no_fast_retransmit(empty, 4, 0);
    no_fast_retransmit(beyond, 4, 0);
}
END_TEST

/* The network doubled segments: nothing is missing. */
START_TEST(blocks_below_what_is_acknowledged__window_as_it_was__no_fast_retransmit)
{
    static const uint32_t old[][2] = {{1, 11}, {21, 31}, {41, 51}, {1, 1461}};
    wire_listen(&w, 80);
    struct wisp_tcp_conn *conn = wire_accept(&w, SEG(.mss = 1460, .sack_permitted = true));
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = 30000));
    wire_drain(&w);
    no_fast_retransmit(old, 4, 30000);
}
END_TEST

/* Blocks that were not agreed upon say nothing. */
START_TEST(blocks_without_sack_permitted__window_moves__no_fast_retransmit)
{
    static const uint32_t blocks[][2] = {{2921, 4381}, {2921, 5841}, {2921, 7301}, {2921, 8761}};
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = 20000));
    wire_drain(&w);
    no_fast_retransmit(blocks, 4, 0);
}
END_TEST

START_TEST(two_gigabytes_without_a_loss__duplicates__still_fast_retransmit)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    /* Where the last recovery ended lies as far back as after 2 GiB less two segments. */
    conn->part->recover = seq_sub(conn->snd_una, 0x80000000u - 2920);
    for (uint32_t acked = 1 + 1460; acked < 1 + 14600; acked += 1460) {
        wire_tell(&w, SEG(.flags = ACK, .ack = acked));
    }
    wire_write(&w, conn, 14600);
    wire_drain(&w);
    for (int i = 0; i < 3; i++) {
        wire_tell(&w, SEG(.flags = ACK, .ack = 1 + 9 * 1460));
    }
    wire_expect(&w, GOT(.flags = ACK, .seq = 1 + 9 * 1460, .length = 1460));
    ck_assert_uint_eq(wisp_stack_count(w.stack, "tcp.fast_retransmits"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: duplicates");
    TCase *tcase = tcase_create("duplicates");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, three_duplicate_acks__fast_retransmit__without_waiting_for_the_timer);
    tcase_add_test(tcase, window_updates__with_no_news_of_blocks__no_fast_retransmit);
    tcase_add_test(tcase, blocks_below_what_is_acknowledged__window_as_it_was__no_fast_retransmit);
    tcase_add_test(tcase, blocks_without_sack_permitted__window_moves__no_fast_retransmit);
    tcase_add_test(tcase, two_gigabytes_without_a_loss__duplicates__still_fast_retransmit);
    tcase_add_test(tcase,
                   duplicate_acks_that_open_the_window__with_news_of_blocks__fast_retransmit);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
