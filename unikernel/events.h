/* SPDX-License-Identifier: ISC */
/* Event channels, polled: nothing ever interrupts the guest. */
#ifndef WISP_UNIKERNEL_EVENTS_H
#define WISP_UNIKERNEL_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <wisp/clock.h>

/* A new port that domain may bind; UINT32_MAX when there is none. */
uint32_t wisp_event_open(uint16_t domain);
void wisp_event_close(uint32_t port);
void wisp_event_notify(uint32_t port);
/* Adds a port that was open from the start (the store's) to those waited for. */
void wisp_event_add(uint32_t port);

/* True once per arrival. */
bool wisp_event_pending(uint32_t port);
/* Blocks until one of the open ports has an event or the time comes. */
void wisp_event_wait(wisp_time deadline);
/* The same for one port alone, whose event it takes. */
void wisp_event_wait_one(uint32_t port, wisp_time deadline);

#endif
