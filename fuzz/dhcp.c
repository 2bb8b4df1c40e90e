/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the DHCP client: the input is a list of actions on a client that was just started.
 *
 *   action byte a:  a & 3 == 3   the client's next deadline is reached, or 2^(a >> 2) milliseconds pass
 *                   a & 3 == 2   start, reboot, inform, confirm, conflict, release, by a >> 2
 *                   otherwise    a reply: two bytes of length, then its bytes; unless bit 2 is set, op, xid,
 *                                chaddr and cookie are made right, or hardly anything would be looked at
 *
 * Whatever comes, the client may not read beyond it, must sleep after it has said that it has nothing to send,
 * and must not use a lease beyond its end.
 */
#include "bytes.h"
#include "reader.h"
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdlib.h>
#include <wisp/dhcp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint64_t out;
    crypto_shorthash_siphash24((uint8_t *)&out, data, len, key);
    return out;
}

static const struct wisp_mac mac = {{2, 0, 0, 0, 0, 1}};

struct world {
    struct wisp_dhcp *dhcp;
    wisp_time now;
    uint32_t xid;
};

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static void settle(struct world *w)
{
    struct wisp_dhcp_message message;
    struct wisp_dhcp_event event;
    for (int sent = 0; wisp_dhcp_next(w->dhcp, w->now, &message); sent++) {
        require(sent < 8 && message.length <= WISP_DHCP_MESSAGE_MAX);
        w->xid = wisp_be32_get(message.bytes + 4);
    }
    require(wisp_dhcp_deadline(w->dhcp) > w->now);
    while (wisp_dhcp_next_event(w->dhcp, &event)) {
    }
    const struct wisp_dhcp_lease *lease = wisp_dhcp_lease(w->dhcp);
    require(!lease ||
            (lease->until > w->now && lease->routes <= WISP_DHCP_ROUTES && lease->prefix <= 32));
}

static void reply(struct world *w, struct wisp_reader *r, bool as_it_is)
{
    static const uint8_t cookie[4] = {0x63, 0x82, 0x53, 0x63};
    size_t length = wisp_reader_be16(r);
    length = length < r->left ? length : r->left;
    uint8_t *bytes = malloc(length + 1);
    memcpy(bytes, wisp_reader_take(r, length), length);
    if (!as_it_is && length >= 240) {
        memcpy(bytes, "\2\1\6", 3);
        wisp_be32_put(bytes + 4, w->xid);
        wisp_mac_put(bytes + 28, mac);
        memcpy(bytes + 236, cookie, sizeof(cookie));
    }
    uint8_t *exact = realloc(bytes, length ? length : 1);
    wisp_dhcp_input(w->dhcp, exact, length, w->now);
    free(exact);
}

static void command(struct world *w, unsigned number)
{
    switch (number % 6) {
    case 0:
        wisp_dhcp_start(w->dhcp, w->now);
        break;
    case 1:
        wisp_dhcp_reboot(w->dhcp, wisp_ip4(192, 0, 2, 7), w->now);
        break;
    case 2:
        wisp_dhcp_inform(w->dhcp, wisp_ip4(192, 0, 2, 7), 24, w->now);
        break;
    case 3:
        wisp_dhcp_confirm(w->dhcp, w->now);
        break;
    case 4:
        wisp_dhcp_conflict(w->dhcp, w->now);
        break;
    default:
        wisp_dhcp_release(w->dhcp, w->now);
        break;
    }
}

static void pass_time(struct world *w, unsigned number)
{
    wisp_time deadline = wisp_dhcp_deadline(w->dhcp);
    w->now =
        number == 0 && deadline != WISP_NEVER ? deadline : w->now + (WISP_MS(1) << number % 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wisp_dhcp_config config;
    struct world w = {.now = WISP_SEC(1)};
    struct wisp_reader r = wisp_reader_over(data, size);
    wisp_dhcp_config_default(&config);
    config.mac = mac;
    config.hash = siphash;
    size_t bytes = (wisp_dhcp_size(&config) + 63) & ~(size_t)63;
    w.dhcp = wisp_dhcp_init(aligned_alloc(64, bytes), bytes, &config);
    wisp_dhcp_start(w.dhcp, w.now);
    settle(&w);
    while (r.left > 0) {
        uint8_t action = wisp_reader_u8(&r);
        if ((action & 3) == 3) {
            pass_time(&w, action >> 2);
        } else if ((action & 3) == 2) {
            command(&w, action >> 2);
        } else {
            reply(&w, &r, action & 4);
        }
        settle(&w);
    }
    free(w.dhcp);
    return 0;
}
