/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the ring driver: the input is a list of what a hostile backend does (wisp_netback_fuzz) and, in between,
 * what the driver's owner does.
 *
 *   first byte     grants, trust, queues and offers of this run
 *   action byte a: a < 160   the backend does something made of the bytes that follow, then the driver takes a step
 *                  a < 208   a packet is sent: a & 15 views, lengths from the bytes that follow
 *                  a < 232   received packets are dropped, but for the last a & 7
 *                  otherwise time passes: 2^(a & 31) microseconds
 *
 * At the end: every packet sent came back, no page is missing but those in quarantine, and pages that were never
 * the backend's hold the canary that was put there. Address and undefined-behaviour sanitizers watch the rest.
 */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARIES 16u
#define SENT_MAX 100u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rig rig;
static struct wisp_page *canary[CANARIES];
static uint32_t sent;

void rig_fail(const char *what)
{
    fprintf(stderr, "fuzz-ring: %s\n", what);
    abort();
}

static void open_rig(uint8_t choice)
{
    struct rig_config config = {
        .policy = choice & 1 ? WISP_GRANT_PERSISTENT : WISP_GRANT_STRICT,
        .untrusted = choice & 2,
        .gentle = true,
        .max_queues = choice & 4 ? 2 : 0,
        .queues = choice & 4 ? 2 : 1,
        .offers = choice & 8 ? WISP_OFFER_ALL & ~(uint32_t)WISP_OFFER_GSO : WISP_OFFER_ALL,
        .rx_slots = choice & 16 ? 32 : 128,
        .pages = 320,
        .grants = 1024,
    };
    rig_open(&rig, &config);
    for (uint32_t i = 0; i < CANARIES; i++) {
        canary[i] = wisp_page_alloc(rig.pool, WISP_ROLE_PRIVATE, WISP_HOLDER_APP);
        memset(canary[i]->data, 0xc5, WISP_PAGE_SIZE);
    }
    rig_connect(&rig);
    sent = 0;
}

static void close_rig(void)
{
    for (uint32_t i = 0; i < CANARIES; i++) {
        for (uint32_t k = 0; k < WISP_PAGE_SIZE; k++) {
            if (canary[i]->data[k] != 0xc5) {
                rig_fail("a canary was written to");
            }
        }
        wisp_page_unref(canary[i]);
    }
    wisp_netback_lie(rig.nb, &(struct wisp_lie){.kind = WISP_LIE_RELEASE});
    rig_close(&rig);
}

static void step(void)
{
    rig_front(&rig);
    wisp_netback_poll(rig.nb, rig.now);
    rig_front(&rig);
    if (rig.pkts > RIG_FRAMES / 2) {
        rig_drop(&rig);
    }
}

static void send_packet(uint8_t shape, const uint8_t **data, size_t *size)
{
    uint16_t views[18] = {0};
    uint32_t count = shape & 15;
    if (sent - rig.completed >= SENT_MAX || wisp_pool_available(rig.pool) < 32) {
        return;
    }
    for (uint32_t i = 0; i<count && * size> 0; i++) {
        views[i] = (uint16_t)(**data * 16 + 1);
        (*data)++;
        (*size)--;
    }
    struct wisp_pkt *pkt = rig_packet(&rig, 54, views, 0);
    pkt->queue = (uint16_t)(count << 12);
    if (shape & 16) {
        pkt->csum = WISP_CSUM_BLANK;
        pkt->gso = WISP_GSO_TCP4;
        pkt->gso_size = 1448;
    }
    sent += rig_send(&rig, pkt);
}

static void keep(uint32_t count)
{
    while (rig.pkts > count) {
        wisp_pkt_drop(rig.pkt[--rig.pkts]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096) {
        return 0;
    }
    uint8_t choice = *data++;
    size--;
    open_rig(choice);
    while (size > 0) {
        uint8_t action = *data++;
        size--;
        if (action < 160) {
            wisp_netback_fuzz(rig.nb, &data, &size, rig.now);
        } else if (action < 208) {
            send_packet(action, &data, &size);
        } else if (action < 232) {
            keep(action & 7);
        } else {
            rig.now += WISP_US(1u << (action & 31 & 23));
        }
        step();
    }
    close_rig();
    return 0;
}
