/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address ranges that lie inside one another -> the innermost one that holds an address. Filled, finished once, then asked. One
 * that only overlaps another is cut at the end of what it begins in: whatever the ranges, look-ups are a binary search.
 */
#ifndef SYMBOLIZE_RANGE_MAP_H
#define SYMBOLIZE_RANGE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_range {
	uint64_t start, end;
	uint32_t depth; /* of two with the same start, the deeper one is inside */
	uint32_t value;
};

struct range_map {
	struct address_range *ranges; /* while it is filled */
	size_t n_ranges, size;
	struct range_step {
		uint64_t start;
		uint32_t value; /* up to the next one's start; UINT32_MAX: no range */
	} * steps;
	size_t n_steps;
};

/* Empty ranges are left out. -ENOMEM */
int range_map_add(struct range_map *map, const struct address_range *range);
int range_map_finish(struct range_map *map);
/* False: no range holds it, or the map is not finished. */
bool range_map_find(const struct range_map *map, uint64_t addr, uint32_t *value);
size_t range_map_bytes(const struct range_map *map);
void range_map_free(struct range_map *map);

#endif
