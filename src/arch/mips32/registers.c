/* SPDX-License-Identifier: BSD-2-Clause */
#if defined(__mips__) && __mips == 32
#include <stddef.h>
#include <ucontext.h>

#include <dwunw/dwunw.h>

_Static_assert(offsetof(struct dwunw_registers, regs) == 8 &&
		       offsetof(struct dwunw_registers, valid) == 136,
	       "as the code below has it");

/* Registers are stored as 64 bits: the half that is the value, and zeros. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define STORE(reg, off)                                                                            \
	"	sw $0, " #off "($4)\n"                                                             \
	"	sw " reg ", " #off "+4($4)\n"
#else
#define STORE(reg, off)                                                                            \
	"	sw $0, " #off "+4($4)\n"                                                           \
	"	sw " reg ", " #off "($4)\n"
#endif

/* What a called function preserves: $16 .. $23, $28 (gp), $29 (sp), $30 (fp). */
__asm__(".text\n"
	".globl dwunw_get_registers\n"
	".type dwunw_get_registers, @function\n"
	".ent dwunw_get_registers\n"
	"dwunw_get_registers:\n"
	"	.cfi_startproc\n"
	/* clang-format off */
	STORE("$31", 0)
	STORE("$16", 8)
	STORE("$17", 16)
	STORE("$18", 24)
	STORE("$19", 32)
	STORE("$20", 40)
	STORE("$21", 48)
	STORE("$22", 56)
	STORE("$23", 64)
	STORE("$28", 72)
	STORE("$29", 80)
	STORE("$30", 88)
	/* clang-format on */
	"	li $2, 0x7ff\n"
	"	sw $2, 136($4)\n"
	"	jr $31\n"
	"	.cfi_endproc\n"
	".end dwunw_get_registers\n"
	".size dwunw_get_registers, . - dwunw_get_registers\n");

void dwunw_registers_from_context(const void *context, struct dwunw_registers *ret)
{
	/* number of the register of each dense index */
	static const unsigned char numbers[DWUNW_MAX_REGS] = {16, 17, 18, 19, 20, 21, 22, 23,
							      28, 29, 30, 31, 3,  4,  8,  25};
	const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;

	ret->pc = (uint32_t)machine->pc;
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++)
		ret->regs[i] = (uint32_t)machine->gregs[numbers[i]];
	ret->valid = 0xffff;
}
#endif
