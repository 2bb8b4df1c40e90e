/* SPDX-License-Identifier: ISC */
/* Bytes from one trap's entry to the next, for the assembler and for C: as many as the longest one has. */
#ifndef WISP_UNIKERNEL_TRAP_ENTRY_H
#define WISP_UNIKERNEL_TRAP_ENTRY_H

#define WISP_PV_TRAP_SIZE  12
#define WISP_PVH_TRAP_SIZE 9

#endif
