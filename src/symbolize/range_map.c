/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/range_map.h"

#include <errno.h>
#include <stdlib.h>

#define NONE UINT32_MAX

int range_map_add(struct range_map *map, const struct address_range *range)
{
	if (range->start >= range->end)
		return 0;
	if (map->n_ranges == map->size) {
		size_t size = map->size ? 2 * map->size : 16;
		struct address_range *moved = reallocarray(map->ranges, size, sizeof(*map->ranges));

		if (!moved)
			return -ENOMEM;
		map->ranges = moved;
		map->size = size;
	}
	map->ranges[map->n_ranges++] = *range;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct address_range *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	/* A function that several units have in common counts as the first one's. */
	return a->value > b->value ? -1 : a->value < b->value;
}

static void step(struct range_map *map, uint64_t start, uint32_t value)
{
	if (map->n_steps && map->steps[map->n_steps - 1].start == start)
		map->n_steps--;
	map->steps[map->n_steps++] = (struct range_step){start, value};
}

/* Leaves the ranges on `open` that end at `addr` or before. */
static size_t close_until(struct range_map *map, const struct address_range **open, size_t n_open,
			  uint64_t addr)
{
	while (n_open && open[n_open - 1]->end <= addr) {
		uint64_t end = open[--n_open]->end;

		step(map, end, n_open ? open[n_open - 1]->value : NONE);
	}
	return n_open;
}

int range_map_finish(struct range_map *map)
{
	const struct address_range **open = calloc(map->n_ranges + 1, sizeof(*open));
	size_t n_open = 0;

	/* Each range begins and ends once. */
	map->steps = calloc(2 * map->n_ranges + 1, sizeof(*map->steps));
	if (!open || !map->steps) {
		free(open);
		return -ENOMEM;
	}
	if (map->n_ranges)
		qsort(map->ranges, map->n_ranges, sizeof(*map->ranges), compare);
	for (size_t i = 0; i < map->n_ranges; i++) {
		struct address_range *range = &map->ranges[i];

		n_open = close_until(map, open, n_open, range->start);
		if (n_open && open[n_open - 1]->end < range->end)
			range->end = open[n_open - 1]->end;
		step(map, range->start, range->value);
		open[n_open++] = range;
	}
	close_until(map, open, n_open, UINT64_MAX);
	free(open);
	free(map->ranges);
	map->ranges = NULL;
	map->n_ranges = map->size = 0;
	return 0;
}

bool range_map_find(const struct range_map *map, uint64_t addr, uint32_t *value)
{
	size_t low = 0, high = map->n_steps;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->steps[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || map->steps[low - 1].value == NONE)
		return false;
	*value = map->steps[low - 1].value;
	return true;
}

size_t range_map_bytes(const struct range_map *map)
{
	return map->n_steps * sizeof(*map->steps);
}

void range_map_free(struct range_map *map)
{
	free(map->ranges);
	free(map->steps);
	*map = (struct range_map){0};
}
