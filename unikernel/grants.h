/* SPDX-License-Identifier: ISC */
/* The grant table, version 1: which pages of ours another domain may use. */
#ifndef WISP_UNIKERNEL_GRANTS_H
#define WISP_UNIKERNEL_GRANTS_H

#include "machine.h"
#include <stdbool.h>
#include <stdint.h>

#define WISP_GRANT_FULL UINT32_MAX

/* Maps the table; part of the boot. */
void wisp_grants_init(const struct wisp_machine *machine);
/* Lets domain use the page; WISP_GRANT_FULL when no entry is free. */
uint32_t wisp_grant_open(uint16_t domain, const void *page, bool writable);
/* Ends that. False: the domain has the page mapped or copies from it at this moment; nothing
 * changed. */
bool wisp_grant_close(uint32_t reference);
/* Grants open now. */
uint32_t wisp_grants_open(void);

#endif
