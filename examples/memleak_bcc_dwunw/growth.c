/* SPDX-License-Identifier: BSD-2-Clause */
#include "growth.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "report.h"

struct held {
	uint64_t identity, bytes, blocks; /* blocks: 0: a free place */
	uint32_t pid;
};

/* Open addressing with linear probing, at most half full. */
struct growth {
	size_t size; /* a power of two */
	struct held places[];
};

static size_t place_of(const struct growth *growth, uint32_t pid, uint64_t identity)
{
	uint64_t key = (identity ^ (uint64_t)pid << 32) * 0x9e3779b97f4a7c15ULL;
	size_t i = (key ^ key >> 32) & (growth->size - 1);

	while (growth->places[i].blocks &&
	       (growth->places[i].pid != pid || growth->places[i].identity != identity))
		i = (i + 1) & (growth->size - 1);
	return i;
}

int growth_create(const struct report_snapshot *snapshot, const struct report_groups *groups,
		  struct growth **ret)
{
	struct growth *growth;
	size_t size = 16;

	while (size < 2 * groups->n_groups)
		size *= 2;
	growth = calloc(1, sizeof(*growth) + size * sizeof(growth->places[0]));
	if (!growth)
		return -ENOMEM;
	growth->size = size;
	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct report_group *group = &groups->groups[i];
		const struct report_stack *stack = &snapshot->stacks[group->stack];

		growth->places[place_of(growth, stack->pid, stack->identity)] = (struct held){
			.identity = stack->identity,
			.bytes = group->bytes,
			.blocks = group->blocks,
			.pid = stack->pid,
		};
	}
	*ret = growth;
	return 0;
}

void growth_free(struct growth *growth)
{
	free(growth);
}

void growth_find(const struct growth *growth, uint32_t pid, uint64_t identity, uint64_t *bytes,
		 uint64_t *blocks)
{
	const struct held *held = growth ? &growth->places[place_of(growth, pid, identity)] : NULL;

	*bytes = held ? held->bytes : 0;
	*blocks = held ? held->blocks : 0;
}
