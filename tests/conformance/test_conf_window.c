/* SPDX-License-Identifier: ISC */
/* RFC 9293 §3.8.5, §3.8.6: urgent data longer than a window, peers that shrink theirs, and our own window when
 * pages run out. */
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

static struct wisp_tcp_conn *tuned_server(void (*tune)(struct wisp_tcp_config *config))
{
    struct wire_options options = {.tune = tune};
    wire_close(&w);
    wire_open(&w, &options);
    return wire_server(&w);
}

/* Looks at all that was sent, and that no acknowledgement takes offered window back. */
static uint32_t right_edge(uint32_t edge)
{
    struct seg got;
    while (wire_next(&w, &got)) {
        uint32_t right = got.ack + got.window;
        ck_assert_msg(right >= edge, "the right edge went from %u to %u", edge, right);
        edge = right;
    }
    return edge;
}

static void no_scaling(struct wisp_tcp_config *config)
{
    config->receive_window = 5000;
}

/* covers: E5 */
START_TEST(small_window__segment_reaches_beyond_it__the_part_inside_is_taken)
{
    struct wisp_tcp_conn *conn = tuned_server(no_scaling);
    uint32_t window = wire_info(conn).rcv_wnd;
    ck_assert_uint_eq(window, 5000);
    for (uint32_t at = 1; at + 1460 < window; at += 1460) {
        wire_tell(&w, SEG(.flags = ACK, .seq = at, .length = 1460));
    }
    wire_tell(&w, SEG(.flags = ACK | FIN, .seq = 1 + 3 * 1460, .length = 1460));
    ck_assert_uint_eq(wisp_tcp_readable(conn), window);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED); /* its FIN lay outside */
    static uint8_t bytes[5000];
    wisp_tcp_read(conn, bytes, window);
    for (uint32_t i = 0; i < window; i++) {
        ck_assert_uint_eq(bytes[i], wire_pattern(i + 1));
    }
}
END_TEST

/* covers: MUST-66 */
START_TEST(window_zero__urgent_pointer_arrives__application_is_told)
{
    struct wisp_tcp_conn *conn = tuned_server(no_scaling);
    for (uint32_t at = 1; at < 5001; at += 1000) {
        wire_tell(&w, SEG(.flags = ACK, .seq = at, .length = 1000));
    }
    ck_assert_uint_eq(wire_info(conn).rcv_wnd, 0);
    wire_events(&w, conn, NULL);
    wire_tell(&w, SEG(.flags = ACK | URG, .seq = 5001, .urgent = 7));
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_URGENT);
    ck_assert_uint_eq(wisp_tcp_urgent(conn), 5007);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 5000);
}
END_TEST

static const uint32_t pointers[] = {0, 1, 9, 10, 11, 1000, 65535};

/* covers: MUST-31, MUST-33, TC-20 */
START_TEST(urgent_pointer__on_fresh_data__what_remains_is_what_it_says)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_tell(&w, SEG(.flags = ACK | URG, .length = 10, .urgent = pointers[_i]));
    ck_assert_uint_eq(wisp_tcp_urgent(conn), pointers[_i]);
    wisp_tcp_consume(conn, 10);
    ck_assert_uint_eq(wisp_tcp_urgent(conn), pointers[_i] > 10 ? pointers[_i] - 10 : 0);
}
END_TEST

/* covers: MUST-31, MUST-33 */
START_TEST(urgent_data__longer_than_the_window__counted_down_to_its_end)
{
    struct wisp_tcp_conn *conn = tuned_server(no_scaling);
    const uint32_t end = 40000;
    for (uint32_t at = 0; at < 42000; at += 1000) {
        wire_tell(&w, SEG(.flags = at < end ? ACK | URG : ACK, .length = 1000,
                          .urgent = at < end ? end - at : 0));
        ck_assert_uint_eq(wisp_tcp_urgent(conn), at < end ? end - at : 0);
        wisp_tcp_consume(conn, 1000);
        wire_wait(&w, WISP_MS(50)); /* the window opens */
        right_edge(0);
    }
}
END_TEST

/* covers: SHLD-17, SHLD-15, MUST-34, MUST-35 */
START_TEST(data_in_flight__peer_takes_its_window_back_for_half_an_hour__probed_and_never_given_up)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 8000);
    right_edge(0);
    ck_assert_uint_eq(wire_info(conn).in_flight, 8000);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = 0));
    wisp_time start = w.now;
    uint32_t probes = 0;
    while (w.now - start < WISP_SEC(1800)) {
        struct seg got;
        wire_wait_segment(&w, WISP_SEC(130), &got);
        ck_assert_uint_le(got.seq + got.length, 8001);
        probes++;
        right_edge(0);
        wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = 0));
    }
    ck_assert_uint_ge(probes, 10);
    ck_assert_int_eq(wire_info(conn).state, WISP_TCP_STATE_ESTABLISHED);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1461, .window = 60000));
    struct seg got;
    wire_wait_segment(&w, WISP_SEC(130), &got);
    ck_assert_uint_eq(got.seq, 1461);
}
END_TEST

/* covers: SHLD-29 */
START_TEST(window_zero__first_probe__comes_one_retransmission_timeout_later)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_write(&w, conn, 1000);
    right_edge(0);
    wire_wait(&w, WISP_MS(300));
    wire_tell(&w, SEG(.flags = ACK, .ack = 1001, .window = 0));
    wire_write(&w, conn, 1000);
    wire_silent(&w);
    wisp_time rto = wire_info(conn).rto;
    struct seg got;
    wisp_time took = wire_wait_segment(&w, WISP_SEC(10), &got);
    ck_assert_msg(took > rto * 9 / 10 && took < rto * 11 / 10, "%llu ms, with a timeout of %llu ms",
                  (unsigned long long)(took / 1000000), (unsigned long long)(rto / 1000000));
}
END_TEST

static void eight_pages(struct wisp_tcp_config *config)
{
    config->receive_pages = 8;
}

/* covers: SHLD-14, RS-10 */
START_TEST(pages_used_up_by_data_out_of_order__data_in_order_comes__the_former_goes_first)
{
    struct wisp_tcp_conn *conn = tuned_server(eight_pages);
    uint32_t edge = right_edge(0);
    uint32_t window = wire_info(conn).rcv_wnd;
    ck_assert_uint_le(window, 8 * 1460); /* also in the SYN: no more than there are pages for */
    for (uint32_t i = 0; i < 20; i++) {
        wire_tell(&w, SEG(.flags = ACK, .seq = 1601 + 200 * i, .length = 100));
        edge = right_edge(edge);
    }
    ck_assert_uint_eq(wire_info(conn).pages, 8);
    ck_assert_uint_ge(wire_count(&w, "tcp.rx.no_memory"), 1);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .length = 1460));
    edge = right_edge(edge);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 1460);
    ck_assert_uint_eq(wire_count(&w, "tcp.rx.pruned"), 1);
    ck_assert_uint_eq(wire_info(conn).pages, 1);
    ck_assert_uint_ge(edge, 1 + window);
}
END_TEST

/* covers: SHLD-14, RS-10 */
START_TEST(pages_used_up_within_the_window__more_data_comes__dropped_counted_and_taken_later)
{
    struct wisp_tcp_conn *conn = tuned_server(eight_pages);
    uint32_t edge = right_edge(0);
    uint32_t seq = 1;
    /* more than what is collected, less than the window reckons with */
    for (int i = 0; i < 8; i++, seq += 1100) {
        wire_tell(&w, SEG(.flags = ACK, .seq = seq, .length = 1100));
        edge = right_edge(edge);
    }
    ck_assert_uint_eq(wisp_tcp_readable(conn), 8800);
    uint64_t before = wire_count(&w, "tcp.rx.no_memory");
    wire_tell(&w, SEG(.flags = ACK, .seq = seq, .length = 1100));
    edge = right_edge(edge);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 8800); /* not kept, so not acknowledged */
    ck_assert_uint_eq(wire_count(&w, "tcp.rx.no_memory"), before + 1);
    ck_assert_uint_ge(edge, seq + 1100);
    wisp_tcp_consume(conn, 8800);
    /* its sender's timer brings it again */
    wire_tell(&w, SEG(.flags = ACK, .seq = seq, .length = 1100));
    edge = right_edge(edge);
    ck_assert_uint_eq(wisp_tcp_readable(conn), 1100);
}
END_TEST

/* covers: SHLD-14 */
START_TEST(syn_received__segment_far_off__answer_offers_no_more_than_the_syn_did)
{
    wire_listen(&w, 80);
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460, .scale = 8));
    struct seg synack = wire_expect(&w, GOT(.flags = SYN | ACK, .ack = 1));
    ck_assert_uint_gt(synack.scale, 1);
    wire_tell(&w, SEG(.flags = ACK, .seq = 0x40000000u, .length = 1));
    struct seg got = wire_expect(&w, GOT(.flags = ACK, .ack = 1, .length = 0));
    ck_assert_uint_le(got.window << (synack.scale - 1), synack.window);
    ck_assert_uint_gt(got.window, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: window");
    TCase *tcase = tcase_create("window");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, small_window__segment_reaches_beyond_it__the_part_inside_is_taken);
    tcase_add_test(tcase, window_zero__urgent_pointer_arrives__application_is_told);
    tcase_add_loop_test(tcase, urgent_pointer__on_fresh_data__what_remains_is_what_it_says, 0,
                        sizeof(pointers) / sizeof(pointers[0]));
    tcase_add_test(tcase, urgent_data__longer_than_the_window__counted_down_to_its_end);
    tcase_add_test(
        tcase,
        data_in_flight__peer_takes_its_window_back_for_half_an_hour__probed_and_never_given_up);
    tcase_add_test(tcase, window_zero__first_probe__comes_one_retransmission_timeout_later);
    tcase_add_test(tcase,
                   pages_used_up_by_data_out_of_order__data_in_order_comes__the_former_goes_first);
    tcase_add_test(
        tcase, pages_used_up_within_the_window__more_data_comes__dropped_counted_and_taken_later);
    tcase_add_test(tcase, syn_received__segment_far_off__answer_offers_no_more_than_the_syn_did);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
