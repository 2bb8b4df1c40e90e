/* SPDX-License-Identifier: ISC */
/*
 * Writes to the console ring (xen/io/console.h). The other side is dom0's: its index is used only
 * to learn how much room there is, and a wild one means none.
 */
#include "console.h"
#include "clock.h"
#include "events.h"
#include "machine.h"
#include <stdint.h>
#include <xen/io/console.h>

/* How many waits of 5 ms for a reader. They are counted and not timed: the clock goes on while the whole host stands still,
 * reader and all. */
#define PATIENCE 20u

static uint32_t room(const struct xencons_interface *ring)
{
    uint32_t used = ring->out_prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);
    return used < sizeof(ring->out) ? (uint32_t)sizeof(ring->out) - used : 0;
}

static void wait_a_little(void)
{
    wisp_event_wait_one(wisp_guest.console_port, wisp_clock_now() + WISP_MS(5));
}

void wisp_console_write(const char *text, size_t length)
{
    struct xencons_interface *ring = wisp_guest.console;
    uint32_t waits = PATIENCE;
    while (ring && length) {
        uint32_t prod = ring->out_prod, now = room(ring);
        if (!now) {
            if (waits-- == 0) {
                return;
            }
            wait_a_little();
            continue;
        }
        for (; now && length; now--, length--) {
            ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = *text++;
        }
        /* The text must be visible before the index that announces it. */
        __atomic_store_n(&ring->out_prod, prod, __ATOMIC_SEQ_CST);
        wisp_event_notify(wisp_guest.console_port);
    }
}

void wisp_console_drain(void)
{
    struct xencons_interface *ring = wisp_guest.console;
    for (uint32_t i = 0; ring && room(ring) < sizeof(ring->out) && i < 2 * PATIENCE; i++) {
        wait_a_little();
    }
}
