/* SPDX-License-Identifier: BSD-2-Clause */
#include "sort.h"

struct sort_entry *sort_by_key(struct sort_entry *entries, struct sort_entry *spare, size_t n)
{
	struct sort_entry *from = entries, *to = spare;
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= entries[i].key ^ entries[0].key;
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		size_t start[256] = {0}, next = 0;
		struct sort_entry *swap;

		if (!(differ >> shift & 0xff))
			continue;
		for (size_t i = 0; i < n; i++)
			start[from[i].key >> shift & 0xff]++;
		for (size_t digit = 0; digit < 256; digit++) {
			size_t count = start[digit];

			start[digit] = next;
			next += count;
		}
		for (size_t i = 0; i < n; i++)
			to[start[from[i].key >> shift & 0xff]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	return from;
}
