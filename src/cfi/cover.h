/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges that may overlap -> ranges that do not: where several cover an address, the first of the
 * list has it.
 */
#ifndef CFI_COVER_H
#define CFI_COVER_H

#include <stddef.h>
#include <stdint.h>

struct cover_range {
	uint64_t start, end;
};

/*
 * Calls `fn` for the pieces in ascending order, at most 2 * n of them; `i` is the range whose piece
 * it is. Each of `ranges` has start < end. Stops when `fn` returns nonzero and returns that;
 * -ENOMEM. The fewer stretches the ranges ascend in, the less time; linkers write few.
 */
int cover_resolve(const struct cover_range *ranges, size_t n,
		  int (*fn)(uint64_t start, uint64_t end, size_t i, void *arg), void *arg);

#endif
