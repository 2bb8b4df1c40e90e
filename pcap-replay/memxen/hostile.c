/* SPDX-License-Identifier: ISC */
/*
 * Lies (see hostile.h), told through the same ring pages, grants, ports and nodes that the honest netback uses.
 * A lie moves the netback's own counters along where it must (rsp_prod), so that honest work goes on behind it
 * as a real backend's would; where lie and honesty collide, the honest netback's view is no better than the
 * frontend's, which is the point.
 */
#include "hostile.h"
#include "netback_priv.h"
#include <stdio.h>
#include <string.h>

static void show_responses(struct netback_queue *queue, struct ring *ring, uint32_t port)
{
    atomic_store(&ring->page->rsp_prod, ring->rsp_prod);
    ring->rsp_shown = ring->rsp_prod;
    netback_signal(queue, port);
}

static void tell_tx_response(struct netback_queue *queue, const struct wisp_lie *lie)
{
    struct ring *ring = &queue->tx;
    ring->page->slot.tx[ring->rsp_prod++ & (RING_SLOTS - 1)].rsp =
        (struct netif_tx_response){.id = (uint16_t)lie->a, .status = (int16_t)lie->b};
    show_responses(queue, ring, queue->tx_port);
}

static void tell_rx_response(struct netback_queue *queue, const struct wisp_lie *lie, uint16_t id)
{
    struct ring *ring = &queue->rx;
    ring->page->slot.rx[ring->rsp_prod++ & (RING_SLOTS - 1)].rsp = (struct netif_rx_response){
        .id = id, .offset = (uint16_t)lie->d, .flags = (uint16_t)lie->c, .status = (int16_t)lie->b};
    ring->req_cons++;
    show_responses(queue, ring, queue->rx_port);
}

/* The next posted request, still in its slot; null: none. */
static const struct netif_rx_request *posted(struct netback_queue *queue)
{
    struct ring *ring = &queue->rx;
    if (ring_req_prod(ring) == ring->req_cons) {
        return NULL;
    }
    return &ring->page->slot.rx[ring->req_cons & (RING_SLOTS - 1)].req;
}

static bool tell_rx_answer(struct netback_queue *queue, const struct wisp_lie *lie)
{
    const struct netif_rx_request *request = posted(queue);
    if (!request) {
        return false;
    }
    if (lie->length) {
        wisp_memxen_copy_in(queue->nb->xen, request->gref, lie->d < 4096 ? lie->d : 0, lie->bytes,
                            lie->length);
    }
    if (queue->nb->habits.keep_rx) {
        netback_keep(queue->nb, request->gref, true);
    }
    tell_rx_response(queue, lie, request->id);
    return true;
}

static void tell_rx_extra(struct netback_queue *queue, const struct wisp_lie *lie)
{
    struct ring *ring = &queue->rx;
    struct netif_extra_info extra;
    memset(&extra, 0, sizeof(extra));
    extra.type = (uint8_t)lie->a;
    extra.flags = (uint8_t)lie->b;
    extra.u.gso.size = (uint16_t)lie->c;
    extra.u.gso.type = (uint8_t)lie->d;
    ring->page->slot.rx[ring->rsp_prod++ & (RING_SLOTS - 1)].extra = extra;
    ring->req_cons++;
    show_responses(queue, ring, queue->rx_port);
}

static void flip(struct netback_queue *queue, struct ring *ring, uint32_t port,
                 const struct wisp_lie *lie)
{
    ((volatile uint8_t *)ring->page)[lie->a % WISP_PAGE_SIZE] ^= (uint8_t)lie->b;
    netback_signal(queue, port);
}

static void tell_events(struct netback_queue *queue, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        netback_signal(queue, i & 1 ? queue->rx_port : queue->tx_port);
    }
}

/* Lies about the rings of one queue. */
static bool tell_ring(struct netback_queue *queue, const struct wisp_lie *lie)
{
    switch (lie->kind) {
    case WISP_LIE_TX_RSP_PROD:
        queue->tx.rsp_prod += lie->a;
        show_responses(queue, &queue->tx, queue->tx_port);
        return true;
    case WISP_LIE_RX_RSP_PROD:
        queue->rx.rsp_prod += lie->a;
        show_responses(queue, &queue->rx, queue->rx_port);
        return true;
    case WISP_LIE_TX_RESPONSE:
        tell_tx_response(queue, lie);
        return true;
    case WISP_LIE_RX_RESPONSE:
        tell_rx_response(queue, lie, (uint16_t)lie->a);
        return true;
    case WISP_LIE_RX_ANSWER:
        return tell_rx_answer(queue, lie);
    case WISP_LIE_RX_EXTRA:
        tell_rx_extra(queue, lie);
        return true;
    case WISP_LIE_TX_REQ_EVENT:
        atomic_store(&queue->tx.page->req_event, lie->a);
        return true;
    case WISP_LIE_RX_REQ_EVENT:
        atomic_store(&queue->rx.page->req_event, lie->a);
        return true;
    case WISP_LIE_TX_RSP_EVENT:
        atomic_store(&queue->tx.page->rsp_event, lie->a);
        return true;
    case WISP_LIE_RX_RSP_EVENT:
        atomic_store(&queue->rx.page->rsp_event, lie->a);
        return true;
    case WISP_LIE_TX_FLIP:
        flip(queue, &queue->tx, queue->tx_port, lie);
        return true;
    case WISP_LIE_RX_FLIP:
        flip(queue, &queue->rx, queue->rx_port, lie);
        return true;
    default:
        tell_events(queue, lie->a);
        return true;
    }
}

static void tell_habit(struct wisp_netback *nb, uint8_t kind, bool on)
{
    struct netback_habits *habits = &nb->habits;
    bool *const habit[] = {
        [WISP_LIE_MUTE - WISP_LIE_MUTE] = &habits->mute,
        [WISP_LIE_DEAF - WISP_LIE_MUTE] = &habits->deaf,
        [WISP_LIE_STALL_TX - WISP_LIE_MUTE] = &habits->stall_tx,
        [WISP_LIE_STALL_RX - WISP_LIE_MUTE] = &habits->stall_rx,
        [WISP_LIE_KEEP_RX - WISP_LIE_MUTE] = &habits->keep_rx,
        [WISP_LIE_EARLY_TX - WISP_LIE_MUTE] = &habits->early_tx,
    };
    *habit[kind - WISP_LIE_MUTE] = on;
    netback_note(nb);
}

static void scribble(struct wisp_netback *nb, uint8_t value)
{
    for (uint32_t i = 0; i < nb->kept_count; i++) {
        if (nb->kept[i].writing) {
            memset(nb->kept[i].bytes, value, WISP_PAGE_SIZE);
        }
    }
}

static void write_node(struct wisp_netback *nb, const struct wisp_lie *lie)
{
    char path[WISP_XS_PATH_MAX];
    bool back = lie->kind == WISP_LIE_BACK_NODE;
    snprintf(path, sizeof(path), "/local/domain/%d/%s/vif/%s%u%s%s",
             back ? WISP_MEMXEN_BACKEND : WISP_MEMXEN_GUEST, back ? "backend" : "device",
             back ? "1/" : "", nb->config.vif, lie->path && lie->path[0] ? "/" : "",
             lie->path ? lie->path : "");
    wisp_memxen_write(nb->xen, path, lie->value);
}

bool wisp_netback_lie(struct wisp_netback *nb, const struct wisp_lie *lie)
{
    if (lie->kind <= WISP_LIE_EVENTS) {
        return nb->served && lie->queue < nb->queues && tell_ring(&nb->queue[lie->queue], lie);
    }
    if (lie->kind <= WISP_LIE_EARLY_TX) {
        tell_habit(nb, lie->kind, lie->a != 0);
        return true;
    }
    switch (lie->kind) {
    case WISP_LIE_SCRIBBLE:
        scribble(nb, (uint8_t)lie->a);
        return true;
    case WISP_LIE_RELEASE:
        netback_unkeep(nb);
        return true;
    case WISP_LIE_HOLD:
        wisp_netback_set_hold(nb, lie->a == UINT32_MAX ? WISP_NEVER : WISP_MS(lie->a));
        return true;
    case WISP_LIE_BACK_NODE:
    case WISP_LIE_FRONT_NODE:
        write_node(nb, lie);
        return true;
    default:
        netback_show_state(nb, (int)lie->a);
        return true;
    }
}

void wisp_netback_script(struct wisp_netback *nb, const struct wisp_lie *lies, uint32_t count)
{
    nb->script = (struct netback_script){lies, count, 0};
}

void netback_script_poll(struct wisp_netback *nb)
{
    struct netback_script *script = &nb->script;
    while (script->count > 0 && script->lie->after <= script->polls) {
        wisp_netback_lie(nb, script->lie);
        script->lie++;
        script->count--;
    }
    script->polls++;
}

/* ---- the fuzzer's mouth ---- */

static uint32_t take(const uint8_t **data, size_t *size, uint32_t bytes)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i<bytes && * size> 0; i++) {
        value = value << 8 | **data;
        (*data)++;
        (*size)--;
    }
    return value;
}

/* A number as attackers like them: small, near a limit, or any. */
static uint32_t crafted(const uint8_t **data, size_t *size)
{
    static const uint32_t limits[16] = {0,    1,    17,   18,     19,     255,   256,        257,
                                        4095, 4096, 4097, 0x7fff, 0x8000, 65535, UINT32_MAX, 14};
    uint32_t how = take(data, size, 1);
    if (how < 128) {
        return how;
    }
    return how < 192 ? limits[how & 15] : take(data, size, how < 224 ? 2 : 4);
}

static void honest_frame(struct wisp_netback *nb, const uint8_t **data, size_t *size, wisp_time now)
{
    uint32_t length = take(data, size, 2) % 9000 + 1;
    uint8_t bytes[9000] = {0};
    uint32_t given = *size < length ? (uint32_t)*size : length;
    given = given < 128 ? given : 128;
    memcpy(bytes, *data, given);
    *data += given;
    *size -= given;
    struct wisp_frame frame = wisp_frame_of(bytes, length);
    frame.queue = 0;
    wisp_netback_send(nb, &frame, now);
}

bool wisp_netback_fuzz(struct wisp_netback *nb, const uint8_t **data, size_t *size, wisp_time now)
{
    static const char *const keys[4] = {"state", "multi-queue-max-queues", "feature-sg", ""};
    static const char *const values[4] = {"0", "4", "zzz", "4294967297"};
    if (*size == 0) {
        return false;
    }
    uint32_t kind = take(data, size, 1);
    if (kind >= 192) {
        honest_frame(nb, data, size, now);
        return true;
    }
    struct wisp_lie lie = {.kind = (uint8_t)(kind % WISP_LIES)};
    lie.queue = (uint8_t)(kind & 64 ? 1 : 0);
    lie.a = crafted(data, size);
    lie.b = crafted(data, size);
    lie.c = crafted(data, size);
    lie.d = crafted(data, size);
    lie.path = keys[lie.a & 3];
    lie.value = lie.b & 8 ? NULL : values[lie.b & 3];
    if (lie.kind == WISP_LIE_EVENTS) {
        lie.a &= 0xff;
    }
    if (lie.kind == WISP_LIE_STATE) {
        lie.a &= 15;
    }
    wisp_netback_lie(nb, &lie);
    return true;
}

/* ---- looking on ---- */

uint8_t *wisp_netback_ring_page(struct wisp_netback *nb, uint32_t queue, bool tx)
{
    if (!nb->served || queue >= nb->queues) {
        return NULL;
    }
    struct netback_queue *q = &nb->queue[queue];
    return (uint8_t *)(tx ? q->tx.page : q->rx.page);
}

static bool contains(const uint8_t *page, const uint8_t *canary, size_t length)
{
    for (size_t at = 0; at + length <= WISP_PAGE_SIZE; at++) {
        const uint8_t *found = memchr(page + at, canary[0], WISP_PAGE_SIZE - length + 1 - at);
        if (!found) {
            return false;
        }
        at = (size_t)(found - page);
        if (memcmp(found, canary, length) == 0) {
            return true;
        }
    }
    return false;
}

bool wisp_netback_sees(const struct wisp_netback *nb, const void *canary, size_t length)
{
    uint32_t references = wisp_memxen_references(nb->xen);
    for (uint32_t i = 0; i < references; i++) {
        const uint8_t *page = wisp_memxen_granted_bytes(nb->xen, i);
        if (page && contains(page, canary, length)) {
            return true;
        }
    }
    return false;
}

uint32_t wisp_netback_kept(const struct wisp_netback *nb)
{
    return nb->kept_count;
}
