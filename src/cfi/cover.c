/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include "cfi/cover.h"

/* Ranges begun and perhaps not ended, the lowest order first: a binary heap. */
struct heap {
	const struct cover_range **ranges;
	size_t n;
};

static void heap_push(struct heap *heap, const struct cover_range *range)
{
	size_t i = heap->n++;

	while (i && heap->ranges[(i - 1) / 2]->order > range->order) {
		heap->ranges[i] = heap->ranges[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->ranges[i] = range;
}

static void heap_pop(struct heap *heap)
{
	const struct cover_range *range = heap->ranges[--heap->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < heap->n) {
		if (child + 1 < heap->n &&
		    heap->ranges[child + 1]->order < heap->ranges[child]->order)
			child++;
		if (heap->ranges[child]->order > range->order)
			break;
		heap->ranges[i] = heap->ranges[child];
		i = child;
	}
	heap->ranges[i] = range;
}

static int compare(const void *a, const void *b)
{
	const struct cover_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void sort(struct cover_range *ranges, size_t n)
{
	/* Linkers write FDEs mostly in order of address. */
	for (size_t i = 1; i < n; i++) {
		if (compare(&ranges[i - 1], &ranges[i]) > 0) {
			qsort(ranges, n, sizeof(ranges[0]), compare);
			return;
		}
	}
}

int cover_resolve(struct cover_range *ranges, size_t n,
		  int (*fn)(uint64_t start, uint64_t end, size_t order, void *arg), void *arg)
{
	struct heap heap = {0};
	uint64_t at = 0;
	size_t next = 0;
	int err = 0;

	if (n == 0)
		return 0;
	heap.ranges = malloc(n * sizeof(heap.ranges[0]));
	if (!heap.ranges)
		return -ENOMEM;
	sort(ranges, n);
	while (!err && (next < n || heap.n)) {
		const struct cover_range *top;
		uint64_t end;

		if (heap.n == 0 && ranges[next].start > at)
			at = ranges[next].start;
		while (next < n && ranges[next].start <= at)
			heap_push(&heap, &ranges[next++]);
		while (heap.n && heap.ranges[0]->end <= at)
			heap_pop(&heap);
		if (heap.n == 0)
			continue;
		top = heap.ranges[0];
		end = top->end;
		if (next < n && ranges[next].start < end)
			end = ranges[next].start;
		err = fn(at, end, top->order, arg);
		at = end;
	}
	free(heap.ranges);
	return err;
}
