/* SPDX-License-Identifier: BSD-2-Clause */
/* DWARF register numbers: RISC-V ELF psABI, "DWARF register numbers". */
#include <elf.h>
#include "arch/arch.h"
#include "dwunw_arch.h"

static const int8_t dense[] = {
	-1, 12, 13, -1, -1, 14, 15, -1, 0, 1, -1, -1, -1, -1, -1, -1, /* x0 .. x15 */
	-1, -1, 2,  3,	4,  5,	6,  7,	8, 9, 10, 11, -1, -1, -1, -1, /* x16 .. x31 */
};

/*
 * li a7, 139; ecall (Linux: arch/riscv/kernel/vdso/rt_sigreturn.S). At sp are siginfo_t (128 bytes) and ucontext_t, whose
 * uc_mcontext (asm/sigcontext.h), at 176, begins with pc, x1 .. x31.
 */
#define REG(n) (128 + 176 + 8 * (n))
static const struct arch_sigreturn sigreturns[] = {
	{.code = {0x08b00893, 0x00000073},
	 .pc = REG(0),
	 .regs = {REG(8), REG(9), REG(18), REG(19), REG(20), REG(21), REG(22), REG(23), REG(24),
		  REG(25), REG(26), REG(27), REG(1), REG(2), REG(5), REG(6)}},
};

static const char *const reg_names[] = {
	"zero", "ra",  "sp",   "gp",   "tp",  "t0",  "t1",   "t2",   /* 0 */
	"s0",	"s1",  "a0",   "a1",   "a2",  "a3",  "a4",   "a5",   /* 8 */
	"a6",	"a7",  "s2",   "s3",   "s4",  "s5",  "s6",   "s7",   /* 16 */
	"s8",	"s9",  "s10",  "s11",  "t3",  "t4",  "t5",   "t6",   /* 24 */
	"ft0",	"ft1", "ft2",  "ft3",  "ft4", "ft5", "ft6",  "ft7",  /* 32 */
	"fs0",	"fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",  /* 40 */
	"fa6",	"fa7", "fs2",  "fs3",  "fs4", "fs5", "fs6",  "fs7",  /* 48 */
	"fs8",	"fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11", /* 56 */
};

/* of struct user_regs_struct (Linux: asm/ptrace.h): pc, x1 .. x31 */
static const uint8_t user_regs[] = {8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 1, 2, 5, 6};

const struct arch arch_riscv64 = {
	.name = "riscv64",
	.machine = EM_RISCV,
	.elf_class = ELFCLASS64,
	.elf_data = ELFDATA2LSB,
	.dense = dense,
	.n_dense = sizeof(dense) / sizeof(dense[0]),
	.ra_column = 1,
	.step = &dwunw_step_arch_riscv64,
	.n_user_words = 32,
	.user_pc = 0,
	.user_regs = user_regs,
	.sigreturns = sigreturns,
	.n_sigreturns = sizeof(sigreturns) / sizeof(sigreturns[0]),
	.reg_names = reg_names,
	.n_reg_names = sizeof(reg_names) / sizeof(reg_names[0]),
};
