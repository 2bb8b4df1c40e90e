/* SPDX-License-Identifier: ISC */
/*
 * Checksum and GSO state of received frames (netif.h). The RX flag bits are not the TX ones. Where
 * a checksum stands is found by our own parse of the headers, never told by the backend; a frame in
 * which we find no unfragmented TCP or UDP over IPv4 cannot have a blank one.
 *
 *   csum_blank                 the field holds the pseudo-header's sum: local to the backend's host
 *   data_validated alone       the backend checked it: believed if the policy says so
 *   neither                    verify
 */
#include "offload.h"
#include "bytes.h"
#include "wire.h"

#define ETHERTYPE_IP4 0x0800
#define PROTOCOL_TCP  6
#define PROTOCOL_UDP  17
#define IP4_HEAD      20u
#define TCP_HEAD      20u
#define UDP_HEAD      8u

/* Where the transport header of an IPv4 frame begins and what it is. */
struct transport {
    uint32_t start;
    uint32_t head; /* bytes of transport header */
    uint8_t protocol;
};

static bool tcp_head(const struct wisp_pkt *pkt, struct transport *transport)
{
    uint8_t at12;
    if (!wisp_pkt_read(pkt, transport->start + 12, &at12, 1)) {
        return false;
    }
    transport->head = (uint32_t)(at12 >> 4) * 4;
    return transport->head >= TCP_HEAD;
}

static bool find_transport(const struct wisp_pkt *pkt, struct transport *transport)
{
    uint8_t head[NETFRONT_ETH_HEAD + IP4_HEAD];
    if (!wisp_pkt_read(pkt, 0, head, sizeof(head)) || wisp_be16_get(head + 12) != ETHERTYPE_IP4) {
        return false;
    }
    const uint8_t *ip = head + NETFRONT_ETH_HEAD;
    uint32_t ip_head = (ip[0] & 15u) * 4;
    bool fragment = (wisp_be16_get(ip + 6) & 0x3fff) != 0;
    if (ip[0] >> 4 != 4 || ip_head < IP4_HEAD || fragment) {
        return false;
    }
    transport->start = NETFRONT_ETH_HEAD + ip_head;
    transport->protocol = ip[9];
    transport->head = UDP_HEAD;
    if (transport->protocol == PROTOCOL_TCP && !tcp_head(pkt, transport)) {
        return false;
    }
    bool known = transport->protocol == PROTOCOL_TCP || transport->protocol == PROTOCOL_UDP;
    return known && transport->start + transport->head <= pkt->length;
}

/* Merged segments share one header, whose checksum fits none of them: it must be blank or vouched
 * for. */
static bool judge_gso(struct wisp_pkt *pkt, const struct transport *transport, uint16_t gso_size,
                      const struct offload_policy *policy)
{
    if (!policy->gso || transport->protocol != PROTOCOL_TCP || pkt->csum == WISP_CSUM_UNKNOWN) {
        return false;
    }
    if (pkt->length - transport->start - transport->head > gso_size) {
        pkt->gso = WISP_GSO_TCP4;
        pkt->gso_size = gso_size;
    }
    return true;
}

bool offload_judge_claims(struct wisp_pkt *pkt, bool blank, uint16_t gso_size,
                          const struct offload_policy *policy)
{
    struct transport transport;
    if (blank) {
        pkt->csum = WISP_CSUM_BLANK;
    }
    if ((blank && !policy->csum) || !find_transport(pkt, &transport)) {
        return false;
    }
    pkt->csum_start = (uint16_t)transport.start;
    pkt->csum_offset = transport.protocol == PROTOCOL_TCP ? 16 : 6;
    return gso_size == 0 || judge_gso(pkt, &transport, gso_size, policy);
}
