/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwarf.h>
#include <elf.h>
#include <string.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "cfi/cursor.h"
#include "table/table.h"
#include <dwunw/step_types.h>

/* One register's rule as the table says it. */
struct part {
	uint8_t kind; /* enum dwunw_rule_kind */
	uint8_t reg;
	int32_t off;
};

static const struct part part_expression = {.kind = DWUNW_RULE_EXPRESSION};

/* `reg` is a DWARF number where the kind reads a register, else 0 and not looked at. */
static struct part make_part(const struct arch *arch, uint8_t kind, uint64_t reg, int64_t off)
{
	bool has_reg = kind == DWUNW_RULE_REG_AT || kind == DWUNW_RULE_REG_PLUS;
	int dense = has_reg ? arch_dense(arch, reg) : 0;

	if (dense < 0 || off < INT32_MIN || off > INT32_MAX)
		return part_expression;
	return (struct part){.kind = kind, .reg = dense, .off = off};
}

/* DW_OP_breg0..31 and DW_OP_bregx */
static bool read_breg(struct cursor *c, uint64_t *reg, int64_t *off)
{
	uint8_t op = cursor_u8(c);

	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		*reg = op - DW_OP_breg0;
	else if (op == DW_OP_bregx)
		*reg = cursor_uleb(c);
	else
		return false;
	*off = cursor_sleb(c);
	return !c->failed;
}

static bool read_small_constant(struct cursor *c, uint64_t *ret)
{
	uint8_t op = cursor_u8(c);

	if (op >= DW_OP_lit0 && op <= DW_OP_lit31)
		*ret = op - DW_OP_lit0;
	else if (op == DW_OP_const1u)
		*ret = cursor_u8(c);
	else
		return false;
	return !c->failed;
}

static bool read_op(struct cursor *c, uint8_t op)
{
	return cursor_u8(c) == op && !c->failed;
}

static struct cursor expression_cursor(const struct arch *arch, const struct cfi_rule *rule)
{
	return cursor_make(rule->expr, rule->expr_size, arch->elf_data == ELFDATA2LSB);
}

/* reg + off, and *(reg + off) where the expression ends in a dereference */
static struct part expression_part(const struct arch *arch, const struct cfi_rule *rule)
{
	struct cursor c = expression_cursor(arch, rule);
	uint8_t kind = DWUNW_RULE_REG_PLUS;
	uint64_t reg;
	int64_t off;

	if (!read_breg(&c, &reg, &off))
		return part_expression;
	while (cursor_left(&c) && *c.pos == DW_OP_plus_uconst) {
		cursor_u8(&c);
		uint64_t plus = cursor_uleb(&c);

		if (c.failed || plus > INT32_MAX ||
		    __builtin_add_overflow(off, (int64_t)plus, &off))
			return part_expression;
	}
	if (cursor_left(&c) && read_op(&c, DW_OP_deref))
		kind = DWUNW_RULE_REG_AT;
	if (cursor_left(&c))
		return part_expression;
	return make_part(arch, kind, reg, off);
}

/*
 * The lazy PLT stub, as GNU ld describes it (binutils, elf_x86_64_eh_frame_plt): a stub has
 * 16 bytes, and from its byte T on one more word is on the stack:
 *   reg + word + (((pc & 15) >= T) << log2(word))
 */
static bool is_plt(const struct arch *arch, const struct cfi_rule *rule, struct part *ret)
{
	struct cursor c = expression_cursor(arch, rule);
	uint64_t reg, pc, mask, threshold, shift;
	unsigned int word = arch->step->word_size;
	int64_t off, pc_off;
	int dense;

	if (!read_breg(&c, &reg, &off) || !read_breg(&c, &pc, &pc_off) ||
	    !read_small_constant(&c, &mask) || !read_op(&c, DW_OP_and) ||
	    !read_small_constant(&c, &threshold) || !read_op(&c, DW_OP_ge) ||
	    !read_small_constant(&c, &shift) || !read_op(&c, DW_OP_shl) ||
	    !read_op(&c, DW_OP_plus) || cursor_left(&c))
		return false;
	dense = arch_dense(arch, reg);
	/* The column stands for the pc only where it is no (link) register. */
	if (dense < 0 || pc != arch->ra_column || arch_dense(arch, pc) >= 0 || off != word ||
	    pc_off != 0 || mask != 15 || threshold > 15 || shift > 3 || 1u << shift != word)
		return false;
	*ret = (struct part){.kind = DWUNW_RULE_PLT, .reg = dense, .off = threshold};
	return true;
}

static struct part cfa_part(const struct arch *arch, const struct cfi_rule *rule)
{
	struct part part;

	switch (rule->kind) {
	case CFI_REGISTER:
		return make_part(arch, DWUNW_RULE_REG_PLUS, rule->reg, rule->off);
	case CFI_EXPRESSION:
		return is_plt(arch, rule, &part) ? part : expression_part(arch, rule);
	default:
		return (struct part){.kind = DWUNW_NO_RULE};
	}
}

/* `self`: the DWARF register that the rule is for */
static struct part reg_part(const struct arch *arch, const struct cfi_rule *rule, unsigned int self)
{
	struct part part;

	switch (rule->kind) {
	case CFI_UNDEFINED:
		return (struct part){.kind = DWUNW_RULE_UNDEFINED};
	case CFI_OFFSET:
		return make_part(arch, DWUNW_RULE_CFA_AT, 0, rule->off);
	case CFI_VAL_OFFSET:
		return make_part(arch, DWUNW_RULE_CFA_PLUS, 0, rule->off);
	case CFI_REGISTER:
		if (rule->reg == self)
			return (struct part){.kind = DWUNW_RULE_SAME};
		return make_part(arch, DWUNW_RULE_REG_PLUS, rule->reg, 0);
	case CFI_EXPRESSION: /* of the address: what it reads at its end would be read twice */
		part = expression_part(arch, rule);
		if (part.kind != DWUNW_RULE_REG_PLUS)
			return part_expression;
		part.kind = DWUNW_RULE_REG_AT;
		return part;
	case CFI_VAL_EXPRESSION:
		return expression_part(arch, rule);
	default:
		return (struct part){.kind = DWUNW_RULE_SAME};
	}
}

static const struct cfi_rule *row_rule(const struct cfi_row *row, unsigned int reg)
{
	static const struct cfi_rule unspecified;

	return reg < row->n_regs && reg < CFI_MAX_REGS ? &row->regs[reg] : &unspecified;
}

/*
 * An unchanged return address is in the link register; where the column is no register, it means
 * that there is no caller, as a rule "undefined" does.
 */
static struct part ra_part(const struct arch *arch, const struct cfi_row *row)
{
	struct part part = reg_part(arch, row_rule(row, row->ra_column), row->ra_column);
	int dense = arch_dense(arch, row->ra_column);

	if (part.kind != DWUNW_RULE_SAME)
		return part;
	if (dense < 0)
		return (struct part){.kind = DWUNW_RULE_UNDEFINED};
	/*
	 * As a rule of its own: dwunw_apply() takes "same" for the value it was given, and it is
	 * given none.
	 */
	return (struct part){.kind = DWUNW_RULE_REG_PLUS, .reg = dense};
}

/* Whether a rule reads a register that the common walk does not carry. */
static bool reads_other_reg(const struct dwunw_step_arch *step, struct part part)
{
	bool reads = part.kind == DWUNW_RULE_REG_AT || part.kind == DWUNW_RULE_REG_PLUS ||
		     part.kind == DWUNW_RULE_PLT;

	if (step->return_size == 0 && part.reg == step->link)
		return false;
	return reads && part.reg != step->sp && part.reg != step->fp;
}

/* Whether the caller's stack pointer is the CFA, as the step takes it to be. */
static bool sp_is_cfa(struct part sp, struct part cfa)
{
	if (sp.kind == DWUNW_RULE_CFA_PLUS)
		return sp.off == 0;
	if (sp.kind == DWUNW_RULE_REG_AT || sp.kind == DWUNW_RULE_REG_PLUS)
		return sp.kind == cfa.kind && sp.reg == cfa.reg && sp.off == cfa.off;
	return sp.kind == DWUNW_RULE_UNDEFINED;
}

static void set_saved(struct dwunw_rule *rule, unsigned int dense, struct part part)
{
	rule->frame.saved |= 1u << dense;
	rule->kind[dense] = part.kind;
	rule->reg[dense] = part.reg;
	rule->off[dense] = part.off;
}

static void set_sp(struct dwunw_rule *rule, const struct dwunw_step_arch *step,
		   const struct cfi_rule *sp, struct part part, struct part cfa)
{
	if (sp->kind == CFI_UNSPECIFIED)
		return;
	/* "Same" must be said by the register itself: without a rule sp would be the CFA. */
	if (part.kind == DWUNW_RULE_SAME)
		part = (struct part){.kind = DWUNW_RULE_REG_PLUS, .reg = step->sp};
	if (sp_is_cfa(part, cfa))
		return;
	set_saved(rule, step->sp, part);
	rule->frame.flags |= DWUNW_RULE_NEEDS_REGS;
}

static void set_regs(const struct arch *arch, const struct cfi_row *row, struct part cfa,
		     struct dwunw_rule *rule)
{
	const struct dwunw_step_arch *step = arch->step;
	unsigned int n = row->n_regs < CFI_MAX_REGS ? row->n_regs : CFI_MAX_REGS;

	for (unsigned int reg = 0; reg < n; reg++) {
		int dense = arch_dense(arch, reg);
		struct part part;

		/*
		 * The caller's link register does not hold the return address that is there: the
		 * call has overwritten it.
		 */
		if (dense < 0 || reg == row->ra_column || row->regs[reg].kind == CFI_UNSPECIFIED)
			continue;
		part = reg_part(arch, &row->regs[reg], reg);
		if (dense == step->sp) {
			set_sp(rule, step, &row->regs[reg], part, cfa);
		} else if (dense == step->fp) {
			rule->frame.fp_kind = part.kind;
			rule->frame.fp_reg = part.reg;
			rule->frame.fp_off = part.off;
			if (reads_other_reg(step, part))
				rule->frame.flags |= DWUNW_RULE_NEEDS_REGS;
		} else if (part.kind != DWUNW_RULE_SAME) {
			set_saved(rule, dense, part);
		}
	}
}

void rule_from_row(const struct arch *arch, const struct cfi_row *row, struct dwunw_rule *ret)
{
	struct part cfa = cfa_part(arch, &row->cfa);
	struct part ra = ra_part(arch, row);
	struct dwunw_rule rule;

	memset(&rule, 0, sizeof(rule));
	if (cfa.kind == DWUNW_NO_RULE) {
		/* Nothing can be found; but where CFI says so itself, it is the root frame. */
		if (row_rule(row, row->ra_column)->kind == CFI_UNDEFINED) {
			cfa = part_expression;
		} else {
			rule.frame.cfa_kind = DWUNW_NO_RULE;
			*ret = rule;
			return;
		}
	}
	rule.frame.cfa_kind = cfa.kind;
	rule.frame.cfa_reg = cfa.reg;
	rule.frame.cfa_off = cfa.off;
	rule.frame.ra_kind = ra.kind;
	rule.frame.ra_reg = ra.reg;
	rule.frame.ra_off = ra.off;
	if (row->signal_frame)
		rule.frame.flags |= DWUNW_RULE_SIGNAL;
	if (reads_other_reg(arch->step, cfa) || reads_other_reg(arch->step, ra))
		rule.frame.flags |= DWUNW_RULE_NEEDS_REGS;
	set_regs(arch, row, cfa, &rule);
	*ret = rule;
}
