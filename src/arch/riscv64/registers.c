/* SPDX-License-Identifier: BSD-2-Clause */
#if defined(__riscv) && __riscv_xlen == 64
#include <stddef.h>
#include <ucontext.h>

#include <dwunw/dwunw.h>

_Static_assert(offsetof(struct dwunw_registers, regs) == 8 &&
		       offsetof(struct dwunw_registers, valid) == 136,
	       "as the code below has it");

/* What a called function preserves: s0 .. s11 and sp. */
__asm__(".text\n"
	".globl dwunw_get_registers\n"
	".type dwunw_get_registers, @function\n"
	"dwunw_get_registers:\n"
	"	.cfi_startproc\n"
	"	sd ra, 0(a0)\n"
	"	sd s0, 8(a0)\n"
	"	sd s1, 16(a0)\n"
	"	sd s2, 24(a0)\n"
	"	sd s3, 32(a0)\n"
	"	sd s4, 40(a0)\n"
	"	sd s5, 48(a0)\n"
	"	sd s6, 56(a0)\n"
	"	sd s7, 64(a0)\n"
	"	sd s8, 72(a0)\n"
	"	sd s9, 80(a0)\n"
	"	sd s10, 88(a0)\n"
	"	sd s11, 96(a0)\n"
	"	sd sp, 112(a0)\n"
	"	li t0, 0x2fff\n"
	"	sw t0, 136(a0)\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size dwunw_get_registers, . - dwunw_get_registers\n");

void dwunw_registers_from_context(const void *context, struct dwunw_registers *ret)
{
	/* x-register of each dense index; word 0 of the context is the pc, as x0 is always 0 */
	static const unsigned char numbers[DWUNW_MAX_REGS] = {8,  9,  18, 19, 20, 21, 22, 23,
							      24, 25, 26, 27, 1,  2,  5,  6};
	const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;

	ret->pc = machine->__gregs[0];
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++)
		ret->regs[i] = machine->__gregs[numbers[i]];
	ret->valid = 0xffff;
}
#endif
