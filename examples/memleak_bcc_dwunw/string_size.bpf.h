/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a copy of a string takes, for allocators whose strdup() does not call a function that is probed. */
#ifndef STRING_SIZE_BPF_H
#define STRING_SIZE_BPF_H

#include <bpf/bpf_helpers.h>

#include "counts.bpf.h"

#define STRING_PIECE 4096
#define STRING_PIECES 64

/* Where strings are copied to, only to learn how long they are: whoever else writes there does no harm. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, STRING_PIECE);
} string_pieces SEC(".maps");

/* Bytes of the string at `address`, of its first `length` bytes if it is longer, and its end. A global function: the verifier goes through it once. */
__noinline __u64 string_size(__u64 address, __u64 length)
{
	__u32 zero = 0;
	void *piece = bpf_map_lookup_elem(&string_pieces, &zero);
	__u64 size = 0;

	for (int i = 0; piece && i < STRING_PIECES && size < length; i++) {
		long n = bpf_probe_read_user_str(piece, STRING_PIECE, (void *)(address + size));

		size += n > 0 ? n - 1 : 0;
		if (n < STRING_PIECE)
			return (size < length ? size : length) + 1;
	}
	if (size < length)
		count(MEMLEAK_COUNT_LONG_STRING);
	return (size < length ? size : length) + 1;
}

#endif
