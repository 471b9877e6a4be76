/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For tests: what a memo knows against a plain walk in the same event. */
#ifndef DWUNW_MEMO_CHECK_BPF_H
#define DWUNW_MEMO_CHECK_BPF_H

#include "walk.bpf.h"

/* For DWUNW_MEMO_CHECK: a frame of the plain walk that was then made, against what the memo has in its place. */
static long dwunw_memo_check_one(__u32 i, struct dwunw_walk *walk)
{
	struct dwunw_slot *slot = walk->slot;
	const struct dwunw_memo *memo = walk->memo;
	__u32 n = slot->event.n_frames, place = n - 1 - i;
	__u64 word = slot->frames[i * DWUNW_WORDS_A_FRAME & (DWUNW_FRAME_WORDS - 1)];

	if (i >= n)
		return 1;
	if (place < memo->n_states &&
	    memo->states[place & (DWUNW_MEMO_STATES - 1)].pc != DWUNW_FRAME_PC(word))
		slot->known = 1;
	return 0;
}

/* The stack that was known as `id` has been walked. */
static __always_inline void dwunw_memo_check(struct dwunw_walk *walk, __s64 id, __s64 walked)
{
	struct dwunw_slot *slot = walk->slot;

	slot->counts[DWUNW_COUNT_MEMO_CHECKED]++;
	slot->known = slot->stop != DWUNW_STOP_ROOT || id != walked;
	if (!slot->known)
		bpf_loop(DWUNW_MAX_FRAMES, dwunw_memo_check_one, walk, 0);
	slot->counts[DWUNW_COUNT_MEMO_WRONG] += slot->known;
}

#endif
