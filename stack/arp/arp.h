/* SPDX-License-Identifier: ISC */
/*
 * ARP (RFC 826, RFC 1122 §2.3.2, RFC 5227): which station has a neighbour's address, and the
 * defence of our own addresses. It knows addresses and packets that wait, not what is in them.
 */
#ifndef WISP_ARP_H
#define WISP_ARP_H

#include "arena.h"
#include "ethif.h"
#include "rng.h"
#include "wheel.h"

#define WISP_ARP_PER_HOP 8u /* packets waiting for one neighbour */
#define WISP_ARP_CLAIMS  4u /* own addresses */

#define WISP_ARP_ASK_INTERVAL  WISP_SEC(1) /* RFC 1122 §2.3.2.1: at most one request a second */
#define WISP_ARP_TRIES         3u
#define WISP_ARP_LIFETIME      WISP_SEC(60) /* then looked at again, by unicast, if in use */
#define WISP_ARP_NEGATIVE      WISP_SEC(3)  /* not asked again after no answer */
#define WISP_ARP_GATEWAY_RETRY WISP_SEC(20) /* a dead gateway, while another one serves */
#define WISP_ARP_USE_INTERVAL  WISP_SEC(1)  /* a hop may be used that long without resolve */

enum wisp_arp_count {
    WISP_ARP_RX_REQUEST,
    WISP_ARP_RX_REPLY,
    WISP_ARP_RX_SHORT,
    WISP_ARP_RX_NOT_ETHERNET_IPV4, /* hardware, protocol or lengths */
    WISP_ARP_RX_OPERATION,         /* neither request nor reply */
    WISP_ARP_RX_SOURCE_MISMATCH,   /* sent by another station than it tells of */
    WISP_ARP_RX_BAD_SENDER,        /* sender no single host of the link */
    WISP_ARP_RX_UNSOLICITED,       /* a reply nobody asked for */
    WISP_ARP_RX_CHANGE_DOUBTED, /* another station for a live entry: the old one is asked first */
    WISP_ARP_RX_CONFLICT,       /* somebody uses an address of ours */
    WISP_ARP_TX_REQUEST,
    WISP_ARP_TX_REPLY,
    WISP_ARP_TX_PROBE,
    WISP_ARP_TX_ANNOUNCEMENT,
    WISP_ARP_TX_NO_PACKET,       /* nothing to send with */
    WISP_ARP_EVICTED,            /* entries that made room */
    WISP_ARP_FULL,               /* entries refused: every other one is in use */
    WISP_ARP_FAILED,             /* neighbours that did not answer */
    WISP_ARP_QUEUE_DROPPED,      /* waiting packets that gave way to newer ones */
    WISP_ARP_UNANSWERED_DROPPED, /* waiting packets whose neighbour did not answer */
    WISP_ARP_COUNTS
};

struct wisp_arp_upper {
    void *self;

    /* True when ip could be a neighbour: in a connected network, no broadcast, not ours. */
    bool (*on_link)(void *self, struct wisp_ip4 ip);

    /* The own address to ask for target with. False: none can be used. */
    bool (*source)(void *self, struct wisp_ip4 target, struct wisp_ip4 *source);

    /* True when ip is a gateway of some route: never evicted. */
    bool (*is_gateway)(void *self, struct wisp_ip4 ip);

    /* The next hop of a packet that waited is known; header is the Ethernet header. Moved. */
    void (*resolved)(void *self, struct wisp_pkt *pkt, const uint8_t *header, wisp_time now);

    /* What was known of some neighbour is no longer true: resolve again. */
    void (*changed)(void *self);

    /* An own address may be used now. */
    void (*claimed)(void *self, struct wisp_ip4 ip, wisp_time now);

    /* other uses ip as well; lost: we have given it up. */
    void (*conflict)(void *self, struct wisp_ip4 ip, struct wisp_mac other, bool lost,
                     wisp_time now);
};

struct wisp_neighbour;

enum wisp_claim_state {
    WISP_CLAIM_NONE,
    WISP_CLAIM_TENTATIVE,  /* probing, not used yet */
    WISP_CLAIM_SETTLING,   /* probed; waiting for a late objection */
    WISP_CLAIM_BESIDE,     /* in use; probing and announcing */
    WISP_CLAIM_ANNOUNCING, /* in use; announcements to go */
    WISP_CLAIM_HELD
};

/* How a claim begins. */
enum wisp_claim_start { WISP_CLAIM_START_BESIDE, WISP_CLAIM_START_WAIT, WISP_CLAIM_START_NONE };

struct wisp_claim {
    struct wisp_ip4 ip;
    uint8_t state; /* enum wisp_claim_state */
    uint8_t step;  /* probes or announcements sent in this state */
    bool defended; /* last_conflict is valid */
    wisp_time at;
    wisp_time last_conflict;
};

struct wisp_arp_config {
    uint32_t neighbours;
    uint32_t waiting; /* packets that may wait in all */
    wisp_hash_fn hash;
    const uint8_t *seed; /* 32 bytes, read during init only */
};

struct wisp_arp {
    struct wisp_ethif *eth;
    struct wisp_arp_upper upper;
    struct wisp_rng rng;
    uint8_t key[WISP_HASH_KEY];
    struct wisp_wheel wheel;
    wisp_time at; /* nothing is due before; may be early */
    struct wisp_neighbour *entry;
    uint32_t *bucket;
    uint32_t entries;
    uint32_t bucket_mask;
    uint32_t free; /* list of free entries */
    uint32_t hand; /* where looking for one to evict goes on */
    uint32_t waiting;
    uint32_t waiting_max;
    uint32_t conflicts; /* addresses lost; RFC 5227: after ten, claims are slow and strict */
    wisp_time last_claim;
    struct wisp_claim claim[WISP_ARP_CLAIMS];
    uint64_t count[WISP_ARP_COUNTS];
};

/* Takes the cache's memory from arena (also to measure: see arena.h). */
void wisp_arp_layout(struct wisp_arp *arp, const struct wisp_arp_config *config,
                     struct wisp_arena *arena);

/* After layout. */
void wisp_arp_init(struct wisp_arp *arp, const struct wisp_arp_config *config,
                   struct wisp_ethif *eth, const struct wisp_arp_upper *upper, wisp_time now);

/* Drops the packets that wait. */
void wisp_arp_fini(struct wisp_arp *arp);

/* A received message, starting behind the Ethernet header; source: the frame's. Moved. */
void wisp_arp_input(struct wisp_arp *arp, struct wisp_pkt *pkt, struct wisp_mac source,
                    wisp_time now);

enum wisp_arp_answer {
    WISP_ARP_KNOWN,   /* *mac may be used until *until */
    WISP_ARP_ASKING,  /* wait for it: wisp_arp_wait */
    WISP_ARP_DEAD,    /* it did not answer lately */
    WISP_ARP_NO_ENTRY /* the cache is full of neighbours in use */
};

/* Finds hop's station, asking for it if needed. */
enum wisp_arp_answer wisp_arp_resolve(struct wisp_arp *arp, struct wisp_ip4 hop, wisp_time now,
                                      struct wisp_mac *mac, wisp_time *until);

/* Keeps pkt until hop, which is being asked for, answers or not. Moved. */
void wisp_arp_wait(struct wisp_arp *arp, struct wisp_ip4 hop, struct wisp_pkt *pkt, wisp_time now);

/* True when hop did not answer when last asked. */
bool wisp_arp_is_dead(const struct wisp_arp *arp, struct wisp_ip4 hop);

/* There is traffic that a dead hop could carry: asks it again, seldom. */
void wisp_arp_retry(struct wisp_arp *arp, struct wisp_ip4 hop, wisp_time now);

/* Advice from above: hop forwards, or seems not to. */
void wisp_arp_advise(struct wisp_arp *arp, struct wisp_ip4 hop, bool alive, wisp_time now);

/* Doubts every entry (the link came back, the device was moved): each is asked again when next
 * used. */
void wisp_arp_doubt_all(struct wisp_arp *arp, wisp_time now);

/* Starts claiming ip. False: WISP_ARP_CLAIMS are claimed already. */
bool wisp_arp_claim(struct wisp_arp *arp, struct wisp_ip4 ip, enum wisp_claim_start start,
                    wisp_time now);

/* Gives ip up. */
void wisp_arp_release(struct wisp_arp *arp, struct wisp_ip4 ip);

/* Announces every address in use anew. */
void wisp_arp_announce(struct wisp_arp *arp, wisp_time now);

/* Does what is due at now. */
void wisp_arp_expire_due(struct wisp_arp *arp, wisp_time now);

static inline void wisp_arp_expire(struct wisp_arp *arp, wisp_time now)
{
    if (now >= arp->at) {
        wisp_arp_expire_due(arp, now);
    }
}

/* When expire must be called next. */
static inline wisp_time wisp_arp_deadline(const struct wisp_arp *arp)
{
    return arp->at;
}

/* Entries in use, for tests and counters. */
uint32_t wisp_arp_population(const struct wisp_arp *arp);

bool wisp_arp_counter(const struct wisp_arp *arp, uint32_t index, struct wisp_counter *counter);

#endif
