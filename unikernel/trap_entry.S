/* SPDX-License-Identifier: ISC */
/* What both modes' trap entries share, and the first instructions of the sealed guest.
 * The stack at wisp_trap_common: vector, error code, then the processor's frame (rip, cs, rflags, rsp, ss). */

    .text
    .globl wisp_trap_common
wisp_trap_common:
    cld
    pushq %rbp
    pushq %r15
    pushq %r14
    pushq %r13
    pushq %r12
    pushq %rbx
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    movq %rsp, %rdi
    xorl %ebp, %ebp
    andq $-16, %rsp
    call wisp_trap
    ud2

    .globl wisp_sealed_entry
wisp_sealed_entry:
    movl $wisp_stack_top, %esp
    xorl %ebp, %ebp
    call wisp_sealed
    ud2

    .section .note.GNU-stack, "", @progbits
