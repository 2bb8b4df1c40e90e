/* SPDX-License-Identifier: ISC */
/*
 * Two rings of 1 KiB with free-running indices; each side writes its own. xenstored's indices are a
 * peer's word: more in a ring than it holds means the connection is lost, not that memory is read.
 */
#include "xenstore_wire.h"
#include <string.h>
#include <xen/io/xs_wire.h>

size_t wisp_xs_ring_put(struct xenstore_domain_interface *ring, const void *bytes, size_t size)
{
    const char *from = bytes;
    uint32_t prod = ring->req_prod;
    uint32_t used = prod - __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE);
    if (used > XENSTORE_RING_SIZE) {
        return WISP_XS_RING_BROKEN;
    }
    if (size > XENSTORE_RING_SIZE - used) {
        size = XENSTORE_RING_SIZE - used;
    }
    for (size_t i = 0; i < size; i++) {
        ring->req[MASK_XENSTORE_IDX(prod++)] = from[i];
    }
    /* The bytes must be visible before the index that announces them. */
    __atomic_store_n(&ring->req_prod, prod, __ATOMIC_SEQ_CST);
    return size;
}

size_t wisp_xs_ring_get(struct xenstore_domain_interface *ring, void *bytes, size_t size)
{
    char *to = bytes;
    uint32_t cons = ring->rsp_cons;
    uint32_t ready = __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) - cons;
    if (ready > XENSTORE_RING_SIZE) {
        return WISP_XS_RING_BROKEN;
    }
    if (size > ready) {
        size = ready;
    }
    for (size_t i = 0; i < size; i++) {
        to[i] = ring->rsp[MASK_XENSTORE_IDX(cons++)];
    }
    /* The bytes must be read before the index that gives their room back. */
    __atomic_store_n(&ring->rsp_cons, cons, __ATOMIC_SEQ_CST);
    return size;
}

enum wisp_xs_result wisp_xs_error_parse(const char *text, size_t length)
{
    if (length == sizeof("ENOENT") && !memcmp(text, "ENOENT", length)) {
        return WISP_XS_ABSENT;
    }
    if (length == sizeof("EAGAIN") && !memcmp(text, "EAGAIN", length)) {
        return WISP_XS_AGAIN;
    }
    return WISP_XS_FAILED;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool wisp_xs_token_parse(const char *event, size_t length, uint32_t *token)
{
    size_t at = 0;
    while (at < length && event[at]) {
        at++;
    }
    if (length - at != 10 || event[length - 1]) {
        return false;
    }
    *token = 0;
    for (at++; at < length - 1; at++) {
        int digit = digit_of(event[at]);
        if (digit < 0) {
            return false;
        }
        *token = *token << 4 | (uint32_t)digit;
    }
    return true;
}

void wisp_xs_token_emit(uint32_t token, char text[9])
{
    for (int i = 7; i >= 0; i--, token >>= 4) {
        text[i] = "0123456789abcdef"[token & 15];
    }
    text[8] = 0;
}
