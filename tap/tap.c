/* SPDX-License-Identifier: ISC */
/*
 * The tap as a wisp_netdev.
 *
 * Receiving: a set of pages stands ready (role RX), enough for the largest frame the kernel may deliver. One
 * readv fills them from the first on; the pages used move into the packet, the others stay. Where a frame
 * starts in its first page moves by 64 bytes from frame to frame (performance.md §3.4). When the pool has
 * no page to fill the set up again, frames that still fit are taken, larger ones are dropped and counted;
 * with no page at all a spare one catches short frames (ACK, ARP) and they go up on a copy on a reserved
 * page, for otherwise nothing would ever free a page.
 *
 * Sending: one writev per packet. The kernel has copied when it returns, so a packet is completed at once.
 *
 * The kernel is believed about checksums (it is what we run on) but what it says is checked to lie within the
 * frame. Left out: GSO for UDP and IPv6, several queues, vhost.
 */
#include "tap.h"
#include "attach.h"
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define DONE_RING   1024u /* packets sent and not yet collected */
#define DONE_MASK   (DONE_RING - 1)
#define PAGES_MOST  17u /* 14 + 65535 bytes starting up to 960 bytes into the first page */
#define STAGGER     15u /* first offsets used: 0, 64, ... 960 */
#define RX_PACKETS  (DONE_RING + 64u)
#define SHORT_FRAME 256u /* passes on a reserved page */
#define IP_MOST     65535u

struct wisp_tap {
    struct wisp_netdev dev; /* first: the device itself */
    struct wisp_pktpool *rx_pool;
    struct wisp_page *spare;
    struct wisp_page *ready[PAGES_MOST];
    uint32_t ready_count;
    uint32_t ready_most; /* pages for the largest frame */
    uint32_t slot;
    int fd;
    bool more;                  /* the last receive stopped before the kernel's queue was empty */
    uint32_t done_in, done_out; /* free running */
    struct wisp_pkt *done[DONE_RING];
};

static struct wisp_tap *tap_of(struct wisp_netdev *dev)
{
    return (struct wisp_tap *)(void *)dev;
}

/* Fills the set of standing pages as far as the pool allows. */
static void refill(struct wisp_tap *tap)
{
    while (tap->ready_count < tap->ready_most) {
        struct wisp_page *page = wisp_page_alloc(tap->dev.pages, WISP_ROLE_RX, WISP_HOLDER_DEVICE);
        if (!page) {
            return;
        }
        tap->ready[tap->ready_count++] = page;
    }
}

/* The frame goes onto the standing pages from offset on, and its rest, if they are few, onto the spare one. */
static ssize_t read_frame(struct wisp_tap *tap, struct virtio_net_hdr *header, uint32_t offset)
{
    struct iovec part[PAGES_MOST + 2] = {{header, TAP_HEADER}};
    int parts = 1;
    for (uint32_t i = 0; i < tap->ready_count; i++) {
        part[parts].iov_base = tap->ready[i]->data + offset;
        part[parts++].iov_len = WISP_PAGE_SIZE - offset;
        offset = 0;
    }
    if (tap->ready_count < tap->ready_most) {
        part[parts].iov_base = tap->spare->data;
        part[parts++].iov_len = WISP_PAGE_SIZE;
    }
    return readv(tap->fd, part, parts);
}

/* Moves the pages that hold the frame into pkt and closes the gap they leave. */
static void take_pages(struct wisp_tap *tap, struct wisp_pkt *pkt, uint32_t offset, uint32_t length)
{
    uint32_t used = 0;
    while (length > 0) {
        uint32_t part = WISP_PAGE_SIZE - offset < length ? WISP_PAGE_SIZE - offset : length;
        wisp_page_hold(tap->ready[used], WISP_HOLDER_PACKET);
        (void)wisp_pkt_append(pkt, tap->ready[used++], offset, part);
        length -= part;
        offset = 0;
    }
    tap->ready_count -= used;
    memmove(tap->ready, tap->ready + used, tap->ready_count * sizeof(tap->ready[0]));
}

/* With no page left: a short frame goes up on a reserved page, copied off the spare one. */
static bool rescue(struct wisp_tap *tap, struct wisp_pkt *pkt, uint32_t length)
{
    if (tap->ready_count > 0 || length > SHORT_FRAME) {
        return false;
    }
    struct wisp_page *page =
        wisp_page_alloc_reserved(tap->dev.pages, WISP_ROLE_RX, WISP_HOLDER_PACKET);
    if (!page) {
        return false;
    }
    memcpy(page->data, tap->spare->data, length);
    tap->dev.stats.bytes_copied += length;
    (void)wisp_pkt_append(pkt, page, 0, length);
    return true;
}

static bool note_csum(struct wisp_pkt *pkt, const struct virtio_net_hdr *header)
{
    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        pkt->csum = WISP_CSUM_BLANK;
        pkt->csum_start = header->csum_start;
        pkt->csum_offset = header->csum_offset;
        return (uint32_t)header->csum_start + header->csum_offset + 2 <= pkt->length;
    }
    if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        pkt->csum = WISP_CSUM_VERIFIED;
    }
    return true;
}

static bool note_gso(struct wisp_pkt *pkt, const struct virtio_net_hdr *header)
{
    unsigned type = header->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
    if (type == VIRTIO_NET_HDR_GSO_NONE) {
        return true;
    }
    pkt->gso = WISP_GSO_TCP4;
    pkt->gso_size = header->gso_size;
    return type == VIRTIO_NET_HDR_GSO_TCPV4 && header->gso_size > 0;
}

static bool place(struct wisp_tap *tap, struct wisp_pkt *pkt, uint32_t offset, uint32_t length)
{
    uint32_t space = tap->ready_count ? tap->ready_count * WISP_PAGE_SIZE - offset : 0;
    if (length > space) {
        return rescue(tap, pkt, length);
    }
    take_pages(tap, pkt, offset, length);
    return true;
}

/* The frame just read as a packet, or null: it is dropped. */
static struct wisp_pkt *packet_of(struct wisp_tap *tap, const struct virtio_net_hdr *header,
                                  uint32_t offset, uint32_t length)
{
    struct wisp_pkt *pkt = wisp_pkt_alloc(tap->rx_pool);
    if (pkt && place(tap, pkt, offset, length) && note_csum(pkt, header) && note_gso(pkt, header)) {
        return pkt;
    }
    wisp_pkt_drop(pkt);
    return NULL;
}

static uint32_t receive(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max,
                        wisp_time now)
{
    struct wisp_tap *tap = tap_of(dev);
    uint32_t n = 0;
    (void)now;
    tap->more = true;
    while (n < max) {
        struct virtio_net_hdr header;
        uint32_t offset = 64 * (tap->slot++ & STAGGER);
        if (wisp_pktpool_available(tap->rx_pool) == 0) {
            break;
        }
        refill(tap);
        ssize_t got = read_frame(tap, &header, offset);
        if (got <= TAP_HEADER) {
            tap->more = got >= 0 || errno == EINTR;
            break;
        }
        struct wisp_pkt *pkt = packet_of(tap, &header, offset, (uint32_t)got - TAP_HEADER);
        if (!pkt) {
            dev->stats.rx_dropped++;
            continue;
        }
        dev->stats.rx_packets++;
        dev->stats.rx_bytes += pkt->length;
        pkts[n++] = pkt;
    }
    return n;
}

static uint32_t room(struct wisp_netdev *dev)
{
    struct wisp_tap *tap = tap_of(dev);
    return DONE_RING - (tap->done_in - tap->done_out);
}

/* Bytes of all headers, which the kernel wants to lie together: up to the end of the TCP header. */
static uint16_t headers_of(const struct wisp_pkt *pkt)
{
    uint8_t data_offset = 0;
    (void)wisp_pkt_read(pkt, pkt->csum_start + 12u, &data_offset, 1);
    return (uint16_t)(pkt->csum_start + 4u * (data_offset >> 4));
}

static struct virtio_net_hdr header_of(const struct wisp_pkt *pkt)
{
    struct virtio_net_hdr header = {0};
    if (pkt->csum == WISP_CSUM_BLANK) {
        header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header.csum_start = pkt->csum_start;
        header.csum_offset = pkt->csum_offset;
    }
    if (pkt->gso == WISP_GSO_TCP4) {
        header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        header.gso_size = pkt->gso_size;
        header.hdr_len = headers_of(pkt);
    }
    return header;
}

static bool write_frame(struct wisp_tap *tap, const struct wisp_pkt *pkt)
{
    struct virtio_net_hdr header = header_of(pkt);
    struct iovec part[WISP_PKT_VIEWS + 1] = {{&header, TAP_HEADER}};
    int parts = 1;
    for (uint32_t i = 0; i < pkt->views; i++) {
        if (pkt->view[i].length) {
            part[parts].iov_base = wisp_view_bytes(&pkt->view[i]);
            part[parts++].iov_len = pkt->view[i].length;
        }
    }
    ssize_t wrote;
    do {
        wrote = writev(tap->fd, part, parts);
    } while (wrote < 0 && errno == EINTR);
    return wrote > 0;
}

static uint32_t transmit(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t count,
                         wisp_time now)
{
    struct wisp_tap *tap = tap_of(dev);
    uint32_t space = room(dev);
    uint32_t n = count < space ? count : space;
    (void)now;
    for (uint32_t i = 0; i < n; i++) {
        if (write_frame(tap, pkts[i])) {
            dev->stats.tx_packets++;
            dev->stats.tx_bytes += pkts[i]->length;
        } else {
            dev->stats.tx_dropped++; /* interface down: TCP will send it again */
        }
        tap->done[tap->done_in++ & DONE_MASK] = pkts[i];
    }
    return n;
}

static void kick(struct wisp_netdev *dev, wisp_time now)
{
    (void)dev; /* writev has told already */
    (void)now;
}

static uint32_t completed(struct wisp_netdev *dev, struct wisp_pkt **pkts, uint32_t max)
{
    struct wisp_tap *tap = tap_of(dev);
    uint32_t n = 0;
    while (n < max && tap->done_out != tap->done_in) {
        pkts[n++] = tap->done[tap->done_out++ & DONE_MASK];
    }
    return n;
}

static wisp_time deadline(struct wisp_netdev *dev, wisp_time now)
{
    struct wisp_tap *tap = tap_of(dev);
    return tap->more || tap->done_in != tap->done_out ? now : WISP_NEVER;
}

static const struct wisp_netdev_ops tap_ops = {
    .receive = receive,
    .room = room,
    .transmit = transmit,
    .kick = kick,
    .completed = completed,
    .deadline = deadline,
};

/* A locally administered address that stays the same for a name. */
static struct wisp_mac mac_of(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++) {
        h = (h ^ (uint8_t)*name) * 16777619u;
    }
    return (struct wisp_mac){
        {0x02, 0x77, (uint8_t)(h >> 24), (uint8_t)(h >> 16), (uint8_t)(h >> 8), (uint8_t)h}};
}

static struct wisp_netdev_caps caps_of(const struct wisp_tap_config *config, uint16_t mtu)
{
    static const struct wisp_mac none;
    uint8_t csum = config->csum ? WISP_OFFLOAD_TCP4 | WISP_OFFLOAD_UDP4 : 0;
    uint32_t gso = config->csum && config->gso ? IP_MOST : 0;
    return (struct wisp_netdev_caps){
        .mac = wisp_mac_equal(config->mac, none) ? mac_of(config->name) : config->mac,
        .mtu = mtu,
        .csum_tx = csum,
        .csum_rx = csum,
        .gso_tx = gso,
        .gso_rx = gso,
        .views_tx = WISP_PKT_VIEWS - 1,
    };
}

static uint32_t packets_of(const struct wisp_tap_config *config)
{
    return config->packets ? config->packets : 512;
}

static size_t rounded(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

size_t wisp_tap_size(const struct wisp_tap_config *config)
{
    return rounded(sizeof(struct wisp_tap)) + rounded(wisp_pktpool_size(packets_of(config))) +
           wisp_pktpool_size(RX_PACKETS);
}

static bool pools_init(struct wisp_tap *tap, const struct wisp_tap_config *config, uint8_t *mem)
{
    size_t tx = rounded(wisp_pktpool_size(packets_of(config)));
    tap->dev.tx_pool = wisp_pktpool_init(mem, tx, packets_of(config), tap->dev.pages);
    tap->rx_pool = wisp_pktpool_init(mem + tx, wisp_pktpool_size(RX_PACKETS), RX_PACKETS, NULL);
    tap->spare = wisp_page_alloc(tap->dev.pages, WISP_ROLE_RX, WISP_HOLDER_DEVICE);
    refill(tap);
    return tap->dev.tx_pool && tap->rx_pool && tap->spare && tap->ready_count == tap->ready_most;
}

struct wisp_tap *wisp_tap_open(void *mem, size_t size, const struct wisp_tap_config *config,
                               struct wisp_pool *pages, char *why, size_t why_size)
{
    struct wisp_tap *tap = mem;
    struct tap_attached attached;
    if (size < wisp_tap_size(config) || !tap_attach(config, &attached, why, why_size)) {
        return NULL;
    }
    *tap = (struct wisp_tap){.fd = attached.fd};
    tap->dev.ops = &tap_ops;
    tap->dev.caps = caps_of(config, attached.mtu);
    tap->dev.pages = pages;
    tap->dev.link = true;
    uint32_t most = tap->dev.caps.gso_rx ? IP_MOST : attached.mtu;
    tap->ready_most = (14 + 4 + most + 64 * STAGGER + WISP_PAGE_SIZE - 1) / WISP_PAGE_SIZE;
    if (!pools_init(tap, config, (uint8_t *)mem + rounded(sizeof(*tap)))) {
        wisp_tap_close(tap);
        static const char text[] = "too little memory for the tap's packets: raise --memory";
        memcpy(why, text, why_size < sizeof(text) ? why_size : sizeof(text));
        why[why_size - 1] = 0;
        return NULL;
    }
    return tap;
}

void wisp_tap_close(struct wisp_tap *tap)
{
    close(tap->fd);
    while (tap->ready_count > 0) {
        wisp_page_unref(tap->ready[--tap->ready_count]);
    }
    if (tap->spare) {
        wisp_page_unref(tap->spare);
    }
    while (tap->done_out != tap->done_in) {
        wisp_pkt_drop(tap->done[tap->done_out++ & DONE_MASK]);
    }
    if (tap->dev.tx_pool) {
        wisp_pktpool_fini(tap->dev.tx_pool);
    }
}

struct wisp_netdev *wisp_tap_dev(struct wisp_tap *tap)
{
    return &tap->dev;
}

int wisp_tap_fd(const struct wisp_tap *tap)
{
    return tap->fd;
}
