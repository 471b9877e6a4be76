/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * riscv64 for the frame step. Dense indices (DWARF numbers: RISC-V ELF psABI, "DWARF register numbers"):
 *
 *    0 .. 11   s0 (frame pointer), s1 .. s11
 *   12, 13     ra (link register), sp
 *   14, 15     t0 (return address of the millicode that saves registers; base of setcontext's rows), t1
 */
#ifndef DWUNW_ARCH_H
#define DWUNW_ARCH_H

#include <dwunw/step_types.h>

/* psABI, "Frame pointer convention": s0 is the CFA; below it the return address, below that the caller's s0. */
static const struct dwunw_step_arch dwunw_step_arch_riscv64 = {
	.word_size = 8,
	.sp = 13,
	.fp = 0,
	.return_size = 0,
	.link = 12,
	.callee_saved = 0xfff | 1 << 13,
	.fp_frame =
		{
			.cfa_kind = DWUNW_RULE_REG_PLUS,
			.cfa_reg = 0,
			.cfa_off = 0,
			.ra_kind = DWUNW_RULE_CFA_AT,
			.ra_off = -8,
			.fp_kind = DWUNW_RULE_CFA_AT,
			.fp_off = -16,
		},
	.max_fp_frame = 1 << 20,
};

/* where this folder is that of the machine built for */
#define DWUNW_ARCH_NATIVE dwunw_step_arch_riscv64

#endif
