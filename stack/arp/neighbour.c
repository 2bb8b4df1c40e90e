/* SPDX-License-Identifier: ISC */
/*
 * The neighbour cache (RFC 826, RFC 1122 §2.3.2): a bounded table, found by keyed hash.
 *
 *   (none) --resolve--> ASKING --answer--> KNOWN --a minute, in use--> CHECKING --answer--> KNOWN
 *                          |                 |  \--a minute, unused--> (none)   |
 *                          |                 +----another station claims it---->+
 *                          +--3 s silence--> DEAD --resolve, 3 s later--> ASKING
 *                          ^--------------------------------3 s silence---------+
 *
 * CHECKING asks the station we know by unicast and goes on using it. So a claim of another station
 * is believed only once the old one is silent and a question to everybody was answered.
 *
 * An entry that is in use, or is a gateway's, or was asked for within the last second, is never
 * evicted: the first keep traffic flowing, the last keeps questions to one a second. Packets wait
 * in ASKING only: at most WISP_ARP_PER_HOP each, waiting_max in all, the oldest of the hop going
 * first.
 */
#include "arp_priv.h"
#include "assert.h"
#include "ethif_wire.h"

#define NONE        UINT32_MAX
#define EVICT_STEPS 64u

enum state { UNUSED, ASKING, KNOWN, CHECKING, DEAD };

struct wisp_neighbour {
    struct wisp_timer timer; /* first: the wheel gives it back */
    struct wisp_ip4 ip;
    struct wisp_mac mac;
    uint8_t state;
    uint8_t tries;
    uint16_t waiting;
    uint32_t next; /* in its bucket, or in the free list */
    struct wisp_pkt *first;
    struct wisp_pkt **last;
    wisp_time used;  /* when traffic last went there, or WISP_NEVER */
    wisp_time asked; /* when last asked for, or WISP_NEVER */
};

/* How long ago at was; for ever, if it never was. */
static wisp_time since(wisp_time at, wisp_time now)
{
    return at == WISP_NEVER ? WISP_NEVER : now - at;
}

static uint32_t bucket_count(uint32_t entries)
{
    uint32_t n = 1;
    while (n < entries) {
        n *= 2;
    }
    return n;
}

void wisp_arp_layout(struct wisp_arp *arp, const struct wisp_arp_config *config,
                     struct wisp_arena *arena)
{
    struct wisp_neighbour *entry =
        WISP_ARENA_ARRAY(arena, struct wisp_neighbour, config->neighbours);
    uint32_t *bucket = WISP_ARENA_ARRAY(arena, uint32_t, bucket_count(config->neighbours));
    if (arp) {
        arp->entry = entry;
        arp->bucket = bucket;
    }
}

void wisp_arp_init(struct wisp_arp *arp, const struct wisp_arp_config *config,
                   struct wisp_ethif *eth, const struct wisp_arp_upper *upper, wisp_time now)
{
    struct wisp_neighbour *entry = arp->entry;
    uint32_t *bucket = arp->bucket;
    *arp = (struct wisp_arp){.eth = eth,
                             .upper = *upper,
                             .entry = entry,
                             .bucket = bucket,
                             .entries = config->neighbours,
                             .bucket_mask = bucket_count(config->neighbours) - 1,
                             .free = NONE,
                             .at = WISP_NEVER,
                             .waiting_max = config->waiting};
    wisp_rng_init(&arp->rng, config->hash, config->seed, 0x61727031);
    wisp_rng_key(config->hash, config->seed, 0x61727032, arp->key);
    wisp_wheel_init(&arp->wheel, now);
    for (uint32_t i = 0; i <= arp->bucket_mask; i++) {
        bucket[i] = NONE;
    }
    for (uint32_t i = arp->entries; i-- > 0;) {
        entry[i] = (struct wisp_neighbour){.next = arp->free, .state = UNUSED};
        arp->free = i;
    }
}

static uint32_t *bucket_of(const struct wisp_arp *arp, struct wisp_ip4 ip)
{
    uint64_t h = arp->rng.hash(arp->key, ip.octet, sizeof(ip.octet));
    return &arp->bucket[(uint32_t)h & arp->bucket_mask];
}

static struct wisp_neighbour *find(const struct wisp_arp *arp, struct wisp_ip4 ip)
{
    uint32_t i = *bucket_of(arp, ip);
    while (i != NONE && !wisp_ip4_equal(arp->entry[i].ip, ip)) {
        i = arp->entry[i].next;
    }
    return i == NONE ? NULL : &arp->entry[i];
}

static void set_timer(struct wisp_arp *arp, struct wisp_neighbour *entry, wisp_time at)
{
    wisp_wheel_set(&arp->wheel, &entry->timer, at);
    arp->at = wisp_time_min(arp->at, at);
}

static void drop_waiting(struct wisp_arp *arp, struct wisp_neighbour *entry,
                         enum wisp_arp_count why)
{
    while (entry->first) {
        struct wisp_pkt *pkt = entry->first;
        entry->first = pkt->next;
        wisp_pkt_drop(pkt);
        arp->count[why]++;
    }
    arp->waiting -= entry->waiting;
    entry->waiting = 0;
    entry->last = &entry->first;
}

static void forget(struct wisp_arp *arp, struct wisp_neighbour *entry, wisp_time now)
{
    uint32_t index = (uint32_t)(entry - arp->entry);
    uint32_t *link = bucket_of(arp, entry->ip);
    while (*link != index) {
        link = &arp->entry[*link].next;
    }
    *link = entry->next;
    drop_waiting(arp, entry, WISP_ARP_UNANSWERED_DROPPED);
    wisp_wheel_clear(&arp->wheel, &entry->timer);
    entry->state = UNUSED;
    entry->next = arp->free;
    arp->free = index;
    if (since(entry->used, now) <= WISP_ARP_USE_INTERVAL) {
        arp->upper.changed(arp->upper.self);
    }
}

static bool in_use(const struct wisp_neighbour *entry, wisp_time now)
{
    return since(entry->used, now) < WISP_ARP_LIFETIME;
}

/* May entry give way? asking: entries that nobody answered for yet may go as well. */
static bool evictable(struct wisp_arp *arp, const struct wisp_neighbour *entry, bool asking,
                      wisp_time now)
{
    if (since(entry->asked, now) < WISP_ARP_ASK_INTERVAL) {
        return false;
    }
    if (entry->state == ASKING ? !asking : entry->state != DEAD && in_use(entry, now)) {
        return false;
    }
    return !arp->upper.is_gateway(arp->upper.self, entry->ip);
}

static bool evict(struct wisp_arp *arp, bool asking, wisp_time now)
{
    uint32_t steps = arp->entries < EVICT_STEPS ? arp->entries : EVICT_STEPS;
    for (uint32_t i = 0; i < steps; i++) {
        struct wisp_neighbour *entry = &arp->entry[arp->hand];
        arp->hand = arp->hand + 1 == arp->entries ? 0 : arp->hand + 1;
        if (entry->state != UNUSED && evictable(arp, entry, asking, now)) {
            forget(arp, entry, now);
            arp->count[WISP_ARP_EVICTED]++;
            return true;
        }
    }
    return false;
}

static struct wisp_neighbour *make(struct wisp_arp *arp, struct wisp_ip4 ip, bool asking,
                                   wisp_time now)
{
    if (arp->free == NONE && !evict(arp, false, now) && !(asking && evict(arp, true, now))) {
        arp->count[WISP_ARP_FULL]++;
        return NULL;
    }
    uint32_t index = arp->free;
    struct wisp_neighbour *entry = &arp->entry[index];
    uint32_t *bucket = bucket_of(arp, ip);
    arp->free = entry->next;
    *entry =
        (struct wisp_neighbour){.ip = ip, .next = *bucket, .used = WISP_NEVER, .asked = WISP_NEVER};
    entry->last = &entry->first;
    *bucket = index;
    return entry;
}

/* Asked is set even if nothing could be sent: a lack of packets must back off, too. */
static void ask(struct wisp_arp *arp, struct wisp_neighbour *entry, wisp_time now)
{
    bool everybody = entry->state != CHECKING;
    entry->asked = now;
    entry->tries++;
    set_timer(arp, entry, now + WISP_ARP_ASK_INTERVAL);
    wisp_arp_ask(arp, entry->ip, everybody ? wisp_arp_everybody : entry->mac, now);
}

/* Begins to ask, at once if the last question is a second ago, or when it will be. */
static void start(struct wisp_arp *arp, struct wisp_neighbour *entry, enum state state,
                  wisp_time now)
{
    entry->state = (uint8_t)state;
    entry->tries = 0;
    if (since(entry->asked, now) < WISP_ARP_ASK_INTERVAL) {
        set_timer(arp, entry, entry->asked + WISP_ARP_ASK_INTERVAL);
    } else {
        ask(arp, entry, now);
    }
}

static void give_up(struct wisp_arp *arp, struct wisp_neighbour *entry, wisp_time now)
{
    drop_waiting(arp, entry, WISP_ARP_UNANSWERED_DROPPED);
    entry->state = DEAD;
    entry->tries = 0;
    arp->count[WISP_ARP_FAILED]++;
    set_timer(arp, entry, now + WISP_ARP_LIFETIME);
    arp->upper.changed(arp->upper.self);
}

static void fire(struct wisp_arp *arp, struct wisp_neighbour *entry, wisp_time now)
{
    switch (entry->state) {
    case KNOWN:
        if (in_use(entry, now)) {
            start(arp, entry, CHECKING, now);
        } else {
            forget(arp, entry, now);
        }
        break;
    case CHECKING:
        if (entry->tries < WISP_ARP_TRIES) {
            ask(arp, entry, now);
        } else {
            start(arp, entry, ASKING, now);
            arp->upper.changed(arp->upper.self);
        }
        break;
    case ASKING:
        if (entry->tries < WISP_ARP_TRIES) {
            ask(arp, entry, now);
        } else {
            give_up(arp, entry, now);
        }
        break;
    default:
        forget(arp, entry, now);
        break;
    }
}

void wisp_neighbour_expire(struct wisp_arp *arp, wisp_time now)
{
    struct wisp_timer *timer;
    while ((timer = wisp_wheel_expire(&arp->wheel, now)) != NULL) {
        fire(arp, (struct wisp_neighbour *)(void *)timer, now);
    }
}

static void release_waiting(struct wisp_arp *arp, struct wisp_neighbour *entry, wisp_time now)
{
    uint8_t header[WISP_ETHIF_HEADER];
    wisp_ethif_header(arp->eth, entry->mac, WISP_ETHERTYPE_IPV4, header);
    struct wisp_pkt *pkt = entry->first;
    arp->waiting -= entry->waiting;
    entry->waiting = 0;
    entry->first = NULL;
    entry->last = &entry->first;
    while (pkt) {
        struct wisp_pkt *next = pkt->next;
        arp->upper.resolved(arp->upper.self, pkt, header, now);
        pkt = next;
    }
}

static void learn(struct wisp_arp *arp, struct wisp_neighbour *entry, struct wisp_mac mac,
                  wisp_time now)
{
    bool was_dead = entry->state == DEAD;
    entry->mac = mac;
    entry->state = KNOWN;
    entry->tries = 0;
    set_timer(arp, entry, now + WISP_ARP_LIFETIME);
    if (was_dead) {
        arp->upper.changed(arp->upper.self); /* a better route may lead there again */
    }
    release_waiting(arp, entry, now);
}

void wisp_neighbour_heard(struct wisp_arp *arp, struct wisp_ip4 ip, struct wisp_mac mac,
                          bool create, wisp_time now)
{
    struct wisp_neighbour *entry = find(arp, ip);
    if (!entry && create) {
        entry = make(arp, ip, false, now);
    } else if (!entry) {
        arp->count[WISP_ARP_RX_UNSOLICITED]++;
    }
    if (!entry) {
        return;
    }
    bool live = entry->state == KNOWN || entry->state == CHECKING;
    if (!live || wisp_mac_equal(entry->mac, mac)) {
        learn(arp, entry, mac, now);
        return;
    }
    arp->count[WISP_ARP_RX_CHANGE_DOUBTED]++;
    if (entry->state == KNOWN) {
        start(arp, entry, CHECKING, now);
    }
}

enum wisp_arp_answer wisp_arp_resolve(struct wisp_arp *arp, struct wisp_ip4 hop, wisp_time now,
                                      struct wisp_mac *mac, wisp_time *until)
{
    struct wisp_neighbour *entry = find(arp, hop);
    if (!entry) {
        entry = make(arp, hop, true, now);
        if (!entry) {
            return WISP_ARP_NO_ENTRY;
        }
        start(arp, entry, ASKING, now);
    }
    entry->used = now;
    if (entry->state == DEAD) {
        if (since(entry->asked, now) < WISP_ARP_NEGATIVE) {
            return WISP_ARP_DEAD;
        }
        start(arp, entry, ASKING, now);
    }
    if (entry->state == ASKING) {
        return WISP_ARP_ASKING;
    }
    *mac = entry->mac;
    *until = now + WISP_ARP_USE_INTERVAL;
    return WISP_ARP_KNOWN;
}

void wisp_arp_wait(struct wisp_arp *arp, struct wisp_ip4 hop, struct wisp_pkt *pkt, wisp_time now)
{
    struct wisp_neighbour *entry = find(arp, hop);
    (void)now;
    if (!entry || entry->state != ASKING) {
        arp->count[WISP_ARP_UNANSWERED_DROPPED]++;
        wisp_pkt_drop(pkt);
        return;
    }
    bool full = entry->waiting == WISP_ARP_PER_HOP || arp->waiting == arp->waiting_max;
    if (full && entry->first) {
        struct wisp_pkt *oldest = entry->first;
        entry->first = oldest->next;
        if (!entry->first) {
            entry->last = &entry->first;
        }
        entry->waiting--;
        arp->waiting--;
        arp->count[WISP_ARP_QUEUE_DROPPED]++;
        wisp_pkt_drop(oldest);
    } else if (full) {
        arp->count[WISP_ARP_QUEUE_DROPPED]++;
        wisp_pkt_drop(pkt);
        return;
    }
    pkt->next = NULL;
    *entry->last = pkt;
    entry->last = &pkt->next;
    entry->waiting++;
    arp->waiting++;
}

bool wisp_arp_is_dead(const struct wisp_arp *arp, struct wisp_ip4 hop)
{
    const struct wisp_neighbour *entry = find(arp, hop);
    return entry && entry->state == DEAD;
}

void wisp_arp_retry(struct wisp_arp *arp, struct wisp_ip4 hop, wisp_time now)
{
    struct wisp_neighbour *entry = find(arp, hop);
    if (!entry || entry->state != DEAD) {
        return;
    }
    entry->used = now;
    set_timer(arp, entry, now + WISP_ARP_LIFETIME);
    if (since(entry->asked, now) >= WISP_ARP_GATEWAY_RETRY) {
        entry->asked = now;
        wisp_arp_ask(arp, hop, wisp_arp_everybody, now);
    }
}

void wisp_arp_advise(struct wisp_arp *arp, struct wisp_ip4 hop, bool alive, wisp_time now)
{
    struct wisp_neighbour *entry = find(arp, hop);
    if (!entry) {
        return;
    }
    if (alive && entry->state == KNOWN) {
        set_timer(arp, entry, now + WISP_ARP_LIFETIME);
    } else if (!alive && entry->state == KNOWN) {
        start(arp, entry, CHECKING, now);
    }
}

void wisp_arp_doubt_all(struct wisp_arp *arp, wisp_time now)
{
    for (uint32_t i = 0; i < arp->entries; i++) {
        struct wisp_neighbour *entry = &arp->entry[i];
        if (entry->state == KNOWN || entry->state == DEAD) {
            set_timer(arp, entry, now);
        }
    }
    arp->upper.changed(arp->upper.self);
}

uint32_t wisp_arp_population(const struct wisp_arp *arp)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < arp->entries; i++) {
        n += arp->entry[i].state != UNUSED;
    }
    return n;
}

void wisp_arp_fini(struct wisp_arp *arp)
{
    for (uint32_t i = 0; i < arp->entries; i++) {
        if (arp->entry[i].state != UNUSED) {
            drop_waiting(arp, &arp->entry[i], WISP_ARP_UNANSWERED_DROPPED);
        }
    }
}
