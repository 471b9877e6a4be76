/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "growth.h"
#include "sort.h"

/*
 * Sizes come from the target's calls: a sum of absurd ones must not wrap round to a small number.
 */
static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* A block newer than the clock was read is of age 0. */
static uint64_t age_of(const struct report_block *block, const struct report_options *options)
{
	return block->time_ns < options->now_ns ? options->now_ns - block->time_ns : 0;
}

/* What groups are sorted with. */
struct sorting {
	const struct report_snapshot *snapshot;
	enum report_sort sort;
};

/* Most first. */
static int compare_numbers(uint64_t a, uint64_t b)
{
	return a == b ? 0 : a < b ? 1 : -1;
}

static int compare_keys(enum report_sort sort, const struct report_group *a,
			const struct report_group *b)
{
	switch (sort) {
	case REPORT_SORT_COUNT:
		return compare_numbers(a->blocks, b->blocks);
	case REPORT_SORT_AGE:
		return compare_numbers(a->oldest_ns, b->oldest_ns);
	case REPORT_SORT_GROWTH:
		if (a->growth_bytes != b->growth_bytes)
			return a->growth_bytes < b->growth_bytes ? 1 : -1;
		return 0;
	default:
		return 0;
	}
}

static int compare_groups(const void *left, const void *right, void *context)
{
	const struct sorting *sorting = context;
	const struct report_group *a = left, *b = right;
	int64_t id_a = sorting->snapshot->stacks[a->stack].id;
	int64_t id_b = sorting->snapshot->stacks[b->stack].id;
	int order;

	if (a->apart != b->apart)
		return a->apart ? 1 : -1;
	order = compare_keys(sorting->sort, a, b);
	if (!order)
		order = compare_numbers(a->bytes, b->bytes);
	if (order)
		return order;
	if (id_a != id_b)
		return id_a < id_b ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

/* Why the stack was not walked to its root by call frame information alone; NULL: it was. */
static const char *shortcoming(const struct report_stack *stack)
{
	if (stack->stop)
		return stack->stop;
	return stack->n_by_frame_pointer ? "code without call frame information, left by frame "
					   "pointer"
					 : NULL;
}

/* by_stack[i] sums up stack i. */
static int sum_by_stack(const struct report_snapshot *snapshot,
			const struct report_options *options, struct report_group *by_stack,
			struct report_groups *ret)
{
	struct estimate all = {};

	for (size_t i = 0; i < snapshot->n_blocks; i++) {
		const struct report_block *block = &snapshot->blocks[i];
		uint64_t age_ns = age_of(block, options);
		struct report_group *group;

		if (block->stack >= snapshot->n_stacks)
			return -EINVAL;
		ret->all_bytes = add_saturated(ret->all_bytes, block->size);
		ret->all_blocks += 1 + block->others;
		if (snapshot->besides)
			estimate_add(&all, block->size, snapshot->besides[i]);
		if (age_ns < options->min_age_ns)
			continue;
		group = &by_stack[block->stack];
		group->bytes = add_saturated(group->bytes, block->size);
		group->blocks += 1 + block->others;
		group->n_blocks++;
		if (snapshot->besides)
			estimate_add(&group->estimate, block->size, snapshot->besides[i]);
		if (age_ns > group->oldest_ns)
			group->oldest_ns = age_ns;
	}
	ret->all_bytes = estimate_total(ret->all_bytes, all.bytes);
	ret->all_blocks = estimate_total(ret->all_blocks, all.blocks);
	return 0;
}

/* What order_blocks() needs: as many entries as there are blocks, twice. */
struct room {
	struct sort_entry *entries, *spare;
};

enum block_key { BLOCK_AGE, BLOCK_ADDR };

/* Brings the blocks that count into `order`, grouped, by `key` in each group. */
static void order_blocks(const struct report_snapshot *snapshot,
			 const struct report_options *options, enum block_key key,
			 struct report_group *by_stack, const struct room *room, size_t *order)
{
	const struct sort_entry *sorted;
	size_t n = 0, next = 0;

	for (size_t i = 0; i < snapshot->n_blocks; i++) {
		const struct report_block *block = &snapshot->blocks[i];
		uint64_t age_ns = age_of(block, options);

		if (age_ns >= options->min_age_ns)
			room->entries[n++] =
				(struct sort_entry){key == BLOCK_AGE ? age_ns : block->addr, i};
	}
	sorted = sort_by_key(room->entries, room->spare, n);
	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		by_stack[i].first_block = next;
		next += by_stack[i].n_blocks;
		by_stack[i].n_blocks = 0; /* counted again */
	}
	for (size_t i = 0; i < n; i++) {
		struct report_group *group = &by_stack[snapshot->blocks[sorted[i].index].stack];

		order[group->first_block + group->n_blocks++] = sorted[i].index;
	}
}

static void set_medians(const struct report_snapshot *snapshot,
			const struct report_options *options, struct report_group *by_stack,
			const size_t *order)
{
	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		struct report_group *group = &by_stack[i];
		size_t middle = group->first_block + group->n_blocks / 2;

		if (group->n_blocks)
			group->median_ns = age_of(&snapshot->blocks[order[middle]], options);
	}
}

/* The parts of the report that need every block once more. */
static int look_at_blocks(const struct report_snapshot *snapshot,
			  const struct report_options *options, struct report_group *by_stack,
			  struct report_groups *ret)
{
	size_t n = snapshot->n_blocks + 1; /* calloc(0) may give NULL */
	bool medians = (options->details || options->medians) && !options->no_ages;
	struct room room;
	int err = -ENOMEM;

	if (!options->show_allocs && !medians)
		return 0;
	room.entries = calloc(n, sizeof(*room.entries));
	room.spare = calloc(n, sizeof(*room.spare));
	ret->order = calloc(n, sizeof(*ret->order));
	if (!room.entries || !room.spare || !ret->order)
		goto out;
	if (medians) {
		order_blocks(snapshot, options, BLOCK_AGE, by_stack, &room, ret->order);
		set_medians(snapshot, options, by_stack, ret->order);
	}
	if (options->show_allocs)
		order_blocks(snapshot, options, BLOCK_ADDR, by_stack, &room, ret->order);
	err = 0;
out:
	free(room.entries);
	free(room.spare);
	return err;
}

int64_t report_difference(uint64_t now, uint64_t before)
{
	uint64_t size = now > before ? now - before : before - now;
	int64_t limited = size > INT64_MAX ? INT64_MAX : (int64_t)size;

	return now > before ? limited : -limited;
}

/* Keeps the groups that have blocks, in front of the array: never past the one that is read. */
static void keep_groups(const struct report_snapshot *snapshot,
			const struct report_options *options, struct report_groups *groups)
{
	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		const struct report_stack *stack = &snapshot->stacks[i];
		struct report_group group = groups->groups[i];
		uint64_t bytes, blocks;

		if (group.blocks == 0)
			continue;
		group.stack = i;
		group.bytes = estimate_total(group.bytes, group.estimate.bytes);
		group.blocks = estimate_total(group.blocks, group.estimate.blocks);
		estimate_add_sum(&groups->estimate, &group.estimate);
		group.shortcoming = shortcoming(stack);
		group.apart = options->only_complete && group.shortcoming;
		growth_find(options->last, stack->pid, stack->identity, &bytes, &blocks);
		group.growth_bytes = report_difference(group.bytes, bytes);
		group.growth_blocks = report_difference(group.blocks, blocks);
		groups->n_shown += !group.apart;
		groups->bytes = add_saturated(groups->bytes, group.bytes);
		groups->blocks += group.blocks;
		groups->groups[groups->n_groups++] = group;
	}
}

int report_group(const struct report_snapshot *snapshot, const struct report_options *options,
		 struct report_groups *ret)
{
	struct sorting sorting = {snapshot, options->sort};
	struct report_groups groups = {
		.groups = calloc(snapshot->n_stacks + 1, sizeof(*groups.groups)),
	};
	int err = groups.groups ? sum_by_stack(snapshot, options, groups.groups, &groups) : -ENOMEM;

	if (!err)
		err = look_at_blocks(snapshot, options, groups.groups, &groups);
	if (err) {
		report_groups_free(&groups);
		return err;
	}
	keep_groups(snapshot, options, &groups);
	qsort_r(groups.groups, groups.n_groups, sizeof(*groups.groups), compare_groups, &sorting);
	*ret = groups;
	return 0;
}

void report_groups_free(struct report_groups *groups)
{
	free(groups->groups);
	free(groups->order);
	*groups = (struct report_groups){0};
}

/* The sum for `reason`; one more is begun where there is none, and the last takes all that have no room. */
static struct report_sum *sum_of(struct report_sum *sums, size_t *n, const char *reason)
{
	for (size_t i = 1; reason && i < *n; i++) {
		if (strcmp(sums[i].reason, reason) == 0)
			return &sums[i];
	}
	if (!reason)
		return &sums[0];
	if (*n == REPORT_MAX_SUMS)
		return &sums[*n - 1];
	sums[*n] =
		(struct report_sum){.reason = *n == REPORT_MAX_SUMS - 1 ? "other reasons" : reason};
	return &sums[(*n)++];
}

size_t report_sums(const struct report_groups *groups, struct report_sum ret[REPORT_MAX_SUMS])
{
	struct report_sum *sum;
	size_t n = 1;

	ret[0] = (struct report_sum){};
	for (size_t i = 0; i < groups->n_groups; i++) {
		sum = sum_of(ret, &n, groups->groups[i].shortcoming);
		sum->bytes = add_saturated(sum->bytes, groups->groups[i].bytes);
		sum->blocks += groups->groups[i].blocks;
	}
	return n;
}
