/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions for hard_frames_test.c, in assembly, since no compiler writes them on demand. Each is NAME .. NAME_end; those with an
 * argument call it, the others loop for ever.
 */
#ifndef HARD_CODE_H
#define HARD_CODE_H

/* clang-format off */
#define HARD_FUNCTION(name, body)                                                                  \
	__asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" body           \
		"\n" #name "_end:\n.size " #name ", . - " #name);                                  \
	void name(void (*function)(void)) __attribute__((visibility("hidden")));                   \
	extern const char name##_end[] __attribute__((visibility("hidden")));

#define HARD_CFI_FUNCTION(name, body) HARD_FUNCTION(name, ".cfi_startproc\n" body "\n.cfi_endproc")

/* The call is the last instruction; the return address belongs to the next function, whose rule is another. */
HARD_CFI_FUNCTION(last_call,
	"subq $8, %rsp\n.cfi_def_cfa_offset 16\ncall *%rdi\n"
	".cfi_endproc\n.cfi_startproc\n.cfi_def_cfa_offset 4096\nud2")

/* Its cold part lies elsewhere, with a FDE of its own. */
HARD_CFI_FUNCTION(hot,
	"pushq %rbx\n.cfi_def_cfa_offset 16\n.cfi_offset rbx, -16\njmp cold\n"
	".cfi_endproc\n.section .text.unlikely\ncold:\n.cfi_startproc\n"
	".cfi_def_cfa_offset 16\n.cfi_offset rbx, -16\ncall *%rdi\nud2\n"
	".cfi_endproc\n.text\n.cfi_startproc\nud2")

#define HARD_FRAME_OF(name, size)                                                                  \
	HARD_CFI_FUNCTION(name, "subq $" #size " - 8, %rsp\n.cfi_def_cfa_offset " #size            \
			  "\ncall *%rdi\nud2")
HARD_FRAME_OF(frame_40k, 40960)
HARD_FRAME_OF(frame_100k, 102400)
/* DW_CFA_def_cfa_offset 0xc0000000, which not every assembler writes right */
HARD_CFI_FUNCTION(frame_3g,
	"movabsq $0xc0000000 - 8, %r11\nsubq %r11, %rsp\n"
	".cfi_escape 0x0e, 0x80, 0x80, 0x80, 0x80, 0x0c\n"
	"call *%rdi\nud2")

/* Hand-written code without any CFI: with a frame pointer, without, and where a thread begins. */
HARD_FUNCTION(no_fde, "pushq %rbp\nmovq %rsp, %rbp\nsubq $64, %rsp\ncall *%rdi\nud2")
HARD_FUNCTION(no_fde_no_fp, "subq $24, %rsp\nmovl $1, %ebp\ncall *%rdi\nud2")
HARD_FUNCTION(no_fde_root, "subq $24, %rsp\nxorl %ebp, %ebp\ncall *%rdi\nud2")

/* A page of its own, to be replaced by a copy in anonymous memory. */
HARD_CFI_FUNCTION(alone,
	".p2align 12\npushq %rbp\nmovq %rsp, %rbp\ncall *%rdi\nud2\n.p2align 12")

HARD_CFI_FUNCTION(by_frame_pointer,
	"pushq %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\nmovq %rsp, %rbp\n"
	".cfi_def_cfa_register rbp\ncall *%rdi\n.globl in_by_frame_pointer\nin_by_frame_pointer:\nud2")
extern const char in_by_frame_pointer[] __attribute__((visibility("hidden")));

/* The CFA is kept in a register other than the usual two; below a call, only such as calls preserve. */
#define HARD_CFA_IN(reg)                                                                           \
	HARD_CFI_FUNCTION(loops_cfa_in_##reg,                                                      \
		"movq %rsp, %" #reg "\n.cfi_def_cfa " #reg ", 8\nsubq $4096, %rsp\n"               \
		"andq $-64, %rsp\n1: pause\njmp 1b")
HARD_CFA_IN(rax)
HARD_CFA_IN(rsi)
HARD_CFA_IN(rbx)
HARD_CFA_IN(r12)
HARD_CFA_IN(r13)
HARD_CFA_IN(r14)
HARD_CFA_IN(r15)
HARD_CFI_FUNCTION(calls_cfa_in_r12,
	"movq %rsp, %r12\n.cfi_def_cfa r12, 8\nsubq $4096, %rsp\nandq $-64, %rsp\ncall *%rdi\nud2")

/* As __vfork() of the C library: the return address in rdi. */
HARD_CFI_FUNCTION(loops_ra_in_rdi,
	"popq %rdi\n.cfi_adjust_cfa_offset -8\n.cfi_register rip, rdi\n1: pause\njmp 1b")

/* Stubs of a procedure linkage table, that of GNU ld and that for IBT: before their push and after it. */
#define HARD_PLT(name, threshold, before, loop)                                                    \
	HARD_CFI_FUNCTION(name,                                                                    \
		".p2align 4\n.cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, " #threshold      \
		", 0x2a, 0x33, 0x24, 0x22\n.rept " #before "\nnop\n.endr\n" loop)
HARD_PLT(loops_plt_11_before, 0x3b, 9, ".byte 0xeb, 0xfe")
HARD_PLT(loops_plt_11_after, 0x3b, 9, "pushq $0\n.byte 0xeb, 0xfe")
HARD_PLT(loops_plt_10_before, 0x3a, 8, ".byte 0xeb, 0xfe")
HARD_PLT(loops_plt_10_after, 0x3a, 8, "pushq $0\n.byte 0xeb, 0xfe")
/* clang-format on */

#endif
