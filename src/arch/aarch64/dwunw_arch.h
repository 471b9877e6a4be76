/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * aarch64 for the frame step. Dense indices (DWARF numbers: DWARF for the Arm 64-bit Architecture, section 4.1):
 *
 *    0 ..  9   x19 .. x28
 *   10, 11, 12 x29 (frame pointer), x30 (link register), sp
 *   13, 14, 15 x0 (base of longjmp's rows), x12 (of rows while a large frame is probed), x15 (return address of some helpers)
 */
#ifndef DWUNW_ARCH_H
#define DWUNW_ARCH_H

#include <dwunw/step_types.h>

/* A frame record (AAPCS64 6.4.6): the caller's x29 at *x29, the return address above it. */
static const struct dwunw_step_arch dwunw_step_arch_aarch64 = {
	.word_size = 8,
	.sp = 12,
	.fp = 10,
	.return_size = 0,
	.link = 11,
	/*
	 * Linux gives user space addresses of at most 48 bits unless it asks for more (kernel, memory.rst of arm64). Pointer
	 * authentication may use the bits above but 55, and the top byte is not looked at.
	 */
	.ra_mask = 0xff7f000000000000,
	.callee_saved = 0x7ff | 1 << 12,
	.fp_frame =
		{
			.cfa_kind = DWUNW_RULE_REG_PLUS,
			.cfa_reg = 10,
			.cfa_off = 16,
			.ra_kind = DWUNW_RULE_CFA_AT,
			.ra_off = -8,
			.fp_kind = DWUNW_RULE_CFA_AT,
			.fp_off = -16,
		},
	.max_fp_frame = 1 << 20,
};

/* where this folder is that of the machine built for */
#define DWUNW_ARCH_NATIVE dwunw_step_arch_aarch64

#endif
