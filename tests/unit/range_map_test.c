/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the innermost of nested ranges is found, of equal ones the first; that for random ranges, nested or not, what is found holds the
 * address, and that for properly nested ones it is what a search through all of them finds.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../test.h"
#include "symbolize/range_map.h"

static bool finds(const struct range_map *map, uint64_t addr, uint32_t value)
{
	uint32_t found;

	return range_map_find(map, addr, &found) && found == value;
}

static void test_nested(void)
{
	static const struct address_range ranges[] = {
		{30, 40, 1, 2}, {10, 100, 0, 0},  {20, 60, 1, 1},   {35, 40, 2, 3},
		{20, 30, 2, 4}, {200, 210, 0, 6}, {200, 210, 0, 5}, {300, 300, 0, 7},
	};
	struct range_map map = {0};
	uint32_t value;

	CHECK(!range_map_find(&map, 0, &value));
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		CHECK(range_map_add(&map, &ranges[i]) == 0);
	CHECK(range_map_finish(&map) == 0);
	CHECK(!range_map_find(&map, 9, &value) && !range_map_find(&map, 100, &value));
	CHECK(finds(&map, 10, 0) && finds(&map, 99, 0) && finds(&map, 60, 0));
	CHECK(finds(&map, 20, 4) && finds(&map, 29, 4) && finds(&map, 59, 1) && finds(&map, 40, 1));
	CHECK(finds(&map, 30, 2) && finds(&map, 35, 3) && finds(&map, 39, 3));
	CHECK(finds(&map, 200, 5) && finds(&map, 209, 5));
	CHECK(!range_map_find(&map, 300, &value) && !range_map_find(&map, UINT64_MAX, &value));
	range_map_free(&map);
}

/* Ranges inside [start, end), each inside the one before it or beside it. */
static size_t nest(struct address_range *ranges, size_t n, size_t max, uint64_t start, uint64_t end,
		   uint32_t depth)
{
	while (start < end && n < max && rand() % 8) {
		uint64_t low = start + (uint64_t)rand() % (end - start);
		uint64_t high = low + 1 + (uint64_t)rand() % (end - low);

		ranges[n] = (struct address_range){low, high, depth, (uint32_t)n};
		n = nest(ranges, n + 1, max, low, high, depth + 1);
		start = high;
	}
	return n;
}

static void test_random(bool nested)
{
	struct address_range ranges[64];
	struct range_map map = {0};
	size_t n = 0, wrong = 0;

	if (nested)
		n = nest(ranges, 0, 64, 1, 1000, 0);
	for (; !nested && n < 64; n++) {
		uint64_t low = (uint64_t)rand() % 1000;

		ranges[n] = (struct address_range){low, low + (uint64_t)rand() % 100,
						   (uint32_t)rand() % 4, (uint32_t)n};
	}
	for (size_t i = 0; i < n; i++)
		CHECK(range_map_add(&map, &ranges[i]) == 0);
	CHECK(range_map_finish(&map) == 0);
	for (uint64_t addr = 0; addr < 1100; addr++) {
		const struct address_range *best = NULL;
		uint32_t value;
		bool found = range_map_find(&map, addr, &value);

		for (size_t i = 0; i < n; i++)
			if (ranges[i].start <= addr && addr < ranges[i].end &&
			    (!best || ranges[i].depth > best->depth))
				best = &ranges[i];
		if (nested)
			wrong += found != !!best || (found && value != best->value);
		else if (found)
			wrong += addr < ranges[value].start || addr >= ranges[value].end;
	}
	CHECK(wrong == 0);
	range_map_free(&map);
}

int main(void)
{
	srand(1);
	test_nested();
	for (int i = 0; i < 200; i++) {
		test_random(true);
		test_random(false);
	}
	return test_end();
}
