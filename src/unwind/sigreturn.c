/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/sigreturn.h"

#include <errno.h>
#include <string.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "unwind/snapshot.h"

_Static_assert(sizeof(((struct arch_sigreturn *)0)->regs) == 2 * DWUNW_MAX_REGS, "one for each");

static void make_rule(const struct dwunw_step_arch *step, const struct arch_sigreturn *sigreturn,
		      struct dwunw_rule *ret)
{
	struct dwunw_frame_rule *frame = &ret->frame;

	memset(ret, 0, sizeof(*ret));
	frame->flags = DWUNW_RULE_SIGNAL | DWUNW_RULE_NEEDS_REGS;
	frame->cfa_kind = DWUNW_RULE_REG_PLUS;
	frame->ra_kind = frame->fp_kind = DWUNW_RULE_CFA_AT;
	frame->cfa_reg = step->sp;
	frame->ra_off = sigreturn->pc;
	frame->fp_off = sigreturn->regs[step->fp];
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++) {
		if (i == step->fp)
			continue;
		frame->saved |= 1u << i;
		ret->kind[i] = DWUNW_RULE_CFA_AT;
		ret->off[i] = sigreturn->regs[i];
	}
}

int sigreturn_rule(const struct arch *arch, const struct unwind_snapshot *snapshot, uint64_t pc,
		   struct dwunw_rule *ret)
{
	for (size_t i = 0; i < arch->n_sigreturns; i++) {
		const struct arch_sigreturn *sigreturn = &arch->sigreturns[i];
		uint64_t first, second;

		if (snapshot_read(snapshot, pc, 4, &first) ||
		    snapshot_read(snapshot, pc + 4, 4, &second))
			return -ENOENT;
		if (first != sigreturn->code[0] || second != sigreturn->code[1])
			continue;
		make_rule(arch->step, sigreturn, ret);
		return 0;
	}
	return -ENOENT;
}
