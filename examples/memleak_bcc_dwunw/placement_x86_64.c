/* SPDX-License-Identifier: BSD-2-Clause */
#include "placement_arch.h"

#include <elf.h>
#include <stddef.h>

/*
 * What the kernel emulates: arch/x86/kernel/uprobes.c, branch_setup_xol_ops() (3.16) and
 * push_setup_xol_ops() (4.18). It goes by opcode bytes, and so do we; the exact lengths leave no room for
 * a prefix, some of which it refuses. Not in the table: nops of several bytes, which 6.18 emulates; endbr64, mov, ret, which none does.
 */
static bool is_emulated(const cs_insn *insn)
{
	const uint8_t *b = insn->bytes;

	switch (insn->size) {
	case 1: /* push r64, nop */
		return (b[0] >= 0x50 && b[0] <= 0x57) || b[0] == 0x90;
	case 2: /* push r8..r15; jmp rel8; jcc rel8 */
		return (b[0] == 0x41 && b[1] >= 0x50 && b[1] <= 0x57) || b[0] == 0xeb ||
		       (b[0] >= 0x70 && b[0] <= 0x7f);
	case 5: /* call rel32, jmp rel32 */
		return b[0] == 0xe8 || b[0] == 0xe9;
	case 6: /* jcc rel32 */
		return b[0] == 0x0f && b[1] >= 0x80 && b[1] <= 0x8f;
	default:
		return false;
	}
}

#define N_REGISTERS 16
#define RESULT 0 /* rax */
#define SP 7
#define WORD 8 /* bytes that push, pop and call move */

/* By DWARF number (System V psABI AMD64, 3.6.2), which is the dense index, with their parts. */
static const x86_reg parts[N_REGISTERS][5] = {
	{X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
	{X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
	{X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
	{X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
	{X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL},
	{X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL},
	{X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL},
	{X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL},
	{X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
	{X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
	{X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B},
	{X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B},
	{X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B},
	{X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B},
	{X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B},
	{X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B},
};

/* The register that `op` is, or is a part of; N_REGISTERS: none of these. `whole`: not a part. */
static unsigned int register_of(const cs_x86_op *op, bool *whole)
{
	*whole = false;
	if (op->type != X86_OP_REG || op->reg == X86_REG_INVALID)
		return N_REGISTERS;
	for (unsigned int i = 0; i < N_REGISTERS; i++) {
		for (size_t part = 0; part < 5; part++) {
			if (op->reg != parts[i][part])
				continue;
			*whole = part == 0;
			return i;
		}
	}
	return N_REGISTERS;
}

/*
 * Only instructions that are known to write nothing but their first operand and the flags. A list
 * of what is allowed rather than capstone's regs_access(): what is not here costs time, what it got
 * wrong would cost the truth.
 */
static bool writes_first_operand_only(const cs_insn *insn, bool *writes)
{
	*writes = true;
	switch (insn->id) {
	case X86_INS_CMP:
	case X86_INS_TEST:
	case X86_INS_NOP:
	case X86_INS_ENDBR64:
		*writes = false;
		return true;
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
	case X86_INS_LEA:
	case X86_INS_ADD:
	case X86_INS_SUB:
	case X86_INS_AND:
	case X86_INS_OR:
	case X86_INS_XOR:
	case X86_INS_SHL:
	case X86_INS_SHR:
	case X86_INS_SAR:
	case X86_INS_NEG:
	case X86_INS_NOT:
	case X86_INS_INC:
	case X86_INS_DEC:
		return true;
	default:
		return false;
	}
}

/* `to` is written: from then on it has the arguments that the copied register has, if it is a copy of one, or none. */
static void note_write(struct placement_registers *registers, unsigned int to, unsigned int from)
{
	for (size_t i = 0; i < PLACEMENT_MAX_ARGS; i++) {
		uint32_t *holders = &registers->holders[i];
		uint32_t copied = from < N_REGISTERS ? *holders >> from & 1 : 0;

		*holders = (*holders & ~(1u << to)) | copied << to;
	}
}

static bool skip(const cs_insn *insn, struct placement_registers *registers)
{
	const cs_x86 *x86 = &insn->detail->x86;
	unsigned int to, from = N_REGISTERS;
	bool writes, whole, copies;

	if (!writes_first_operand_only(insn, &writes))
		return false;
	if (!writes)
		return true;
	if (x86->op_count == 0)
		return false;
	to = register_of(&x86->operands[0], &whole);
	if (to == N_REGISTERS)
		return true;
	if (to == SP && registers->keep_sp)
		return false;
	copies = insn->id == X86_INS_MOV && whole && x86->op_count == 2;
	if (copies)
		from = register_of(&x86->operands[1], &whole);
	note_write(registers, to, copies && whole ? from : N_REGISTERS);
	return true;
}

static bool in_group(const cs_insn *insn, uint8_t group)
{
	for (size_t i = 0; i < insn->detail->groups_count; i++) {
		if (insn->detail->groups[i] == group)
			return true;
	}
	return false;
}

static enum placement_branch branch(const cs_insn *insn, uint64_t *ret)
{
	const cs_x86_op *op = &insn->detail->x86.operands[0];
	bool call = in_group(insn, CS_GRP_CALL);

	switch (insn->id) {
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
		break; /* in none of capstone's groups of jumps */
	default:
		if (!call && !in_group(insn, CS_GRP_JUMP))
			return PLACEMENT_NO_BRANCH;
	}
	if (op->type == X86_OP_IMM) {
		*ret = op->imm;
		return PLACEMENT_BRANCH_TO;
	}
	/*
	 * A call comes back; a jump through one fixed word is a tail call through a function
	 * pointer, not a table.
	 */
	if (call || (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP &&
		     op->mem.index == X86_REG_INVALID))
		return PLACEMENT_NO_BRANCH;
	return PLACEMENT_BRANCH_ANYWHERE;
}

/* Of a jump or a call: to an address, through a word at a fixed one, or else. */
static enum placement_flow destination(const cs_insn *insn, enum placement_flow known,
				       enum placement_flow slot, enum placement_flow unknown,
				       uint64_t *ret)
{
	const cs_x86_op *op = &insn->detail->x86.operands[0];

	*ret = 0;
	if (op->type == X86_OP_IMM) {
		*ret = op->imm;
		return known;
	}
	if (op->type != X86_OP_MEM || op->mem.base != X86_REG_RIP ||
	    op->mem.index != X86_REG_INVALID)
		return unknown;
	*ret = insn->address + insn->size + op->mem.disp;
	return slot;
}

static enum placement_flow flow(const cs_insn *insn, uint64_t *ret)
{
	switch (insn->id) {
	case X86_INS_RET:
		return PLACEMENT_RETURN;
	case X86_INS_UD2:
	case X86_INS_HLT:
	case X86_INS_INT3:
		return PLACEMENT_LOST;
	case X86_INS_JMP:
		return destination(insn, PLACEMENT_JUMP, PLACEMENT_SLOT, PLACEMENT_LOST, ret);
	case X86_INS_CALL:
		if (destination(insn, PLACEMENT_CALL, PLACEMENT_LOST, PLACEMENT_LOST, ret) ==
		    PLACEMENT_LOST)
			*ret = 0;
		return PLACEMENT_CALL;
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
	case X86_INS_XBEGIN:
		return destination(insn, PLACEMENT_EITHER, PLACEMENT_LOST, PLACEMENT_LOST, ret);
	default:
		if (!in_group(insn, CS_GRP_JUMP))
			return PLACEMENT_NEXT;
		return destination(insn, PLACEMENT_EITHER, PLACEMENT_LOST, PLACEMENT_LOST, ret);
	}
}

/* Of the opcodes that is_emulated() knows: 0x70 + code, 0x0f 0x80 + code (Intel SDM, volume 2, appendix B.1.4.7). */
static unsigned int condition(const cs_insn *insn)
{
	const uint8_t *b = insn->bytes;

	if (insn->size == 2 && b[0] >= 0x70 && b[0] <= 0x7f)
		return 1 + (b[0] & 0xf);
	if (insn->size == 6 && b[0] == 0x0f && b[1] >= 0x80 && b[1] <= 0x8f)
		return 1 + (b[1] & 0xf);
	return 0;
}

/* The lowest bit of the code negates. */
static unsigned int opposite(unsigned int condition)
{
	return 1 + ((condition - 1) ^ 1);
}

/* Of an instruction that moves the stack pointer: by how many bytes. False: not known. */
static bool stack_move(const cs_insn *insn, int64_t *ret)
{
	const cs_x86_op *to = &insn->detail->x86.operands[0], *from = to + 1;

	switch (insn->id) {
	case X86_INS_PUSH:
		*ret = -WORD;
		return to->size == WORD;
	case X86_INS_POP:
		*ret = WORD;
		return to->size == WORD && to->type == X86_OP_REG && to->reg != X86_REG_RSP;
	case X86_INS_ADD:
		*ret = from->imm;
		return to->reg == X86_REG_RSP && from->type == X86_OP_IMM;
	case X86_INS_SUB:
		*ret = -from->imm;
		return to->reg == X86_REG_RSP && from->type == X86_OP_IMM;
	case X86_INS_LEA:
		*ret = from->mem.disp;
		return to->reg == X86_REG_RSP && from->mem.base == X86_REG_RSP &&
		       from->mem.index == X86_REG_INVALID;
	default:
		return false;
	}
}

/* `to` has been written, as a copy of `from` or (N_REGISTERS) else. */
static bool undo_write(unsigned int to, unsigned int from, struct placement_result *result)
{
	bool copied = from < N_REGISTERS && from != SP && result->holders >> to & 1;

	result->holders = (result->holders & ~(1u << to)) | (copied ? 1u << from : 0);
	return result->holders != 0;
}

/* What comes before the return: its bytes are added up, as far as any function's frame is large. */
static bool undo_stack_move(const cs_insn *insn, struct placement_result *result)
{
	const cs_x86_op *op = &insn->detail->x86.operands[0];
	int64_t moved;
	bool whole;

	if (!stack_move(insn, &moved) || moved > INT16_MAX || moved < INT16_MIN)
		return false;
	result->below += (int32_t)moved;
	return insn->id != X86_INS_POP || undo_write(register_of(op, &whole), N_REGISTERS, result);
}

static bool undo_copy_or_write(const cs_insn *insn, struct placement_result *result)
{
	const cs_x86 *x86 = &insn->detail->x86;
	unsigned int to, from = N_REGISTERS;
	bool writes, whole, to_whole;

	if (!writes_first_operand_only(insn, &writes))
		return false;
	if (!writes)
		return true;
	if (x86->op_count == 0)
		return false;
	to = register_of(&x86->operands[0], &to_whole);
	if (to == N_REGISTERS)
		return true;
	if (to == SP)
		return undo_stack_move(insn, result);
	if (insn->id == X86_INS_MOV && to_whole && x86->op_count == 2)
		from = register_of(&x86->operands[1], &whole);
	return undo_write(to, from < N_REGISTERS && whole ? from : N_REGISTERS, result);
}

static bool undo(const cs_insn *insn, struct placement_result *result)
{
	switch (insn->id) {
	case X86_INS_RET:
		*result = (struct placement_result){.holders = 1u << RESULT};
		return insn->detail->x86.op_count == 0;
	case X86_INS_JMP:
		return true;
	case X86_INS_PUSH:
	case X86_INS_POP:
		return undo_stack_move(insn, result);
	default:
		return condition(insn) || undo_copy_or_write(insn, result);
	}
}

static const struct placement_sample emulated[] = {
	{"nop", {0x90, 0xc3}},
	{"push", {0x53, 0x5b, 0xc3}},
	{"push of an upper register", {0x41, 0x54, 0x41, 0x5c, 0xc3}},
	{"short jmp", {0xeb, 0x00, 0xc3}},
	{"jmp", {0xe9, 0x00, 0x00, 0x00, 0x00, 0xc3}},
	{"short jcc", {0x74, 0x00, 0xc3}},
	{"jcc", {0x0f, 0x84, 0x00, 0x00, 0x00, 0x00, 0xc3}},
	{"call", {0xe8, 0x01, 0x00, 0x00, 0x00, 0xc3, 0xc3}}, /* of its last ret */
};

const struct placement_arch placement_arch_x86_64 = {
	.machine = EM_X86_64,
	.arch = CS_ARCH_X86,
	.mode = CS_MODE_64,
	.sp = SP,
	.return_size = WORD,
	.is_emulated = is_emulated,
	.arguments = {5, 4, 1, 2, 8, 9}, /* the same, 3.2.3 */
	.skip = skip,
	.branch = branch,
	.flow = flow,
	.undo = undo,
	.condition = condition,
	.opposite = opposite,
	.emulated = emulated,
	.n_emulated = sizeof(emulated) / sizeof(emulated[0]),
	.stepped = {"test", {0x85, 0xc0, 0xc3}},
};
