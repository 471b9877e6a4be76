/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/resolve.h"

#include <errno.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "cfi/expression.h"
#include "unwind/snapshot.h"
#include "unwind/unwind.h"

struct frame {
	const struct arch *arch;
	struct dwunw_step_state *state;
	const struct unwind_snapshot *snapshot;
};

static int get_reg(void *arg, uint64_t reg, uint64_t *ret)
{
	const struct frame *frame = arg;
	int dense = arch_dense(frame->arch, reg);

	if (dense == frame->arch->step->fp && frame->state->fp_lost)
		return -ENODATA;
	if (reg == frame->arch->ra_column)
		*ret = frame->state->pc;
	else if (dense == frame->arch->step->sp)
		*ret = frame->state->sp;
	else if (dense == frame->arch->step->fp)
		*ret = frame->state->fp;
	else if (dense >= 0 && (frame->state->valid >> dense & 1))
		*ret = frame->state->regs[dense];
	else
		return -ENODATA;
	return 0;
}

static int read_memory(void *arg, uint64_t addr, unsigned int size, uint64_t *ret)
{
	const struct frame *frame = arg;

	return snapshot_read(frame->snapshot, addr, size, ret);
}

/* `value` as an offset from `base`, if a rule can hold it. */
static int offset_from(uint64_t base, uint64_t value, __s32 *ret)
{
	int64_t off = (int64_t)(value - base);

	if (off != (__s32)off)
		return -ERANGE;
	*ret = (__s32)off;
	return 0;
}

static bool part_reads(__u8 kind, __u8 part_reg, unsigned int reg)
{
	return (kind == DWUNW_RULE_REG_AT || kind == DWUNW_RULE_REG_PLUS) && part_reg == reg;
}

/* Whether the caller's registers are said relative to this frame's `reg`. */
static bool rule_reads(const struct dwunw_rule *rule, unsigned int reg)
{
	const struct dwunw_frame_rule *frame = &rule->frame;

	if (part_reads(frame->ra_kind, frame->ra_reg, reg) ||
	    part_reads(frame->fp_kind, frame->fp_reg, reg))
		return true;
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++) {
		if ((frame->saved >> i & 1) && part_reads(rule->kind[i], rule->reg[i], reg))
			return true;
	}
	return false;
}

static int find_cfa(const struct cfi_row *row, const struct expression_context *context,
		    struct frame *frame, uint64_t *cfa)
{
	uint64_t base;
	int err;

	if (row->cfa.kind == CFI_EXPRESSION)
		return expression_evaluate(row->cfa.expr, row->cfa.expr_size, context, false, 0,
					   cfa);
	if (row->cfa.kind != CFI_REGISTER)
		return -ENOTSUP;
	err = get_reg(frame, row->cfa.reg, &base);
	if (err)
		return err;
	*cfa = base + (uint64_t)row->cfa.off;
	return 0;
}

/* Makes `cfa` what the rule says, if it says an expression. */
static void set_cfa(struct frame *frame, struct dwunw_rule *rule, uint64_t cfa)
{
	unsigned int sp = frame->arch->step->sp;

	if (rule->frame.cfa_kind != DWUNW_RULE_EXPRESSION)
		return;
	if (offset_from(frame->state->sp, cfa, &rule->frame.cfa_off)) {
		/* A frame of more than 2 GiB. */
		if (rule_reads(rule, sp))
			return;
		frame->state->sp = cfa;
		rule->frame.cfa_off = 0;
	}
	rule->frame.cfa_kind = DWUNW_RULE_REG_PLUS;
	rule->frame.cfa_reg = (__u8)sp;
}

static void resolve_reg(const struct cfi_rule *from, const struct expression_context *context,
			uint64_t cfa, __u8 *kind, __s32 *off)
{
	uint64_t value;

	if (*kind != DWUNW_RULE_EXPRESSION ||
	    expression_evaluate(from->expr, from->expr_size, context, true, cfa, &value) ||
	    offset_from(cfa, value, off))
		return;
	*kind = from->kind == CFI_EXPRESSION ? DWUNW_RULE_CFA_AT : DWUNW_RULE_CFA_PLUS;
}

bool rule_has_expression(const struct dwunw_rule *rule)
{
	const struct dwunw_frame_rule *frame = &rule->frame;

	if (frame->cfa_kind == DWUNW_RULE_EXPRESSION || frame->ra_kind == DWUNW_RULE_EXPRESSION ||
	    frame->fp_kind == DWUNW_RULE_EXPRESSION)
		return true;
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++) {
		if ((frame->saved >> i & 1) && rule->kind[i] == DWUNW_RULE_EXPRESSION)
			return true;
	}
	return false;
}

int rule_resolve(const struct arch *arch, const struct cfi_row *row, struct dwunw_step_state *state,
		 const struct unwind_snapshot *snapshot, uint64_t load_bias,
		 struct dwunw_rule *rule)
{
	struct frame frame = {arch, state, snapshot};
	struct expression_context context = {
		.address_size = arch->step->word_size,
		.little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
		.get_reg = get_reg,
		.read = read_memory,
		.load_bias = load_bias,
		.arg = &frame,
	};
	uint64_t cfa;

	if (find_cfa(row, &context, &frame, &cfa))
		return 0;
	for (unsigned int reg = 0; reg < row->n_regs; reg++) {
		const struct cfi_rule *from = &row->regs[reg];
		int dense = arch_dense(arch, reg);

		if (from->kind != CFI_EXPRESSION && from->kind != CFI_VAL_EXPRESSION)
			continue;
		if (reg == row->ra_column)
			resolve_reg(from, &context, cfa, &rule->frame.ra_kind, &rule->frame.ra_off);
		else if (dense == arch->step->fp)
			resolve_reg(from, &context, cfa, &rule->frame.fp_kind, &rule->frame.fp_off);
		else if (dense >= 0)
			resolve_reg(from, &context, cfa, &rule->kind[dense], &rule->off[dense]);
	}
	set_cfa(&frame, rule, cfa);
	return 0;
}
