/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is remembered of the last complete walk of each thread, so that the next one need not go all the way to the root.
 *
 * A step from a frame to its caller is a function of the frame's pc, sp, fp and `exact`, of the words of the stack that it reads, and of the
 * mappings with their tables. So if a walk comes to a frame that is remembered (pc, sp, `exact`, and fp where it matters), the mappings
 * are those of then (epoch and generation), and every word that the steps from there to the root read has the value that it had,
 * then by induction from that frame to the root the steps lead to the same frames. Nothing has to be known of why a word is
 * unchanged, or of what the thread did in between; words are compared, never assumed.
 *
 * fp matters (LIVE) to a frame if a step from it or from further out uses fp before one replaces it. A word that fp was restored
 * from is compared if fp matters to the frame that got it. Registers other than these three never matter: a walk that needs one
 * ends with DWUNW_STOP_REGISTER, and only those that ended at the root are remembered. What steps depend on besides stays out of the memo: frames
 * of signals, return addresses that are in a register or held back by a return probe, and all that lies inside of those.
 * Each of the words lies in [sp of its frame, top): one read from the innermost sp up to there has those of all frames that are not below it.
 *
 * So each state of a memo is true by itself, whatever has become of the thread: a partial hit keeps the states that it proved, and
 * replaces those inside of them.
 */
#ifndef DWUNW_MEMO_BPF_H
#define DWUNW_MEMO_BPF_H

#include "hash.bpf.h"
#include "reader.bpf.h"

const volatile __u32 dwunw_memo_test; /* DWUNW_MEMO_*; set by tests before loading */

#define DWUNW_MEMO_REACH (1 << 26) /* bytes of a stack that a memo speaks of, at most */
#define DWUNW_MEMO_MISSES 8	   /* more of them than hits, and the memo is left alone */
#define DWUNW_MEMO_FIRST_PAUSE 32
#define DWUNW_MEMO_LAST_PAUSE 1024

struct dwunw_walk {
	struct dwunw_slot *slot;
	const struct dwunw_mappings *mappings;
	__u64 epoch; /* of what is believed */
	__u64 seed;  /* the hash of what is outside of every stack */
	struct dwunw_memo *memo;
};

/* The memo of this thread, or NULL. `in_kernel`: the program is of a perf event that came there. */
static __always_inline struct dwunw_memo *dwunw_memo_get(struct dwunw_slot *slot, int in_kernel)
{
	struct dwunw_memo *memo;

	if (dwunw_memo_test & DWUNW_MEMO_OFF)
		return 0;
	/* What interrupted the kernel, which may be in its allocator, must not allocate. */
	memo = bpf_task_storage_get(&dwunw_memos, bpf_get_current_task_btf(), 0,
				    in_kernel ? 0 : BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!memo && !in_kernel)
		slot->counts[DWUNW_COUNT_NO_MEMO]++;
	return memo;
}

/*
 * False: it rests, or is in the hands of a program that this one interrupted, which goes on only after this one: no
 * need for atomic access.
 */
static __always_inline int dwunw_memo_claim(struct dwunw_memo *memo)
{
	if (memo->pause) {
		memo->pause--;
		return 0;
	}
	if (memo->in_use)
		return 0;
	memo->in_use = 1;
	barrier();
	return 1;
}

static __always_inline void dwunw_memo_release(struct dwunw_memo *memo)
{
	barrier();
	memo->in_use = 0;
}

static __always_inline __u64 dwunw_memo_word(const struct dwunw_slot *slot, __u32 end, __u32 at)
{
	return slot->window[(end - at) & (DWUNW_SPAN_SIZE / 8 - 1)];
}

/*
 * The words of the stack up to memo->top are in the window: those of the memo are compared, a group at a time. How many are as they
 * were up to the first that is not. A global function, which the verifier goes through once, however many ways lead to it; a loop by
 * bpf_loop() would cost as much as the comparing.
 */
__noinline int dwunw_memo_compare(struct dwunw_slot *slot, const struct dwunw_memo *memo)
{
	const struct dwunw_memo_pair *pair;
	__u32 first, end, same = 1;
	__u64 differ;

	if (dwunw_walk_in_user || !slot || !memo) /* see dwunw_look_up() */
		return 0;
	end = slot->in_window / 8;
	for (first = 0; first < DWUNW_MEMO_PAIRS; first += DWUNW_MEMO_GROUP) {
		if (first >= memo->n_pairs)
			return DWUNW_MEMO_PAIRS;
		differ = 0;
#pragma unroll
		for (int i = 0; i < DWUNW_MEMO_GROUP; i++) {
			pair = &memo->pairs[first + i];
			differ |= dwunw_memo_word(slot, end, pair->at) ^ pair->word;
		}
		if (differ)
			break;
	}
	/* through memory, so that the verifier forgets which group it is, and has one path for all */
	slot->differs = first;
	first = *(volatile __u32 *)&slot->differs;
	if (first >= DWUNW_MEMO_PAIRS)
		return DWUNW_MEMO_PAIRS;
#pragma unroll
	for (int i = 0; i < DWUNW_MEMO_GROUP - 1; i++) {
		pair = &memo->pairs[first];
		differ = dwunw_memo_word(slot, end, pair->at) ^ pair->word;
		differ = (differ | -differ) >> 63; /* 1 if any; without branches */
		barrier_var(differ);
		same &= ~(__u32)differ;
		first += same;
	}
	return first;
}

/* The same for stacks that are longer than the window: from the innermost pair outwards, a page at a time. */
static long dwunw_memo_compare_far(__u32 i, struct dwunw_walk *walk)
{
	struct dwunw_slot *slot = walk->slot;
	const struct dwunw_memo *memo = walk->memo;
	const struct dwunw_memo_pair *pair;
	__u32 place = memo->n_pairs - 1 - i;
	__u64 address, word;

	if (place >= DWUNW_MEMO_PAIRS)
		return 1;
	pair = &memo->pairs[place];
	address = memo->top - pair->at * 8ULL;
	if (address < slot->state.sp ||
	    dwunw_read_word((struct dwunw_reader *)slot, address, &word) || word != pair->word)
		slot->known = pair->states;
	return 0;
}

/* How many states are proven: slot->known. */
static __always_inline void dwunw_memo_verify(struct dwunw_walk *walk)
{
	struct dwunw_slot *slot = walk->slot;
	struct dwunw_memo *memo = walk->memo;
	__u64 sp = slot->state.sp, span = memo->top - sp;
	__u32 same;

	slot->known = 0;
	/* a signature would have to be kept beside the return address */
	if (DWUNW_ARCH_NATIVE.ra_mask && slot->state.ra_mask)
		return;
	if (memo->epoch != walk->epoch || memo->generation != walk->mappings->generation ||
	    (sp & 7) || span > DWUNW_MEMO_REACH)
		return;
	slot->known = memo->n_states;
	slot->verified = span / 8;
	if (span > DWUNW_SPAN_SIZE) {
		bpf_loop(DWUNW_MEMO_PAIRS, dwunw_memo_compare_far, walk, 0);
		return;
	}
	slot->in_window = 0;
	barrier_var(span);
	if (span > DWUNW_SPAN_SIZE || bpf_probe_read_user(slot->window, span, (void *)sp)) {
		slot->known = 0;
		return;
	}
	slot->in_window = span;
	slot->window_start = sp;
	same = dwunw_memo_compare(slot, memo);
	if (same < DWUNW_MEMO_PAIRS)
		slot->known = memo->pairs[same].states;
}

/*
 * Whether the frame that the walk has come to, number `frame`, is one whose rest is known: then slot->arrived says where that begins,
 * and slot->hash is that of the whole stack.
 */
static __always_inline int dwunw_memo_arrived(struct dwunw_walk *walk, __u32 frame)
{
	struct dwunw_slot *slot = walk->slot;
	const struct dwunw_memo *memo = walk->memo;
	const struct dwunw_step_state *s = &slot->state;
	const struct dwunw_memo_state *state;
	__u32 known = slot->known, skipped = 0;
	__u64 at = (memo->top - s->sp) / 8;

	/* those inside of this frame are passed, not all at once: a walk that was remembered may have gone deeper */
#pragma unroll
	for (int i = 0; i < 3; i++)
		known -= known && memo->states[(known - 1) & (DWUNW_MEMO_STATES - 1)].sp > at;
	slot->known = known;
	if (!known)
		return 0;
	state = &memo->states[(known - 1) & (DWUNW_MEMO_STATES - 1)];
	if (state->pc != s->pc || state->sp != at || (s->sp & 7) ||
	    (state->flags & DWUNW_STATE_EXACT) != s->pc_exact)
		return 0;
	/* out of a signal's stack, which may lie above: nothing below it was compared */
	if (at > slot->verified)
		return 0;
	if ((state->flags & DWUNW_STATE_LIVE) && !(dwunw_memo_test & DWUNW_MEMO_NO_FP) &&
	    (state->fp != s->fp || s->fp_lost))
		return 0;
	if (frame < slot->skip)
		skipped = slot->skip - frame;
	if (skipped >= known || frame + known > slot->end)
		return 0;
	slot->arrived = known;
	slot->fp_steps += (state->flags & DWUNW_STATE_FP) != 0;
	slot->stop = DWUNW_STOP_ROOT;
	state = &memo->states[(known - skipped - 1) & (DWUNW_MEMO_STATES - 1)];
	dwunw_hash_end(slot, state->hash);
	return 1;
}

/* Adds a word that the step depended on. -1: it cannot be compared. */
static __always_inline int dwunw_memo_add(struct dwunw_memo *memo,
					  const struct dwunw_memo_step *step, __u64 address,
					  __u64 word)
{
	__u64 at = memo->top - address;
	__u32 n = memo->n_pairs;
	struct dwunw_memo_pair *pair;

	if (address < step->sp || address >= memo->top || (at & 7) || n >= DWUNW_MEMO_PAIRS)
		return -1;
	pair = &memo->pairs[n];
	pair->word = word;
	pair->at = at / 8;
	pair->states = memo->n_states;
	memo->n_pairs = n + 1;
	return 0;
}

/* The address that a rule of this kind reads; *live is set if that depends on fp. 0: it is none of memory. */
static __always_inline __u64 dwunw_memo_address(const struct dwunw_memo_step *step, __u32 kind,
						__u32 reg, __s32 off, __u32 *live)
{
	if (kind == DWUNW_RULE_CFA_AT)
		return step->cfa + (__s64)off;
	if (kind != DWUNW_RULE_REG_AT)
		return 0;
	if (reg == DWUNW_ARCH_NATIVE.sp)
		return step->sp + (__s64)off;
	if (reg != DWUNW_ARCH_NATIVE.fp)
		return 0;
	*live = DWUNW_STATE_LIVE;
	return step->fp + (__s64)off;
}

/*
 * The words that the step from this frame to its caller `outer` depended on; *live: whether it, or what is outside of it, depends on fp.
 * -1: it depends on something else.
 */
static __always_inline int dwunw_memo_depends(struct dwunw_memo *memo,
					      const struct dwunw_memo_step *step,
					      const struct dwunw_memo_state *outer, __u32 outermost,
					      __u32 *live)
{
	const struct dwunw_frame_rule *rule = &step->rule;
	__u64 outer_pc = outermost ? 0 : outer->pc, address;
	__u32 outer_live = outermost ? 0 : outer->flags & DWUNW_STATE_LIVE;

	if (rule->flags & (DWUNW_RULE_SIGNAL | DWUNW_RULE_NEEDS_REGS))
		return -1;
	address = dwunw_memo_address(step, rule->ra_kind, rule->ra_reg, rule->ra_off, live);
	if (!address)
		return -1;
	if (outermost)
		memo->top = address + DWUNW_ARCH_NATIVE.word_size;
	if (!(dwunw_memo_test & DWUNW_MEMO_NO_RA) && dwunw_memo_add(memo, step, address, outer_pc))
		return -1;

	if (rule->cfa_reg == DWUNW_ARCH_NATIVE.fp)
		*live = DWUNW_STATE_LIVE;
	else if (rule->cfa_reg != DWUNW_ARCH_NATIVE.sp)
		return -1;
	if (rule->cfa_kind == DWUNW_RULE_REG_AT) {
		address = dwunw_memo_address(step, rule->cfa_kind, rule->cfa_reg, rule->cfa_off,
					     live);
		if (dwunw_memo_add(memo, step, address, step->cfa))
			return -1;
	} else if (rule->cfa_kind != DWUNW_RULE_REG_PLUS && rule->cfa_kind != DWUNW_RULE_PLT) {
		return -1;
	}

	if (rule->fp_kind == DWUNW_RULE_SAME)
		*live |= outer_live;
	else if (rule->fp_kind == DWUNW_RULE_UNDEFINED)
		return 0;
	else if (!(address = dwunw_memo_address(step, rule->fp_kind, rule->fp_reg, rule->fp_off,
						live)))
		return -1;
	else if (outer_live && !(dwunw_memo_test & DWUNW_MEMO_NO_FP))
		return dwunw_memo_add(memo, step, address, outer->fp);
	return 0;
}

/* Remembers one frame of the walk, from the outermost one that is not yet inwards. */
static long dwunw_memo_keep_one(__u32 i, struct dwunw_walk *walk)
{
	struct dwunw_slot *slot = walk->slot;
	struct dwunw_memo *memo = walk->memo;
	__u32 n = memo->n_states, live = 0;
	const struct dwunw_memo_state *outer;
	const struct dwunw_memo_step *step;
	struct dwunw_memo_state *state;
	__u64 at;

	if (i > slot->frame || n >= DWUNW_MEMO_STATES)
		return 1;
	step = &slot->steps[(slot->frame - i) & (DWUNW_MEMO_STATES - 1)];
	outer = &memo->states[(n - 1) & (DWUNW_MEMO_STATES - 1)];
	if ((step->flags & DWUNW_STEP_HIDDEN) || (step->sp & 7))
		return 1;
	if (!n)
		memo->top = step->sp;
	if (!n && step->flags & DWUNW_STEP_NONE) {
		live = DWUNW_STATE_LIVE; /* a root without a rule: by fp, if by anything */
	} else if (step->flags) {
		return 1;
	} else if (n || step->rule.ra_kind != DWUNW_RULE_UNDEFINED) {
		if (dwunw_memo_depends(memo, step, outer, !n, &live))
			return 1;
	}
	at = memo->top - step->sp;
	if ((at & 7) || at >= DWUNW_MEMO_REACH || (n && at / 8 <= outer->sp))
		return 1;
	state = &memo->states[n & (DWUNW_MEMO_STATES - 1)];
	state->pc = step->pc;
	state->fp = step->fp;
	state->hash = dwunw_hash_outside_in(n ? outer->hash : walk->seed, step->code);
	state->sp = at / 8;
	state->pairs = memo->n_pairs;
	state->flags = step->state | live | (n ? outer->flags & DWUNW_STATE_FP : 0);
	memo->n_states = n + 1;
	return 0;
}

/* The walk has come to the root, or to a known frame: what it went through is remembered. */
static __always_inline void dwunw_memo_keep(struct dwunw_walk *walk)
{
	struct dwunw_slot *slot = walk->slot;
	struct dwunw_memo *memo = walk->memo;
	const struct dwunw_memo_state *last;
	__u32 n = slot->arrived;

	if (slot->stop != DWUNW_STOP_ROOT || (DWUNW_ARCH_NATIVE.ra_mask && slot->state.ra_mask))
		return;
	last = &memo->states[(n - 1) & (DWUNW_MEMO_STATES - 1)];
	memo->n_states = n;
	memo->n_pairs = n ? last->pairs : 0;
	memo->epoch = walk->epoch;
	memo->generation = walk->mappings->generation;
	bpf_loop(DWUNW_MEMO_STATES, dwunw_memo_keep_one, walk, 0);
	last = &memo->states[(memo->n_states - 1) & (DWUNW_MEMO_STATES - 1)];
	memo->n_pairs = memo->n_states ? last->pairs : 0;
	/* whole groups are compared */
	n = memo->n_pairs;
	if (!n || n > DWUNW_MEMO_PAIRS)
		return;
	for (int i = 0; i < DWUNW_MEMO_GROUP - 1; i++)
		memo->pairs[n + i] = memo->pairs[0];
}

/* Takes down what became of the walk: memos that seldom help rest for a time, the longer the more often. */
static __always_inline void dwunw_memo_judge(struct dwunw_slot *slot, struct dwunw_memo *memo,
					     __u32 walked)
{
	if (slot->arrived * 2 > walked + 1) {
		memo->misses -= memo->misses > 0;
		if (!memo->misses)
			memo->pauses = 0;
		return;
	}
	if (++memo->misses <= DWUNW_MEMO_MISSES)
		return;
	memo->pauses = memo->pauses ? memo->pauses * 2 : DWUNW_MEMO_FIRST_PAUSE;
	if (memo->pauses > DWUNW_MEMO_LAST_PAUSE)
		memo->pauses = DWUNW_MEMO_LAST_PAUSE;
	memo->pause = memo->pauses;
	memo->misses =
		DWUNW_MEMO_MISSES - 1; /* one walk to remember, one to see whether that helps */
}

#endif
