/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include <dwunw/dwunw.h> /* dwunw-added */

#include "bpf/dwunw_bpf.h" /* dwunw-added */
#include "estimate.h"
#include "grow.h"
#include "map_batches.h"
#include "mappings_ledger.h"
#include "memleak_dwunw_events.h"
#include "progress.h"
#include "recent.h"

/* Where stacks of the snapshot are, by what identifies them in the source: a dense number and a class. */
struct stack_index {
	uint32_t *places; /* index into snapshot.stacks + 1; 0: not there */
	size_t size;
};

struct collector {
	const struct collect_source *source;
	struct report_snapshot *snapshot; /* NULL: the total alone is wanted */
	uint64_t total;			  /* bytes */
	size_t n_read;			  /* blocks */
	size_t blocks_size, besides_size, stacks_size;
	bool recent; /* what is added is not from a map, but recent_copy()'s */
	struct stack_index known, without; /* stacks that are kept; reasons why one was not */
};

static int index_place(struct stack_index *index, size_t at, uint32_t **ret)
{
	if (at >= index->size) {
		size_t larger = at + 1024;
		uint32_t *moved = reallocarray(index->places, larger, sizeof(*moved));

		if (!moved)
			return -ENOMEM;
		memset(moved + index->size, 0, (larger - index->size) * sizeof(*moved));
		index->places = moved;
		index->size = larger;
	}
	*ret = &index->places[at];
	return 0;
}

/*
 * The snapshot's stack at `at` of one target, made with `id` if it is not there yet. Two processes may run the same code: a
 * stack of each.
 */
static int stack_at(struct collector *c, struct stack_index *index, size_t at, unsigned int target,
		    int64_t id, struct report_stack **ret, uint32_t *number)
{
	struct report_snapshot *snapshot = c->snapshot;
	uint32_t *place;
	int err = index_place(index, at * c->source->n_targets + target, &place);

	if (err)
		return err;
	*ret = NULL;
	if (!*place) {
		err = grow((void **)&snapshot->stacks, &c->stacks_size, snapshot->n_stacks,
			   sizeof(*snapshot->stacks));
		if (err)
			return err;
		*ret = &snapshot->stacks[snapshot->n_stacks];
		**ret = (struct report_stack){
			.id = id,
			.identity = at << 1 | (index == &c->without),
			.target = target,
			.pid = (uint32_t)c->source->targets[target].pid,
		};
		*place = (uint32_t)++snapshot->n_stacks;
	}
	*number = *place - 1;
	return 0;
}

/* dwunw-added begin */
static int dwunw_stack(struct collector *c, unsigned int target, int64_t id, uint32_t *number)
{
	struct report_stack *made;
	unsigned int reason = 0;
	const struct dwunw_stack *stack = collect_find_dwunw(c->source, id, &reason);
	int err = stack ? stack_at(c, &c->known, stack->index, target, id, &made, number)
			: stack_at(c, &c->without, reason, target, id, &made, number);

	if (!err && made)
		collect_describe_dwunw(stack, reason, made);
	return err;
}
/* dwunw-added end */

static int stack_of(struct collector *c, unsigned int target, int64_t id, uint32_t *number)
{
	struct report_stack *made;

	if (c->source->dwunw)				   /* dwunw-added */
		return dwunw_stack(c, target, id, number); /* dwunw-added */
	/* a negative id is an errno: such blocks share one stack without frames */
	return id < 0 ? stack_at(c, &c->without, 0, target, id, &made, number)
		      : stack_at(c, &c->known, (size_t)id, target, id, &made, number);
}

static bool find_target(const struct collect_source *source, uint64_t image, uint64_t time_ns,
			unsigned int *ret)
{
	return collect_find_target(source->targets, source->n_targets, image, time_ns, ret);
}

/* A block of target `owner` is also in the memory of the children that were forked since. */
static void count_inherited(const struct collect_source *source, unsigned int owner,
			    const struct memleak_block *block, double besides)
{
	for (unsigned int i = 0; i < source->n_targets; i++) {
		struct collect_target *target = &source->targets[i];

		if (!target->is_child || target->gone || *target->image ||
		    target->parent != owner || block->time_ns > target->forked_ns)
			continue;
		target->inherited_bytes += estimate_total(block->size, block->size * besides);
		target->inherited_blocks += estimate_total(1, besides);
	}
}

/* A block, with sampling one that stands for `besides` more. */
static int add(struct collector *c, unsigned int target, int64_t stack_id,
	       const struct report_block *block, double besides)
{
	uint64_t bytes = estimate_total(block->size, (double)block->size * besides);
	struct report_snapshot *snapshot = c->snapshot;
	uint32_t stack;
	int err;

	if (__builtin_add_overflow(c->total, bytes, &c->total))
		c->total = UINT64_MAX;
	if (!snapshot)
		return 0;
	err = grow((void **)&snapshot->blocks, &c->blocks_size, snapshot->n_blocks,
		   sizeof(*snapshot->blocks));
	if (!err && c->source->sampling->mode != SAMPLING_NONE)
		err = grow((void **)&snapshot->besides, &c->besides_size, snapshot->n_blocks,
			   sizeof(*snapshot->besides));
	if (!err)
		err = stack_of(c, target, stack_id, &stack);
	if (err)
		return err;
	if (snapshot->besides)
		snapshot->besides[snapshot->n_blocks] = besides;
	snapshot->blocks[snapshot->n_blocks] = *block;
	snapshot->blocks[snapshot->n_blocks++].stack = stack;
	return 0;
}

static int add_block_of(struct collector *c, unsigned int target, uint64_t addr,
			const struct memleak_block *block)
{
	double besides = sampling_besides(c->source->sampling, block->sample, block->size);

	if (c->source->count_inherited)
		count_inherited(c->source, target, block, besides);
	return add(c, target, block->stack_id,
		   &(struct report_block){
			   .addr = addr,
			   .size = block->size,
			   .time_ns = block->time_ns,
		   },
		   besides);
}

static int add_block(struct collector *c, const void *key_bytes, const void *value)
{
	const struct memleak_key *key = key_bytes;
	const struct memleak_block *block = value;
	unsigned int target;

	if (!find_target(c->source, key->image, block->time_ns, &target)) {
		if (!c->recent) /* those go when they are moved */
			bpf_map_delete_elem(c->source->blocks_fd, key);
		return 0;
	}
	if (block->time_ns < c->source->verified_since_ns) {
		double besides = sampling_besides(c->source->sampling, block->sample, block->size);

		*c->source->doubtful_bytes += estimate_total(block->size, block->size * besides);
		*c->source->doubtful_blocks += estimate_total(1, besides);
		return 0;
	}
	return add_block_of(c, target, key->addr, block);
}

struct mappings_owner {
	struct collector *collector;
	unsigned int target;
};

static int add_mapping(const struct mappings_block *mapping, void *arg)
{
	const struct mappings_owner *owner = arg;
	const struct memleak_block block = {
		.size = mapping->end - mapping->start,
		.sample = SAMPLING_EXEMPT,
		.time_ns = mapping->time_ns,
		.stack_id = mapping->stack_id,
	};

	return add_block_of(owner->collector, owner->target, mapping->start, &block);
}

static int add_mappings(struct collector *c)
{
	int err = 0;

	for (unsigned int i = 0; i < c->source->n_targets && !err; i++) {
		const struct collect_target *target = &c->source->targets[i];
		struct mappings_owner owner = {c, i};

		if (target->mappings && !target->gone)
			err = mappings_ledger_for_each(target->mappings, add_mapping, &owner);
	}
	return err;
}

/* dwunw-added begin */
static bool is_of_event(int64_t id)
{
	return id >= 0 && (id & DWUNW_ID_EVENT);
}
/* dwunw-added end */

/* One sum of -C, which stands in the snapshot as one block. */
static int add_sum(struct collector *c, const void *key_bytes, const void *value)
{
	const struct memleak_combined_key *key = key_bytes;
	const struct memleak_combined *sum = value;
	unsigned int target;
	bool gone = !find_target(c->source, key->image, UINT64_MAX, &target);

	/* what is empty may fill again, but an event's stack has one block at most */
	gone |= !sum->blocks && is_of_event(key->stack_id); /* dwunw-added */
	if (gone) {
		bpf_map_delete_elem(c->source->combined_fd, key);
		return 0;
	}
	if (!sum->blocks)
		return 0;
	return add(c, target, key->stack_id,
		   &(struct report_block){.size = sum->bytes, .others = sum->blocks - 1}, 0);
}

/* A map, and what takes its entries. */
struct reading {
	struct collector *collector;
	int map_fd;
	size_t key_size, value_size;
	int (*add)(struct collector *c, const void *key, const void *value);
	struct memleak_recent *recent; /* of blocks: those that were added already; or NULL */
};

/* dwunw-added begin: a block's stack was told of before the block was stored, so at the latest before it was read */
static void learn_stacks(const struct collect_source *source)
{
	if (source->handle_events)
		source->handle_events(source->session);
}
/* dwunw-added end */

static int read_batch(void *context, const void *keys, const void *values, uint32_t n)
{
	const struct reading *reading = context;
	struct collector *c = reading->collector;
	const char *key = keys, *value = values;
	int err = 0;

	learn_stacks(c->source); /* dwunw-added */
	for (uint32_t i = 0; i < n && !err; i++, key += reading->key_size) {
		if (!reading->recent || !recent_covers(reading->recent, (const void *)key))
			err = reading->add(c, key, value + i * reading->value_size);
	}
	c->n_read += n;
	progress_step(c->n_read, 0);
	return err;
}

/* With -C: what a child has from its parent is seen by the age of blocks, which the sums do not have. */
static int add_inherited(struct collector *c, const void *key_bytes, const void *value)
{
	const struct memleak_key *key = key_bytes;
	const struct memleak_block *block = value;
	unsigned int target;

	if (find_target(c->source, key->image, block->time_ns, &target))
		count_inherited(c->source, target, block, 0);
	return 0;
}

static int read_map(struct reading *reading)
{
	return map_read_batches(reading->map_fd, reading->key_size, reading->value_size, read_batch,
				reading);
}

/* Every block that is outstanding all the while, once: blocks move from the recent ones into the hash, never back. */
static int read_blocks(struct collector *c,
		       int (*add)(struct collector *c, const void *key, const void *value))
{
	struct reading blocks = {c,
				 c->source->blocks_fd,
				 sizeof(struct memleak_key),
				 sizeof(struct memleak_block),
				 add,
				 NULL};
	int err = c->source->recent ? recent_copy(c->source->recent, &blocks.recent) : 0;

	if (!err && blocks.recent) {
		learn_stacks(c->source); /* dwunw-added */
		c->recent = true;
		for (size_t i = 0; i < RECENT_PLACES && !err; i++) {
			const struct memleak_recent *place = &blocks.recent[i];

			if (place->state == RECENT_FULL)
				err = add(c, &place->key, &place->block);
		}
		c->recent = false;
	}
	if (!err)
		err = read_map(&blocks);
	free(blocks.recent);
	return err;
}

static int read_all(struct collector *c)
{
	struct reading sums = {c,
			       c->source->combined_fd,
			       sizeof(struct memleak_combined_key),
			       sizeof(struct memleak_combined),
			       add_sum,
			       NULL};
	int err;

	if (c->source->verified_since_ns)
		*c->source->doubtful_bytes = *c->source->doubtful_blocks = 0;
	err = c->source->combined_only ? read_map(&sums) : read_blocks(c, add_block);
	if (!err && c->source->combined_only && c->source->count_inherited)
		err = read_blocks(c, add_inherited);
	return err ? err : add_mappings(c);
}

int collect_total(const struct collect_source *source, uint64_t *ret)
{
	struct collector c = {.source = source};
	int err = read_all(&c);

	if (!err)
		*ret = c.total;
	return err;
}

int collect_blocks(const struct collect_source *source, struct report_snapshot *ret)
{
	struct report_snapshot snapshot = {};
	struct collector c = {.source = source, .snapshot = &snapshot};
	int err = read_all(&c);

	free(c.known.places);
	free(c.without.places);
	if (err) {
		collect_free(&snapshot);
		return err;
	}
	*ret = snapshot;
	return 0;
}

void collect_free(struct report_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n_stacks; i++)
		free(snapshot->stacks[i].frames);
	free(snapshot->stacks);
	free(snapshot->blocks);
	free(snapshot->besides);
	*snapshot = (struct report_snapshot){};
}
