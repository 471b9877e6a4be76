/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The outstanding blocks: the most recent ones in an array that the report reads too, all others in a hash. */
#ifndef BLOCKS_BPF_H
#define BLOCKS_BPF_H

#include "counts.bpf.h"
#include "combined.bpf.h"
#include "load.bpf.h"
#include "recent_format.h"

const volatile bool use_recent; /* not with a --max-blocks that is about as small as the array */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RECENT_PLACES);
	__type(key, __u32);
	__type(value, struct memleak_recent);
} recent_blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1); /* --max-blocks */
	__type(key, struct memleak_key);
	__type(value, struct memleak_block);
} blocks SEC(".maps");

/* Loads are in order on x86-64, the one machine that these programs are made for. */
#define RECENT_ORDERED(p) (*(volatile __u64 *)(p))
#define RECENT_STEP() barrier()

#include "recent_blocks.h"

/* Results are int, not long: before Linux 6.4 (d7ba4cc900bf) their upper half is not set. */
static inline int recent_to_hash(const struct memleak_key *key, const struct memleak_block *block)
{
	return bpf_map_update_elem(&blocks, key, block, BPF_ANY);
}

static inline int recent_from_hash(const struct memleak_key *key)
{
	return bpf_map_delete_elem(&blocks, key);
}

/* 0: it has none. */
static __always_inline struct memleak_recent *own_place(const struct memleak_key *key)
{
	__u32 number = recent_place(key);

	return use_recent ? bpf_map_lookup_elem(&recent_blocks, &number) : 0;
}

/* Takes the block out of the hash; *ret, if not 0, is what it was. */
static __always_inline int take_from_hash(const struct memleak_key *key, struct memleak_block *ret)
{
	struct memleak_block *block;

	if (ret) {
		block = bpf_map_lookup_elem(&blocks, key);
		if (!block)
			return -ENOENT;
		*ret = *block;
	}
	return recent_from_hash(key);
}

/* -ENOENT: there is none. *ret may be 0. */
static __always_inline int take_block(const struct memleak_key *key, struct memleak_block *ret)
{
	struct memleak_recent *place = own_place(key);
	int err = place ? recent_take(place, key, ret) : -ENOENT;

	if (err == -ENOENT)
		err = take_from_hash(key, ret);
	if (err && err != -ENOENT)
		count(MEMLEAK_COUNT_NOT_FREED);
	return err;
}

/* -C. A block that is there already is one whose free was not seen. */
static __always_inline int combine(const struct memleak_key *key, const struct memleak_block *block)
{
	struct memleak_block before;

	if (take_block(key, &before) == 0)
		combined_subtract(key, &before);
	return combined_add(key, block);
}

static __always_inline int put_block(const struct memleak_key *key,
				     const struct memleak_block *block)
{
	struct memleak_recent *place = own_place(key);

	if (place) {
		recent_clean(place, key);
		if (recent_keep(place, key, block) == 0)
			return 0;
		recent_mark(place, key);
	}
	return recent_to_hash(key, block);
}

static __always_inline void store(const struct memleak_key *key, const struct memleak_block *block)
{
	int err = combined_only ? combine(key, block) : 0;

	if (err) {
		count(err == -E2BIG ? MEMLEAK_COUNT_FULL_STACKS : MEMLEAK_COUNT_NOT_STORED);
		return;
	}
	err = put_block(key, block);
	if (!err)
		return;
	if (err == -E2BIG) {
		count(MEMLEAK_COUNT_FULL);
		count_many(MEMLEAK_COUNT_FULL_BYTES, block->size);
	} else {
		count(MEMLEAK_COUNT_NOT_STORED);
	}
	if (combined_only)
		combined_subtract(key, block);
}

#endif
