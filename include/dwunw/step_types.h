/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The data of a frame step (step.h): what is known of an architecture, the registers of a frame, and questions about them. */
#ifndef DWUNW_STEP_TYPES_H
#define DWUNW_STEP_TYPES_H

#include "event_format.h"
#include "table_format.h"

#define DWUNW_CONTINUE (-1) /* dwunw_step(): the caller's frame was found */

/* What a walk takes frame pointers for, besides code that has no call frame information. */
enum dwunw_by_fp {
	DWUNW_FP_NO_MORE,
	DWUNW_FP_WHERE_STUCK, /* frames whose rule is not there, or leads nowhere */
	DWUNW_FP_FIRST, /* all but the innermost, where they have one: their rules may be wrong */
};

/* What a step must know of an architecture; a constant, so that the compiler folds it. */
struct dwunw_step_arch {
	__u8 word_size;	  /* bytes */
	__u8 sp, fp;	  /* dense indices */
	__u8 return_size; /* bytes that a call pushes: CFA - sp at function entry; 0: link register */
	__u8 link;	  /* dense index of the link register, where there is one */
	__u32 callee_saved;		  /* bit i: a called function preserves register i */
	struct dwunw_frame_rule fp_frame; /* the rule of a frame that keeps a frame pointer */
	__u32 max_fp_frame; /* a frame-pointer step over more bytes than this is not believed */
	__u64 ra_mask; /* bits of a return address that may hold a signature; 0: none ever do */
};

struct dwunw_step_state {
	__u64 pc, sp, fp;
	/*
	 * Those of sp and fp are not used. In the common walk the link register alone, and that in
	 * the innermost frame alone: from then on a call has overwritten it.
	 */
	__u64 regs[DWUNW_MAX_REGS];
	__u32 valid;	/* bit i: regs[i] is known */
	__u32 pc_exact; /* pc is not a return address: look it up as it is, not pc - 1 */
	__u32 fp_lost;	/* 0, or the stop reason of a frame that needs fp, which is not known */
	__u64 ra_mask;	/* bits to be cleared in return addresses, where arch.ra_mask has any */
	/* The full walk's own: the caller's registers while this frame's are still asked for. */
	__u64 caller_regs[DWUNW_MAX_REGS];
	__u32 caller_valid;
};

/*
 * The pc rule. A return address points behind its call, which may be the last instruction of its function,
 * so the call itself is looked up. pc_exact: innermost frame, frame that a signal interrupted.
 */
static inline __attribute__((always_inline)) __u64 dwunw_lookup_pc(const struct dwunw_step_state *s)
{
	return s->pc_exact ? s->pc : s->pc - 1;
}

/* Whether the frame pointer of `s` looks like one: above sp, aligned, not absurdly far away. */
static inline __attribute__((always_inline)) int
dwunw_fp_is_sane(const struct dwunw_step_state *s, const struct dwunw_step_arch *arch)
{
	return s->fp >= s->sp && s->fp - s->sp <= arch->max_fp_frame &&
	       !(s->fp & (arch->word_size - 1));
}

/* Whether a frame with this rule is left by frame pointer nevertheless. Its rule says if it is a root, or what a signal interrupted. */
static inline __attribute__((always_inline)) int
dwunw_fp_comes_first(const struct dwunw_step_state *s, __u32 by_fp,
		     const struct dwunw_frame_rule *rule)
{
	return by_fp == DWUNW_FP_FIRST && !s->pc_exact && !(rule->flags & DWUNW_RULE_SIGNAL) &&
	       rule->ra_kind != DWUNW_RULE_UNDEFINED;
}

/*
 * The frame of a call through a null pointer, which ran no instruction: all is as the call left it. (Others that lead to no code are
 * not told from code that was mapped a moment ago.)
 */
static inline __attribute__((always_inline)) int
dwunw_is_null_call(const struct dwunw_step_state *s)
{
	return s->pc == 0 && s->pc_exact;
}

static inline __attribute__((always_inline)) struct dwunw_frame_rule
dwunw_null_call_rule(const struct dwunw_step_arch *arch)
{
	struct dwunw_frame_rule rule = {
		.cfa_kind = DWUNW_RULE_REG_PLUS,
		.cfa_reg = arch->sp,
		.cfa_off = arch->return_size,
		.ra_kind = arch->return_size ? DWUNW_RULE_CFA_AT : DWUNW_RULE_REG_PLUS,
		.ra_reg = arch->link,
		.ra_off = -arch->return_size,
	};

	return rule;
}

#endif
