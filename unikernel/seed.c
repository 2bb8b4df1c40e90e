/* SPDX-License-Identifier: ISC */
/*
 * Where the guest's entropy comes from: RDSEED, else RDRAND, without which it does not start; mixed
 * with the jitter of hypercalls and, where given, with --seed and xenstore's `seed` below the
 * guest's directory. A seed alone does not do: a command line is the same at every boot.
 */
#include "entropy.h"
#include "hypercall.h"
#include "libc.h"
#include "machine.h"
#include "start.h"
#include "thread.h"
#include "xenstore.h"
#include <string.h>
#include <xen/event_channel.h>

/* libsodium's; its headers want a C library's. */
int crypto_shorthash_siphash24(unsigned char *out, const unsigned char *in,
                               unsigned long long length, const unsigned char *key);

enum { LEAF1_ECX_RDRAND = 1 << 30, LEAF7_EBX_RDSEED = 1 << 18, JITTER_SAMPLES = 32 };

static struct wisp_entropy pool;

struct cpuid {
    uint32_t a, b, c, d;
};

/* On PV the plain instruction tells of the processor, the prefixed one what Xen lets the guest use
 * of it. */
static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid r = {leaf, 0, 0, 0};
    if (wisp_guest.frame_list) {
        __asm__ volatile(XEN_CPUID : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    } else {
        __asm__ volatile("cpuid" : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    }
    return r;
}

static bool rdrand(uint64_t *word)
{
    bool good;
    __asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(good));
    return good;
}

static bool rdseed(uint64_t *word)
{
    bool good;
    __asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(good));
    return good;
}

static bool gather_from_processor(void)
{
    bool has_rdrand = cpuid(1).c & LEAF1_ECX_RDRAND;
    bool has_rdseed = cpuid(0).a >= 7 && cpuid(7).b & LEAF7_EBX_RDSEED;
    return (has_rdseed && wisp_entropy_gather(&pool, rdseed)) ||
           (has_rdrand && wisp_entropy_gather(&pool, rdrand));
}

/* Each sample crosses into Xen and back, by a call that changes nothing and does not give the
 * processor away. */
static void gather_jitter(void)
{
    uint64_t samples[JITTER_SAMPLES];
    for (unsigned i = 0; i < JITTER_SAMPLES; i++) {
        evtchn_status_t status = {.dom = DOMID_SELF, .port = wisp_guest.store_port};
        wisp_hypercall_event_channel(EVTCHNOP_status, &status);
        samples[i] = __builtin_ia32_rdtsc();
    }
    wisp_entropy_mix(&pool, samples, sizeof(samples));
}

void wisp_seed_init(void)
{
    char given[WISP_XS_VALUE_MAX];
    const char *parameter = wisp_platform_param("seed");
    if (!gather_from_processor()) {
        wisp_platform_exit(1,
                           "no entropy: this processor gives the guest neither RDSEED nor RDRAND");
    }
    gather_jitter();
    if (parameter) {
        wisp_entropy_mix(&pool, parameter, strlen(parameter));
    }
    if (wisp_xenstore_read(0, "seed", given, sizeof(given)) == WISP_XS_OK) {
        wisp_entropy_mix(&pool, given, strlen(given));
    }
    wisp_entropy_take(&pool, &wisp_thread.canary, sizeof(wisp_thread.canary));
}

void wisp_platform_entropy(void *bytes, size_t len)
{
    wisp_entropy_take(&pool, bytes, len);
}

static uint64_t siphash(const uint8_t key[WISP_HASH_KEY], const void *data, size_t len)
{
    uint8_t out[8];
    uint64_t value;
    crypto_shorthash_siphash24(out, data, len, key);
    memcpy(&value, out, sizeof(value));
    return value;
}

wisp_hash_fn wisp_platform_hash(void)
{
    return siphash;
}

/* The vector sum would need its registers saved, which the boot does not ask Xen for. */
wisp_sum_fn wisp_platform_sum(void)
{
    return wisp_sum_portable;
}
