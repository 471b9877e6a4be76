/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stored {
	struct dwunw_stack stack;
	uint64_t owner;
	size_t n_ids;
	struct dwunw_frame frames[];
};

/* Open addressing with linear probing; a free entry has no value. At most half full. */
struct entry {
	uint64_t key;
	struct stored *value;
	uint32_t used; /* ids: the round in which it was added or last asked for */
};

struct table_of_stacks {
	struct entry *entries;
	size_t size, used; /* size: a power of two */
};

struct stacks {
	struct table_of_stacks by_id, by_content;
	uint32_t round;
	uint32_t n; /* indices given out */
	uint32_t *free_indices;
	size_t n_free, free_size;
};

#define FIRST_SIZE 1024

static size_t first_place(const struct table_of_stacks *table, uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ULL) >> 32 & (table->size - 1);
}

static void insert(struct table_of_stacks *table, const struct entry *entry)
{
	size_t i = first_place(table, entry->key);

	while (table->entries[i].value)
		i = (i + 1) & (table->size - 1);
	table->entries[i] = *entry;
	table->used++;
}

/* A new table of `size` entries, without those that have no value. */
static int rebuild(struct table_of_stacks *table, size_t size)
{
	struct table_of_stacks rebuilt = {.size = size};

	rebuilt.entries = calloc(size, sizeof(*rebuilt.entries));
	if (!rebuilt.entries)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++) {
		if (table->entries[i].value)
			insert(&rebuilt, &table->entries[i]);
	}
	free(table->entries);
	*table = rebuilt;
	return 0;
}

static int make_room(struct table_of_stacks *table)
{
	if (table->size && 2 * table->used < table->size)
		return 0;
	return rebuild(table, table->size ? 2 * table->size : FIRST_SIZE);
}

int stacks_create(struct stacks **ret)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));

	if (!stacks)
		return -ENOMEM;
	*ret = stacks;
	return 0;
}

void stacks_destroy(struct stacks *stacks)
{
	if (!stacks)
		return;
	for (size_t i = 0; i < stacks->by_content.size; i++)
		free(stacks->by_content.entries[i].value);
	free(stacks->by_content.entries);
	free(stacks->by_id.entries);
	free(stacks->free_indices);
	free(stacks);
}

const struct dwunw_stack *stacks_find(struct stacks *stacks, int64_t id)
{
	const struct table_of_stacks *table = &stacks->by_id;

	if (!table->size)
		return NULL;
	for (size_t i = first_place(table, (uint64_t)id); table->entries[i].value;
	     i = (i + 1) & (table->size - 1)) {
		if (table->entries[i].key == (uint64_t)id) {
			table->entries[i].used = stacks->round;
			return &table->entries[i].value->stack;
		}
	}
	return NULL;
}

static uint64_t content_key(uint64_t owner, const struct dwunw_stack *stack)
{
	uint64_t key = owner * 31 + stack->stop;

	for (size_t i = 0; i < stack->n_frames; i++)
		key = (key ^ stack->frames[i].pc ^ (uint64_t)stack->frames[i].module_id << 48) *
		      0x100000001b3ULL;
	return key;
}

static bool same_content(const struct stored *stored, uint64_t owner,
			 const struct dwunw_stack *stack)
{
	if (stored->owner != owner || stored->stack.stop != stack->stop ||
	    stored->stack.n_frames != stack->n_frames)
		return false;
	for (size_t i = 0; i < stack->n_frames; i++) {
		if (stored->frames[i].pc != stack->frames[i].pc ||
		    stored->frames[i].module_id != stack->frames[i].module_id)
			return false;
	}
	return true;
}

static struct stored *find_content(const struct stacks *stacks, uint64_t key, uint64_t owner,
				   const struct dwunw_stack *stack)
{
	const struct table_of_stacks *table = &stacks->by_content;

	for (size_t i = first_place(table, key); table->entries[i].value;
	     i = (i + 1) & (table->size - 1)) {
		if (table->entries[i].key == key &&
		    same_content(table->entries[i].value, owner, stack))
			return table->entries[i].value;
	}
	return NULL;
}

int stacks_add(struct stacks *stacks, int64_t id, uint64_t owner, const struct dwunw_stack *stack)
{
	uint64_t key = content_key(owner, stack);
	struct stored *stored;

	if (make_room(&stacks->by_id) || make_room(&stacks->by_content))
		return -ENOMEM;
	if (stacks_find(stacks, id))
		return 0;
	stored = find_content(stacks, key, owner, stack);
	if (!stored) {
		stored = malloc(sizeof(*stored) + stack->n_frames * sizeof(*stack->frames));
		if (!stored)
			return -ENOMEM;
		stored->owner = owner;
		stored->stack = *stack;
		memcpy(stored->frames, stack->frames, stack->n_frames * sizeof(*stack->frames));
		stored->stack.frames = stored->frames;
		stored->n_ids = 0;
		stored->stack.index =
			stacks->n_free ? stacks->free_indices[--stacks->n_free] : stacks->n++;
		insert(&stacks->by_content, &(struct entry){.key = key, .value = stored});
	}
	stored->n_ids++;
	insert(&stacks->by_id,
	       &(struct entry){.key = (uint64_t)id, .value = stored, .used = stacks->round});
	return 0;
}

/* Takes ids of events that were not asked for out of the table; their places are closed by rebuild(). */
static void forget_ids(struct stacks *stacks)
{
	struct table_of_stacks *table = &stacks->by_id;

	for (size_t i = 0; i < table->size; i++) {
		struct entry *entry = &table->entries[i];

		if (!entry->value || !(entry->key & DWUNW_ID_EVENT) || entry->used == stacks->round)
			continue;
		entry->value->n_ids--;
		entry->value = NULL;
	}
}

static int forget_stacks(struct stacks *stacks)
{
	struct table_of_stacks *table = &stacks->by_content;

	for (size_t i = 0; i < table->size; i++) {
		struct stored *stored = table->entries[i].value;

		if (!stored || stored->n_ids)
			continue;
		if (stacks->n_free == stacks->free_size) {
			size_t size = stacks->free_size ? 2 * stacks->free_size : FIRST_SIZE;
			uint32_t *larger =
				reallocarray(stacks->free_indices, size, sizeof(*larger));

			if (!larger)
				return -ENOMEM;
			stacks->free_indices = larger;
			stacks->free_size = size;
		}
		stacks->free_indices[stacks->n_free++] = stored->stack.index;
		free(stored);
		table->entries[i].value = NULL;
	}
	return 0;
}

int stacks_forget_unused(struct stacks *stacks)
{
	int err;

	if (!stacks->by_id.size)
		return 0;
	forget_ids(stacks);
	stacks->round++;
	err = rebuild(&stacks->by_id, stacks->by_id.size);
	if (!err)
		err = forget_stacks(stacks);
	return err ? err : rebuild(&stacks->by_content, stacks->by_content.size);
}
