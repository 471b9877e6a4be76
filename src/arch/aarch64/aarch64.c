/* SPDX-License-Identifier: BSD-2-Clause */
/* DWARF register numbers: DWARF for the Arm 64-bit Architecture (AArch64), section 4.1. */
#include <elf.h>
#include "arch/arch.h"
#include "dwunw_arch.h"

static const int8_t dense[] = {
	13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 14, -1, -1, 15, /* x0 .. x15 */
	-1, -1, -1, 0,	1,  2,	3,  4,	5,  6,	7,  8,	9,  10, 11, 12, /* x16 .. x30, sp */
};

/*
 * mov x8, #139; svc #0 (Linux: arch/arm64/kernel/vdso/sigreturn.S). At sp are siginfo_t (128 bytes) and ucontext_t, whose
 * uc_mcontext (asm/sigcontext.h), at 176, has x0 .. x30, sp and pc from its byte 8 on.
 */
#define REG(n) (128 + 176 + 8 + 8 * (n))
static const struct arch_sigreturn sigreturns[] = {
	{.code = {0xd2801168, 0xd4000001},
	 .pc = REG(32),
	 .regs = {REG(19), REG(20), REG(21), REG(22), REG(23), REG(24), REG(25), REG(26), REG(27),
		  REG(28), REG(29), REG(30), REG(31), REG(0), REG(12), REG(15)}},
};

static const char *const reg_names[] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",	 "x7",	/* 0 */
	"x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15", /* 8 */
	"x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", /* 16 */
	"x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",	/* 24 */
	NULL,  "elr", NULL,  NULL,  NULL,  NULL,  NULL,	 NULL,	/* 32 */
	NULL,  NULL,  NULL,  NULL,  NULL,  NULL,  "vg",	 "ffr", /* 40 */
	"p0",  "p1",  "p2",  "p3",  "p4",  "p5",  "p6",	 "p7",	/* 48 */
	"p8",  "p9",  "p10", "p11", "p12", "p13", "p14", "p15", /* 56 */
	"v0",  "v1",  "v2",  "v3",  "v4",  "v5",  "v6",	 "v7",	/* 64 */
	"v8",  "v9",  "v10", "v11", "v12", "v13", "v14", "v15", /* 72 */
	"v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", /* 80 */
	"v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", /* 88 */
	"z0",  "z1",  "z2",  "z3",  "z4",  "z5",  "z6",	 "z7",	/* 96 */
	"z8",  "z9",  "z10", "z11", "z12", "z13", "z14", "z15", /* 104 */
	"z16", "z17", "z18", "z19", "z20", "z21", "z22", "z23", /* 112 */
	"z24", "z25", "z26", "z27", "z28", "z29", "z30", "z31", /* 120 */
};

/* of struct user_pt_regs (Linux: asm/ptrace.h): x0 .. x30, sp, pc, pstate */
static const uint8_t user_regs[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 0, 12, 15};

const struct arch arch_aarch64 = {
	.name = "aarch64",
	.machine = EM_AARCH64,
	.elf_class = ELFCLASS64,
	.elf_data = ELFDATA2LSB,
	.dense = dense,
	.n_dense = sizeof(dense) / sizeof(dense[0]),
	.ra_column = 30,
	.step = &dwunw_step_arch_aarch64,
	.n_user_words = 34,
	.user_pc = 32,
	.user_regs = user_regs,
	.ra_mask_set = NT_ARM_PAC_MASK, /* struct user_pac_mask: data_mask, insn_mask */
	.sigreturns = sigreturns,
	.n_sigreturns = sizeof(sigreturns) / sizeof(sigreturns[0]),
	.reg_names = reg_names,
	.n_reg_names = sizeof(reg_names) / sizeof(reg_names[0]),
};
