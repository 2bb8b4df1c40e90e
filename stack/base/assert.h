/* SPDX-License-Identifier: ISC */
/*
 * WISP_ASSERT states what a caller of ours must have done, never anything a peer, a backend or the world
 * controls. Checked builds (WISP_CHECKED: debug and test builds) stop there; others assume it.
 */
#ifndef WISP_BASE_ASSERT_H
#define WISP_BASE_ASSERT_H

#ifdef WISP_CHECKED
#define WISP_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define WISP_ASSERT(condition) ((void)sizeof(condition))
#endif

#endif
