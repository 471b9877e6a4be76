/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include "cfi/cover.h"

/* Ranges, the one of the lowest key first, of equal ones the first of the list: a binary heap. */
struct item {
	uint64_t key;
	size_t range;
};

struct heap {
	struct item *items;
	size_t n;
};

static bool is_before(struct item a, struct item b)
{
	return a.key != b.key ? a.key < b.key : a.range < b.range;
}

static void heap_push(struct heap *heap, struct item item)
{
	size_t i = heap->n++;

	while (i && is_before(item, heap->items[(i - 1) / 2])) {
		heap->items[i] = heap->items[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->items[i] = item;
}

static void heap_replace_first(struct heap *heap, struct item item)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < heap->n) {
		if (child + 1 < heap->n && is_before(heap->items[child + 1], heap->items[child]))
			child++;
		if (is_before(item, heap->items[child]))
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = item;
}

static void heap_pop(struct heap *heap)
{
	heap->n--;
	if (heap->n)
		heap_replace_first(heap, heap->items[heap->n]);
}

struct cover {
	const struct cover_range *ranges;
	size_t n;
	/* By start: of each ascending stretch of the list the first range that is not begun. */
	struct heap waiting;
	/* By place in the list: ranges begun and perhaps ended. */
	struct heap begun;
};

static bool ascends(const struct cover *cover, size_t i)
{
	return i && i < cover->n && cover->ranges[i - 1].start <= cover->ranges[i].start;
}

static int init(struct cover *cover)
{
	size_t n_stretches = 0;

	for (size_t i = 0; i < cover->n; i++)
		n_stretches += !ascends(cover, i);
	cover->begun.items = malloc(cover->n * sizeof(struct item));
	cover->waiting.items = malloc(n_stretches * sizeof(struct item));
	if (!cover->begun.items || !cover->waiting.items)
		return -ENOMEM;
	for (size_t i = 0; i < cover->n; i++) {
		if (!ascends(cover, i))
			heap_push(&cover->waiting, (struct item){cover->ranges[i].start, i});
	}
	return 0;
}

/* The next range to start is begun. */
static void begin(struct cover *cover)
{
	size_t i = cover->waiting.items[0].range;

	heap_push(&cover->begun, (struct item){i, i});
	if (ascends(cover, i + 1))
		heap_replace_first(&cover->waiting,
				   (struct item){cover->ranges[i + 1].start, i + 1});
	else
		heap_pop(&cover->waiting);
}

static int resolve(struct cover *cover,
		   int (*fn)(uint64_t start, uint64_t end, size_t i, void *arg), void *arg)
{
	struct heap *waiting = &cover->waiting, *begun = &cover->begun;
	uint64_t at = 0, end;
	int err = 0;

	while (!err && (waiting->n || begun->n)) {
		if (begun->n == 0 && waiting->items[0].key > at)
			at = waiting->items[0].key;
		while (waiting->n && waiting->items[0].key <= at)
			begin(cover);
		while (begun->n && cover->ranges[begun->items[0].range].end <= at)
			heap_pop(begun);
		if (begun->n == 0)
			continue;
		end = cover->ranges[begun->items[0].range].end;
		if (waiting->n && waiting->items[0].key < end)
			end = waiting->items[0].key;
		err = fn(at, end, begun->items[0].range, arg);
		at = end;
	}
	return err;
}

int cover_resolve(const struct cover_range *ranges, size_t n,
		  int (*fn)(uint64_t start, uint64_t end, size_t i, void *arg), void *arg)
{
	struct cover cover = {.ranges = ranges, .n = n};
	int err;

	if (n == 0)
		return 0;
	err = init(&cover);
	if (!err)
		err = resolve(&cover, fn, arg);
	free(cover.waiting.items);
	free(cover.begun.items);
	return err;
}
