/* SPDX-License-Identifier: ISC */
/* PVH: the image starts in 32-bit mode, flat, paging off, with hvm_start_info in %ebx.
 *
 * Maps the first GiB with 2 MiB pages (machine_pvh.c replaces this with the final tables), turns on long mode, NX
 * and write protection for the supervisor, and calls C. Also here: the traps' entries, and the way out of the boot. */

#include "trap_entry.h"
#include <xen/elfnote.h>

#define MSR_EFER 0xc0000080
#define MSR_FS_BASE 0xc0000100

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long wisp_boot_pvh

    .section .bss..pages.boot, "aw", @nobits
    .balign 4096
boot_tables: /* one of each level: 4, 3, 2 */
    .skip 3 * 4096

    .section .boot.rodata, "a", @progbits
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* code, 64 bit, accessed */
    .quad 0x00cf93000000ffff /* data, accessed */
boot_gdt_end:
boot_gdtr:
    .word boot_gdt_end - boot_gdt - 1
    .long boot_gdt

    .section .boot.text, "ax", @progbits
    .code32
    .globl wisp_boot_pvh
wisp_boot_pvh:
    cld
    movl $wisp_stack_top, %esp
    movl $boot_tables, %edi
    leal 0x1003(%edi), %eax
    movl %eax, (%edi)
    leal 0x2003(%edi), %eax
    movl %eax, 0x1000(%edi)
    xorl %ecx, %ecx
1:  movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax /* present, writable, 2 MiB */
    movl %eax, 0x2000(%edi, %ecx, 8)
    incl %ecx
    cmpl $512, %ecx
    jb 1b

    movl %cr4, %eax
    orl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl %edi, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $0x900, %eax /* LME, NXE */
    wrmsr
    movl $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    fninit /* from reset the x87 rounds to single precision, and musl's snprintf prints wrong digits */
    lgdt boot_gdtr
    ljmp $8, $1f

    .code64
1:  movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movl $MSR_FS_BASE, %ecx
    movl $wisp_thread, %eax
    xorl %edx, %edx
    wrmsr
    movl $wisp_stack_top, %esp
    xorl %ebp, %ebp
    movl %ebx, %edi
    movl $wisp_machine_pvh, %esi
    call wisp_boot
    ud2

/* void wisp_pvh_boot_leave(root): loads the final tables, in which this page is no longer mapped. The load ends the
 * page; the next instruction is the first of .text. */
    .section .boot.exit, "ax", @progbits
    .globl wisp_pvh_boot_leave
wisp_pvh_boot_leave:
    .skip 13, 0x90
    movq %rdi, %cr3

    .section .text.first, "ax", @progbits
    jmp wisp_sealed_entry

    .text
.macro trap vector:req, code=0
1:
    .if \code == 0
    pushq $0
    .endif
    pushq $\vector
    jmp wisp_trap_common
    .org 1b + WISP_PVH_TRAP_SIZE
.endm
    .globl wisp_pvh_trap_entries
wisp_pvh_trap_entries:
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
