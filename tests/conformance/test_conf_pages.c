/* SPDX-License-Identifier: ISC */
/* Pages under TCP: lent to it, held by a device, given back, looked at where they were filled; what is copied
 * is counted under its own name. And the accept queue. */
#include "suite.h"
#include "wire.h"
#include <string.h>

static struct wire w;

static void setup(void)
{
    wire_open(&w, NULL);
    wire_can_hold(&w);
}

static void teardown(void)
{
    wire_close(&w);
}

/* Lends length bytes of a page of its own; the page. Only TCP and the device have references then. */
static struct wisp_page *lend(struct wisp_tcp_conn *conn, uint32_t length)
{
    struct wisp_page *page = wisp_page_alloc(w.pool, WISP_ROLE_APP, WISP_HOLDER_APP);
    memset(page->data, 'x', WISP_PAGE_SIZE);
    struct wisp_view view = {page, 0, length};
    ck_assert_uint_eq(wisp_tcp_send(conn, &view, 1), length);
    wisp_page_unref(page);
    wire_step(&w);
    return page;
}

START_TEST(lent_page__acknowledged_while_the_device_holds_it__released_when_both_let_go)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_RELEASED);
    w.device_holds = true;
    struct wisp_page *page = lend(conn, 1000);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 1000));
    wire_tell(&w, SEG(.flags = ACK, .ack = 1001));
    ck_assert_uint_eq(wire_events(&w, conn, NULL) & WISP_TCP_RELEASED, 0);
    ck_assert_uint_eq(wisp_tcp_released(conn), 0);
    ck_assert_uint_ge(page->refs, 1);
    w.device_holds = false;
    wire_step(&w);
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_RELEASED);
    ck_assert_uint_eq(wisp_tcp_released(conn), 1000);
    ck_assert_uint_eq(page->refs, 0);
}
END_TEST

START_TEST(lent_page__device_lets_go_before_the_acknowledgement__released_when_both_let_go)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_want(conn, WISP_TCP_READABLE | WISP_TCP_RELEASED);
    struct wisp_page *page = lend(conn, 1000);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 1000));
    wire_step(&w);
    ck_assert_uint_eq(wisp_tcp_released(conn), 0);
    ck_assert_uint_eq(page->refs, 1);
    ck_assert_uint_eq(page->holder, WISP_HOLDER_TCP_SEND);
    wire_tell(&w, SEG(.flags = ACK, .ack = 1001));
    ck_assert(wire_events(&w, conn, NULL) & WISP_TCP_RELEASED);
    ck_assert_uint_eq(wisp_tcp_released(conn), 1000);
    ck_assert_uint_eq(page->refs, 0);
}
END_TEST

START_TEST(one_page_lent_in_three_segments__released_part_by_part__freed_at_the_last)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    struct wisp_page *page = lend(conn, 4000);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_ge(page->refs, 1);
        wire_tell(&w, SEG(.flags = ACK, .ack = i < 2 ? 1 + 1460 * (i + 1) : 4001));
        ck_assert_uint_eq(wisp_tcp_released(conn), i < 2 ? 1460 * (i + 1) : 4000);
    }
    struct seg got;
    while (wire_next(&w, &got)) {
    }
    ck_assert_uint_eq(page->refs, 0);
}
END_TEST

START_TEST(segment_in_the_devices_hands__timer_expires__waited_for_and_then_sent_again)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    w.device_holds = true;
    lend(conn, 1000);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 1000));
    wire_wait(&w, WISP_SEC(2));
    wire_silent(&w);
    ck_assert_uint_ge(wire_count(&w, "tcp.waited_for_device"), 1);
    w.device_holds = false;
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK, .seq = 1, .length = 1000));
}
END_TEST

START_TEST(received_payload__looked_at__lies_on_the_page_the_device_filled)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wire_queue(&w, SEG(.flags = ACK | PSH, .length = 1460));
    struct wisp_link_end *end = &w.link.end[0];
    const struct wisp_pkt *pkt = end->arrived[(end->arrived_in - 1) % WISP_LINK_RING];
    const uint8_t *payload = wisp_view_bytes(&pkt->view[0]) + 54;
    wire_step(&w);
    struct wisp_view view;
    ck_assert_uint_eq(wisp_tcp_peek(conn, &view, 1), 1);
    ck_assert_ptr_eq(wisp_view_bytes(&view), payload);
    ck_assert_uint_eq(view.length, 1460);
    ck_assert_uint_eq(wisp_tcp_take(conn, &view, 1), 1);
    ck_assert_ptr_eq(wisp_view_bytes(&view), payload);
    struct wisp_tcp_info info;
    wisp_tcp_info(conn, &info);
    ck_assert_uint_eq(info.pages, 1); /* it counts until it is let go of */
    wisp_tcp_let_go(conn, &view);
    wisp_tcp_info(conn, &info);
    ck_assert_uint_eq(info.pages, 0);
}
END_TEST

static uint64_t copied(void)
{
    return wire_count(&w, "tcp.bytes_copied_write") + wire_count(&w, "tcp.bytes_copied_small") +
           wire_count(&w, "tcp.bytes_copied_collect") + wire_count(&w, "tcp.bytes_copied_read") +
           wire_count(&w, "tcp.bytes_copied_linear");
}

START_TEST(segments_of_1024_bytes_and_more__both_ways__nothing_is_copied)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    uint32_t seq = 1;
    uint32_t ack = 1;
    for (uint32_t length = 1024; length <= 1460; length += 109) {
        lend(conn, length);
        wire_expect(&w, GOT(.flags = ACK, .seq = ack, .length = length));
        ack += length;
        for (int i = 0; i < 4; i++, seq += length) {
            wire_tell(&w, SEG(.flags = ACK, .seq = seq, .ack = ack, .length = length));
        }
        wisp_tcp_consume(conn, 4 * length);
        struct seg got;
        while (wire_next(&w, &got)) {
        }
    }
    ck_assert_uint_eq(copied(), 0);
}
END_TEST

START_TEST(small_segments_and_convenience_calls__copy__each_counted_under_its_name)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    lend(conn, 100);
    ck_assert_uint_eq(wire_count(&w, "tcp.bytes_copied_small"), 100);
    wire_tell(&w, SEG(.flags = ACK, .ack = 101));
    ck_assert_uint_eq(wisp_tcp_write(conn, "0123456789", 10), 10);
    ck_assert_uint_eq(wire_count(&w, "tcp.bytes_copied_write"), 10);
    wire_step(&w);
    wire_tell(&w, SEG(.flags = ACK, .seq = 1, .ack = 111, .length = 50));
    /* alone it stays where it is */
    ck_assert_uint_eq(wire_count(&w, "tcp.bytes_copied_collect"), 0);
    wire_tell(&w, SEG(.flags = ACK, .seq = 51, .ack = 111, .length = 60));
    ck_assert_uint_eq(wire_count(&w, "tcp.bytes_copied_collect"), 60);
    uint8_t bytes[110];
    ck_assert_uint_eq(wisp_tcp_read(conn, bytes, sizeof(bytes)), sizeof(bytes));
    ck_assert_uint_eq(wire_count(&w, "tcp.bytes_copied_read"), 110);
}
END_TEST

START_TEST(write_longer_than_a_segment__rest_leaves_at_once__no_delayed_ack_is_waited_for)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    static const uint8_t data[1560];
    /* request after request, nothing acknowledged but by the answer */
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(wisp_tcp_write(conn, data, sizeof(data)), sizeof(data));
        wire_step(&w);
        wire_expect(&w, GOT(.flags = ACK, .length = 1460));
        wire_expect(&w, GOT(.flags = ACK, .length = 100));
        wire_tell(&w, SEG(.flags = ACK | PSH, .length = 10));
    }
    /* two writes of one step are one segment */
    ck_assert_uint_eq(wisp_tcp_write(conn, data, 20), 20);
    ck_assert_uint_eq(wisp_tcp_write(conn, data, 30), 30);
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK, .length = 50));
}
END_TEST

/* The payload of the last frame, header lengths from the frame itself. */
static const uint8_t *payload(void)
{
    return w.last_frame + 34 + 4 * (w.last_frame[46] >> 4);
}

/* Ten bytes written and then length lent, in one step. */
static void write_and_lend(struct wisp_tcp_conn *conn, uint32_t length)
{
    struct wisp_pool_stats before, after;
    wisp_pool_stats(w.pool, &before);
    ck_assert_uint_eq(wisp_tcp_write(conn, "0123456789", 10), 10);
    wisp_pool_stats(w.pool, &after);
    ck_assert_uint_eq(after.in_use, before.in_use); /* a few bytes take no page */
    lend(conn, length);
}

START_TEST(few_bytes_written_then_a_page_lent__one_segment__in_order_and_again_from_the_middle)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    struct seg got;
    write_and_lend(conn, 1000);
    wire_expect(&w, GOT(.flags = ACK | PSH, .seq = 1, .length = 1010));
    ck_assert(memcmp(payload(), "0123456789xx", 12) == 0);
    ck_assert_uint_eq(wire_count(&w, "tcp.bytes_copied_small"), 10);
    wire_tell(&w, SEG(.flags = ACK, .ack = 6)); /* in the middle of the ten */
    /* something else is queued: onto a page */
    ck_assert_uint_eq(wisp_tcp_write(conn, "abc", 3), 3);
    wire_wait_segment(&w, WISP_SEC(2), &got);
    while (got.seq != 6) { /* the three new bytes went first */
        ck_assert_uint_eq(got.length, 3);
        wire_wait_segment(&w, WISP_SEC(2), &got);
    }
    ck_assert_uint_ge(got.length, 1005);
    ck_assert(memcmp(payload(), "56789xx", 7) == 0 && payload()[1004] == 'x');
    wire_tell(&w, SEG(.flags = ACK, .ack = 1014));
    ck_assert_uint_eq(wisp_tcp_released(conn), 1013);
}
END_TEST

START_TEST(few_bytes_written_again_and_again__each_answered__the_same_place_serves)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    for (uint32_t i = 0; i < 40; i++) {
        char text[3] = {(char)('a' + i % 26), '!', '?'};
        ck_assert_uint_eq(wisp_tcp_write(conn, text, 2), 2);
        ck_assert_uint_eq(wisp_tcp_write(conn, text + 2, 1), 1); /* behind the first two */
        wire_step(&w);
        wire_expect(&w, GOT(.flags = ACK | PSH, .seq = 1 + 3 * i, .length = 3));
        ck_assert(memcmp(payload(), text, 3) == 0);
        wire_tell(&w, SEG(.flags = ACK, .ack = 4 + 3 * i));
    }
    uint8_t most[65];
    memset(most, 'm', sizeof(most));
    ck_assert_uint_eq(wisp_tcp_write(conn, most, 64), 64);
    ck_assert_uint_eq(wisp_tcp_write(conn, most + 64, 1), 1); /* does not fit there any more */
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK | PSH, .length = 65));
    ck_assert(memcmp(payload(), most, sizeof(most)) == 0);
}
END_TEST

START_TEST(few_bytes_written_then_pages_lent__device_segments__one_packet_whose_cell_holds_the_few)
{
    struct wire_options options = {.csum = true, .gso = 65535};
    wire_close(&w);
    wire_open(&w, &options);
    struct wisp_tcp_conn *conn = wire_server(&w);
    write_and_lend(conn, 4000);
    wire_expect(&w, GOT(.flags = ACK | PSH, .seq = 1, .length = 4010));
    ck_assert(memcmp(payload(), "0123456789xx", 12) == 0 && payload()[4009] == 'x');
}
END_TEST

START_TEST(application_wrote__flush__it_leaves_and_the_deadline_is_its_timer)
{
    struct wisp_tcp_conn *conn = wire_server(&w);
    wisp_tcp_write(conn, "0123456789", 10);
    wisp_time deadline_now = wisp_stack_flush(w.stack, w.now);
    wire_expect(&w, GOT(.flags = ACK | PSH, .seq = 1, .length = 10));
    ck_assert(deadline_now <= w.now + WISP_SEC(1));
    wire_step(&w); /* the device's completion */
    ck_assert(wisp_stack_flush(w.stack, w.now) > w.now);
    wire_silent(&w);
}
END_TEST

static void quick_timer(struct wisp_tcp_config *config)
{
    config->rto_min = WISP_MS(5);
}

START_TEST(floor_of_the_timer__set_to_5_ms__obeyed)
{
    struct wire_options options = {.tune = quick_timer};
    wire_close(&w);
    wire_open(&w, &options);
    struct wisp_tcp_conn *conn = wire_server(&w);
    static const uint8_t data[100];
    for (uint32_t i = 0; i < 20; i++) { /* samples of 1 ms */
        ck_assert_uint_eq(wisp_tcp_write(conn, data, sizeof(data)), sizeof(data));
        wire_step(&w);
        wire_expect(&w, GOT(.flags = ACK, .length = 100));
        wire_wait(&w, WISP_MS(1));
        wire_tell(&w, SEG(.flags = ACK, .ack = 1 + 100 * (i + 1)));
    }
    wisp_tcp_write(conn, data, sizeof(data));
    wire_step(&w);
    wire_expect(&w, GOT(.flags = ACK, .length = 100));
    struct seg got;
    wisp_time took = wire_wait_segment(&w, WISP_SEC(1), &got);
    ck_assert_uint_eq(got.seq, 2001);
    ck_assert(took >= WISP_MS(4) && took <= WISP_MS(7));
}
END_TEST

/* A handshake of a client of its own, not taken from the queue. */
static void wire_accept_only(uint32_t client)
{
    w.source = 41000 + client;
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_expect(&w, GOT(.flags = SYN | ACK, .ack = 1));
    wire_tell(&w, SEG(.flags = ACK));
}

START_TEST(accept_queue_full__third_client__gets_in_once_there_is_room)
{
    ck_assert_int_eq(wisp_tcp_listen(w.tcp, NULL, 80, 2, &w.listener), WISP_OK);
    w.port = 80;
    for (uint32_t i = 0; i < 2; i++) {
        wire_accept_only(i);
    }
    w.source = 41002;
    wire_tell(&w, SEG(.flags = SYN, .mss = 1460));
    wire_silent(&w); /* it will ask again, as Linux has it too */
    ck_assert_uint_eq(wire_count(&w, "tcp.rx.backlog_full"), 1);
    struct wisp_tcp_event event;
    uint32_t taken = 0;
    while (wisp_tcp_next_event(w.tcp, &event)) {
        taken += (event.what & WISP_TCP_ACCEPTED) != 0;
    }
    ck_assert_uint_eq(taken, 2);
    wire_accept_only(2);
    while (wisp_tcp_next_event(w.tcp, &event)) {
        taken += (event.what & WISP_TCP_ACCEPTED) != 0;
    }
    ck_assert_uint_eq(taken, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance: pages");
    TCase *tcase = tcase_create("pages");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   lent_page__acknowledged_while_the_device_holds_it__released_when_both_let_go);
    tcase_add_test(tcase,
                   lent_page__device_lets_go_before_the_acknowledgement__released_when_both_let_go);
    tcase_add_test(tcase,
                   one_page_lent_in_three_segments__released_part_by_part__freed_at_the_last);
    tcase_add_test(tcase,
                   segment_in_the_devices_hands__timer_expires__waited_for_and_then_sent_again);
    tcase_add_test(tcase, received_payload__looked_at__lies_on_the_page_the_device_filled);
    tcase_add_test(tcase, segments_of_1024_bytes_and_more__both_ways__nothing_is_copied);
    tcase_add_test(tcase, small_segments_and_convenience_calls__copy__each_counted_under_its_name);
    tcase_add_test(tcase,
                   write_longer_than_a_segment__rest_leaves_at_once__no_delayed_ack_is_waited_for);
    tcase_add_test(
        tcase, few_bytes_written_then_a_page_lent__one_segment__in_order_and_again_from_the_middle);
    tcase_add_test(tcase, few_bytes_written_again_and_again__each_answered__the_same_place_serves);
    tcase_add_test(
        tcase,
        few_bytes_written_then_pages_lent__device_segments__one_packet_whose_cell_holds_the_few);
    tcase_add_test(tcase, application_wrote__flush__it_leaves_and_the_deadline_is_its_timer);
    tcase_add_test(tcase, floor_of_the_timer__set_to_5_ms__obeyed);
    tcase_add_test(tcase, accept_queue_full__third_client__gets_in_once_there_is_room);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
