/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of one walk, shared by its loop (unwind.c) and the look-up of rules (frame_rule.c). */
#ifndef UNWIND_UNWINDER_H
#define UNWIND_UNWINDER_H

#include <stdbool.h>
#include <stdint.h>

#include <dwunw/step_types.h>

#include "unwind/unwind.h"

struct mapping;
struct unwind_snapshot;

struct dwunw_reader {
	const struct unwind_snapshot *snapshot;
	bool out_of_slice; /* the last miss: only because the slice was too short */
	int error;	   /* and its errno */
	uint64_t address;
};

struct unwinder {
	const struct unwind_snapshot *snapshot;
	struct dwunw_reader reader;
	struct dwunw_step_state state;
	/*
	 * Most stacks need pc, sp and fp alone, which is several times as fast. One that has a rule that reads more is walked
	 * again from its innermost frame, with all registers.
	 */
	bool full;
	struct dwunw_rule rule;
	/* of the current frame */
	uint32_t flags;			   /* DWUNW_FRAME_* */
	const struct mapping *mapping;	   /* that its code is in, or NULL */
	struct frame_module module;	   /* its file */
	const struct dwunw_rule *in_force; /* `rule`, or one in the cache */
	bool is_general; /* it holds for every frame at its address: no expression was evaluated */
	int error;	 /* negative errno: why it has no rule */
};

/*
 * Finds the rule of the frame that `u->state` stands for, and what goes with it: DWUNW_CONTINUE with u->in_force, or why the
 * stack ends.
 */
int frame_rule(struct unwinder *u);

#endif
