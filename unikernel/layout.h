/* SPDX-License-Identifier: ISC */
/* The image as image.lds lays it out, and the three kinds of things that live only while it boots.
 *
 * WISP_BOOT code and WISP_BOOT_CONST constants are unmapped once the guest is sealed: permanent
 * code must not refer to them (image.lds has the linker refuse it; tests/xen/image.sh). WISP_SEALED data is
 * written by the boot and read-only from then on. */
#ifndef WISP_UNIKERNEL_LAYOUT_H
#define WISP_UNIKERNEL_LAYOUT_H

#include <stdint.h>

#define WISP_FRAME_SHIFT 12
#define WISP_FRAME_SIZE  UINT64_C(4096)

#define WISP_BOOT       __attribute__((section(".boot.text"), noinline))
#define WISP_BOOT_CONST __attribute__((section(".boot.rodata")))
#define WISP_SEALED     __attribute__((section(".bss..sealed")))
#define WISP_OWN_PAGE   __attribute__((section(".bss..pages"), aligned(4096)))

extern unsigned char wisp_boot_start[], wisp_boot_end[];
extern unsigned char wisp_text_start[], wisp_text_end[];
extern unsigned char wisp_rodata_start[], wisp_rodata_end[];
extern unsigned char wisp_data_start[];
extern unsigned char wisp_sealed_start[], wisp_sealed_end[];
extern unsigned char wisp_fault_guard[], wisp_fault_stack_bottom[], wisp_fault_stack_top[];
extern unsigned char wisp_stack_guard[], wisp_stack_bottom[], wisp_stack_top[];
extern unsigned char wisp_image_end[];

#endif
