/* SPDX-License-Identifier: BSD-2-Clause */
#if defined(__x86_64__)
#include <stddef.h>
#include <ucontext.h>

#include <dwunw/dwunw.h>

_Static_assert(offsetof(struct dwunw_registers, regs) == 8 &&
		       offsetof(struct dwunw_registers, valid) == 136,
	       "as the code below has it");

/* What a called function preserves; the caller's stack pointer is above the return address. */
__asm__(".text\n"
	".globl dwunw_get_registers\n"
	".type dwunw_get_registers, @function\n"
	"dwunw_get_registers:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	movq (%rsp), %rax\n"
	"	movq %rax, (%rdi)\n"
	"	leaq 8(%rsp), %rax\n"
	"	movq %rbx, 8+8*3(%rdi)\n"
	"	movq %rbp, 8+8*6(%rdi)\n"
	"	movq %rax, 8+8*7(%rdi)\n"
	"	movq %r12, 8+8*12(%rdi)\n"
	"	movq %r13, 8+8*13(%rdi)\n"
	"	movq %r14, 8+8*14(%rdi)\n"
	"	movq %r15, 8+8*15(%rdi)\n"
	"	movl $0xf0c8, 136(%rdi)\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size dwunw_get_registers, . - dwunw_get_registers\n");

void dwunw_registers_from_context(const void *context, struct dwunw_registers *ret)
{
	static const unsigned char gregs[DWUNW_MAX_REGS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
		REG_R8,	 REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};
	const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;

	ret->pc = machine->gregs[REG_RIP];
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++)
		ret->regs[i] = machine->gregs[gregs[i]];
	ret->valid = 0xffff;
}
#endif
