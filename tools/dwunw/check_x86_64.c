/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions of x86-64, decoded by capstone. */
#include <capstone/capstone.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "check_machine.h"

struct decoder {
	csh capstone;
	cs_insn *insn;
};

/*
 * Linux, asm/sigframe.h: struct rt_sigframe is the address of the restorer and a struct ucontext, whose uc_mcontext (asm/sigcontext.h:
 * r8..r15, di, si, bp, bx, dx, ax, cx, sp, ip) is at 40.
 */
static const struct machine x86_64 = {
	.call_size = 8,
	.signal_sp = 8 + 40 + 15 * 8,
	.signal_pc = 8 + 40 + 16 * 8,
};

int decoder_create(const struct arch *arch, struct decoder **ret)
{
	struct decoder *decoder;

	if (arch->machine != EM_X86_64)
		return -ENOTSUP;
	decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return -ENOMEM;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder->capstone) != CS_ERR_OK ||
	    cs_option(decoder->capstone, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
		goto fail;
	decoder->insn = cs_malloc(decoder->capstone);
	if (!decoder->insn)
		goto fail;
	*ret = decoder;
	return 0;
fail:
	decoder_destroy(decoder);
	return -ENOMEM;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->insn)
		cs_free(decoder->insn, 1);
	if (decoder->capstone)
		cs_close(&decoder->capstone);
	free(decoder);
}

const struct machine *decoder_machine(const struct decoder *decoder)
{
	(void)decoder;
	return &x86_64;
}

static enum instruction_kind kind_of_move(const cs_x86 *x86)
{
	if (x86->op_count != 2)
		return KIND_OTHER;
	for (unsigned int i = 0; i < 2; i++) {
		if (x86->operands[i].type == X86_OP_REG && x86->operands[i].reg == X86_REG_RSP &&
		    (i == 0 || x86->operands[0].type == X86_OP_REG))
			return x86->operands[1].type == X86_OP_MEM ? KIND_SP_LOAD : KIND_SP_MOVE;
	}
	return KIND_OTHER;
}

static enum instruction_kind kind_of(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	switch (insn->id) {
	case X86_INS_CALL:
		return KIND_CALL;
	case X86_INS_RET:
		return KIND_RETURN;
	case X86_INS_JMP:
		return x86->operands[0].type == X86_OP_IMM ? KIND_OTHER : KIND_JUMP;
	case X86_INS_POP:
		return x86->operands[0].type == X86_OP_REG && x86->operands[0].reg == X86_REG_RSP
			       ? KIND_SP_LOAD
			       : KIND_POP;
	case X86_INS_MOV:
	case X86_INS_XCHG:
		return kind_of_move(x86);
	case X86_INS_SYSCALL:
		return KIND_SYSCALL;
	case X86_INS_INT3:
	case X86_INS_INT1:
	case X86_INS_INT:
		return KIND_TRAP;
	default:
		return KIND_OTHER;
	}
}

/* Only what surely does not write: its operands are registers and constants, or it loads or compares. */
static bool may_write(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	bool memory = false;

	switch (insn->id) {
	case X86_INS_NOP:
	case X86_INS_LEA:
	case X86_INS_RET:
	case X86_INS_JMP:
	case X86_INS_CMP:
	case X86_INS_TEST:
		return false;
	case X86_INS_MOV:
	case X86_INS_MOVZX:
	case X86_INS_MOVSXD:
	case X86_INS_MOVSX:
	case X86_INS_POP:
		return x86->operands[0].type == X86_OP_MEM;
	case X86_INS_ADD:
	case X86_INS_SUB:
	case X86_INS_AND:
	case X86_INS_OR:
	case X86_INS_XOR:
	case X86_INS_SHL:
	case X86_INS_SHR:
	case X86_INS_SAR:
	case X86_INS_ROL:
	case X86_INS_ROR:
	case X86_INS_INC:
	case X86_INS_DEC:
	case X86_INS_IMUL:
	case X86_INS_BSWAP:
	case X86_INS_NEG:
	case X86_INS_NOT:
		for (unsigned int i = 0; i < x86->op_count; i++)
			memory |= x86->operands[i].type == X86_OP_MEM;
		return memory;
	default:
		break;
	}
	for (unsigned int i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == X86_GRP_JUMP)
			return false;
	return true;
}

struct instruction decode(struct decoder *decoder, const uint8_t *code, size_t size, uint64_t pc)
{
	struct instruction ret = {.kind = KIND_OTHER, .may_write = true};

	if (!cs_disasm_iter(decoder->capstone, &code, &size, &pc, decoder->insn))
		return ret;
	ret.kind = kind_of(decoder->insn);
	ret.size = decoder->insn->size;
	ret.may_write = may_write(decoder->insn);
	return ret;
}
