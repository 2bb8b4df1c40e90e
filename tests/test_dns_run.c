/* SPDX-License-Identifier: ISC */
/* The resolver at work on a stack; the other stack's port 53 is the server, which the test plays. */
#include "famine.h"
#include "net.h"
#include "siphash.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>
#include <wisp/dns_run.h>

static struct net net;
static struct wisp_udp *udp[2];
static struct wisp_tcp *tcp[2];
static struct wisp_udp_socket *server;
static struct wisp_tcp_listener *listener;
static struct wisp_dns_run *run;
static struct wisp_dns *dns;
static struct wisp_dns_lookup *lookup;
static uint8_t question[WISP_DNS_QUESTION_MAX];
static uint32_t question_length;
static uint16_t question_port;

static void attach(int end)
{
    struct wisp_udp_config udp_config;
    struct wisp_tcp_config tcp_config;
    wisp_udp_config_default(&udp_config);
    udp_config.hash = test_siphash;
    udp_config.seed[0] = (uint8_t)(end + 1);
    udp[end] = wisp_udp_init(net_memory(&net, wisp_udp_size(&udp_config)),
                             wisp_udp_size(&udp_config), &udp_config);
    wisp_stack_attach(net.stack[end], wisp_udp_transport(udp[end]), net.now);
    wisp_tcp_config_default(&tcp_config);
    tcp_config.connections = 4;
    tcp_config.hash = test_siphash;
    tcp_config.cc = &wisp_tcp_cc_newreno;
    tcp_config.seed[0] = (uint8_t)(end + 1);
    tcp[end] = wisp_tcp_init(net_memory(&net, wisp_tcp_size(&tcp_config)),
                             wisp_tcp_size(&tcp_config), &tcp_config);
    wisp_stack_attach(net.stack[end], wisp_tcp_transport(tcp[end]), net.now);
}

static void open_run(bool with_tcp)
{
    struct net_options options;
    struct wisp_dns_run_config config = {0};
    net_options_default(&options);
    options.pages = 128;
    net_open(&net, &options);
    attach(0);
    attach(1);
    wisp_dns_config_default(&config.dns);
    config.dns.hash = test_siphash;
    config.dns.rounds = 1;
    config.udp = udp[0];
    config.tcp = with_tcp ? tcp[0] : NULL;
    config.by_tcp = with_tcp ? &wisp_dns_by_tcp : NULL;
    size_t size = wisp_dns_run_size(&config);
    void *mem = net_memory(&net, size);
    ck_assert_ptr_null(wisp_dns_run_init(mem, size - 1, &config));
    run = wisp_dns_run_init(mem, size, &config);
    dns = wisp_dns_run_machine(run);
    wisp_dns_set_servers(dns, &net.addr[1], 1);
    ck_assert_int_eq(wisp_udp_open(udp[1], &net.addr[1], 53, false, &server), WISP_OK);
    ck_assert_int_eq(wisp_tcp_listen(tcp[1], NULL, 53, 4, &listener), WISP_OK);
}

static void setup(void)
{
    open_run(true);
}

static void end(void)
{
    wisp_dns_run_fini(run);
    net_run(&net, WISP_MS(10));
    for (int i = 0; i < 2; i++) {
        wisp_tcp_fini(tcp[i]);
        wisp_udp_fini(udp[i]);
    }
    net_close(&net);
}

static void find(const char *name)
{
    ck_assert_int_eq(wisp_dns_find_address(dns, name, strlen(name), net.now, &lookup), WISP_OK);
}

/* Lets both stacks and the resolver act for that long. */
static void pass_time(wisp_time duration)
{
    wisp_time until = net.now + duration;
    while (net.now < until) {
        (void)wisp_dns_run_step(run, net.now);
        net_run(&net, WISP_MS(1));
    }
    (void)wisp_dns_run_step(run, net.now);
}

static bool heard(void)
{
    struct wisp_udp_datagram datagram;
    pass_time(WISP_MS(3));
    if (!wisp_udp_receive(server, &datagram)) {
        return false;
    }
    question_length = datagram.pkt->length;
    question_port = datagram.remote_port;
    ck_assert(wisp_pkt_read(datagram.pkt, 0, question, question_length));
    wisp_pkt_drop(datagram.pkt);
    return true;
}

/* The question as an answer: those flags, 10.9.8.7 and so many octets of something else. */
static size_t answer_of(uint8_t *bytes, uint16_t flags, size_t more)
{
    static const uint8_t record[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 9, 8, 7};
    memcpy(bytes, question, question_length);
    net_put16(bytes + 2, flags);
    net_put16(bytes + 6, 1);
    memcpy(bytes + question_length, record, sizeof(record));
    memset(bytes + question_length + sizeof(record), 0, more);
    return question_length + sizeof(record) + more;
}

static void answer(uint16_t flags, uint16_t port)
{
    uint8_t bytes[600];
    size_t length = answer_of(bytes, flags, 0);
    ck_assert_int_eq(
        wisp_udp_send(server, NULL, &net.addr[0], port, bytes, (uint32_t)length, net.now), WISP_OK);
    pass_time(WISP_MS(3));
}

static void expect_status(enum wisp_dns_status status)
{
    ck_assert_str_eq(wisp_dns_status_text(wisp_dns_status(lookup)), wisp_dns_status_text(status));
}

START_TEST(two_hundred_questions__each_by_its_own_unpredictable_port)
{
    static uint8_t used[65536];
    uint32_t neighbours = 0;
    uint16_t before = 0;
    memset(used, 0, sizeof(used));
    for (int i = 0; i < 200; i++) {
        char name[] = "h000.example.org.";
        name[1] = (char)('0' + i / 100);
        name[2] = (char)('0' + i / 10 % 10);
        name[3] = (char)('0' + i % 10);
        find(name);
        ck_assert(heard());
        used[question_port]++;
        neighbours += question_port == before + 1 || before == question_port + 1;
        before = question_port;
        answer(0x8180, question_port);
        expect_status(WISP_DNS_FOUND);
        wisp_dns_release(lookup);
    }
    uint32_t different = 0;
    for (uint32_t port = 0; port < 65536; port++) {
        ck_assert(!used[port] || port >= 1024);
        different += used[port] > 0;
    }
    ck_assert_uint_ge(different, 195);
    ck_assert_uint_le(neighbours, 3);
    end();
}
END_TEST

START_TEST(answered_or_asked_again__earlier_port__is_closed)
{
    find("www.example.org.");
    ck_assert(heard());
    uint16_t first = question_port;
    answer(0x8180, (uint16_t)(first ^ 1)); /* to another port: nobody's */
    expect_status(WISP_DNS_PENDING);
    wisp_dns_release(lookup);
    find("www.example.org.");
    ck_assert(heard());
    ck_assert_uint_ne(first, question_port);
    answer(0x8180, first);
    expect_status(WISP_DNS_PENDING);
    answer(0x8180, question_port);
    expect_status(WISP_DNS_FOUND);
    end();
}
END_TEST

START_TEST(nobody_at_port_53__icmp_tells__next_server_or_the_end_at_once)
{
    wisp_udp_close(server);
    wisp_time before = net.now;
    find("www.example.org.");
    pass_time(WISP_MS(10));
    expect_status(WISP_DNS_TIMEOUT);
    ck_assert(net.now - before < WISP_MS(100)); /* its patience is a second */
    end();
}
END_TEST

/* Accepts the connection and reads the question with its length. */
static struct wisp_tcp_conn *heard_by_tcp(void)
{
    struct wisp_tcp_event event;
    struct wisp_tcp_conn *conn = NULL;
    uint8_t bytes[2 + WISP_DNS_QUESTION_MAX];
    pass_time(WISP_MS(10));
    while (wisp_tcp_next_event(tcp[1], &event)) {
        conn = event.conn;
    }
    ck_assert_ptr_nonnull(conn);
    uint32_t length = wisp_tcp_read(conn, bytes, sizeof(bytes));
    ck_assert_uint_ge(length, 14);
    ck_assert_uint_eq(net_get16(bytes), length - 2);
    question_length = length - 2;
    memcpy(question, bytes + 2, question_length);
    return conn;
}

static void truncated(void)
{
    find("www.example.org.");
    ck_assert(heard());
    answer(0x8380, question_port);
}

START_TEST(truncated__asked_by_tcp__answer_in_any_pieces_taken)
{
    static const size_t pieces[] = {1, 2, 3, 100, 4096};
    for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        uint8_t bytes[2 + 4096];
        open_run(true);
        truncated();
        struct wisp_tcp_conn *conn = heard_by_tcp();
        size_t length = answer_of(bytes + 2, 0x8180, 300);
        net_put16(bytes, length);
        for (size_t at = 0; at < length + 2; at += pieces[p]) {
            size_t n = length + 2 - at < pieces[p] ? length + 2 - at : pieces[p];
            expect_status(WISP_DNS_PENDING);
            ck_assert_uint_eq(wisp_tcp_write(conn, bytes + at, (uint32_t)n), n);
            pass_time(WISP_MS(1));
        }
        pass_time(WISP_MS(300));
        expect_status(WISP_DNS_FOUND);
        ck_assert_uint_eq(wisp_dns_answer(lookup)->address[0].u.ip4.octet[0], 10);
        wisp_tcp_release(conn);
        end();
    }
}
END_TEST

START_TEST(truncated__connection_refused_cut_or_absurd__failure_without_waiting)
{
    for (int way = 0; way < 4; way++) {
        struct wisp_tcp_conn *conn = NULL;
        uint8_t absurd[2] = {0xff, 0xff};
        open_run(way != 3);
        if (way == 0) {
            wisp_tcp_listener_close(listener);
        }
        wisp_time before = net.now;
        truncated();
        if (way == 1 || way == 2) {
            conn = heard_by_tcp();
            (void)wisp_tcp_write(conn, absurd, way == 1 ? 1 : 2);
            if (way == 1) {
                wisp_tcp_close(conn);
            }
        }
        pass_time(WISP_MS(20));
        ck_assert_int_ne(wisp_dns_status(lookup), WISP_DNS_PENDING);
        ck_assert_int_ne(wisp_dns_status(lookup), WISP_DNS_FOUND);
        ck_assert(net.now - before < WISP_MS(500));
        if (conn) {
            wisp_tcp_release(conn);
        }
        end();
    }
}
END_TEST

START_TEST(tcp_events__of_the_resolver__known_as_its_own)
{
    struct wisp_tcp_event event;
    uint32_t own = 0;
    truncated();
    pass_time(WISP_MS(10));
    while (wisp_tcp_next_event(tcp[0], &event)) {
        own += wisp_dns_run_owns(run, &event);
    }
    ck_assert_uint_ge(own, 1);
    end();
}
END_TEST

/* Three seconds of a server that cuts its answer short and gives it whole by TCP; nothing it does has to succeed. */
static void serve(void)
{
    struct wisp_tcp_event event;
    uint8_t bytes[2 + WISP_DNS_QUESTION_MAX + 300];
    for (int i = 0; i < 1000 && wisp_dns_status(lookup) == WISP_DNS_PENDING; i++) {
        if (heard()) {
            uint32_t length = (uint32_t)answer_of(bytes, 0x8380, 0);
            (void)wisp_udp_send(server, NULL, &net.addr[0], question_port, bytes, length, net.now);
        }
        while (wisp_tcp_next_event(tcp[1], &event)) {
            uint32_t n = event.what & WISP_TCP_READABLE
                             ? wisp_tcp_read(event.conn, bytes, sizeof(bytes))
                             : 0;
            if (n > 2) { /* so few bytes are never in two segments */
                question_length = n - 2;
                memcpy(question, bytes + 2, question_length);
                size_t length = answer_of(bytes + 2, 0x8180, 100);
                net_put16(bytes, length);
                (void)wisp_tcp_write(event.conn, bytes, (uint32_t)length + 2);
            }
            if (event.what & (WISP_TCP_END | WISP_TCP_CLOSED)) {
                wisp_tcp_release(event.conn);
            }
        }
    }
}

/* covers: RS-12 */
START_TEST(pool_fails__at_any_request__found_or_given_up_and_found_the_next_time)
{
    static const uint64_t spans[] = {1, 10};
    uint32_t found = 0;
    for (size_t k = 0; k < sizeof(spans) / sizeof(spans[0]); k++) {
        uint64_t asked = 0;
        for (uint64_t first = 0; first <= asked;
             first++) { /* 0: all are met, to know how many there are */
            open_run(true);
            famine_begin(first, spans[k]);
            find("www.example.org.");
            serve();
            uint64_t n = famine_end();
            asked = n > asked ? n : asked;
            ck_assert_msg(wisp_dns_status(lookup) != WISP_DNS_PENDING, "request %d", (int)first);
            found += wisp_dns_status(lookup) == WISP_DNS_FOUND;
            wisp_dns_release(lookup);
            pass_time(WISP_SEC(20));
            find("other.example.org.");
            serve();
            ck_assert_msg(wisp_dns_status(lookup) == WISP_DNS_FOUND,
                          "request %d, span %d: %s asked %d", (int)first, (int)spans[k],
                          wisp_dns_status_text(wisp_dns_status(lookup)), (int)asked);
            end();
        }
        ck_assert_uint_ge(asked, 20);
    }
    ck_assert_uint_ge(found, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dns_run");
    TCase *tcase = tcase_create("fresh");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, two_hundred_questions__each_by_its_own_unpredictable_port);
    tcase_add_test(tcase, answered_or_asked_again__earlier_port__is_closed);
    tcase_add_test(tcase, nobody_at_port_53__icmp_tells__next_server_or_the_end_at_once);
    tcase_add_test(tcase, tcp_events__of_the_resolver__known_as_its_own);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("several");
    tcase_add_test(tcase, truncated__asked_by_tcp__answer_in_any_pieces_taken);
    tcase_add_test(tcase, truncated__connection_refused_cut_or_absurd__failure_without_waiting);
    tcase_add_test(tcase, pool_fails__at_any_request__found_or_given_up_and_found_the_next_time);
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
