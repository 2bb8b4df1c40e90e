/* SPDX-License-Identifier: ISC */
/*
 * Feature negotiation (netif.h; xen-netback's entries). A feature is on when it is offered by both.
 * A value that is no number of the expected size is counted and treated as if it were not there:
 * the lesser feature is always a legal one.
 *
 * Directions: the backend's feature-sg and feature-gso-tcpv4 say what *it* takes, ours say what
 * *we* take; feature-no-csum-offload takes back what is otherwise understood. The MTU is the
 * toolstack's, at most 1500 without scatter-gather.
 */
#include "offers.h"
#include "netfront.h"

#define MTU_DEFAULT 1500u
#define MTU_LEAST   68u
#define MTU_MOST    65521u /* XEN_NETIF_MAX_TX_SIZE less the Ethernet header */

static bool flag(const struct keys *keys, const char *key, uint32_t *bad)
{
    uint32_t value = 0;
    bool wrong = false;
    keys_read_number(keys, key, 1, &value, &wrong);
    *bad += wrong;
    return value == 1;
}

static uint8_t queue_count(const struct keys *back, uint8_t wanted, bool *keyed, uint32_t *bad)
{
    uint32_t most = 1;
    bool wrong = false;
    *keyed = keys_read_number(back, "multi-queue-max-queues", UINT32_MAX, &most, &wrong);
    *bad += wrong || most == 0;
    if (most == 0) {
        return 1;
    }
    return most < wanted ? (uint8_t)most : wanted;
}

void features_parse(struct features *features, const struct keys *back, uint32_t offers,
                    uint8_t queues, uint32_t *bad)
{
    bool csum = !flag(back, "feature-no-csum-offload", bad);
    bool sg = offers & WISP_OFFER_SG;
    bool gso = sg && (offers & WISP_OFFER_GSO);
    features->csum_tx = csum && (offers & WISP_OFFER_CSUM_TX);
    features->csum_rx = offers & WISP_OFFER_CSUM_RX;
    features->sg_tx = flag(back, "feature-sg", bad) && sg;
    features->sg_rx = sg;
    features->gso_tx =
        flag(back, "feature-gso-tcpv4", bad) && gso && features->sg_tx && features->csum_tx;
    features->gso_rx = gso && features->csum_rx;
    features->rx_notify = offers & WISP_OFFER_RX_NOTIFY;
    features->split =
        flag(back, "feature-split-event-channels", bad) && (offers & WISP_OFFER_SPLIT_EVENTS);
    features->multicast =
        flag(back, "feature-multicast-control", bad) && (offers & WISP_OFFER_MULTICAST);
    features->queues = queue_count(back, queues, &features->keyed_queues, bad);
}

enum wisp_xs_result features_emit(const struct features *features, const struct keys *front)
{
    const struct {
        const char *key;
        bool on;
    } entry[] = {
        {"request-rx-copy", true},
        {"feature-rx-notify", features->rx_notify},
        {"feature-sg", features->sg_rx},
        {"feature-gso-tcpv4", features->gso_rx},
        {"feature-no-csum-offload", !features->csum_rx},
        {"request-multicast-control", features->multicast},
    };
    for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++) {
        enum wisp_xs_result result = keys_write(front, entry[i].key, entry[i].on ? "1" : "0");
        if (result != WISP_XS_OK) {
            return result;
        }
    }
    if (!features->keyed_queues) {
        return keys_remove(front, "multi-queue-num-queues");
    }
    return keys_write_number(front, "multi-queue-num-queues", features->queues);
}

static bool read_mac(const struct keys *keys, struct wisp_mac *mac, uint32_t *bad)
{
    char value[WISP_XS_VALUE_MAX];
    if (keys_read(keys, "mac", value, sizeof(value)) != WISP_XS_OK) {
        return false;
    }
    /* A station's address: one that is a group's, or nobody's, is no use. */
    bool good = wisp_mac_parse(value, text_length(value), mac) && !(mac->octet[0] & 1) &&
                !wisp_mac_equal(*mac, (struct wisp_mac){{0}});
    *bad += !good;
    return good;
}

bool identity_parse(struct identity *identity, const struct keys *front, const struct keys *back,
                    uint32_t *bad)
{
    uint32_t mtu = MTU_DEFAULT;
    uint32_t trusted = 1;
    bool wrong = false;
    keys_read_number(front, "mtu", UINT16_MAX, &mtu, &wrong);
    if (mtu < MTU_LEAST || mtu > MTU_MOST) {
        mtu = MTU_DEFAULT;
        wrong = true;
    }
    *bad += wrong;
    wrong = false;
    keys_read_number(front, "trusted", 1, &trusted, &wrong);
    *bad += wrong;
    identity->mtu = (uint16_t)mtu;
    /* What cannot be read is no reason to trust. */
    identity->trusted = trusted == 1 && !wrong;
    return read_mac(front, &identity->mac, bad) || read_mac(back, &identity->mac, bad);
}
