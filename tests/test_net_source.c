/* SPDX-License-Identifier: ISC */
/*
 * Where an application's address comes from: command line, then xenstore, then DHCP, and what the
 * banner says. The platform is played here: parameters from words, xenstore's `ip` from the row,
 * one end of a link in memory as device.
 */
#include "format.h"
#include "link.h"
#include "net.h"
#include "net_address.h"
#include "params.h"
#include "siphash.h"
#include "suite.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 512u

const struct wisp_app wisp_app = {.name = "app", .summary = "A test."};

static struct {
    struct wisp_params params;
    bool built_in; /* parameters given are fixed ones */
    const char *ip;
    char said[1000];
    enum wisp_log_level level; /* of the last line */
    jmp_buf end;
    int status;
    struct wisp_link link;
    struct wisp_pool *pool[2];
} fake;

/* ---- the platform ---- */

static void *memory(size_t size)
{
    void *mem =
        aligned_alloc(WISP_PAGE_SIZE, (size + WISP_PAGE_SIZE - 1) & ~(size_t)(WISP_PAGE_SIZE - 1));
    ck_assert_ptr_nonnull(mem);
    return memset(mem, 0, size);
}

const char *wisp_platform_param(const char *name)
{
    return wisp_params_value(&fake.params, name);
}

enum wisp_param_source wisp_platform_param_source(const char *name)
{
    enum wisp_param_source source = wisp_params_source(&fake.params, name);
    return source == WISP_PARAM_GIVEN && fake.built_in ? WISP_PARAM_FIXED : source;
}

wisp_time wisp_platform_now(void)
{
    return WISP_SEC(1000);
}

void wisp_platform_entropy(void *bytes, size_t len)
{
    memset(bytes, 7, len);
}

wisp_sum_fn wisp_platform_sum(void)
{
    return wisp_sum_portable;
}

wisp_hash_fn wisp_platform_hash(void)
{
    return test_siphash;
}

void *wisp_platform_pages(uint32_t *pages)
{
    *pages = PAGES;
    return memory(PAGES * WISP_PAGE_SIZE);
}

void *wisp_platform_memory(size_t size)
{
    return memory(size);
}

struct wisp_netdev *wisp_platform_netdev(uint32_t index, struct wisp_pool *pages)
{
    struct wisp_link_config config = {.mtu = 1500};
    size_t size = wisp_link_size(&config);
    ck_assert_uint_eq(index, 0);
    fake.pool[0] = pages;
    fake.pool[1] = wisp_pool_init(memory(wisp_pool_size(PAGES)), wisp_pool_size(PAGES),
                                  memory(PAGES * WISP_PAGE_SIZE), PAGES, 16, true);
    ck_assert(wisp_link_init(&fake.link, &config, memory(size), size, fake.pool));
    return wisp_link_dev(&fake.link, 0);
}

void wisp_platform_counters(wisp_counter_fn show, const void *self)
{
    (void)show;
    (void)self;
}

const char *wisp_platform_netdev_reason(void)
{
    return "";
}

const char *wisp_platform_netdev_config(uint32_t index)
{
    ck_assert_uint_eq(index, 0);
    return fake.ip;
}

void wisp_platform_log(enum wisp_log_level level, const char *module, const char *format, ...)
{
    va_list args;
    char line[400];
    va_start(args, format);
    wisp_vformat(line, sizeof(line), format, args);
    va_end(args);
    size_t used = strlen(fake.said);
    snprintf(fake.said + used, sizeof(fake.said) - used, "%s: %s\n", module, line);
    fake.level = level;
}

const char *wisp_platform_name(void)
{
    return "memory";
}

bool wisp_platform_wait(wisp_time deadline)
{
    (void)deadline;
    return true;
}

void wisp_platform_exit(int status, const char *reason)
{
    fake.status = status;
    snprintf(fake.said, sizeof(fake.said), "%s\n", reason);
    longjmp(fake.end, 1);
}

/* ---- the tests ---- */

#define XENSTORE "10.0.0.3 255.255.255.0 10.0.0.1"

static const struct {
    const char *name;
    const char *words[2];
    const char *ip; /* xenstore's */
    bool built_in, quiet;
    int status;
    const char *last; /* line said: the banner's third, or the reason of the end */
    uint8_t host;     /* 10.0.0.host is the address; 0: none, DHCP asks */
} rows[] = {
    {"the command line before xenstore",
     {"--ipv4=10.0.0.2/24"},
     XENSTORE,
     false,
     false,
     0,
     "net: 10.0.0.2/24 (command line), gateway none",
     2},
    {"the command line's own gateway",
     {"--ipv4=10.0.0.2/24", "--ipv4-gateway=10.0.0.9"},
     XENSTORE,
     false,
     false,
     0,
     "net: 10.0.0.2/24 (command line), gateway 10.0.0.9",
     2},
    {"the command line alone",
     {"--ipv4=10.0.0.2/24"},
     NULL,
     false,
     false,
     0,
     "net: 10.0.0.2/24 (command line), gateway none",
     2},
    {"built in, before xenstore",
     {"--ipv4=10.0.0.2/24"},
     XENSTORE,
     true,
     false,
     0,
     "net: 10.0.0.2/24 (built in), gateway none",
     2},
    {"xenstore before DHCP",
     {NULL},
     XENSTORE,
     false,
     false,
     0,
     "net: 10.0.0.3/24 (xenstore), gateway 10.0.0.1",
     3},
    {"xenstore, its gateway replaced",
     {"--ipv4-gateway=10.0.0.9"},
     XENSTORE,
     false,
     false,
     0,
     "net: 10.0.0.3/24 (xenstore), gateway 10.0.0.9",
     3},
    {"xenstore, quietly",
     {NULL},
     XENSTORE,
     false,
     true,
     0,
     "net: 10.0.0.3/24 (xenstore), gateway 10.0.0.1",
     3},
    {"DHCP, as nothing is given",
     {NULL},
     NULL,
     false,
     false,
     0,
     "net: no address given: asking by DHCP",
     0},
    {"DHCP, as the command line says, before xenstore",
     {"--ipv4=dhcp"},
     XENSTORE,
     false,
     false,
     0,
     "net: --ipv4=dhcp: asking by DHCP",
     0},
    {"a wrong command line is not passed over",
     {"--ipv4=router"},
     XENSTORE,
     false,
     false,
     2,
     "--ipv4 is an address and its network's bits, like 10.0.0.2/24, or dhcp",
     0},
    {"nor is what xenstore should not say",
     {NULL},
     "router",
     false,
     false,
     1,
     "xenstore's ip should be ADDR MASK [GATEWAY], and is: router",
     0},
    {"nor an address of nobody",
     {NULL},
     "10.0.0.255/24",
     false,
     false,
     2,
     "xenstore's ip is not the address of a host",
     0},
    {"what is not read is not judged",
     {"--ipv4=10.0.0.2/24"},
     "router",
     false,
     false,
     0,
     "net: 10.0.0.2/24 (command line), gateway none",
     2},
};

/* Opens the network as row number i has it; false: the program would have ended. */
static bool open_row(struct wisp_net *net, int i)
{
    char why[1000];
    memset(&fake, 0, sizeof(fake));
    wisp_params_init(&fake.params, &wisp_app, NULL);
    for (size_t w = 0; w < 2 && rows[i].words[w]; w++) {
        ck_assert(wisp_params_word(&fake.params, rows[i].words[w], why, sizeof(why)));
    }
    fake.built_in = rows[i].built_in;
    fake.ip = rows[i].ip;
    if (setjmp(fake.end)) {
        return false;
    }
    wisp_net_open(net, &(struct wisp_net_config){.quiet = rows[i].quiet});
    return true;
}

static const char *last_line(void)
{
    size_t at = strlen(fake.said);
    ck_assert_uint_gt(at, 0);
    fake.said[--at] = 0;
    while (at > 0 && fake.said[at - 1] != '\n') {
        at--;
    }
    return fake.said + at;
}

/* Whether the next frame sent is a DHCP DISCOVER: to port 67, message type (option 53) 1 behind the
 * cookie. */
static bool discovers(struct wisp_net *net)
{
    struct wisp_netdev *peer = wisp_link_dev(&fake.link, 1);
    struct wisp_pkt *pkt;
    wisp_net_flush(net);
    wisp_net_flush(net); /* what the first one wrote has left now */
    if (peer->ops->receive(peer, &pkt, 1, net->now) != 1) {
        return false;
    }
    uint8_t bytes[400] = {0};
    size_t length = 0;
    for (uint32_t v = 0; v < pkt->views; v++) {
        ck_assert_uint_le(length + pkt->view[v].length, sizeof(bytes));
        memcpy(bytes + length, wisp_view_bytes(&pkt->view[v]), pkt->view[v].length);
        length += pkt->view[v].length;
    }
    wisp_pkt_drop(pkt);
    return bytes[23] == 17 && bytes[36] == 0 && bytes[37] == 67 &&
           memcmp(bytes + 282, "\x35\x01\x01", 3) == 0;
}

START_TEST(address__each_source__taken_in_order_and_told)
{
    static struct wisp_net net;
    struct wisp_addr addr;
    uint8_t prefix;
    bool open = open_row(&net, _i);
    ck_assert_msg(open == (rows[_i].status == 0), "%s: %s", rows[_i].name, fake.said);
    ck_assert_int_eq(fake.status, rows[_i].status);
    ck_assert_msg(strcmp(last_line(), rows[_i].last) == 0, "%s: %s", rows[_i].name, last_line());
    if (!open) {
        return;
    }
    ck_assert_int_eq(fake.level, rows[_i].quiet ? WISP_LOG_DEBUG : WISP_LOG_INFO);
    ck_assert_msg(wisp_stack_address(net.stack, &addr, &prefix) == (rows[_i].host != 0), "%s",
                  rows[_i].name);
    ck_assert_msg((net.automatic != NULL) == (rows[_i].host == 0), "%s", rows[_i].name);
    if (rows[_i].host) {
        ck_assert_uint_eq(wisp_ip4_value(addr.u.ip4), 0x0a000000u + rows[_i].host);
        ck_assert_uint_eq(prefix, 24);
    }
    ck_assert_msg(discovers(&net) == (rows[_i].host == 0), "%s", rows[_i].name);
    wisp_net_close(&net);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net_source");
    TCase *tcase = tcase_create("net_source");
    tcase_add_loop_test(tcase, address__each_source__taken_in_order_and_told, 0,
                        sizeof(rows) / sizeof(rows[0]));
    suite_add_tcase(suite, tcase);
    return wisp_suite_run(suite);
}
