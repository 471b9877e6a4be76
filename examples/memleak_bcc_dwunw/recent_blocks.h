/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The blocks that were allocated last, in front of the hash of all blocks: one that is freed soon never reaches the hash. A block's
 * place follows from its key; the next block of that place moves the one before it into the hash. No one waits for another: where a
 * place is being changed, a block goes into the hash at once.
 *
 * This is the whole of the protocol, so that BPF programs and tests compile the same; tests/unit/recent_blocks_test.c runs it under all
 * kinds of interleavings. In BPF programs vmlinux.h comes first. Who includes it has
 *
 *   RECENT_ORDERED(p)     reads *p; what is read later is not older
 *   RECENT_STEP()         between any two accesses to memory that others change: where a test lets another thread run
 *   recent_to_hash()      inserts or replaces, recent_from_hash() deletes; 0 or a negative errno
 *
 * The state of a place, in its one word: what it holds, whether that is being moved, and how often it has changed. While a block is
 * moved it stays here, to be found and taken out; the move has happened when the state says so, and not if the block was taken out meanwhile:
 * the hash's copy is then deleted again. Until that is done no other block may have the place but one with the same key (the memory was
 * given out again), since in the hash it would be deleted instead.
 */
#ifndef RECENT_BLOCKS_H
#define RECENT_BLOCKS_H

#include "recent_format.h"

static inline int recent_to_hash(const struct memleak_key *key, const struct memleak_block *block);
static inline int recent_from_hash(const struct memleak_key *key);

static inline int recent_same_key(const struct memleak_key *a, const struct memleak_key *b)
{
	return a->addr == b->addr && a->image == b->image;
}

static inline __u64 recent_changed(__u64 state, __u64 holds)
{
	return ((state & ~(__u64)RECENT_HOLDS) | holds) + RECENT_ONE_CHANGE;
}

static inline int recent_swap(struct memleak_recent *place, __u64 from, __u64 to)
{
	RECENT_STEP();
	return __sync_val_compare_and_swap(&place->state, from, to) == from;
}

/* In BPF an atomic operation whose result is not used orders nothing. */
static inline void recent_use(__u64 result)
{
	__asm__ volatile("" : : "r"(result));
}

/* Whoever moved the block is done with the hash. */
static inline void recent_end_move(struct memleak_recent *place)
{
	RECENT_STEP();
	recent_use(__sync_fetch_and_and(&place->state, ~(__u64)RECENT_MOVING));
}

/* To be called before a block of this place goes into the hash. */
static inline void recent_mark(struct memleak_recent *place, const struct memleak_key *key)
{
	__u32 bit = recent_bit(key);

	RECENT_STEP();
	recent_use(__sync_fetch_and_or(&place->in_hash[bit / 64], 1ULL << bit % 64));
}

/*
 * To be called before a block is kept. What the hash has under its key is of a block whose free was not seen: in front of it the new
 * one would be taken out, and the old one stay. (Once the new one is kept, it might itself be in the hash, moved.)
 */
static inline void recent_clean(struct memleak_recent *place, const struct memleak_key *key)
{
	__u32 bit = recent_bit(key);

	RECENT_STEP();
	if (place->in_hash[bit / 64] >> bit % 64 & 1)
		recent_from_hash(key);
}

/* Moves the block out of a full place that was in `state`. 0: it is in the hash, and the place is the caller's to write. */
static inline int recent_make_room(struct memleak_recent *place, __u64 state)
{
	struct memleak_key key = place->key;
	struct memleak_block block = place->block;
	int err;

	recent_mark(place, &key);
	if (!recent_swap(place, state, state | RECENT_MOVING))
		return -1;
	RECENT_STEP();
	err = recent_to_hash(&key, &block);
	if (!err &&
	    recent_swap(place, state | RECENT_MOVING, recent_changed(state, RECENT_WRITING)))
		return 0;
	if (!err) { /* it was taken out meanwhile */
		RECENT_STEP();
		recent_from_hash(&key);
	}
	recent_end_move(place);
	return -1;
}

/*
 * Keeps a block in its place. 0: it is there; else it belongs in the hash. The key is the caller's alone: its memory is not in the
 * program's hands yet.
 */
static inline int recent_keep(struct memleak_recent *place, const struct memleak_key *key,
			      const struct memleak_block *block)
{
	__u64 state = RECENT_ORDERED(&place->state), holds = state & RECENT_HOLDS;
	int same, err;

	RECENT_STEP();
	same = recent_same_key(&place->key, key);
	if (holds == RECENT_WRITING || (state & RECENT_MOVING && !same))
		return -1;
	if (holds == RECENT_FULL && !same)
		err = recent_make_room(place, state);
	else /* the same one: its free was not seen */
		err = !recent_swap(place, state, recent_changed(state, RECENT_WRITING));
	if (err)
		return -1;
	RECENT_STEP();
	place->key = *key;
	RECENT_STEP();
	place->block = *block;
	RECENT_STEP();
	recent_use(__sync_fetch_and_add(&place->state, RECENT_FULL - RECENT_WRITING));
	return 0;
}

/*
 * Takes the block out of its place; *ret, if not NULL, is what it was. -ENOENT: it is not there, so that it is in the hash if anywhere;
 * -EBUSY: others were always faster.
 */
static inline int recent_take(struct memleak_recent *place, const struct memleak_key *key,
			      struct memleak_block *ret)
{
	for (int i = 0; i < RECENT_TRIES; i++) {
		__u64 state = RECENT_ORDERED(&place->state);

		RECENT_STEP();
		if ((state & RECENT_HOLDS) != RECENT_FULL || !recent_same_key(&place->key, key))
			return -ENOENT;
		RECENT_STEP();
		if (ret)
			*ret = place->block;
		if (recent_swap(place, state, recent_changed(state, RECENT_EMPTY)))
			return 0;
	}
	return -EBUSY;
}

#endif
