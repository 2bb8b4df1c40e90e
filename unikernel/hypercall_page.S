/* SPDX-License-Identifier: ISC */
/* The page through which the guest calls Xen: entry n, 32 bytes each, is hypercall n. The toolstack (PV) or Xen
 * (PVH, at the write of an MSR) fills it; seal.c empties all entries but the few a sealed guest needs. */

    .section .bss..pages.hypercall, "aw", @nobits
    .balign 4096
    .globl wisp_hypercall_page
    .type wisp_hypercall_page, @object
    .size wisp_hypercall_page, 4096
wisp_hypercall_page:
    .skip 4096

    .section .note.GNU-stack, "", @progbits
