/* SPDX-License-Identifier: ISC */
/*
 * Requests for pages and packets that fail by plan: the functions of the pools, wrapped by the linker (famine_link in
 * tests/meson.build), so that the code under test is the one that ships.
 */
#ifndef WISP_TESTS_FAMINE_H
#define WISP_TESTS_FAMINE_H

#include <stdint.h>

/* From now on requests are counted from 1, and `count` of them fail, beginning with `first`; first 0: none. */
void famine_begin(uint64_t first, uint64_t count);

/* How many requests there were since then; the plan is over. */
uint64_t famine_end(void);

#endif
