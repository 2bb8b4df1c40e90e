/* SPDX-License-Identifier: ISC */
/* PV: the toolstack has mapped the image and starts it in 64-bit mode, ring 3, with start_info in %rsi.
 *
 * Also here: the traps' entries (Xen pushes %rcx and %r11 above the usual frame), and the way out of the boot. */

#include "trap_entry.h"
#include <xen/elfnote.h>

#define HYPERCALL_SET_SEGMENT_BASE 25
#define HYPERCALL_SCHED_OP 29
#define SEGBASE_FS 0

/* Every note has a name of four bytes, "Xen". */
.macro note type:req, kind:req, value:vararg
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \kind \value
2:  .balign 4
.endm

    .section .note.Xen, "a", @note
    note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
    note XEN_ELFNOTE_LOADER, .asciz, "generic"
    note XEN_ELFNOTE_GUEST_OS, .asciz, "wisp"
    note XEN_ELFNOTE_PAE_MODE, .asciz, "yes"
    note XEN_ELFNOTE_FEATURES, .asciz, ""
    note XEN_ELFNOTE_VIRT_BASE, .quad, 0
    note XEN_ELFNOTE_PADDR_OFFSET, .quad, 0
    note XEN_ELFNOTE_ENTRY, .quad, wisp_boot_pv
    note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, wisp_hypercall_page

    .section .boot.text, "ax", @progbits
    .code64
    .globl wisp_boot_pv
wisp_boot_pv:
    cld
    movl $wisp_stack_top, %esp
    xorl %ebp, %ebp
    movq %rsi, %rbx
    movl $SEGBASE_FS, %edi
    movl $wisp_thread, %esi
    call wisp_hypercall_page + 32 * HYPERCALL_SET_SEGMENT_BASE
    movq %rbx, %rdi
    movl $wisp_machine_pv, %esi
    call wisp_boot
    ud2

/* void wisp_pv_boot_leave(calls, count): the multicall that unmaps the very page this runs on. It enters the stub
 * of a hypercall that stays (sched_op) behind the instruction that loads the number; the stub's end pops two
 * registers and returns into .text. */
    .globl wisp_pv_boot_leave
wisp_pv_boot_leave:
    movl $wisp_sealed_entry, %eax
    pushq %rax
    pushq $0
    pushq $0
    movl $13, %eax /* multicall */
    jmp wisp_hypercall_page + 32 * HYPERCALL_SCHED_OP + 8

    .text
    .globl wisp_pv_trap_entries
.macro trap vector:req, code=0
1:
    popq %rcx
    popq %r11
    .if \code == 0
    pushq $0
    .endif
    pushq $\vector
    jmp wisp_trap_common
    .org 1b + WISP_PV_TRAP_SIZE
.endm
wisp_pv_trap_entries:
    trap 0
    trap 1
    trap 2
    trap 3
    trap 4
    trap 5
    trap 6
    trap 7
    trap 8, 1
    trap 9
    trap 10, 1
    trap 11, 1
    trap 12, 1
    trap 13, 1
    trap 14, 1
    trap 15
    trap 16
    trap 17, 1
    trap 18
    trap 19

    .section .note.GNU-stack, "", @progbits
