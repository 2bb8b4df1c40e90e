/* SPDX-License-Identifier: ISC */
/*
 * The netback in memory, judged by a frontend that writes slots by hand: what Linux takes, refuses and treats as
 * fatal (xen-netif.md section 4), its xenbus states, its waits.
 */
#include "hostile.h"
#include "netback.h"
#include "ring.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#define PAGES 64u

static struct wisp_memxen *xen;
static struct wisp_hypervisor *hv;
static struct wisp_netback *nb;
static struct wisp_page page[PAGES];
static uint8_t *memory;
static uint32_t gref[PAGES];
static struct ring_page *tx, *rx;
static uint32_t tx_prod, rx_prod, port;

static uint8_t last[WISP_FRAME_MAX];
static struct wisp_frame seen;
static uint32_t frames;

static void frame_out(void *context, const struct wisp_frame *frame, wisp_time now)
{
    (void)context;
    (void)now;
    wisp_frame_copy(frame, 0, last, sizeof(last));
    seen = *frame;
    frames++;
}

static void put(const char *key, uint32_t value)
{
    char path[64];
    char text[16];
    snprintf(path, sizeof(path), "device/vif/0/%s", key);
    snprintf(text, sizeof(text), "%u", value);
    ck_assert_int_eq(hv->ops->xs_write(hv, 0, path, text), WISP_XS_OK);
}

static void connect_front(bool gso)
{
    put("tx-ring-ref", gref[0]);
    put("rx-ring-ref", gref[1]);
    put("event-channel", port);
    put("request-rx-copy", 1);
    put("feature-rx-notify", 1);
    put("feature-sg", 1);
    put("feature-gso-tcpv4", gso);
    put("state", XenbusStateConnected);
    wisp_netback_poll(nb, 0);
}

static void open_with(struct wisp_netback_config config)
{
    struct wisp_memxen_config xen_config = {.policy = WISP_GRANT_STRICT};
    xen = wisp_memxen_open(&xen_config);
    hv = wisp_memxen_hypervisor(xen);
    memory = aligned_alloc(WISP_PAGE_SIZE, PAGES * WISP_PAGE_SIZE);
    memset(memory, 0, PAGES * WISP_PAGE_SIZE);
    for (uint32_t i = 0; i < PAGES; i++) {
        page[i] = (struct wisp_page){.data = memory + i * WISP_PAGE_SIZE, .refs = 1};
        gref[i] = hv->ops->grant(hv, 0, &page[i], true);
    }
    tx = (struct ring_page *)(void *)page[0].data;
    rx = (struct ring_page *)(void *)page[1].data;
    tx->req_event = tx->rsp_event = rx->req_event = rx->rsp_event = 1;
    tx_prod = rx_prod = 0;
    port = hv->ops->event_open(hv, 0);
    frames = 0;
    config.frame = frame_out;
    nb = wisp_netback_open(xen, &config);
}

static void setup(void)
{
    open_with((struct wisp_netback_config){
        .mac = {{2, 0, 0, 0, 0, 1}}, .features = WISP_NETBACK_ALL, .max_queues = 4});
    connect_front(true);
    ck_assert(wisp_netback_connected(nb));
}

static void teardown(void)
{
    char text[128];
    wisp_netback_close(nb);
    for (uint32_t i = 0; i < PAGES; i++) {
        ck_assert_msg(hv->ops->end_grant(hv, gref[i]), "page %u is still in use", i);
    }
    hv->ops->event_close(hv, port);
    ck_assert_msg(wisp_memxen_balanced(xen, text, sizeof(text)), "left over: %s", text);
    wisp_memxen_close(xen);
    free(memory);
}

static void tx_slot(uint32_t p, uint32_t offset, uint32_t size, uint32_t flags)
{
    tx->slot.tx[tx_prod & (RING_SLOTS - 1)].req =
        (struct netif_tx_request){.gref = gref[p],
                                  .offset = (uint16_t)offset,
                                  .flags = (uint16_t)flags,
                                  .id = (uint16_t)p,
                                  .size = (uint16_t)size};
    tx_prod++;
}

static void tx_extra(uint8_t type, uint8_t flags, uint16_t size, uint8_t gso)
{
    struct netif_extra_info extra;
    memset(&extra, 0, sizeof(extra));
    extra.type = type;
    extra.flags = flags;
    extra.u.gso.size = size;
    extra.u.gso.type = gso;
    tx->slot.tx[tx_prod++ & (RING_SLOTS - 1)].extra = extra;
}

static void tx_push(wisp_time now)
{
    atomic_store(&tx->req_prod, tx_prod);
    hv->ops->event_notify(hv, port);
    wisp_netback_poll(nb, now);
}

static int16_t tx_status(uint32_t index)
{
    ck_assert_uint_lt(index, tx->rsp_prod);
    return tx->slot.tx[index & (RING_SLOTS - 1)].rsp.status;
}

START_TEST(tx__two_slots__one_frame_of_total_length)
{
    memset(page[10].data + 100, 0xaa, 54);
    memset(page[11].data, 0xbb, 4096);
    tx_slot(10, 100, 54 + 4096, NETTXF_more_data);
    tx_slot(11, 0, 4096, 0);
    tx_push(0);
    ck_assert_uint_eq(frames, 1);
    ck_assert_uint_eq(seen.length, 4150);
    ck_assert_uint_eq(last[53], 0xaa);
    ck_assert_uint_eq(last[54], 0xbb);
    ck_assert_uint_eq(last[4149], 0xbb);
    ck_assert_uint_eq(tx->rsp_prod, 2);
    ck_assert_int_eq(tx_status(0), NETIF_RSP_OKAY);
    ck_assert(hv->ops->event_pending(hv, port));
}
END_TEST

START_TEST(tx__gso_extra__told_and_answered_null)
{
    static const uint8_t head[34] = {[12] = 8, [14] = 0x45, [23] = 6};
    memcpy(page[10].data, head, sizeof(head));
    tx_slot(10, 0, 1000, NETTXF_extra_info | NETTXF_csum_blank | NETTXF_data_validated);
    tx_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, 536, XEN_NETIF_GSO_TYPE_TCPV4);
    tx_push(0);
    ck_assert_uint_eq(frames, 1);
    ck_assert_uint_eq(seen.gso_size, 536);
    ck_assert(seen.csum_blank);
    ck_assert_uint_eq(tx->rsp_prod, 2);
}
END_TEST

struct slot_row {
    const char *name;
    uint32_t count;        /* data slots */
    uint32_t offset, size; /* of each slot but the first */
    uint32_t first, total; /* bytes of the first slot; what slot 0 says */
    uint32_t flags;        /* added to the last slot */
    int extra_type;        /* -1: none */
    uint16_t gso_size;
    uint8_t gso_type;
    bool fatal;
    uint32_t frames;
};

static const struct slot_row slot_rows[] = {
    {"plain", 1, 0, 0, 100, 100, 0, -1, 0, 0, false, 1},
    {"eighteen slots", 18, 0, 100, 60, 60 + 1700, 0, -1, 0, 0, false, 1},
    {"nineteen slots", 19, 0, 100, 60, 60 + 1800, 0, -1, 0, 0, false, 0},
    {"twenty slots", 20, 0, 100, 60, 60 + 1900, 0, -1, 0, 0, true, 0},
    {"zero-length slots", 3, 0, 0, 60, 60, 0, -1, 0, 0, false, 1},
    {"across the page", 1, 0, 0, 5000, 5000, 0, -1, 0, 0, true, 0},
    {"second slot across the page", 2, 4000, 97, 60, 157, 0, -1, 0, 0, true, 0},
    {"chain without an end", 2, 0, 100, 60, 160, NETTXF_more_data, -1, 0, 0, true, 0},
    {"extra promised, not there", 1, 0, 0, 60, 60, NETTXF_extra_info, -1, 0, 0, true, 0},
    {"extra of type 0", 1, 0, 0, 60, 60, NETTXF_extra_info, 0, 0, 0, true, 0},
    {"extra beyond the last type", 1, 0, 0, 60, 60, NETTXF_extra_info, 5, 0, 0, true, 0},
    {"GSO of size 0", 1, 0, 0, 60, 60, NETTXF_extra_info, 1, 0, 1, true, 0},
    {"GSO of unknown type", 1, 0, 0, 60, 60, NETTXF_extra_info, 1, 500, 7, true, 0},
    {"slots larger than the packet", 2, 0, 200, 60, 100, 0, -1, 0, 0, false, 0},
    {"first slot of 13 bytes", 2, 0, 100, 13, 113, 0, -1, 0, 0, false, 0},
};

START_TEST(tx__rows_of_linux__taken_refused_or_fatal)
{
    const struct slot_row *row = &slot_rows[_i];
    for (uint32_t k = 0; k < row->count; k++) {
        bool end = k + 1 == row->count;
        uint32_t flags = (end ? row->flags : NETTXF_more_data);
        tx_slot(10 + k, k ? row->offset : 0, k ? row->size : row->total, flags);
        if (k == 0 && row->extra_type >= 0) {
            tx_extra((uint8_t)row->extra_type, 0, row->gso_size, row->gso_type);
        }
    }
    tx_push(0);
    ck_assert_msg((wisp_netback_fatal(nb) != NULL) == row->fatal, "%s: %s", row->name,
                  wisp_netback_fatal(nb) ? wisp_netback_fatal(nb) : "not fatal");
    ck_assert_msg(frames == row->frames, "%s: %u frames", row->name, frames);
    if (!row->fatal && row->frames == 0) {
        ck_assert_msg(tx->rsp_prod == row->count, "%s: %u responses", row->name, tx->rsp_prod);
        ck_assert_msg(tx_status(0) == NETIF_RSP_ERROR, "%s: no error", row->name);
    }
}
END_TEST

START_TEST(tx__more_requests_than_the_ring__fatal)
{
    tx_prod = 257;
    tx_push(0);
    ck_assert_ptr_nonnull(wisp_netback_fatal(nb));
    ck_assert(!wisp_netback_connected(nb));
}
END_TEST

START_TEST(tx__not_granted__answered_with_an_error)
{
    tx_slot(10, 0, 100, 0);
    tx->slot.tx[0].req.gref = 9999;
    tx_push(0);
    ck_assert_uint_eq(frames, 0);
    ck_assert_int_eq(tx_status(0), NETIF_RSP_ERROR);
}
END_TEST

START_TEST(tx__hold__mapped_pages_answered_late_and_small_ones_at_once)
{
    wisp_netback_set_hold(nb, WISP_SEC(1));
    tx_slot(10, 0, 100 + 2000, NETTXF_more_data);
    tx_slot(11, 0, 2000, 0);
    tx_push(0);
    ck_assert_uint_eq(frames, 1);
    ck_assert_uint_eq(tx->rsp_prod, 1);
    ck_assert_uint_eq(tx->slot.tx[0].rsp.id, 10);
    ck_assert(!hv->ops->end_grant(hv, gref[11]));
    ck_assert_uint_eq(wisp_netback_deadline(nb, 0), WISP_SEC(1));
    wisp_netback_poll(nb, WISP_SEC(1));
    ck_assert_uint_eq(tx->rsp_prod, 2);
    ck_assert_uint_eq(tx->slot.tx[1].rsp.id, 11);
}
END_TEST

START_TEST(tx__no_notification__not_looked_at)
{
    wisp_netback_poll(nb, 0);
    tx_slot(10, 0, 100, 0);
    atomic_store(&tx->req_prod, tx_prod);
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(frames, 0);
    ck_assert_uint_eq(tx->req_event, 1);
    hv->ops->event_notify(hv, port);
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(frames, 1);
    ck_assert_uint_eq(tx->req_event, 2);
}
END_TEST

static void rx_post(uint32_t p)
{
    rx->slot.rx[rx_prod++ & (RING_SLOTS - 1)].req =
        (struct netif_rx_request){.id = (uint16_t)p, .gref = gref[p]};
    atomic_store(&rx->req_prod, rx_prod);
}

START_TEST(rx__frame_of_two_pages__two_slots_with_lengths)
{
    uint8_t bytes[5000];
    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    rx_post(20);
    rx_post(21);
    struct wisp_frame frame = wisp_frame_of(bytes, sizeof(bytes));
    frame.csum_blank = true;
    ck_assert(wisp_netback_send(nb, &frame, 0));
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(rx->rsp_prod, 2);
    ck_assert_int_eq(rx->slot.rx[0].rsp.status, 4096);
    ck_assert_int_eq(rx->slot.rx[1].rsp.status, 904);
    ck_assert_uint_eq(rx->slot.rx[0].rsp.flags,
                      NETRXF_csum_blank | NETRXF_data_validated | NETRXF_more_data);
    ck_assert_uint_eq(rx->slot.rx[1].rsp.flags, 0);
    ck_assert_mem_eq(page[20].data, bytes, 4096);
    ck_assert_mem_eq(page[21].data, bytes + 4096, 904);
    ck_assert(hv->ops->event_pending(hv, port));
}
END_TEST

START_TEST(rx__gso__extra_takes_a_slot)
{
    uint8_t bytes[3000] = {[12] = 8, [14] = 0x45, [23] = 6};
    rx_post(20);
    rx_post(21);
    struct wisp_frame frame = wisp_frame_of(bytes, sizeof(bytes));
    frame.gso_size = 1000;
    frame.csum_blank = true;
    ck_assert(wisp_netback_send(nb, &frame, 0));
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(rx->rsp_prod, 2);
    ck_assert(rx->slot.rx[0].rsp.flags & NETRXF_extra_info);
    ck_assert_uint_eq(rx->slot.rx[1].extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
    ck_assert_uint_eq(rx->slot.rx[1].extra.u.gso.size, 1000);
}
END_TEST

START_TEST(rx__too_few_slots__waits_asks_and_drains_after_ten_seconds)
{
    uint8_t bytes[5000] = {0};
    rx_post(20);
    struct wisp_frame frame = wisp_frame_of(bytes, sizeof(bytes));
    ck_assert(wisp_netback_send(nb, &frame, 0));
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(rx->rsp_prod, 0);
    ck_assert_uint_eq(rx->req_event, 2);
    ck_assert_uint_eq(wisp_netback_waiting(nb), 1);
    rx_post(21);
    hv->ops->event_notify(hv, port);
    wisp_netback_poll(nb, 1);
    ck_assert_uint_eq(rx->rsp_prod, 2);
    ck_assert(wisp_netback_send(nb, &frame, 2));
    ck_assert_uint_eq(wisp_netback_deadline(nb, 2), WISP_SEC(10) + 2);
    wisp_netback_poll(nb, WISP_SEC(10) + 2);
    ck_assert_uint_eq(wisp_netback_waiting(nb), 0);
    struct wisp_netback_stats stats;
    wisp_netback_stats(nb, &stats);
    ck_assert_uint_eq(stats.rx_dropped, 1);
}
END_TEST

START_TEST(rx__small_slots__never_more_than_eighteen)
{
    wisp_netback_close(nb);
    for (uint32_t i = 0; i < PAGES; i++) {
        hv->ops->end_grant(hv, gref[i]);
    }
    hv->ops->event_close(hv, port);
    wisp_memxen_close(xen);
    free(memory);
    open_with((struct wisp_netback_config){.features = WISP_NETBACK_ALL, .slot_bytes = 1});
    connect_front(true);
    for (uint32_t p = 20; p < 40; p++) {
        rx_post(p);
    }
    uint8_t bytes[1514] = {0};
    struct wisp_frame frame = wisp_frame_of(bytes, sizeof(bytes));
    ck_assert(wisp_netback_send(nb, &frame, 0));
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(rx->rsp_prod, 18);
    ck_assert_int_eq(rx->slot.rx[0].rsp.status, 1);
    ck_assert_int_eq(rx->slot.rx[17].rsp.status, 1514 - 17);
}
END_TEST

START_TEST(bus__too_many_queues__closed_with_an_error)
{
    put("state", XenbusStateClosed);
    wisp_netback_poll(nb, 0);
    ck_assert_int_eq(wisp_netback_state(nb), XenbusStateClosed);
    put("state", XenbusStateInitialising);
    wisp_netback_poll(nb, 0);
    ck_assert_int_eq(wisp_netback_state(nb), XenbusStateInitWait);
    put("multi-queue-num-queues", 5);
    put("state", XenbusStateConnected);
    wisp_netback_poll(nb, 0);
    ck_assert_int_eq(wisp_netback_state(nb), XenbusStateClosing);
    ck_assert(!wisp_netback_connected(nb));
}
END_TEST

START_TEST(bus__closing_and_initialising__starts_over)
{
    put("state", XenbusStateClosing);
    wisp_netback_poll(nb, 0);
    ck_assert_int_eq(wisp_netback_state(nb), XenbusStateClosing);
    ck_assert(!wisp_netback_connected(nb));
    put("state", XenbusStateClosed);
    wisp_netback_poll(nb, 0);
    ck_assert_int_eq(wisp_netback_state(nb), XenbusStateClosed);
    put("state", XenbusStateInitialising);
    wisp_netback_poll(nb, 0);
    connect_front(true);
    ck_assert(wisp_netback_connected(nb));
}
END_TEST

START_TEST(hostile__scan__finds_what_is_shared_only)
{
    static const char canary[] = "not for the backend";
    ck_assert(!wisp_netback_sees(nb, canary, sizeof(canary)));
    memcpy(page[5].data + 4096 - sizeof(canary), canary, sizeof(canary));
    ck_assert(wisp_netback_sees(nb, canary, sizeof(canary)));
    memset(page[5].data, 0, 4096);
}
END_TEST

START_TEST(hostile__script__told_in_its_polls)
{
    static const struct wisp_lie lies[] = {
        {.after = 1, .kind = WISP_LIE_TX_RESPONSE, .a = 77, .b = 5},
        {.after = 2, .kind = WISP_LIE_TX_RSP_PROD, .a = 300},
    };
    wisp_netback_script(nb, lies, 2);
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(tx->rsp_prod, 0);
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(tx->rsp_prod, 1);
    ck_assert_uint_eq(tx->slot.tx[0].rsp.id, 77);
    wisp_netback_poll(nb, 0);
    ck_assert_uint_eq(tx->rsp_prod, 301);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("netback");
    TCase *tests = tcase_create("netback");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, tx__two_slots__one_frame_of_total_length);
    tcase_add_test(tests, tx__gso_extra__told_and_answered_null);
    tcase_add_loop_test(tests, tx__rows_of_linux__taken_refused_or_fatal, 0,
                        (int)(sizeof(slot_rows) / sizeof(slot_rows[0])));
    tcase_add_test(tests, tx__more_requests_than_the_ring__fatal);
    tcase_add_test(tests, tx__not_granted__answered_with_an_error);
    tcase_add_test(tests, tx__hold__mapped_pages_answered_late_and_small_ones_at_once);
    tcase_add_test(tests, tx__no_notification__not_looked_at);
    tcase_add_test(tests, rx__frame_of_two_pages__two_slots_with_lengths);
    tcase_add_test(tests, rx__gso__extra_takes_a_slot);
    tcase_add_test(tests, rx__too_few_slots__waits_asks_and_drains_after_ten_seconds);
    tcase_add_test(tests, rx__small_slots__never_more_than_eighteen);
    tcase_add_test(tests, bus__too_many_queues__closed_with_an_error);
    tcase_add_test(tests, bus__closing_and_initialising__starts_over);
    tcase_add_test(tests, hostile__scan__finds_what_is_shared_only);
    tcase_add_test(tests, hostile__script__told_in_its_polls);
    suite_add_tcase(suite, tests);
    return wisp_suite_run(suite);
}
