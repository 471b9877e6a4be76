/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DWARF register numbers are those of the general registers; readelf has no names for them. One descriptor for
 * each byte order. n32, which has the same ELF class, keeps 8 bytes a register: its CFI is read, its stacks are not walked.
 */
#include <elf.h>
#include "arch/arch.h"
#include "dwunw_arch.h"

static const int8_t dense[] = {
	-1, -1, -1, 12, 13, -1, -1, -1, 14, -1, -1, -1, -1, -1, -1, -1, /* $0 .. $15 */
	0,  1,	2,  3,	4,  5,	6,  7,	-1, 15, -1, -1, 8,  9,	10, 11, /* $16 .. $31 */
};

/* of elf_gregset_t (Linux: asm/reg.h): 6 words of padding, $0 .. $31, lo, hi, pc and others */
static const uint8_t user_regs[] = {22, 23, 24, 25, 26, 27, 28, 29, 34, 35, 36, 37, 9, 10, 14, 31};

const struct arch arch_mips32 = {
	.name = "mips",
	.machine = EM_MIPS,
	.elf_class = ELFCLASS32,
	.elf_data = ELFDATA2MSB,
	.dense = dense,
	.n_dense = sizeof(dense) / sizeof(dense[0]),
	.ra_column = 31,
	.n_user_words = 45,
	.user_pc = 40,
	.user_regs = user_regs,
	.step = &dwunw_step_arch_mips32,
};

const struct arch arch_mips32el = {
	.name = "mipsel",
	.machine = EM_MIPS,
	.elf_class = ELFCLASS32,
	.elf_data = ELFDATA2LSB,
	.dense = dense,
	.n_dense = sizeof(dense) / sizeof(dense[0]),
	.ra_column = 31,
	.n_user_words = 45,
	.user_pc = 40,
	.user_regs = user_regs,
	.step = &dwunw_step_arch_mips32,
};
