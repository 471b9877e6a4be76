/* SPDX-License-Identifier: BSD-2-Clause */
#include "hostile.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "bpf/space.h"
#include "bpf/traced.h"
#include "fake_bpf.h"
#include "process/process.h"
#include "snapshot.h"
#include "table/table.h"

#define ROUNDS 30
#define LARGEST_TABLE (1 << 20) /* that is copied each round */

static unsigned long n_checked, n_refused, n_unchecked;

static uint64_t random_word(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

/* An address that a walk may believe in, or any word. */
static uint64_t tempting_word(const struct snapshot *snapshot)
{
	const struct dwunw_mappings *code = snapshot->mappings;
	const struct dwunw_mapping *mapping = &code->mappings[(unsigned int)rand() % code->n];
	uint64_t near = snapshot->memory_start + random_word() % snapshot->memory_size;

	switch (rand() % 8) {
	case 0:
		return random_word();
	case 1:
		return 0;
	case 2:
		return snapshot->memory_start + snapshot->memory_size - rand() % 16;
	case 3:
	case 4:
		return near & ~7ULL;
	case 5:
		return near;
	default:
		return mapping->start + random_word() % (mapping->end - mapping->start);
	}
}

void hostile_registers(struct snapshot *snapshot)
{
	const struct arch *arch = arch_native();

	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++) {
		if (rand() % 3 == 0)
			snapshot->words[arch->user_regs[i]] = tempting_word(snapshot);
	}
}

void hostile_stack_pointer(struct snapshot *snapshot)
{
	const struct arch *arch = arch_native();

	snapshot->words[arch->user_regs[arch->step->sp]] += rand() % 64 - 32;
}

/* The stack as it is, but elsewhere: so that words of the first frames lie across the end of a page. */
void hostile_place(struct snapshot *snapshot)
{
	const struct arch *arch = arch_native();
	unsigned long *sp = &snapshot->words[arch->user_regs[arch->step->sp]];
	size_t from = *sp - snapshot->memory_start;
	size_t to = SNAPSHOT_PAGE - 1 - (size_t)rand() % 250;

	if (from >= SNAPSHOT_PAGE || to < from || snapshot->memory_size < 2 * SNAPSHOT_PAGE)
		return;
	memmove(snapshot->memory + to, snapshot->memory + from, snapshot->memory_size - to);
	*sp += to - from;
	snapshot->words[arch->user_regs[arch->step->fp]] += to - from;
}

void hostile_stack(struct snapshot *snapshot)
{
	const struct arch *arch = arch_native();
	uint64_t sp = snapshot->words[arch->user_regs[arch->step->sp]] - snapshot->memory_start;
	size_t from = sp < snapshot->memory_size ? sp : 0;

	for (int i = 0; i < 40; i++) {
		/* most of them where the first frames are */
		size_t left = snapshot->memory_size - from,
		       room = rand() % 2 ? left : left / 16 + 8;
		size_t at = from + random_word() % (room < left ? room : left);
		uint64_t word = tempting_word(snapshot);

		if (rand() % 2)
			snapshot->memory[at] ^= 1 << rand() % 8;
		else if ((at & ~7UL) + sizeof(word) <= snapshot->memory_size)
			memcpy(snapshot->memory + (at & ~7UL), &word, sizeof(word));
	}
}

static void damage(uint8_t *bytes, size_t from, size_t size, unsigned int n)
{
	while (n--)
		bytes[from + random_word() % (size - from)] = (uint8_t)rand();
}

/* The snapshot with every mapping of the module at another table, or with none changed: false. */
static bool point_to(const struct dwunw_mappings *from, uint32_t id, uint32_t table,
		     struct dwunw_mappings *ret)
{
	bool found = false;

	*ret = *from;
	ret->epoch = ~0ULL;
	for (uint32_t i = 0; i < ret->n; i++) {
		if (ret->mappings[i].table_id == id) {
			ret->mappings[i].table = table;
			found = true;
		}
	}
	return found;
}

static void damage_table(struct traced_env *env, const struct table *table, uint32_t id,
			 const struct snapshot *given)
{
	static struct dwunw_mappings mappings;
	static struct snapshot snapshot;
	size_t size = table->header->size;
	uint8_t *copy = malloc(size);
	uint32_t address;

	if (!copy)
		return;
	for (int i = 0; i < ROUNDS; i++) {
		size_t from = i % 2 ? 0 : table->header->rules;
		struct table damaged = {.header = (void *)copy};

		memcpy(copy, table->header, size);
		damage(copy, from, size, 1 + (unsigned int)rand() % 8);
		if (table_check(copy, size)) {
			n_refused++;
			continue;
		}
		if (space_add(env->space, &damaged, &address) ||
		    !point_to(given->mappings, id, address, &mappings))
			break;
		snapshot = *given;
		snapshot.mappings = &mappings;
		snapshot_walk(&snapshot);
		hostile_registers(&snapshot);
		snapshot_walk(&snapshot);
		n_checked++;
	}
	free(copy);
}

static void damage_space(struct traced_env *env, const struct snapshot *snapshot)
{
	uint64_t used = space_used(env->space);
	uint8_t *saved = malloc(DWUNW_SHARD_SIZE);

	for (unsigned int i = 0; saved && i <= (used - 1) >> DWUNW_SHARD_SHIFT; i++) {
		uint8_t *bytes = fake_shard_bytes(fake_shard(i));

		memcpy(saved, bytes, DWUNW_SHARD_SIZE);
		for (int round = 0; round < 4; round++) {
			damage(bytes, 0, DWUNW_SHARD_SIZE, 20000u << 2 * round);
			snapshot_walk(snapshot);
			n_unchecked++;
		}
		memcpy(bytes, saved, DWUNW_SHARD_SIZE);
	}
	free(saved);
}

void hostile_tables(struct traced_env *env, const struct traced *traced,
		    const struct snapshot *snapshot)
{
	const struct process *process = traced->process;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct module *module = process->mappings[i].module;

		if (module && module->table && module->table->header->size <= LARGEST_TABLE)
			damage_table(env, module->table, module->id, snapshot);
	}
	damage_space(env, snapshot);
}

void hostile_print(void)
{
	printf("damaged tables: %lu walked, %lu refused by table_check(); damaged table space: %lu "
	       "rounds\n",
	       n_checked, n_refused, n_unchecked);
}
