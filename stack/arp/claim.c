/* SPDX-License-Identifier: ISC */
/*
 * Own addresses: probing, announcing, defending (RFC 5227).
 *
 *   WAIT    TENTATIVE (0..1 s, 3 probes 1..2 s apart) -> SETTLING (2 s) -> used, ANNOUNCING -> HELD
 *   BESIDE  used and announced at once; 3 probes and 2 announcements 2 s apart -> HELD
 *   NONE    used at once, ANNOUNCING -> HELD
 *
 * BESIDE is a deviation from §2.1 that a machine which boots in milliseconds chooses: two hosts
 * with one address are found as early as the strict order finds them, but the address is in use
 * until then.
 *
 * Conflicts while not used yet: the address is lost. While used: §2.4 (b), it is defended once by
 * an announcement; a second conflict within ten seconds, and it is given up.
 */
#include "arp_priv.h"
#include "ethif_wire.h"

#define PROBES            3u
#define ANNOUNCEMENTS     2u
#define PROBE_WAIT_MS     1000u
#define PROBE_MIN_MS      1000u
#define PROBE_MAX_MS      2000u
#define ANNOUNCE_WAIT     WISP_SEC(2)
#define ANNOUNCE_INTERVAL WISP_SEC(2)
#define DEFEND_INTERVAL   WISP_SEC(10)
#define MAX_CONFLICTS     10u
#define RATE_LIMIT        WISP_SEC(60)
#define NO_PACKET_RETRY   WISP_MS(100)

struct wisp_claim *wisp_claim_find(struct wisp_arp *arp, struct wisp_ip4 ip)
{
    for (uint32_t i = 0; i < WISP_ARP_CLAIMS; i++) {
        struct wisp_claim *claim = &arp->claim[i];
        if (claim->state != WISP_CLAIM_NONE && wisp_ip4_equal(claim->ip, ip)) {
            return claim;
        }
    }
    return NULL;
}

bool wisp_claim_in_use(const struct wisp_claim *claim)
{
    return claim->state >= WISP_CLAIM_BESIDE;
}

/* Sends a probe (sender zero, §2.1.1) or an announcement (sender and target the address, §2.3). */
static bool tell(struct wisp_arp *arp, struct wisp_ip4 sender, struct wisp_ip4 ip,
                 enum wisp_arp_count kind, wisp_time now)
{
    struct wisp_arp_message message = {
        .operation = WISP_ARP_REQUEST, .sender_mac = arp->eth->mac, .sender = sender, .target = ip};
    bool sent = wisp_arp_send(arp, wisp_arp_everybody, &message, now);
    arp->count[kind] += sent;
    return sent;
}

static bool probe(struct wisp_arp *arp, const struct wisp_claim *claim, wisp_time now)
{
    return tell(arp, wisp_ip4(0, 0, 0, 0), claim->ip, WISP_ARP_TX_PROBE, now);
}

static bool announce(struct wisp_arp *arp, const struct wisp_claim *claim, wisp_time now)
{
    return tell(arp, claim->ip, claim->ip, WISP_ARP_TX_ANNOUNCEMENT, now);
}

static wisp_time random_ms(struct wisp_arp *arp, uint32_t low, uint32_t high)
{
    return WISP_MS(low + wisp_rng_below(&arp->rng, high - low + 1));
}

bool wisp_arp_claim(struct wisp_arp *arp, struct wisp_ip4 ip, enum wisp_claim_start start,
                    wisp_time now)
{
    struct wisp_claim *claim = arp->claim;
    while (claim->state != WISP_CLAIM_NONE) {
        if (++claim == arp->claim + WISP_ARP_CLAIMS) {
            return false;
        }
    }
    *claim = (struct wisp_claim){.ip = ip, .at = now};
    bool slow = arp->conflicts >= MAX_CONFLICTS;
    if (start == WISP_CLAIM_START_WAIT || slow) {
        claim->state = WISP_CLAIM_TENTATIVE;
        claim->at = now + random_ms(arp, 0, PROBE_WAIT_MS);
        if (slow && claim->at < arp->last_claim + RATE_LIMIT) {
            claim->at = arp->last_claim + RATE_LIMIT;
        }
    } else {
        claim->state = start == WISP_CLAIM_START_BESIDE ? WISP_CLAIM_BESIDE : WISP_CLAIM_ANNOUNCING;
        arp->upper.claimed(arp->upper.self, ip, now);
    }
    arp->last_claim = claim->at;
    arp->at = wisp_time_min(arp->at, claim->at);
    return true;
}

void wisp_arp_release(struct wisp_arp *arp, struct wisp_ip4 ip)
{
    struct wisp_claim *claim = wisp_claim_find(arp, ip);
    if (claim) {
        claim->state = WISP_CLAIM_NONE;
    }
}

void wisp_arp_announce(struct wisp_arp *arp, wisp_time now)
{
    for (uint32_t i = 0; i < WISP_ARP_CLAIMS; i++) {
        struct wisp_claim *claim = &arp->claim[i];
        if (wisp_claim_in_use(claim)) {
            claim->state = WISP_CLAIM_ANNOUNCING;
            claim->step = 0;
            claim->at = now;
            arp->at = now;
        }
    }
}

static void lose(struct wisp_arp *arp, struct wisp_claim *claim, struct wisp_mac other,
                 wisp_time now)
{
    struct wisp_ip4 ip = claim->ip;
    claim->state = WISP_CLAIM_NONE;
    arp->conflicts++;
    arp->upper.conflict(arp->upper.self, ip, other, true, now);
}

static void conflict(struct wisp_arp *arp, struct wisp_claim *claim, struct wisp_mac other,
                     wisp_time now)
{
    arp->count[WISP_ARP_RX_CONFLICT]++;
    bool again = claim->defended && now - claim->last_conflict < DEFEND_INTERVAL;
    if (!wisp_claim_in_use(claim) || again) {
        lose(arp, claim, other, now);
        return;
    }
    claim->defended = true;
    claim->last_conflict = now;
    announce(arp, claim, now);
    arp->upper.conflict(arp->upper.self, claim->ip, other, false, now);
}

bool wisp_claim_watch(struct wisp_arp *arp, const struct wisp_arp_message *message, wisp_time now)
{
    if (wisp_mac_equal(message->sender_mac, arp->eth->mac)) {
        return true; /* our own message came back: tells nothing */
    }
    struct wisp_claim *claim = wisp_claim_find(arp, message->sender);
    if (claim) {
        conflict(arp, claim, message->sender_mac, now);
        return true;
    }
    claim = wisp_claim_find(arp, message->target);
    bool other_probes =
        message->operation == WISP_ARP_REQUEST && wisp_ip4_value(message->sender) == 0;
    if (claim && other_probes && !wisp_claim_in_use(claim)) {
        conflict(arp, claim, message->sender_mac, now);
        return true;
    }
    return false;
}

static void advance_tentative(struct wisp_arp *arp, struct wisp_claim *claim, wisp_time now)
{
    if (!probe(arp, claim, now)) {
        claim->at = now + NO_PACKET_RETRY;
        return;
    }
    if (++claim->step < PROBES) {
        claim->at = now + random_ms(arp, PROBE_MIN_MS, PROBE_MAX_MS);
    } else {
        claim->state = WISP_CLAIM_SETTLING;
        claim->at = now + ANNOUNCE_WAIT;
    }
}

static void advance_announcing(struct wisp_arp *arp, struct wisp_claim *claim, wisp_time now)
{
    if (!announce(arp, claim, now)) {
        claim->at = now + NO_PACKET_RETRY;
        return;
    }
    claim->at = now + ANNOUNCE_INTERVAL;
    if (++claim->step == ANNOUNCEMENTS) {
        claim->state = WISP_CLAIM_HELD;
    }
}

static void advance_beside(struct wisp_arp *arp, struct wisp_claim *claim, wisp_time now)
{
    bool sent = claim->step >= ANNOUNCEMENTS || announce(arp, claim, now);
    if (!sent || !probe(arp, claim, now)) {
        claim->at = now + NO_PACKET_RETRY;
        return;
    }
    claim->at = now + ANNOUNCE_INTERVAL;
    if (++claim->step == PROBES) {
        claim->state = WISP_CLAIM_HELD;
    }
}

static void advance(struct wisp_arp *arp, struct wisp_claim *claim, wisp_time now)
{
    switch (claim->state) {
    case WISP_CLAIM_TENTATIVE:
        advance_tentative(arp, claim, now);
        break;
    case WISP_CLAIM_SETTLING:
        claim->state = WISP_CLAIM_ANNOUNCING;
        claim->step = 0;
        arp->upper.claimed(arp->upper.self, claim->ip, now);
        advance_announcing(arp, claim, now);
        break;
    case WISP_CLAIM_BESIDE:
        advance_beside(arp, claim, now);
        break;
    default:
        advance_announcing(arp, claim, now);
        break;
    }
}

static bool has_plans(const struct wisp_claim *claim)
{
    return claim->state != WISP_CLAIM_NONE && claim->state != WISP_CLAIM_HELD;
}

void wisp_claim_expire(struct wisp_arp *arp, wisp_time now)
{
    for (uint32_t i = 0; i < WISP_ARP_CLAIMS; i++) {
        if (has_plans(&arp->claim[i]) && arp->claim[i].at <= now) {
            advance(arp, &arp->claim[i], now);
        }
    }
}

wisp_time wisp_claim_deadline(const struct wisp_arp *arp)
{
    wisp_time at = WISP_NEVER;
    for (uint32_t i = 0; i < WISP_ARP_CLAIMS; i++) {
        if (has_plans(&arp->claim[i])) {
            at = wisp_time_min(at, arp->claim[i].at);
        }
    }
    return at;
}
