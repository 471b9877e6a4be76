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

/*
 * li $2, __NR_rt_sigreturn or __NR_sigreturn; syscall (Linux: arch/mips/kernel/signal.c). 24 bytes above sp are siginfo_t
 * (128 bytes) and ucontext_t, with its struct sigcontext (asm/sigcontext.h) at 24; or that alone. It has the pc at 8 and
 * $0 .. $31 from 16 on, 8 bytes each.
 */
#define RT (24 + 128 + 24)
#define OLD 24
#define REG(base, low, n) ((base) + 16 + 8 * (n) + (low))
#define SIGRETURN(number, base, low)                                                               \
	{                                                                                          \
		.code = {0x24020000 | (number), 0x0000000c}, .pc = (base) + 8 + (low), .regs = {   \
			REG(base, low, 16),                                                        \
			REG(base, low, 17),                                                        \
			REG(base, low, 18),                                                        \
			REG(base, low, 19),                                                        \
			REG(base, low, 20),                                                        \
			REG(base, low, 21),                                                        \
			REG(base, low, 22),                                                        \
			REG(base, low, 23),                                                        \
			REG(base, low, 28),                                                        \
			REG(base, low, 29),                                                        \
			REG(base, low, 30),                                                        \
			REG(base, low, 31),                                                        \
			REG(base, low, 3),                                                         \
			REG(base, low, 4),                                                         \
			REG(base, low, 8),                                                         \
			REG(base, low, 25)                                                         \
		}                                                                                  \
	}
static const struct arch_sigreturn sigreturns[] = {SIGRETURN(4193, RT, 4), SIGRETURN(4119, OLD, 4)};
static const struct arch_sigreturn sigreturns_el[] = {SIGRETURN(4193, RT, 0),
						      SIGRETURN(4119, OLD, 0)};

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
	.sigreturns = sigreturns,
	.n_sigreturns = sizeof(sigreturns) / sizeof(sigreturns[0]),
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
	.sigreturns = sigreturns_el,
	.n_sigreturns = sizeof(sigreturns_el) / sizeof(sigreturns_el[0]),
	.step = &dwunw_step_arch_mips32,
};
