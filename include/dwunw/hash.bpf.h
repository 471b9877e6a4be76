/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hash of a stack, which its id is made from: what lies outside of the stack is x, each frame is a function x -> a * x + b with a and b from
 * its code, and the hash is what the frames make of x, the outermost first. Such functions can be joined before x is known: a
 * walk goes from the innermost frame outwards, and where the hash of the rest is known it need not go on (memo.bpf.h).
 * b must not be a times a constant: many stacks of few different functions would share a hash.
 */
#ifndef DWUNW_HASH_BPF_H
#define DWUNW_HASH_BPF_H

#include "bpf_format.h"

#define DWUNW_HASH_MULTIPLIER 0x9e3779b97f4a7c15ULL

/* Mixes a word in for good. */
static __always_inline __u64 dwunw_hash_word(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * DWUNW_HASH_MULTIPLIER;
	return hash ^ hash >> 29;
}

/* The frames of slot->hash_* and outside of them one with this code. */
static __always_inline void dwunw_hash_frame(struct dwunw_slot *slot, __u64 code)
{
	__u64 mixed = dwunw_hash_word(0, code);

	slot->hash += slot->hash_factor * (mixed ^ mixed >> 31);
	slot->hash_factor *= mixed | 1;
}

/* The hash of a frame, `rest` being that of what is outside of it. */
static __always_inline __u64 dwunw_hash_outside_in(__u64 rest, __u64 code)
{
	__u64 mixed = dwunw_hash_word(0, code);

	return rest * (mixed | 1) + (mixed ^ mixed >> 31);
}

/* All frames so far, `rest` being the hash of what is outside of them. */
static __always_inline void dwunw_hash_end(struct dwunw_slot *slot, __u64 rest)
{
	slot->hash += slot->hash_factor * rest;
}

#endif
