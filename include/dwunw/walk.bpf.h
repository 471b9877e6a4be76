/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk inside the kernel: pc -> mapping -> rule (through a cache) -> step.h, frame by frame.
 *
 * All state lives in a struct dwunw_slot, a map value: the verifier then knows nothing about it, so that paths through a
 * frame converge, and the BPF stack stays free.
 */
#ifndef DWUNW_WALK_BPF_H
#define DWUNW_WALK_BPF_H

#include "look_up.bpf.h"
#include "memo.bpf.h"

/* Set by user space before loading. */
const volatile __u32 dwunw_max_depth = 127;
const volatile __u32 dwunw_details; /* stack records carry stack pointers */
const volatile __u32 dwunw_guess;   /* dwunw_bpf_opts.guess */

#define DWUNW_WORDS_A_FRAME (dwunw_details ? 3 : 2)

/* Writes the frame down and mixes it into the id. */
static __always_inline void dwunw_record(struct dwunw_slot *slot, __u32 frame, __u64 pc, __u64 sp,
					 __u64 flags, __u64 code)
{
	__u32 index = frame - slot->skip;

	if (frame < slot->skip)
		return;
	slot->event.n_frames = index + 1;
	dwunw_hash_frame(slot, code);
	index = index * DWUNW_WORDS_A_FRAME + slot->base;
	slot->frames[index & (DWUNW_FRAME_WORDS - 1)] = pc | flags << DWUNW_FRAME_FLAG_SHIFT;
	slot->frames[(index + 1) & (DWUNW_FRAME_WORDS - 1)] = code;
	if (dwunw_details)
		slot->frames[(index + 2) & (DWUNW_FRAME_WORDS - 1)] = sp;
}

/* Notes what the memo needs of the frame, before the step from it. */
static __always_inline void dwunw_note(struct dwunw_slot *slot, __u32 frame, __u64 flags,
				       __u64 code)
{
	struct dwunw_memo_step *step = &slot->steps[frame & (DWUNW_MEMO_STATES - 1)];

	step->pc = slot->state.pc;
	step->sp = slot->state.sp;
	step->fp = slot->state.fp;
	step->code = code;
	step->state = (slot->state.pc_exact ? DWUNW_STATE_EXACT : 0) |
		      (flags & DWUNW_FRAME_FP ? DWUNW_STATE_FP : 0);
	step->flags = flags & DWUNW_FRAME_TRAMPOLINE ? DWUNW_STEP_HIDDEN : 0;
	slot->frame = frame;
}

/*
 * One frame of the common walk: records it and goes to its caller. Nonzero ends the walk; slot->stop says why. The rule is
 * used where it lies, in the cache or in the slot: copying it would show in every frame. `noted`: a memo is to learn of it.
 */
static __always_inline int dwunw_walk_frame(__u32 frame, struct dwunw_walk *walk, const int noted)
{
	struct dwunw_slot *slot = walk->slot;
	struct dwunw_step_state *s = &slot->state;
	struct dwunw_memo_step *step = &slot->steps[frame & (DWUNW_MEMO_STATES - 1)];
	__u64 pc = dwunw_lookup_pc(s), epoch = walk->epoch;
	__u64 flags = s->pc_exact ? DWUNW_FRAME_EXACT : 0;
	__u32 set = (pc * DWUNW_HASH_MULTIPLIER) >> 55 & (DWUNW_CACHE_SETS - 1);
	struct dwunw_cache_entry *entry = &slot->cache[set][0];
	int stop;

	if (frame >= slot->end) {
		slot->stop = DWUNW_STOP_DEPTH;
		return 1;
	}
	if (entry->pc != pc || entry->epoch != epoch)
		entry = &slot->cache[set][1];
	if (entry->pc == pc && entry->epoch == epoch) {
		flags |= entry->flags;
		dwunw_record(slot, frame, s->pc, s->sp, flags, entry->code);
		if (noted) {
			dwunw_note(slot, frame, flags, entry->code);
			step->rule = entry->rule;
		}
		stop = dwunw_step(s, &DWUNW_ARCH_NATIVE, (struct dwunw_reader *)slot, &entry->rule,
				  0, &slot->cfa);
	} else {
		stop = dwunw_look_up(slot, walk->mappings);
		flags = slot->flags;
		if (slot->cacheable) {
			slot->victim ^= 1;
			entry = &slot->cache[set][slot->victim & 1];
			entry->pc = pc;
			entry->epoch = epoch;
			entry->code = slot->code;
			entry->rule = slot->rule;
			entry->flags = flags & DWUNW_FRAME_SIGNAL;
		}
		dwunw_record(slot, frame, DWUNW_FRAME_PC(s->pc), s->sp, flags, slot->code);
		if (noted) {
			dwunw_note(slot, frame, flags, slot->code);
			step->rule = slot->rule;
			if (!slot->cacheable && !(flags & DWUNW_FRAME_FP))
				step->flags |= DWUNW_STEP_OTHER;
		}
		if (stop == DWUNW_CONTINUE)
			stop = dwunw_step(s, &DWUNW_ARCH_NATIVE, (struct dwunw_reader *)slot,
					  &slot->rule, 0, &slot->cfa);
		else if (noted)
			step->flags |= DWUNW_STEP_NONE;
	}
	if (noted)
		step->cfa = slot->cfa;
	if (stop == DWUNW_CONTINUE)
		return 0;
	slot->stop = stop;
	return 1;
}

static long dwunw_walk_common(__u32 frame, struct dwunw_walk *walk)
{
	return dwunw_walk_frame(frame, walk, 0);
}

static long dwunw_walk_noted(__u32 frame, struct dwunw_walk *walk)
{
	return dwunw_walk_frame(frame, walk, 1) || dwunw_memo_arrived(walk, frame + 1);
}

/* slot->full_rule: the rule that slot->rule is the beginning of. */
static __always_inline int dwunw_complete_rule(struct dwunw_slot *slot)
{
	__u32 address = slot->rule_address;
	const __u8 *shard;

	if (!address) {
		__builtin_memset(&slot->full_rule, 0, sizeof(slot->full_rule));
		slot->full_rule.frame = slot->rule;
		return 0;
	}
	shard = dwunw_shard(address);
	if (!shard)
		return -1;
	slot->full_rule =
		*(const struct dwunw_rule *)(shard + (address & DWUNW_SHARD_MASK & ~127u));
	return 0;
}

/* The step by slot->full_rule. A global function: the verifier goes through all its registers once, not once for each way that leads here. */
__noinline int dwunw_step_full(struct dwunw_slot *slot)
{
	if (dwunw_walk_in_user || !slot)
		return DWUNW_STOP_NO_CFI;
	return dwunw_step(&slot->state, &DWUNW_ARCH_NATIVE, (struct dwunw_reader *)slot,
			  &slot->full_rule.frame, &slot->full_rule, &slot->cfa);
}

/* Leaves the frame by frame pointer, and marks it: DWUNW_CONTINUE if that was possible. */
static __noinline int dwunw_leave_by_fp(struct dwunw_slot *slot, __u32 frame)
{
	__u32 index = (frame - slot->skip) * DWUNW_WORDS_A_FRAME + slot->base;

	if (dwunw_step_by_fp(&slot->state, &DWUNW_ARCH_NATIVE, (struct dwunw_reader *)slot,
			     slot->entry_sp, &slot->rule, &slot->cfa) != DWUNW_CONTINUE)
		return DWUNW_STOP_NO_CFI;
	slot->fp_steps++;
	if (frame >= slot->skip)
		slot->frames[index & (DWUNW_FRAME_WORDS - 1)] |= (__u64)DWUNW_FRAME_FP
								 << DWUNW_FRAME_FLAG_SHIFT;
	return DWUNW_CONTINUE;
}

/* The same with all registers, for the few stacks that need them, or by frame pointer (slot->by_fp). */
static long dwunw_walk_full(__u32 frame, struct dwunw_walk *walk)
{
	struct dwunw_slot *slot = walk->slot;
	struct dwunw_step_state *s = &slot->state;
	int stop;

	if (frame >= slot->end) {
		slot->stop = DWUNW_STOP_DEPTH;
		return 1;
	}
	stop = dwunw_look_up(slot, walk->mappings);
	dwunw_record(slot, frame, DWUNW_FRAME_PC(s->pc), s->sp, slot->flags, slot->code);
	if (stop == DWUNW_CONTINUE && dwunw_complete_rule(slot))
		stop = DWUNW_STOP_NO_TABLE;
	if (stop == DWUNW_CONTINUE && dwunw_fp_comes_first(s, slot->by_fp, &slot->rule) &&
	    dwunw_leave_by_fp(slot, frame) == DWUNW_CONTINUE)
		return 0;
	if (stop == DWUNW_CONTINUE)
		stop = dwunw_step_full(slot);
	if (stop == DWUNW_CONTINUE)
		return 0;
	if (slot->by_fp && stop != DWUNW_STOP_ROOT &&
	    dwunw_leave_by_fp(slot, frame) == DWUNW_CONTINUE)
		return 0;
	slot->stop = stop;
	return 1;
}

static __always_inline __u64 dwunw_seed(const struct dwunw_slot *slot, __u64 process)
{
	return process * DWUNW_HASH_MULTIPLIER ^ slot->by_fp;
}

static __always_inline void dwunw_walk_start(struct dwunw_slot *slot)
{
	slot->state.pc_exact = 1;
	slot->state.fp_lost = 0;
	slot->mapping.start = slot->mapping.end = 0;
	slot->hash = 0;
	slot->hash_factor = 1;
	slot->event.n_frames = 0;
	slot->fp_steps = 0;
	slot->cfa = 0;
	slot->end = dwunw_max_depth + slot->skip;
	slot->stop = DWUNW_STOP_DEPTH;
}

static __always_inline void dwunw_walk_with_all(struct pt_regs *ctx, struct dwunw_slot *slot,
						struct dwunw_walk *walk, __u64 process)
{
	dwunw_arch_regs(ctx, &slot->registers);
	__builtin_memcpy(slot->state.regs, slot->registers.regs, sizeof(slot->state.regs));
	slot->state.valid = slot->registers.valid;
	dwunw_arch_start(ctx, &slot->state);
	dwunw_walk_start(slot);
	bpf_loop(DWUNW_MAX_FRAMES, dwunw_walk_full, walk, 0);
	dwunw_hash_end(slot, dwunw_seed(slot, process));
}

static __always_inline void dwunw_walk_begin(struct pt_regs *ctx, struct dwunw_slot *slot)
{
	slot->in_window = 0;
	slot->trampoline = 1;
	dwunw_arch_start(ctx, &slot->state);
	dwunw_walk_start(slot);
}

/* The common walk with the memo of the thread: what became of it. */
enum dwunw_memo_result {
	DWUNW_MEMO_UNUSED, /* nothing: there is no memo, or it rests */
	DWUNW_MEMO_KNOWN, /* the stack is complete, slot->hash is right; its frames are not there */
	DWUNW_MEMO_WALKED, /* as by dwunw_walk_common() */
};

static __always_inline int dwunw_walk_by_memo(struct pt_regs *ctx, struct dwunw_walk *walk,
					      struct dwunw_memo *memo)
{
	struct dwunw_slot *slot = walk->slot;

	dwunw_walk_begin(ctx, slot);
	if (!memo || !dwunw_memo_claim(memo))
		return DWUNW_MEMO_UNUSED;
	walk->memo = memo;
	slot->arrived = 0;
	dwunw_memo_verify(walk);
	if (dwunw_memo_arrived(walk, 0)) {
		slot->counts[DWUNW_COUNT_MEMO_WHOLE]++;
		dwunw_memo_judge(slot, memo, 0);
		dwunw_memo_release(memo);
		return DWUNW_MEMO_KNOWN;
	}
	bpf_loop(DWUNW_MAX_FRAMES, dwunw_walk_noted, walk, 0);
	slot->counts[slot->arrived ? DWUNW_COUNT_MEMO_REST : DWUNW_COUNT_MEMO_NONE]++;
	dwunw_memo_keep(walk);
	dwunw_memo_judge(slot, memo, slot->frame + 1);
	dwunw_memo_release(memo);
	if (slot->arrived)
		return DWUNW_MEMO_KNOWN;
	dwunw_hash_end(slot, walk->seed);
	return DWUNW_MEMO_WALKED;
}

/*
 * Walks the stack that `ctx` belongs to. Frames are in slot->frames, the reason of the end in slot->stop. With slot->stale, through
 * permanent mappings only. `result`: what dwunw_walk_by_memo() has left to do.
 */
static __always_inline void dwunw_walk_stack(struct pt_regs *ctx, struct dwunw_walk *walk,
					     __u64 process, int result)
{
	struct dwunw_slot *slot = walk->slot;

	if (result == DWUNW_MEMO_KNOWN)
		dwunw_walk_begin(ctx, slot);
	if (result != DWUNW_MEMO_WALKED) {
		bpf_loop(DWUNW_MAX_FRAMES, dwunw_walk_common, walk, 0);
		dwunw_hash_end(slot, walk->seed);
	}
	if (slot->stop != DWUNW_STOP_REGISTER)
		return;

	slot->counts[DWUNW_COUNT_FULL_WALKS]++;
	dwunw_walk_with_all(ctx, slot, walk, process);
}

/*
 * The stack has no root by call frame information: whether it has one by frame pointer, where this stack's frames then are, with
 * slot->fp_root set. Otherwise all is as it was.
 */
static __always_inline void dwunw_try_fp(struct pt_regs *ctx, struct dwunw_slot *slot,
					 const struct dwunw_mappings *mappings, __u64 process)
{
	struct dwunw_walk walk = {slot, mappings, 0, 0, 0};
	__u64 hash = slot->hash, sp = slot->state.sp, size;
	__u32 n_frames = slot->event.n_frames, stop = slot->stop, most;

	most = DWUNW_FRAME_WORDS / 2 / DWUNW_WORDS_A_FRAME;
	if (n_frames > most)
		return;
	slot->base = DWUNW_FRAME_WORDS / 2; /* beside the frames so far */
	for (int by_fp = DWUNW_FP_WHERE_STUCK; by_fp <= DWUNW_FP_FIRST; by_fp++) {
		slot->by_fp = by_fp;
		dwunw_walk_with_all(ctx, slot, &walk, process);
		if (slot->stop == DWUNW_STOP_ROOT)
			break;
	}
	slot->base = 0;
	slot->by_fp = DWUNW_FP_NO_MORE;
	slot->fp_root = slot->stop == DWUNW_STOP_ROOT && slot->event.n_frames <= most;
	slot->stop = stop;
	if (slot->fp_root) {
		size = (__u64)slot->event.n_frames * DWUNW_WORDS_A_FRAME * sizeof(slot->frames[0]);
		if (size <= sizeof(slot->frames) / 2)
			bpf_probe_read_kernel(slot->frames, size,
					      slot->frames + DWUNW_FRAME_WORDS / 2);
		return;
	}
	slot->event.n_frames = n_frames;
	slot->hash = hash;
	slot->state.sp = sp;
}

#endif
