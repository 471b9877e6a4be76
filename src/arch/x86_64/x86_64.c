/* SPDX-License-Identifier: BSD-2-Clause */
/* DWARF register numbers: System V psABI AMD64 1.0, figure 3.36. */
#include <elf.h>
#include "arch/arch.h"
#include "dwunw_arch.h"

/* The 16 general registers; the return address column (16) is no register of the caller. */
static const int8_t dense[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static const char *const reg_names[] = {
	"rax",	 "rdx",	   "rcx",     "rbx",	 "rsi",	  "rdi",   "rbp",   "rsp",   /* 0 */
	"r8",	 "r9",	   "r10",     "r11",	 "r12",	  "r13",   "r14",   "r15",   /* 8 */
	"rip",	 "xmm0",   "xmm1",    "xmm2",	 "xmm3",  "xmm4",  "xmm5",  "xmm6",  /* 16 */
	"xmm7",	 "xmm8",   "xmm9",    "xmm10",	 "xmm11", "xmm12", "xmm13", "xmm14", /* 24 */
	"xmm15", "st0",	   "st1",     "st2",	 "st3",	  "st4",   "st5",   "st6",   /* 32 */
	"st7",	 "mm0",	   "mm1",     "mm2",	 "mm3",	  "mm4",   "mm5",   "mm6",   /* 40 */
	"mm7",	 "rflags", "es",      "cs",	 "ss",	  "ds",	   "fs",    "gs",    /* 48 */
	NULL,	 NULL,	   "fs.base", "gs.base", NULL,	  NULL,	   "tr",    "ldtr",  /* 56 */
	"mxcsr", "fcw",	   "fsw",						     /* 64 */
};

/* rax rdx rcx rbx rsi rdi rbp rsp r8 .. r15 in struct user_regs_struct (Linux: asm/user_64.h) */
static const uint8_t user_regs[] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0};

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.machine = EM_X86_64,
	.elf_class = ELFCLASS64,
	.elf_data = ELFDATA2LSB,
	.dense = dense,
	.n_dense = sizeof(dense) / sizeof(dense[0]),
	.ra_column = 16,
	.step = &dwunw_step_arch_x86_64,
	.n_user_words = 27,
	.user_pc = 16,
	.user_regs = user_regs,
	.reg_names = reg_names,
	.n_reg_names = sizeof(reg_names) / sizeof(reg_names[0]),
};
