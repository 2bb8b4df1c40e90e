/* SPDX-License-Identifier: ISC */
/*
 * Reassembly (RFC 791 §3.2, RFC 815, RFC 1122 §3.3.2; RFC 1858 and 3128 for tiny fragments),
 * hardened.
 *
 * Fragments are copied to where they belong in the datagram, onto pages taken as needed, so a
 * datagram holds at most 17 pages however it was cut, and leaves as an ordinary packet:
 *
 *   page 0: | ... header | payload from START on ...      page 1: | payload ...
 *
 * One overlap rule (RFC 5722's): an exact duplicate is ignored; any other overlap, as well as two
 * different ends, discards the datagram and poisons its identification: what still comes of it is
 * dropped until it expires. So no byte is ever written twice, and nobody can choose which of two
 * versions is believed.
 *
 * Bounds: datagrams and pages in all, half of each per source (the oldest goes first), RANGES
 * fragments per datagram, LIFETIME. Which datagram a fragment belongs to is looked up by its four
 * identifying fields.
 *
 * Pages have role SEND: an echo's answer goes out on them, and they hold nothing that did not come
 * from there.
 */
#include "reassembly.h"
#include "assert.h"
#include "count_names.h"
#include <wisp/clock.h>
#include <wisp/stack.h>

#define START     64u /* of the payload on page 0; the header stands before it */
#define PAGES     17u /* START + 65,515 bytes */
#define RANGES    128u
#define LIFETIME  WISP_SEC(30)
#define TOTAL_MAX 65535u

#define ECN_MASK    3u
#define ECN_CE      3u
#define ECN_NOT_ECT 0u

enum count {
    RX_DUPLICATE,
    RX_BAD_LENGTH, /* nothing in it, or not a multiple of eight though more follow */
    RX_TOO_LONG,   /* would end beyond 65,535 bytes */
    RX_TINY,       /* splits the transport header */
    RX_OVERLAP,    /* datagrams discarded for it */
    RX_TWO_ENDS,
    RX_TOO_MANY, /* more than RANGES */
    RX_POISONED, /* fragments of discarded datagrams */
    RX_BAD_ECN,  /* RFC 3168 §5.3 */
    RX_NO_PAGE,
    EVICTED,
    TIMED_OUT,
    BYTES_COPIED,
    COUNTS
};

#define NAMES(NAME)                                                                                \
    NAME(RX_DUPLICATE, "ipv4.reassembly.duplicate")                                                \
    NAME(RX_BAD_LENGTH, "ipv4.reassembly.bad_length")                                              \
    NAME(RX_TOO_LONG, "ipv4.reassembly.too_long")                                                  \
    NAME(RX_TINY, "ipv4.reassembly.tiny")                                                          \
    NAME(RX_OVERLAP, "ipv4.reassembly.overlap")                                                    \
    NAME(RX_TWO_ENDS, "ipv4.reassembly.two_ends")                                                  \
    NAME(RX_TOO_MANY, "ipv4.reassembly.too_many")                                                  \
    NAME(RX_POISONED, "ipv4.reassembly.poisoned")                                                  \
    NAME(RX_BAD_ECN, "ipv4.reassembly.bad_ecn")                                                    \
    NAME(RX_NO_PAGE, "ipv4.reassembly.no_page")                                                    \
    NAME(EVICTED, "ipv4.reassembly.evicted")                                                       \
    NAME(TIMED_OUT, "ipv4.reassembly.timed_out")                                                   \
    NAME(BYTES_COPIED, "ipv4.reassembly.bytes_copied")
WISP_COUNT_NAMES(NAMES, COUNTS);

struct range {
    uint16_t start, end;
};

struct datagram {
    /* the first fragment's, once has_first; else identifying fields only */
    struct wisp_ipv4_header header;
    bool used, poisoned, has_first, has_end;
    uint8_t ecn_seen; /* a bit per codepoint */
    uint8_t pages;
    uint16_t ranges;
    uint32_t received; /* bytes */
    uint32_t end;
    wisp_time expires;
    struct wisp_page *page[PAGES];
    struct range range[RANGES]; /* in order, apart from each other */
};

struct wisp_reassembly {
    struct wisp_reassembly_config config;
    struct datagram *datagram;
    uint32_t used;
    uint32_t pages;
    uint64_t count[COUNTS];
};

/* A fragment's place. */
struct place {
    uint32_t start, end;
    bool more;
};

static struct wisp_reassembly *layout(const struct wisp_reassembly_config *config,
                                      struct wisp_arena *arena)
{
    struct wisp_reassembly *ra = WISP_ARENA_ARRAY(arena, struct wisp_reassembly, 1);
    struct datagram *datagram = WISP_ARENA_ARRAY(arena, struct datagram, config->datagrams);
    if (ra) {
        ra->datagram = datagram;
    }
    return ra;
}

static void init(struct wisp_reassembly *ra, const struct wisp_reassembly_config *config)
{
    struct datagram *datagram = ra->datagram;
    *ra = (struct wisp_reassembly){.config = *config, .datagram = datagram};
    for (uint32_t i = 0; i < config->datagrams; i++) {
        datagram[i].used = false;
    }
}

/* Gives the pages back; the entry stays. */
static void release_pages(struct wisp_reassembly *ra, struct datagram *d)
{
    for (uint32_t i = 0; i < PAGES; i++) {
        if (d->page[i]) {
            wisp_page_unref(d->page[i]);
            d->page[i] = NULL;
        }
    }
    ra->pages -= d->pages;
    d->pages = 0;
}

static void forget(struct wisp_reassembly *ra, struct datagram *d)
{
    release_pages(ra, d);
    d->used = false;
    ra->used--;
}

static void poison(struct wisp_reassembly *ra, struct datagram *d, enum count why)
{
    ra->count[why]++;
    release_pages(ra, d);
    d->poisoned = true;
}

static void fini(struct wisp_reassembly *ra)
{
    for (uint32_t i = 0; i < ra->config.datagrams; i++) {
        if (ra->datagram[i].used) {
            forget(ra, &ra->datagram[i]);
        }
    }
}

/* ---- which datagram ---- */

static bool is_of(const struct datagram *d, const struct wisp_ipv4_header *h)
{
    return d->header.id == h->id && d->header.protocol == h->protocol &&
           wisp_ip4_equal(d->header.source, h->source) &&
           wisp_ip4_equal(d->header.destination, h->destination);
}

static struct datagram *find(struct wisp_reassembly *ra, const struct wisp_ipv4_header *h)
{
    for (uint32_t i = 0; i < ra->config.datagrams; i++) {
        if (ra->datagram[i].used && is_of(&ra->datagram[i], h)) {
            return &ra->datagram[i];
        }
    }
    return NULL;
}

/* What source has under reassembly, and the oldest of it. */
struct share {
    uint32_t datagrams, pages;
    struct datagram *oldest;
};

/* The share of source, or of everybody when source is null; keep is never the oldest. */
static struct share share_of(struct wisp_reassembly *ra, const struct wisp_ip4 *source,
                             const struct datagram *keep)
{
    struct share share = {0, 0, NULL};
    for (uint32_t i = 0; i < ra->config.datagrams; i++) {
        struct datagram *d = &ra->datagram[i];
        if (!d->used || (source && !wisp_ip4_equal(d->header.source, *source))) {
            continue;
        }
        share.datagrams++;
        share.pages += d->pages;
        if (d != keep && (!share.oldest || d->expires < share.oldest->expires)) {
            share.oldest = d;
        }
    }
    return share;
}

static bool evict(struct wisp_reassembly *ra, struct datagram *d)
{
    if (!d) {
        return false;
    }
    ra->count[EVICTED]++;
    forget(ra, d);
    return true;
}

static uint32_t half(uint32_t n, uint32_t least)
{
    return n / 2 > least ? n / 2 : least;
}

static struct datagram *make(struct wisp_reassembly *ra, const struct wisp_ipv4_header *h,
                             wisp_time now)
{
    struct share own = share_of(ra, &h->source, NULL);
    if (own.datagrams >= half(ra->config.datagrams, 1)) {
        evict(ra, own.oldest);
    } else if (ra->used == ra->config.datagrams) {
        evict(ra, share_of(ra, NULL, NULL).oldest);
    }
    struct datagram *d = ra->datagram;
    while (d->used) {
        d++;
    }
    d->header = *h;
    d->used = true;
    d->poisoned = d->has_first = d->has_end = false;
    d->ecn_seen = 0;
    d->pages = 0;
    d->ranges = 0;
    d->received = 0;
    d->end = 0;
    d->expires = now + LIFETIME;
    memset(d->page, 0, sizeof(d->page));
    ra->used++;
    return d;
}

/* ---- one fragment ---- */

static uint32_t least_header(uint8_t protocol)
{
    return protocol == 6 ? 20 : 8;
}

/* What is wrong with the fragment by itself; COUNTS: nothing. */
static enum count fragment_verdict(const struct wisp_ipv4_header *h, const struct place *at)
{
    uint32_t length = at->end - at->start;
    uint32_t transport = least_header(h->protocol);
    if (length == 0 || (at->more && length % 8 != 0)) {
        return RX_BAD_LENGTH;
    }
    if (at->end + h->size > TOTAL_MAX) {
        return RX_TOO_LONG;
    }
    if ((at->start == 0 && at->more && length < transport) ||
        (at->start > 0 && at->start < transport)) {
        return RX_TINY;
    }
    return COUNTS;
}

static bool ends_agree(const struct datagram *d, const struct place *at)
{
    uint32_t furthest = d->ranges > 0 ? d->range[d->ranges - 1].end : 0;
    if (at->more) {
        return !d->has_end || at->end < d->end;
    }
    return d->has_end ? at->end == d->end : at->end >= furthest;
}

/* The first range that ends behind start. */
static uint32_t position(const struct datagram *d, uint32_t start)
{
    uint32_t i = d->ranges;
    while (i > 0 && d->range[i - 1].end > start) {
        i--;
    }
    return i;
}

/* True when what is there at from the fragment's start on are the fragment's bytes. */
static bool is_same(const struct datagram *d, const struct wisp_pkt *pkt, uint32_t start)
{
    uint8_t bytes[256];
    for (uint32_t done = 0; done < pkt->length;) {
        uint32_t at = START + start + done;
        uint32_t part = WISP_PAGE_SIZE - at % WISP_PAGE_SIZE;
        part = part < sizeof(bytes) ? part : (uint32_t)sizeof(bytes);
        part = part < pkt->length - done ? part : pkt->length - done;
        wisp_pkt_read(pkt, done, bytes, part);
        if (memcmp(bytes, d->page[at / WISP_PAGE_SIZE]->data + at % WISP_PAGE_SIZE, part) != 0) {
            return false;
        }
        done += part;
    }
    return true;
}

/* A page for d within all limits: older datagrams go for it. Null: no page. */
static struct wisp_page *take_page(struct wisp_reassembly *ra, struct datagram *d)
{
    struct share own = share_of(ra, &d->header.source, d);
    if (own.pages >= half(ra->config.pages_max, PAGES) && !evict(ra, own.oldest)) {
        return NULL;
    }
    while (ra->pages >= ra->config.pages_max) {
        if (!evict(ra, share_of(ra, NULL, d).oldest)) {
            return NULL;
        }
    }
    struct wisp_page *page =
        wisp_page_alloc(ra->config.pages, WISP_ROLE_SEND, WISP_HOLDER_REASSEMBLY);
    if (page) {
        ra->pages++;
        d->pages++;
    }
    return page;
}

static bool take_pages(struct wisp_reassembly *ra, struct datagram *d, const struct place *at)
{
    uint32_t last = (START + at->end - 1) / WISP_PAGE_SIZE;
    for (uint32_t i = (START + at->start) / WISP_PAGE_SIZE; i <= last; i++) {
        if (!d->page[i]) {
            d->page[i] = take_page(ra, d);
        }
        if (!d->page[i]) {
            return false;
        }
    }
    return true;
}

static void copy_in(struct wisp_reassembly *ra, struct datagram *d, const struct wisp_pkt *pkt,
                    uint32_t start)
{
    for (uint32_t done = 0; done < pkt->length;) {
        uint32_t at = START + start + done;
        uint32_t part = WISP_PAGE_SIZE - at % WISP_PAGE_SIZE;
        part = part < pkt->length - done ? part : pkt->length - done;
        wisp_pkt_read(pkt, done, d->page[at / WISP_PAGE_SIZE]->data + at % WISP_PAGE_SIZE, part);
        done += part;
    }
    ra->count[BYTES_COPIED] += pkt->length;
}

static void insert(struct datagram *d, uint32_t i, const struct place *at)
{
    memmove(&d->range[i + 1], &d->range[i], (d->ranges - i) * sizeof(d->range[0]));
    d->range[i] = (struct range){(uint16_t)at->start, (uint16_t)at->end};
    d->ranges++;
    d->received += at->end - at->start;
    if (!at->more) {
        d->has_end = true;
        d->end = at->end;
    }
}

static void keep_header(struct datagram *d, const struct wisp_fragment *fragment)
{
    d->header = *fragment->header;
    d->has_first = true;
    memcpy(d->page[0]->data + START - d->header.size, fragment->bytes, d->header.size);
}

/* Puts a fragment into its datagram. False: it changed nothing, or the datagram is discarded. */
static bool add(struct wisp_reassembly *ra, struct datagram *d,
                const struct wisp_fragment *fragment, const struct place *at)
{
    uint32_t i = position(d, at->start);
    if (!ends_agree(d, at)) {
        poison(ra, d, RX_TWO_ENDS);
        return false;
    }
    if (i < d->ranges && d->range[i].start < at->end) {
        bool exact = d->range[i].start == at->start && d->range[i].end == at->end;
        if (exact && is_same(d, fragment->pkt, at->start)) {
            ra->count[RX_DUPLICATE]++;
        } else {
            poison(ra, d, RX_OVERLAP);
        }
        return false;
    }
    if (d->ranges == RANGES) {
        poison(ra, d, RX_TOO_MANY);
        return false;
    }
    if (!take_pages(ra, d, at)) {
        ra->count[RX_NO_PAGE]++;
        forget(ra, d);
        return false;
    }
    copy_in(ra, d, fragment->pkt, at->start);
    insert(d, i, at);
    d->ecn_seen |= (uint8_t)(1u << (fragment->header->tos & ECN_MASK));
    if (at->start == 0) {
        keep_header(d, fragment);
    }
    return true;
}

/* ---- the whole ---- */

/* RFC 3168 §5.3: congestion met by one piece was met by the whole; not so if another piece denies
 * ECN. */
static bool merge_ecn(struct datagram *d)
{
    if (!(d->ecn_seen & 1u << ECN_CE)) {
        return true;
    }
    d->header.tos |= ECN_CE;
    return !(d->ecn_seen & 1u << ECN_NOT_ECT);
}

/* Makes pkt the whole datagram. */
static void assemble(struct wisp_reassembly *ra, struct datagram *d, struct wisp_pkt *pkt)
{
    wisp_pkt_clear(pkt);
    pkt->csum = WISP_CSUM_UNKNOWN;
    pkt->gso = WISP_GSO_NONE;
    for (uint32_t at = START; at < START + d->end;) {
        uint32_t i = at / WISP_PAGE_SIZE;
        uint32_t part = WISP_PAGE_SIZE - at % WISP_PAGE_SIZE;
        part = part < START + d->end - at ? part : START + d->end - at;
        wisp_page_hold(d->page[i], WISP_HOLDER_PACKET);
        wisp_pkt_append(pkt, d->page[i], at % WISP_PAGE_SIZE, part);
        d->page[i] = NULL; /* its reference is the packet's now */
        at += part;
    }
    forget(ra, d);
}

static bool is_whole(const struct datagram *d)
{
    return d->has_end && d->received == d->end;
}

static struct wisp_pkt *complete(struct wisp_reassembly *ra, struct datagram *d,
                                 struct wisp_pkt *pkt, struct wisp_ipv4_header *header)
{
    enum count why = d->end + d->header.size > TOTAL_MAX ? RX_TOO_LONG : COUNTS;
    if (!merge_ecn(d)) {
        why = RX_BAD_ECN;
    }
    if (why != COUNTS) {
        ra->count[why]++;
        forget(ra, d);
        wisp_pkt_drop(pkt);
        return NULL;
    }
    *header = d->header;
    header->total = (uint16_t)(d->end + d->header.size);
    header->fragment = 0;
    assemble(ra, d, pkt);
    return pkt;
}

static struct wisp_pkt *input(struct wisp_reassembly *ra, const struct wisp_fragment *fragment,
                              struct wisp_ipv4_header *header, wisp_time now)
{
    const struct wisp_ipv4_header *h = fragment->header;
    uint32_t start = (h->fragment & WISP_IPV4_OFFSET) * 8u;
    struct place at = {start, start + fragment->pkt->length, (h->fragment & WISP_IPV4_MF) != 0};
    enum count verdict = fragment_verdict(h, &at);
    if (verdict == COUNTS) {
        struct datagram *d = find(ra, h);
        if (!d) {
            d = make(ra, h, now);
        }
        if (d->poisoned) {
            verdict = RX_POISONED;
        } else if (add(ra, d, fragment, &at) && is_whole(d)) {
            return complete(ra, d, fragment->pkt, header);
        }
    }
    if (verdict != COUNTS) {
        ra->count[verdict]++;
    }
    wisp_pkt_drop(fragment->pkt);
    return NULL;
}

/* ---- time ---- */

static void time_out(struct wisp_reassembly *ra, struct datagram *d, wisp_time now)
{
    ra->count[TIMED_OUT]++;
    if (d->has_first && !d->poisoned) {
        uint32_t length = d->range[0].end;
        uint32_t most = WISP_PAGE_SIZE - START;
        struct wisp_view payload = {d->page[0], START, length < most ? length : most};
        ra->config.timed_out(ra->config.self, d->page[0]->data + START - d->header.size,
                             d->header.size, &payload, now);
    }
    forget(ra, d);
}

static void expire(struct wisp_reassembly *ra, wisp_time now)
{
    for (uint32_t i = 0; ra->used > 0 && i < ra->config.datagrams; i++) {
        if (ra->datagram[i].used && ra->datagram[i].expires <= now) {
            time_out(ra, &ra->datagram[i], now);
        }
    }
}

static wisp_time deadline(const struct wisp_reassembly *ra)
{
    wisp_time at = WISP_NEVER;
    for (uint32_t i = 0; ra->used > 0 && i < ra->config.datagrams; i++) {
        if (ra->datagram[i].used) {
            at = wisp_time_min(at, ra->datagram[i].expires);
        }
    }
    return at;
}

static bool counter(const struct wisp_reassembly *ra, uint32_t index, struct wisp_counter *counter)
{
    return wisp_count_at(&count_names, ra->count, index, counter);
}

const struct wisp_reassembly_ops wisp_ipv4_reassembly = {
    .layout = layout,
    .init = init,
    .fini = fini,
    .input = input,
    .expire = expire,
    .deadline = deadline,
    .counter = counter,
};
