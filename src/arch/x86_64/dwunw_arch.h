/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * x86_64 for the frame step. Dense indices are the DWARF register numbers 0..15 (System V psABI AMD64,
 * figure 3.36: rax rdx rcx rbx rsi rdi rbp rsp r8..r15); 16 is the return address column.
 */
#ifndef DWUNW_ARCH_H
#define DWUNW_ARCH_H

#include <dwunw/step_types.h>

/* push %rbp; mov %rsp,%rbp: the caller's rbp at *rbp, the return address above it */
static const struct dwunw_step_arch dwunw_step_arch_x86_64 = {
	.word_size = 8,
	.sp = 7,
	.fp = 6,
	.return_size = 8,
	.callee_saved = 1 << 3 | 1 << 6 | 1 << 7 | 0xf << 12, /* rbx rbp rsp r12..r15 */
	.fp_frame =
		{
			.cfa_kind = DWUNW_RULE_REG_PLUS,
			.cfa_reg = 6,
			.cfa_off = 16,
			.ra_kind = DWUNW_RULE_CFA_AT,
			.ra_off = -8,
			.fp_kind = DWUNW_RULE_CFA_AT,
			.fp_off = -16,
		},
	.max_fp_frame = 1 << 20,
};

/* where this folder is that of the machine built for */
#define DWUNW_ARCH_NATIVE dwunw_step_arch_x86_64

#endif
