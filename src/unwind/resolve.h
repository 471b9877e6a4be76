/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules with DWARF expressions that a table cannot say, resolved for one frame: the expression is evaluated with the frame's
 * registers, and the rule becomes a plain one with the same effect. So there is one step function for all.
 */
#ifndef UNWIND_RESOLVE_H
#define UNWIND_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

struct arch;
struct cfi_row;
struct dwunw_rule;
struct dwunw_step_state;
struct unwind_snapshot;

bool rule_has_expression(const struct dwunw_rule *rule);

/*
 * What cannot be evaluated keeps DWUNW_RULE_EXPRESSION and ends the walk there if it is needed. Always 0. state->sp becomes the CFA of a
 * frame that is larger than a rule can say.
 */
int rule_resolve(const struct arch *arch, const struct cfi_row *row, struct dwunw_step_state *state,
		 const struct unwind_snapshot *snapshot, uint64_t load_bias,
		 struct dwunw_rule *rule);

#endif
