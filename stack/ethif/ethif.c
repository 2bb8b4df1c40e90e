/* SPDX-License-Identifier: ISC */
/*
 * Ethernet II (RFC 894, RFC 1122 §2.3). What arrives is accepted only if it is whole, comes from a
 * single other station, and goes to us, to everybody, or to a group we joined; 802.3 framing and
 * tags are dropped and counted, each under its own name.
 *
 * What leaves waits in `queue` until the step ends, so that the device gets it together and is
 * notified once. Invariant: a packet in the queue is complete but for its journey; `queued` never
 * exceeds the room the device announced, but for reserved packets.
 */
#include "ethif.h"
#include "assert.h"
#include "count_names.h"
#include "ethif_wire.h"

#define RESERVE_MAX 8u

#define NAMES(NAME)                                                                                \
    NAME(WISP_ETHIF_RX_ACCEPTED, "ethif.rx.accepted")                                              \
    NAME(WISP_ETHIF_RX_SHORT, "ethif.rx.short")                                                    \
    NAME(WISP_ETHIF_RX_LONG, "ethif.rx.long")                                                      \
    NAME(WISP_ETHIF_RX_BAD_SOURCE, "ethif.rx.bad_source")                                          \
    NAME(WISP_ETHIF_RX_NOT_OURS, "ethif.rx.not_ours")                                              \
    NAME(WISP_ETHIF_RX_GROUP, "ethif.rx.group_not_joined")                                         \
    NAME(WISP_ETHIF_RX_LENGTH_TYPE, "ethif.rx.length_instead_of_type")                             \
    NAME(WISP_ETHIF_RX_VLAN, "ethif.rx.vlan")                                                      \
    NAME(WISP_ETHIF_RX_UNKNOWN_TYPE, "ethif.rx.unknown_type")                                      \
    NAME(WISP_ETHIF_TX_SENT, "ethif.tx.sent")                                                      \
    NAME(WISP_ETHIF_TX_PADDED, "ethif.tx.padded")                                                  \
    NAME(WISP_ETHIF_TX_CSUM_COMPLETED, "ethif.tx.checksum_completed")                              \
    NAME(WISP_ETHIF_TX_UNFIT, "ethif.tx.unfit")                                                    \
    NAME(WISP_ETHIF_TX_OVERFLOW, "ethif.tx.overflow")                                              \
    NAME(WISP_ETHIF_BYTES_COPIED, "ethif.bytes_copied")
WISP_COUNT_NAMES(NAMES, WISP_ETHIF_COUNTS);

void wisp_ethif_init(struct wisp_ethif *eth, struct wisp_netdev *dev, wisp_sum_fn sum,
                     const struct wisp_ethif_upper *upper)
{
    uint32_t packets = wisp_pktpool_available(dev->tx_pool);
    *eth = (struct wisp_ethif){.dev = dev, .sum = sum, .upper = *upper};
    eth->reserve = packets / 8 < RESERVE_MAX ? packets / 8 : RESERVE_MAX;
    wisp_ethif_refresh(eth);
}

void wisp_ethif_fini(struct wisp_ethif *eth)
{
    for (uint32_t i = 0; i < eth->queued; i++) {
        wisp_pkt_drop(eth->queue[i]);
    }
    eth->queued = 0;
}

void wisp_ethif_refresh(struct wisp_ethif *eth)
{
    const struct wisp_netdev_caps *caps = &eth->dev->caps;
    uint32_t largest = caps->gso_rx > caps->mtu ? caps->gso_rx : caps->mtu;
    eth->mac = caps->mac;
    eth->mac_value = wisp_mac_value_get(caps->mac.octet);
    eth->frame_max = largest + WISP_ETHIF_HEADER;
    eth->room = 0;
}

static uint32_t ask_room(struct wisp_ethif *eth)
{
    eth->room = eth->dev->ops->room(eth->dev);
    return eth->room;
}

/* Whether the device would take one packet more. Only what is sent makes its room less, so what it
 * said last holds, less what it took since; it is asked when that is used up. */
static bool has_room(struct wisp_ethif *eth)
{
    return eth->dev->link && (eth->queued < eth->room || eth->queued < ask_room(eth));
}

static bool joined(const struct wisp_ethif *eth, uint64_t group)
{
    for (uint32_t i = 0; i < eth->groups; i++) {
        if (eth->group[i] == group) {
            return true;
        }
    }
    return false;
}

static enum wisp_ethif_count address_verdict(const struct wisp_ethif *eth, struct wisp_pkt *pkt,
                                             const struct wisp_ethif_frame *frame)
{
    if (frame->destination != eth->mac_value) {
        if (!(frame->destination & WISP_MAC_VALUE_GROUP)) {
            return WISP_ETHIF_RX_NOT_OURS;
        }
        if (frame->destination != WISP_MAC_VALUE_BROADCAST && !joined(eth, frame->destination)) {
            return WISP_ETHIF_RX_GROUP;
        }
        pkt->flags |= WISP_PKT_BROADCAST;
    }
    bool bad = frame->source & WISP_MAC_VALUE_GROUP || frame->source == eth->mac_value ||
               frame->source == 0;
    return bad ? WISP_ETHIF_RX_BAD_SOURCE : WISP_ETHIF_RX_ACCEPTED;
}

static enum wisp_ethif_count type_verdict(uint16_t type)
{
    switch (type) {
    case WISP_ETHERTYPE_IPV4:
    case WISP_ETHERTYPE_ARP:
        return WISP_ETHIF_RX_ACCEPTED;
    case WISP_ETHERTYPE_VLAN:
    case WISP_ETHERTYPE_VLAN_S:
        return WISP_ETHIF_RX_VLAN;
    default:
        return type < WISP_ETHERTYPE_FIRST ? WISP_ETHIF_RX_LENGTH_TYPE : WISP_ETHIF_RX_UNKNOWN_TYPE;
    }
}

/* Decodes the header into *frame. A frame whose first piece is too short for it is read across
 * pieces. */
static enum wisp_ethif_count parse(const struct wisp_ethif *eth, struct wisp_pkt *pkt,
                                   struct wisp_ethif_frame *frame)
{
    uint8_t bytes[WISP_ETHIF_HEADER];
    const uint8_t *header = bytes;
    if (wisp_pkt_linear(pkt) >= WISP_ETHIF_HEADER) {
        header = wisp_pkt_head(pkt);
    } else if (!wisp_pkt_read(pkt, 0, bytes, sizeof(bytes))) {
        return WISP_ETHIF_RX_SHORT;
    }
    if (pkt->length > eth->frame_max) {
        return WISP_ETHIF_RX_LONG;
    }
    *frame = wisp_ethif_parse(header);
    enum wisp_ethif_count verdict = address_verdict(eth, pkt, frame);
    return verdict == WISP_ETHIF_RX_ACCEPTED ? type_verdict(frame->type) : verdict;
}

/* Any frame. Not in line, so that the usual ones do not save registers for it. */
static __attribute__((noinline)) void any_input(struct wisp_ethif *eth, struct wisp_pkt *pkt,
                                                wisp_time now)
{
    struct wisp_ethif_frame frame;
    enum wisp_ethif_count verdict = parse(eth, pkt, &frame);
    eth->count[verdict]++;
    if (verdict != WISP_ETHIF_RX_ACCEPTED) {
        wisp_pkt_drop(pkt);
        return;
    }
    wisp_pkt_pull(pkt, WISP_ETHIF_HEADER);
    if (frame.type == WISP_ETHERTYPE_IPV4) {
        eth->upper.ipv4(eth->upper.self, pkt, now);
    } else {
        eth->upper.arp(eth->upper.self, pkt, wisp_mac_from_value(frame.source), now);
    }
}

/* What nearly every frame is: for us alone, from another station, with IPv4 behind a header in one
 * piece. */
static bool is_usual(const struct wisp_ethif *eth, const struct wisp_pkt *pkt)
{
    if (wisp_pkt_linear(pkt) <= WISP_ETHIF_HEADER || pkt->length > eth->frame_max) {
        return false;
    }
    struct wisp_ethif_frame frame = wisp_ethif_parse(wisp_pkt_head(pkt));
    return frame.destination == eth->mac_value && frame.type == WISP_ETHERTYPE_IPV4 &&
           !(frame.source & WISP_MAC_VALUE_GROUP) && frame.source != eth->mac_value &&
           frame.source != 0;
}

static void input(struct wisp_ethif *eth, struct wisp_pkt *pkt, wisp_time now)
{
    if (!is_usual(eth, pkt)) {
        any_input(eth, pkt, now);
        return;
    }
    eth->count[WISP_ETHIF_RX_ACCEPTED]++;
    wisp_pkt_pull(pkt, WISP_ETHIF_HEADER);
    eth->upper.ipv4(eth->upper.self, pkt, now);
}

uint32_t wisp_ethif_receive(struct wisp_ethif *eth, wisp_time now)
{
    struct wisp_pkt *batch[WISP_ETHIF_BATCH];
    uint32_t n = eth->dev->ops->receive(eth->dev, batch, WISP_ETHIF_BATCH, now);
    for (uint32_t i = 0; i < n; i++) {
        if (i + 1 < n) {
            __builtin_prefetch(wisp_pkt_head(batch[i + 1]));
        }
        input(eth, batch[i], now);
    }
    return n;
}

static bool may_alloc(struct wisp_ethif *eth, bool reserved)
{
    uint32_t keep = reserved ? 0 : eth->reserve;
    return has_room(eth) && wisp_pktpool_available(eth->dev->tx_pool) > keep;
}

struct wisp_pkt *wisp_ethif_alloc(struct wisp_ethif *eth, bool reserved)
{
    return may_alloc(eth, reserved) ? wisp_pkt_alloc(eth->dev->tx_pool) : NULL;
}

struct wisp_pkt *wisp_ethif_express(struct wisp_ethif *eth, const uint8_t *header, uint32_t before,
                                    uint32_t length, bool reserved)
{
    if (eth->queued == WISP_ETHIF_QUEUE || !may_alloc(eth, reserved)) {
        return NULL;
    }
    uint32_t frame = length + WISP_ETHIF_HEADER;
    bool short_one = frame < WISP_ETHIF_MINIMUM;
    struct wisp_pkt *pkt = wisp_pkt_alloc_whole(eth->dev->tx_pool, before + WISP_ETHIF_HEADER,
                                                short_one ? WISP_ETHIF_MINIMUM : frame);
    uint8_t *front = wisp_pkt_transport(pkt) - before - WISP_ETHIF_HEADER;
    if (short_one) {
        memset(front + WISP_ETHIF_HEADER, 0, WISP_ETHIF_MINIMUM - WISP_ETHIF_HEADER);
        eth->count[WISP_ETHIF_TX_PADDED]++;
    }
    memcpy(front, header, WISP_ETHIF_HEADER);
    eth->queue[eth->queued++] = pkt;
    return pkt;
}

uint32_t wisp_ethif_room(struct wisp_ethif *eth)
{
    uint32_t packets = wisp_pktpool_available(eth->dev->tx_pool);
    uint32_t room = eth->dev->link ? ask_room(eth) : 0;
    uint32_t device = room > eth->queued ? room - eth->queued : 0;
    packets = packets > eth->reserve ? packets - eth->reserve : 0;
    return device < packets ? device : packets;
}

void wisp_ethif_header(const struct wisp_ethif *eth, struct wisp_mac destination, uint16_t type,
                       uint8_t header[WISP_ETHIF_HEADER])
{
    wisp_mac_put(header, destination);
    wisp_mac_put(header + 6, eth->mac);
    wisp_be16_put(header + 12, type);
}

/* Fills a short frame up with zeros, in its header cell: a payload of fewer than 46 bytes that lies
 * on a page of its own moves there first, since nothing may be written behind it. RFC 894;
 * CVE-2003-0001. */
static void pad(struct wisp_ethif *eth, struct wisp_pkt *pkt)
{
    uint32_t head = pkt->view[0].length;
    uint32_t payload = pkt->length - head;
    if (pkt->views > 1) {
        uint8_t bytes[WISP_ETHIF_MINIMUM];
        wisp_pkt_read(pkt, head, bytes, payload);
        wisp_pkt_trim(pkt, head);
        memcpy(wisp_pkt_extend(pkt, payload), bytes, payload);
        eth->count[WISP_ETHIF_BYTES_COPIED] += payload;
    }
    uint32_t missing = WISP_ETHIF_MINIMUM - pkt->length;
    memset(wisp_pkt_extend(pkt, missing), 0, missing);
    eth->count[WISP_ETHIF_TX_PADDED]++;
}

/* Whether the device, as it is now, takes a packet of this shape; blank checksums are completed if
 * it does not. It may have changed while the packet waited for its neighbour. */
static bool make_fit(struct wisp_ethif *eth, struct wisp_pkt *pkt)
{
    const struct wisp_netdev_caps *caps = &eth->dev->caps;
    uint32_t largest = pkt->gso == WISP_GSO_NONE ? caps->mtu : caps->gso_tx;
    if (pkt->length > largest + WISP_ETHIF_HEADER || pkt->views > caps->views_tx + 1u) {
        return false;
    }
    if (pkt->csum != WISP_CSUM_BLANK) {
        return true;
    }
    uint8_t need = pkt->csum_offset == 16 ? WISP_OFFLOAD_TCP4 : WISP_OFFLOAD_UDP4;
    if (!(caps->csum_tx & need)) {
        if (pkt->gso != WISP_GSO_NONE) {
            return false;
        }
        wisp_pkt_fill_csum(pkt, eth->sum);
        eth->count[WISP_ETHIF_TX_CSUM_COMPLETED]++;
    }
    return true;
}

static void transmit(struct wisp_ethif *eth, wisp_time now)
{
    uint32_t sent = 0;
    while (sent < eth->queued) {
        uint32_t n = eth->dev->ops->transmit(eth->dev, eth->queue + sent, eth->queued - sent, now);
        if (n == 0) {
            break;
        }
        sent += n;
    }
    if (sent > 0) {
        eth->queued -= sent;
        if (eth->queued > 0) {
            memmove(eth->queue, eth->queue + sent, eth->queued * sizeof(eth->queue[0]));
        }
        eth->count[WISP_ETHIF_TX_SENT] += sent;
        eth->unkicked = true;
    }
    eth->room = eth->queued == 0 && eth->room > sent ? eth->room - sent : 0;
}

void wisp_ethif_send(struct wisp_ethif *eth, struct wisp_pkt *pkt, const uint8_t *header,
                     wisp_time now)
{
    uint8_t *front = wisp_pkt_push(pkt, WISP_ETHIF_HEADER);
    if (!front || !make_fit(eth, pkt)) {
        eth->count[WISP_ETHIF_TX_UNFIT]++;
        wisp_pkt_drop(pkt);
        return;
    }
    memcpy(front, header, WISP_ETHIF_HEADER);
    if (pkt->length < WISP_ETHIF_MINIMUM) {
        pad(eth, pkt);
    }
    if (eth->queued == WISP_ETHIF_QUEUE && eth->dev->link) {
        transmit(eth, now);
    }
    if (eth->queued == WISP_ETHIF_QUEUE) {
        eth->count[WISP_ETHIF_TX_OVERFLOW]++;
        wisp_pkt_drop(pkt);
        return;
    }
    eth->queue[eth->queued++] = pkt;
}

void wisp_ethif_flush(struct wisp_ethif *eth, wisp_time now)
{
    if (eth->queued > 0 && eth->dev->link) {
        transmit(eth, now);
    }
    if (eth->unkicked) {
        eth->unkicked = false;
        eth->dev->ops->kick(eth->dev, now);
    }
}

bool wisp_ethif_join(struct wisp_ethif *eth, struct wisp_mac group)
{
    WISP_ASSERT(wisp_mac_is_group(group));
    uint64_t value = wisp_mac_value_get(group.octet);
    if (joined(eth, value)) {
        return true;
    }
    if (eth->groups == WISP_ETHIF_GROUPS) {
        return false;
    }
    eth->group[eth->groups++] = value;
    return true;
}

bool wisp_ethif_counter(const struct wisp_ethif *eth, uint32_t index, struct wisp_counter *counter)
{
    return wisp_count_at(&count_names, eth->count, index, counter);
}
