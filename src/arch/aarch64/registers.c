/* SPDX-License-Identifier: BSD-2-Clause */
#if defined(__aarch64__)
#include <stddef.h>
#include <ucontext.h>

#include <dwunw/dwunw.h>

_Static_assert(offsetof(struct dwunw_registers, regs) == 8 &&
		       offsetof(struct dwunw_registers, valid) == 136,
	       "as the code below has it");

/* What a called function preserves: x19 .. x29 and sp. The `hint` is `bti c`. */
__asm__(".text\n"
	".globl dwunw_get_registers\n"
	".type dwunw_get_registers, %function\n"
	"dwunw_get_registers:\n"
	"	.cfi_startproc\n"
	"	hint #34\n"
	"	str x30, [x0]\n"
	"	stp x19, x20, [x0, #8]\n"
	"	stp x21, x22, [x0, #24]\n"
	"	stp x23, x24, [x0, #40]\n"
	"	stp x25, x26, [x0, #56]\n"
	"	stp x27, x28, [x0, #72]\n"
	"	str x29, [x0, #88]\n"
	"	mov x1, sp\n"
	"	str x1, [x0, #104]\n"
	"	mov w1, #0x17ff\n"
	"	str w1, [x0, #136]\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size dwunw_get_registers, . - dwunw_get_registers\n");

void dwunw_registers_from_context(const void *context, struct dwunw_registers *ret)
{
	const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;

	ret->pc = machine->pc;
	for (unsigned int i = 0; i < 12; i++)
		ret->regs[i] = machine->regs[19 + i];
	ret->regs[12] = machine->sp;
	ret->regs[13] = machine->regs[0];
	ret->regs[14] = machine->regs[12];
	ret->regs[15] = machine->regs[15];
	ret->valid = 0xffff;
}
#endif
