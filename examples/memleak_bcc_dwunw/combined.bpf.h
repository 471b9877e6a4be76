/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* -C: what is outstanding by stack, kept in the kernel, so that a report reads as many entries as there are stacks. */
#ifndef COMBINED_BPF_H
#define COMBINED_BPF_H

#include "memleak_dwunw_events.h"

const volatile bool combined_only;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct memleak_combined_key);
	__type(value, struct memleak_combined);
} combined SEC(".maps");

static __always_inline void combined_key(__s64 stack_id, __u64 image,
					 struct memleak_combined_key *ret)
{
	ret->stack_id = stack_id;
	ret->image = image;
}

/* -ENOMEM, or another error of the map: there is no room for the block's stack. */
static __always_inline int combined_add(const struct memleak_key *key,
					const struct memleak_block *block)
{
	struct memleak_combined_key stack;
	struct memleak_combined none = {}, *sum;
	int err = 0;

	combined_key(block->stack_id, key->image, &stack);
	sum = bpf_map_lookup_elem(&combined, &stack);
	if (!sum) {
		err = bpf_map_update_elem(&combined, &stack, &none, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&combined, &stack);
	}
	if (!sum)
		return err;
	__sync_fetch_and_add(&sum->bytes, block->size);
	__sync_fetch_and_add(&sum->blocks, 1);
	return 0;
}

static __always_inline void combined_subtract(const struct memleak_key *key,
					      const struct memleak_block *block)
{
	struct memleak_combined_key stack;
	struct memleak_combined *sum;

	combined_key(block->stack_id, key->image, &stack);
	sum = bpf_map_lookup_elem(&combined, &stack);
	if (!sum)
		return;
	__sync_fetch_and_add(&sum->bytes, -block->size);
	__sync_fetch_and_add(&sum->blocks, -1);
}

#endif
