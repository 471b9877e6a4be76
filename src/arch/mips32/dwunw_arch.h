/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mips32 (ABI o32) for the frame step, in either byte order. Dense indices (DWARF numbers: those of the registers):
 *
 *    0 ..  7   $16 .. $23 (s0 .. s7)
 *    8 .. 11   $28 (gp), $29 (sp), $30 (fp), $31 (link register)
 *   12 .. 15   $3, $4, $8, $25 (v1, a0, t0, t9): bases of rows in prologues of large frames and in setcontext
 */
#ifndef DWUNW_ARCH_H
#define DWUNW_ARCH_H

#include <dwunw/step_types.h>

/* o32 has no chain of frame pointers: a frame without CFI ends the walk. */
static const struct dwunw_step_arch dwunw_step_arch_mips32 = {
	.word_size = 4,
	.sp = 9,
	.fp = 10,
	.return_size = 0,
	.link = 11,
	.callee_saved = 0x7ff,
	.fp_frame = {.cfa_kind = DWUNW_NO_RULE},
	.max_fp_frame = 1 << 20,
};

/* where this folder is that of the machine built for */
#define DWUNW_ARCH_NATIVE dwunw_step_arch_mips32

#endif
