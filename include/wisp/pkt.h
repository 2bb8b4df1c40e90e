/* SPDX-License-Identifier: ISC */
/*
 * Packets: an array of views, and what is known about the bytes in them.
 *
 *   view[0]  headers (sending: the packet's own header cell, filled from the back towards the front)
 *   view[1]  payload ... up to WISP_PKT_VIEWS - 1 payload views
 *
 * A packet is moved: whoever is handed one as `struct wisp_pkt *` owns it, whatever the function returns,
 * and ends it by moving it on or by wisp_pkt_drop. Every view holds one reference of its page, except the
 * header cell, which belongs to the packet for life: cells lie in pages of role SEND that hold nothing but
 * headers and small payloads sent on this device, and a cell is not written again before the device let go
 * of its packet, because the packet is not free before that.
 *
 * A packet belongs to one thread at a time, as its pools do. None of these functions calls back.
 */
#ifndef WISP_PKT_H
#define WISP_PKT_H

#include <wisp/page.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WISP_PKT_VIEWS 18u  /* one for headers and 17 of payload: what netfront's 18 slots carry */
#define WISP_CELL_SIZE 256u /* a header cell: all headers and a small payload in one slot */
#define WISP_CELL_HEAD 64u  /* room before the transport header: Ethernet, IPv4 with some options */
#define WISP_CELL_BODY (WISP_CELL_SIZE - WISP_CELL_HEAD) /* transport header and small payload */

/* What is known of the transport checksum (not of IPv4's header checksum, which is always software's). */
enum wisp_csum {
    WISP_CSUM_UNKNOWN,  /* receiving: verify it. sending: it is complete in the bytes */
    WISP_CSUM_VERIFIED, /* receiving: a trusted device checked it */
    /* the field holds the pseudo-header's sum only; start and offset say where */
    WISP_CSUM_BLANK
};

enum wisp_gso {
    WISP_GSO_NONE,
    WISP_GSO_TCP4 /* one TCP segment to be cut into gso_size bytes of payload each */
};

enum wisp_pkt_flag {
    WISP_PKT_HELD = 1,      /* in a device's hands */
    WISP_PKT_BROADCAST = 2, /* came in a link-layer broadcast or multicast */
    /* pages a backend may still change (persistent grants, trusted backend) */
    WISP_PKT_MUTABLE = 4,
    WISP_PKT_FAILED = 8 /* completed, but the device said that it was not sent */
};

struct wisp_pktpool;

struct wisp_pkt {
    struct wisp_pktpool *pool;
    struct wisp_pkt *next; /* for its owner of the moment: a queue, a free list */
    uint32_t length;       /* bytes in all views */
    uint8_t views;         /* used entries of view[] */
    uint8_t csum;          /* enum wisp_csum */
    uint8_t gso;           /* enum wisp_gso */
    uint8_t flags;         /* enum wisp_pkt_flag */
    uint16_t csum_start;   /* BLANK: sum from here, counted from the packet's first byte ... */
    uint16_t csum_offset;  /* ... and store it here, counted from csum_start */
    uint16_t gso_size;     /* payload bytes of each segment (the MSS) */
    uint16_t queue;        /* a hash of the flow, for devices with several queues */
    /* who wants to know when the device lets go (a struct wisp_transport), or null */
    const void *owner;
    void *mark;            /* the owner's */
    uint32_t mark_value;   /* the owner's */
    uint32_t device_value; /* the device's: a slot number, say */
    struct wisp_view cell; /* its own header cell; length is WISP_CELL_SIZE, or 0 without one */
    struct wisp_view view[WISP_PKT_VIEWS];
};

/* Bytes of memory a pool of that many packets needs. */
size_t wisp_pktpool_size(uint32_t packets);

/*
 * Makes a pool of packets in mem (8-aligned, wisp_pktpool_size(packets) bytes). With pages given, each
 * packet gets a header cell on pages taken from there (WISP_ROLE_SEND, about one page for 15 packets), which
 * are given back by wisp_pktpool_fini; without, packets have no cell and only receive.
 * Returns null when mem is too small or pages run out (nothing is kept then).
 */
struct wisp_pktpool *wisp_pktpool_init(void *mem, size_t size, uint32_t packets,
                                       struct wisp_pool *pages);

/* Gives header pages back. All packets must have come home. */
void wisp_pktpool_fini(struct wisp_pktpool *pool);

/*
 * told is called with context and each packet that has an owner when it is dropped, wherever that happens: after
 * the device let go of it, or because it was never sent. So no path can forget the owner. Null: nobody.
 */
void wisp_pktpool_tell(struct wisp_pktpool *pool, void (*told)(void *context, struct wisp_pkt *pkt),
                       void *context);

/* Packets now free. */
uint32_t wisp_pktpool_available(const struct wisp_pktpool *pool);

/* Calls fn for each header page of the pool (for drivers that grant them). */
void wisp_pktpool_each_page(struct wisp_pktpool *pool,
                            void (*fn)(void *context, struct wisp_page *page), void *context);

/*
 * An empty packet, owned by the caller, or null (an ordinary result: wait for completions). All fields are
 * reset; with a cell, view[0] is empty and stands WISP_CELL_HEAD bytes into it, so that a transport header
 * is appended and lower headers are pushed in front.
 */
struct wisp_pkt *wisp_pkt_alloc(struct wisp_pktpool *pool);

/*
 * The same, with length bytes already in the cell (contents undefined) of which front lie before
 * the place of the transport header: for who writes all headers at once. Only from a pool with
 * cells; front <= WISP_CELL_HEAD, length <= front + WISP_CELL_BODY.
 */
struct wisp_pkt *wisp_pkt_alloc_whole(struct wisp_pktpool *pool, uint32_t front, uint32_t length);

/* Ends a packet: drops its views' references and frees it. Null is allowed. Not while a device holds it. */
void wisp_pkt_drop(struct wisp_pkt *pkt);

/* Drops all views of a packet, its header cell's too, so that other ones can be appended. */
void wisp_pkt_clear(struct wisp_pkt *pkt);

/* Appends a view and moves the caller's page reference into the packet. False when all views are used
 * (nothing changes then). length may not be 0. */
bool wisp_pkt_append(struct wisp_pkt *pkt, struct wisp_page *page, uint32_t offset,
                     uint32_t length);

/*
 * Appends the bytes of a received view, to be sent: by reference (counted anew), or copied onto a page of
 * role SEND when its page is PRIVATE, which no device may read. False, with nothing changed, when views or
 * pages ran out. *copied grows by the bytes copied.
 */
bool wisp_pkt_append_received(struct wisp_pkt *pkt, const struct wisp_view *view,
                              struct wisp_pool *pages, uint64_t *copied);

/* Appends length bytes of room to view[0], the header cell, and returns them (contents undefined).
 * Only before any payload view; header and small payload together at most WISP_CELL_BODY. */
uint8_t *wisp_pkt_extend(struct wisp_pkt *pkt, uint32_t length);

/* Makes room for n more bytes in front and returns them (contents undefined); null without headroom. */
static inline uint8_t *wisp_pkt_push(struct wisp_pkt *pkt, uint32_t n)
{
    struct wisp_view *head = &pkt->view[0];
    if (head->offset < pkt->cell.offset + n || pkt->cell.length == 0) {
        return NULL;
    }
    head->offset -= n;
    head->length += n;
    pkt->length += n;
    pkt->csum_start = (uint16_t)(pkt->csum_start + n);
    return wisp_view_bytes(head);
}

/* The first bytes of the packet. */
static inline uint8_t *wisp_pkt_head(const struct wisp_pkt *pkt)
{
    return wisp_view_bytes(&pkt->view[0]);
}

/* Where the transport header stands in a packet being sent, whatever lies before it. */
static inline uint8_t *wisp_pkt_transport(const struct wisp_pkt *pkt)
{
    return wisp_view_bytes(&pkt->cell) + WISP_CELL_HEAD;
}

/* Bytes that lie together from the packet's first byte on. */
static inline uint32_t wisp_pkt_linear(const struct wisp_pkt *pkt)
{
    return pkt->views ? pkt->view[0].length : 0;
}

/* Not for callers: wisp_pkt_pull beyond the first view. */
void wisp_pkt_pull_views(struct wisp_pkt *pkt, uint32_t n);

/*
 * Takes n <= length bytes off the front (a parsed header); views that become empty are dropped, the last
 * one excepted. A blank checksum's start moves along.
 */
static inline void wisp_pkt_pull(struct wisp_pkt *pkt, uint32_t n)
{
    if (n >= pkt->view[0].length) {
        wisp_pkt_pull_views(pkt, n);
        return;
    }
    pkt->length -= n;
    pkt->csum_start = (uint16_t)(pkt->csum_start - n);
    pkt->view[0].offset += n;
    pkt->view[0].length -= n;
}

/* Cuts the packet to length bytes (at most what it has): padding goes, as do views beyond. */
void wisp_pkt_trim(struct wisp_pkt *pkt, uint32_t length);

/*
 * Makes the first n bytes (n <= length, n <= WISP_PAGE_SIZE) lie together, by copying up to 256 of them
 * onto a page of role PRIVATE when they do not. False when there was no page: drop the packet.
 * *copied grows by the bytes copied.
 */
bool wisp_pkt_linearise(struct wisp_pkt *pkt, struct wisp_pool *pages, uint32_t n,
                        uint64_t *copied);

/* Copies length bytes from offset on into bytes; false, with nothing copied, when the packet is shorter. */
bool wisp_pkt_read(const struct wisp_pkt *pkt, uint32_t offset, void *bytes, uint32_t length);

/* The one's complement sum (see hash.h) of length bytes from offset on; they must exist. */
uint16_t wisp_pkt_sum_views(const struct wisp_pkt *pkt, uint32_t offset, uint32_t length,
                            uint16_t (*sum)(const void *, size_t));

/* The same; quick for bytes that lie in the first view. */
static inline uint16_t wisp_pkt_sum(const struct wisp_pkt *pkt, uint32_t offset, uint32_t length,
                                    uint16_t (*sum)(const void *, size_t))
{
    if (pkt->views && pkt->view[0].length >= offset && length <= pkt->view[0].length - offset) {
        return sum(wisp_view_bytes(&pkt->view[0]) + offset, length);
    }
    return wisp_pkt_sum_views(pkt, offset, length, sum);
}

/*
 * Completes a blank checksum in software: for devices and wrappers that cannot. The csum state becomes
 * UNKNOWN (complete). Does nothing in the other states, nor for a GSO packet (asserted in test builds).
 */
void wisp_pkt_fill_csum(struct wisp_pkt *pkt, uint16_t (*sum)(const void *, size_t));

#ifdef __cplusplus
}
#endif
#endif
