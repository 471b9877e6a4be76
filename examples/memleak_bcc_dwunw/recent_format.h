/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The places of recent_blocks.h, which the BPF programs write and a report reads. In BPF programs vmlinux.h comes first. */
#ifndef RECENT_FORMAT_H
#define RECENT_FORMAT_H

#include "memleak_dwunw_events.h"

#define RECENT_BITS 16
#define RECENT_PLACES (1 << RECENT_BITS)

/* The state of a place. The rest of its bits is a count of changes: a state that is the same stands for the same block. */
enum {
	RECENT_EMPTY = 0, /* the key is that of the last block */
	RECENT_WRITING = 1,
	RECENT_FULL = 2,
	RECENT_HOLDS = 3,  /* mask of these */
	RECENT_MOVING = 4, /* the hash may have a copy of it, valid or not */
	RECENT_ONE_CHANGE = 8,
};

#define RECENT_TRIES 8

struct memleak_recent {
	__u64 state;
	struct memleak_key key;
	struct memleak_block block;
	__u64 in_hash[2]; /* which keys of this place the hash may have: bit recent_bit() */
};			  /* a cache line */

/* By a product with 2^64 / golden ratio (Knuth, vol. 3, 6.4): the upper bits are the place of a key, the next ones its bit there. */
static inline __u64 recent_product(const struct memleak_key *key)
{
	return (key->addr >> 4 ^ key->image << 20) * 0x9e3779b97f4a7c15ULL;
}

static inline __u32 recent_place(const struct memleak_key *key)
{
	return recent_product(key) >> (64 - RECENT_BITS);
}

static inline __u32 recent_bit(const struct memleak_key *key)
{
	return recent_product(key) >> (64 - RECENT_BITS - 7) & 127;
}

#endif
