/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One frame step: registers of a frame + rule in force at its pc -> registers of its caller.
 *
 * Compiled for BPF (dwunw.bpf.h) and for user space (src/unwind) from this text, so that the two
 * cannot drift apart. Freestanding, allocates nothing. The includer defines, before or after including it,
 *
 *   struct dwunw_reader;
 *   static int dwunw_read_word(struct dwunw_reader *reader, __u64 addr, __u64 *ret);
 *
 * which reads one word of the target's memory (of the target's word size, zero-extended) and
 * returns 0, or anything else when it cannot.
 *
 * A walk carries pc, sp and fp only; when it returns DWUNW_STOP_REGISTER it is restarted with
 * all registers (`saved` given to dwunw_step()), which few stacks need.
 */
#ifndef DWUNW_STEP_H
#define DWUNW_STEP_H

#include "step_types.h"

struct dwunw_reader;
static inline __attribute__((always_inline)) int dwunw_read_word(struct dwunw_reader *reader,
								 __u64 addr, __u64 *ret);

static inline __attribute__((always_inline)) int dwunw_has_link(const struct dwunw_step_arch *arch)
{
	return arch->return_size == 0;
}

/* Addresses wrap around at the end of the target's address space. */
static inline __attribute__((always_inline)) __u64 dwunw_wrap(const struct dwunw_step_arch *arch,
							      __u64 addr)
{
	return arch->word_size == 4 ? (__u32)addr : addr;
}

/* Reads register `reg` of the frame: DWUNW_CONTINUE, or why it is not known. */
static inline __attribute__((always_inline)) int dwunw_get_reg(const struct dwunw_step_state *s,
							       const struct dwunw_step_arch *arch,
							       int full, __u32 reg, __u64 *ret)
{
	if (reg == arch->sp) {
		*ret = s->sp;
		return DWUNW_CONTINUE;
	}
	if (reg == arch->fp) {
		if (s->fp_lost)
			return s->fp_lost;
		*ret = s->fp;
		return DWUNW_CONTINUE;
	}
	reg &= DWUNW_MAX_REGS - 1;
	if (!full && !(dwunw_has_link(arch) && reg == arch->link))
		return DWUNW_STOP_REGISTER;
	if (!(s->valid >> reg & 1))
		return DWUNW_STOP_REGISTER;
	*ret = s->regs[reg];
	return DWUNW_CONTINUE;
}

/* The caller's value of one register, `old` being this frame's. DWUNW_CONTINUE or a stop reason. */
static inline __attribute__((always_inline)) int
dwunw_apply(const struct dwunw_step_state *s, const struct dwunw_step_arch *arch, int full,
	    struct dwunw_reader *reader, __u64 cfa, __u32 kind, __u32 reg, __s32 off, __u64 *value)
{
	__u64 base = cfa;
	int stop;

	if (kind == DWUNW_RULE_SAME)
		return DWUNW_CONTINUE;
	if (kind == DWUNW_RULE_EXPRESSION)
		return DWUNW_STOP_EXPRESSION;
	if (kind == DWUNW_RULE_REG_AT || kind == DWUNW_RULE_REG_PLUS) {
		stop = dwunw_get_reg(s, arch, full, reg, &base);
		if (stop != DWUNW_CONTINUE)
			return stop;
	}
	base = dwunw_wrap(arch, base + (__s64)off);
	if (kind == DWUNW_RULE_CFA_AT || kind == DWUNW_RULE_REG_AT) {
		if (dwunw_read_word(reader, base, value))
			return DWUNW_STOP_BAD_READ;
		return DWUNW_CONTINUE;
	}
	*value = base;
	return DWUNW_CONTINUE;
}

/*
 * All registers of the caller. Rules speak of this frame's registers, so none is changed before all are read. They are gathered in
 * `s`, not in a local variable: BPF has 512 bytes of stack, and what Linux 6.1's verifier knows of a local variable
 * keeps its paths apart, where memory lets them converge.
 */
static inline __attribute__((always_inline)) void
dwunw_step_saved(struct dwunw_step_state *s, const struct dwunw_step_arch *arch,
		 struct dwunw_reader *reader, const struct dwunw_rule *rule, __u64 cfa)
{
	s->caller_valid = s->valid;
	if (!(rule->frame.flags & DWUNW_RULE_SIGNAL))
		s->caller_valid &= arch->callee_saved;
	__builtin_memcpy(s->caller_regs, s->regs, sizeof(s->caller_regs));
	for (__u32 i = 0; i < DWUNW_MAX_REGS; i++) {
		if (!(rule->frame.saved >> i & 1))
			continue;
		s->caller_valid &= ~(1u << i);
		if (rule->kind[i] == DWUNW_RULE_UNDEFINED)
			continue;
		/* one that fails is not known; that matters only to a frame that asks for it */
		if (dwunw_apply(s, arch, 1, reader, cfa, rule->kind[i], rule->reg[i], rule->off[i],
				&s->caller_regs[i]) == DWUNW_CONTINUE)
			s->caller_valid |= 1u << i;
	}
	__builtin_memcpy(s->regs, s->caller_regs, sizeof(s->regs));
	s->valid = s->caller_valid;
}

/*
 * The caller's frame pointer, into *fp and *lost (dwunw_step_state.fp_lost). One that cannot be restored ends no stack: most frames
 * need none. But where the full walk, or user space, may restore it, the stop reason that leads there.
 */
static inline __attribute__((always_inline)) int
dwunw_step_fp(const struct dwunw_step_state *s, const struct dwunw_step_arch *arch, int full,
	      struct dwunw_reader *reader, const struct dwunw_frame_rule *rule, __u64 cfa,
	      __u64 *fp, __u32 *lost)
{
	int stop;

	*fp = s->fp;
	*lost = s->fp_lost;
	if (rule->fp_kind == DWUNW_RULE_SAME)
		return DWUNW_CONTINUE;
	*lost = 0;
	if (rule->fp_kind == DWUNW_RULE_UNDEFINED) {
		*fp = 0;
		return DWUNW_CONTINUE;
	}
	stop = dwunw_apply(s, arch, full, reader, cfa, rule->fp_kind, rule->fp_reg, rule->fp_off,
			   fp);
	if (stop == DWUNW_CONTINUE)
		return DWUNW_CONTINUE;
	if (!full && stop != DWUNW_STOP_BAD_READ)
		return stop;
	*lost = stop;
	return DWUNW_CONTINUE;
}

/*
 * Steps `s` to the caller. `rule`: the frame's rule; `saved`: NULL in the common walk, the same rule whole in
 * the full walk. Returns DWUNW_CONTINUE, or why the stack ends here; `s` is then unusable. *cfa is
 * set whenever it could be computed.
 */
static inline __attribute__((always_inline)) int
dwunw_step(struct dwunw_step_state *s, const struct dwunw_step_arch *arch,
	   struct dwunw_reader *reader, const struct dwunw_frame_rule *rule,
	   const struct dwunw_rule *saved, __u64 *cfa)
{
	const int full = saved != 0;
	__u32 flags = rule->flags;
	__u64 base = 0, ra = 0, fp, sp, value;
	__u32 fp_lost;
	int stop;

	if (rule->cfa_kind == DWUNW_NO_RULE)
		return DWUNW_STOP_NO_CFI;
	if (rule->ra_kind == DWUNW_RULE_UNDEFINED)
		return DWUNW_STOP_ROOT;
	if (rule->cfa_kind == DWUNW_RULE_EXPRESSION)
		return DWUNW_STOP_EXPRESSION;
	if (!full && (flags & DWUNW_RULE_NEEDS_REGS))
		return DWUNW_STOP_REGISTER;

	stop = dwunw_get_reg(s, arch, full, rule->cfa_reg, &base);
	if (stop != DWUNW_CONTINUE)
		return stop;
	if (rule->cfa_kind == DWUNW_RULE_PLT) {
		base += arch->word_size;
		if ((s->pc & 15) >= (__u32)rule->cfa_off)
			base += arch->word_size;
	} else {
		base = dwunw_wrap(arch, base + (__s64)rule->cfa_off);
		if (rule->cfa_kind == DWUNW_RULE_REG_AT) {
			if (dwunw_read_word(reader, base, &value))
				return DWUNW_STOP_BAD_READ;
			base = value;
		}
	}
	*cfa = base;
	sp = base;

	/* A return address that is still in the link register has the rule REG_PLUS. */
	stop = dwunw_apply(s, arch, full, reader, base, rule->ra_kind, rule->ra_reg, rule->ra_off,
			   &ra);
	if (stop != DWUNW_CONTINUE)
		return stop;
	stop = dwunw_step_fp(s, arch, full, reader, rule, base, &fp, &fp_lost);
	if (stop != DWUNW_CONTINUE)
		return stop;
	if (full) {
		if (rule->saved >> arch->sp & 1) {
			stop = dwunw_apply(s, arch, full, reader, base, saved->kind[arch->sp],
					   saved->reg[arch->sp], saved->off[arch->sp], &sp);
			if (stop != DWUNW_CONTINUE)
				return stop;
		}
		dwunw_step_saved(s, arch, reader, saved, base);
	}
	if (dwunw_has_link(arch) && !full)
		s->valid = 0;
	if (arch->ra_mask)
		ra &= ~s->ra_mask;
	/* but a signal can interrupt a call through a null pointer */
	if (ra == 0 && !(flags & DWUNW_RULE_SIGNAL))
		return DWUNW_STOP_ROOT;
	if (ra == s->pc && sp == s->sp)
		return DWUNW_STOP_NO_PROGRESS;
	s->pc = ra;
	s->sp = sp;
	s->fp = fp;
	s->fp_lost = fp_lost;
	s->pc_exact = flags & DWUNW_RULE_SIGNAL;
	return DWUNW_CONTINUE;
}

/*
 * Steps `s` to the caller without the frame's rule, by frame pointer (`entry_sp`: as in struct dwunw_slot). `room` is for a rule. DWUNW_CONTINUE, or
 * anything else: there is none that can be believed, and `s` is as it was. A return address of 0 is none: where a frame pointer is some
 * other value, zeros are what is found most.
 */
static inline __attribute__((always_inline)) int
dwunw_step_by_fp(struct dwunw_step_state *s, const struct dwunw_step_arch *arch,
		 struct dwunw_reader *reader, __u64 entry_sp, struct dwunw_frame_rule *room,
		 __u64 *cfa)
{
	int stop;

	if (s->pc_exact && s->sp == entry_sp)
		*room = dwunw_null_call_rule(arch);
	else if (!s->fp_lost && dwunw_fp_is_sane(s, arch))
		*room = arch->fp_frame;
	else
		return DWUNW_STOP_NO_CFI;
	stop = dwunw_step(s, arch, reader, room, 0, cfa);
	if (stop == DWUNW_CONTINUE)
		s->valid = 0; /* of the other registers nothing is known */
	return stop;
}

#endif
