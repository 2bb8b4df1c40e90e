/* SPDX-License-Identifier: ISC */
/*
 * An image that does one thing, told by --do, and says how it went. tests/xen/sealed.sh and
 * tests/xen/guest.sh boot it and read its console.
 */
#include "grants.h"
#include "machine.h"
#include "paging.h"
#include "seal_check.h"
#include "seam.h"
#include "xenstore.h"
#include <wisp/platform.h>

static const struct wisp_param params[] = {
    {"do", "report", "WHAT", "what to try"},
    {NULL, NULL, NULL, NULL},
};

const struct wisp_app wisp_app = {"selftest", "tries what an image must not be able to do", params,
                                  NULL};

static volatile unsigned char data[WISP_PAGE_SIZE];

#define SAY(...) wisp_platform_log(WISP_LOG_INFO, "test", __VA_ARGS__)

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static void report(void)
{
    struct wisp_seal_report seal;
    bool sealed = wisp_seal_check(&seal);
    SAY("%s", wisp_platform_name());
    SAY("sealed %d executable %lu writable %lu constant %lu tables %lu", sealed, seal.executable,
        seal.writable, seal.constant, seal.tables);
}

/* Every byte of what the platform gives can be written, and was zero. */
static void memory(void)
{
    uint32_t pages;
    uint64_t total = 0, dirty = 0;
    uint8_t *at = wisp_platform_pages(&pages);
    for (uint64_t i = 0; i < (uint64_t)pages * WISP_PAGE_SIZE / 8; i++) {
        dirty += ((uint64_t *)(void *)at)[i] != 0;
        ((uint64_t *)(void *)at)[i] = i;
    }
    while (wisp_platform_memory(4096)) {
        total += 4096;
    }
    SAY("memory %lu pages %lu other %lu dirty %lu", wisp_guest.memory_bytes,
        (unsigned long)pages * WISP_PAGE_SIZE, total, dirty);
}

static void sleep_for(wisp_time time)
{
    wisp_time end = wisp_platform_now() + time;
    while (wisp_platform_wait(end) && wisp_platform_now() < end) {
    }
}

static void clock(void)
{
    wisp_time start = wisp_platform_now(), last = start, backwards = 0;
    for (unsigned i = 0; i < 100000; i++) {
        wisp_time now = wisp_platform_now();
        backwards += now < last;
        last = now;
    }
    /*
     * The lab's one CPU is also dom0's, and its machine has other work: a wake-up may come late by
     * no fault of the guest's. One that is as it should be is asked for, and none that is early.
     */
    unsigned early = 0, late = 0;
    wisp_time slept;
    do {
        wisp_time before = wisp_platform_now();
        sleep_for(WISP_MS(300));
        slept = wisp_platform_now() - before;
        early += slept < WISP_MS(300);
        late += slept > WISP_MS(320);
    } while (slept > WISP_MS(320) && late < 50);
    SAY("clock backwards %lu early %u late %u slept %lu us", backwards, early, late, slept / 1000);
}

static void entropy(void)
{
    uint8_t bytes[16];
    char text[33];
    wisp_platform_entropy(bytes, sizeof(bytes));
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        wisp_platform_format(text + 2 * i, 3, "%02x", (unsigned)bytes[i]);
    }
    SAY("entropy %s", text);
}

/* xenstored may be late, and anything may end a wait. */
static bool told_of(uint32_t watch)
{
    wisp_time end = wisp_platform_now() + WISP_SEC(20);
    while (!wisp_xenstore_changed(watch)) {
        if (!wisp_platform_wait(end) || wisp_platform_now() >= end) {
            return wisp_xenstore_changed(watch);
        }
    }
    return true;
}

/* Writes two nodes in one transaction; then lets an aborted one change nothing; then a watch tells.
 */
static void xenstore(void)
{
    char value[32];
    wisp_xs_tx tx = wisp_xenstore_begin();
    bool good = tx && wisp_xenstore_write(tx, "data/a", "1") == WISP_XS_OK &&
                wisp_xenstore_read(0, "data/a", value, sizeof(value)) == WISP_XS_ABSENT &&
                wisp_xenstore_end(tx, false) == WISP_XS_OK;
    good = good && wisp_xenstore_read(0, "data/a", value, sizeof(value)) == WISP_XS_OK &&
           same(value, "1");
    tx = wisp_xenstore_begin();
    good = good && wisp_xenstore_write(tx, "data/a", "2") == WISP_XS_OK &&
           wisp_xenstore_end(tx, true) == WISP_XS_OK &&
           wisp_xenstore_read(0, "data/a", value, sizeof(value)) == WISP_XS_OK && same(value, "1");
    SAY("xenstore transactions %d", good);
    good = wisp_xenstore_watch("data/a", 7) == WISP_XS_OK && wisp_xenstore_changed(7) &&
           !wisp_xenstore_changed(7) && wisp_xenstore_write(0, "data/a", "3") == WISP_XS_OK;
    good = good && told_of(7);
    wisp_xenstore_unwatch("data/a", 7);
    good = good && wisp_xenstore_read(0, "data/none", value, sizeof(value)) == WISP_XS_ABSENT &&
           wisp_xenstore_read(0, "name", value, 3) == WISP_XS_FAILED &&
           wisp_xenstore_remove(0, "data/a") == WISP_XS_OK &&
           wisp_xenstore_read(0, "data/a", value, sizeof(value)) == WISP_XS_ABSENT;
    SAY("xenstore watches %d", good);
}

/* A transaction that another write crosses must be told to start over. */
static void crossing(void)
{
    wisp_xs_tx tx = wisp_xenstore_begin();
    char value[32];
    wisp_xenstore_write(0, "data/c", "0");
    tx = wisp_xenstore_begin();
    wisp_xenstore_read(tx, "data/c", value, sizeof(value));
    wisp_xenstore_write(0, "data/c", "1");
    wisp_xenstore_write(tx, "data/c", "2");
    SAY("crossing %d", wisp_xenstore_end(tx, false) == WISP_XS_AGAIN);
}

/* All references can be taken, given back and taken again; one more is refused. */
static void grants(void)
{
    uint32_t first = 0, second = 0;
    static uint32_t list[WISP_GRANT_FRAMES * 512];
    while ((list[first] = wisp_grant_open(0, (void *)(uintptr_t)data, true)) != WISP_GRANT_FULL) {
        first++;
    }
    for (uint32_t i = 0; i < first; i++) {
        second += wisp_grant_close(list[i]);
    }
    SAY("grants %u closed %u open %u", first, second, wisp_grants_open());
}

static int overrun(volatile uint8_t *above, int depth)
{
    volatile uint8_t here[1024];
    here[0] = (uint8_t)depth;
    return depth == 0 ? above[0] : overrun(here, depth - 1) + here[0];
}

static void jump(void)
{
    union {
        volatile unsigned char *data;
        void (*code)(void);
    } to = {.data = data};
    data[0] = 0xc3; /* ret */
    to.code();
}

static void write_at(const void *address)
{
    /* Through a variable the compiler cannot see through: it refuses to write to a constant
     * address. */
    volatile uintptr_t at = (uintptr_t)address;
    *(volatile uint8_t *)at = 1;
}

extern unsigned char wisp_hypercall_page[];

static void forbidden_call(void)
{
    __asm__ volatile("call wisp_hypercall_page + 32 * 1" : : "D"(0L), "S"(0L) : "rax", "memory");
}

/* musl's snprintf, for an application that names it: floating point, and the stack protector's canary at FS. */
int snprintf(char *text, size_t size, const char *format, ...);

static void libc_format(void)
{
    static volatile double number = 355.0 / 113;
    char text[80];
    int length =
        snprintf(text, sizeof(text), "%.6f %s %08llx %-5d|", number, "musl", 0xabcdefull, 42);
    SAY("libc %d %s", length, text);
}

void __assert_fail(const char *what, const char *file, unsigned line, const char *function);

static void fail_assertion(void)
{
    __assert_fail("an assertion of a library", __FILE__, __LINE__, __func__);
}

static void overrun_stack(void)
{
    SAY("%d", overrun(data, 100000));
}

static void write_text(void)
{
    union {
        void (*code)(void);
        const void *data;
    } at = {.code = report};
    write_at(at.data);
}

static void write_constant(void)
{
    write_at(&wisp_app);
}

static void write_table(void)
{
    write_at((const void *)wisp_guest.tables_root);
}

static void write_calls(void)
{
    write_at(wisp_hypercall_page);
}

static void write_sealed(void)
{
    write_at(&wisp_guest);
}

static void write_null(void)
{
    write_at((const void *)(uintptr_t)8);
}

static void wait(void)
{
    SAY("waiting");
    while (wisp_platform_wait(WISP_NEVER)) {
    }
    SAY("told to end");
}

static void fail(void)
{
    wisp_platform_exit(1, "ends with a reason");
}

static const struct {
    const char *name;
    void (*run)(void);
} table[] = {
    {"report", report},
    {"memory", memory},
    {"clock", clock},
    {"entropy", entropy},
    {"xenstore", xenstore},
    {"crossing", crossing},
    {"grants", grants},
    {"jump-to-data", jump},
    {"write-text", write_text},
    {"write-constant", write_constant},
    {"write-table", write_table},
    {"write-calls", write_calls},
    {"write-sealed", write_sealed},
    {"write-null", write_null},
    {"overrun-stack", overrun_stack},
    {"forbidden-call", forbidden_call},
    {"libc-format", libc_format},
    {"fail-assertion", fail_assertion},
    {"wait", wait},
    {"fail", fail},
};

int wisp_app_main(void)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (same(table[i].name, wisp_platform_param("do"))) {
            table[i].run();
            SAY("done %s", table[i].name);
            return 0;
        }
    }
    return 1;
}
